/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ksactl check --host: the PAM stacks of the services that rules name. Each is judged by what libpam would
 * return: pam_ksa returns what it can return, and the other modules of the stack all succeed or all fail,
 * with one exception at a time.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "admin/host/pam_stack.h"
#include "check_host.h"
#include "config/arguments.h"

#define MODULE "pam_ksa.so"
#define ABSENT (-1) /* a result: the module takes no part */

/* The modules of a service in one phase, and their results. */
struct chain {
        struct report *report;
        const char *service;
        enum ksa_pam_phase phase;
        size_t count, ours; /* OURS is the position of the first pam_ksa, or COUNT */
        size_t home;        /* in session: of the module that makes homes after pam_ksa, or COUNT */
        const struct ksa_pam_entry *entries[KSA_PAM_ENTRIES_MAX];
        int results[KSA_PAM_ENTRIES_MAX];
        bool called[KSA_PAM_ENTRIES_MAX];
};

/* The results of the other modules: all BASE, except that of the module at POSITION. */
struct world {
        enum ksa_pam_code base, code;
        size_t position;
};

/* What pam_ksa returns to refuse a login, and for logins that it leaves to the other modules. */
static const struct phase {
        const char *name;
        enum ksa_pam_code denials[4];
        struct {
                enum ksa_pam_code code;
                const char *when;
        } yields[3];
} phases[] = {
        [KSA_PAM_AUTH] = {"auth",
                          {KSA_PAM_AUTH_ERR, KSA_PAM_PERM_DENIED, KSA_PAM_BUF_ERR},
                          {{KSA_PAM_USER_UNKNOWN, "no rule names the user"},
                           {KSA_PAM_AUTHINFO_UNAVAIL, "an error in the configuration"},
                           {KSA_PAM_MODULE_UNKNOWN, "the module is missing"}}},
        [KSA_PAM_ACCOUNT] = {"account",
                             {KSA_PAM_AUTH_ERR, KSA_PAM_PERM_DENIED, KSA_PAM_BUF_ERR,
                              KSA_PAM_AUTHINFO_UNAVAIL},
                             {{KSA_PAM_IGNORE, "a login without a token"},
                              {KSA_PAM_MODULE_UNKNOWN, "the module is missing"}}},
};

/* --- Results -------------------------------------------------------------------- */

/* Whether the service runs as its caller, as programs with the setuid bit do; others run as root. */
static bool runs_as_caller(const char *service)
{
        static const char *const names[] = {"sudo",   "sudo-i", "su",   "su-l",
                                            "passwd", "chsh",   "chfn", "polkit-1"};

        for (size_t i = 0; i < KSA_COUNT(names); i++) {
                if (strcmp(service, names[i]) == 0)
                        return true;
        }
        return false;
}

/* The modules of libpam whose result is known, without a credential. */
static bool find_result(const struct chain *chain, const struct ksa_pam_entry *entry,
                        int *ret_result)
{
        static const struct {
                const char *name;
                enum ksa_pam_code result;
        } rows[] = {
                {"pam_permit.so", KSA_PAM_SUCCESS}, {"pam_deny.so", KSA_PAM_AUTH_ERR},
                {"pam_env.so", KSA_PAM_IGNORE},     {"pam_faildelay.so", KSA_PAM_IGNORE},
                {"pam_nologin.so", KSA_PAM_IGNORE}, {"pam_warn.so", KSA_PAM_IGNORE},
                {"pam_shells.so", KSA_PAM_SUCCESS},
        };

        /* It looks at the process: in sshd it admits everybody, in sudo only root. */
        if (ksa_pam_entry_is(entry, "pam_rootok.so")) {
                *ret_result = runs_as_caller(chain->service) ? KSA_PAM_AUTH_ERR : KSA_PAM_SUCCESS;
                return true;
        }

        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                if (!ksa_pam_entry_is(entry, rows[i].name))
                        continue;
                *ret_result = (int)rows[i].result;
                return true;
        }
        return false;
}

static bool is_ours(const struct ksa_pam_entry *entry)
{
        return ksa_pam_entry_is(entry, MODULE);
}

static bool dispatch(struct chain *chain)
{
        return ksa_pam_dispatch(chain->entries, chain->count, chain->results, chain->called) ==
               KSA_PAM_SUCCESS;
}

static void fill_results(struct chain *chain, const struct world *world, int ours)
{
        for (size_t i = 0; i < chain->count; i++) {
                if (is_ours(chain->entries[i]))
                        chain->results[i] = ours;
                else if (!find_result(chain, chain->entries[i], &chain->results[i]))
                        chain->results[i] = (int)(i == world->position ? world->code : world->base);
        }
}

/* The tests of a world, in which pam_ksa returns OURS. */
typedef bool test_function(struct chain *chain, const struct world *world, int ours);

static bool succeeds(struct chain *chain, const struct world *world, int ours)
{
        fill_results(chain, world, ours);
        return dispatch(chain);
}

static bool lets_in(struct chain *chain, const struct world *world, int ours)
{
        return succeeds(chain, world, ours) && !succeeds(chain, world, ABSENT);
}

static bool locks_out(struct chain *chain, const struct world *world, int ours)
{
        return !succeeds(chain, world, ours) && succeeds(chain, world, ABSENT);
}

/* In auth the modules below pam_ksa fail: the password that they ask for is not there. */
static bool is_enough(struct chain *chain, const struct world *world, int ours)
{
        int known;

        fill_results(chain, world, ours);
        for (size_t i = chain->ours; i < chain->count && chain->phase == KSA_PAM_AUTH; i++) {
                if (!is_ours(chain->entries[i]) && !find_result(chain, chain->entries[i], &known))
                        chain->results[i] = KSA_PAM_AUTH_ERR;
        }
        return dispatch(chain);
}

/* Whether the module that makes homes is called. */
static bool makes_home(struct chain *chain, const struct world *world, int ours)
{
        fill_results(chain, world, ours);
        (void)dispatch(chain);
        return chain->called[chain->home];
}

/* Whether the control of ENTRY does with CODE what it does with no code before, and not with BASE. */
static bool is_new(const struct ksa_pam_entry *entry, enum ksa_pam_code code,
                   enum ksa_pam_code base)
{
        for (int i = 0; i < (int)code; i++) {
                if (entry->actions[i] == entry->actions[code])
                        return false;
        }
        return entry->actions[code] != entry->actions[base];
}

static bool exists_among(struct chain *chain, test_function *test, int ours, enum ksa_pam_code base)
{
        struct world world = {.base = base, .position = chain->count};

        if (test(chain, &world, ours))
                return true;
        for (world.position = 0; world.position < chain->count; world.position++) {
                for (int code = 0; code < KSA_PAM_CODE_COUNT; code++) {
                        world.code = (enum ksa_pam_code)code;
                        if (is_new(chain->entries[world.position], world.code, base) &&
                            test(chain, &world, ours))
                                return true;
                }
        }
        return false;
}

/* Whether the test holds in some world; if it does, `called` is that of the world. */
static bool exists(struct chain *chain, test_function *test, int ours)
{
        return exists_among(chain, test, ours, KSA_PAM_SUCCESS) ||
               exists_among(chain, test, ours, KSA_PAM_AUTH_ERR);
}

/* Whether a credential of another module admits a login. */
static bool has_people(struct chain *chain)
{
        const struct world none = {.base = KSA_PAM_AUTH_ERR, .position = chain->count};

        return exists(chain, succeeds, ABSENT) && !succeeds(chain, &none, ABSENT);
}

/* --- Auth and account ------------------------------------------------------------- */

static void report_control(struct chain *chain, enum host_check check, const char *format, ...)
        KSA_PRINTF(3, 4);
static void report_control(struct chain *chain, enum host_check check, const char *format, ...)
{
        const struct ksa_pam_entry *entry = chain->entries[chain->ours];
        char text[512];
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        report_host(chain->report, check, entry->file, entry->line, "service %s: %s %s",
                    chain->service, phases[chain->phase].name, text);
}

static bool called_ours(const struct chain *chain)
{
        for (size_t i = 0; i < chain->count; i++) {
                if (chain->called[i] && is_ours(chain->entries[i]))
                        return true;
        }
        return false;
}

/* The last module above pam_ksa that was called ended the phase, or jumped over pam_ksa. */
static void report_order(struct chain *chain)
{
        const struct ksa_pam_entry *last = chain->entries[0];

        for (size_t i = 0; i < chain->ours; i++) {
                if (chain->called[i])
                        last = chain->entries[i];
        }
        report_control(chain, HOST_PAM_ORDER, "can succeed without pam_ksa, by %s in %s line %u",
                       last->module, last->file, last->line);
}

/* Whether a refused token is refused. */
static bool check_denials(struct chain *chain)
{
        const struct phase *phase = &phases[chain->phase];

        for (size_t i = 0; i < KSA_COUNT(phase->denials); i++) {
                if (phase->denials[i] == KSA_PAM_SUCCESS ||
                    !exists(chain, succeeds, (int)phase->denials[i]))
                        continue;
                if (!called_ours(chain))
                        report_order(chain);
                else
                        report_control(chain, HOST_PAM_ADMITS,
                                       "can succeed after pam_ksa returned %s",
                                       ksa_pam_code_name(phase->denials[i]));
                return false;
        }
        return true;
}

/* Whether the other modules decide about logins that pam_ksa leaves to them. */
static bool check_yields(struct chain *chain, bool is_for_people)
{
        const struct phase *phase = &phases[chain->phase];

        for (size_t i = 0; i < KSA_COUNT(phase->yields); i++) {
                enum ksa_pam_code code = phase->yields[i].code;
                const char *name = ksa_pam_code_name(code), *when = phase->yields[i].when;

                if (code == KSA_PAM_SUCCESS)
                        continue;
                if (exists(chain, lets_in, (int)code)) {
                        report_control(chain, HOST_PAM_ADMITS,
                                       "succeeds because pam_ksa returned %s (%s)", name, when);
                        return false;
                }
                if (is_for_people && exists(chain, locks_out, (int)code)) {
                        report_control(chain, HOST_PAM_LOCKS_OUT,
                                       "fails because pam_ksa returned %s (%s)", name, when);
                        return false;
                }
        }
        return true;
}

static void fill_chain(struct chain *chain, const struct ksa_pam_stack *stack,
                       enum ksa_pam_phase phase)
{
        chain->phase = phase;
        chain->count = ksa_pam_stack_phase(stack, phase, chain->entries);
        chain->ours = 0;
        while (chain->ours < chain->count && !is_ours(chain->entries[chain->ours]))
                chain->ours++;
}

/* One finding a phase: the control of pam_ksa(8) removes all but that of the order. */
static void check_phases(struct chain *chain, const struct ksa_pam_stack *stack)
{
        bool is_for_people = false;

        for (int phase = KSA_PAM_AUTH; phase <= KSA_PAM_ACCOUNT; phase++) {
                fill_chain(chain, stack, (enum ksa_pam_phase)phase);
                if (phase == KSA_PAM_AUTH)
                        is_for_people = has_people(chain);
                if (chain->ours == chain->count)
                        report_host(chain->report, HOST_PAM_MISSING, stack->file, 0,
                                    "service %s: no pam_ksa in %s", chain->service,
                                    phases[phase].name);
                else if (check_denials(chain) && check_yields(chain, is_for_people) &&
                         !exists(chain, is_enough, KSA_PAM_SUCCESS))
                        report_control(chain, HOST_PAM_NO_RESULT, "fails after a valid token");
        }
}

/* --- Homes: the session of sshd ----------------------------------------------------- */

static bool makes_homes(const struct ksa_pam_entry *entry)
{
        return ksa_pam_entry_is(entry, "pam_mkhomedir.so") ||
               ksa_pam_entry_is(entry, "pam_oddjob_mkhomedir.so");
}

/* The first module from POSITION on that makes homes; or the number of modules. */
static size_t find_home(const struct chain *chain, size_t position)
{
        while (position < chain->count && !makes_homes(chain->entries[position]))
                position++;
        return position;
}

static void check_session(struct chain *chain, const struct ksa_pam_stack *stack, bool makes_users)
{
        fill_chain(chain, stack, KSA_PAM_SESSION);
        const struct ksa_pam_entry *ours = chain->entries[chain->ours];

        if (chain->ours == chain->count) {
                if (makes_users && find_home(chain, 0) == chain->count)
                        report_host(chain->report, HOST_PAM_SESSION, stack->file, 0,
                                    "service %s: session makes no homes of users that ksa creates",
                                    chain->service);
                return;
        }
        for (size_t i = 0; i < chain->ours; i++) {
                const struct ksa_pam_entry *entry = chain->entries[i];

                if (!makes_homes(entry) && !ksa_pam_entry_is(entry, "pam_systemd.so"))
                        continue;
                report_host(chain->report, HOST_PAM_SESSION, ours->file, ours->line,
                            "service %s: session has %s above pam_ksa, in %s line %u",
                            chain->service, entry->module, entry->file, entry->line);
                return;
        }
        chain->home = find_home(chain, chain->ours);
        if (chain->home == chain->count || !exists(chain, makes_home, KSA_PAM_SUCCESS))
                report_host(chain->report, HOST_PAM_SESSION, ours->file, ours->line,
                            "service %s: session makes no homes after pam_ksa", chain->service);
        else if (exists(chain, makes_home, KSA_PAM_IGNORE))
                report_host(chain->report, HOST_PAM_SESSION, ours->file, ours->line,
                            "service %s: session makes homes of all users after pam_ksa",
                            chain->service);
}

/* --- Lines -------------------------------------------------------------------------- */

/* Services share files: whether this was reported, of another service. */
static bool is_reported(const struct report *report, const char *file, unsigned line,
                        const char *text)
{
        const json_t *problem;
        size_t i;

        json_array_foreach (report->problems, i, problem) {
                const char *other_file = json_string_value(json_object_get(problem, "file"));
                const char *other_text = json_string_value(json_object_get(problem, "text"));

                if (other_file != NULL && strcmp(other_file, file) == 0 &&
                    json_integer_value(json_object_get(problem, "line")) == line &&
                    other_text != NULL && strcmp(other_text, text) == 0)
                        return true;
        }
        return false;
}

static void report_line(struct report *report, enum host_check check, const char *file,
                        unsigned line, const char *text)
{
        if (!is_reported(report, file, line, text))
                report_host(report, check, file, line, "%s", text);
}

static void check_module(struct report *report, const struct ksa_pam_entry *entry)
{
        char path[512], text[600];

        (void)snprintf(path, sizeof(path), "%s%s",
                       *entry->module == '/' ? "" : KSA_PAM_DIRECTORY "/", entry->module);
        if (access(path, F_OK) == 0)
                return;
        (void)snprintf(text, sizeof(text), "there is no module %s", path);
        report_line(report, HOST_PAM_MODULE, entry->file, entry->line, text);
}

static void check_arguments(struct report *report, const struct ksa_pam_entry *entry)
{
        struct ksa_arguments arguments;
        struct ksa_error error = {0};

        if (ksa_arguments_parse((int)entry->arguments.count, entry->arguments.items, &arguments,
                                &error) != KSA_OK)
                report_line(report, HOST_PAM_ARGUMENT, entry->file, entry->line, error.text);
}

static void check_lines(struct report *report, const struct ksa_pam_stack *stack)
{
        const struct ksa_pam_problem *problems = stack->problems.items;
        const struct ksa_pam_entry *entries = stack->entries.items;

        for (size_t i = 0; i < stack->problems.count; i++)
                report_line(report, HOST_PAM_SYNTAX, problems[i].file, problems[i].line,
                            problems[i].text);
        for (size_t i = 0; i < stack->entries.count; i++) {
                if (!is_ours(&entries[i]))
                        continue;
                check_module(report, &entries[i]);
                check_arguments(report, &entries[i]);
        }
}

/* --- Services ----------------------------------------------------------------------- */

static void check_service(struct report *report, const struct ksa_config *config,
                          const struct ksa_rule *rule, const char *service)
{
        struct chain chain = {.report = report, .service = service};
        struct ksa_pam_stack stack;
        struct ksa_error error = {0};

        if (ksa_pam_stack_read("", service, &stack, &error) != KSA_OK) {
                report_host(report, HOST_PAM_FILE, rule->location.file, rule->location.line,
                            "[rule %s]: service = %s: %s", rule->name, service, error.text);
                return;
        }
        check_lines(report, &stack);
        check_phases(&chain, &stack);
        if (strcmp(service, "sshd") == 0)
                check_session(&chain, &stack,
                              config->counts[KSA_SECTION_ACCOUNT] > 0 ||
                                      config->counts[KSA_SECTION_ACCOUNTS] > 0);
        ksa_pam_stack_free(&stack);
}

/* Whether a rule before POSITION names SERVICE. */
static bool is_named_before(const struct ksa_config *config, size_t position, const char *service)
{
        for (size_t i = 0; i < position; i++) {
                if (ksa_list_has(&config->rules[i].service, service))
                        return true;
        }
        return false;
}

void check_host_pam(struct report *report, const struct ksa_config *config)
{
        for (size_t i = 0; i < config->counts[KSA_SECTION_RULE]; i++) {
                const struct ksa_rule *rule = &config->rules[i];

                for (size_t n = 0; n < rule->service.count; n++) {
                        const char *service = ksa_list_text(&rule->service, n);

                        if (!is_named_before(config, i, service))
                                check_service(report, config, rule, service);
                }
        }
}
