/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/accounts/source_file.h"

#include <string.h>

#include "admin/accounts/names.h"
#include "base/http_message.h"
#include "base/text.h"
#include "login/account_state.h"
#include "token/json.h"

/*
 * {"format": "ksa-accounts", "version": 2, "clusters": [{"cluster": "prod", "listed": 1795464267,
 *   "groups": [{"namespace": "ci", "group": "k8s-ci", "gid": 1900000000}],
 *   "accounts": [{"namespace": "ci", "account": "deployer", "account_uid": "…", "created": 1710000000,
 *                 "user": "ci_deployer", "uid": 1900000001, "state": "active", "reasons": []}]}]}
 *
 * `state` is active, disabled, removed, or "former" for a name or uid that the account had before.
 */
#define FORMAT         "ksa-accounts"
#define FORMAT_VERSION 2
#define FORMER         "former"

/* --- Writing ---------------------------------------------------------------- */

static json_t *write_account(const struct ksa_account_record *record)
{
        const bool former = (record->flags & KSA_ACCOUNT_FORMER) != 0;
        unsigned reasons = record->reasons;
        json_t *names = json_array();

        for (const char *name; (name = ksa_disabled_next(&reasons)) != NULL;)
                (void)json_array_append_new(names, json_string(name));
        return json_pack("{s:s, s:s, s:s, s:I, s:s, s:I, s:s, s:o}", "namespace", record->namespace,
                         "account", record->account, "account_uid", record->account_uid, "created",
                         (json_int_t)record->created, "user", record->name, "uid",
                         (json_int_t)record->uid, "state",
                         former ? FORMER : ksa_account_state_name(record->state), "reasons", names);
}

static json_t *write_group(const struct ksa_group_record *group)
{
        return json_pack("{s:s, s:s, s:I}", "namespace", group->namespace, "group", group->name,
                         "gid", (json_int_t)group->gid);
}

/* The object of CLUSTER, added to CLUSTERS if it is missing. Returns NULL if memory runs out. */
static json_t *get_cluster(json_t *clusters, const char *cluster, int64_t listed)
{
        for (size_t i = 0; i < json_array_size(clusters); i++) {
                json_t *one = json_array_get(clusters, i);

                if (strcmp(ksa_json_text(one, "cluster"), cluster) == 0)
                        return one;
        }
        json_t *added = json_pack("{s:s, s:I, s:[], s:[]}", "cluster", cluster, "listed",
                                  (json_int_t)listed, "groups", "accounts");
        return json_array_append_new(clusters, added) == 0 ? added : NULL;
}

/* Takes ITEM into the array MEMBER of the cluster. */
static bool add_item(json_t *clusters, const char *cluster, int64_t listed, const char *member,
                     json_t *item)
{
        json_t *array = json_object_get(get_cluster(clusters, cluster, listed), member);

        return json_array_append_new(array, item) == 0;
}

json_t *ksa_account_file_write(const struct ksa_registry *registry, const char *cluster)
{
        json_t *clusters = json_array();
        struct ksa_account_record record;
        struct ksa_group_record group;
        struct ksa_source_record source;
        enum ksa_registry_answer answer;
        size_t position = 0;
        bool good = true;

        while (good && (answer = ksa_registry_next_source(registry, &position, &source)) !=
                               KSA_REGISTRY_NOT_FOUND)
                good = answer == KSA_REGISTRY_FOUND &&
                       ((cluster != NULL && strcmp(cluster, source.cluster) != 0) ||
                        get_cluster(clusters, source.cluster, source.listed) != NULL);
        position = 0;
        while (good && (answer = ksa_registry_next_group(registry, &position, &group)) !=
                               KSA_REGISTRY_NOT_FOUND)
                good = answer == KSA_REGISTRY_FOUND &&
                       ((cluster != NULL && strcmp(cluster, group.cluster) != 0) ||
                        add_item(clusters, group.cluster, registry->made, "groups",
                                 write_group(&group)));
        position = 0;
        while (good &&
               (answer = ksa_registry_next(registry, &position, &record)) != KSA_REGISTRY_NOT_FOUND)
                good = answer == KSA_REGISTRY_FOUND &&
                       ((cluster != NULL && strcmp(cluster, record.cluster) != 0) ||
                        add_item(clusters, record.cluster, registry->made, "accounts",
                                 write_account(&record)));
        if (good)
                return json_pack("{s:s, s:i, s:o}", "format", FORMAT, "version", FORMAT_VERSION,
                                 "clusters", clusters);
        json_decref(clusters);
        return NULL;
}

/* --- Reading ---------------------------------------------------------------- */

static bool is_moment(json_int_t seconds)
{
        return seconds >= 0 && seconds <= KSA_SECONDS_MAX;
}

static bool is_number(json_int_t number)
{
        return number > 0 && number <= UINT32_MAX;
}

static enum ksa_leader_state read_state(const char *word, const json_t *reasons)
{
        for (size_t i = 0; i < json_array_size(reasons); i++) {
                const char *reason = json_string_value(json_array_get(reasons, i));

                if (reason == NULL || ksa_disabled_reason(reason) == 0)
                        return KSA_LEADER_NONE;
        }
        if (!json_is_array(reasons))
                return KSA_LEADER_NONE;
        if (strcmp(word, FORMER) == 0)
                return KSA_LEADER_FORMER;
        if (strcmp(word, "removed") == 0)
                return KSA_LEADER_REMOVED;
        if (strcmp(word, "disabled") == 0)
                return KSA_LEADER_USER;
        return strcmp(word, "active") == 0 && json_array_size(reasons) == 0 ? KSA_LEADER_USER
                                                                            : KSA_LEADER_NONE;
}

static enum ksa_reason read_account(json_t *account, const struct ksa_account_origin *origin,
                                    struct ksa_desired_list *list, struct ksa_error *err)
{
        struct ksa_desired said = {.account = NULL};
        json_int_t created, uid;
        json_t *reasons;
        const char *state;

        if (json_unpack_ex(account, NULL, JSON_STRICT, "{s:s, s:s, s:s, s:I, s:s, s:I, s:s, s:o}",
                           "namespace", &said.namespace, "account", &said.account, "account_uid",
                           &said.account_uid, "created", &created, "user", &said.name, "uid", &uid,
                           "state", &state, "reasons", &reasons) != 0)
                return ksa_fail(err, KSA_CONFIG_INVALID,
                                "an account is not an object of namespace, account, account_uid, "
                                "created, user, uid, state and reasons");
        said.leader = read_state(state, reasons);
        said.disabled = strcmp(state, "disabled") == 0 || json_array_size(reasons) > 0;
        if (!is_moment(created) || !is_number(uid) || said.leader == KSA_LEADER_NONE ||
            ksa_account_name_fault(said.name) != NULL)
                return ksa_fail(err, KSA_CONFIG_INVALID,
                                "an account has an invalid created, user, uid, state or reason");
        said.created = (int64_t)created;
        said.uid = (uint32_t)uid;
        return ksa_account_item_add(origin, &said, list, err);
}

static enum ksa_reason read_group(json_t *group, const struct ksa_accounts *source,
                                  struct ksa_desired_list *list, struct ksa_error *err)
{
        const char *namespace, *name;
        json_int_t gid;

        if (json_unpack_ex(group, NULL, JSON_STRICT, "{s:s, s:s, s:I}", "namespace", &namespace,
                           "group", &name, "gid", &gid) != 0 ||
            !ksa_is_dns_label(namespace) || ksa_account_name_fault(name) != NULL || !is_number(gid))
                return ksa_fail(err, KSA_CONFIG_INVALID,
                                "a group is not an object of namespace, group and gid");
        if (!ksa_source_covers(source, namespace))
                return KSA_OK;
        struct ksa_desired_group *place = ksa_list_next(&list->groups, sizeof(*place));
        const struct ksa_desired_group item = {source->name, ksa_desired_keep(list, namespace),
                                               ksa_desired_keep(list, name), (uint32_t)gid};
        if (place == NULL || list->texts.failed)
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        *place = item;
        list->groups.count++;
        return KSA_OK;
}

static enum ksa_reason read_cluster(json_t *cluster, const struct ksa_accounts *source,
                                    struct ksa_desired_list *list,
                                    struct ksa_source_record *ret_record, struct ksa_error *err)
{
        const struct ksa_account_origin origin = {.source = source};
        const size_t first = list->count;
        enum ksa_reason reason = KSA_OK;
        json_t *accounts, *groups;
        const char *name;
        json_int_t listed;

        if (json_unpack_ex(cluster, NULL, JSON_STRICT, "{s:s, s:I, s:o, s:o}", "cluster", &name,
                           "listed", &listed, "groups", &groups, "accounts", &accounts) != 0 ||
            !json_is_array(accounts) || !json_is_array(groups) || !is_moment(listed))
                return ksa_fail(err, KSA_CONFIG_INVALID,
                                "a cluster is not an object of cluster, listed, groups and "
                                "accounts");
        for (size_t i = 0; reason == KSA_OK && i < json_array_size(accounts); i++)
                reason = read_account(json_array_get(accounts, i), &origin, list, err);
        for (size_t i = 0; reason == KSA_OK && i < json_array_size(groups); i++)
                reason = read_group(json_array_get(groups, i), source, list, err);
        if (reason == KSA_OK)
                reason = ksa_account_items_check(list, first, err);
        if (reason == KSA_OK)
                *ret_record = (struct ksa_source_record){source->name, (int64_t)listed};
        return reason;
}

static enum ksa_reason read_file(json_t *file, const struct ksa_accounts *source,
                                 struct ksa_desired_list *list,
                                 struct ksa_source_record *ret_record, struct ksa_error *err)
{
        const char *format;
        json_int_t version;
        json_t *clusters, *found = NULL;

        if (json_unpack_ex(file, NULL, JSON_STRICT, "{s:s, s:I, s:o}", "format", &format, "version",
                           &version, "clusters", &clusters) != 0 ||
            strcmp(format, FORMAT) != 0 || !json_is_array(clusters))
                return ksa_fail(err, KSA_CONFIG_INVALID,
                                "it is not an object of format \"" FORMAT
                                "\", version and clusters");
        if (version != FORMAT_VERSION)
                return ksa_fail(err, KSA_CONFIG_INVALID,
                                "it has the version %lld, and this ksactl reads %d",
                                (long long)version, FORMAT_VERSION);
        for (size_t i = 0; i < json_array_size(clusters); i++) {
                json_t *cluster = json_array_get(clusters, i);
                const char *name = ksa_json_text(cluster, "cluster");

                if (name == NULL || strcmp(name, source->name) != 0)
                        continue;
                if (found != NULL)
                        return ksa_fail(err, KSA_CONFIG_INVALID, "it has the cluster twice");
                found = cluster;
        }
        if (found == NULL)
                return ksa_fail(err, KSA_CONFIG_INVALID, "it has no cluster \"%s\"", source->name);
        return read_cluster(found, source, list, ret_record, err);
}

enum ksa_reason ksa_account_file_read(const char *bytes, size_t length,
                                      const struct ksa_accounts *source,
                                      struct ksa_desired_list *list,
                                      struct ksa_source_record *ret_record, struct ksa_error *err)
{
        KSA_CLEANUP(ksa_json_free) json_t *file = NULL;
        struct ksa_error inner = {0};
        const size_t before = list->count, groups = list->groups.count;
        enum ksa_reason reason = ksa_json_load_document(bytes, length, &file, &inner);

        if (reason == KSA_OK)
                reason = read_file(file, source, list, ret_record, &inner);
        if (reason == KSA_OK)
                return KSA_OK;
        list->count = before;
        list->groups.count = groups;
        return ksa_fail(err, reason == KSA_MEMORY ? reason : KSA_CONFIG_INVALID,
                        "not a file of ksactl accounts export: %s", inner.text);
}
