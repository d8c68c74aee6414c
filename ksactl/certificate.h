/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of a certificate that may be shown. */
#ifndef KSACTL_CERTIFICATE_H
#define KSACTL_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/env.h"
#include "base/error.h"

struct certificate {
        char subject[512]; /* in the form of RFC 2253, quoted for a log */
        int64_t from, until;
        bool has_private_key; /* in the file */
};

/* The first certificate in a file. False, with the error in ERR. */
bool read_certificate(const char *path, const struct ksa_env *env,
                      struct certificate *ret_certificate, struct ksa_error *err);

#endif
