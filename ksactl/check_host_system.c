/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl check --host: the host itself: users, timers, modes, labels, name and clock. */
#include "check_host.h"

#include <ctype.h>
#include <pwd.h>
#include <shadow.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "admin/host/own_paths.h"
#include "admin/host/tool.h"
#include "base/text.h"

/* Seconds by which clocks may differ: the leeway for the times of a token. */
#define LEEWAY 60

#define FETCH_USER "_ksa"

/* --- Users ------------------------------------------------------------------ */

/* ksa-fetch becomes this user, so no other program may run as it. check_fetcher() reports a missing one. */
static void check_fetch_user(struct report *report)
{
        const struct passwd *user = getpwnam(FETCH_USER);

        if (user == NULL)
                return;
        const uid_t uid = user->pw_uid;
        const char *shell = user->pw_shell;
        if (uid == 0)
                report_host(report, HOST_FETCH_USER, "", 0, "the user " FETCH_USER " has uid 0");
        if (!ksa_text_ends_with(shell, "/nologin") && !ksa_text_ends_with(shell, "/false"))
                report_host(report, HOST_FETCH_USER, "", 0,
                            "the user " FETCH_USER ", which only ksa-fetch should run as, has the "
                            "shell \"%s\"",
                            shell);
        const struct spwd *shadow = getspnam(FETCH_USER);
        if (shadow != NULL && shadow->sp_pwdp[0] != '!' && shadow->sp_pwdp[0] != '*')
                report_host(report, HOST_FETCH_USER, "", 0,
                            "the user " FETCH_USER ", which only ksa-fetch should run as, has a "
                            "password");
        user = getpwuid(uid);
        if (uid != 0 && user != NULL && strcmp(user->pw_name, FETCH_USER) != 0)
                report_host(report, HOST_FETCH_USER, "", 0,
                            "the user " FETCH_USER " shares the uid %u with %s", (unsigned)uid,
                            user->pw_name);
}

/* Whether a lookup of this process, which may be answered by nscd or sssd, finds an active user of ksa. */
static void check_lookup(struct report *report, const struct ksa_env *env)
{
        struct finding sources = {.level = WELL};
        struct ksa_account_record record;
        struct host_registry loaded;
        size_t position = 0;
        bool found = false;

        load_registry(env, &loaded);
        find_lookups(LOOKUP_PASSWD, &sources);
        while (loaded.answer == KSA_REGISTRY_FOUND && sources.level == WELL && !found &&
               ksa_registry_next(&loaded.registry, &position, &record) == KSA_REGISTRY_FOUND)
                found = record.state == KSA_ACCOUNT_ACTIVE;
        if (found) {
                const struct passwd *user = getpwnam(record.name);

                if (user == NULL)
                        report_host(report, HOST_LOOKUP, env->registry_file, 0,
                                    "lookups do not find the user %s, although nsswitch.conf "
                                    "names ksa",
                                    record.name);
                else if (user->pw_uid != record.uid)
                        report_host(report, HOST_LOOKUP, env->registry_file, 0,
                                    "lookups find the user %s with the uid %u in place of %u",
                                    record.name, (unsigned)user->pw_uid, (unsigned)record.uid);
        }
        ksa_registry_close(&loaded.registry);
}

/* --- Timers ----------------------------------------------------------------- */

/* Timers that are not enabled are for check_timers(), which knows which of them are needed. */
static void check_unit(struct report *report, const char *name)
{
        char timer[64], service[64], state[64], ended[128], remedy[TIMER_REMEDY_SIZE];

        (void)snprintf(timer, sizeof(timer), "%s.timer", name);
        (void)snprintf(service, sizeof(service), "%s.service", name);
        if (timer_runs(timer, remedy) &&
            ksa_tool_unit_property(timer, "ActiveState", state, sizeof(state)) &&
            strcmp(state, "active") != 0)
                report_host(report, HOST_TIMER_STOPPED, "", 0,
                            "%s is enabled, but its state is \"%s\": it does not run", timer,
                            state);
        if (ksa_tool_unit_property(service, "ActiveState", state, sizeof(state)) &&
            strcmp(state, "failed") == 0 &&
            ksa_tool_unit_property(service, "ExecMainExitTimestamp", ended, sizeof(ended)))
                report_host(report, HOST_TIMER_FAILED, "", 0, "%s failed when it ran last, at %s",
                            service, *ended != '\0' ? ended : "an unknown time");
}

static void check_units(struct report *report)
{
        static const char *const names[] = {"ksa-keys", "ksa-credential", "ksa-accounts"};

        for (size_t i = 0; ksa_tool_systemd_runs() && i < KSA_COUNT(names); i++)
                check_unit(report, names[i]);
}

/* --- Modes and labels ------------------------------------------------------- */

void fix_modes(struct report *report, const struct ksa_env *env)
{
        for (size_t i = 0; i < ksa_own_path_count; i++) {
                const struct ksa_own_path *path = &ksa_own_paths[i];
                struct ksa_error error = {.reason = KSA_OK};
                struct stat status;

                if (!ksa_own_path_differs(path, env->owner, &status) ||
                    ksa_own_path_is_unsafe(path, env->owner, &status))
                        continue;
                if (ksa_own_path_set(path, env->owner, &error))
                        report_host(report, HOST_MODE_FIXED, path->path, 0,
                                    "%s has the mode %04o and belongs to root now (was %04o, uid "
                                    "%u)",
                                    path->path, (unsigned)path->mode,
                                    (unsigned)status.st_mode & 07777, (unsigned)status.st_uid);
                else
                        report_named(report, "mode", true, path->path, 0, error.text, "");
        }
}

static void check_modes(struct report *report, const struct ksa_env *env)
{
        for (size_t i = 0; i < ksa_own_path_count; i++) {
                const struct ksa_own_path *path = &ksa_own_paths[i];
                struct stat status;

                if (!ksa_own_path_differs(path, env->owner, &status))
                        continue;
                const bool unsafe = ksa_own_path_is_unsafe(path, env->owner, &status);
                report_host(report, unsafe ? HOST_MODE_UNSAFE : HOST_MODE, path->path, 0,
                            "%s has the mode %04o and the uid %u (expected %04o, root)%s",
                            path->path, (unsigned)status.st_mode & 07777, (unsigned)status.st_uid,
                            (unsigned)path->mode,
                            unsafe ? ": others could have written it, or put it there" : "");
        }
}

/* Types that files have by the place where they were made: sshd may not read or execute them. */
static bool is_label_of_elsewhere(const char *label)
{
        static const char *const types[] = {":user_home_t:", ":admin_home_t:", ":user_tmp_t:",
                                            ":tmp_t:",       ":unlabeled_t:",  ":default_t:"};

        for (size_t i = 0; i < KSA_COUNT(types); i++) {
                if (strstr(label, types[i]) != NULL)
                        return true;
        }
        return false;
}

static void check_labels(struct report *report)
{
        static const char *const paths[] = {KSA_CONFIG_FILE,
                                            KSA_FETCH_PROGRAM,
                                            KSA_REFRESH_PROGRAM,
                                            KSA_CACHE_DIR,
                                            KSA_STATE_DIR,
                                            KSA_REGISTRY_FILE,
                                            "/usr/lib64/security/pam_ksa.so",
                                            "/usr/lib64/libnss_ksa.so.2"};

        if (!ksa_tool_enforces_selinux())
                return;
        for (size_t i = 0; i < KSA_COUNT(paths); i++) {
                char label[256];
                const ssize_t length =
                        getxattr(paths[i], "security.selinux", label, sizeof(label) - 1);

                label[length > 0 ? length : 0] = '\0';
                if (is_label_of_elsewhere(label))
                        report_host(report, HOST_SELINUX_LABEL, paths[i], 0,
                                    "SELinux is enforcing, and %s has the label %s of another "
                                    "directory",
                                    paths[i], label);
        }
}

/* --- Name and clock --------------------------------------------------------- */

/* Whether one of the names is the other, or its first part. */
static bool is_same_host(const char *name, const char *host)
{
        const size_t length = strlen(name), other = strlen(host);
        const size_t shorter = length < other ? length : other;
        const char *rest = (length < other ? host : name) + shorter;

        return strncasecmp(name, host, shorter) == 0 && (*rest == '\0' || *rest == '.');
}

/* Whether the names differ only in numbers, such as build-6.example.com and build-7. */
static bool differs_in_numbers(const char *name, const char *host)
{
        bool number = false;

        for (;;) {
                const size_t left = strspn(name, "0123456789"), right = strspn(host, "0123456789");

                if ((left == 0) != (right == 0))
                        return false;
                number = number || left > 0;
                name += left;
                host += right;
                const bool ends = *name == '\0' || *name == '.',
                           other = *host == '\0' || *host == '.';
                if (ends || other)
                        return ends && other && number;
                if (tolower((unsigned char)*name++) != tolower((unsigned char)*host++))
                        return false;
        }
}

/* A host that was cloned, or renamed: tokens for it name a host that its clients do not call. */
static void check_name(struct report *report, const struct ksa_config *config,
                       const struct ksa_env *env)
{
        const struct ksa_host *host = &config->host;
        const char *similar = NULL;

        for (size_t i = 0; i < host->audience.count; i++) {
                const char *audience = ksa_list_text(&host->audience, i);
                const char *name = strstr(audience, "://");

                if (name == NULL)
                        continue;
                name += 3;
                if (is_same_host(name, env->host_name))
                        return;
                if (similar == NULL && differs_in_numbers(name, env->host_name))
                        similar = audience;
        }
        if (similar != NULL)
                report_host(report, HOST_NAME, host->location.file, host->location.line,
                            "[host] audience: %s looks like another host's, and no audience has "
                            "this host's name, %s",
                            similar, env->host_name);
}

/* find_api() also finds what only status reports: here only the clock counts. */
static void check_clock(struct report *report, const struct ksa_config *config,
                        const struct ksa_cluster *cluster, const struct ksa_env *env)
{
        const struct need nothing = {.asked = false};
        struct finding api = {.level = WELL};
        struct ksa_host_env host; /* its clock is read now */
        char span[KSA_SPAN_SIZE];

        ksa_host_env_fill(&host, env->config_file);
        find_api(cluster, &host.env, &nothing, (unsigned)config->host.timeout * 1000, &api);
        const json_t *value = json_object_get(api.facts, "clock_difference");
        const int64_t difference = json_integer_value(value); /* 0 for null */

        if (llabs(difference) > LEEWAY)
                report_host(report, HOST_CLOCK, cluster->location.file, cluster->location.line,
                            "[cluster %s]: this host's clock is %s %s the API server's: valid "
                            "tokens are refused",
                            cluster->name, ksa_text_span(llabs(difference), span),
                            difference > 0 ? "ahead of" : "behind");
        json_decref(api.facts);
        ksa_fetch_process_close(&host.fetch);
}

void check_host_system(struct report *report, const struct ksa_config *config,
                       const struct ksa_env *env)
{
        check_fetch_user(report);
        check_lookup(report, env);
        check_units(report);
        check_modes(report, env);
        check_labels(report);
        check_name(report, config, env);
        for (size_t i = 0; i < config->counts[KSA_SECTION_CLUSTER]; i++) {
                if (config->clusters[i].api_server != NULL)
                        check_clock(report, config, &config->clusters[i], env);
        }
}
