/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl keys refresh and purge change the cached key sets. A login may start a refresh. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "admin/keys/refresh.h"
#include "admin/keys/used_tokens.h"
#include "base/text.h"
#include "config/load.h"
#include "ksactl.h"

/* Milliseconds for one cluster if no login waits, and for all: the timer's unit has 5 minutes. */
#define PATIENCE       30000
#define PATIENCE_TOTAL 240000
/* Seconds after the end of a waiting login until the refresh ends, even if a lock or a disk holds it. */
#define MARGIN 5

/* The command line. */
struct request {
        struct selection clusters;
        struct ksa_refresh_request refresh;
};

/* --- One cluster ------------------------------------------------------------ */

static const char *warning_of(const struct ksa_refreshed *refreshed)
{
        if (refreshed->changed)
                return " warning=keys-changed why=\"the new set has another key under a kid of "
                       "the previous set\" remedy=\"find out who answers for the API server: no "
                       "API server does that\"";
        if (refreshed->replaced)
                return " warning=keys-replaced why=\"the new set has no key of the previous "
                       "set\" remedy=\"if the cluster was not rebuilt, find out who answers for "
                       "the API server\"";
        return "";
}

static void log_refreshed(const struct ksa_cluster *cluster, bool quiet,
                          const struct ksa_refreshed *refreshed)
{
        const char *warning = warning_of(refreshed);

        log_line(quiet, *warning != '\0' ? LOG_WARNING : LOG_INFO,
                 "result=refreshed cluster=\"%s\" keys=%zu max_age=%lld next=%lld%s", cluster->name,
                 refreshed->keys, (long long)refreshed->max_age, (long long)refreshed->next,
                 warning);
}

static bool refresh_one(struct session *session, const struct ksa_cluster *cluster,
                        const struct ksa_refresh_request *request)
{
        struct ksa_refreshed refreshed = {0};
        struct ksa_error error = {0};

        renew_session(session);
        if (ksa_refresh(cluster, &session->host.env, request, &refreshed, &error) == KSA_OK) {
                if (refreshed.asked)
                        log_refreshed(cluster, request->cooldown, &refreshed);
                return true;
        }
        log_cluster_failure(request->cooldown, cluster, &error);
        return false;
}

/* --- All that were named ---------------------------------------------------- */

/* Fills LIST, which has room for all, with the selected clusters whose sets are fetched. */
static size_t choose(const struct request *request, const struct ksa_config *config,
                     const struct ksa_cluster **list)
{
        size_t count = 0;

        for (size_t i = 0; i < config->counts[KSA_SECTION_CLUSTER]; i++) {
                const struct ksa_cluster *cluster = &config->clusters[i];

                if (!is_selected(&request->clusters, cluster))
                        continue;
                if (ksa_cluster_key_file(cluster) == NULL)
                        list[count++] = cluster;
                else if (!request->clusters.all && !request->refresh.cooldown)
                        (void)fprintf(stderr,
                                      "ksactl: the keys of %s are in a file (%s) and are not "
                                      "fetched\n",
                                      cluster->name, ksa_cluster_key_file(cluster));
        }
        return count;
}

/*
 * A login waits for all of them together: time that one cluster does not use is there for the next, and a
 * cluster that does not answer leaves some.
 */
static int refresh_list(struct session *session, struct request *request,
                        const struct ksa_cluster **list, size_t count)
{
        unsigned seconds = (unsigned)session->config->host.timeout;
        struct timespec deadline = ksa_deadline_in(seconds * 1000);
        int status = EXIT_GOOD;

        if (request->refresh.cooldown)
                (void)alarm(seconds + MARGIN);
        for (size_t i = 0; i < count; i++) {
                request->refresh.milliseconds = count > PATIENCE_TOTAL / PATIENCE
                                                        ? PATIENCE_TOTAL / (unsigned)count
                                                        : PATIENCE;
                if (request->refresh.cooldown)
                        request->refresh.milliseconds =
                                (unsigned)ksa_deadline_left(&deadline) / (unsigned)(count - i);
                if (request->refresh.milliseconds == 0)
                        return EXIT_DENIED;
                if (!refresh_one(session, list[i], &request->refresh))
                        status = EXIT_DENIED;
        }
        return status;
}

/* Removes old marks of used tokens, too: one timer serves both. */
static bool sweep(struct session *session)
{
        struct ksa_error error = {0};
        size_t removed;

        if (ksa_used_tokens_sweep(&session->host.env, &removed, &error) == KSA_OK)
                return true;
        log_failure(false, "marks=used", &error, ksa_reason_remedy(error.reason));
        return false;
}

static int refresh(struct session *session, struct request *request)
{
        const struct ksa_config *config = session->config;

        if (!is_selection_known(&request->clusters, config))
                return EXIT_BROKEN;
        const struct ksa_cluster **list =
                calloc(config->counts[KSA_SECTION_CLUSTER] + 1, sizeof(struct ksa_cluster *));
        if (list == NULL) {
                (void)fputs("ksactl: out of memory\n", stderr);
                return EXIT_BROKEN;
        }
        bool swept =
                !request->clusters.all || sweep(session); /* before any cluster is waited for */
        int status = refresh_list(session, request, list, choose(request, config, list));
        free(list);
        return swept ? status : EXIT_DENIED;
}

/* --- Commands --------------------------------------------------------------- */

static bool read_request(const struct args *arguments, struct request *request,
                         const char **ret_config_file)
{
        const char *age = NULL;
        const struct flag flags[] = {
                {"--all", NULL, &request->clusters.all},
                {"--cooldown", NULL, &request->refresh.cooldown},
                {"--if-due", NULL, &request->refresh.if_due},
                {"--if-older", &age, NULL},
                {"--config", ret_config_file, NULL},
        };

        if (!read_flags(arguments, flags, KSA_COUNT(flags), request->clusters.names,
                        KSA_REFRESH_MAX) ||
            !is_selection(&request->clusters, "keys refresh"))
                return false;
        request->refresh.if_older = age != NULL;
        if (age != NULL && !ksa_text_duration(age, 0, UINT32_MAX, &request->refresh.age)) {
                (void)fputs("ksactl: --if-older takes seconds, or a number with s, m, h, d\n",
                            stderr);
                return false;
        }
        return true;
}

int keys_refresh(const struct args *arguments)
{
        struct request request = {.refresh = {0}};
        const char *config_file = NULL;
        KSA_CLEANUP(close_session) struct session session = {.config = NULL};

        if (!read_request(arguments, &request, &config_file) || !is_root("keys refresh") ||
            !open_session(&session, config_file))
                return EXIT_BROKEN;
        return refresh(&session, &request);
}

int keys_purge(const struct args *arguments)
{
        const char *name = NULL, *config_file = NULL;
        const struct flag flags[] = {{"--config", &config_file, NULL}};
        KSA_CLEANUP(close_session) struct session session = {.config = NULL};
        struct ksa_error error = {0};

        if (!read_flags(arguments, flags, KSA_COUNT(flags), &name, 1))
                return EXIT_BROKEN;
        if (name == NULL) {
                (void)fputs("ksactl: keys purge requires the name of a cluster\n", stderr);
                return EXIT_BROKEN;
        }
        if (!is_root("keys purge") || !open_session(&session, config_file))
                return EXIT_BROKEN;
        const struct ksa_cluster *cluster = find_cluster(session.config, name);
        if (cluster == NULL)
                return EXIT_BROKEN;
        if (ksa_cluster_key_file(cluster) != NULL) {
                (void)fprintf(stderr, "ksactl: the keys of %s are in a file\n", name);
                return EXIT_BROKEN;
        }
        if (ksa_refresh_purge(cluster, &session.host.env, &error) != KSA_OK) {
                log_cluster_failure(false, cluster, &error);
                return EXIT_DENIED;
        }
        log_line(false, LOG_NOTICE, "result=purged cluster=\"%s\"", cluster->name);
        return EXIT_GOOD;
}
