/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/plan_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/registry/write.h"

static const char *all_namespaces[] = {"*"};

#define ALL .name = "prod", .namespaces = {all_namespaces, 1}
const struct ksa_accounts listing = {ALL};
const struct ksa_accounts listing_accept = {ALL, .recreated = true};
const struct ksa_accounts following = {ALL, .source = "file:/leader"};

void fixture_open(struct fixture *fixture)
{
        memset(fixture, 0, sizeof(*fixture));
        fixture->config.host.uid_range = (struct ksa_uid_range){1879048192, 2147483647};
        fixture->now = 1800000000;
        fixture->files = (struct ksa_local_files){
                .passwd = "/nonexistent/passwd",
                .group = "/nonexistent/group",
                .subuid = "/nonexistent/subuid",
                .subgid = "/nonexistent/subgid",
        };
}

void fixture_has_files(struct fixture *fixture, const char *directory)
{
        static const char *const names[] = {"passwd", "group", "subuid"};

        for (size_t i = 0; i < KSA_COUNT(names); i++)
                (void)snprintf(fixture->paths[i], sizeof(fixture->paths[i]), "%s/%s", directory,
                               names[i]);
        fixture->files.passwd = fixture->paths[0];
        fixture->files.group = fixture->paths[1];
        fixture->files.subuid = fixture->paths[2];
}

void fixture_close(struct fixture *fixture)
{
        fixture_forget(fixture);
        ksa_local_free(&fixture->local);
        for (size_t i = 0; i < fixture->written.count; i++)
                free(((unsigned char **)fixture->written.items)[i]);
        free(fixture->written.items);
}

void fixture_forget(struct fixture *fixture)
{
        ksa_plan_free(&fixture->plan);
        ksa_desired_clear(&fixture->desired);
}

static const char *keep(struct fixture *fixture, const char *prefix, const char *text)
{
        char whole[600];

        (void)snprintf(whole, sizeof(whole), "%s%s", prefix, text);
        const char *kept = ksa_desired_keep(&fixture->desired, whole);
        assert_non_null(kept);
        return kept;
}

static struct ksa_desired *add(struct fixture *fixture, const struct ksa_desired *item)
{
        assert_int_equal(ksa_desired_add(&fixture->desired, item, NULL), KSA_OK);
        return &fixture->desired.items[fixture->desired.count - 1];
}

struct ksa_desired *fixture_lists(struct fixture *fixture, const char *namespace,
                                  const char *account, int64_t created)
{
        return add(fixture, &(struct ksa_desired){.cluster = "prod",
                                                  .namespace = keep(fixture, "", namespace),
                                                  .account = keep(fixture, "", account),
                                                  .account_uid = keep(fixture, "uid-", account),
                                                  .created = created,
                                                  .name = "",
                                                  .source = &listing});
}

struct ksa_desired *fixture_declares(struct fixture *fixture, struct ksa_account *section,
                                     const char *name, const char *namespace, const char *account)
{
        section->name = name;
        return add(fixture, &(struct ksa_desired){.cluster = "prod",
                                                  .namespace = namespace,
                                                  .account = account,
                                                  .account_uid = keep(fixture, "uid-", account),
                                                  .name = name,
                                                  .uid = (uint32_t)section->uid,
                                                  .section = section});
}

void fixture_keeps(struct fixture *fixture)
{
        fixture_forget(fixture);
        assert_int_equal(
                ksa_desired_known(&listing, "prod", &fixture->registry, &fixture->desired, NULL),
                KSA_OK);
}

enum ksa_reason fixture_plan(struct fixture *fixture, enum ksa_plan_action action, const char *user)
{
        ksa_plan_free(&fixture->plan);
        ksa_local_free(&fixture->local);
        memset(&fixture->err, 0, sizeof(fixture->err));
        assert_int_equal(ksa_local_read(&fixture->files, &fixture->local, &fixture->err), KSA_OK);
        const struct ksa_plan_input input = {
                .before = &fixture->registry,
                .desired = &fixture->desired,
                .local = fixture->local,
                .config = &fixture->config,
                .now = fixture->now,
                .action = action,
                .user = user,
        };
        return ksa_plan_make(&input, &fixture->plan, &fixture->err);
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

/* The sources of the plan stay until the end: tests read its changes. */
static void write_registry(struct fixture *fixture, struct ksa_registry_content content)
{
        unsigned char *bytes = NULL;
        size_t size = 0;
        const char *why = "";

        content.groups = fixture->plan->groups;
        content.group_count = fixture->plan->group_count;
        if (ksa_registry_build(&content, fixture->now, &bytes, &size, &fixture->err) != KSA_OK)
                fail_msg("%s", fixture->err.text);
        unsigned char **workdir = ksa_list_next(&fixture->written, sizeof(*workdir));
        assert_non_null(workdir);
        *workdir = bytes;
        fixture->written.count++;
        assert_int_equal(ksa_registry_read(bytes, size, &fixture->registry, &why),
                         KSA_REGISTRY_FOUND);
        assert_true(ksa_registry_is_whole(&fixture->registry, &why));
}

void fixture_write(struct fixture *fixture, const struct ksa_account_record *accounts, size_t count)
{
        write_registry(fixture,
                       (struct ksa_registry_content){.accounts = accounts, .account_count = count});
}

/* The same sources once more: nothing is to be done, in spite of refusals. */
static void check_again(struct fixture *fixture)
{
        struct ksa_plan *plan = fixture->plan;

        fixture->plan = NULL;
        if (fixture_plan(fixture, KSA_ACTION_NONE, NULL) != KSA_OK)
                fail_msg("%s", fixture->err.text);
        for (size_t i = 0; i < fixture->plan->change_count; i++) {
                const struct ksa_plan_change *change = &fixture->plan->changes[i];

                if (ksa_change_is_new(change->change))
                        fail_msg("again: %s %s: %s", ksa_change_name(change->change),
                                 change->record->name, change->why);
        }
        assert_false(fixture->plan->differs);
        ksa_plan_free(&fixture->plan);
        fixture->plan = plan;
}

void fixture_apply(struct fixture *fixture, enum ksa_plan_action action, const char *user)
{
        bool told = false;

        if (fixture_plan(fixture, action, user) != KSA_OK)
                fail_msg("%s", fixture->err.text);
        for (size_t i = 0; i < fixture->plan->change_count; i++)
                told = told || ksa_change_is_new(fixture->plan->changes[i].change);
        assert_true(fixture->plan->differs || !told);
        check_invariants(fixture->plan);
        fixture_write(fixture, fixture->plan->accounts, fixture->plan->account_count);
        check_again(fixture);
        fixture->now += 300;
}

void fixture_sync(struct fixture *fixture)
{
        fixture_apply(fixture, KSA_ACTION_NONE, NULL);
}

struct ksa_account_record fixture_record(const struct fixture *fixture, const char *namespace,
                                         const char *account)
{
        struct ksa_account_record record = {0};

        if (ksa_registry_by_account(&fixture->registry, "prod", namespace, account, &record) !=
            KSA_REGISTRY_FOUND)
                return (struct ksa_account_record){0};
        return record;
}

const struct ksa_plan_change *fixture_change(const struct fixture *fixture, enum ksa_change change,
                                             const char *account)
{
        for (size_t i = 0; i < fixture->plan->change_count; i++) {
                const struct ksa_plan_change *told = &fixture->plan->changes[i];

                if (told->change == change && strcmp(told->record->account, account) == 0)
                        return told;
        }
        return NULL;
}
