/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl check --host: users who were added after ksactl enable, and whose keys its Match block refuses. */
#include "check_host.h"

#include <stdlib.h>
#include <string.h>

#include "admin/host/rule_users.h"
#include "base/file.h"

#define PASSWD   "/etc/passwd"
#define FILE_MAX (8 << 20)
#define MATCH    "Match User "

/* The first Match block of TEXT as a list; false if memory runs out. TEXT is changed. */
static bool read_users(char *text, struct ksa_list *users)
{
        char *line = strstr(text, "\n" MATCH), *state = NULL;

        if (line == NULL)
                return true;
        line += strlen("\n" MATCH);
        line[strcspn(line, "\n")] = '\0';
        for (const char *user = strtok_r(line, ",", &state); user != NULL;
             user = strtok_r(NULL, ",", &state)) {
                char **next = ksa_list_next(users, sizeof(*next));
                char *copy = strdup(user);

                if (next == NULL || copy == NULL) {
                        free(copy);
                        return false;
                }
                *next = copy;
                users->count++;
        }
        return true;
}

void check_host_enabled(struct report *report, const struct ksa_env *env)
{
        struct ksa_error error = {.reason = KSA_OK};
        struct ksa_list users = {.count = 0};
        char *text = NULL;
        size_t length = 0;

        if (ksa_file_read(ENABLED_SSHD_FILE, env->owner, FILE_MAX, &text, &length, &error) !=
            KSA_OK)
                return; /* no file, or one that is not as enable writes it */
        bool good = read_users(text, &users);
        size_t written = users.count;

        /* Adds the users who are not in the block yet. */
        if (good && ksa_rule_users_except(&users, PASSWD, &error) != KSA_OK)
                report_problem(report, true, error.file, error.line, error.text, remedy_of(&error));
        for (size_t i = written; i < users.count; i++)
                report_host(report, HOST_ENABLED_USER, ENABLED_SSHD_FILE, 0,
                            "%s of " PASSWD " matches the Match block by the beginning of its "
                            "name, so sshd refuses its keys",
                            ksa_list_text(&users, i) + 1);
        free(text);
        ksa_rule_users_free(&users);
}
