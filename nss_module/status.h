/* SPDX-License-Identifier: BSD-2-Clause */
/* The outcome of a call, and its only conversion to NSS codes. */
#ifndef KSA_NSS_STATUS_H
#define KSA_NSS_STATUS_H

#include <nss.h>

#include "base/macros.h"
#include "registry/registry.h"

/* Zero is not valid. */
enum ksa_nss_outcome {
        KSA_NSS_FOUND = 1,
        KSA_NSS_UNKNOWN,     /* not in the registry, or end of the enumeration */
        KSA_NSS_UNAVAILABLE, /* the registry is damaged or unreadable */
        KSA_NSS_TOO_SMALL,   /* the caller's buffer: the caller retries with a larger one */
        KSA_NSS_BUSY,        /* another thread uses the same enumeration */
        KSA_NSS_NO_MEMORY,
};

/* Converts the result of a lookup. A damaged registry is KSA_NSS_UNAVAILABLE. */
enum ksa_nss_outcome ksa_nss_outcome(enum ksa_registry_answer answer) KSA_MUST_CHECK;

/*
 * Ends a call: restores errno to KEPT, its value at the beginning, and stores the outcome's error
 * in *ERRNOP, if it has one. In glibc ERRNOP points to errno.
 */
enum nss_status ksa_nss_end(enum ksa_nss_outcome outcome, int kept, int *errnop) KSA_MUST_CHECK;

#endif
