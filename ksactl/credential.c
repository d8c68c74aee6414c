/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl credential: what this host shows to API servers. A token is written to its file and nowhere else. */
#include "admin/credential/credential.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "base/text.h"
#include "ksactl.h"

/* Milliseconds for one cluster. */
#define PATIENCE 30000
/* With which an API server may be away for half a day. */
#define LIFE     "24h"
#define LIFE_MAX (UINT64_C(366) * 86400)

/* --- Telling ---------------------------------------------------------------- */

static void log_kept(const char *result, const struct ksa_cluster *cluster,
                     const struct ksa_env *env, const struct ksa_token *token,
                     const struct ksa_error *warning)
{
        char jti[KSA_UNVERIFIED_SIZE], why[KSA_ERROR_SIZE], remedy[REMEDY_SIZE];

        log_line(
                false, warning != NULL ? LOG_WARNING : LOG_NOTICE,
                "result=%s cluster=\"%s\" account=\"%s/%s\" jti=\"%s\" expires=%lld due=%lld%s%s%s%s%s",
                result, cluster->name, token->namespace, token->account,
                ksa_text_quote(token->jti != NULL ? token->jti : "", jti, sizeof(jti)),
                (long long)token->exp.seconds, (long long)ksa_credential_due(cluster, env, token),
                warning != NULL ? " warning=not-renewed why=\"" : "",
                warning != NULL ? ksa_text_whole(warning->text, why, sizeof(why)) : "",
                warning != NULL ? "\" remedy=\"" : "",
                warning != NULL ? remedy_for(cluster, warning, remedy) : "",
                warning != NULL ? "\"" : "");
}

/* --- init ------------------------------------------------------------------- */

/* What helps against 401, and what may be wrong besides if the token was issued just now (api.h). */
#define GIVE \
        "give a token of this cluster for the API server itself: kubectl create token without --audience"
#define ACCEPTS_NONE                                                                        \
        "this endpoint may not accept service account tokens (GKE's DNS endpoint, Rancher " \
        "before 2.9): set another api_server, or client_cert_file"

static int init(struct session *session, const struct ksa_cluster *cluster,
                const struct ksa_secret *given, int64_t seconds)
{
        struct ksa_credential credential;
        struct ksa_error error = {0};
        char what[128];
        enum ksa_reason reason;

        if (ksa_secret_length(given) == 0) {
                (void)ksa_fail(&error, KSA_NOT_A_TOKEN, "standard input is empty");
                log_cluster_failure(false, cluster, &error);
                return EXIT_DENIED;
        }
        const struct ksa_credential_renewal renewal = {cluster, &session->host.env, PATIENCE};
        reason = ksa_credential_init(&renewal, given, seconds, &credential, &error);
        if (reason == KSA_OK || reason == KSA_API_FORBIDDEN) {
                log_kept("stored", cluster, &session->host.env, &credential.token,
                         reason == KSA_OK ? NULL : &error);
        } else if (reason == KSA_API_UNAUTHORIZED) {
                (void)snprintf(what, sizeof(what), "cluster=\"%s\"", cluster->name);
                log_failure(false, what, &error,
                            error.remedy != NULL ? GIVE "; if the token is one, " ACCEPTS_NONE
                                                 : GIVE);
        } else {
                log_cluster_failure(false, cluster, &error);
        }
        ksa_credential_clear(&credential);
        return reason == KSA_OK ? EXIT_GOOD : EXIT_DENIED;
}

/* The cluster of that name, if it has a token that can be kept. */
static const struct ksa_cluster *find(const struct ksa_config *config, const char *name)
{
        const struct ksa_cluster *cluster = ksa_config_cluster(config, name);

        if (cluster == NULL)
                (void)fprintf(stderr, "ksactl: [cluster %s] is not configured\n", name);
        else if (cluster->credential_file == NULL || cluster->api_server == NULL)
                (void)fprintf(stderr, "ksactl: [cluster %s] needs api_server and credential_file\n",
                              name);
        else
                return cluster;
        return NULL;
}

static int credential_init(const struct args *arguments)
{
        const char *name = NULL, *config_file = NULL, *duration = NULL;
        const struct flag flags[] = {{"--config", &config_file, NULL},
                                     {"--duration", &duration, NULL}};
        struct session session;
        uint64_t seconds;
        int status = EXIT_BROKEN;

        if (!read_flags(arguments, flags, KSA_COUNT(flags), &name, 1))
                return EXIT_BROKEN;
        if (name == NULL || !ksa_text_duration(duration != NULL ? duration : LIFE,
                                               KSA_CREDENTIAL_LIFE_MIN, LIFE_MAX, &seconds)) {
                (void)fputs(name == NULL ? "ksactl: credential init requires the name of a "
                                           "cluster\n"
                                         : "ksactl: --duration takes 10m to 366d\n",
                            stderr);
                return EXIT_BROKEN;
        }
        if (!is_root("credential init"))
                return EXIT_BROKEN;
        if (open_session(&session, config_file)) {
                const struct ksa_cluster *cluster = find(session.config, name);
                struct ksa_secret *given = cluster == NULL ? NULL : read_token("-");

                if (given != NULL)
                        status = init(&session, cluster, given, (int64_t)seconds);
                ksa_secret_free(&given);
        }
        close_session(&session);
        return status;
}

/* --- renew ------------------------------------------------------------------ */

static bool renew_one(struct session *session, const struct ksa_cluster *cluster, bool if_due)
{
        struct ksa_credential credential;
        struct ksa_error error = {0};
        bool renewed = false;

        renew_session(session);
        const struct ksa_credential_renewal renewal = {cluster, &session->host.env, PATIENCE};
        enum ksa_reason reason =
                ksa_credential_renew(&renewal, if_due, &renewed, &credential, &error);
        if (renewed)
                log_kept("renewed", cluster, &session->host.env, &credential.token, NULL);
        if (reason != KSA_OK)
                log_cluster_failure(false, cluster, &error);
        ksa_credential_clear(&credential);
        return reason == KSA_OK;
}

static int renew(struct session *session, const char *const *names, size_t count, bool all,
                 bool if_due)
{
        const struct ksa_config *config = session->config;
        int status = EXIT_GOOD;

        for (size_t i = 0; i < count; i++) {
                if (find(config, names[i]) == NULL)
                        return EXIT_BROKEN;
        }
        for (size_t i = 0; i < (all ? config->counts[KSA_SECTION_CLUSTER] : count); i++) {
                const struct ksa_cluster *cluster =
                        all ? &config->clusters[i] : ksa_config_cluster(config, names[i]);

                if (cluster->credential_file != NULL && cluster->api_server != NULL &&
                    !renew_one(session, cluster, if_due))
                        status = EXIT_DENIED;
        }
        return status;
}

static int credential_renew(const struct args *arguments)
{
        const char *names[KSA_REFRESH_MAX] = {NULL}, *config_file = NULL;
        bool all = false, if_due = false;
        const struct flag flags[] = {{"--config", &config_file, NULL},
                                     {"--all", NULL, &all},
                                     {"--if-due", NULL, &if_due}};
        struct session session;
        size_t count = 0;
        int status = EXIT_BROKEN;

        if (!read_flags(arguments, flags, KSA_COUNT(flags), names, KSA_REFRESH_MAX))
                return EXIT_BROKEN;
        while (count < KSA_REFRESH_MAX && names[count] != NULL)
                count++;
        if (all == (count > 0)) {
                (void)fputs("ksactl: credential renew requires names of clusters, or --all\n",
                            stderr);
                return EXIT_BROKEN;
        }
        if (!is_root("credential renew"))
                return EXIT_BROKEN;
        if (open_session(&session, config_file))
                status = renew(&session, names, count, all, if_due);
        close_session(&session);
        return status;
}

/* --- The command ------------------------------------------------------------ */

static const struct subcommand subcommands[] = {
        {"init", credential_init}, {"show", credential_show}, {"renew", credential_renew}};

int command_credential(const struct args *arguments)
{
        return run_subcommand("credential", subcommands, KSA_COUNT(subcommands), arguments);
}
