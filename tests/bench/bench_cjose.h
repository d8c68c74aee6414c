/* SPDX-License-Identifier: BSD-2-Clause */
/* What a decision is compared with: a plain program that has cjose do the same work. */
#ifndef KSA_BENCH_CJOSE_H
#define KSA_BENCH_CJOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bench_peer {
        const char *keys_file, *algorithm, *issuer, *audience, *namespace, *account;
        int64_t now;
};

/*
 * Reads the key set file, parses TOKEN (LENGTH bytes), finds and imports its key, verifies it, and
 * compares the claims with PEER.
 */
bool bench_cjose_login(const struct bench_peer *peer, const char *token, size_t length);

#endif
