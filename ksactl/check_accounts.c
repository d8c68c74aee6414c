/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl check: the local users that ksa creates. */
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "accounts.h"
#include "admin/accounts/names.h"
#include "admin/accounts/local_files.h"
#include "admin/accounts/local_users.h"
#include "base/text.h"
#include "check.h"

/* The first section that needs users that ksa creates; NULL if no section does. */
static const struct ksa_location *first_use(const struct ksa_config *config)
{
        if (config->counts[KSA_SECTION_ACCOUNT] > 0)
                return &config->accounts[0].location;
        if (config->counts[KSA_SECTION_ACCOUNTS] > 0)
                return &config->account_sources[0].location;
        for (size_t i = 0; i < config->counts[KSA_SECTION_RULE]; i++) {
                if (ksa_list_has(&config->rules[i].user, "@own"))
                        return &config->rules[i].location;
        }
        return NULL;
}

/* After a cluster was renamed, its accounts would not get the names and uids that they have here. */
static void check_clusters(struct report *report, const struct ksa_config *config,
                           const struct ksa_registry *registry)
{
        struct ksa_account_record record;
        const char *first = NULL;
        size_t position = 0, count = 0;

        while (ksa_registry_next(registry, &position, &record) == KSA_REGISTRY_FOUND) {
                if (record.state == KSA_ACCOUNT_REMOVED ||
                    ksa_config_cluster(config, record.cluster) != NULL)
                        continue;
                first = first == NULL ? record.cluster : first;
                count += strcmp(first, record.cluster) == 0;
        }
        if (first != NULL)
                report_at(
                        report, false, &config->host.location,
                        "if it was renamed: ksactl accounts rename-cluster OLD NEW; if not, ksactl "
                        "accounts sync removes its users",
                        "%zu users are of the cluster %s, which no section describes", count,
                        first);
}

/* --- The range of uids ------------------------------------------------------ */

/* Uids that systemd assigns by itself (systemd.io/UIDS-GIDS), so that two users could get one. */
static void check_range(struct report *report, const struct ksa_config *config)
{
        static const struct {
                uint32_t min, max;
                const char *what;
        } taken[] = {{61184, 65519, "systemd's dynamic users"},
                     {65534, 65535, "the overflow uid and the invalid uid"},
                     {524288, 1879048191, "systemd's containers"}};
        const struct ksa_uid_range *range = &config->host.uid_range;

        for (size_t i = 0; i < KSA_COUNT(taken); i++) {
                if (range->min <= taken[i].max && range->max >= taken[i].min)
                        report_option(report, false, &config->host, "uid_range", 0,
                                      "choose another range; the default range does not overlap",
                                      "uid_range %u-%u overlaps %u-%u, of %s", (unsigned)range->min,
                                      (unsigned)range->max, (unsigned)taken[i].min,
                                      (unsigned)taken[i].max, taken[i].what);
        }
}

/* In a user namespace a login with a uid or gid that is not mapped ends in setuid(). */
static void check_map(struct report *report, const struct ksa_config *config, const char *path,
                      const struct ksa_id_map *map)
{
        const struct ksa_uid_range *range = &config->host.uid_range;
        char mapped[KSA_ID_MAP_TEXT], remedy[128];

        if (ksa_id_map_has(map, range->min, range->max))
                return;
        (void)snprintf(remedy, sizeof(remedy), "set uid_range in [host] to uids within %s",
                       ksa_id_map_tell(map, mapped));
        report_option(report, false, &config->host, "uid_range", 0, remedy,
                      "uid_range %u-%u is not mapped in this user namespace (%s): accounts sync "
                      "assigns only mapped uids",
                      (unsigned)range->min, (unsigned)range->max, path);
}

/* Returns false if a map cannot be read. */
static bool check_maps(struct report *report, const struct ksa_config *config,
                       struct ksa_id_maps *ret_maps)
{
        struct ksa_error error = {0};

        if (ksa_id_maps_read(UID_MAP_FILE, GID_MAP_FILE, ret_maps, &error) != KSA_OK) {
                report_at(report, true, &config->host.location, remedy_of(&error), "%s line %u: %s",
                          error.file, error.line, error.text);
                return false;
        }
        check_map(report, config, UID_MAP_FILE, &ret_maps->uids);
        check_map(report, config, GID_MAP_FILE, &ret_maps->gids);
        return true;
}

/* The owner of a subordinate range would own files and processes of the accounts in it. */
static void check_subordinate(struct report *report, const struct ksa_config *config,
                              const char *path)
{
        const struct ksa_uid_range *range = &config->host.uid_range;
        struct ksa_local_table table = {.count = 0};
        struct ksa_error error = {0};
        char quoted[128];

        if (ksa_local_read_ranges(path, &table, &error) != KSA_OK)
                report_option(report, false, &config->host, "uid_range", 0,
                              "correct the file; otherwise accounts sync does nothing",
                              "%s line %u: %s", path, error.line, error.text);
        for (size_t i = 0; i < table.count; i++) {
                const struct ksa_local_entry *entry = &table.entries[i];

                if (entry->number > range->max || entry->end < range->min)
                        continue;
                report_option(report, false, &config->host, "uid_range", 0,
                              "choose another range, or move that user's subordinate ids",
                              "uid_range %u-%u overlaps %llu-%llu, which %s assigns to %s",
                              (unsigned)range->min, (unsigned)range->max,
                              (unsigned long long)entry->number, (unsigned long long)entry->end,
                              path, ksa_text_quote(entry->name, quoted, sizeof(quoted)));
                break;
        }
        ksa_local_clear(&table);
}

/* --- Sections --------------------------------------------------------------- */

/* sshd treats such a user as invalid, and does not ask for a token. */
static void check_shell(struct report *report, const struct ksa_location *location,
                        const char *section, const char *name, const char *shell)
{
        if (shell != NULL && access(shell, X_OK) != 0)
                report_at(report, false, location, "install the shell, or name another",
                          "[%s %s]: shell %s is missing or not executable; sshd will refuse these "
                          "users",
                          section, name, shell);
}

/* Users and groups of this host's files, whose names and numbers no account gets. */
static void read_local(struct report *report, const struct ksa_location *location,
                       struct ksa_local_table *local)
{
        struct ksa_error error = {0};

        if (ksa_local_read_users("/etc/passwd", local, &error) != KSA_OK ||
            ksa_local_read_groups("/etc/group", local, &error) != KSA_OK)
                report_at(report, false, location,
                          "correct the file; otherwise accounts sync does nothing", "%s: %s",
                          error.file, error.text);
        if (!ksa_local_arrange(local))
                ksa_local_clear(local);
}

/* Reports a HOLDER of WHAT of the account, its name or uid. HOLDER may be NULL. */
static void check_holder(struct report *report, const struct ksa_account *account, const char *what,
                         const struct ksa_local_entry *holder)
{
        char quoted[128];

        if (holder != NULL)
                report_option(report, false, account, what, 0,
                              "choose another, or remove the existing one from the host",
                              "[account %s] gets no user: its %s is that of %s \"%s\" of %s",
                              account->name, what, holder->kind,
                              ksa_text_quote(holder->name, quoted, sizeof(quoted)), holder->file);
}

/* accounts sync leaves out such groups. */
static void check_groups(struct report *report, const struct ksa_account *account)
{
        for (size_t i = 0; i < account->groups.count; i++) {
                const char *name = ksa_list_text(&account->groups, i);
                const struct group *group = getgrnam(name);

                if (!account->allow_powerful_groups &&
                    ksa_local_is_powerful(name, group != NULL ? group->gr_gid : 1000))
                        report_option(
                                report, false, account, "groups", i,
                                "remove it from groups, or write allow_powerful_groups = yes",
                                "[account %s]: members of group %s may become root, so accounts "
                                "sync leaves it out",
                                account->name, name);
                else if (group == NULL)
                        report_option(report, false, account, "groups", i,
                                      "create it (groupadd), or correct the name",
                                      "[account %s]: group %s does not exist", account->name, name);
        }
}

/* MAPS is NULL if they could not be read. */
static void check_account(struct report *report, const struct ksa_account *account,
                          const struct ksa_local_table *local, const struct ksa_id_maps *maps)
{
        const char *fault = ksa_account_name_fault(account->name);
        const uint32_t uid = (uint32_t)account->uid;

        if (fault != NULL)
                report_at(report, false, &account->location, "choose another name",
                          "[account %s] gets no user: %s", account->name, fault);
        else
                check_holder(report, account, "name", ksa_local_with_name(local, account->name));
        if (uid != 0 && !ksa_uid_is_usable(uid))
                report_option(report, false, account, "uid", 0,
                              "choose another uid; see uid in ksa.conf(5)",
                              "[account %s] gets no user: the uid %u is reserved for the kernel or "
                              "for systemd",
                              account->name, (unsigned)uid);
        else if (uid != 0 && maps != NULL && !ksa_id_maps_have(maps, uid))
                report_option(
                        report, false, account, "uid", 0, "choose a uid that is mapped",
                        "[account %s] gets no user: the uid %u is not mapped in this user namespace",
                        account->name, (unsigned)uid);
        else if (uid != 0)
                check_holder(report, account, "uid", ksa_local_with_number(local, uid));
        const struct ksa_location location = ksa_option_location(account, "shell", 0);
        check_shell(report, &location, "account", account->name, account->shell);
        check_groups(report, account);
}

static void check_source(struct report *report, const struct ksa_config *config,
                         const struct ksa_accounts *source)
{
        const struct ksa_cluster *cluster = ksa_config_cluster(config, source->name);
        char remedy[REMEDY_SIZE];

        const struct ksa_location location = ksa_option_location(source, "shell", 0);
        check_shell(report, &location, "accounts", source->name, source->shell);
        if (cluster == NULL)
                return; /* an error of the configuration, already reported */
        if (ksa_accounts_file(source) != NULL)
                return;
        if (cluster->api_server == NULL) {
                report_at(
                        report, false, &source->location,
                        "write api_server in its [cluster], or source = file:PATH with the export of "
                        "a leader",
                        "[accounts %s]: its cluster has no api_server to list its accounts",
                        source->name);
        } else if (cluster->credential_file == NULL && cluster->client_cert_file == NULL) {
                (void)snprintf(remedy, sizeof(remedy),
                               "add credential_file to [cluster %s], and pipe a token into ksactl "
                               "credential init %s",
                               source->name, source->name);
                report_at(report, false, &source->location, remedy,
                          "[accounts %s]: this host has no credential to list the accounts with",
                          source->name);
        }
}

void check_accounts(struct report *report, const struct ksa_config *config,
                    const struct ksa_env *env)
{
        const struct ksa_location *location = first_use(config);
        struct ksa_local_table local = {.count = 0};
        struct host_registry loaded;
        struct finding unmapped = {.level = WELL};
        struct ksa_id_maps maps;

        load_registry(env, &loaded);
        if (loaded.answer == KSA_REGISTRY_FOUND) {
                check_clusters(report, config, &loaded.registry);
                find_unmapped(&loaded.registry, NULL, &unmapped);
        }
        ksa_registry_close(&loaded.registry);
        if (location == NULL)
                return;
        for (unsigned i = 0; i < LOOKUP_DATABASES; i++) {
                struct finding lookups = {.level = WELL};

                find_lookups((enum lookup_database)i, &lookups);
                report_finding(report, false, location, &lookups);
        }
        report_finding(report, true, location, &loaded.file);
        report_finding(report, false, location, &unmapped);
        check_range(report, config);
        const bool has_maps = check_maps(report, config, &maps);
        check_subordinate(report, config, "/etc/subuid");
        check_subordinate(report, config, "/etc/subgid");
        if (config->counts[KSA_SECTION_ACCOUNT] > 0)
                read_local(report, &config->accounts[0].location, &local);
        for (size_t i = 0; i < config->counts[KSA_SECTION_ACCOUNT]; i++)
                check_account(report, &config->accounts[i], &local, has_maps ? &maps : NULL);
        ksa_local_clear(&local);
        for (size_t i = 0; i < config->counts[KSA_SECTION_ACCOUNTS]; i++)
                check_source(report, config, &config->account_sources[i]);
}
