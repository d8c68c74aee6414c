/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/host/sshd_settings.h"

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

const char *ksa_sshd_value(const struct ksa_sshd_settings *settings, const char *name, char *value,
                           size_t size)
{
        const size_t length = strlen(name);

        value[0] = '\0';
        for (const char *line = settings->text; line != NULL && *line != '\0';) {
                const char *end = strchr(line, '\n');

                if (strncmp(line, name, length) == 0 && line[length] == ' ') {
                        (void)snprintf(value, size, "%.*s", (int)strcspn(line + length + 1, "\r\n"),
                                       line + length + 1);
                        break;
                }
                line = end != NULL ? end + 1 : NULL;
        }
        return value;
}

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
