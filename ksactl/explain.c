/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl explain: the decision of a login, step by step, without a login. */
#include "login/report.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "explain_user.h"
#include "ksactl.h"
#include "login/login.h"
#include "dependencies.h"

/* Seconds for which kubectl create token makes a token. */
#define KUBECTL_LIFE 3600
/* A uid other than root's: of a service without root, and of the user who starts sudo. */
#define NOBODY 65534

#define COMMAND_SIZE 1024

struct question {
        const char *token_file, *user, *service, *rhost, *service_user;
        uid_t service_uid; /* of service_user */
        bool json, offline;
        bool user_chosen; /* the user is not from --user */
        char chosen[CHOSEN_SIZE];
        const struct ksa_config *config;
        const struct ksa_env *env;
        const struct ksa_secret *token;
        struct ksa_token claimed; /* its claims, also if the decision ends before they count */
        bool is_readable;
        char command[COMMAND_SIZE]; /* that makes the right token */
        struct ksa_managed_user own;
        struct ksa_attempt attempt;
        struct ksa_decision decision;
};

/* --- The question ------------------------------------------------------------ */

static void look_up(struct question *question)
{
        struct ksa_attempt *attempt = &question->attempt;
        const struct passwd *user = getpwnam(attempt->user);

        attempt->local = ksa_local_user_of(user);
        ksa_local_user_look_up(question->env, attempt->user, &attempt->local, &question->own);
}

/* The command for the right token. Names of Kubernetes need no quotes in a shell, and no audience has one. */
static void write_command(struct question *question)
{
        const struct ksa_decision *d = &question->decision;
        const struct ksa_token *token = &d->token;
        const bool is_audience = d->reason == KSA_WRONG_AUDIENCE || d->reason == KSA_NO_AUDIENCE ||
                                 d->reason == KSA_SEVERAL_AUDIENCES;
        const uint64_t max = question->config->host.max_lifetime;
        char duration[40] = "";

        if (!is_audience || d->accepted->count == 0 || token->namespace == NULL ||
            token->account == NULL || !ksa_is_dns_label(token->namespace) ||
            !ksa_is_dns_subdomain(token->account))
                return;
        if (max < KUBECTL_LIFE)
                (void)snprintf(duration, sizeof(duration), " --duration %llus",
                               (unsigned long long)max);
        const char *audience = ksa_list_text(d->accepted, 0);
        (void)snprintf(
                question->command, sizeof(question->command),
                "kubectl create token %s -n %s --audience '%s'%s; in a Pod, mount a projected "
                "serviceAccountToken with audience: %s",
                token->account, token->namespace, audience, duration, audience);
}

static void ask(struct question *question)
{
        if (question->user == NULL && choose_user(question->config, question->env, question->token,
                                                  question->service, question->chosen)) {
                question->user = question->chosen;
                question->user_chosen = true;
        }
        question->is_readable =
                ksa_token_parse(question->token, &question->claimed, NULL) == KSA_OK;
        bool given = question->service_user != NULL;
        uid_t uid = given                                                    ? question->service_uid
                    : runs_without_root(question->config, question->service) ? NOBODY
                                                                             : 0;
        question->attempt = (struct ksa_attempt){
                .token = question->token,
                .user = question->user != NULL ? question->user : "",
                .service = question->service,
                .rhost = question->rhost,
                .effective_uid = uid,
                .real_uid = !given && ksa_service_is_local(question->service) ? NOBODY : uid,
        };
        look_up(question);
        ksa_login(question->config, question->env, &question->attempt, &question->decision);
        write_command(question);
}

/* --- Rules: why not ----------------------------------------------------------- */

/* A pattern that would cover the account if it were not "default". */
static bool has_star(const struct ksa_rule *rule, const struct ksa_candidate *candidate)
{
        const struct ksa_pattern *patterns = rule->account.items;

        for (size_t i = 0; i < rule->account.count; i++) {
                if (strcmp(patterns[i].name, "*") == 0 &&
                    ksa_pattern_covers(&patterns[i], candidate->cluster, candidate->namespace, "x"))
                        return true;
        }
        return false;
}

/* The condition of RULE that does not match CANDIDATE, in the terms of this command. */
static const char *condition_text(const struct question *question, const struct ksa_rule *rule,
                                  const struct ksa_candidate *candidate, enum ksa_condition failed)
{
        if (failed == KSA_CONDITION_ACCOUNT && strcmp(candidate->account, "default") == 0 &&
            has_star(rule, candidate))
                return "is for another account: * does not cover the account default";
        if (failed == KSA_CONDITION_USER && question->own.broken != NULL &&
            ksa_list_has(&rule->user, "@own"))
                return "was not tested: @own needs the registry, which cannot be used";
        if (failed == KSA_CONDITION_FROM_NAME && *question->rhost == '\0')
                return "has from, but --rhost was not given";
        return ksa_condition_text(failed);
}

/* Why rules cannot be tested with the claims of the token; NULL if they can. */
static const char *untestable(const struct question *question)
{
        const struct ksa_token *token = &question->claimed;

        if (!question->is_readable)
                return "was not tested: the token cannot be read";
        if (token->iss == NULL)
                return "was not tested: the token does not name an issuer";
        if (token->namespace == NULL || token->account == NULL || token->account_uid == NULL)
                return "was not tested: the token does not name an account";
        return NULL;
}

/*
 * Tests a rule again. If the decision ended before the cluster was known, it is tested for each cluster that
 * has the issuer of the token.
 */
static const char *why_not(const struct question *question, const struct ksa_rule *rule)
{
        const struct ksa_decision *d = &question->decision;
        enum ksa_condition failed = KSA_CONDITION_NONE, closest = KSA_CONDITION_NONE;
        struct ksa_decision probe = *d;
        struct ksa_candidate candidate;
        const char *why = untestable(question);

        if (why != NULL)
                return why;
        why = "was not tested: no cluster has the issuer of the token";
        probe.token = question->claimed;
        for (size_t i = 0; i < question->config->counts[KSA_SECTION_CLUSTER]; i++) {
                probe.cluster = &question->config->clusters[i];
                if (d->cluster != NULL
                            ? d->cluster != probe.cluster
                            : !ksa_list_has(&probe.cluster->issuer, question->claimed.iss))
                        continue;
                ksa_decision_candidate(&probe, &question->attempt, &candidate);
                if (ksa_rule_matches(rule, &candidate, &failed))
                        return ksa_condition_text(KSA_CONDITION_NONE);
                if (failed > closest) {
                        closest = failed;
                        why = condition_text(question, rule, &candidate, failed);
                }
        }
        return why;
}

/* --- --offline ---------------------------------------------------------------- */

/* Whether only the answer of the cluster was missing. */
static bool ended_offline(const struct question *question)
{
        return question->offline && question->decision.reason == KSA_API_UNREACHABLE;
}

/* Whether the service has a rule for the users that ksa created. */
static bool has_own_rule(const struct question *question)
{
        const char *service = ksa_service_in_rules(question->service);

        for (size_t i = 0; i < question->config->counts[KSA_SECTION_RULE]; i++) {
                const struct ksa_rule *rule = &question->config->rules[i];

                if (ksa_list_has(&rule->service, service) && ksa_list_has(&rule->user, "@own"))
                        return true;
        }
        return false;
}

/* There is no remedy for --offline. */
static const char *remedy_of(const struct question *question, char out[REMEDY_SIZE])
{
        if (question->decision.reason == KSA_NOT_NAMED && has_own_rule(question))
                return "run ksactl accounts list: user = @own names the users that ksa created; "
                       "ksactl accounts sync creates them, or shows why not";
        if (question->decision.reason == KSA_NOT_NAMED)
                return "add a [rule] with the user and the service; the service is named as its "
                       "file in /etc/pam.d (sshd, not ssh)";
        if (question->command[0] != '\0')
                return question->command;
        return ended_offline(question) ? "" : ksa_report_remedy(&question->decision, out);
}

static bool has_no_local_users(const struct question *question)
{
        const struct ksa_service *service = ksa_config_service(question->config, question->service);

        return service != NULL && !service->local_user;
}

static const char *detail_of(const struct question *question, enum ksa_step step, char *out,
                             size_t size)
{
        if (step == KSA_STEP_REVIEW && question->offline &&
            question->decision.requirement_result.review_skipped)
                return "not asked (--offline); review = prefer admits logins if the cluster "
                       "does not answer";
        if (step == KSA_STEP_USER && question->decision.steps[step] == KSA_OK &&
            has_no_local_users(question))
                return "not checked: this service has no local users";
        return ksa_report_step(&question->attempt, &question->decision, step, out, size);
}

/* --- In text ------------------------------------------------------------------ */

static void print_steps(const struct question *question)
{
        for (unsigned i = 0; i < KSA_STEP_COUNT; i++) {
                enum ksa_step step = (enum ksa_step)i;
                enum ksa_reason reason = question->decision.steps[step];
                char detail[2048];

                if (reason == KSA_UNREACHED)
                        (void)printf("%-10s %-18s not checked: whether %s\n", ksa_step_name(step),
                                     "-", ksa_step_text(step));
                else
                        (void)printf("%-10s %-18s %s\n", ksa_step_name(step),
                                     ksa_reason_name(reason),
                                     detail_of(question, step, detail, sizeof(detail)));
        }
}

static void print_rules(const struct question *question)
{
        enum ksa_reason signature = question->decision.steps[KSA_STEP_SIGNATURE];
        const char *why = signature == KSA_UNREACHED ? "was not verified" : "is not valid";

        (void)printf("\nrules");
        if (signature != KSA_OK)
                (void)printf(" (according to the claims of the token; its signature %s)", why);
        (void)printf(":\n");
        for (size_t i = 0; i < question->config->counts[KSA_SECTION_RULE]; i++) {
                const struct ksa_rule *rule = &question->config->rules[i];

                (void)printf("  [rule %s] %s (%s line %u)\n", rule->name, why_not(question, rule),
                             rule->location.file, rule->location.line);
                if (rule == question->decision.rule)
                        return;
        }
}

static void print_answer(const struct question *question)
{
        const struct ksa_decision *d = &question->decision;
        char remedy[REMEDY_SIZE], colored[COLORED_SIZE];

        if (question->user_chosen)
                (void)printf("no --user: used %s, which a rule names\n\n", question->user);
        if (question->user == NULL)
                (void)printf("no --user, and the rules for this service do not name a user\n\n");
        print_steps(question);
        print_rules(question);
        if (d->outcome == KSA_ALLOW) {
                (void)printf("\n%s\n", in_color(COLOR_GREEN, "allow", colored));
                return;
        }
        (void)printf("\n%s: %s (%s)\n", in_color(COLOR_RED, ksa_report_result(d), colored),
                     ksa_reason_name(d->reason),
                     ended_offline(question) ? d->error.text : ksa_reason_text(d->reason));
        if (*remedy_of(question, remedy) != '\0')
                (void)printf("remedy: %s\n", remedy_of(question, remedy));
}

/* --- In JSON ------------------------------------------------------------------ */

static const char *pam_code_name(enum ksa_outcome outcome)
{
        switch (outcome) {
        case KSA_ALLOW:
                return "PAM_SUCCESS";
        case KSA_UNAVAILABLE:
                return "PAM_AUTHINFO_UNAVAIL";
        case KSA_FORBIDDEN:
                return "PAM_PERM_DENIED";
        case KSA_NOT_OURS:
                return "PAM_USER_UNKNOWN";
        case KSA_NO_MEMORY:
                return "PAM_BUF_ERR";
        case KSA_DENY:
        default:
                return "PAM_AUTH_ERR";
        }
}

/* The claims of the token if they are KNOWN, else nulls. */
static json_t *claims(const struct ksa_decision *d, bool known)
{
        const struct ksa_token *token = &d->token;
        bool cluster = known && d->cluster != NULL;

        return json_pack("{s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:o}", "cluster",
                         cluster ? d->cluster->name : NULL, "namespace",
                         known ? token->namespace : NULL, "account", known ? token->account : NULL,
                         "account_uid", known ? token->account_uid : NULL, "jti",
                         known ? token->jti : NULL, "kid", known ? token->kid : NULL, "expires",
                         known && token->exp.given ? json_integer(token->exp.seconds)
                                                   : json_null());
}

static json_t *steps(const struct question *question)
{
        json_t *array = json_array();

        for (unsigned i = 0; i < KSA_STEP_COUNT; i++) {
                enum ksa_step step = (enum ksa_step)i;
                char detail[2048];

                (void)json_array_append_new(
                        array, json_pack("{s:s, s:s, s:s}", "step", ksa_step_name(step), "result",
                                         ksa_reason_name(question->decision.steps[step]), "detail",
                                         detail_of(question, step, detail, sizeof(detail))));
        }
        return array;
}

static json_t *rules(const struct question *question)
{
        json_t *array = json_array();

        for (size_t i = 0; i < question->config->counts[KSA_SECTION_RULE]; i++) {
                const struct ksa_rule *rule = &question->config->rules[i];

                (void)json_array_append_new(array, json_pack("{s:s, s:s}", "rule", rule->name,
                                                             "why", why_not(question, rule)));
                if (rule == question->decision.rule)
                        break;
        }
        return array;
}

static json_t *as_json(const struct question *question)
{
        const struct ksa_decision *d = &question->decision;
        bool allowed = d->outcome == KSA_ALLOW, verified = ksa_decision_is_verified(d);
        char remedy[REMEDY_SIZE];
        json_t *answer = claims(d, verified);
        json_t *rest = json_pack(
                "{s:s, s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:b, s:o, s:o, s:o}", "result",
                ksa_report_result(d), "reason", ksa_reason_name(d->reason), "pam_code",
                pam_code_name(d->outcome), "user", question->user, "rule",
                d->rule != NULL ? d->rule->name : NULL, "why", allowed ? NULL : d->error.text,
                "remedy", allowed ? NULL : remedy_of(question, remedy), "review",
                ksa_report_review(d), "audit_id", d->requirement_result.asked ? d->audit_id : NULL,
                "would_refresh", d->keys_may_refresh, "steps", steps(question), "rules",
                rules(question), "unverified", verified ? json_null() : claims(d, true));

        if (answer == NULL || rest == NULL || json_object_update(answer, rest) != 0) {
                json_decref(answer);
                answer = NULL;
        }
        json_decref(rest);
        return answer;
}

static bool left_to_root(const struct question *question)
{
        enum ksa_reason review = question->decision.steps[KSA_STEP_REVIEW];

        if (geteuid() == 0 || question->attempt.effective_uid != 0 || question->offline ||
            review == KSA_OK || review == KSA_UNREACHED)
                return false;
        (void)fprintf(stderr, "ksactl: only root can ask the cluster: use --offline\n");
        return true;
}

static int answer(struct question *question)
{
        ask(question);
        bool allowed = question->decision.outcome == KSA_ALLOW, printed = true;
        if (left_to_root(question))
                printed = false;
        else if (question->json)
                printed = print_json_answer(as_json(question));
        else
                print_answer(question);
        ksa_decision_clear(&question->decision);
        ksa_token_clear(&question->claimed);
        ksa_local_user_close(&question->own);
        if (!printed)
                return EXIT_BROKEN;
        return allowed ? EXIT_GOOD : EXIT_DENIED;
}

static bool read_now(const char *text, int64_t *ret_now)
{
        uint64_t now;

        if (text == NULL)
                return true;
        if (!ksa_text_number(text, 0, UINT64_C(253402300799), &now)) {
                (void)fprintf(stderr, "ksactl: --now takes seconds since 1970\n");
                return false;
        }
        *ret_now = (int64_t)now;
        return true;
}

/*
 * Makes an explanation change nothing: key sets are not refreshed, tokens not marked. NOW is -1 for the
 * clock's.
 */
static void make_harmless(struct ksa_env *env, bool offline, int64_t now)
{
        env->refresh = NULL;
        env->only_look = true;
        env->offline = offline;
        env->now = now >= 0 ? now : env->now;
}

int command_explain(const struct args *arguments)
{
        const char *const *options = arguments->options;
        struct question question = {
                .token_file = options[OPTION_TOKEN_FILE],
                .user = options[OPTION_USER],
                .service = options[OPTION_SERVICE] != NULL ? options[OPTION_SERVICE] : "sshd",
                .rhost = options[OPTION_RHOST] != NULL ? options[OPTION_RHOST] : "",
                .service_user = options[OPTION_SERVICE_USER],
                .json = has_option(arguments, OPTION_JSON),
                .offline = has_option(arguments, OPTION_OFFLINE),
        };
        KSA_CLEANUP(close_session) struct session session = {.config = NULL};
        int64_t now = -1;

        if (question.token_file == NULL) {
                (void)fprintf(stderr, "ksactl: explain requires --token-file FILE, or - for "
                                      "standard input\n");
                return EXIT_BROKEN;
        }
        KSA_CLEANUP(ksa_secret_free) struct ksa_secret *token = read_token(question.token_file);
        if (token == NULL || !read_now(options[OPTION_NOW], &now) ||
            (question.service_user != NULL &&
             !become_service_user(question.service_user, &question.service_uid)) ||
            !open_session(&session, options[OPTION_CONFIG]))
                return EXIT_BROKEN;
        make_harmless(&session.host.env, question.offline, now);
        question.token = token;
        question.config = session.config;
        question.env = &session.host.env;
        return answer(&question);
}
