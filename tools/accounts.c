/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ksactl accounts: the local users that ksa makes from service accounts. */
#include "accounts.h"

#include <stdio.h>
#include <unistd.h>

struct ksa_local_files local_files(void)
{
        const bool root = geteuid() == 0;

        return (struct ksa_local_files){.passwd = "/etc/passwd",
                                        .group = "/etc/group",
                                        .subuid = "/etc/subuid",
                                        .subgid = "/etc/subgid",
                                        .sudoers = root ? "/etc/sudoers" : "/dev/null",
                                        .sudoers_folder = root ? "/etc/sudoers.d" : "/dev/null",
                                        .ask_nss = true};
}

bool open_registry(const struct ksa_env *env, struct ksa_registry *ret_registry)
{
        const char *why = "";

        if (ksa_registry_open(env->registry_file, env->owner, ret_registry, &why) !=
            KSA_REGISTRY_BROKEN)
                return true;
        (void)fprintf(stderr, "ksactl: %s: %s\n    ksactl accounts verify\n", env->registry_file,
                      why);
        return false;
}

json_t *text_or_null(const char *text)
{
        return *text != '\0' ? json_string(text) : json_null();
}

json_t *show_account(const struct ksa_account_record *record)
{
        return json_pack("{s:s, s:I, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:s, s:s, s:b, s:b}",
                         "user", record->name, "uid", (json_int_t)record->uid, "state",
                         ksa_account_state_word(record->state), "cluster", record->cluster,
                         "namespace", record->namespace, "account", record->account, "account_uid",
                         text_or_null(record->account_uid), "new_account_uid",
                         text_or_null(record->new_account_uid), "created",
                         record->created != 0 ? json_integer(record->created) : json_null(), "home",
                         record->home, "shell", record->shell, "declared",
                         (record->flags & KSA_ACCOUNT_DECLARED) != 0, "settled",
                         (record->flags & KSA_ACCOUNT_SETTLED) != 0);
}

static const struct subcommand subcommands[] = {
        {"sync", accounts_sync},     {"list", accounts_list},     {"show", accounts_show},
        {"accept", accounts_accept}, {"retire", accounts_retire}, {"export", accounts_export},
        {"import", accounts_import}, {"verify", accounts_verify}};

int command_accounts(const struct words *arguments)
{
        return run_subcommand("accounts", subcommands, KSA_COUNT(subcommands), arguments);
}
