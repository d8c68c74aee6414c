/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl keys: the contents of key sets; refreshes, which a login may start, and purges. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>
#include <unistd.h>

#include "admin/keys/refresh.h"
#include "admin/keys/used_tokens.h"
#include "base/text.h"
#include "ksactl.h"
#include "progress.h"
#include "token/jwk.h"
#include "token/keyset.h"

/* --- keys show -------------------------------------------------------------- */

static void add_key(const struct ksa_keyset *keyset, size_t position, json_t *keys)
{
        struct ksa_error error = {0};
        struct ksa_jwk jwk;
        EVP_PKEY *key = NULL;
        const char *kid;
        enum ksa_reason reason = ksa_keyset_entry(keyset, position, &kid, &jwk, &error);
        bool sound = reason == KSA_OK;

        if (sound && ksa_jwk_key(&jwk, &key, &error) != KSA_OK)
                reason = error.reason;
        EVP_PKEY_free(key);
        (void)json_array_append_new(
                keys,
                json_pack("{s:s, s:s?, s:o, s:b, s:s?}", "kid", kid, "algorithm",
                          sound ? ksa_algorithm_name(jwk.algorithm) : NULL, "bits",
                          sound ? json_integer((json_int_t)ksa_jwk_bits(&jwk)) : json_null(),
                          "usable", reason == KSA_OK, "why", reason == KSA_OK ? NULL : error.text));
}

/* The times of a set that was fetched; NULL for a file. */
static json_t *times_of(const struct ksa_cluster *cluster, const struct ksa_env *env,
                        const struct ksa_keyset *keyset)
{
        int64_t fetched = ksa_keyset_fetched(keyset);

        if (fetched == 0)
                return NULL;
        return json_pack(
                "{s:I, s:I, s:I}", "fetched", (json_int_t)fetched, "due",
                (json_int_t)ksa_refresh_next(cluster, env, fetched, ksa_keyset_max_age(keyset)),
                "denies_after", (json_int_t)fetched + (json_int_t)cluster->keys_max_stale);
}

static json_t *show_keys(const struct ksa_cluster *cluster, const struct ksa_env *env,
                         bool *ret_good)
{
        struct ksa_error error = {0};
        struct ksa_keyset *keyset = NULL;
        json_t *keys = json_array(), *times = NULL;
        char source[KSA_QUOTE_MAX];

        *ret_good = ksa_keyset_open(cluster, env, &keyset, &error) == KSA_OK;
        if (*ret_good) {
                for (size_t i = 0; i < ksa_keyset_count(keyset); i++)
                        add_key(keyset, i, keys);
                times = times_of(cluster, env, keyset);
        }
        ksa_keyset_free(&keyset);
        json_t *shown = json_pack("{s:s, s:s, s:n, s:n, s:n, s:s?, s:o}", "cluster", cluster->name,
                                  "source", ksa_text_url(cluster->keys, source, sizeof(source)),
                                  "fetched", "due", "denies_after", "problem",
                                  *ret_good ? NULL : error.text, "keys", keys);
        if (times != NULL)
                (void)json_object_update(shown, times);
        json_decref(times);
        return shown;
}

/* "fetched 12 s ago, due in 4 min 48 s, denies in 23 h 59 min" */
static void print_times(const json_t *cluster, int64_t now)
{
        int64_t fetched = json_integer_value(json_object_get(cluster, "fetched"));
        int64_t due = json_integer_value(json_object_get(cluster, "due"));
        char since[KSA_SPAN_SIZE], until[KSA_SPAN_SIZE], end[KSA_SPAN_SIZE];

        if (fetched == 0)
                return;
        (void)printf(
                "  fetched %s ago, %s %s, denies in %s\n", ksa_text_span(now - fetched, since),
                due < now ? "overdue by" : "due in",
                ksa_text_span(due < now ? now - due : due - now, until),
                ksa_text_span(json_integer_value(json_object_get(cluster, "denies_after")) - now,
                              end));
}

static void print_keys(const json_t *cluster, int64_t now)
{
        const char *problem = json_string_value(json_object_get(cluster, "problem"));
        const json_t *keys = json_object_get(cluster, "keys");

        (void)printf("%s (%s)\n", json_string_value(json_object_get(cluster, "cluster")),
                     json_string_value(json_object_get(cluster, "source")));
        if (problem != NULL)
                (void)printf("  %s\n", problem);
        print_times(cluster, now);
        for (size_t i = 0; i < json_array_size(keys); i++) {
                const json_t *key = json_array_get(keys, i);
                const char *algorithm = json_string_value(json_object_get(key, "algorithm"));
                const char *why = json_string_value(json_object_get(key, "why"));
                char kid[KSA_QUOTED_SIZE];

                (void)printf("  %s  %s",
                             ksa_text_quote(json_string_value(json_object_get(key, "kid")), kid,
                                            sizeof(kid)),
                             algorithm != NULL ? algorithm : "-");
                if (algorithm != NULL)
                        (void)printf(" %lld bits",
                                     (long long)json_integer_value(json_object_get(key, "bits")));
                (void)printf("%s%s\n", why != NULL ? "  not used: " : "", why != NULL ? why : "");
        }
}

int keys_show(const struct args *arguments)
{
        return show_clusters(arguments, "clusters", show_keys, print_keys, NULL);
}

/* --- Refreshes -------------------------------------------------------------- */

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
                        const struct ksa_refresh_request *request, struct progress *progress)
{
        struct ksa_refreshed refreshed = {0};
        struct ksa_error error = {0};

        renew_session(session);
        enum ksa_reason reason =
                ksa_refresh(cluster, &session->host.env, request, &refreshed, &error);
        progress_hide(progress);
        if (reason == KSA_OK) {
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
        struct progress progress;
        int status = EXIT_GOOD;

        progress_begin(&progress);
        if (request->refresh.cooldown)
                (void)alarm(seconds + MARGIN);
        for (size_t i = 0; i < count; i++) {
                request->refresh.milliseconds = count > PATIENCE_TOTAL / PATIENCE
                                                        ? PATIENCE_TOTAL / (unsigned)count
                                                        : PATIENCE;
                if (request->refresh.cooldown)
                        request->refresh.milliseconds =
                                (unsigned)ksa_deadline_left(&deadline) / (unsigned)(count - i);
                progress_say(&progress, "cluster %zu of %zu (%s): fetching keys", i + 1, count,
                             list[i]->name);
                if (request->refresh.milliseconds == 0 ||
                    !refresh_one(session, list[i], &request->refresh, &progress))
                        status = EXIT_DENIED;
        }
        progress_end(&progress);
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

/* --- keys refresh and purge -------------------------------------------------- */

static bool read_request(const struct args *arguments, struct request *request)
{
        const char *age = arguments->options[OPTION_IF_OLDER];

        request->refresh = (struct ksa_refresh_request){
                .cooldown = has_option(arguments, OPTION_COOLDOWN),
                .if_due = has_option(arguments, OPTION_IF_DUE),
                .if_older = age != NULL,
        };
        if (!read_selection(arguments, "keys refresh", &request->clusters))
                return false;
        if (age != NULL && !ksa_text_duration(age, 0, UINT32_MAX, &request->refresh.age)) {
                (void)fputs("ksactl: --if-older takes seconds, or a number with s, m, h, d\n",
                            stderr);
                return false;
        }
        return true;
}

int keys_refresh(const struct args *arguments)
{
        struct request request;
        KSA_CLEANUP(close_session) struct session session = {.config = NULL};

        if (!read_request(arguments, &request) || !is_root("keys refresh") ||
            !open_session(&session, arguments->options[OPTION_CONFIG]))
                return EXIT_BROKEN;
        return refresh(&session, &request);
}

int keys_purge(const struct args *arguments)
{
        const char *name = arguments->names[0];
        KSA_CLEANUP(close_session) struct session session = {.config = NULL};
        struct ksa_error error = {0};

        if (!is_root("keys purge") || !open_session(&session, arguments->options[OPTION_CONFIG]))
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
