/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/host/sudo_settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/host/tool.h"
#include "base/process.h"

#define TIME 60000 /* milliseconds: sudo may look up the host's name, and sudoers in a directory */

static int ask(const char *path, const char *const *more, char *out, size_t size)
{
        const struct timespec deadline = ksa_deadline_in(TIME);
        char program[64], words[3][256];
        char *arguments[5] = {program};
        size_t count = 0;

        (void)snprintf(program, sizeof(program), "%s", path);
        for (; count < KSA_COUNT(words) && more[count] != NULL; count++) {
                (void)snprintf(words[count], sizeof(words[count]), "%s", more[count]);
                arguments[count + 1] = words[count];
        }
        return ksa_process_capture(program, arguments, &deadline, out, size);
}

/* --- The program ------------------------------------------------------------ */

/* TEXT begins with a version, such as 1.9.13p3. */
static unsigned version_of(const char *text)
{
        unsigned version = 0;

        for (unsigned i = 0; i < 3; i++) {
                char *end;
                const unsigned long number = strtoul(text, &end, 10);

                version = version * 100 + (number < 100 ? (unsigned)number : 99);
                text = *end == '.' ? end + 1 : end;
        }
        return version;
}

bool ksa_sudo_find(struct ksa_sudo *ret_sudo)
{
        static const char *const programs[] = {"/usr/bin/sudo", "/usr/bin/sudo-rs"};
        static const char title[] = "Sudo version ";

        for (size_t i = 0; i < KSA_COUNT(programs); i++) {
                char output[8192];

                if (access(programs[i], X_OK) != 0)
                        continue;
                const int status =
                        ask(programs[i], (const char *const[]){"-V", NULL}, output, sizeof(output));
                const char *version = status == 0 ? strstr(output, title) : NULL;
                *ret_sudo = (struct ksa_sudo){.path = programs[i],
                                              .is_rs = strstr(output, "sudo-rs") != NULL};
                if (version != NULL)
                        ret_sudo->version = version_of(version + strlen(title));
                return true;
        }
        return false;
}

/* --- The rights of a user --------------------------------------------------- */

bool ksa_sudo_ask(const struct ksa_sudo *sudo, const char *user, struct ksa_sudo_rights *ret_rights,
                  struct ksa_error *err)
{
        const int status = ask(sudo->path, (const char *const[]){"-l", "-U", user, NULL},
                               ret_rights->text, sizeof(ret_rights->text));

        const char *commands = strstr(ret_rights->text, "may run the following commands");
        ret_rights->has_command = commands != NULL;
        /* sudo writes colons of commands as "\:". */
        ret_rights->has_nopasswd = commands != NULL && strstr(commands, " NOPASSWD: ") != NULL;
        /* sudo-rs ends with 1 for a user without commands. */
        if (status == 0 || (status == 1 && strstr(ret_rights->text, "not allowed") != NULL))
                return true;
        (void)ksa_fail(err, KSA_HOST_ERROR, "%s -l -U %s ended with %d%s%.300s", sudo->path, user,
                       status, *ret_rights->text != '\0' ? ": " : "",
                       ksa_tool_last_line(ret_rights->text));
        return false;
}

/* The length of the setting at TEXT, up to a comma or the end of the line, outside quotes. */
static size_t setting_length(const char *text)
{
        bool quoted = false;
        size_t i = 0;

        for (; text[i] != '\0' && (quoted || strchr(",\n", text[i]) == NULL); i++) {
                if (text[i] == '\\' && text[i + 1] != '\0')
                        i++;
                else if (text[i] == '"')
                        quoted = !quoted;
        }
        return i;
}

bool ksa_sudo_has_option(const struct ksa_sudo_rights *rights, const char *name, bool usual,
                         char *value, size_t size)
{
        const char *at = strstr(rights->text, "Matching Defaults entries for ");
        const size_t length = strlen(name);
        bool found = usual;

        value[0] = '\0';
        at = at != NULL ? strchr(at, '\n') : NULL;
        const char *end = at != NULL ? strstr(at, "\n\n") : NULL;
        while (at != NULL && (end == NULL || at < end)) {
                at += strspn(at, " \t\n,");
                const size_t all = setting_length(at);
                const bool is_off = *at == '!';
                const char *begin = at + is_off;

                if (all == 0)
                        break;
                if (strncmp(begin, name, length) == 0 &&
                    (begin + length == at + all || begin[length] == '=')) {
                        const size_t head = is_off + length + (begin[length] == '=');

                        found = !is_off;
                        (void)snprintf(value, size, "%.*s", (int)(all - head), at + head);
                }
                at += all;
        }
        return found;
}
