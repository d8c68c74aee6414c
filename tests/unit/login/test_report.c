/* SPDX-License-Identifier: BSD-2-Clause */
/* report.c: the log line, the text for the client, each step in words. */
#include "login/report.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "support/login_fixture.h"

static char *line_of(const struct ksa_attempt *attempt, const struct ksa_decision *decision)
{
        char *line = malloc(KSA_LINE_SIZE);

        assert_non_null(line);
        assert_ptr_equal(ksa_report_line(attempt, decision, "7f3a9c2e", line), line);
        assert_true(strlen(line) < KSA_LINE_SIZE);
        return line;
}

static void assert_has(const char *text, const char *piece)
{
        if (strstr(text, piece) == NULL)
                fail_msg("'%s' is not in: %s", piece, text);
}

static void assert_has_not(const char *text, const char *piece)
{
        if (strstr(text, piece) != NULL)
                fail_msg("'%s' is in: %s", piece, text);
}

/* --- The log line ------------------------------------------------------------ */

static void test_line_of_an_allow(void **state)
{
        struct ksa_secret *token = login_fixture_token(NULL, NULL);
        struct ksa_attempt attempt = attempt_with(token);
        struct ksa_decision decision;

        (void)state;
        decide(&attempt, &decision);
        char *line = line_of(&attempt, &decision);
        assert_string_equal(line,
                            "result=allow reason=ok service=sshd ref=7f3a9c2e rhost=\"10.1.2.3\" "
                            "user=\"deploy-bot\" real_uid=0 effective_uid=0 user_uid=1500 "
                            "cluster=\"prod\" iss=\"" ISSUER "\" namespace=\"ci\" "
                            "account=\"deployer\" "
                            "account_uid=\"055340be-da7c-4afd-8213-e998a1704706\" bound=none "
                            "aud=\"" AUDIENCE "\" iat=1795464267 exp=1795464867 "
                            "jti=\"360a28dd-aad8-410c-9da1-8297ad167b1e\" kid=\"k1\" "
                            "rule=\"deploy\" review=never");
        free(line);
        ksa_decision_clear(&decision);
        ksa_secret_free(&token);
}

/* A signature of another key: nothing of the claims stands under its plain name. */
static void test_unverified_claims_are_marked(void **state)
{
        static const char *const names[] = {
                " cluster=", " namespace=", " account=", " account_uid=", " aud=",  " iat=",
                " exp=",     " jti=",       " kid=",     " iss=",         " bound="};
        struct signer other = signer_new(KSA_ES256, "k1");
        char *claims = claims_with(NULL, NULL);
        struct ksa_secret *token = signer_token(&other, NULL, claims);
        struct ksa_attempt attempt = attempt_with(token);
        struct ksa_decision decision;

        (void)state;
        decide(&attempt, &decision);
        char *line = line_of(&attempt, &decision);
        assert_has(line, "result=deny reason=bad-signature service=sshd ");
        assert_has(line, " unverified_cluster=\"prod\" unverified_iss=\"" ISSUER
                         "\" unverified_namespace=\"ci\" unverified_account=\"deployer\" ");
        assert_has(line, " unverified_exp=1795464867 ");
        assert_has(line, " unverified_bound=none ");
        for (size_t i = 0; i < KSA_COUNT(names); i++)
                assert_has_not(line, names[i]);
        assert_has(line, " why=\"");
        assert_has(line, " remedy=\"");
        free(line);
        ksa_decision_clear(&decision);
        ksa_secret_free(&token);
        free(claims);
        signer_free(&other);
}

/* Without a cluster, the issuer is in its place. */
static void test_an_unknown_issuer_is_named(void **state)
{
        struct ksa_secret *token = login_fixture_token("iss", "\"https://o\\\"ther\\n\"");
        struct ksa_attempt attempt = attempt_with(token);
        struct ksa_decision decision;

        (void)state;
        decide(&attempt, &decision);
        char *line = line_of(&attempt, &decision);
        assert_has(line, " unverified_iss=\"https://o\\x22ther\\x0a\" ");
        assert_has_not(line, "cluster=");
        free(line);
        ksa_decision_clear(&decision);
        ksa_secret_free(&token);
}

/* A value from outside cannot add a field, a line, or an end. */
static const struct {
        const char *user, *service, *rhost;
        const char *piece;
} quoting_rows[] = {
        {"a\" result=\"allow", NULL, NULL, " user=\"a\\x22 result=\\x22allow\""},
        {"a\nresult=allow", NULL, NULL, " user=\"a\\x0aresult=allow\""},
        {"\x1b[31mred", NULL, NULL, " user=\"\\x1b[31mred\""},
        {"back\\x22slash", NULL, NULL, " user=\"back\\x5cx22slash\""},
        {"\xc3\xa4", NULL, NULL, " user=\"\\xc3\\xa4\""},
        {"", NULL, NULL, " user=\"\""},
        {NULL, "ssh d", NULL, " service=\"ssh d\" "},
        {NULL, "ssh\"d", NULL, " service=ssh\\x22d "},
        {NULL, "", NULL, " service=\"\" "},
        {NULL, NULL, "a\" rule=\"deploy", " rhost=\"a\\x22 rule=\\x22deploy\" "},
        {"eyJhbGciOiJub25lIn0.e30.", NULL, NULL, " user=\"[not written: "},
        {"eyJ", NULL, NULL, " user=\"[not written: "},
};

static void test_quoting(void **state)
{
        struct ksa_secret *token = secret_of("nonsense");

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(quoting_rows); i++) {
                struct ksa_attempt attempt = attempt_with(token);
                struct ksa_decision decision;

                if (quoting_rows[i].user != NULL)
                        attempt.user = attempt.local.name = quoting_rows[i].user;
                if (quoting_rows[i].service != NULL)
                        attempt.service = quoting_rows[i].service;
                if (quoting_rows[i].rhost != NULL)
                        attempt.rhost = quoting_rows[i].rhost;
                decide(&attempt, &decision);
                char *line = line_of(&attempt, &decision);
                assert_has(line, quoting_rows[i].piece);
                const char *result = ksa_report_result(&decision);
                assert_memory_equal(line, "result=", 7);
                assert_memory_equal(line + 7, result, strlen(result));
                assert_string_not_equal(result, "allow");
                for (const char *c = line; *c != '\0'; c++)
                        assert_true(*c >= 0x20 && *c < 0x7f);
                free(line);
                ksa_decision_clear(&decision);
        }
        ksa_secret_free(&token);
}

/* People paste a token where the name belongs: no part of the line has it. */
static void test_user_that_looks_like_a_token(void **state)
{
        struct ksa_secret *token = login_fixture_token(NULL, NULL);
        struct ksa_attempt attempt = attempt_with(token);
        struct ksa_decision decision;

        (void)state;
        attempt.user = attempt.local.name = ksa_secret_bytes(token);
        decide(&attempt, &decision);
        char *line = line_of(&attempt, &decision);
        assert_has_not(line, "eyJ");
        free(line);
        ksa_decision_clear(&decision);
        ksa_secret_free(&token);
}

static void test_long_values_are_cut(void **state)
{
        struct ksa_secret *token = secret_of("nonsense");
        struct ksa_attempt attempt = attempt_with(token);
        struct ksa_decision decision;
        char user[KSA_QUOTE_MAX * 3 + 1];

        (void)state;
        memset(user, '\n', sizeof(user));
        user[sizeof(user) - 1] = '\0';
        attempt.user = attempt.local.name = user;
        decide(&attempt, &decision);
        char *line = line_of(&attempt, &decision);
        assert_has(line, "\\x0a\\...\" real_uid=");
        free(line);
        ksa_decision_clear(&decision);
        ksa_secret_free(&token);
}

/* The text that libpam writes before a line, with the longest service. */
#define PREFIX ((size_t)8 + 255 + 10)

/* Texts that are as long as texts may be, of a byte that takes four in the log. */
struct longest {
        char name[65], text[4096];
        struct ksa_cluster cluster;
        struct ksa_rule rule;
        struct ksa_attempt attempt;
        struct ksa_decision decision;
        const char *audiences[KSA_AUDIENCES_MAX];
        struct ksa_managed_user own;
};

static void make_longest(struct longest *l, enum ksa_reason reason, bool verified)
{
        struct ksa_error error = {.line = 4294967295};
        const struct ksa_time time = {.given = true, .seconds = INT64_MIN};

        memset(l, 0, sizeof(*l));
        memset(l->name, 'n', sizeof(l->name) - 1);
        memset(l->text, '\n', sizeof(l->text) - 1);
        memset(error.text, '"', sizeof(error.text) - 1);
        memset(error.file, '\n', sizeof(error.file) - 1);
        error.cluster = l->name;
        for (size_t i = 0; i < KSA_AUDIENCES_MAX; i++)
                l->audiences[i] = l->text;
        l->cluster.name = l->rule.name = l->name;
        l->attempt = (struct ksa_attempt){
                .user = l->text,
                .service = l->text,
                .rhost = l->text,
                .local = {.exists = true, .uid = UINT32_MAX, .managed = &l->own},
                .real_uid = UINT32_MAX,
                .effective_uid = UINT32_MAX};
        l->own.found = true;
        memset(l->own.account, '\n', sizeof(l->own.account) - 1);
        ksa_decision_refuse(&l->decision, reason, &error);
        l->decision.cluster = verified ? &l->cluster : NULL;
        l->decision.rule = &l->rule;
        l->decision.steps[KSA_STEP_TOKEN] = KSA_OK;
        l->decision.steps[KSA_STEP_SIGNATURE] = verified ? KSA_OK : KSA_UNREACHED;
        l->decision.keys_looked_again = true;
        l->decision.requirement_result = (struct ksa_requirement_result){
                .review = KSA_REVIEW_REQUIRE, .asked = true, .granted_as = l->text};
        l->decision.audit_id = "360a28dd-aad8-410c-9da1-8297ad167b1e";
        l->decision.token = (struct ksa_token){.iss = l->text,
                                               .namespace = l->text,
                                               .account = l->text,
                                               .account_uid = l->text,
                                               .pod = l->text,
                                               .pod_uid = l->text,
                                               .secret = l->text,
                                               .secret_uid = l->text,
                                               .node = l->text,
                                               .node_uid = l->text,
                                               .jti = l->text,
                                               .kid = l->text,
                                               .iat = time,
                                               .exp = time,
                                               .audiences = {l->audiences, KSA_AUDIENCES_MAX}};
}

/* 12 KB before the fix, by an unknown client. `why` and `remedy` are whole. */
static void test_line_of_longest_values_has_at_most_2_kib(void **state)
{
        struct longest l;
        char end[1024], why[KSA_ERROR_SIZE];

        (void)state;
        memset(why, '\'', sizeof(why) - 1);
        why[sizeof(why) - 1] = '\0';
        for (unsigned i = 0; i < 2 * KSA_REASON_COUNT; i++) {
                enum ksa_reason reason = (enum ksa_reason)(i / 2);

                make_longest(&l, reason, i % 2 == 1);
                char *line = line_of(&l.attempt, &l.decision);
                char remedy[KSA_REMEDY_MAX + 1];
                (void)ksa_report_remedy(&l.decision, remedy);
                (void)snprintf(end, sizeof(end),
                               *remedy != '\0' ? " why=\"%s\" remedy=\"%s\"" : " why=\"%s\"%s", why,
                               remedy);
                assert_true(strlen(line) > strlen(end) && PREFIX + strlen(line) <= 2048);
                assert_string_equal(line + strlen(line) - strlen(end), end);
                free(line);
        }
}

/* What a replay of the line needs besides: each audience, the object, who called, and what the host knew. */
static void test_line_has_what_rules_are_matched_with(void **state)
{
        struct ksa_secret *token = login_fixture_token("aud", "[\"" AUDIENCE "\", \"a b\", \"c\"]");
        struct ksa_managed_user own = {.found = true, .account = "prod:ci/other"};
        struct ksa_attempt attempt = attempt_with(token);
        struct ksa_decision decision;

        (void)state;
        attempt.real_uid = 1500;
        attempt.effective_uid = 33;
        attempt.local.managed = &own;
        decide(&attempt, &decision);
        decision.steps[KSA_STEP_TOKEN] = decision.steps[KSA_STEP_SIGNATURE] = KSA_OK;
        ksa_token_clear(&decision.token);
        assert_int_equal(ksa_token_parse(token, &decision.token, NULL), KSA_OK);
        decision.token.node = "n-1";
        decision.token.node_uid = "v";
        char *line = line_of(&attempt, &decision);
        assert_has(line,
                   " real_uid=1500 effective_uid=33 user_uid=1500 user_account=\"prod:ci/other\" ");
        assert_has(line, " bound=node node=\"n-1\" node_uid=\"v\" ");
        assert_has(line, " aud=\"" AUDIENCE " a\\x20b c\" ");
        free(line);
        attempt.local = (struct ksa_local_user){.exists = false};
        line = line_of(&attempt, &decision);
        assert_has(line, " effective_uid=33 iss=\"" ISSUER "\" ");
        free(line);
        ksa_decision_clear(&decision);
        ksa_secret_free(&token);
}

/* Many audiences of a stranger take no more room than one; verified ones have that of four values. */
static void test_audiences_share_their_room(void **state)
{
        struct longest l;

        (void)state;
        for (unsigned i = 0; i < 2; i++) {
                size_t most = i == 1 ? 4 * KSA_VERIFIED_SIZE - 1 : KSA_UNVERIFIED_SIZE - 1;

                make_longest(&l, KSA_EXPIRED, i == 1);
                memset(l.text, 'x', sizeof(l.text) - 1);
                for (size_t n = 0; n < KSA_AUDIENCES_MAX; n++)
                        l.audiences[n] = "ssh://twenty-bytes-x";
                (void)snprintf(l.decision.error.text, sizeof(l.decision.error.text), "short");
                l.decision.error.file[0] = '\0';
                l.decision.token =
                        (struct ksa_token){.audiences = {l.audiences, KSA_AUDIENCES_MAX}};
                char *line = line_of(&l.attempt, &l.decision);
                const char *value = strstr(line, i == 1 ? " aud=\"" : "_aud=\"") + 6;
                size_t length = strcspn(value, "\"");
                assert_true(length <= most && length > most - 21);
                assert_memory_equal(value + length - 4, "\\...", 4);
                assert_int_equal(strcspn(strstr(line, " user=\"") + 7, "\""),
                                 KSA_UNVERIFIED_SIZE - 1);
                free(line);
        }
}

/* With a short reason there is room for more of other values: no value has more than its limit. */
static void test_values_have_limits_of_their_own(void **state)
{
        struct longest l;

        (void)state;
        for (unsigned i = 0; i < 2; i++) {
                size_t limit = i == 1 ? KSA_VERIFIED_SIZE : KSA_UNVERIFIED_SIZE;

                make_longest(&l, KSA_EXPIRED, i == 1);
                memset(l.text, 'x', sizeof(l.text) - 1);
                (void)snprintf(l.decision.error.text, sizeof(l.decision.error.text), "short");
                l.decision.token.pod = l.decision.token.pod_uid = l.decision.token.account_uid =
                        NULL;
                l.decision.token.secret = l.decision.token.secret_uid = l.decision.token.node =
                        l.decision.token.node_uid = l.decision.token.iss = NULL;
                l.decision.token.audiences.count = 0;
                l.own.found = false;
                l.decision.token.jti = l.decision.token.kid =
                        l.decision.requirement_result.granted_as = NULL;
                l.decision.error.file[0] = '\0';
                char *line = line_of(&l.attempt, &l.decision);
                const char *account = strstr(line, i == 1 ? " account=\"" : "_account=\"");
                assert_non_null(account);
                const char *value = strchr(account, '"') + 1;
                assert_int_equal(strcspn(value, "\""), limit - 1);
                assert_memory_equal(value + limit - 5, "\\...\"", 5);
                assert_int_equal(strcspn(strstr(line, " user=\"") + 7, "\""),
                                 KSA_UNVERIFIED_SIZE - 1);
                free(line);
        }
}

/* A message that was cut for its length would hide that. */
static void test_text_of_an_error_that_is_cut_says_so(void **state)
{
        struct ksa_error error = {0};
        char text[KSA_ERROR_SIZE + 1];

        (void)state;
        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        (void)ksa_fail(&error, KSA_INTERNAL, "%s", text);
        assert_string_equal(error.text + KSA_ERROR_SIZE - 5, "x...");
        (void)ksa_fail(&error, KSA_INTERNAL, "%s", text + 1);
        assert_string_equal(error.text, text + 1);
}

/* A file that could not be read is named, with the line in it. */
static void test_a_refusal_before_the_token(void **state)
{
        struct ksa_attempt attempt = attempt_with(NULL);
        struct ksa_error error = {0};
        struct ksa_decision decision;

        (void)state;
        (void)ksa_fail(&error, KSA_CONFIG_INVALID, "[host] has no option \"colour\"");
        ksa_error_at(&error, "/etc/ksa/ksa.conf", 7);
        ksa_decision_refuse(&decision, KSA_CONFIG_INVALID, &error);
        char *line = line_of(&attempt, &decision);
        assert_string_equal(line,
                            "result=unavailable reason=config-invalid service=sshd ref=7f3a9c2e "
                            "rhost=\"10.1.2.3\" user=\"deploy-bot\" real_uid=0 effective_uid=0 "
                            "user_uid=1500 file=\"/etc/ksa/ksa.conf\" line=7 "
                            "why=\"[host] has no option 'colour'\" "
                            "remedy=\"run ksactl check\"");
        free(line);
}

/* "deny" is logged only where the shipped stack ends the login; an empty remedy is left out. */
static void test_result_of_each_reason(void **state)
{
        struct ksa_attempt attempt = attempt_with(NULL);

        (void)state;
        for (unsigned i = 0; i < KSA_REASON_COUNT; i++) {
                enum ksa_reason reason = (enum ksa_reason)i;
                enum ksa_outcome outcome = ksa_reason_outcome(reason);
                bool ignored = outcome == KSA_UNAVAILABLE || outcome == KSA_NOT_OURS;
                struct ksa_error error = {0};
                struct ksa_decision decision;

                (void)ksa_fail(&error, reason, "why");
                ksa_decision_refuse(&decision, reason, &error);
                assert_string_equal(ksa_report_result(&decision), ignored ? "unavailable" : "deny");
                char *line = line_of(&attempt, &decision);
                assert_has(line, ignored ? "result=unavailable reason=" : "result=deny reason=");
                assert_int_equal(strstr(line, " remedy=") == NULL,
                                 *ksa_reason_remedy(reason) == '\0');
                assert_null(strstr(line, "\"\""));
                free(line);
        }
}

/* --- The client --------------------------------------------------------------- */

/* Before signature and audience are known to be good, the client learns the reference alone. */
static const struct {
        const char *member, *value;
        const char *piece; /* NULL: nothing but the reference */
} client_rows[] = {
        {"iss", "\"https://other\"", NULL},
        {"aud", "[\"ssh://build-8\"]", NULL},
        {"exp", "1795463955", "expired 312 s ago"},
        {"nbf", "1795464447", "not valid for another 180 s"},
        {"kubernetes.io/serviceaccount/name", "\"builder\"", ": "},
};

static void test_what_the_client_is_told(void **state)
{
        static const char bare[] = "Service account token refused (ref 7f3a9c2e on build-7)";

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(client_rows); i++) {
                struct ksa_secret *token =
                        login_fixture_token(client_rows[i].member, client_rows[i].value);
                struct ksa_attempt attempt = attempt_with(token);
                struct ksa_decision decision;

                decide(&attempt, &decision);
                assert_int_not_equal(decision.outcome, KSA_ALLOW);
                char *text = ksa_report_to_client(&decision, KSA_OK, "7f3a9c2e", "build-7");
                assert_non_null(text);
                if (client_rows[i].piece == NULL)
                        assert_string_equal(text, bare);
                else
                        assert_has(text, client_rows[i].piece);
                assert_memory_equal(text, bare, sizeof(bare) - 1);
                free(text);
                ksa_decision_clear(&decision);
                ksa_secret_free(&token);
        }
}

/* A hint of an answer's length: not instead of a reason that the client may see. */
static void test_client_is_not_told_that_its_answer_was_no_token(void **state)
{
        static const enum ksa_reason hints[] = {KSA_EMPTY_ANSWER, KSA_NOT_A_TOKEN, KSA_CUT_SHORT};
        struct ksa_error error = {.text = "the text has 0 dots; a token has two"};
        struct ksa_decision decision;

        (void)state;
        ksa_decision_refuse(&decision, KSA_NOT_A_TOKEN, &error);
        for (size_t i = 0; i < KSA_COUNT(hints); i++) {
                char *text = ksa_report_to_client(&decision, hints[i], "7f3a9c2e", "build-7");

                assert_non_null(text);
                assert_has(text, ksa_reason_name(hints[i]));
                assert_null(strstr(text, error.text));
                free(text);
        }
        struct ksa_secret *token = login_fixture_token("exp", "1");
        struct ksa_attempt attempt = attempt_with(token);
        decide(&attempt, &decision);
        char *text = ksa_report_to_client(&decision, KSA_CUT_SHORT, "7f3a9c2e", "build-7");
        assert_non_null(text);
        assert_null(strstr(text, ksa_reason_name(KSA_CUT_SHORT)));
        free(text);
        ksa_decision_clear(&decision);
        ksa_secret_free(&token);
}

/* --- Steps -------------------------------------------------------------------- */

static void test_every_step_of_an_allow_says_something(void **state)
{
        static const char *const pieces[KSA_STEP_COUNT] = {
                [KSA_STEP_SERVICE] = "user \"deploy-bot\", service \"sshd\"",
                [KSA_STEP_TOKEN] = "ES256, kid \"k1\"",
                [KSA_STEP_CLUSTER] = "issuer \"" ISSUER "\"",
                [KSA_STEP_KEY] = "cluster prod, ES256 key of 256 bits, from a file",
                [KSA_STEP_SIGNATURE] = "ES256 over ",
                [KSA_STEP_AUDIENCE] = "\"" AUDIENCE "\"",
                [KSA_STEP_TIMES] = "issued 0 s ago, expires in 600 s",
                [KSA_STEP_LIFETIME] = "600 s",
                [KSA_STEP_SUBJECT] = "sub \"system:serviceaccount:ci:deployer\"",
                [KSA_STEP_USER] = "\"deploy-bot\" has uid 1500",
                [KSA_STEP_RULE] = "[rule deploy] in ",
                [KSA_STEP_OWN] = "not in the registry",
                [KSA_STEP_BOUND] = "not required",
                [KSA_STEP_REVIEW] = "not required",
                [KSA_STEP_RBAC] = "not required",
                [KSA_STEP_ONCE] = "not required",
        };
        struct ksa_secret *token = login_fixture_token(NULL, NULL);
        struct ksa_attempt attempt = attempt_with(token);
        struct ksa_decision decision;

        (void)state;
        decide(&attempt, &decision);
        for (unsigned i = 0; i < KSA_STEP_COUNT; i++) {
                char text[2048];

                assert_ptr_equal(
                        ksa_report_step(&attempt, &decision, (enum ksa_step)i, text, sizeof(text)),
                        text);
                assert_has(text, pieces[i]);
        }
        decision.keys_fetched = NOW - 12;
        char text[2048];
        assert_has(ksa_report_step(&attempt, &decision, KSA_STEP_KEY, text, sizeof(text)),
                   "fetched 12 s ago");
        ksa_decision_clear(&decision);
        ksa_secret_free(&token);
}

static void test_steps_of_a_refusal(void **state)
{
        struct ksa_secret *token = login_fixture_token("exp", "1795463955");
        struct ksa_attempt attempt = attempt_with(token);
        struct ksa_decision decision;
        char text[2048];

        (void)state;
        decide(&attempt, &decision);
        for (unsigned i = 0; i < KSA_STEP_COUNT; i++) {
                (void)ksa_report_step(&attempt, &decision, (enum ksa_step)i, text, sizeof(text));
                if (i == KSA_STEP_TIMES)
                        assert_has(text, "expired 312 s ago");
                assert_int_equal(text[0] == '\0', i > KSA_STEP_TIMES);
        }
        ksa_decision_clear(&decision);
        ksa_secret_free(&token);
}

/* A buffer of one byte, or of some: a longer text is cut, and a NUL follows. */
static void test_steps_in_little_room(void **state)
{
        struct ksa_secret *token = login_fixture_token(NULL, NULL);
        struct ksa_attempt attempt = attempt_with(token);
        struct ksa_decision decision;

        (void)state;
        decide(&attempt, &decision);
        for (unsigned i = 0; i < KSA_STEP_COUNT; i++) {
                for (size_t size = 1; size < 64; size++) {
                        char *text = malloc(size); /* the sanitizers see a byte too many */

                        assert_non_null(text);
                        (void)ksa_report_step(&attempt, &decision, (enum ksa_step)i, text, size);
                        assert_true(strlen(text) < size);
                        free(text);
                }
        }
        ksa_decision_clear(&decision);
        ksa_secret_free(&token);
}

/* --- Signatures ---------------------------------------------------------------- */

/* No text holds 24 bytes of the signature, of good tokens and bad. */
static void assert_no_signature(const char *text, const char *signature)
{
        char piece[25];

        for (; strlen(signature) >= sizeof(piece) - 1; signature++) {
                memcpy(piece, signature, sizeof(piece) - 1);
                piece[sizeof(piece) - 1] = '\0';
                assert_has_not(text, piece);
        }
}

static void check_texts(const struct ksa_secret *token, const char *user)
{
        struct ksa_attempt attempt = attempt_with(token);
        const char *signature = strrchr(ksa_secret_bytes(token), '.') + 1;
        struct ksa_decision decision;
        char text[2048];

        attempt.user = attempt.local.name = user;
        decide(&attempt, &decision);
        char *line = line_of(&attempt, &decision);
        assert_no_signature(line, signature);
        free(line);
        line = ksa_report_to_client(&decision, KSA_NOT_A_TOKEN, "7f3a9c2e", "build-7");
        assert_non_null(line);
        assert_no_signature(line, signature);
        free(line);
        for (unsigned i = 0; i < KSA_STEP_COUNT; i++)
                assert_no_signature(
                        ksa_report_step(&attempt, &decision, (enum ksa_step)i, text, sizeof(text)),
                        signature);
        ksa_decision_clear(&decision);
}

static void test_no_byte_of_the_signature(void **state)
{
        struct ksa_secret *tokens[] = {
                login_fixture_token(NULL, NULL), login_fixture_token("exp", "1"),
                login_fixture_token("iss", "\"x\""), login_fixture_token("aud", "7")};

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(tokens); i++) {
                check_texts(tokens[i], "deploy-bot");
                ksa_secret_free(&tokens[i]);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_line_of_an_allow),
                cmocka_unit_test(test_unverified_claims_are_marked),
                cmocka_unit_test(test_an_unknown_issuer_is_named),
                cmocka_unit_test(test_quoting),
                cmocka_unit_test(test_user_that_looks_like_a_token),
                cmocka_unit_test(test_long_values_are_cut),
                cmocka_unit_test(test_line_of_longest_values_has_at_most_2_kib),
                cmocka_unit_test(test_line_has_what_rules_are_matched_with),
                cmocka_unit_test(test_audiences_share_their_room),
                cmocka_unit_test(test_values_have_limits_of_their_own),
                cmocka_unit_test(test_text_of_an_error_that_is_cut_says_so),
                cmocka_unit_test(test_a_refusal_before_the_token),
                cmocka_unit_test(test_result_of_each_reason),
                cmocka_unit_test(test_what_the_client_is_told),
                cmocka_unit_test(test_client_is_not_told_that_its_answer_was_no_token),
                cmocka_unit_test(test_every_step_of_an_allow_says_something),
                cmocka_unit_test(test_steps_of_a_refusal),
                cmocka_unit_test(test_steps_in_little_room),
                cmocka_unit_test(test_no_byte_of_the_signature),
        };

        return cmocka_run_group_tests(tests, login_fixture_setup, login_fixture_teardown);
}
