/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl accounts: the local users that ksa makes from service accounts. */
#include "accounts.h"

#include <stdio.h>
#include <string.h>

#include "admin/registry/mark.h"
#include "login/account_state.h"

struct ksa_local_files local_files(void)
{
        return (struct ksa_local_files){.passwd = "/etc/passwd",
                                        .group = "/etc/group",
                                        .subuid = "/etc/subuid",
                                        .subgid = "/etc/subgid",
                                        .uid_map = UID_MAP_FILE,
                                        .gid_map = GID_MAP_FILE,
                                        .ask_nss = true};
}

bool open_registry(const struct ksa_env *env, struct ksa_registry *ret_registry)
{
        const char *why = "";

        const enum ksa_registry_answer answer =
                ksa_registry_open(env->registry_file, env->owner, ret_registry, &why);

        if (answer == KSA_REGISTRY_NOT_FOUND && ksa_registry_is_marked(env)) {
                (void)fprintf(stderr, "ksactl: %s is missing\n    %s\n", env->registry_file,
                              LOST_REMEDY);
                return false;
        }
        if (answer != KSA_REGISTRY_BROKEN)
                return true;
        (void)fprintf(stderr, "ksactl: %s: %s\n    %s\n", env->registry_file, why, LOST_REMEDY);
        return false;
}

enum ksa_reason count_unmapped(const struct ksa_registry *registry, const char *cluster,
                               size_t *ret_count, char ret_mapped[KSA_ID_MAP_TEXT],
                               struct ksa_error *err)
{
        struct ksa_account_record record;
        struct ksa_id_maps ids;
        size_t position = 0, count = 0;
        enum ksa_reason reason = ksa_id_maps_read(UID_MAP_FILE, GID_MAP_FILE, &ids, err);

        if (reason != KSA_OK)
                return reason;
        while (ksa_registry_next(registry, &position, &record) == KSA_REGISTRY_FOUND) {
                count += record.state == KSA_ACCOUNT_ACTIVE &&
                         (cluster == NULL || strcmp(record.cluster, cluster) == 0) &&
                         !ksa_id_maps_have(&ids, record.uid);
        }
        (void)ksa_id_map_tell(&ids.uids, ret_mapped);
        *ret_count = count;
        return KSA_OK;
}

json_t *text_or_null(const char *text)
{
        return *text != '\0' ? json_string(text) : json_null();
}

json_t *show_account(const struct ksa_account_record *record)
{
        unsigned reasons = record->reasons;
        json_t *names = json_array();

        for (const char *name; (name = ksa_disabled_next(&reasons)) != NULL;)
                (void)json_array_append_new(names, json_string(name));
        return json_pack("{s:s, s:I, s:s, s:o, s:s, s:s, s:s, s:o, s:o, s:o, s:s, s:s, s:b, s:b}",
                         "user", record->name, "uid", (json_int_t)record->uid, "state",
                         ksa_account_state_name(record->state), "reasons", names, "cluster",
                         record->cluster, "namespace", record->namespace, "account",
                         record->account, "account_uid", text_or_null(record->account_uid),
                         "new_account_uid", text_or_null(record->new_account_uid), "created",
                         record->created != 0 ? json_integer(record->created) : json_null(), "home",
                         record->home, "shell", record->shell, "declared",
                         (record->flags & KSA_ACCOUNT_DECLARED) != 0, "former",
                         (record->flags & KSA_ACCOUNT_FORMER) != 0);
}
