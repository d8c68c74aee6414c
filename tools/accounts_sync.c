/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ksactl accounts sync, accept, retire and import: what replaces the registry. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "account_file.h"
#include "accounts.h"

/* Milliseconds for one cluster with all its pages, and for all: the timer's unit has 10 minutes. */
#define PATIENCE       60000
#define PATIENCE_TOTAL 480000

/* --- A run ------------------------------------------------------------------ */

/* The configuration, and the registry to begin with. False where that is told already. */
static bool begin(struct accounts_run *run, const char *config_file, enum ksa_sync_start start)
{
        const struct ksa_local_files files = local_files();
        struct ksa_error error = {0};

        run->status = EXIT_BROKEN;
        run->clusters = json_array();
        run->changes = json_array();
        run->sync.lock = -1;
        if (!open_session(&run->session, config_file))
                return false;
        if (ksa_sync_begin(run->session.config, &run->session.host.env, &files, !run->dry_run,
                           start, &run->sync, &error) != KSA_OK) {
                report_failure(run, &error, run->sync.is_lost ? LOST_REMEDY : NULL);
                return false;
        }
        if (geteuid() != 0) /* a rehearsal: local_files() */
                (void)fputs(
                        "ksactl: without root sudoers cannot be read: names and uids that stand "
                        "there are not refused in what is told here\n",
                        stderr);
        run->status = EXIT_GOOD;
        return true;
}

/* From what is wanted to the new registry, told on the way. */
static void finish(struct accounts_run *run, enum ksa_plan_wish wish, const char *user)
{
        struct ksa_error error = {0};

        if (ksa_sync_plan(&run->sync, run->force, wish, user, &error) != KSA_OK) {
                report_failure(run, &error, NULL);
                return;
        }
        if (!run->dry_run && ksa_sync_write(&run->sync, &run->written, &error) != KSA_OK) {
                report_failure(run, &error, NULL);
                return;
        }
        report_stale(&run->sync.warning);
        report_plan(run);
}

static int end(struct accounts_run *run)
{
        if (run->json && run->session.config != NULL && !print_run(run))
                run->status = EXIT_BROKEN;
        json_decref(run->clusters);
        json_decref(run->changes);
        json_decref(run->problem);
        json_decref(run->remedy);
        ksa_sync_end(&run->sync);
        close_session(&run->session);
        return run->status;
}

/* --- sync ------------------------------------------------------------------- */

/* Asks one cluster; where it cannot be asked, its accounts stay as they are. */
static bool gather_one(struct accounts_run *run, size_t position, unsigned milliseconds)
{
        const struct ksa_config *config = run->session.config;
        const struct ksa_cluster *cluster =
                ksa_config_cluster(config, config->account_sources[position].name);
        const bool asks = cluster != NULL && cluster->api_server != NULL;
        struct ksa_error error = {0}, fault = {0};
        enum ksa_reason reason = KSA_UNREACHED;

        if (asks && geteuid() != 0) { /* a rehearsal */
                reason = ksa_fail(&error, KSA_NEEDS_ROOT, "the cluster can be asked by root alone");
        } else if (asks) {
                renew_session(&run->session);
                reason = ksa_sync_ask(&run->sync, position, milliseconds, &error);
        }
        if (reason != KSA_OK && ksa_sync_keep(&run->sync, position, &fault) != KSA_OK) {
                report_failure(run, &fault, NULL);
                return false;
        }
        report_cluster(run, position, reason == KSA_OK ? "asked" : "kept",
                       asks && reason != KSA_OK ? &error : NULL);
        return true;
}

static bool gather(struct accounts_run *run)
{
        const size_t count = run->session.config->counts[KSA_SECTION_ACCOUNTS];
        const unsigned milliseconds =
                count > PATIENCE_TOTAL / PATIENCE ? PATIENCE_TOTAL / (unsigned)count : PATIENCE;

        for (size_t i = 0; i < count; i++) {
                if (!gather_one(run, i, milliseconds))
                        return false;
        }
        return true;
}

int accounts_sync(const struct words *arguments)
{
        struct accounts_run run = {.status = EXIT_BROKEN};
        const char *config_file = NULL;
        bool new_registry = false;
        const struct flag flags[] = {{"--config", &config_file, NULL},
                                     {"--json", NULL, &run.json},
                                     {"--dry-run", NULL, &run.dry_run},
                                     {"--new-registry", NULL, &new_registry},
                                     {"--force", NULL, &run.force}};

        if (!read_flags(arguments, flags, KSA_COUNT(flags), NULL, 0) ||
            (!run.dry_run && !is_root("accounts sync")))
                return EXIT_BROKEN;
        if (begin(&run, config_file, new_registry ? KSA_SYNC_START_NEW : KSA_SYNC_START_FIRST) &&
            gather(&run))
                finish(&run, KSA_WISH_NONE, NULL);
        return end(&run);
}

/* --- accept and retire ------------------------------------------------------ */

/* No cluster is asked: the administrator decides about what the registry has. */
static bool keep_all(struct accounts_run *run)
{
        struct ksa_error error = {0};

        for (size_t i = 0; i < run->session.config->counts[KSA_SECTION_ACCOUNTS]; i++) {
                if (ksa_sync_keep(&run->sync, i, &error) != KSA_OK) {
                        report_failure(run, &error, NULL);
                        return false;
                }
                report_cluster(run, i, "kept", NULL);
        }
        return true;
}

static int decide(const struct words *arguments, const char *command, enum ksa_plan_wish wish)
{
        struct accounts_run run = {.status = EXIT_BROKEN};
        const char *config_file = NULL, *user = NULL;
        const struct flag flags[] = {{"--config", &config_file, NULL}, {"--json", NULL, &run.json}};

        if (!read_flags(arguments, flags, KSA_COUNT(flags), &user, 1))
                return EXIT_BROKEN;
        if (user == NULL) {
                (void)fprintf(stderr, "ksactl: %s takes the name of a user\n", command);
                return EXIT_BROKEN;
        }
        if (!is_root(command))
                return EXIT_BROKEN;
        if (begin(&run, config_file, KSA_SYNC_START_FIRST) && keep_all(&run))
                finish(&run, wish, user);
        return end(&run);
}

int accounts_accept(const struct words *arguments)
{
        return decide(arguments, "accounts accept", KSA_WISH_ACCEPT);
}

int accounts_retire(const struct words *arguments)
{
        return decide(arguments, "accounts retire", KSA_WISH_RETIRE);
}

/* --- import ----------------------------------------------------------------- */

static bool take_file(struct accounts_run *run, const char *bytes, size_t length)
{
        const size_t count = run->session.config->counts[KSA_SECTION_ACCOUNTS];
        bool *imported = calloc(count + 1, sizeof(bool));
        struct ksa_error error = {0};

        if (imported == NULL) {
                (void)ksa_fail(&error, KSA_MEMORY, "out of memory");
                report_failure(run, &error, NULL);
                return false;
        }
        const char *remedy;
        const bool taken = ksa_sync_import(&run->sync, bytes, length, run->force, imported, &remedy,
                                           &error) == KSA_OK;
        if (!taken)
                report_failure(run, &error, remedy);
        for (size_t i = 0; taken && i < count; i++)
                report_cluster(run, i, imported[i] ? "imported" : "kept", NULL);
        free(imported);
        return taken;
}

int accounts_import(const struct words *arguments)
{
        struct accounts_run run = {.status = EXIT_BROKEN};
        const char *config_file = NULL, *path = NULL;
        const struct flag flags[] = {{"--config", &config_file, NULL},
                                     {"--json", NULL, &run.json},
                                     {"--dry-run", NULL, &run.dry_run},
                                     {"--force", NULL, &run.force}};
        char *bytes = NULL;
        size_t length = 0;

        if (!read_flags(arguments, flags, KSA_COUNT(flags), &path, 1))
                return EXIT_BROKEN;
        if (path == NULL) {
                (void)fputs("ksactl: accounts import takes a file, or - for standard input\n",
                            stderr);
                return EXIT_BROKEN;
        }
        if ((!run.dry_run && !is_root("accounts import")) ||
            !read_input(path, KSA_ACCOUNT_FILE_MAX, &bytes, &length))
                return EXIT_BROKEN;
        if (begin(&run, config_file, KSA_SYNC_START_FIRST) && take_file(&run, bytes, length))
                finish(&run, KSA_WISH_NONE, NULL);
        free(bytes);
        return end(&run);
}
