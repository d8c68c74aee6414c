/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl credential show: whose a credential is and until when, and never the credential itself. */
#include <stdio.h>
#include <string.h>

#include "certificate.h"
#include "admin/credential/credential.h"
#include "base/text.h"
#include "ksactl.h"

static json_t *audiences_of(const struct ksa_token *token)
{
        json_t *array = json_array();

        for (size_t i = 0; i < token->audiences.count; i++)
                (void)json_array_append_new(array,
                                            json_string(ksa_list_text(&token->audiences, i)));
        return array;
}

static json_t *show_token(const struct ksa_cluster *cluster, const struct ksa_env *env,
                          enum ksa_reason *ret_reason)
{
        struct ksa_credential credential;
        struct ksa_error error = {0};
        const struct ksa_token *token = &credential.token;
        json_t *shown;

        *ret_reason = ksa_credential_read(cluster, env, &credential, &error);
        if (*ret_reason == KSA_OK) {
                bool over = token->exp.seconds <= env->now;

                *ret_reason = over ? KSA_EXPIRED : KSA_OK;

                shown = json_pack(
                        "{s:o, s:o, s:I, s:I, s:I, s:s?}", "account",
                        json_sprintf("%s/%s", token->namespace, token->account), "audiences",
                        audiences_of(token), "issued", (json_int_t)token->iat.seconds, "expires",
                        (json_int_t)token->exp.seconds, "due",
                        (json_int_t)ksa_credential_due(cluster, env, token), "problem",
                        over ? "expired: pipe a new token into ksactl credential init" : NULL);
        } else {
                shown = json_pack("{s:n, s:n, s:n, s:n, s:n, s:s}", "account", "audiences",
                                  "issued", "expires", "due", "problem", error.text);
        }
        ksa_credential_clear(&credential);
        return shown;
}

static json_t *show_certificate(const struct ksa_cluster *cluster, const struct ksa_env *env,
                                enum ksa_reason *ret_reason)
{
        struct certificate certificate;
        struct ksa_error error = {0};

        if (!read_certificate(cluster->client_cert_file, env, &certificate, &error)) {
                *ret_reason = error.reason;
                return json_pack("{s:n, s:n, s:n, s:n, s:n, s:s}", "account", "audiences", "issued",
                                 "expires", "due", "problem", error.text);
        }
        *ret_reason = certificate.until <= env->now ? KSA_EXPIRED : KSA_OK;
        return json_pack("{s:s, s:n, s:I, s:I, s:n, s:s?}", "account", certificate.subject,
                         "audiences", "issued", (json_int_t)certificate.from, "expires",
                         (json_int_t)certificate.until, "due", "problem",
                         certificate.until <= env->now ? "expired: replace the certificate and "
                                                         "its key"
                                                       : NULL);
}

json_t *show_credential(const struct ksa_cluster *cluster, const struct ksa_env *env,
                        enum ksa_reason *ret_reason)
{
        bool token = cluster->credential_file != NULL;
        json_t *shown;

        if (!token && cluster->client_cert_file == NULL)
                return NULL;
        shown = token ? show_token(cluster, env, ret_reason)
                      : show_certificate(cluster, env, ret_reason);
        (void)json_object_set_new(shown, "cluster", json_string(cluster->name));
        (void)json_object_set_new(
                shown, "file",
                json_string(token ? cluster->credential_file : cluster->client_cert_file));
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

static int show(struct session *session, const char *wanted, bool json)
{
        const struct ksa_config *config = session->config;
        json_t *all = json_array();
        int status = EXIT_GOOD;

        if (wanted != NULL && ksa_config_cluster(config, wanted) == NULL) {
                (void)fprintf(stderr, "ksactl: [cluster %s] is not configured\n", wanted);
                status = EXIT_BROKEN;
        }
        for (size_t i = 0; i < config->counts[KSA_SECTION_CLUSTER]; i++) {
                const struct ksa_cluster *cluster = &config->clusters[i];
                enum ksa_reason reason = KSA_OK;
                json_t *shown = wanted != NULL && strcmp(cluster->name, wanted) != 0
                                        ? NULL
                                        : show_credential(cluster, &session->host.env, &reason);

                if (shown == NULL)
                        continue;
                if (reason != KSA_OK)
                        status = EXIT_DENIED;
                if (!json)
                        print_credential(shown, session->host.env.now);
                (void)json_array_append_new(all, shown);
        }
        if (json && status != EXIT_BROKEN)
                return print_json_answer(json_pack("{s:o}", "credentials", all)) ? status
                                                                                 : EXIT_BROKEN;
        if (json_array_size(all) == 0 && status == EXIT_GOOD)
                (void)puts("no cluster has a credential_file or a client_cert_file");
        json_decref(all);
        return status;
}

int credential_show(const struct args *arguments)
{
        const char *wanted = NULL, *config_file = NULL;
        bool json = false;
        const struct flag flags[] = {{"--config", &config_file, NULL}, {"--json", NULL, &json}};
        struct session session;

        if (!read_flags(arguments, flags, KSA_COUNT(flags), &wanted, 1))
                return EXIT_BROKEN;
        int status =
                open_session(&session, config_file) ? show(&session, wanted, json) : EXIT_BROKEN;
        close_session(&session);
        return status;
}
