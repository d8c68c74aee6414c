/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ksactl accounts: the local users that ksa makes from service accounts. */
#include "accounts.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "registry_mark.h"

struct ksa_local_files local_files(void)
{
        const bool root = geteuid() == 0;

        return (struct ksa_local_files){.passwd = "/etc/passwd",
                                        .group = "/etc/group",
                                        .subuid = "/etc/subuid",
                                        .subgid = "/etc/subgid",
                                        .uid_map = UID_MAP_FILE,
                                        .gid_map = GID_MAP_FILE,
                                        .sudoers = root ? "/etc/sudoers" : "/dev/null",
                                        .sudoers_folder = root ? "/etc/sudoers.d" : "/dev/null",
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
        (void)fprintf(stderr, "ksactl: %s: %s\n    ksactl accounts verify\n", env->registry_file,
                      why);
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

/* Whether a file brings the accounts of the cluster, and no run asks it. */
static bool is_imported(const struct ksa_config *config, const char *name)
{
        const struct ksa_cluster *cluster = ksa_config_cluster(config, name);

        for (size_t i = 0; i < config->counts[KSA_SECTION_ACCOUNTS]; i++) {
                if (strcmp(config->account_sources[i].name, name) == 0)
                        return cluster != NULL && cluster->api_server == NULL;
        }
        return false;
}

const struct hold *hold_of(const struct ksa_config *config, const struct ksa_account_record *record)
{
        static const struct hold gone = {"no source has it any more",
                                         "ksactl accounts sync --force removes it"};
        static const struct hold gone_from_file = {
                "no source has it any more", "ksactl accounts import FILE --force removes it"};
        static const struct hold moved = {
                "its computed uid is another one now",
                "uid_range as it was; ksactl accounts sync --force contests it"};

        if ((record->flags & KSA_ACCOUNT_HELD) != 0)
                return is_imported(config, record->cluster) ? &gone_from_file : &gone;
        return (record->flags & KSA_ACCOUNT_MOVED) != 0 ? &moved : NULL;
}

json_t *show_account(const struct ksa_config *config, const struct ksa_account_record *record)
{
        const struct hold *hold = hold_of(config, record);

        return json_pack("{s:s, s:I, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:s, s:s, s:b, s:b, s:o}",
                         "user", record->name, "uid", (json_int_t)record->uid, "state",
                         ksa_account_state_word(record->state), "cluster", record->cluster,
                         "namespace", record->namespace, "account", record->account, "account_uid",
                         text_or_null(record->account_uid), "new_account_uid",
                         text_or_null(record->new_account_uid), "created",
                         record->created != 0 ? json_integer(record->created) : json_null(), "home",
                         record->home, "shell", record->shell, "declared",
                         (record->flags & KSA_ACCOUNT_DECLARED) != 0, "settled",
                         (record->flags & KSA_ACCOUNT_SETTLED) != 0, "held",
                         hold == NULL ? json_null()
                                      : json_sprintf("%s; %s", hold->why, hold->remedy));
}

static const struct subcommand subcommands[] = {
        {"sync", accounts_sync},     {"list", accounts_list},     {"show", accounts_show},
        {"accept", accounts_accept}, {"retire", accounts_retire}, {"export", accounts_export},
        {"import", accounts_import}, {"verify", accounts_verify}, {"restore", accounts_restore}};

int command_accounts(const struct words *arguments)
{
        return run_subcommand("accounts", subcommands, KSA_COUNT(subcommands), arguments);
}
