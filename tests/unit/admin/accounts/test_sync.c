/* SPDX-License-Identifier: BSD-2-Clause */
/* sync.c with a leader's file: when the registry is written, and which lists count. */
#include "admin/accounts/sync.h"

#include <stdio.h>
#include <string.h>

#include "support/support.h"

#define NOW 1795464000
#define CONFIG                                                                   \
        "[host]\naudience = ssh://build-7\n[cluster prod]\nissuer = https://c\n" \
        "keys = file:/etc/ksa/prod.jwks\n[accounts prod]\nnamespaces = ci\nsource = file:%s\n"
#define ACCOUNT(name, uid)                                                                       \
        "{\"namespace\":\"ci\",\"account\":\"" name "\",\"account_uid\":\"u-1\",\"created\":17," \
        "\"user\":\"ci_" name "\",\"uid\":" uid ",\"state\":\"active\",\"reasons\":[]}"
#define FILE_OF                                                                           \
        "{\"format\":\"ksa-accounts\",\"version\":2,\"clusters\":[{\"cluster\":\"prod\"," \
        "\"listed\":%lld,\"groups\":[],\"accounts\":[%s]}]}"
#define TWO ACCOUNT("a", "1900000001") "," ACCOUNT("b", "1900000002")

static const struct ksa_local_files no_files = {
        .passwd = "/nowhere/passwd",
        .group = "/nowhere/group",
        .subuid = "/nowhere/subuid",
        .subgid = "/nowhere/subgid",
};

static char registry_file[128];
static struct ksa_config *config;

static void arrange(struct workdir *workdir)
{
        struct ksa_error error = {0};
        char path[128], text[512];

        (void)snprintf(path, sizeof(path), "%s/leader.json", workdir->directory);
        (void)snprintf(text, sizeof(text), CONFIG, path);
        if (workdir_load(workdir, text, &config, &error) != KSA_OK)
                fail_msg("%s", error.text);
        (void)snprintf(registry_file, sizeof(registry_file), "%s/registry", workdir->directory);
        workdir->env.registry_file = registry_file;
        workdir->env.now = NOW;
}

/* One run with the leader's file of these accounts; the reason of its reading. */
static enum ksa_reason run(struct workdir *workdir, int64_t listed, const char *accounts,
                           bool force, bool *ret_written)
{
        struct ksa_sync sync;
        struct ksa_error error = {0};
        char text[1024];

        const int length = snprintf(text, sizeof(text), FILE_OF, (long long)listed, accounts);

        assert_between(length, 1, sizeof(text) - 1);
        workdir_write(workdir, "leader.json", text);
        assert_int_equal(ksa_sync_begin(config, &workdir->env, &no_files, false,
                                        KSA_SYNC_START_FIRST, &sync, &error),
                         KSA_OK);
        enum ksa_reason reason = ksa_sync_read(&sync, 0, 1000, force, &error);
        assert_int_equal(ksa_sync_plan(&sync, KSA_ACTION_NONE, NULL, &error), KSA_OK);
        assert_int_equal(ksa_sync_write(&sync, ret_written, &error), KSA_OK);
        ksa_sync_end(&sync);
        return reason;
}

/* Nothing changed except the time of the listing: each run would write a file otherwise. */
static void test_a_listing_is_written_when_it_is_an_hour_newer(void **state)
{
        static const struct {
                int64_t listed;
                bool written;
        } rows[] = {
                {NOW, true},
                {NOW, false},
                {NOW + KSA_LISTED_EVERY - 1, false},
                {NOW + KSA_LISTED_EVERY, true},
                {NOW + 2 * KSA_LISTED_EVERY - 1, false},
                {NOW + 2 * KSA_LISTED_EVERY, true},
        };
        bool written;

        arrange(*state);
        ((struct workdir *)*state)->env.now = NOW + 2 * KSA_LISTED_EVERY;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                assert_int_equal(run(*state, rows[i].listed, TWO, false, &written), KSA_OK);
                if (written != rows[i].written)
                        fail_msg("row %zu", i);
        }
        ksa_config_free(&config);
}

static void test_an_empty_list_is_applied_by_force_alone(void **state)
{
        bool written;

        arrange(*state);
        assert_int_equal(run(*state, NOW, TWO, false, &written), KSA_OK);
        assert_int_equal(run(*state, NOW, "", false, &written), KSA_API_BROKEN);
        assert_false(written);
        assert_int_equal(run(*state, NOW, "", true, &written), KSA_OK);
        assert_true(written);
        assert_int_equal(run(*state, NOW, ACCOUNT("a", "1900000001"), false, &written), KSA_OK);
        assert_int_equal(run(*state, NOW, "", false, &written), KSA_OK); /* the last one may go */
        assert_true(written);
        ksa_config_free(&config);
}

static void test_an_invalid_file_changes_nothing(void **state)
{
        bool written;

        arrange(*state);
        assert_int_equal(run(*state, NOW, TWO, false, &written), KSA_OK);
        assert_int_equal(run(*state, NOW, "1", true, &written), KSA_CONFIG_INVALID);
        assert_false(written);
        ksa_config_free(&config);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, workdir_setup, workdir_teardown)
        const struct CMUnitTest tests[] = {
                TEST(test_a_listing_is_written_when_it_is_an_hour_newer),
                TEST(test_an_empty_list_is_applied_by_force_alone),
                TEST(test_an_invalid_file_changes_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
