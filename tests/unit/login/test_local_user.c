/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * local_user.c: the account of a user, by the registry and by getpwnam. The resulting decisions:
 * test_login_user.c.
 */
#include "login/local_user.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/base/file_write.h"
#include "support/registry_samples.h"
#include "support/support.h"

#define UID (SAMPLE_GID + 1)

static char path[128];

/* A registry with ci_deployer, and ci_gone, which was removed. */
static void write_registry(struct workdir *workdir, size_t cut)
{
        struct ksa_account_record records[] = {
                sample_account("ci_deployer", "deployer", UID),
                sample_account("ci_gone", "gone", UID + 1),
        };
        unsigned char *bytes;
        size_t size;

        records[1].state = KSA_ACCOUNT_REMOVED;
        records[1].group_count = 0;
        sample_build(records, KSA_COUNT(records), &bytes, &size);
        (void)snprintf(path, sizeof(path), "%s/registry", workdir->directory);
        assert_int_equal(ksa_file_replace(path, workdir->env.owner, 0644, bytes, size - cut, NULL),
                         KSA_OK);
        free(bytes);
        workdir->env.registry_file = path;
}

/*
 * USER as getpwnam has it (UID 0: not at all), for which account the registry has it (NULL for
 * none), and whether the registry still has it under that name.
 */
static const struct {
        const char *user;
        uid_t uid;
        const char *gecos, *account;
        enum ksa_reason there;
} looks[] = {
        {"ci_deployer", UID, "prod/ci/deployer", "prod:ci/deployer", KSA_OK},
        {"ci_deployer", UID, NULL, "prod:ci/deployer", KSA_OK},
        {"ci_deployer", 1500, "", NULL, KSA_OK}, /* local files win: another user of that name */
        {"ci_deployer", 0, NULL, NULL, KSA_OK},  /* NSS does not find it: a login is impossible */
        {"ci_gone", 0, NULL, "prod:ci/gone", KSA_ACCOUNT_UNKNOWN},
        {"ci_gone", UID + 1, "prod/ci/gone", "prod:ci/gone", KSA_ACCOUNT_UNKNOWN}, /* nscd has it */
        {"ci_gone", UID + 1, "Gone", NULL, KSA_OK}, /* useradd took the name and the uid */
        {"ci_gone", UID + 1, NULL, NULL, KSA_OK},
        /* A cache's answer with a uid that has another name now, or whose name has another uid. */
        {"ci_before", UID, "prod/ci/deployer", "prod:ci/deployer", KSA_USER_DIFFERS},
        {"ci_before", UID + 1, "prod/ci/gone", "prod:ci/gone", KSA_ACCOUNT_UNKNOWN},
        {"ci_deployer", UID + 1, "prod/ci/gone", "prod:ci/gone", KSA_ACCOUNT_UNKNOWN},
        {"alice", UID, "Alice", NULL, KSA_OK}, /* a person who was given the uid */
        {"alice", UID, "prod/ci/gone", NULL, KSA_OK},
        {"deploy-bot", 1500, "", NULL, KSA_OK},
        {"nobody-at-all", 0, NULL, NULL, KSA_OK},
        {"", 0, NULL, NULL, KSA_OK},
};

static void test_whose_user_it_is(void **state)
{
        struct workdir *workdir = *state;

        write_registry(workdir, 0);
        for (size_t i = 0; i < KSA_COUNT(looks); i++) {
                struct ksa_local_user local = {.exists = looks[i].uid != 0,
                                               .name = looks[i].user,
                                               .uid = looks[i].uid,
                                               .gecos = looks[i].gecos};
                struct ksa_error error = {0};
                struct ksa_managed_user own;

                memset(&own, 0xa5, sizeof(own));
                ksa_local_user_look_up(&workdir->env, looks[i].user, &local, &own);
                assert_null(own.broken);
                assert_ptr_equal(local.managed, &own);
                const char *account = ksa_local_user_account(&local);
                if ((account == NULL) != (looks[i].account == NULL) ||
                    (account != NULL && strcmp(account, looks[i].account) != 0))
                        fail_msg("row %zu: %s", i, account != NULL ? account : "none");
                enum ksa_reason there = ksa_local_user_is_there(&local, &error);
                if (there != looks[i].there || ksa_local_user_stands(&local, &error) != there)
                        fail_msg("row %zu: %s", i, ksa_reason_name(there));
                ksa_local_user_close(&own);
                assert_null(ksa_local_user_account(&local));
        }
}

static void test_no_registry(void **state)
{
        struct workdir *workdir = *state;
        struct ksa_local_user local = {.exists = true, .name = "ci_deployer", .uid = UID};
        struct ksa_managed_user own;

        ksa_local_user_look_up(&workdir->env, "ci_deployer", &local, &own);
        assert_false(own.found);
        assert_null(own.broken);
        workdir->env.registry_file = "/nowhere/registry";
        ksa_local_user_look_up(&workdir->env, "ci_deployer", &local, &own);
        assert_false(own.found);
        assert_null(own.broken);
        ksa_local_user_close(&own);
}

/* Whether a user with GECOS may log in without a token, while the registry cannot be read. */
static enum ksa_reason stands(const struct ksa_env *env, const char *gecos)
{
        struct ksa_local_user local = {
                .exists = true, .name = "ci_deployer", .uid = UID, .gecos = gecos};
        struct ksa_managed_user own;

        ksa_local_user_look_up(env, "ci_deployer", &local, &own);
        assert_false(own.found);
        assert_non_null(own.broken);
        enum ksa_reason reason = ksa_local_user_stands(&local, NULL);
        ksa_local_user_close(&own);
        return reason;
}

/* nscd goes on finding its users. */
static void assert_only_people_stand(const struct ksa_env *env)
{
        static const char *const people[] = {
                "",         "Deployer",     "Ci,Room 3/4,n/a",   "prod/ci", "IT/Berlin/Deployer",
                "prod/ci/", "/ci/deployer", "prod/ci/deployer/x"};

        assert_int_equal(stands(env, "prod/ci/deployer"), KSA_REGISTRY);
        assert_int_equal(stands(env, "prod.EU-1/ci/deployer.v2"), KSA_REGISTRY);
        assert_int_equal(stands(env, NULL), KSA_OK);
        for (size_t i = 0; i < KSA_COUNT(people); i++)
                assert_int_equal(stands(env, people[i]), KSA_OK);
}

static void test_damaged_registry(void **state)
{
        struct workdir *workdir = *state;

        write_registry(workdir, 8);
        assert_only_people_stand(&workdir->env);
}

/* The mark next to it says that there was one. */
static void test_lost_registry(void **state)
{
        struct workdir *workdir = *state;

        write_registry(workdir, 0);
        assert_int_equal(remove(path), 0);
        workdir_write(workdir, "registry.made", "");
        assert_only_people_stand(&workdir->env);
}

/* The remedy for another account of the same name: enable, or the section that declares it. */
static void test_a_declared_user_is_told_of_its_section(void **state)
{
        static const char *own_users[] = {"@own"};
        const struct ksa_rule rule = {.user = {own_users, 1}};
        const struct ksa_cluster cluster = {.name = "prod"};
        const struct ksa_token token = {
                .namespace = "ci", .account = "deployer", .account_uid = "new-uid"};
        struct ksa_managed_user own = {.found = true, .account = "prod:ci/deployer"};
        struct ksa_local_user local = {.exists = true, .name = "bot", .uid = UID, .managed = &own};
        struct ksa_error error;

        (void)state;
        own.record = sample_account("bot", "deployer", UID);
        own.record.account_uid = "old-uid";
        for (size_t i = 0; i < 2; i++) {
                const bool declared = i == 1;

                memset(&error, 0, sizeof(error));
                own.record.flags = declared ? KSA_ACCOUNT_DECLARED : 0;
                assert_int_equal(ksa_local_user_check(&local, &rule, &cluster, &token, &error),
                                 KSA_RECREATED);
                const char *section = "account_uid = new-uid in [account bot], then ksactl "
                                      "accounts sync";
                assert_int_equal(strstr(error.text, section) != NULL, declared);
                assert_non_null(strstr(error.text, "old-uid"));
                assert_non_null(strstr(error.text, "new-uid"));
        }
        /* Both have the reason's own remedy. */
        assert_non_null(strstr(ksa_reason_remedy(KSA_RECREATED), "ksactl accounts enable USER"));
        assert_non_null(strstr(ksa_reason_remedy(KSA_RECREATED), "account_uid"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, workdir_setup, workdir_teardown)
        const struct CMUnitTest tests[] = {
                TEST(test_whose_user_it_is),
                TEST(test_no_registry),
                TEST(test_damaged_registry),
                TEST(test_lost_registry),
                TEST(test_a_declared_user_is_told_of_its_section),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
