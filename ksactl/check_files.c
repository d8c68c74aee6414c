/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl check: the files of clusters, timers, and requirements that a service cannot meet. */
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "certificate.h"
#include "admin/credential/credential.h"
#include "admin/host/tool.h"
#include "base/file.h"
#include "check.h"
#include "config/rule.h"
#include "dependencies.h"

/* The limit of api.c. */
#define KEY_MAX ((size_t)64 * 1024)

/* --- Files ------------------------------------------------------------------ */

/* A file that cannot be read, or whose contents are not valid. */
static void report_file(struct report *report, const struct ksa_cluster *cluster,
                        const char *option, const struct ksa_error *error)
{
        /* Files that only root can read are not checked without root. */
        if (error->reason == KSA_FILE_UNREADABLE && geteuid() != 0)
                return;
        report_option(report, true, cluster, option, 0, remedy_of(error), "[cluster %s] %s: %s",
                      cluster->name, option, error->text);
}

/* This host's own certificate, or trust anchors. Logins NEED it or not. */
static void check_certificate(struct report *report, const struct ksa_cluster *cluster,
                              const struct ksa_env *env, const char *option, const char *path,
                              bool need)
{
        struct certificate certificate;
        struct ksa_error error = {0};
        char when[MOMENT_SIZE];

        if (path == NULL)
                return;
        if (!read_certificate(path, env, &certificate, &error)) {
                report_file(report, cluster, option, &error);
                return;
        }
        if (certificate.until <= env->now)
                report_option(
                        report, need, cluster, option, 0, "replace it with the current certificate",
                        "[cluster %s] %s: the certificate in %s (%s) expired at %s", cluster->name,
                        option, path, certificate.subject, moment(certificate.until, when));
        /* Trust anchors are readable for all; an authority's key is copied with them by mistake. */
        if (path != cluster->client_cert_file && certificate.has_private_key)
                report_option(
                        report, false, cluster, option, 0,
                        "remove the key from the file: anyone who can read it can impersonate "
                        "the server",
                        "[cluster %s] %s: %s has a private key", cluster->name, option, path);
}

static void check_key(struct report *report, const struct ksa_cluster *cluster,
                      const struct ksa_env *env)
{
        KSA_CLEANUP(ksa_secret_free) struct ksa_secret *key = NULL;
        struct ksa_error error = {0};

        if (cluster->client_key_file != NULL &&
            ksa_file_read_secret(cluster->client_key_file, env->owner, KEY_MAX, &key, &error) !=
                    KSA_OK)
                report_file(report, cluster, "client_key_file", &error);
}

/* --- The credential --------------------------------------------------------- */

/* An attacker who takes over a host holds a token of this account, and may request more. */
static void check_own_account(struct report *report, const struct ksa_config *config,
                              const struct ksa_cluster *cluster, const struct ksa_token *token)
{
        for (size_t i = 0; i < config->counts[KSA_SECTION_RULE]; i++) {
                const struct ksa_rule *rule = &config->rules[i];
                const struct ksa_pattern *patterns = rule->account.items;

                for (size_t n = 0; n < rule->account.count; n++) {
                        if (!ksa_pattern_covers(&patterns[n], cluster->name, token->namespace,
                                                token->account) ||
                            is_whole_cluster(&patterns[n]))
                                continue;
                        report_option(
                                report, false, rule, "account", n,
                                "name the namespaces: an attacker who controls one host could "
                                "log in to the others",
                                "[rule %s] also admits %s/%s, which is this host's own account",
                                rule->name, token->namespace, token->account);
                        break;
                }
        }
}

static void check_credential(struct report *report, const struct ksa_config *config,
                             const struct ksa_cluster *cluster, const struct ksa_env *env)
{
        bool asked = what_is_needed(config, cluster).asked;
        struct ksa_credential credential;
        struct ksa_error error = {0};
        char remedy[REMEDY_SIZE];

        if (cluster->credential_file == NULL)
                return;
        enum ksa_reason reason = ksa_credential_read(cluster, env, &credential, &error);
        if (reason == KSA_OK && credential.token.exp.seconds <= env->now)
                reason = ksa_fail(&error, KSA_EXPIRED, "%s has expired", cluster->credential_file);
        (void)ksa_remedy_of(GIVE_TOKEN, cluster->name, remedy);
        if (reason == KSA_FILE_MISSING || reason == KSA_EXPIRED || reason == KSA_NOT_A_TOKEN)
                report_option(report, asked && reason != KSA_NOT_A_TOKEN, cluster,
                              "credential_file", 0, remedy, "[cluster %s] credential_file: %s",
                              cluster->name, error.text);
        else if (reason != KSA_OK)
                report_file(report, cluster, "credential_file", &error);
        if (reason == KSA_OK)
                check_own_account(report, config, cluster, &credential.token);
        ksa_credential_clear(&credential);
}

void check_files(struct report *report, const struct ksa_config *config, const struct ksa_env *env)
{
        for (size_t i = 0; i < config->counts[KSA_SECTION_CLUSTER]; i++) {
                const struct ksa_cluster *cluster = &config->clusters[i];

                check_certificate(report, cluster, env, "api_ca_file", cluster->api_ca_file, false);
                check_certificate(report, cluster, env, "keys_ca_file", cluster->keys_ca_file,
                                  false);
                check_certificate(report, cluster, env, "client_cert_file",
                                  cluster->client_cert_file, what_is_needed(config, cluster).asked);
                check_key(report, cluster, env);
                check_credential(report, config, cluster, env);
        }
}

/* --- Requests --------------------------------------------------------------- */

/* ksa-fetch, which becomes _ksa, sends all requests: for keys, reviews and credentials. Reported once. */
void check_fetcher(struct report *report, const struct ksa_config *config,
                   const struct ksa_fetch_process *fetch)
{
        const struct ksa_cluster *cluster = NULL;

        for (size_t i = config->counts[KSA_SECTION_CLUSTER]; i-- > 0;) {
                if (ksa_cluster_key_file(&config->clusters[i]) == NULL ||
                    what_is_needed(config, &config->clusters[i]).asked)
                        cluster = &config->clusters[i];
        }
        if (cluster != NULL && getpwnam("_ksa") == NULL)
                report_at(report, true, &cluster->location,
                          "run systemd-sysusers, which creates the user from ksa's sysusers.d",
                          "[cluster %s] needs ksa-fetch, but the user _ksa does not exist",
                          cluster->name);
        if (cluster != NULL && access(fetch->fetch_program, X_OK) != 0)
                report_at(report, true, &cluster->location, "reinstall ksa",
                          "[cluster %s] needs %s, which cannot be run", cluster->name,
                          fetch->fetch_program);
}

/* --- Requirements ----------------------------------------------------------- */

/* Looks for a mark that does not exist: an error of its directory applies to all marks. */
static void check_marks(struct report *report, const struct ksa_rule *rule,
                        const struct ksa_env *env)
{
        struct ksa_error error = {0};
        char path[PATH_MAX];

        if (!rule->once || geteuid() != 0)
                return;
        (void)snprintf(path, sizeof(path), "%s/0-check", env->used_dir);
        if (ksa_file_mark(path, env->owner, true, &error) != KSA_OK)
                report_option(
                        report, true, rule, "once", 0, remedy_of(&error),
                        "[rule %s] has once = yes, but the use of tokens cannot be recorded: %s",
                        rule->name, error.text);
}

/* check_marks() reports a directory that cannot be used. */
void check_sweep(struct report *report, const struct ksa_config *config, const struct ksa_env *env)
{
        const struct ksa_rule *rule = rule_with_once(config);
        const struct ksa_location nowhere = {.file = ""};
        struct finding marks = {0};

        find_marks(config, env, &marks);
        if (marks.level == SOON)
                report_finding(report, false, rule != NULL ? &rule->location : &nowhere, &marks);
        json_decref(marks.facts);
}

static void check_timer(struct report *report, const struct ksa_location *location,
                        const char *timer, const char *what)
{
        char remedy[TIMER_REMEDY_SIZE];

        if (!timer_runs(timer, remedy))
                report_at(report, false, location, remedy, "%s is not enabled, so nothing %s",
                          timer, what);
}

void check_timers(struct report *report, const struct ksa_config *config)
{
        if (!ksa_tool_systemd_runs())
                return;
        for (size_t i = 0; i < config->counts[KSA_SECTION_CLUSTER]; i++) {
                const struct ksa_cluster *cluster = &config->clusters[i];
                const struct need need = what_is_needed(config, cluster);

                if (ksa_cluster_key_file(cluster) == NULL)
                        check_timer(report, &cluster->location, "ksa-keys.timer",
                                    "refreshes the cluster's keys before a login needs them");
                if (cluster->credential_file != NULL && cluster->api_server != NULL)
                        check_timer(report, &cluster->location, "ksa-credential.timer",
                                    "renews credential_file");
                if (need.source != NULL && cluster->api_server != NULL)
                        check_timer(report, &need.source->location, "ksa-accounts.timer",
                                    "lists the cluster's accounts");
        }
}

void check_requirements(struct report *report, const struct ksa_config *config,
                        const struct ksa_env *env)
{
        for (size_t i = 0; i < config->counts[KSA_SECTION_RULE]; i++) {
                const struct ksa_rule *rule = &config->rules[i];
                const char *remedy, *requirement = what_needs_root(config, rule, &remedy);

                check_marks(report, rule, env);
                for (size_t n = 0; requirement != NULL && n < rule->service.count; n++) {
                        const char *name = ksa_list_text(&rule->service, n);

                        if (runs_without_root(config, name))
                                report_option(
                                        report, false, rule, "service", n, remedy,
                                        "[rule %s] requires %s, which %s cannot check without "
                                        "root: every login is refused",
                                        rule->name, requirement, name);
                }
        }
}
