/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl check: files of conf.d that no login reads. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "check.h"

/* Whether NAME is that of a version which an editor or a package manager left. */
static bool is_leftover(const char *name)
{
        static const char *const tails[] = {"~",          ".bak",      ".orig",     ".old",
                                            ".swp",       ".rpmnew",   ".rpmsave",  ".rpmorig",
                                            ".dpkg-dist", ".dpkg-old", ".dpkg-new", ".ucf-dist",
                                            ".ucf-old",   ".pacnew",   ".pacsave"};

        for (size_t i = 0; i < KSA_COUNT(tails); i++) {
                if (ksa_text_ends_with(name, tails[i]))
                        return true;
        }
        return false;
}

static void check_name(struct report *report, const char *directory, const char *name)
{
        char path[PATH_MAX + 256], remedy[320];
        struct stat status;

        (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
        if (strncmp(name, "README", 6) == 0 || stat(path, &status) != 0)
                return;
        if (S_ISDIR(status.st_mode))
                report_problem(report, false, path, 0,
                               "the directory is not read: conf.d has no directories below it",
                               "move its files to conf.d");
        else if (is_leftover(name))
                report_problem(report, false, path, 0,
                               "the file is not read: its name does not end in .conf",
                               "merge it into the configuration, and remove it");
        else if (name[0] == '.')
                report_problem(report, false, path, 0,
                               "the file is not read: its name begins with a dot",
                               "rename it without the dot, or remove it");
        else if (!ksa_text_ends_with(name, ".conf") || strcmp(name, ".conf") == 0) {
                (void)snprintf(remedy, sizeof(remedy), "rename it to %.*s.conf, or remove it",
                               (int)(strcspn(name, ".")), name);
                report_problem(report, false, path, 0,
                               "the file is not read: its name does not end in .conf", remedy);
        }
}

static int is_entry(const struct dirent *entry)
{
        return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

void check_directory(struct report *report, const char *config_file)
{
        const char *slash = strrchr(config_file, '/');
        struct dirent **entries = NULL;
        char directory[PATH_MAX];

        (void)snprintf(directory, sizeof(directory), "%.*s/conf.d", (int)(slash - config_file),
                       config_file);
        int count = scandir(directory, &entries, is_entry, alphasort);
        for (int i = 0; i < count; i++) {
                check_name(report, directory, entries[i]->d_name);
                free(entries[i]);
        }
        free(entries);
}
