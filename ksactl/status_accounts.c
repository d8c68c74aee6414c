/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl status: the local users of a cluster's accounts, and the registry. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "accounts.h"
#include "admin/registry/mark.h"
#include "admin/registry/write.h"
#include "base/text.h"
#include "status.h"

/*
 * Seconds by which a listing may be late: the timer runs every ten minutes, and the time in the registry is
 * updated each hour.
 */
#define LATE (KSA_LISTED_EVERY + 3600)

/* Accounts of the cluster by their state, and those that need a decision of an administrator. */
struct counts {
        size_t of[KSA_ACCOUNT_STATE_COUNT], undecided;
};

static void count(const struct ksa_registry *registry, const char *cluster, struct counts *counts)
{
        struct ksa_account_record record;
        size_t position = 0;

        while (ksa_registry_next(registry, &position, &record) == KSA_REGISTRY_FOUND) {
                if (strcmp(record.cluster, cluster) != 0)
                        continue;
                if ((record.flags & KSA_ACCOUNT_FORMER) != 0)
                        continue;
                counts->of[record.state]++;
                counts->undecided +=
                        record.state == KSA_ACCOUNT_DISABLED &&
                        (record.reasons & (KSA_DISABLED_RECREATED | KSA_DISABLED_CONFLICT)) != 0;
        }
}

/* When the cluster was listed last; 0 for never. */
static int64_t last_listed(const struct ksa_registry *registry, const char *cluster)
{
        struct ksa_source_record source;
        size_t position = 0;

        while (ksa_registry_next_source(registry, &position, &source) == KSA_REGISTRY_FOUND) {
                if (strcmp(source.cluster, cluster) == 0)
                        return source.listed;
        }
        return 0;
}

static void describe(const struct ksa_env *env, const struct need *need, int64_t listed,
                     const struct counts *counts, struct finding *finding)
{
        const size_t *of = counts->of;
        const bool reads = need->source != NULL && ksa_accounts_file(need->source) != NULL;
        char age[KSA_SPAN_SIZE];

        finding->facts = json_pack("{s:o, s:I, s:I, s:I}", "listed",
                                   listed != 0 ? json_integer(listed) : json_null(), "active",
                                   (json_int_t)of[KSA_ACCOUNT_ACTIVE], "disabled",
                                   (json_int_t)of[KSA_ACCOUNT_DISABLED], "removed",
                                   (json_int_t)of[KSA_ACCOUNT_REMOVED]);
        (void)ksa_text_span(env->now - listed, age);
        (void)snprintf(
                finding->text, sizeof(finding->text), "%zu active, %zu disabled, %zu removed%s%s%s",
                of[KSA_ACCOUNT_ACTIVE], of[KSA_ACCOUNT_DISABLED], of[KSA_ACCOUNT_REMOVED],
                need->source == NULL ? (need->declared ? "; [account] alone" : "; no section")
                : listed == 0        ? "; never listed"
                                     : "; listed ",
                need->source == NULL || listed == 0 ? "" : age,
                need->source == NULL || listed == 0 ? "" : " ago");
        if (need->source != NULL && listed == 0)
                add_problem(finding, SOON, "run ksactl accounts sync; check ksa-accounts.timer",
                            "its service accounts were never listed, so they have no users");
        else if (need->source != NULL && env->now - listed > LATE)
                add_problem(finding, SOON,
                            reads ? "copy the output of ksactl accounts export from the leader"
                                  : "check ksa-accounts.timer; ksactl accounts sync shows why",
                            "its service accounts were not listed for %s: no user is added or "
                            "removed",
                            age);
        if (counts->undecided > 0)
                add_problem(finding, SOON, "ksactl accounts list; ksactl accounts show USER",
                            "%zu of its accounts are disabled until an administrator decides",
                            counts->undecided);
}

void find_unmapped(const struct ksa_registry *registry, const char *cluster,
                   struct finding *finding)
{
        char mapped[KSA_ID_MAP_TEXT], remedy[512];
        struct ksa_error error = {0};
        size_t unmapped = 0;

        if (count_unmapped(registry, cluster, &unmapped, mapped, &error) != KSA_OK || unmapped == 0)
                return; /* check reports a map that cannot be read */
        (void)snprintf(remedy, sizeof(remedy), UNMAPPED_REMEDY, mapped);
        add_problem(finding, TROUBLE, remedy, "%zu of %s " UNMAPPED_EFFECT, unmapped,
                    cluster != NULL ? "its users" : "the users that ksa created");
}

void load_registry(const struct ksa_env *env, struct host_registry *ret_loaded)
{
        const char *why = "";

        *ret_loaded = (struct host_registry){.file = {.level = WELL}};
        ret_loaded->answer =
                ksa_registry_open(env->registry_file, env->owner, &ret_loaded->registry, &why);
        if (ret_loaded->answer == KSA_REGISTRY_FOUND &&
            !ksa_registry_is_whole(&ret_loaded->registry, &why))
                ret_loaded->answer = KSA_REGISTRY_BROKEN;
        if (ret_loaded->answer == KSA_REGISTRY_BROKEN)
                add_problem(&ret_loaded->file, TROUBLE, LOST_REMEDY, "%s: %s", env->registry_file,
                            why);
        if (ret_loaded->answer == KSA_REGISTRY_NOT_FOUND && ksa_registry_is_marked(env))
                add_problem(&ret_loaded->file, TROUBLE, LOST_REMEDY, "%s is missing",
                            env->registry_file);
}

void find_accounts(const struct ksa_cluster *cluster, const struct ksa_env *env,
                   const struct need *need, const struct host_registry *loaded,
                   struct finding *finding)
{
        const bool is_found = loaded->answer == KSA_REGISTRY_FOUND;
        struct counts counts = {0};

        if (need->source == NULL && !need->declared && !need->own) {
                (void)snprintf(finding->text, sizeof(finding->text), "not used");
                return;
        }
        if (is_found)
                count(&loaded->registry, cluster->name, &counts);
        describe(env, need, is_found ? last_listed(&loaded->registry, cluster->name) : 0, &counts,
                 finding);
        if (loaded->file.level == TROUBLE)
                add_problem(finding, TROUBLE, loaded->file.remedy, "%s", loaded->file.problem);
        if (is_found)
                find_unmapped(&loaded->registry, cluster->name, finding);
}

/* --- The registry as a whole ------------------------------------------------ */

static void check_file(const char *path, struct finding *finding)
{
        struct stat status;

        if (lstat(path, &status) == 0 && (status.st_mode & 0444) != 0444)
                add_problem(
                        finding, TROUBLE, "chmod 0644 /var/lib/ksa/registry",
                        "%s is not readable for all: programs without root do not know the users",
                        path);
}

/* Active users that the next sync disables. */
static void check_conflicts(const struct ksa_registry *registry, struct finding *finding)
{
        const struct ksa_local_files files = local_files();
        struct ksa_local *local = NULL;
        struct ksa_account_record record;
        struct ksa_error error = {0};
        char who[KSA_WHO_SIZE];
        size_t position = 0;

        if (ksa_local_read(&files, &local, &error) != KSA_OK) {
                name_file(&error);
                add_problem(finding, SOON, LOCAL_FILE_REMEDY, "%s", error.text);
                return;
        }
        while (ksa_registry_next(registry, &position, &record) == KSA_REGISTRY_FOUND) {
                if (record.state == KSA_ACCOUNT_ACTIVE &&
                    (ksa_local_has_name(local, record.name, false, who) ||
                     ksa_local_has_number(local, record.uid, false, who)))
                        add_problem(finding, SOON,
                                    "remove that one; ksactl accounts sync disables the user",
                                    "the name or uid of %s (uid %u) is that of %s", record.name,
                                    (unsigned)record.uid, who);
        }
        ksa_local_free(&local);
}

void find_registry(const struct ksa_config *config, const struct ksa_env *env,
                   const struct host_registry *loaded, struct finding *finding)
{
        const char *path = env->registry_file;
        const bool is_found = loaded->answer == KSA_REGISTRY_FOUND;

        if (loaded->answer == KSA_REGISTRY_NOT_FOUND && loaded->file.level != TROUBLE &&
            config->counts[KSA_SECTION_ACCOUNT] + config->counts[KSA_SECTION_ACCOUNTS] == 0)
                return;
        finding->facts =
                json_pack("{s:s, s:o}", "file", path, "accounts",
                          is_found ? json_integer(loaded->registry.account_count) : json_null());
        (void)snprintf(finding->text, sizeof(finding->text), "%s", path);
        if (loaded->file.level == TROUBLE)
                add_problem(finding, TROUBLE, loaded->file.remedy, "%s", loaded->file.problem);
        else if (loaded->answer == KSA_REGISTRY_NOT_FOUND)
                add_problem(finding, SOON, "ksactl accounts sync", "there is no %s yet", path);
        check_file(path, finding);
        for (unsigned i = 0; i < LOOKUP_DATABASES; i++)
                find_lookups((enum lookup_database)i, finding);
        if (is_found)
                check_conflicts(&loaded->registry, finding);
}
