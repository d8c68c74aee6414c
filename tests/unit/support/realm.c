/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/realm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/registry/registry_write.h"

static const char *all_namespaces[] = {"*"};

#define ALL .name = "prod", .namespaces = {all_namespaces, 1}
const struct ksa_accounts listing = {ALL};
const struct ksa_accounts listing_accept = {ALL, .recreated = true};
const struct ksa_accounts following = {ALL, .source = "file:/leader"};

void realm_open(struct realm *realm)
{
        memset(realm, 0, sizeof(*realm));
        realm->config.host.uid_range = (struct ksa_uid_range){1879048192, 2147483647};
        realm->now = 1800000000;
        realm->files = (struct ksa_local_files){
                .passwd = "/nonexistent/passwd",
                .group = "/nonexistent/group",
                .subuid = "/nonexistent/subuid",
                .subgid = "/nonexistent/subgid",
        };
}

void realm_has_files(struct realm *realm, const char *folder)
{
        static const char *const names[] = {"passwd", "group", "subuid"};

        for (size_t i = 0; i < KSA_COUNT(names); i++)
                (void)snprintf(realm->paths[i], sizeof(realm->paths[i]), "%s/%s", folder, names[i]);
        realm->files.passwd = realm->paths[0];
        realm->files.group = realm->paths[1];
        realm->files.subuid = realm->paths[2];
}

void realm_close(struct realm *realm)
{
        realm_forget(realm);
        ksa_local_free(&realm->local);
        for (size_t i = 0; i < realm->written.count; i++)
                free(((unsigned char **)realm->written.items)[i]);
        free(realm->written.items);
}

void realm_forget(struct realm *realm)
{
        ksa_plan_free(&realm->plan);
        ksa_desired_clear(&realm->desired);
}

static const char *keep(struct realm *realm, const char *prefix, const char *text)
{
        char whole[600];

        (void)snprintf(whole, sizeof(whole), "%s%s", prefix, text);
        const char *kept = ksa_desired_keep(&realm->desired, whole);
        assert_non_null(kept);
        return kept;
}

static struct ksa_desired *add(struct realm *realm, const struct ksa_desired *item)
{
        assert_true(ksa_desired_add(&realm->desired, item));
        return &realm->desired.items[realm->desired.count - 1];
}

struct ksa_desired *realm_lists(struct realm *realm, const char *namespace, const char *account,
                                int64_t created)
{
        return add(realm, &(struct ksa_desired){.cluster = "prod",
                                                .namespace = keep(realm, "", namespace),
                                                .account = keep(realm, "", account),
                                                .account_uid = keep(realm, "uid-", account),
                                                .created = created,
                                                .name = "",
                                                .source = &listing});
}

struct ksa_desired *realm_declares(struct realm *realm, struct ksa_account *section,
                                   const char *name, const char *namespace, const char *account)
{
        section->name = name;
        return add(realm, &(struct ksa_desired){.cluster = "prod",
                                                .namespace = namespace,
                                                .account = account,
                                                .account_uid = keep(realm, "uid-", account),
                                                .name = name,
                                                .uid = (uint32_t)section->uid,
                                                .section = section});
}

void realm_keeps(struct realm *realm)
{
        realm_forget(realm);
        assert_int_equal(
                ksa_desired_known(&listing, "prod", &realm->registry, &realm->desired, NULL),
                KSA_OK);
}

enum ksa_reason realm_plan(struct realm *realm, enum ksa_plan_wish wish, const char *user)
{
        ksa_plan_free(&realm->plan);
        ksa_local_free(&realm->local);
        memset(&realm->err, 0, sizeof(realm->err));
        assert_int_equal(ksa_local_read(&realm->files, &realm->local, &realm->err), KSA_OK);
        const struct ksa_plan_input input = {
                .before = &realm->registry,
                .desired = &realm->desired,
                .local = realm->local,
                .config = &realm->config,
                .now = realm->now,
                .wish = wish,
                .user = user,
        };
        return ksa_plan_make(&input, &realm->plan, &realm->err);
}

/* No uid is two accounts', no name two users', and no group's number an account's. */
static void check_invariants(const struct ksa_plan *plan)
{
        for (size_t i = 0; i < plan->account_count; i++) {
                const struct ksa_account_record *one = &plan->accounts[i];

                for (size_t n = 0; plan->account_count <= 300 && n < i; n++) {
                        const struct ksa_account_record *other = &plan->accounts[n];
                        bool same = strcmp(one->account, other->account) == 0 &&
                                    strcmp(one->namespace, other->namespace) == 0 &&
                                    strcmp(one->cluster, other->cluster) == 0;
                        bool live = one->state != KSA_ACCOUNT_REMOVED &&
                                    other->state != KSA_ACCOUNT_REMOVED;

                        assert_false(one->uid == other->uid && !same);
                        assert_false(!same && strcmp(one->name, other->name) == 0);
                        assert_false(live && same);
                }
                for (size_t n = 0; plan->account_count <= 300 && n < plan->group_count; n++)
                        assert_int_not_equal(plan->groups[n].gid, one->uid);
                if (one->state != KSA_ACCOUNT_ACTIVE)
                        assert_int_equal(one->group_count, 0);
                assert_true(ksa_uid_is_usable(one->uid));
        }
}

/* What the plan was made from stays until the end: its changes are what tests look at. */
static void write_plan(struct realm *realm)
{
        const struct ksa_registry_content content = {
                .accounts = realm->plan->accounts,
                .account_count = realm->plan->account_count,
                .groups = realm->plan->groups,
                .group_count = realm->plan->group_count,
        };
        unsigned char *bytes = NULL;
        size_t size = 0;
        const char *why = "";

        check_invariants(realm->plan);
        if (ksa_registry_build(&content, realm->now, &bytes, &size, &realm->err) != KSA_OK)
                fail_msg("%s", realm->err.text);
        unsigned char **place = ksa_list_next(&realm->written, sizeof(*place));
        assert_non_null(place);
        *place = bytes;
        realm->written.count++;
        assert_int_equal(ksa_registry_read(bytes, size, &realm->registry, &why),
                         KSA_REGISTRY_FOUND);
        assert_true(ksa_registry_is_whole(&realm->registry, &why));
}

/* The same sources once more: nothing is to be done, whatever was refused. */
static void check_again(struct realm *realm)
{
        struct ksa_plan *plan = realm->plan;

        realm->plan = NULL;
        if (realm_plan(realm, KSA_WISH_NONE, NULL) != KSA_OK)
                fail_msg("%s", realm->err.text);
        for (size_t i = 0; i < realm->plan->change_count; i++) {
                const struct ksa_plan_change *told = &realm->plan->changes[i];

                if (ksa_change_is_new(told->change))
                        fail_msg("again: %s %s: %s", ksa_change_word(told->change),
                                 told->record->name, told->why);
        }
        assert_false(realm->plan->differs);
        ksa_plan_free(&realm->plan);
        realm->plan = plan;
}

void realm_wish(struct realm *realm, enum ksa_plan_wish wish, const char *user)
{
        bool told = false;

        if (realm_plan(realm, wish, user) != KSA_OK)
                fail_msg("%s", realm->err.text);
        for (size_t i = 0; i < realm->plan->change_count; i++)
                told = told || ksa_change_is_new(realm->plan->changes[i].change);
        assert_true(realm->plan->differs || !told);
        write_plan(realm);
        check_again(realm);
        realm->now += 300;
}

void realm_sync(struct realm *realm)
{
        realm_wish(realm, KSA_WISH_NONE, NULL);
}

struct ksa_account_record realm_record(const struct realm *realm, const char *namespace,
                                       const char *account)
{
        struct ksa_account_record record = {0};

        if (ksa_registry_by_account(&realm->registry, "prod", namespace, account, &record) !=
            KSA_REGISTRY_FOUND)
                return (struct ksa_account_record){0};
        return record;
}

const struct ksa_plan_change *realm_change(const struct realm *realm, enum ksa_change change,
                                           const char *account)
{
        for (size_t i = 0; i < realm->plan->change_count; i++) {
                const struct ksa_plan_change *told = &realm->plan->changes[i];

                if (told->change == change && strcmp(told->record->account, account) == 0)
                        return told;
        }
        return NULL;
}
