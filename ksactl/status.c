/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl status: whether logins work, and will. */
#include "status.h"

#include <stdio.h>
#include <unistd.h>

static const char *const level_names[] = {
        [WELL] = "ok", [SOON] = "warning", [TROUBLE] = "critical", [UNKNOWN] = "unknown"};

/* One run of the command. */
struct run {
        struct session session;
        struct host_registry registry;
        bool offline, json;
        enum level level; /* of all that was found so far */
};

/* --- Findings ---------------------------------------------------------------- */

static void print_finding(const char *name, const struct finding *finding)
{
        char colored[COLORED_SIZE];

        (void)printf("  %-11s %s\n", name, *finding->text != '\0' ? finding->text : "-");
        if (finding->level == WELL)
                return;
        (void)printf("  %-11s %s: %s\n", "",
                     in_color(finding->level == TROUBLE ? COLOR_RED : COLOR_YELLOW,
                              level_names[finding->level], colored),
                     finding->problem);
        if (*finding->remedy != '\0')
                (void)printf("  %-11s remedy: %s\n", "", finding->remedy);
}

/* TROUBLE outweighs what only root can see, which outweighs SOON. */
static void add_level(const struct finding *finding, enum level *level)
{
        const enum level found =
                finding->is_hidden && finding->level != TROUBLE ? UNKNOWN : finding->level;

        if (found == TROUBLE || (found > *level && *level != TROUBLE))
                *level = found;
}

/* Adds FINDING to OBJECT as NAME, and prints it as TITLE unless JSON is printed. Takes its facts. */
static void add_finding(struct run *run, json_t *object, const char *name, const char *title,
                        const struct finding *finding)
{
        json_t *facts = finding->facts;
        bool well = finding->level == WELL, has_remedy = !well && *finding->remedy != '\0';

        if (!run->json)
                print_finding(title, finding);
        add_level(finding, &run->level);
        if (facts != NULL) {
                (void)json_object_set_new(facts, "problem",
                                          well ? json_null() : json_string(finding->problem));
                (void)json_object_set_new(facts, "remedy",
                                          has_remedy ? json_string(finding->remedy) : json_null());
        }
        (void)json_object_set_new(object, name, facts != NULL ? facts : json_null());
}

/* --- One cluster ------------------------------------------------------------- */

static void find_api_as_root(const struct run *run, const struct ksa_cluster *cluster,
                             const struct need *need, struct finding *finding)
{
        const char *why = cluster->api_server == NULL ? "not used"
                          : run->offline              ? "not asked"
                          : geteuid() != 0            ? "not asked: requires root"
                                                      : NULL;

        if (why == NULL) {
                find_api(cluster, &run->session.host.env, need,
                         (unsigned)run->session.config->host.timeout * 1000, finding);
                return;
        }
        (void)snprintf(finding->text, sizeof(finding->text), "%s", why);
        finding->is_hidden = cluster->api_server != NULL && !run->offline;
}

static json_t *examine(struct run *run, const struct ksa_cluster *cluster)
{
        const struct ksa_env *env = &run->session.host.env;
        const struct need need = what_is_needed(run->session.config, cluster);
        json_t *examined = json_pack("{s:s}", "cluster", cluster->name);
        struct finding keys = {0}, credential = {0}, api = {0}, accounts = {0};

        renew_session(&run->session);
        find_keys(cluster, env, &keys);
        find_credential(cluster, env, &credential);
        find_api_as_root(run, cluster, &need, &api);
        find_accounts(cluster, env, &need, &run->registry, &accounts);
        if (!run->json)
                (void)printf("%s\n", cluster->name);
        add_finding(run, examined, "keys", "keys", &keys);
        add_finding(run, examined, "credential", "credential", &credential);
        add_finding(run, examined, "api", "API server", &api);
        add_finding(run, examined, "accounts", "accounts", &accounts);
        return examined;
}

/* --- The command ------------------------------------------------------------ */

/* Adds the parts of the host to ANSWER; those without facts are only null in JSON. */
static void examine_host(struct run *run, json_t *answer)
{
        static const char *const parts[] = {"marks", "registry"};
        const struct ksa_config *config = run->session.config;
        struct finding findings[KSA_COUNT(parts)] = {0};

        find_marks(config, &run->session.host.env, &findings[0]);
        find_registry(config, &run->session.host.env, &run->registry, &findings[1]);
        if (!run->json && (findings[0].facts != NULL || findings[1].facts != NULL))
                (void)puts("this host");
        for (size_t i = 0; i < KSA_COUNT(parts); i++) {
                if (findings[i].facts != NULL)
                        add_finding(run, answer, parts[i], parts[i], &findings[i]);
                else
                        (void)json_object_set_new(answer, parts[i], json_null());
        }
}

static int status(struct run *run)
{
        const struct ksa_config *config = run->session.config;
        json_t *clusters = json_array(), *answer = json_object();

        load_registry(&run->session.host.env, &run->registry);
        for (size_t i = 0; i < config->counts[KSA_SECTION_CLUSTER]; i++)
                (void)json_array_append_new(clusters, examine(run, &config->clusters[i]));
        if (!run->json && json_array_size(clusters) == 0)
                (void)puts("no [cluster] is configured");
        (void)json_object_set_new(answer, "clusters", clusters);
        examine_host(run, answer);
        ksa_registry_close(&run->registry.registry);
        (void)json_object_set_new(answer, "result", json_string(level_names[run->level]));
        if (run->json)
                return print_json_answer(answer) ? (int)run->level : EXIT_UNKNOWN;
        if (run->level == UNKNOWN)
                (void)fputs("ksactl: run status as root to see all of it\n", stderr);
        json_decref(answer);
        return (int)run->level;
}

int command_status(const struct args *arguments)
{
        struct run run = {.level = WELL,
                          .json = has_option(arguments, OPTION_JSON),
                          .offline = has_option(arguments, OPTION_OFFLINE)};
        int answer = EXIT_UNKNOWN;

        if (open_session(&run.session, arguments->options[OPTION_CONFIG]))
                answer = status(&run);
        close_session(&run.session);
        return answer;
}
