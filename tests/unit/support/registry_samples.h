/* SPDX-License-Identifier: BSD-2-Clause */
/* Registries for tests: sound ones, large ones, and hostile ones whose sums are right. */
#ifndef KSA_TEST_REGISTRY_SAMPLES_H
#define KSA_TEST_REGISTRY_SAMPLES_H

#include <stdbool.h>

#include "admin/registry/write.h"
#include "registry/registry.h"

#define SAMPLE_GID 1900000001u

/* prod:ci/ACCOUNT, active, in the group SAMPLE_GID; its home in /home of its name. */
struct ksa_account_record sample_account(const char *name, const char *account, uint32_t uid);

/* k8s-ci, and the list of prod. */
extern const struct ksa_group_record sample_group;
extern const struct ksa_source_record sample_source;

/* The accounts (ordered by name) with that group and source. The caller frees *RET_BYTES. */
void sample_build(const struct ksa_account_record *accounts, size_t count,
                  unsigned char **ret_bytes, size_t *ret_size);

/* The same of COUNT accounts, ci_000000 and on, uid SAMPLE_GID + 1 and on; GENERATION is in each home. */
void sample_build_many(size_t count, unsigned generation, unsigned char **ret_bytes,
                       size_t *ret_size);

/* The same, with the time that the building took by NOW. */
void sample_build_many_timed(size_t count, unsigned generation, unsigned char **ret_bytes,
                             size_t *ret_size, double (*now)(void), double *ret_time);

/*
 * Computes all checksums of a registry again, as far as its parts are inside of it, as an attacker
 * would do with write access. With LENGTH the header gets SIZE too.
 */
void sample_seal(unsigned char *bytes, size_t size, bool length);

#endif
