/* SPDX-License-Identifier: BSD-2-Clause */
/* Part of status and check: whether marks of used tokens are removed. */
#include <stdio.h>
#include <unistd.h>

#include "admin/host/tool.h"
#include "admin/keys/used_tokens.h"
#include "status.h"

#define TIMER "ksa-keys.timer"

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
        const bool needed = rule_with_once(config) != NULL, systemd = ksa_tool_systemd_runs();
        char enable[TIMER_REMEDY_SIZE];
        const bool timer = systemd && timer_runs(TIMER, enable);
        struct ksa_used_tokens used = {0};
        struct ksa_error error = {0};
        enum ksa_reason reason = ksa_used_tokens_count(env, &used, &error);
        const bool known = reason == KSA_OK, hidden = !known && geteuid() != 0;

        if (!needed && used.old == 0)
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
                               hidden ? "only root can read them" : "unknown");
        finding->is_hidden = hidden;
        if (!known && !hidden)
                add_problem(finding, TROUBLE, ksa_reason_remedy(KSA_MARK), "%s", error.text);
        if (used.old > 0)
                add_problem(finding, SOON,
                            systemd && !timer ? enable
                                              : "ksactl keys refresh --all shows why; run it daily "
                                                "or more often, by " TIMER " or cron",
                            "%zu mark%s of used tokens in %s expired more than 1 day ago and %s "
                            "not removed",
                            used.old, used.old == 1 ? "" : "s", env->used_dir,
                            used.old == 1 ? "was" : "were");
        else if (needed && systemd && !timer)
                add_problem(finding, SOON, enable,
                            TIMER " is not enabled, so nothing removes the marks of used tokens "
                                  "(once = yes)");
}
