/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl: the administrator's tool. A table of commands. */
#include "ksactl.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "admin/base/json_wipe.h"

static const struct command {
        const char *name;
        int (*run)(const struct args *arguments);
        const char *usage;
} commands[] = {
        {"check", command_check, "check [--host [--fix]] [--config FILE] [--json]"},
        {"enable", command_enable, "enable [sshd] [sudo] [--dry-run] [--config FILE]"},
        {"disable", command_disable, "disable"},
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

static int run(int argc, char **argv)
{
        if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
                print_usage(stdout);
                (void)puts("project, and where to report errors: " PACKAGE_URL);
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
        if (argc < 2) {
                print_usage(stderr);
                return EXIT_BROKEN;
        }
        (void)fprintf(stderr, "ksactl: unknown %s \"%s\" (expected ",
                      argv[1][0] == '-' ? "option" : "command", argv[1]);
        for (size_t i = 0; i < KSA_COUNT(commands); i++)
                (void)fprintf(stderr, "%s%s", i > 0 ? ", " : "", commands[i].name);
        (void)fputs("; or --help)\n", stderr);
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
