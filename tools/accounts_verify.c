/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ksactl accounts verify: whether the registry is whole, safe, and used. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "accounts.h"
#include "registry_mark.h"
#include "registry_write.h"

/* Accounts that are told of one by one. */
#define TOLD_MAX 100

struct verdict {
        json_t *problems;
        bool json;
        int status;
};

static void tell(struct verdict *verdict, int status, const char *remedy, const char *format, ...)
        KSA_PRINTF(4, 5);

static void tell(struct verdict *verdict, int status, const char *remedy, const char *format, ...)
{
        const char *severity = status == EXIT_BROKEN ? "error" : "warning";
        char text[1024];
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        if (verdict->status < status)
                verdict->status = status;
        (void)json_array_append_new(verdict->problems,
                                    json_pack("{s:s, s:s, s:o}", "severity", severity, "text", text,
                                              "remedy", text_or_null(remedy)));
        if (verdict->json)
                return;
        (void)printf("%s: %s\n", severity, text);
        if (*remedy != '\0')
                (void)printf("    %s\n", remedy);
}

/* --- What is judged --------------------------------------------------------- */

static void judge_file(struct verdict *verdict, const char *path)
{
        struct stat status;
        char remedy[512];

        if (lstat(path, &status) != 0)
                return;
        (void)snprintf(remedy, sizeof(remedy), "chown root:root %s; chmod 0644 %s", path, path);
        if (!S_ISREG(status.st_mode) || status.st_uid != 0 || (status.st_mode & 022) != 0)
                tell(verdict, EXIT_BROKEN, remedy, "%s is not root's alone to write", path);
        else if ((status.st_mode & 0444) != 0444)
                tell(verdict, EXIT_DENIED, remedy,
                     "%s is not readable for all: programs without root do not know the users",
                     path);
}

static void judge_lookups(struct verdict *verdict)
{
        for (size_t i = 0; i < NSSWITCH_DATABASES; i++) {
                struct nsswitch_fault fault;
                char remedy[NSSWITCH_LINE + 64];

                if (!has_nsswitch_fault(NSSWITCH_FILE, nsswitch_databases[i], &fault))
                        continue;
                (void)snprintf(remedy, sizeof(remedy), "its line should be: %s", fault.line);
                tell(verdict, EXIT_DENIED, remedy, NSSWITCH_FILE " %s for %s: %s", fault.what,
                     nsswitch_databases[i], fault.effect);
        }
}

/* Local files always win: what they have too is theirs. */
static void judge_record(struct verdict *verdict, const struct ksa_local *local,
                         const struct ksa_account_record *record)
{
        char who[KSA_WHO_SIZE];

        if (record->state == KSA_ACCOUNT_REMOVED)
                return;
        if (ksa_local_has_user(local, record->name, false, who) ||
            ksa_local_has_group(local, record->name, false, who) ||
            ksa_local_has_number(local, record->uid, false, who))
                tell(verdict, EXIT_DENIED,
                     "ksactl accounts sync; ksactl accounts show tells what to decide",
                     "%s (uid %u) of %s:%s/%s is in the way of %s", record->name,
                     (unsigned)record->uid, record->cluster, record->namespace, record->account,
                     who);
}

static void judge_records(struct verdict *verdict, const struct ksa_registry *registry)
{
        const struct ksa_local_files files = local_files();
        struct ksa_local *local = NULL;
        struct ksa_account_record record;
        struct ksa_error error = {0};
        size_t position = 0;

        if (ksa_local_read(&files, &local, &error) != KSA_OK) {
                name_file(&error);
                tell(verdict, EXIT_BROKEN,
                     error.reason == KSA_FILE_UNREADABLE ? LOCAL_FILE_REMEDY
                                                         : ksa_reason_remedy(error.reason),
                     "%s", error.text);
                return;
        }
        while (ksa_registry_next(registry, &position, &record) == KSA_REGISTRY_FOUND &&
               json_array_size(verdict->problems) < TOLD_MAX)
                judge_record(verdict, local, &record);
        ksa_local_free(&local);
}

/* --- The command ------------------------------------------------------------ */

static bool is_wanted(const struct ksa_config *config)
{
        return config->counts[KSA_SECTION_ACCOUNT] + config->counts[KSA_SECTION_ACCOUNTS] > 0;
}

/* The number of accounts; -1 where the registry is none. */
static int64_t judge(struct verdict *verdict, const struct session *session)
{
        const char *path = session->host.env.registry_file, *why = "";
        struct ksa_registry registry;
        const enum ksa_registry_answer answer =
                ksa_registry_open(path, session->host.env.owner, &registry, &why);

        if (answer == KSA_REGISTRY_NOT_FOUND && ksa_registry_is_marked(&session->host.env)) {
                tell(verdict, EXIT_BROKEN, LOST_REMEDY,
                     "%s is missing, but this host has had a registry, which remembers the uids that "
                     "were given",
                     path);
                return -1;
        }
        if (answer == KSA_REGISTRY_NOT_FOUND) {
                if (is_wanted(session->config))
                        tell(verdict, EXIT_DENIED,
                             "run ksactl accounts sync or import; if there was one, restore it from a "
                             "backup first (ksactl accounts restore FILE): it remembers which uids "
                             "were given",
                             "there is no %s", path);
                return 0;
        }
        judge_file(verdict, path);
        if (answer != KSA_REGISTRY_FOUND || !ksa_registry_is_whole(&registry, &why)) {
                tell(verdict, EXIT_BROKEN,
                     "restore a backup: ksactl accounts restore FILE; without a backup, remove the "
                     "registry and run ksactl accounts sync --new-registry: then uids of removed "
                     "accounts may be given again, and retired users come back",
                     "%s: %s", path, why);
                ksa_registry_close(&registry);
                return -1;
        }
        const int64_t count = registry.account_count;
        judge_lookups(verdict);
        judge_records(verdict, &registry);
        ksa_registry_close(&registry);
        return count;
}

static int verify(const struct session *session, bool json)
{
        static const char *const results[] = {
                [EXIT_GOOD] = "clean", [EXIT_DENIED] = "warnings", [EXIT_BROKEN] = "errors"};
        struct verdict verdict = {.problems = json_array(), .json = json};
        const int64_t count = judge(&verdict, session);

        if (json) {
                json_t *answer =
                        json_pack("{s:s, s:s, s:o, s:o}", "result", results[verdict.status], "file",
                                  session->host.env.registry_file, "accounts",
                                  count >= 0 ? json_integer(count) : json_null(), "problems",
                                  verdict.problems);
                return print_json(answer) ? verdict.status : EXIT_BROKEN;
        }
        if (verdict.status == EXIT_GOOD)
                (void)printf("%s: %lld account%s, no problem found\n",
                             session->host.env.registry_file, (long long)count,
                             count == 1 ? "" : "s");
        json_decref(verdict.problems);
        return verdict.status;
}

int accounts_verify(const struct words *arguments)
{
        const char *config_file = NULL;
        bool json = false;
        const struct flag flags[] = {{"--config", &config_file, NULL}, {"--json", NULL, &json}};
        struct session session;
        int status = EXIT_BROKEN;

        if (!read_flags(arguments, flags, KSA_COUNT(flags), NULL, 0))
                return EXIT_BROKEN;
        if (open_session(&session, config_file))
                status = verify(&session, json);
        close_session(&session);
        return status;
}
