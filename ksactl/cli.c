/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/load.h"
#include "output.h"

char *make_absolute(const char *path)
{
        char directory[PATH_MAX], *absolute = NULL;

        if (path[0] == '/')
                absolute = strdup(path);
        else if (getcwd(directory, sizeof(directory)) == NULL ||
                 asprintf(&absolute, "%s/%s", directory, path) < 0)
                absolute = NULL;
        if (absolute == NULL)
                (void)fprintf(stderr, "ksactl: %s cannot be converted to an absolute path\n", path);
        return absolute;
}

bool fill_host(struct ksa_host_env *ret_host, const char *config_file, char **ret_path)
{
        char *path = config_file != NULL ? make_absolute(config_file) : NULL;

        if (config_file != NULL && path == NULL)
                return false;
        ksa_host_env_fill(ret_host, path);
        *ret_path = path;
        return true;
}

bool open_session(struct session *session, const char *config_file)
{
        struct ksa_error error = {0};

        *session = (struct session){.config = NULL};
        if (!fill_host(&session->host, config_file, &session->path))
                return false;
        if (ksa_config_load(&session->host.env, NULL, &session->config, &error) == KSA_OK)
                return true;
        print_error(&error);
        if (error.reason == KSA_FILE_MISSING)
                (void)fputs("    create it (see ksa.conf(5)), or name another file with --config\n",
                            stderr);
        else if (error.reason == KSA_CONFIG_INVALID || ksa_error_remedy(&error) == NULL)
                (void)fputs("    ksactl check reports all errors of the configuration\n", stderr);
        return false;
}

void close_session(struct session *session)
{
        ksa_fetch_process_close(&session->host.fetch);
        ksa_config_free(&session->config);
        free(session->path);
}

void renew_session(struct session *session)
{
        const char *config_file = session->host.env.config_file;

        ksa_fetch_process_close(&session->host.fetch);
        ksa_host_env_fill(&session->host, config_file);
}

/* --- Clusters that a command names ------------------------------------------- */

const struct ksa_cluster *find_cluster(const struct ksa_config *config, const char *name)
{
        const struct ksa_cluster *cluster = ksa_config_cluster(config, name);

        if (cluster == NULL)
                (void)fprintf(stderr, "ksactl: [cluster %s] is not configured\n", name);
        return cluster;
}

bool read_selection(const struct args *arguments, const char *command,
                    struct selection *ret_selection)
{
        *ret_selection = (struct selection){arguments->names, has_option(arguments, OPTION_ALL)};
        if (ret_selection->all != (ret_selection->names[0] != NULL))
                return true;
        (void)fprintf(stderr, "ksactl: %s requires names of clusters, or --all\n", command);
        return false;
}

bool is_selection_known(const struct selection *selection, const struct ksa_config *config)
{
        for (size_t i = 0; selection->names[i] != NULL; i++) {
                if (find_cluster(config, selection->names[i]) == NULL)
                        return false;
        }
        return true;
}

bool is_selected(const struct selection *selection, const struct ksa_cluster *cluster)
{
        for (size_t i = 0; selection->names[i] != NULL; i++) {
                if (strcmp(selection->names[i], cluster->name) == 0)
                        return true;
        }
        return selection->all;
}

int show_clusters(const struct args *arguments, const char *member, show_function *show,
                  print_function *print, const char *nothing)
{
        const char *wanted = arguments->names[0];
        const bool json = has_option(arguments, OPTION_JSON);
        KSA_CLEANUP(close_session) struct session session = {.config = NULL};
        int status = EXIT_GOOD;

        if (!open_session(&session, arguments->options[OPTION_CONFIG]) ||
            (wanted != NULL && find_cluster(session.config, wanted) == NULL))
                return EXIT_BROKEN;
        json_t *all = json_array();
        for (size_t i = 0; i < session.config->counts[KSA_SECTION_CLUSTER]; i++) {
                const struct ksa_cluster *cluster = &session.config->clusters[i];
                bool good = true;
                json_t *shown = wanted != NULL && strcmp(cluster->name, wanted) != 0
                                        ? NULL
                                        : show(cluster, &session.host.env, &good);

                if (!good)
                        status = EXIT_DENIED;
                if (shown != NULL && !json)
                        print(shown, session.host.env.now);
                if (shown != NULL)
                        (void)json_array_append_new(all, shown);
        }
        if (json)
                return print_json_answer(json_pack("{s:o}", member, all)) ? status : EXIT_BROKEN;
        if (json_array_size(all) == 0 && nothing != NULL)
                (void)puts(nothing);
        json_decref(all);
        return status;
}

bool is_root(const char *command)
{
        if (geteuid() == 0)
                return true;
        (void)fprintf(stderr, "ksactl: %s requires root\n", command);
        return false;
}
