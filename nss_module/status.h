/* SPDX-License-Identifier: BSD-2-Clause */
/* What becomes of a call, and the one place where it turns into NSS's codes. */
#ifndef KSA_NSS_STATUS_H
#define KSA_NSS_STATUS_H

#include <nss.h>

#include "base/macros.h"
#include "registry/registry.h"

/* Zero is none of them. */
enum ksa_nss_outcome {
        KSA_NSS_FOUND = 1,
        KSA_NSS_UNKNOWN,     /* not one of ours, or no more of them: the next service may have it */
        KSA_NSS_UNAVAILABLE, /* there is a registry, and it is not to be believed */
        KSA_NSS_TOO_SMALL,   /* the caller's buffer: he comes again with a larger one */
        KSA_NSS_BUSY,        /* another thread is inside the same enumeration */
        KSA_NSS_NO_MEMORY,
};

enum ksa_nss_outcome ksa_nss_outcome(enum ksa_registry_answer answer) KSA_MUST_CHECK;

/*
 * Ends a call: errno becomes KEPT again, what it was when the call began, and where the outcome has an error
 * it goes to *ERRNOP, which glibc has point to errno.
 */
enum nss_status ksa_nss_end(enum ksa_nss_outcome outcome, int kept, int *errnop) KSA_MUST_CHECK;

#endif
