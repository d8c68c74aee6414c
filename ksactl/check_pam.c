/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl check --host: the PAM stacks of the services that rules name. */
#include "check_host.h"

#include <unistd.h>
#include <stdio.h>

static void check_stack(struct report *report, const struct ksa_rule *rule, const char *service)
{
        char path[300];

        (void)snprintf(path, sizeof(path), "/etc/pam.d/%s", service);
        if (access(path, F_OK) != 0)
                report_host(report, HOST_PAM_FILE, rule->location.file, rule->location.line,
                            "[rule %s]: service = %s: there is no %s", rule->name, service, path);
}

void check_host_pam(struct report *report, const struct ksa_config *config)
{
        for (size_t i = 0; i < config->counts[KSA_SECTION_RULE]; i++) {
                const struct ksa_rule *rule = &config->rules[i];

                for (size_t n = 0; n < rule->service.count; n++)
                        check_stack(report, rule, ksa_list_text(&rule->service, n));
        }
}
