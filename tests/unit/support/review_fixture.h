/* SPDX-License-Identifier: BSD-2-Clause */
/* A token of ci/deployer, an API server's review of it, and that with one change. */
#ifndef KSA_TEST_REVIEW_FIXTURE_H
#define KSA_TEST_REVIEW_FIXTURE_H

#include "token/token.h"

#define REVIEWED_AUDIENCE "ssh://build-7.example.com"

#define REVIEWED_HEADER    "eyJhbGciOiJFUzI1NiIsImtpZCI6ImsxIn0"
#define REVIEWED_PAYLOAD   "eyJhdWQiOlsic3NoOi8vYnVpbGQtNy5leGFtcGxlLmNvbSJdfQ"
#define REVIEWED_SIGNATURE "c2lnbmF0dXJlLXRoYXQtbm9ib2R5LW1heS1zZWUtaW4tYW55LXRleHQtb3ItbWVtb3J5"
#define REVIEWED_COMPACT   REVIEWED_HEADER "." REVIEWED_PAYLOAD "." REVIEWED_SIGNATURE

/* As ksa_token_parse() would fill it; the second is bound to a Pod. */
extern const struct ksa_token review_fixture_account, review_fixture_pod;

/*
 * JSON with the member at PATH ("status|user|uid") made VALUE, which is JSON, or taken away where
 * VALUE is NULL. PATH NULL: as it is. The caller frees it.
 */
char *review_fixture_change(const char *text, const char *path, const char *value);

/*
 * From now on jansson's review_fixture_failing-th allocation fails (0: none does),
 * review_fixture_living counts blocks that were not freed, and review_fixture_seen is whether a
 * block held the token's signature when it was freed.
 */
extern unsigned long review_fixture_failing, review_fixture_counted;
extern long review_fixture_living;
extern bool review_fixture_seen;
void review_fixture_watch_json(void);

#endif
