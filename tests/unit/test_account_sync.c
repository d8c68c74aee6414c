/* SPDX-License-Identifier: GPL-2.0-or-later */
/* account_sync.c: which files are taken, and when the registry is written. With clusters: test_ksactl_accounts.py. */
#include "account_sync.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

#define NOW    1795464000
#define PROD   "[host]\naudience = ssh://build-7\n[cluster prod]\nissuer = https://c\n"
#define LISTED "[accounts prod]\nnamespaces = ci\n"
#define FILED  PROD "keys = file:/etc/ksa/prod.jwks\n" LISTED
#define ASKED  PROD "keys = api\napi_server = https://127.0.0.1:6443\n" LISTED
#define CLUSTER                                                                           \
        "{\"cluster\":\"prod\",\"resource_version\":\"\",\"listed\":%lld,\"accounts\":[{" \
        "\"namespace\":\"ci\",\"account\":\"deployer\",\"uid\":\"u-1\",\"created\":17,"   \
        "\"state\":\"active\",\"user\":null,\"user_uid\":null}]}"
#define FILE_OF "{\"format\":\"ksa-accounts\",\"version\":1,\"clusters\":[" CLUSTER "]}"

static const struct ksa_local_files no_files = {
        .passwd = "/nowhere/passwd",
        .group = "/nowhere/group",
        .subuid = "/nowhere/subuid",
        .subgid = "/nowhere/subgid",
        .sudoers = "/nowhere/sudoers",
        .sudoers_folder = "/nowhere/sudoers.d",
};

static char registry_file[128];
static struct ksa_config *config;

static void arrange(struct place *place, const char *text)
{
        struct ksa_error error = {0};

        if (place_load(place, text, &config, &error) != KSA_OK)
                fail_msg("%s", error.text);
        (void)snprintf(registry_file, sizeof(registry_file), "%s/registry", place->folder);
        place->env.registry_file = registry_file;
        place->env.now = NOW;
}

/* What comes of a file whose cluster was listed at that time. WRITTEN is NULL where it is not to be taken. */
static enum ksa_reason import(struct place *place, int64_t listed, bool force, bool *written,
                              const char **remedy)
{
        struct ksa_sync sync;
        struct ksa_error error = {0};
        bool imported = false;
        char text[512];
        const int length = snprintf(text, sizeof(text), FILE_OF, (long long)listed);

        assert_between(length, 1, sizeof(text) - 1);
        assert_int_equal(ksa_sync_begin(config, &place->env, &no_files, false, KSA_SYNC_START_FIRST,
                                        &sync, &error),
                         KSA_OK);
        enum ksa_reason reason =
                ksa_sync_import(&sync, text, (size_t)length, force, &imported, remedy, &error);
        assert_int_equal(reason == KSA_OK, imported);
        assert_int_equal(reason == KSA_OK, *remedy == NULL);
        if (reason == KSA_OK && written != NULL) {
                assert_int_equal(ksa_sync_plan(&sync, false, KSA_WISH_NONE, NULL, &error), KSA_OK);
                assert_int_equal(ksa_sync_write(&sync, written, &error), KSA_OK);
        }
        ksa_sync_end(&sync);
        return reason;
}

/* A clock that is an hour fast is one of a time zone; what is beyond would be newer than the next hour's files. */
static void test_a_file_of_the_future_is_refused(void **state)
{
        struct place *place = *state;
        const char *remedy;

        arrange(place, FILED);
        assert_int_equal(import(place, NOW + KSA_LISTED_EVERY, false, NULL, &remedy), KSA_OK);
        for (int force = 0; force < 2; force++) {
                assert_int_equal(
                        import(place, NOW + KSA_LISTED_EVERY + 1, force != 0, NULL, &remedy),
                        KSA_CONFIG_INVALID);
                assert_non_null(strstr(remedy, "clock"));
        }
        ksa_config_free(&config);
}

static void test_an_older_file_is_refused(void **state)
{
        struct place *place = *state;
        const char *remedy;
        bool written;

        arrange(place, FILED);
        assert_int_equal(import(place, NOW - 10, false, &written, &remedy), KSA_OK);
        assert_int_equal(import(place, NOW - 10, false, NULL, &remedy), KSA_OK);
        assert_int_equal(import(place, NOW - 11, false, NULL, &remedy), KSA_CONFIG_INVALID);
        assert_non_null(strstr(remedy, "export it anew"));
        assert_int_equal(import(place, NOW - 11, true, &written, &remedy), KSA_OK);
        assert_true(written); /* so that the next one is compared with this */
        ksa_config_free(&config);
}

/* Bug: the remedy was to export such a file. */
static void test_a_cluster_that_is_asked_takes_no_file(void **state)
{
        struct place *place = *state;
        const char *remedy;

        arrange(place, ASKED);
        assert_int_equal(import(place, NOW, true, NULL, &remedy), KSA_CONFIG_INVALID);
        assert_non_null(strstr(remedy, "api_server"));
        assert_null(strstr(remedy, "export"));
        ksa_config_free(&config);
}

/* Nothing changed but the time of the listing: each run would write a file otherwise. */
static void test_a_listing_is_written_when_it_is_an_hour_newer(void **state)
{
        struct place *place = *state;
        const char *remedy;
        bool written;

        arrange(place, FILED);
        const struct {
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
        place->env.now = NOW + 2 * KSA_LISTED_EVERY;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                assert_int_equal(import(place, rows[i].listed, false, &written, &remedy), KSA_OK);
                if (written != rows[i].written)
                        fail_msg("row %zu", i);
        }
        ksa_config_free(&config);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, place_setup, place_teardown)
        const struct CMUnitTest tests[] = {
                TEST(test_a_file_of_the_future_is_refused),
                TEST(test_an_older_file_is_refused),
                TEST(test_a_cluster_that_is_asked_takes_no_file),
                TEST(test_a_listing_is_written_when_it_is_an_hour_newer),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
