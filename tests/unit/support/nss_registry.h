/* SPDX-License-Identifier: BSD-2-Clause */
/* A registry for tests: "registry" in the current directory, which the NSS module of a test opens. */
#ifndef KSA_TEST_NSS_REGISTRY_H
#define KSA_TEST_NSS_REGISTRY_H

#include "admin/registry/write.h"
#include "support/support.h"

#define GID_CI     2000000000u
#define UID_FIRST  1900000000u
#define MANY_COUNT 300u

/*
 * ci_active, ci_gone (REMOVED), ci_remade, ci_retired and ci_torn (DISABLED), with uids from
 * UID_FIRST on in this order, all in k8s-ci and in group 1500; TAG ends their homes, to distinguish
 * registries.
 */
void accounts_put(const char *tag);

/* MANY_COUNT active ones, many_000 and so on, in k8s-ci. */
void accounts_put_many(void);

/* The file as BYTES, valid or not, by a rename. */
void accounts_put_bytes(const void *bytes, size_t size);

/* Changes to a new directory; needs root, because the module accepts only files of root. */
int accounts_setup(void **state);
int accounts_teardown(void **state);

/* Returns when the module looks for a new file again, after its second. */
void accounts_next_second(void);

#endif
