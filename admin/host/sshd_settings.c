/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/host/sshd_settings.h"

#include <fnmatch.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/process.h"

#define TIME 60000 /* milliseconds */

bool ksa_sshd_ask(const char *user, const char *file, struct ksa_sshd_settings *ret_settings,
                  struct ksa_error *err)
{
        const struct timespec deadline = ksa_deadline_in(TIME);
        char program[] = KSA_SSHD, test[] = "-T", spec[] = "-C", option[] = "-f";
        char connection[400], name[256];
        char *arguments[] = {program, test, spec, connection, NULL, NULL, NULL};

        (void)snprintf(connection, sizeof(connection), "user=%s,host=localhost,addr=127.0.0.1",
                       user);
        if (file != NULL) {
                (void)snprintf(name, sizeof(name), "%s", file);
                arguments[4] = option;
                arguments[5] = name;
        }
        /* Debian's sshd requires this directory, which its service makes at each start. */
        (void)mkdir("/run/sshd", S_IRWXU | S_IRGRP | S_IXGRP | S_IROTH | S_IXOTH);
        int status = ksa_process_capture(program, arguments, &deadline, ret_settings->text,
                                         sizeof(ret_settings->text));
        if (status == 0)
                return true;
        (void)ksa_fail(err, KSA_HOST_ERROR, KSA_SSHD " -T ended with %d%s%.*s", status,
                       *ret_settings->text != '\0' ? ": " : "",
                       (int)strcspn(ret_settings->text, "\r\n"), ret_settings->text);
        return false;
}

/* Copies the next value of NAME, or "". Returns the lines after it, or NULL. */
static const char *next_value(const char *lines, const char *name, char *value, size_t size)
{
        const size_t length = strlen(name);

        value[0] = '\0';
        while (*lines != '\0') {
                const char *line = lines;

                lines += strcspn(lines, "\n");
                lines += *lines == '\n';
                if (strncmp(line, name, length) == 0 && line[length] == ' ') {
                        (void)snprintf(value, size, "%.*s", (int)strcspn(line + length + 1, "\r\n"),
                                       line + length + 1);
                        return lines;
                }
        }
        return NULL;
}

const char *ksa_sshd_value(const struct ksa_sshd_settings *settings, const char *name, char *value,
                           size_t size)
{
        (void)next_value(settings->text, name, value, size);
        return value;
}

/* --- Users that sshd refuses ------------------------------------------------ */

/* In the order in which sshd reads them. sshd -T prints a line for each pattern. */
static const struct access_list {
        const char *keyword, *name;
        bool is_of_users, allows;
} access_lists[] = {
        {"DenyUsers", "denyusers", true, false},
        {"AllowUsers", "allowusers", true, true},
        {"DenyGroups", "denygroups", false, false},
        {"AllowGroups", "allowgroups", false, true},
};

/* Whether a pattern matches TEXT. Of USER@HOST the user decides: the host may fit, or others may. */
static bool matches(const struct ksa_sshd_settings *settings, const struct access_list *list,
                    const char *text)
{
        const char *lines = settings->text;
        char pattern[512];

        while ((lines = next_value(lines, list->name, pattern, sizeof(pattern))) != NULL) {
                char *host = list->is_of_users ? strrchr(pattern, '@') : NULL;

                if (host != NULL && !list->allows)
                        continue;
                if (host != NULL)
                        *host = '\0';
                if (fnmatch(pattern, text, FNM_NOESCAPE) == 0)
                        return true;
        }
        return false;
}

static bool matches_group(const struct ksa_sshd_settings *settings, const struct access_list *list,
                          const struct passwd *user)
{
        gid_t gids[256];
        int count = (int)KSA_COUNT(gids);

        if (getgrouplist(user->pw_name, user->pw_gid, gids, &count) < 0)
                count = (int)KSA_COUNT(gids);
        for (int i = 0; i < count; i++) {
                const struct group *group = getgrgid(gids[i]);

                if (group != NULL && matches(settings, list, group->gr_name))
                        return true;
        }
        return false;
}

const char *ksa_sshd_refusal(const struct ksa_sshd_settings *settings, const char *user)
{
        const struct passwd *entry = getpwnam(user);

        for (size_t i = 0; i < KSA_COUNT(access_lists); i++) {
                const struct access_list *list = &access_lists[i];
                char value[8];

                if (*ksa_sshd_value(settings, list->name, value, sizeof(value)) == '\0' ||
                    (!list->is_of_users && entry == NULL))
                        continue;
                if (list->allows != (list->is_of_users ? matches(settings, list, user)
                                                       : matches_group(settings, list, entry)))
                        return list->keyword;
        }
        return NULL;
}

/* --- Methods ---------------------------------------------------------------- */

/* LIST: methods, separated by commas. keyboard-interactive may have a device, of which PAM is one. */
static bool requires_token(const char *list, size_t length)
{
        static const char *const names[] = {"keyboard-interactive", "keyboard-interactive:pam"};

        for (size_t at = 0; at < length;) {
                size_t end = at;

                while (end < length && list[end] != ',')
                        end++;
                for (size_t i = 0; i < KSA_COUNT(names); i++) {
                        if (end - at == strlen(names[i]) &&
                            strncmp(list + at, names[i], end - at) == 0)
                                return true;
                }
                at = end + 1;
        }
        return false;
}

enum ksa_sshd_methods ksa_sshd_methods_of(const char *value)
{
        size_t with = 0, without = 0;

        if (*value == '\0' || strcmp(value, "any") == 0)
                return KSA_METHODS_OTHER;
        for (const char *at = value + strspn(value, " "); *at != '\0';) {
                const size_t length = strcspn(at, " ");

                if (requires_token(at, length))
                        with++;
                else
                        without++;
                at += length;
                at += strspn(at, " ");
        }
        return with == 0 ? KSA_METHODS_NEVER : without > 0 ? KSA_METHODS_OTHER : KSA_METHODS_TOKEN;
}
