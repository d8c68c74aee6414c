/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of status and check: whether marks of used tokens are removed. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "status.h"
#include "used.h"

#define TIMER "ksa-keys.timer"
#define SWEEP "systemctl enable --now " TIMER

/* Directories with the links of enabled units (systemd.unit(5)). */
static const char *const units[] = {"/etc/systemd/system", "/run/systemd/system",
                                    "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
                                    "/lib/systemd/system"};

/* systemctl mask puts a link to /dev/null in place of the unit. */
static bool is_masked(const char *directory)
{
        char path[128];
        struct stat status;

        (void)snprintf(path, sizeof(path), "%s/" TIMER, directory);
        return stat(path, &status) == 0 && !S_ISREG(status.st_mode);
}

static bool timer_is_enabled(void)
{
        bool found = false;

        for (size_t i = 0; i < KSA_COUNT(units); i++) {
                char path[128];

                if (is_masked(units[i]))
                        return false;
                (void)snprintf(path, sizeof(path), "%s/timers.target.wants/" TIMER, units[i]);
                found = found || access(path, F_OK) == 0;
        }
        return found;
}

/* As sd_booted(3) has it. */
static bool systemd_runs(void)
{
        return access("/run/systemd/system", F_OK) == 0;
}

const struct ksa_rule *rule_with_once(const struct ksa_config *config)
{
        for (size_t i = 0; i < config->counts[KSA_SECTION_RULE]; i++) {
                if (config->rules[i].once)
                        return &config->rules[i];
        }
        return NULL;
}

void find_marks(const struct ksa_config *config, const struct ksa_env *env, struct finding *finding)
{
        const bool wanted = rule_with_once(config) != NULL, systemd = systemd_runs();
        const bool timer = systemd && timer_is_enabled();
        struct ksa_used used = {0};
        struct ksa_error error = {0};
        enum ksa_reason reason = ksa_used_count(env, &used, &error);
        const bool known = reason == KSA_OK, hidden = !known && geteuid() != 0;

        if (!wanted && used.old == 0)
                return;
        finding->facts = json_pack("{s:o, s:o, s:o}", "count",
                                   known ? json_integer((json_int_t)used.count) : json_null(),
                                   "old", known ? json_integer((json_int_t)used.old) : json_null(),
                                   "timer", systemd ? json_boolean(timer) : json_null());
        if (known)
                (void)snprintf(finding->text, sizeof(finding->text), "%zu of used tokens",
                               used.count);
        else
                (void)snprintf(finding->text, sizeof(finding->text), "%s",
                               hidden ? "root alone can read them" : "unknown");
        finding->is_hidden = hidden;
        if (!known && !hidden)
                add_problem(finding, TROUBLE, ksa_reason_remedy(KSA_MARK), "%s", error.text);
        if (used.old > 0)
                add_problem(finding, SOON,
                            systemd && !timer ? SWEEP
                                              : "ksactl keys refresh --all tells why; run it daily "
                                                "or more often, by " TIMER " or cron",
                            "%zu marks of used tokens in %s ended more than 1 day ago: nothing "
                            "removes them",
                            used.old, env->used_dir);
        else if (wanted && systemd && !timer)
                add_problem(finding, SOON, SWEEP,
                            TIMER " is not enabled, so nothing removes the marks of used tokens "
                                  "(once = yes)");
}
