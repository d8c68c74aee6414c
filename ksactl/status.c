/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl status: whether logins work, and will. */
#include "status.h"

#include <stdio.h>
#include <unistd.h>

static const char *const level_words[] = {
        [WELL] = "ok", [SOON] = "warning", [TROUBLE] = "critical", [UNKNOWN] = "unknown"};

/* --- One cluster ------------------------------------------------------------ */

static void print_finding(const char *name, const struct finding *finding)
{
        (void)printf("  %-11s %s\n", name, *finding->text != '\0' ? finding->text : "-");
        if (finding->level == WELL)
                return;
        (void)printf("  %-11s %s: %s\n", "", level_words[finding->level], finding->problem);
        if (*finding->remedy != '\0')
                (void)printf("  %-11s remedy: %s\n", "", finding->remedy);
}

/* Moves the facts of FINDING, with problem and remedy, into CLUSTER. */
static void add_finding(json_t *cluster, const char *name, const struct finding *finding)
{
        json_t *facts = finding->facts;
        bool well = finding->level == WELL;

        if (facts == NULL) {
                (void)json_object_set_new(cluster, name, json_null());
                return;
        }
        (void)json_object_set_new(facts, "problem",
                                  well ? json_null() : json_string(finding->problem));
        (void)json_object_set_new(facts, "remedy",
                                  well || *finding->remedy == '\0' ? json_null()
                                                                   : json_string(finding->remedy));
        (void)json_object_set_new(cluster, name, facts);
}

/* TROUBLE outweighs what only root can see, which outweighs SOON. */
static void add_level(const struct finding *finding, enum level *level)
{
        const enum level found =
                finding->is_hidden && finding->level != TROUBLE ? UNKNOWN : finding->level;

        if (found > *level && *level != TROUBLE)
                *level = found;
        if (found == TROUBLE)
                *level = TROUBLE;
}

static void find_api_as_root(struct session *session, const struct ksa_cluster *cluster,
                             const struct need *need, bool offline, struct finding *finding)
{
        const char *why = cluster->api_server == NULL ? "not used"
                          : offline                   ? "not asked"
                          : geteuid() != 0            ? "not asked: requires root"
                                                      : NULL;

        if (why == NULL) {
                find_api(cluster, &session->host.env, need,
                         (unsigned)session->config->host.timeout * 1000, finding);
                return;
        }
        (void)snprintf(finding->text, sizeof(finding->text), "%s", why);
        finding->is_hidden = cluster->api_server != NULL && !offline;
}

static json_t *examine(struct session *session, const struct ksa_cluster *cluster,
                       const struct host_registry *loaded, bool offline, bool json,
                       enum level *level)
{
        static const char *const parts[] = {"keys", "credential", "api", "accounts"};
        static const char *const titles[] = {"keys", "credential", "API server", "accounts"};
        struct finding findings[KSA_COUNT(parts)] = {0};
        json_t *examined = json_pack("{s:s}", "cluster", cluster->name);

        const struct need need = what_is_needed(session->config, cluster);

        renew_session(session);
        find_keys(cluster, &session->host.env, &findings[0]);
        find_credential(cluster, &session->host.env, &findings[1]);
        find_api_as_root(session, cluster, &need, offline, &findings[2]);
        find_accounts(cluster, &session->host.env, &need, loaded, &findings[3]);
        if (!json)
                (void)printf("%s\n", cluster->name);
        for (size_t i = 0; i < KSA_COUNT(parts); i++) {
                if (!json)
                        print_finding(titles[i], &findings[i]);
                add_level(&findings[i], level);
                add_finding(examined, parts[i], &findings[i]);
        }
        return examined;
}

/* --- The command ------------------------------------------------------------ */

/* Adds the parts of the host to ANSWER. */
static void examine_host(const struct session *session, const struct host_registry *loaded,
                         bool json, json_t *answer, enum level *level)
{
        static const char *const parts[] = {"marks", "registry"};
        struct finding findings[KSA_COUNT(parts)] = {0};

        find_marks(session->config, &session->host.env, &findings[0]);
        find_registry(session->config, &session->host.env, loaded, &findings[1]);
        if (!json && (findings[0].facts != NULL || findings[1].facts != NULL))
                (void)puts("this host");
        for (size_t i = 0; i < KSA_COUNT(parts); i++) {
                if (!json && findings[i].facts != NULL)
                        print_finding(parts[i], &findings[i]);
                add_level(&findings[i], level);
                add_finding(answer, parts[i], &findings[i]);
        }
}

static int status(struct session *session, bool offline, bool json)
{
        const struct ksa_config *config = session->config;
        json_t *clusters = json_array(), *answer = json_object();
        enum level level = WELL;
        struct host_registry loaded;

        load_registry(&session->host.env, &loaded);
        for (size_t i = 0; i < config->counts[KSA_SECTION_CLUSTER]; i++)
                (void)json_array_append_new(clusters, examine(session, &config->clusters[i],
                                                              &loaded, offline, json, &level));
        if (!json && json_array_size(clusters) == 0)
                (void)puts("no [cluster] is configured");
        (void)json_object_set_new(answer, "clusters", clusters);
        examine_host(session, &loaded, json, answer, &level);
        ksa_registry_close(&loaded.registry);
        (void)json_object_set_new(answer, "result", json_string(level_words[level]));
        if (json)
                return print_json_answer(answer) ? (int)level : EXIT_UNKNOWN;
        if (level == UNKNOWN)
                (void)fputs("ksactl: run status as root to see all of it\n", stderr);
        json_decref(answer);
        return (int)level;
}

int command_status(const struct args *arguments)
{
        const char *config_file = NULL;
        bool json = false, offline = false;
        const struct flag flags[] = {{"--config", &config_file, NULL},
                                     {"--json", NULL, &json},
                                     {"--offline", NULL, &offline}};
        KSA_CLEANUP(close_session) struct session session = {.config = NULL};

        if (!read_flags(arguments, flags, KSA_COUNT(flags), NULL, 0) ||
            !open_session(&session, config_file))
                return EXIT_UNKNOWN;
        return status(&session, offline, json);
}
