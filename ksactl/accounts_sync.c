/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl accounts sync, enable, disable and rename-cluster: the commands that replace the registry. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "accounts.h"
#include "admin/accounts/source_api.h"
#include "config/value.h"
#include "progress.h"

/* Milliseconds for one cluster with all its pages, and for all: the timer's unit has 10 minutes. */
#define PATIENCE       60000
#define PATIENCE_TOTAL 480000

/* --- A run ------------------------------------------------------------------ */

bool begin_run(struct accounts_run *run, const char *config_file, enum ksa_sync_start start)
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
        run->status = EXIT_GOOD;
        return true;
}

bool plan_run(struct accounts_run *run, enum ksa_plan_action action, const char *user)
{
        struct ksa_error error = {0};

        if (ksa_sync_plan(&run->sync, action, user, &error) == KSA_OK)
                return true;
        report_failure(run, &error, NULL);
        return false;
}

/* From the desired accounts to the new registry, with its report. */
static void finish(struct accounts_run *run, enum ksa_plan_action action, const char *user)
{
        struct ksa_error error = {0};

        if (!plan_run(run, action, user))
                return;
        if (!run->dry_run && ksa_sync_write(&run->sync, &run->written, &error) != KSA_OK) {
                report_failure(run, &error, NULL);
                return;
        }
        report_stale(&run->sync.warning);
        report_plan(run);
}

int end_run(struct accounts_run *run)
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

/* The accounts of one section, or those that the registry has of it. */
static enum ksa_reason read_source(struct accounts_run *run, size_t position, unsigned milliseconds,
                                   bool ask, struct ksa_error *error)
{
        const struct ksa_accounts *source = &run->session.config->account_sources[position];
        const bool may = ksa_accounts_file(source) != NULL || geteuid() == 0;
        enum ksa_reason reason;

        if (ask && may) {
                renew_session(&run->session);
                return ksa_sync_read(&run->sync, position, milliseconds, run->force, error);
        }
        reason = ksa_sync_keep(&run->sync, position, error);
        if (reason != KSA_OK || !ask)
                return reason;
        return ksa_fail(error, KSA_NEEDS_ROOT, "only root can ask the cluster for its accounts");
}

/* What is shown while a cluster lists its accounts. */
struct shown {
        struct progress progress;
        const char *cluster;
        size_t position, count;
};

static void show_page(void *context, size_t accounts)
{
        struct shown *shown = context;

        progress_say(&shown->progress, "cluster %zu of %zu (%s): %zu service accounts",
                     shown->position + 1, shown->count, shown->cluster, accounts);
}

bool read_sources(struct accounts_run *run, bool ask)
{
        struct shown shown;
        const struct ksa_list_watch watch = {show_page, &shown};
        bool good = true;
        const size_t count = run->session.config->counts[KSA_SECTION_ACCOUNTS];
        const unsigned milliseconds =
                count > PATIENCE_TOTAL / PATIENCE ? PATIENCE_TOTAL / (unsigned)count : PATIENCE;

        progress_begin(&shown.progress);
        shown.count = count;
        run->sync.watch = &watch;
        for (size_t i = 0; good && i < count; i++) {
                struct ksa_error error = {0};

                shown.cluster = run->session.config->account_sources[i].name;
                shown.position = i;
                show_page(&shown, 0);
                enum ksa_reason reason = read_source(run, i, milliseconds, ask, &error);
                progress_hide(&shown.progress);
                good = reason != KSA_REGISTRY && reason != KSA_MEMORY;
                if (good)
                        report_cluster(run, i, ask && reason == KSA_OK ? "read" : "kept",
                                       reason == KSA_OK ? NULL : &error);
                else
                        report_failure(run, &error, NULL);
        }
        run->sync.watch = NULL;
        progress_end(&shown.progress);
        return good;
}

int accounts_sync(const struct args *arguments)
{
        struct accounts_run run = {.json = has_option(arguments, OPTION_JSON),
                                   .dry_run = has_option(arguments, OPTION_DRY_RUN),
                                   .force = has_option(arguments, OPTION_FORCE)};
        const enum ksa_sync_start start = has_option(arguments, OPTION_NEW_REGISTRY)
                                                  ? KSA_SYNC_START_NEW
                                                  : KSA_SYNC_START_FIRST;

        if (!run.dry_run && !is_root("accounts sync"))
                return EXIT_BROKEN;
        if (begin_run(&run, arguments->options[OPTION_CONFIG], start) && read_sources(&run, true))
                finish(&run, KSA_ACTION_NONE, NULL);
        return end_run(&run);
}

/* --- disable and enable ----------------------------------------------------- */

static int decide(const struct args *arguments, const char *command, enum ksa_plan_action action)
{
        struct accounts_run run = {.json = has_option(arguments, OPTION_JSON)};

        if (!is_root(command))
                return EXIT_BROKEN;
        if (begin_run(&run, arguments->options[OPTION_CONFIG], KSA_SYNC_START_FIRST) &&
            read_sources(&run, false))
                finish(&run, action, arguments->names[0]);
        return end_run(&run);
}

int accounts_disable(const struct args *arguments)
{
        return decide(arguments, "accounts disable", KSA_ACTION_DISABLE);
}

int accounts_enable(const struct args *arguments)
{
        return decide(arguments, "accounts enable", KSA_ACTION_ENABLE);
}

/* --- rename-cluster --------------------------------------------------------- */

/* The sections come first: otherwise the next sync removes the users, or makes newcomers of the old name. */
static bool are_sections_renamed(struct accounts_run *run, const char *old, const char *new)
{
        const struct ksa_config *config = run->session.config;
        struct ksa_error error = {0};
        char remedy[REMEDY_SIZE];

        if (ksa_config_cluster(config, old) == NULL && ksa_config_cluster(config, new) != NULL)
                return true;
        if (ksa_config_cluster(config, old) != NULL)
                (void)ksa_fail(&error, KSA_CONFIG_INVALID, "[cluster %s] is still configured", old);
        else
                (void)ksa_fail(&error, KSA_CONFIG_INVALID, "[cluster %s] is not configured", new);
        (void)snprintf(remedy, sizeof(remedy),
                       "rename the sections first: in [cluster], [accounts], [account] and [rule] "
                       "write %s for the cluster",
                       new);
        report_failure(run, &error, remedy);
        return false;
}

int accounts_rename_cluster(const struct args *arguments)
{
        struct accounts_run run = {.json = has_option(arguments, OPTION_JSON)};
        const char *const *names = arguments->names;

        if (!ksa_is_section_name(names[1])) {
                (void)fprintf(stderr,
                              "ksactl: \"%s\" is not a valid name of a cluster (expected letters, "
                              "digits and . _ -)\n",
                              names[1]);
                return EXIT_BROKEN;
        }
        if (!is_root("accounts rename-cluster"))
                return EXIT_BROKEN;
        if (begin_run(&run, arguments->options[OPTION_CONFIG], KSA_SYNC_START_FIRST) &&
            are_sections_renamed(&run, names[0], names[1])) {
                run.sync.old_cluster = names[0];
                run.sync.new_cluster = names[1];
                if (read_sources(&run, false))
                        finish(&run, KSA_ACTION_NONE, NULL);
        }
        if (run.written)
                log_line(true, LOG_NOTICE, "result=renamed cluster=\"%s\" new=\"%s\"", names[0],
                         names[1]);
        return end_run(&run);
}
