/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl check: every problem of the configuration, before a login meets it. */
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check_host.h"
#include "base/text.h"
#include "shadowed_rules.h"
#include "dependencies.h"
#include "token/claims.h"
#include "token/keyset.h"

/* Rules compared with all before them, at most: a thousand rules are half a million pairs. */
#define COMPARED_MAX 2000

/* --- Problems ----------------------------------------------------------------- */

/* Room for a text, or the path of a file. */
enum { SHOWN_SIZE = 4608 };

/*
 * Copies TEXT with ? for control characters and, if it is not UTF-8, for all others outside ASCII: names of
 * files and their contents may have any bytes.
 */
static const char *show(const char *text, char out[SHOWN_SIZE])
{
        (void)snprintf(out, SHOWN_SIZE, "%s", text);
        json_t *json = json_string(out); /* NULL for other encodings */
        for (char *c = out; *c != '\0'; c++) {
                const unsigned char byte = (unsigned char)*c;

                if (byte < ' ' || byte == 0x7f || (byte >= 0x80 && json == NULL))
                        *c = '?';
        }
        json_decref(json);
        return out;
}

void report_named(struct report *report, const char *name, bool is_error, const char *file,
                  unsigned line, const char *text, const char *remedy)
{
        int status = is_error ? EXIT_BROKEN : EXIT_DENIED;
        char colored[COLORED_SIZE], shown[3][SHOWN_SIZE];

        file = show(file, shown[0]);
        text = show(text, shown[1]);
        remedy = show(remedy, shown[2]);

        if (report->status < status)
                report->status = status;
        (void)json_array_append_new(report->problems,
                                    json_pack("{s:s?, s:s, s:s?, s:o, s:s, s:s?}", "check", name,
                                              "severity", is_error ? "error" : "warning", "file",
                                              *file != '\0' ? file : NULL, "line",
                                              line != 0 ? json_integer(line) : json_null(), "text",
                                              text, "remedy", *remedy != '\0' ? remedy : NULL));
        if (report->json)
                return;
        const char *const severity = is_error ? in_color(COLOR_RED, "error", colored)
                                              : in_color(COLOR_YELLOW, "warning", colored);
        if (*file != '\0')
                (void)printf("%s:", file);
        if (line != 0)
                (void)printf("%u:", line);
        (void)printf("%s%s: %s\n", *file != '\0' ? " " : "", severity, text);
        if (*remedy != '\0')
                (void)printf("    %s\n", remedy);
}

void report_problem(struct report *report, bool is_error, const char *file, unsigned line,
                    const char *text, const char *remedy)
{
        report_named(report, NULL, is_error, file, line, text, remedy);
}

void report_at(struct report *report, bool is_error, const struct ksa_location *location,
               const char *remedy, const char *format, ...)
{
        char text[1024];
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        report_problem(report, is_error, location->file, location->line, text, remedy);
}

void report_finding(struct report *report, bool is_error, const struct ksa_location *location,
                    const struct finding *finding)
{
        if (finding->level != WELL)
                report_at(report, is_error, location, finding->remedy, "%s", finding->problem);
}

const char *remedy_of(const struct ksa_error *error)
{
        const char *remedy = ksa_error_remedy(error);

        if (remedy != NULL)
                return remedy;
        if (error->reason == KSA_FILE_MISSING)
                return "create the file, or correct its name";
        if (error->reason == KSA_FILE_UNSAFE)
                return "put a regular file of root in its place";
        if (error->reason == KSA_FILE_UNREADABLE)
                return geteuid() == 0 ? "correct the file" : "run ksactl check as root";
        return ksa_reason_remedy(error->reason);
}

/* The text without the path of its file, which is printed before it. */
static void report_loader(void *context, const struct ksa_error *problem)
{
        const size_t length = strlen(problem->file);
        const char *text = problem->text;
        char shorter[KSA_ERROR_SIZE];

        if (problem->line == 0 && length > 0 && strncmp(text, problem->file, length) == 0) {
                bool is_part = strncmp(text + length, ": ", 2) == 0;

                (void)snprintf(shorter, sizeof(shorter), "%s%s", is_part ? "" : "the file",
                               text + length + (is_part ? 2 : 0));
                text = shorter;
        }
        report_problem(context, true, problem->file, problem->line, text, remedy_of(problem));
}

/* --- Key sets ----------------------------------------------------------------- */

static void check_entries(struct report *report, const struct ksa_cluster *cluster,
                          const struct ksa_keyset *keyset)
{
        size_t usable = 0;

        for (size_t i = 0; i < ksa_keyset_count(keyset); i++) {
                struct ksa_error error = {0};
                struct ksa_jwk jwk;
                EVP_PKEY *key = NULL;
                const char *kid;
                char quoted[300];

                if (ksa_keyset_entry(keyset, i, &kid, &jwk, &error) == KSA_OK &&
                    ksa_jwk_key(&jwk, &key, &error) == KSA_OK)
                        usable++;
                else
                        report_option(report, false, cluster, "keys", 0,
                                      "remove or replace this key: no login can use it",
                                      "[cluster %s] skips key \"%s\": %s", cluster->name,
                                      ksa_text_quote(kid, quoted, sizeof(quoted)), error.text);
                EVP_PKEY_free(key);
        }
        if (usable == 0)
                report_option(report, true, cluster, "keys", 0,
                              "correct the key set: every login of this cluster is refused",
                              "[cluster %s] has no usable key", cluster->name);
}

/* Key sets are readable for all. */
static void check_private(struct report *report, const struct ksa_cluster *cluster,
                          const struct ksa_keyset *keyset)
{
        const char *kid = ksa_keyset_private_kid(keyset);
        char quoted[KSA_VERIFIED_SIZE];

        if (kid != NULL)
                report_option(
                        report, false, cluster, "keys", 0,
                        "remove the private part: anyone who can read it can sign tokens of this "
                        "cluster",
                        "[cluster %s] keys: the set has a private key, kid \"%s\"", cluster->name,
                        ksa_text_quote(kid, quoted, sizeof(quoted)));
}

static bool share_issuer(const struct ksa_cluster *left, const struct ksa_cluster *right)
{
        for (size_t i = 0; i < left->issuer.count; i++) {
                if (ksa_list_has(&right->issuer, ksa_list_text(&left->issuer, i)))
                        return true;
        }
        return false;
}

static void check_twins(struct report *report, const struct ksa_cluster *cluster,
                        const struct ksa_keyset *keyset, const struct ksa_cluster *other,
                        const struct ksa_keyset *other_keyset)
{
        for (size_t i = 0; i < ksa_keyset_count(keyset); i++) {
                struct ksa_jwk jwk;
                const char *kid;

                if (ksa_keyset_entry(keyset, i, &kid, &jwk, NULL) == KSA_OK &&
                    ksa_keyset_find(other_keyset, kid, &jwk, NULL) == KSA_OK)
                        report_option(report, true, cluster, "keys", 0,
                                      "remove one of the clusters: tokens of this key are refused",
                                      "kid \"%.200s\" is in the sets of [cluster %s] and [cluster "
                                      "%s], which share an issuer",
                                      kid, other->name, cluster->name);
        }
}

/* A set that is fetched may still arrive: the first login waits for it. */
static void report_no_set(struct report *report, const struct ksa_cluster *cluster,
                          const struct ksa_error *error)
{
        bool may_come = ksa_cluster_key_file(cluster) == NULL &&
                        (error->reason == KSA_KEYS_UNUSABLE || error->reason == KSA_KEYS_STALE);
        char remedy[256] = "correct the key set: every login of this cluster is refused";
        const char *file = ksa_cluster_key_file(cluster);

        if (error->reason == KSA_FILE_UNSAFE)
                (void)snprintf(remedy, sizeof(remedy), "%s", remedy_of(error));
        else if (file != NULL && strstr(error->text, "keys convert") != NULL)
                (void)snprintf(remedy, sizeof(remedy),
                               "run ksactl keys convert %s, and name its output", file);
        else if (file != NULL && error->reason == KSA_KEYS_UNUSABLE)
                (void)snprintf(remedy, sizeof(remedy),
                               "write the output of kubectl get --raw /openid/v1/jwks to the file; "
                               "until then every login of this cluster is refused");
        if (error->reason == KSA_FILE_MISSING)
                (void)snprintf(remedy, sizeof(remedy),
                               "put the output of kubectl get --raw /openid/v1/jwks there; until "
                               "then every login of this cluster is refused");
        if (may_come)
                (void)snprintf(remedy, sizeof(remedy),
                               "run ksactl keys refresh %s; otherwise the first login waits for a "
                               "refresh, and a service without root refuses all logins",
                               cluster->name);
        if (may_come && discovers_internally(cluster))
                return; /* check_values() has the reason */
        bool is_named = file == NULL || strstr(error->text, file) != NULL;
        report_option(report, !may_come, cluster, "keys", 0, remedy, "[cluster %s]: %s%s%s",
                      cluster->name, is_named ? "" : file, is_named ? "" : ": ", error->text);
}

static void check_keys(struct report *report, const struct ksa_config *config,
                       const struct ksa_env *env)
{
        size_t count = config->counts[KSA_SECTION_CLUSTER];
        struct ksa_keyset **sets = calloc(count + 1, sizeof(struct ksa_keyset *));

        for (size_t i = 0; sets != NULL && i < count; i++) {
                const struct ksa_cluster *cluster = &config->clusters[i];
                struct ksa_error error = {0};

                if (ksa_keyset_open(cluster, env, &sets[i], &error) != KSA_OK) {
                        report_no_set(report, cluster, &error);
                        continue;
                }
                check_entries(report, cluster, sets[i]);
                check_private(report, cluster, sets[i]);
                for (size_t n = 0; n < i; n++) {
                        if (sets[n] != NULL && share_issuer(cluster, &config->clusters[n]))
                                check_twins(report, cluster, sets[i], &config->clusters[n],
                                            sets[n]);
                }
        }
        for (size_t i = 0; sets != NULL && i < count; i++)
                ksa_keyset_free(&sets[i]);
        free(sets);
}

/* --- Rules -------------------------------------------------------------------- */

static void report_weaker(struct report *report, const struct ksa_rule *earlier,
                          const struct ksa_rule *later, const char *option)
{
        char remedy[KSA_REMEDY_MAX + 1];

        (void)snprintf(remedy, sizeof(remedy),
                       "move this rule before [rule %s], or add the same %s there", earlier->name,
                       option);
        report_option(report, false, later, option, 0, remedy,
                      "[rule %s] has %s, but [rule %s] in %s line %u matches some of its logins "
                      "first, and has not",
                      later->name, option, earlier->name, earlier->location.file,
                      earlier->location.line);
}

static void check_reach(struct report *report, const struct ksa_config *config, size_t position)
{
        const struct ksa_rule *later = &config->rules[position], *weaker = NULL;
        const char *option = NULL;

        for (size_t i = 0; i < position && position < COMPARED_MAX; i++) {
                const struct ksa_rule *earlier = &config->rules[i];

                if (rule_covers(earlier, later)) {
                        report_at(
                                report, false, &later->location,
                                "remove this rule, or move it before the other",
                                "[rule %s] is never reached: [rule %s] in %s line %u matches first",
                                later->name, earlier->name, earlier->location.file,
                                earlier->location.line);
                        return;
                }
                if (option == NULL) {
                        option = rule_weakens(config, earlier, later);
                        weaker = earlier;
                }
        }
        if (option != NULL)
                report_weaker(report, weaker, later, option);
}

static void check_rules(struct report *report, const struct ksa_config *config,
                        const struct ksa_env *env)
{
        for (size_t i = 0; i < config->counts[KSA_SECTION_RULE]; i++) {
                check_users(report, config, env, &config->rules[i]);
                check_reach(report, config, i);
        }
        if (config->counts[KSA_SECTION_RULE] == 0)
                report_problem(report, false, env->config_file, 0,
                               "the configuration has no [rule], so no login is allowed",
                               "add [rule NAME] with account, user and service");
}

/* --- Audiences ---------------------------------------------------------------- */

bool is_api_audience(const struct ksa_config *config, const char *audience)
{
        if (ksa_is_api_audience(audience))
                return true;
        for (size_t i = 0; i < config->counts[KSA_SECTION_CLUSTER]; i++) {
                const char *server = config->clusters[i].api_server;

                if (server != NULL && strcmp(audience, server) == 0)
                        return true;
        }
        return false;
}

static void check_audiences(struct report *report, const struct ksa_config *config,
                            const void *section, const struct ksa_list *audiences)
{
        for (size_t i = 0; i < audiences->count; i++) {
                const char *audience = ksa_list_text(audiences, i);

                if (is_api_audience(config, audience))
                        report_option(report, false, section, "audience", i,
                                      "use an audience of this host, such as ssh://HOST",
                                      "audience %s is an API server's: a host that receives such a "
                                      "token can use it against the cluster",
                                      audience);
        }
}

static void check_services(struct report *report, const struct ksa_config *config)
{
        check_audiences(report, config, &config->host, &config->host.audience);
        for (size_t i = 0; i < config->counts[KSA_SECTION_SERVICE]; i++)
                check_audiences(report, config, &config->services[i],
                                &config->services[i].audience);
        for (size_t i = 0; i < config->counts[KSA_SECTION_RULE]; i++) {
                const struct ksa_rule *rule = &config->rules[i];

                for (size_t n = 0; n < rule->service.count; n++) {
                        const char *name = ksa_list_text(&rule->service, n);
                        const struct ksa_service *service = ksa_config_service(config, name);

                        if (runs_without_root(config, name) &&
                            (service == NULL || service->audience.count == 0))
                                report_option(
                                        report, false, rule, "service", n,
                                        "add [service postgresql] with an audience",
                                        "[rule %s]: %s runs without root and shares the host's "
                                        "audience, so every login is refused",
                                        rule->name, name);
                }
        }
}

/* --- The command -------------------------------------------------------------- */

static int finish(struct report *report)
{
        size_t count = json_array_size(report->problems);

        if (!report->json) {
                char colored[COLORED_SIZE];

                if (count == 0)
                        (void)puts(in_color(COLOR_GREEN, "no problem found", colored));
                json_decref(report->problems);
                return report->status;
        }
        static const char *const results[] = {"clean", "warnings", "errors"};
        json_t *answer = json_pack("{s:s, s:o}", "result", results[report->status], "problems",
                                   report->problems);
        return print_json_answer(answer) ? report->status : EXIT_BROKEN;
}

/* All checks; those of the host only WITH_HOST. */
static void check_configuration(struct report *report, const struct ksa_config *config,
                                const struct ksa_host_env *host, bool with_host)
{
        check_keys(report, config, &host->env);
        check_files(report, config, &host->env);
        check_urls(report, config);
        check_values(report, config, with_host);
        check_directory(report, host->env.config_file);
        check_rules(report, config, &host->env);
        check_services(report, config);
        check_fetcher(report, config, &host->fetch);
        check_requirements(report, config, &host->env);
        check_sweep(report, config, &host->env);
        check_timers(report, config);
        check_accounts(report, config, &host->env);
        check_sshd(report, config);
        if (with_host)
                check_host(report, config, &host->env);
}

bool check_finds_errors(const struct ksa_config *config, const struct ksa_host_env *host,
                        bool with_pam)
{
        struct report report = {.problems = json_array(), .json = true};

        check_configuration(&report, config, host, false);
        if (with_pam)
                check_host_pam(&report, config);
        json_decref(report.problems);
        return report.status == EXIT_BROKEN;
}

int command_check(const struct args *arguments)
{
        struct report report = {.problems = json_array(),
                                .json = has_option(arguments, OPTION_JSON)};
        const bool fix = has_option(arguments, OPTION_FIX),
                   with_host = fix || has_option(arguments, OPTION_HOST);
        const struct ksa_diagnostic_handler handler = {report_loader, &report};
        struct ksa_host_env host;
        struct ksa_config *config = NULL;
        char *path = NULL;

        if ((with_host && !is_root("check --host")) ||
            !fill_host(&host, arguments->options[OPTION_CONFIG], &path)) {
                json_decref(report.problems);
                return EXIT_BROKEN;
        }
        if (fix)
                fix_modes(&report, &host.env);
        if (ksa_config_load(&host.env, &handler, &config, NULL) == KSA_OK) {
                check_configuration(&report, config, &host, with_host);
        }
        ksa_config_free(&config);
        free(path);
        return finish(&report);
}
