/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/nss_registry.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NOW 1790000000

void accounts_put_bytes(const void *bytes, size_t size)
{
        int fd = open("registry.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, bytes, size), size);
        assert_int_equal(fchmod(fd, 0644), 0);
        assert_int_equal(close(fd), 0);
        assert_int_equal(rename("registry.new", "registry"), 0);
}

static void put(struct ksa_account_record *accounts, size_t count)
{
        const struct ksa_group_record group = {
                .name = "k8s-ci", .gid = GID_CI, .cluster = "prod", .namespace = "ci"};
        const struct ksa_registry_content content = {
                .accounts = accounts, .account_count = count, .groups = &group, .group_count = 1};
        struct ksa_error error = {0};
        unsigned char *bytes = NULL;
        size_t size = 0;

        if (ksa_registry_build(&content, NOW, &bytes, &size, &error) != KSA_OK)
                fail_msg("%s", error.text);
        accounts_put_bytes(bytes, size);
        free(bytes);
}

static struct ksa_account_record account(const char *name, const char *home)
{
        static const uint32_t groups[] = {GID_CI, 1500};

        return (struct ksa_account_record){.name = name,
                                           .state = KSA_ACCOUNT_ACTIVE,
                                           .home = home,
                                           .shell = "/bin/sh",
                                           .cluster = "prod",
                                           .namespace = "ci",
                                           .account = name + strcspn(name, "_") + 1,
                                           .account_uid = "",
                                           .new_account_uid = "",
                                           .groups = groups,
                                           .group_count = KSA_COUNT(groups)};
}

void accounts_put(const char *tag)
{
        static const char *const names[] = {"ci_active", "ci_gone", "ci_remade", "ci_retired",
                                            "ci_torn"};
        static const unsigned reasons[] = {0, 0, KSA_DISABLED_RECREATED, KSA_DISABLED_ADMINISTRATOR,
                                           KSA_DISABLED_CONFLICT};
        struct ksa_account_record accounts[KSA_COUNT(names)];
        char homes[KSA_COUNT(names)][64];

        for (size_t i = 0; i < KSA_COUNT(names); i++) {
                (void)snprintf(homes[i], sizeof(homes[i]), "/home/%s%s", names[i], tag);
                accounts[i] = account(names[i], homes[i]);
                accounts[i].state = i == 1            ? KSA_ACCOUNT_REMOVED
                                    : reasons[i] != 0 ? KSA_ACCOUNT_DISABLED
                                                      : KSA_ACCOUNT_ACTIVE;
                accounts[i].reasons = reasons[i];
                accounts[i].uid = UID_FIRST + (uint32_t)i;
                if (reasons[i] == KSA_DISABLED_RECREATED) {
                        accounts[i].account_uid = "7d9f3c70-0000-4000-8000-000000000001";
                        accounts[i].new_account_uid = "7d9f3c70-0000-4000-8000-000000000002";
                }
        }
        put(accounts, KSA_COUNT(accounts));
}

void accounts_put_many(void)
{
        struct ksa_account_record accounts[MANY_COUNT];
        char names[MANY_COUNT][16];

        for (uint32_t i = 0; i < MANY_COUNT; i++) {
                (void)snprintf(names[i], sizeof(names[i]), "many_%03u", i);
                accounts[i] = account(names[i], "/home/many");
                accounts[i].uid = UID_FIRST + i;
        }
        put(accounts, MANY_COUNT);
}

int accounts_setup(void **state)
{
        char *name = strdup("/tmp/ksa-accounts-XXXXXX");

        if (name == NULL || mkdtemp(name) == NULL || chdir(name) != 0)
                return -1;
        *state = name;
        return 0;
}

int accounts_teardown(void **state)
{
        (void)unlink("registry");
        (void)unlink("registry.new");
        int status = chdir("/") == 0 && rmdir(*state) == 0 ? 0 : -1;
        free(*state);
        return status;
}

void accounts_next_second(void)
{
        struct timespec begin, now;

        (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &begin);
        do {
                (void)sched_yield();
                (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
        } while (now.tv_sec == begin.tv_sec);
}
