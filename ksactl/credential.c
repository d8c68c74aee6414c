/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl credential: this host's credentials for API servers. A token is only written to its file. */
#include "admin/credential/credential.h"

#include <stdio.h>
#include <syslog.h>

#include "base/text.h"
#include "certificate.h"
#include "ksactl.h"

/* Milliseconds for one cluster. */
#define PATIENCE 30000
/* A host keeps such a token if the API server is down for half a day. */
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

/* Remedies for 401; the second applies if the token was issued just now (api.h). */
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

/* Whether the cluster has an API server and a file for its token. If not, a message unless QUIET. */
static bool can_keep(const struct ksa_cluster *cluster, bool quiet)
{
        const bool can = cluster->credential_file != NULL && cluster->api_server != NULL;

        if (!can && !quiet)
                (void)fprintf(stderr, "ksactl: [cluster %s] needs api_server and credential_file\n",
                              cluster->name);
        return can;
}

int credential_init(const struct args *arguments)
{
        const char *duration = arguments->options[OPTION_DURATION];
        KSA_CLEANUP(close_session) struct session session = {.config = NULL};
        KSA_CLEANUP(ksa_secret_free) struct ksa_secret *given = NULL;
        uint64_t seconds;

        if (!ksa_text_duration(duration != NULL ? duration : LIFE, KSA_CREDENTIAL_LIFE_MIN,
                               LIFE_MAX, &seconds)) {
                (void)fputs("ksactl: --duration takes 10m to 366d\n", stderr);
                return EXIT_BROKEN;
        }
        if (!is_root("credential init") ||
            !open_session(&session, arguments->options[OPTION_CONFIG]))
                return EXIT_BROKEN;
        const struct ksa_cluster *cluster = find_cluster(session.config, arguments->names[0]);
        if (cluster == NULL || !can_keep(cluster, false) || (given = read_token("-")) == NULL)
                return EXIT_BROKEN;
        return init(&session, cluster, given, (int64_t)seconds);
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

static int renew(struct session *session, const struct selection *selection, bool if_due)
{
        const struct ksa_config *config = session->config;
        int status = EXIT_GOOD;

        for (size_t i = 0; i < config->counts[KSA_SECTION_CLUSTER]; i++) {
                if (!selection->all && is_selected(selection, &config->clusters[i]) &&
                    !can_keep(&config->clusters[i], false))
                        return EXIT_BROKEN;
        }
        for (size_t i = 0; i < config->counts[KSA_SECTION_CLUSTER]; i++) {
                const struct ksa_cluster *cluster = &config->clusters[i];

                if (is_selected(selection, cluster) && can_keep(cluster, true) &&
                    !renew_one(session, cluster, if_due))
                        status = EXIT_DENIED;
        }
        return status;
}

int credential_renew(const struct args *arguments)
{
        struct selection selection;
        KSA_CLEANUP(close_session) struct session session = {.config = NULL};

        if (!read_selection(arguments, "credential renew", &selection) ||
            !is_root("credential renew") ||
            !open_session(&session, arguments->options[OPTION_CONFIG]) ||
            !is_selection_known(&selection, session.config))
                return EXIT_BROKEN;
        return renew(&session, &selection, has_option(arguments, OPTION_IF_DUE));
}

/* --- show ------------------------------------------------------------------- */

static json_t *audiences_of(const struct ksa_token *token)
{
        json_t *array = json_array();

        for (size_t i = 0; i < token->audiences.count; i++)
                (void)json_array_append_new(array,
                                            json_string(ksa_list_text(&token->audiences, i)));
        return array;
}

/* NULL, with the error in ERR, if it cannot be read. */
static json_t *show_token(const struct ksa_cluster *cluster, const struct ksa_env *env,
                          struct ksa_error *err)
{
        KSA_CLEANUP(ksa_credential_clear) struct ksa_credential credential;
        const struct ksa_token *token = &credential.token;

        if (ksa_credential_read(cluster, env, &credential, err) != KSA_OK)
                return NULL;
        return json_pack("{s:o, s:o, s:I, s:I, s:I}", "account",
                         json_sprintf("%s/%s", token->namespace, token->account), "audiences",
                         audiences_of(token), "issued", (json_int_t)token->iat.seconds, "expires",
                         (json_int_t)token->exp.seconds, "due",
                         (json_int_t)ksa_credential_due(cluster, env, token));
}

static json_t *show_certificate(const struct ksa_cluster *cluster, const struct ksa_env *env,
                                struct ksa_error *err)
{
        struct certificate certificate;

        if (!read_certificate(cluster->client_cert_file, env, &certificate, err))
                return NULL;
        return json_pack("{s:s, s:n, s:I, s:I, s:n}", "account", certificate.subject, "audiences",
                         "issued", (json_int_t)certificate.from, "expires",
                         (json_int_t)certificate.until, "due");
}

json_t *show_credential(const struct ksa_cluster *cluster, const struct ksa_env *env,
                        enum ksa_reason *ret_reason)
{
        const bool token = cluster->credential_file != NULL;
        const char *file = token ? cluster->credential_file : cluster->client_cert_file;
        const char *problem = NULL;
        struct ksa_error error = {.reason = KSA_OK};

        if (file == NULL)
                return NULL;
        json_t *shown = (token ? show_token : show_certificate)(cluster, env, &error);
        if (shown == NULL) {
                problem = error.text;
                shown = json_pack("{s:n, s:n, s:n, s:n, s:n}", "account", "audiences", "issued",
                                  "expires", "due");
        } else if (json_integer_value(json_object_get(shown, "expires")) <= env->now) {
                error.reason = KSA_EXPIRED;
                problem = token ? "expired: pipe a new token into ksactl credential init"
                                : "expired: replace the certificate and its key";
        }
        *ret_reason = error.reason;
        (void)json_object_set_new(shown, "problem", problem ? json_string(problem) : json_null());
        (void)json_object_set_new(shown, "cluster", json_string(cluster->name));
        (void)json_object_set_new(shown, "file", json_string(file));
        return shown;
}

static void print_moment(const char *name, const json_t *value, int64_t now)
{
        int64_t seconds = json_integer_value(value);
        char when[MOMENT_SIZE], distance[KSA_SPAN_SIZE];

        if (!json_is_integer(value))
                return;
        bool is_over = seconds <= now;

        (void)ksa_text_span(is_over ? now - seconds : seconds - now, distance);
        (void)printf("  %-9s %s (%s%s%s)\n", name, moment(seconds, when), is_over ? "" : "in ",
                     distance, is_over ? " ago" : "");
}

static void print_credential(const json_t *shown, int64_t now)
{
        const char *account = json_string_value(json_object_get(shown, "account"));
        const char *problem = json_string_value(json_object_get(shown, "problem"));
        const json_t *audiences = json_object_get(shown, "audiences");

        (void)printf("%s (%s)\n", json_string_value(json_object_get(shown, "cluster")),
                     json_string_value(json_object_get(shown, "file")));
        if (account != NULL)
                (void)printf("  %-9s %s\n", "account", account);
        for (size_t i = 0; i < json_array_size(audiences); i++) {
                char quoted[KSA_QUOTED_SIZE];

                (void)printf("  %-9s %s\n", "audience",
                             ksa_text_quote(json_string_value(json_array_get(audiences, i)), quoted,
                                            sizeof(quoted)));
        }
        print_moment("issued", json_object_get(shown, "issued"), now);
        print_moment("expires", json_object_get(shown, "expires"), now);
        print_moment("due", json_object_get(shown, "due"), now);
        if (problem != NULL)
                (void)printf("  %s\n", problem);
}

static json_t *show(const struct ksa_cluster *cluster, const struct ksa_env *env, bool *ret_good)
{
        enum ksa_reason reason = KSA_OK;
        json_t *shown = show_credential(cluster, env, &reason);

        *ret_good = reason == KSA_OK;
        return shown;
}

int credential_show(const struct args *arguments)
{
        return show_clusters(arguments, "credentials", show, print_credential,
                             "no cluster has a credential_file or a client_cert_file");
}
