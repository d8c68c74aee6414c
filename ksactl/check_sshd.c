/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl check: whether sshd refuses connections from an address after refused tokens. */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "check.h"

/* Since OpenSSH 9.8 sshd starts this program for each connection, and has PerSourcePenalties. */
static bool has_penalties(void)
{
        static const char *const sessions[] = {
                "/usr/lib/openssh/sshd-session",     /* Debian, Ubuntu */
                "/usr/libexec/openssh/sshd-session", /* Fedora, RHEL */
                "/usr/libexec/ssh/sshd-session",     /* SUSE */
                "/usr/lib/ssh/sshd-session",         /* Arch, Alpine */
        };

        for (size_t i = 0; i < KSA_COUNT(sessions); i++) {
                if (access(sessions[i], F_OK) == 0)
                        return true;
        }
        return false;
}

static bool is_setting(const char *line, const char *name)
{
        const size_t length = strlen(name);

        line += strspn(line, " \t");
        return strncasecmp(line, name, length) == 0 && strchr(" \t=", line[length]) != NULL;
}

/* Also true if the file cannot be read. */
static bool may_set_penalties(const char *path)
{
        FILE *file = fopen(path, "re");
        char line[4096];
        bool found = file == NULL && errno != ENOENT;

        while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL)
                found = is_setting(line, "PerSourcePenalties") ||
                        is_setting(line, "PerSourcePenaltyExemptList");
        if (file != NULL)
                (void)fclose(file);
        return found;
}

/* glob() then ends with GLOB_ABORTED. */
static int is_unreadable(const char *path, int error)
{
        (void)path;
        return error != ENOENT;
}

static bool may_have_set_penalties(const char *except)
{
        bool found = may_set_penalties("/etc/ssh/sshd_config");
        glob_t files;

        int status = glob("/etc/ssh/sshd_config.d/*.conf", 0, is_unreadable, &files);
        for (size_t i = 0; status == 0 && !found && i < files.gl_pathc; i++)
                found = (except == NULL || strcmp(files.gl_pathv[i], except) != 0) &&
                        may_set_penalties(files.gl_pathv[i]);
        if (status == 0)
                globfree(&files);
        return found || (status != 0 && status != GLOB_NOMATCH);
}

bool sshd_lacks_penalties(const char *except)
{
        return has_penalties() && !may_have_set_penalties(except);
}

void check_sshd(struct report *report, const struct ksa_config *config)
{
        for (size_t i = 0; i < config->counts[KSA_SECTION_RULE]; i++) {
                const struct ksa_rule *rule = &config->rules[i];

                if (!ksa_list_has(&rule->service, "sshd"))
                        continue;
                if (sshd_lacks_penalties(NULL))
                        report_at(report, false, &rule->location,
                                  "install ksa-penalties.conf of packaging/examples/sshd_config.d; "
                                  "see ksa-clusters(7) for MaxStartups",
                                  "[rule %s]: this sshd (OpenSSH 9.8 or later) refuses all "
                                  "connections from an address after a few refused tokens, and "
                                  "/etc/ssh/sshd_config and sshd_config.d do not set "
                                  "PerSourcePenalties or PerSourcePenaltyExemptList",
                                  rule->name);
                return;
        }
}
