/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ksactl: the administrator's tool. A table of commands. */
#include "ksactl.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "admin/base/json_wipe.h"
#include "config/load.h"

static const struct command {
        const char *name;
        int (*run)(const struct args *arguments);
        const char *usage;
} commands[] = {
        {"check", command_check, "check [--config FILE] [--json]"},
        {"explain", command_explain,
         "explain --token-file FILE|- [--user NAME] [--service NAME] [--rhost ADDRESS]\n"
         "               [--service-user NAME] [--now SECONDS] [--offline] [--config FILE] [--json]"},
        {"keys", command_keys,
         "keys show [CLUSTER] [--config FILE] [--json]\n"
         "       ksactl keys refresh [CLUSTER ... | --all] [--if-older AGE] [--if-due] [--cooldown]\n"
         "               [--config FILE]\n"
         "       ksactl keys purge CLUSTER [--config FILE]\n"
         "       ksactl keys convert FILE"},
        {"credential", command_credential,
         "credential init CLUSTER [--duration TIME] [--config FILE]\n"
         "       ksactl credential show [CLUSTER] [--config FILE] [--json]\n"
         "       ksactl credential renew [CLUSTER ... | --all] [--if-due] [--config FILE]"},
        {"accounts", command_accounts,
         "accounts sync [--dry-run] [--force] [--new-registry] [--config FILE] [--json]\n"
         "       ksactl accounts list [--all] [--config FILE] [--json]\n"
         "       ksactl accounts show USER|UID|CLUSTER:NAMESPACE/ACCOUNT [--config FILE] [--json]\n"
         "       ksactl accounts disable USER [--config FILE] [--json]\n"
         "       ksactl accounts enable USER [--config FILE] [--json]\n"
         "       ksactl accounts export [CLUSTER] [--config FILE] [--json]\n"
         "       ksactl accounts rename-cluster OLD NEW [--config FILE] [--json]\n"
         "       ksactl accounts restore FILE"},
        {"status", command_status, "status [--offline] [--config FILE] [--json]"},
        {"options", command_options, "options [--json]"},
};

static void print_usage(FILE *out)
{
        for (size_t i = 0; i < KSA_COUNT(commands); i++)
                (void)fprintf(out, "%s ksactl %s\n", i == 0 ? "usage:" : "      ",
                              commands[i].usage);
}

static bool read_flag(const struct args *arguments, int *position, const struct flag *flags,
                      size_t count)
{
        const char *word = arguments->args[*position];

        for (size_t i = 0; i < count; i++) {
                if (strcmp(word, flags[i].name) != 0)
                        continue;
                if (flags[i].given != NULL) {
                        *flags[i].given = true;
                        return true;
                }
                if (*position + 1 == arguments->count || *flags[i].value != NULL) {
                        (void)fprintf(stderr, "ksactl: %s takes one value\n", word);
                        return false;
                }
                *flags[i].value = arguments->args[++*position];
                return true;
        }
        (void)fprintf(stderr, "ksactl: unknown option %s\n", word);
        return false;
}

bool read_flags(const struct args *arguments, const struct flag *flags, size_t flag_count,
                const char **args, size_t count)
{
        size_t found = 0;

        for (int i = 0; i < arguments->count; i++) {
                const char *word = arguments->args[i];

                if (word[0] == '-' && word[1] != '\0') {
                        if (!read_flag(arguments, &i, flags, flag_count))
                                return false;
                } else if (found < count) {
                        args[found++] = word;
                } else {
                        (void)fprintf(stderr, "ksactl: unexpected argument \"%s\"\n", word);
                        return false;
                }
        }
        return true;
}

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
        *ret_path = config_file != NULL ? make_absolute(config_file) : NULL;
        if (config_file != NULL && *ret_path == NULL)
                return false;
        ksa_host_env_fill(ret_host, *ret_path != NULL ? *ret_path : config_file);
        return true;
}

int run_subcommand(const char *command, const struct subcommand *subcommands, size_t count,
                   const struct args *arguments)
{
        for (size_t i = 0; arguments->count > 0 && i < count; i++) {
                struct args rest = {arguments->count - 1, arguments->args + 1};

                if (strcmp(arguments->args[0], subcommands[i].name) == 0)
                        return subcommands[i].run(&rest);
        }
        if (arguments->count == 0)
                (void)fprintf(stderr, "ksactl: %s: missing subcommand (", command);
        else
                (void)fprintf(stderr, "ksactl: %s: unknown subcommand \"%s\" (expected ", command,
                              arguments->args[0]);
        for (size_t i = 0; i < count; i++)
                (void)fprintf(stderr, "%s%s", i > 0 ? ", " : "", subcommands[i].name);
        (void)fputs(")\n", stderr);
        return EXIT_BROKEN;
}

bool load_configuration(const struct ksa_env *env, struct ksa_config **ret)
{
        struct ksa_error error = {0};

        if (ksa_config_load(env, NULL, ret, &error) == KSA_OK)
                return true;
        print_error(&error);
        if (error.reason == KSA_FILE_MISSING)
                (void)fputs("    create it (see ksa.conf(5)), or name another file with --config\n",
                            stderr);
        else if (error.remedy == NULL)
                (void)fputs("    ksactl check reports all errors of the configuration\n", stderr);
        return false;
}

bool open_session(struct session *session, const char *config_file)
{
        *session = (struct session){.config = NULL};
        return fill_host(&session->host, config_file, &session->path) &&
               load_configuration(&session->host.env, &session->config);
}

void close_session(struct session *session)
{
        ksa_helper_close(&session->host.fetch);
        ksa_config_free(&session->config);
        free(session->path);
}

void renew_session(struct session *session)
{
        const char *config_file = session->host.env.config_file;

        ksa_helper_close(&session->host.fetch);
        ksa_host_env_fill(&session->host, config_file);
}

bool is_root(const char *command)
{
        if (geteuid() == 0)
                return true;
        (void)fprintf(stderr, "ksactl: %s requires root\n", command);
        return false;
}

const char *moment(int64_t seconds, char out[MOMENT_SIZE])
{
        time_t time = (time_t)seconds;
        struct tm parts;

        if (gmtime_r(&time, &parts) == NULL ||
            strftime(out, MOMENT_SIZE, "%Y-%m-%d %H:%M:%S UTC", &parts) == 0)
                (void)snprintf(out, MOMENT_SIZE, "%lld", (long long)seconds);
        return out;
}

bool print_json(json_t *value)
{
        bool printed = value != NULL && json_dumpf(value, stdout, JSON_INDENT(2)) == 0 &&
                       putchar('\n') != EOF && fflush(stdout) == 0;

        json_decref(value);
        if (!printed)
                (void)fputs("ksactl: the answer cannot be written as JSON\n", stderr);
        return printed;
}

void print_error(const struct ksa_error *error)
{
        if (error->file[0] != '\0' && error->line != 0)
                (void)fprintf(stderr, "%s:%u: ", error->file, error->line);
        else if (strstr(error->text, error->file) == NULL)
                (void)fprintf(stderr, "%s: ", error->file);
        (void)fprintf(stderr, "%s\n", error->text);
        if (error->remedy != NULL)
                (void)fprintf(stderr, "    %s\n", error->remedy);
}

static int run(int argc, char **argv)
{
        if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
                print_usage(stdout);
                return EXIT_GOOD;
        }
        if (argc >= 2 && strcmp(argv[1], "--version") == 0) {
                (void)puts("ksactl " PACKAGE_VERSION);
                return EXIT_GOOD;
        }
        for (size_t i = 0; argc >= 2 && i < KSA_COUNT(commands); i++) {
                if (strcmp(argv[1], commands[i].name) == 0) {
                        struct args arguments = {argc - 2, argv + 2};

                        return commands[i].run(&arguments);
                }
        }
        print_usage(stderr);
        return EXIT_BROKEN;
}

int main(int argc, char **argv)
{
        (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* a core would hold credentials */
        ksa_json_wipes();                         /* answers hold tokens */
        int status = run(argc, argv);

        if (fflush(stdout) != 0 || ferror(stdout) != 0) {
                perror("ksactl: standard output");
                return argc >= 2 && strcmp(argv[1], "status") == 0 ? EXIT_UNKNOWN : EXIT_BROKEN;
        }
        return status;
}
