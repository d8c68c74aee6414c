/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl: the administrator's tool. */
#include "cli.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "admin/base/json_wipe.h"

static int run(int argc, char **argv, const struct command **ret_command)
{
        if (argc < 2) {
                print_overview(stderr);
                return EXIT_BROKEN;
        }
        if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
                print_overview(stdout);
                (void)puts("project, and where to report errors: " PACKAGE_URL);
                return EXIT_GOOD;
        }
        if (strcmp(argv[1], "--version") == 0) {
                (void)puts("ksactl " PACKAGE_VERSION);
                return EXIT_GOOD;
        }
        return run_command(argv + 1, argc - 1, ret_command);
}

int main(int argc, char **argv)
{
        (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* a core would hold credentials */
        ksa_json_wipes();                         /* answers hold tokens */
        const struct command *command = NULL;
        int status = run(argc, argv, &command);

        if (fflush(stdout) != 0 || ferror(stdout) != 0) {
                perror("ksactl: standard output");
                return command != NULL ? failure_of(command) : EXIT_BROKEN;
        }
        return status;
}
