/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account_change.h"
#include "exchange.h"
#include "json.h"
#include "text.h"

#define FORMAT         "ksa-accounts"
#define FORMAT_VERSION 1
#define VERSION_MAX    128

/* --- Writing ---------------------------------------------------------------- */

static json_t *text_or_null(const char *text)
{
        return *text != '\0' ? json_string(text) : json_null();
}

static json_t *write_account(const struct ksa_account_record *record)
{
        /*
         * Of an account that was made again the one that the cluster has now: a host that imports it
         * refuses that one, accepted there or not, and tells its uid. The record's time is that one's
         * too. The uid before it would say that the cluster still has what is gone.
         */
        const char *uid =
                *record->new_account_uid != '\0' ? record->new_account_uid : record->account_uid;

        return json_pack("{s:s, s:s, s:s, s:I, s:s, s:o, s:o}", "namespace", record->namespace,
                         "account", record->account, "uid", uid, "created",
                         (json_int_t)record->created, "state",
                         ksa_account_state_word(record->state), "user",
                         text_or_null(record->wanted_name), "user_uid",
                         record->wanted_uid != 0 ? json_integer(record->wanted_uid) : json_null());
}

/* Who is held is not: the cluster has it no more, and each host holds what is too much for itself. */
static bool is_exported(const struct ksa_account_record *record, const char *cluster)
{
        return record->state != KSA_ACCOUNT_REMOVED &&
               (record->flags & (KSA_ACCOUNT_DECLARED | KSA_ACCOUNT_HELD)) == 0 &&
               *record->account_uid != '\0' && strcmp(record->cluster, cluster) == 0;
}

/* NULL where anything is wrong. */
static json_t *write_accounts(const struct ksa_registry *registry, const char *cluster)
{
        json_t *accounts = json_array();
        struct ksa_account_record record;
        size_t position = 0;
        enum ksa_registry_answer answer;

        while ((answer = ksa_registry_next(registry, &position, &record)) == KSA_REGISTRY_FOUND) {
                if (is_exported(&record, cluster) &&
                    json_array_append_new(accounts, write_account(&record)) != 0)
                        answer = KSA_REGISTRY_BROKEN;
                if (answer == KSA_REGISTRY_BROKEN)
                        break;
        }
        if (answer == KSA_REGISTRY_NOT_FOUND)
                return accounts;
        json_decref(accounts);
        return NULL;
}

json_t *ksa_account_file_write(const struct ksa_registry *registry, const char *cluster)
{
        json_t *clusters = json_array();
        struct ksa_source_record source;
        size_t position = 0;
        enum ksa_registry_answer answer;
        bool written = clusters != NULL;

        while (written && (answer = ksa_registry_next_source(registry, &position, &source)) !=
                                  KSA_REGISTRY_NOT_FOUND) {
                written = answer == KSA_REGISTRY_FOUND;
                if (!written || (cluster != NULL && strcmp(cluster, source.cluster) != 0))
                        continue;
                json_t *accounts = write_accounts(registry, source.cluster);
                written = accounts != NULL &&
                          json_array_append_new(
                                  clusters,
                                  json_pack("{s:s, s:s, s:I, s:o}", "cluster", source.cluster,
                                            "resource_version", source.version, "listed",
                                            (json_int_t)source.listed, "accounts", accounts)) == 0;
        }
        if (written)
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

/*
 * Why an account of that state gets no user here, "" for an active one; NULL where WORD is no state that
 * is exported. What was decided against an account goes with the file; for one, each host decides itself.
 */
static const char *judge_state(const char *word)
{
        static const char *const refusals[KSA_ACCOUNT_STATE_COUNT] = {
                [KSA_ACCOUNT_ACTIVE] = "",
                [KSA_ACCOUNT_RETIRED] = "it is retired on the host that exported it, where ksactl "
                                        "accounts accept takes it back",
                [KSA_ACCOUNT_RECREATED] =
                        "it was deleted and made again, and is not accepted on the host "
                        "that exported it, where ksactl accounts accept decides",
                [KSA_ACCOUNT_CONTESTED] =
                        "it is contested on the host that exported it, where ksactl "
                        "accounts show tells what to decide",
        };

        for (size_t i = KSA_ACCOUNT_ACTIVE; i < KSA_ACCOUNT_STATE_COUNT; i++) {
                if (strcmp(word, ksa_account_state_word((enum ksa_account_state)i)) == 0)
                        return refusals[i];
        }
        return NULL;
}

static enum ksa_reason read_account(json_t *account, const struct ksa_account_origin *origin,
                                    struct ksa_wanted_list *list, struct ksa_error *err)
{
        struct ksa_account_said said = {.account = NULL};
        json_t *user = NULL, *user_uid = NULL;
        json_int_t created;
        const char *state;
        const size_t before = list->count;
        char number[24];

        if (json_unpack_ex(account, NULL, JSON_STRICT, "{s:s, s:s, s:s, s:I, s:s, s:o, s:o}",
                           "namespace", &said.namespace, "account", &said.account, "uid", &said.uid,
                           "created", &created, "state", &state, "user", &user, "user_uid",
                           &user_uid) != 0)
                return ksa_fail(err, KSA_CONFIG_INVALID,
                                "an account is no object of namespace, account, uid, created, "
                                "state, user and user_uid");
        const char *refusal = judge_state(state);
        if (refusal == NULL)
                return ksa_fail(err, KSA_CONFIG_INVALID,
                                "state of an account is none of active, retired, recreated and "
                                "contested");
        if (!is_moment(created) || (!json_is_string(user) && !json_is_null(user)) ||
            (!json_is_integer(user_uid) && !json_is_null(user_uid)))
                return ksa_fail(err, KSA_CONFIG_INVALID,
                                "created, user or user_uid of an account is none");
        said.created = (int64_t)created;
        said.user = json_string_value(user);
        (void)snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(user_uid));
        if (json_is_integer(user_uid))
                said.user_uid = number;
        enum ksa_reason reason = ksa_account_item_add(origin, &said, list, err);
        if (list->count > before && *refusal != '\0') {
                struct ksa_wanted *item = &list->items[before];

                item->fault = refusal;
                item->name = ""; /* whoever has a fault asks for nothing */
                item->uid = 0;
        }
        return reason;
}

/* Where the section of CLUSTER stands; the number of all where there is none. */
static size_t find_source(const struct ksa_config *config, const char *cluster)
{
        size_t i = 0;

        while (i < config->counts[KSA_SECTION_ACCOUNTS] &&
               strcmp(config->account_sources[i].name, cluster) != 0)
                i++;
        return i;
}

/* The accounts of one cluster. What no section speaks of is judged alike, and covered by nothing. */
static enum ksa_reason read_cluster(json_t *cluster, const struct ksa_config *config,
                                    struct ksa_wanted_list *list, struct ksa_source_record *sources,
                                    struct ksa_error *err)
{
        const char *name, *version;
        json_int_t listed;
        json_t *accounts;

        if (json_unpack_ex(cluster, NULL, JSON_STRICT, "{s:s, s:s, s:I, s:o}", "cluster", &name,
                           "resource_version", &version, "listed", &listed, "accounts",
                           &accounts) != 0 ||
            !json_is_array(accounts))
                return ksa_fail(err, KSA_CONFIG_INVALID,
                                "a cluster is no object of cluster, resource_version, listed and "
                                "accounts");
        if (!is_moment(listed) || (*version != '\0' && !ksa_is_graphic(version)) ||
            strlen(version) > VERSION_MAX)
                return ksa_fail(err, KSA_CONFIG_INVALID,
                                "resource_version or listed of a cluster is none");
        const size_t position = find_source(config, name), first = list->count;
        const bool known = position < config->counts[KSA_SECTION_ACCOUNTS];
        const struct ksa_accounts nothing = {.name = name};
        const struct ksa_account_origin origin = {
                .source = known ? &config->account_sources[position] : &nothing,
                .rank = (unsigned)position + 1,
                .range = config->host.uid_range};
        enum ksa_reason reason = KSA_OK;
        for (size_t i = 0; reason == KSA_OK && i < json_array_size(accounts); i++)
                reason = read_account(json_array_get(accounts, i), &origin, list, err);
        if (reason == KSA_OK)
                reason = ksa_account_items_judge(list, first, err);
        if (reason == KSA_OK && known) {
                version = ksa_wanted_keep(list, version);
                if (version == NULL)
                        return ksa_fail(err, KSA_MEMORY, "out of memory");
                sources[position] =
                        (struct ksa_source_record){origin.source->name, version, listed};
        }
        return reason;
}

/* No cluster stands there twice. */
static bool is_again(const json_t *clusters, size_t position)
{
        const char *name = ksa_json_text(json_array_get(clusters, position), "cluster");

        for (size_t i = 0; name != NULL && i < position; i++) {
                const char *other = ksa_json_text(json_array_get(clusters, i), "cluster");

                if (other != NULL && strcmp(name, other) == 0)
                        return true;
        }
        return false;
}

static enum ksa_reason read_file(json_t *file, const struct ksa_config *config,
                                 struct ksa_wanted_list *list, struct ksa_source_record *sources,
                                 struct ksa_error *err)
{
        const char *format;
        json_int_t version;
        json_t *clusters;
        enum ksa_reason reason = KSA_OK;

        if (json_unpack_ex(file, NULL, JSON_STRICT, "{s:s, s:I, s:o}", "format", &format, "version",
                           &version, "clusters", &clusters) != 0 ||
            strcmp(format, FORMAT) != 0 || !json_is_array(clusters))
                return ksa_fail(err, KSA_CONFIG_INVALID,
                                "it is no object of format \"" FORMAT "\", version and clusters");
        if (version != FORMAT_VERSION)
                return ksa_fail(err, KSA_CONFIG_INVALID,
                                "it is of version %lld, and this ksactl reads %d",
                                (long long)version, FORMAT_VERSION);
        /* Each is compared with those before it. */
        if (json_array_size(clusters) > 4096)
                return ksa_fail(err, KSA_CONFIG_INVALID, "it has more than 4096 clusters");
        for (size_t i = 0; reason == KSA_OK && i < json_array_size(clusters); i++)
                reason = is_again(clusters, i)
                                 ? ksa_fail(err, KSA_CONFIG_INVALID, "it has a cluster twice")
                                 : read_cluster(json_array_get(clusters, i), config, list, sources,
                                                err);
        return reason;
}

enum ksa_reason ksa_account_file_read(const char *bytes, size_t length,
                                      const struct ksa_config *config, struct ksa_wanted_list *list,
                                      struct ksa_source_record *ret_sources, struct ksa_error *err)
{
        KSA_CLEANUP(ksa_json_free) json_t *file = NULL;
        struct ksa_error inner = {0};
        const size_t count = config->counts[KSA_SECTION_ACCOUNTS], before = list->count;
        struct ksa_source_record *sources = calloc(count + 1, sizeof(*sources));

        if (sources == NULL)
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        enum ksa_reason reason =
                length <= KSA_ACCOUNT_FILE_MAX
                        ? ksa_json_load_document(bytes, length, &file, &inner)
                        : ksa_fail(&inner, KSA_CONFIG_INVALID, "it has more than %zu MiB",
                                   KSA_ACCOUNT_FILE_MAX / 1024 / 1024);
        if (reason == KSA_OK)
                reason = read_file(file, config, list, sources, &inner);
        if (reason == KSA_OK) {
                memcpy(ret_sources, sources, count * sizeof(*sources));
        } else {
                list->count = before;
                reason = ksa_fail(err, reason == KSA_MEMORY ? reason : KSA_CONFIG_INVALID,
                                  "no file of accounts: %s", inner.text);
        }
        free(sources);
        return reason;
}
