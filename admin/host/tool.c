/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/host/tool.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/base/file_write.h"
#include "admin/host/sshd_settings.h"
#include "base/process.h"

#define TIME        60000 /* milliseconds: debconf and systemd may be busy */
#define OUTPUT      4096
#define AUTH_UPDATE "/usr/sbin/pam-auth-update"
#define PROFILES    "/usr/share/pam-configs"
#define AUTH_FILE   "/etc/pam.d/common-auth"

const char *ksa_tool_last_line(char *output)
{
        size_t length = strlen(output);

        while (length > 0 && output[length - 1] == '\n')
                output[--length] = '\0';
        const char *begin = strrchr(output, '\n');
        return begin == NULL ? output : begin + 1;
}

static bool run(const char *path, const char *const *arguments, struct ksa_error *err)
{
        struct timespec deadline = ksa_deadline_in(TIME);
        char output[OUTPUT], program[128];
        char *list[8] = {program};
        size_t count = 1;

        ksa_error_at(err, "", 0); /* the file that was written before is not the cause */
        (void)snprintf(program, sizeof(program), "%s", path);
        for (; count < KSA_COUNT(list) - 1 && arguments[count - 1] != NULL; count++)
                list[count] = (char *)(uintptr_t)arguments[count - 1];
        int status = ksa_process_capture(path, list, &deadline, output, sizeof(output));

        if (status == 0)
                return true;
        (void)ksa_fail(err, KSA_HOST_ERROR, "%s%s%s ended with %d%s%.300s", path,
                       arguments[0] != NULL ? " " : "", arguments[0] != NULL ? arguments[0] : "",
                       status, *output != '\0' ? ": " : "", ksa_tool_last_line(output));
        return false;
}
#define RUN(path, err, ...) run(path, (const char *const[]){__VA_ARGS__, NULL}, err)

/* --- PAM ------------------------------------------------------------------------ */

bool ksa_tool_knows_profile(const char *name)
{
        char path[128];

        (void)snprintf(path, sizeof(path), PROFILES "/%s", name);
        return access(AUTH_UPDATE, X_OK) == 0 && access(path, R_OK) == 0;
}

bool ksa_tool_has_profile(void)
{
        FILE *file = fopen(AUTH_FILE, "re");
        char line[1024];
        bool found = false;

        while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL)
                found = line[0] != '#' && strstr(line, "pam_ksa.so") != NULL;
        if (file != NULL)
                (void)fclose(file);
        return found;
}

bool ksa_tool_enable_profile(const char *name, struct ksa_error *err)
{
        if (!RUN(AUTH_UPDATE, err, "--enable", name))
                return false;
        if (ksa_tool_has_profile())
                return true;
        (void)ksa_fail(
                err, KSA_HOST_ERROR,
                "pam-auth-update left /etc/pam.d/common-* as they are: they were edited by hand");
        err->remedy = "add the lines of pam_ksa(8) by hand, or run pam-auth-update --force, which "
                      "replaces your edits";
        return false;
}

bool ksa_tool_disable_profile(const char *name, struct ksa_error *err)
{
        if (!RUN(AUTH_UPDATE, err, "--disable", name))
                return false;
        if (!ksa_tool_has_profile())
                return true;
        (void)ksa_fail(
                err, KSA_HOST_ERROR,
                "pam-auth-update left /etc/pam.d/common-* as they are: they were edited by hand");
        err->remedy = "remove the lines with pam_ksa.so from /etc/pam.d/common-*";
        return false;
}

/* --- sshd, sudo, systemd ---------------------------------------------------------- */

bool ksa_tool_systemd_runs(void)
{
        return access("/run/systemd/system", F_OK) == 0;
}

bool ksa_tool_check_sshd(struct ksa_error *err)
{
        /* Debian's sshd requires this directory, which its service makes at each start. */
        (void)mkdir("/run/sshd", S_IRWXU | S_IRGRP | S_IXGRP | S_IROTH | S_IXOTH);
        return RUN(KSA_SSHD, err, "-t");
}

bool ksa_tool_reload_sshd(struct ksa_error *err)
{
        static const char *const units[] = {"ssh.service", "sshd.service"};

        if (access(KSA_SSHD, F_OK) != 0 && errno == ENOENT)
                return true; /* it was uninstalled since: ksactl disable must not stop here */
        if (!ksa_tool_check_sshd(err))
                return false;
        for (size_t i = 0; ksa_tool_systemd_runs() && i < KSA_COUNT(units); i++) {
                char path[64];

                (void)snprintf(path, sizeof(path), "/usr/lib/systemd/system/%s", units[i]);
                if (access(path, F_OK) == 0 || access(path + strlen("/usr"), F_OK) == 0)
                        return RUN("/usr/bin/systemctl", err, "try-reload-or-restart", units[i]);
        }
        return true;
}

/* The first user of the Match block in TEXT, or one that its first pattern matches. */
static bool example_user(const char *text, char *out, size_t size)
{
        const char *users = strstr(text, "Match User ");

        if (users == NULL)
                return false;
        users += strlen("Match User ");
        (void)snprintf(out, size, "%.*s", (int)strcspn(users, ",\n"), users);
        char *star = strchr(out, '*');

        if (star != NULL)
                *star = 'x';
        return true;
}

bool ksa_tool_test_sshd(const char *text, struct ksa_error *err)
{
        struct ksa_sshd_settings settings;
        char user[128], pam[16], kbdinteractive[16];

        if (!example_user(text, user, sizeof(user)))
                return true;
        if (!ksa_sshd_ask(user, NULL, &settings, err))
                return false;
        (void)ksa_sshd_value(&settings, "usepam", pam, sizeof(pam));
        (void)ksa_sshd_value(&settings, "kbdinteractiveauthentication", kbdinteractive,
                             sizeof(kbdinteractive));
        if (strcmp(pam, "yes") == 0 && strcmp(kbdinteractive, "yes") == 0)
                return true;
        (void)ksa_fail(err, KSA_HOST_ERROR,
                       "sshd -T -C user=%s,host=localhost,addr=127.0.0.1 does not show \"usepam "
                       "yes\" and \"kbdinteractiveauthentication yes\"",
                       user);
        err->remedy =
                "set UsePAM yes, and put \"Include /etc/ssh/sshd_config.d/*.conf\" first in sshd_config, "
                "before other Match blocks";
        return false;
}

bool ksa_tool_check_sudoers(const char *text, const struct ksa_env *env, struct ksa_error *err)
{
        static const char *const checkers[] = {"/usr/sbin/visudo", "/usr/sbin/visudo-rs"};
        char draft[PATH_MAX];

        (void)snprintf(draft, sizeof(draft), "%s/sudoers.draft", env->run_dir);
        bool good = ksa_file_replace(draft, env->owner, 0440, text, strlen(text), err) == KSA_OK;

        for (size_t i = 0; good && i < KSA_COUNT(checkers); i++) {
                if (access(checkers[i], X_OK) == 0)
                        good = RUN(checkers[i], err, "-c", "-f", draft);
        }
        (void)unlink(draft);
        return good;
}

bool ksa_tool_reads_sudoers_d(struct ksa_error *err)
{
        static const char *const words[] = {"@includedir", "#includedir"};
        FILE *file = fopen("/etc/sudoers", "re");
        char line[1024];
        bool found = false;

        while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL) {
                const char *begin = line + strspn(line, " \t");

                for (size_t i = 0; i < KSA_COUNT(words); i++)
                        found = found || (strncmp(begin, words[i], strlen(words[i])) == 0 &&
                                          strstr(begin, "sudoers.d") != NULL);
        }
        if (file != NULL)
                (void)fclose(file);
        if (found)
                return true;
        (void)ksa_fail(err, KSA_HOST_ERROR, "/etc/sudoers does not include /etc/sudoers.d");
        err->remedy = "add the line @includedir /etc/sudoers.d with visudo";
        return false;
}

bool ksa_tool_enforces_selinux(void)
{
        FILE *file = fopen("/sys/fs/selinux/enforce", "re");
        const bool enforces = file != NULL && fgetc(file) == '1';

        if (file != NULL)
                (void)fclose(file);
        return enforces;
}

bool ksa_tool_unit_property(const char *unit, const char *property, char *value, size_t size)
{
        struct timespec deadline = ksa_deadline_in(TIME);
        char program[] = "/usr/bin/systemctl", show[] = "show", option[] = "--value", name[128],
             word[128];
        char *arguments[] = {program, show, option, name, word, NULL};

        (void)snprintf(name, sizeof(name), "--property=%s", property);
        (void)snprintf(word, sizeof(word), "%s", unit);
        if (ksa_process_capture(program, arguments, &deadline, value, size) != 0)
                return false;
        value[strcspn(value, "\n")] = '\0';
        return true;
}

bool ksa_tool_enable_timer(const char *name, bool enable, struct ksa_error *err)
{
        return RUN("/usr/bin/systemctl", err, enable ? "enable" : "disable", "--now", name);
}
