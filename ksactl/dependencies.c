/* SPDX-License-Identifier: BSD-2-Clause */
#include "dependencies.h"

#include <string.h>

static bool names(const struct ksa_rule *rule, const struct ksa_cluster *cluster)
{
        const struct ksa_pattern *patterns = rule->account.items;

        for (size_t i = 0; i < rule->account.count; i++) {
                if (strcmp(patterns[i].cluster, cluster->name) == 0)
                        return true;
        }
        return false;
}

/* review = prefer does not admit logins of local callers without a review (common/login/requirements.c). */
static bool is_for_local_callers(const struct ksa_rule *rule)
{
        for (size_t i = 0; i < rule->service.count; i++) {
                if (ksa_service_is_local(ksa_list_text(&rule->service, i)))
                        return true;
        }
        return false;
}

struct need what_is_needed(const struct ksa_config *config, const struct ksa_cluster *cluster)
{
        struct need need = {.asked = cluster->review != KSA_REVIEW_NEVER,
                            .required = cluster->review == KSA_REVIEW_REQUIRE};

        for (size_t i = 0; i < config->counts[KSA_SECTION_ACCOUNTS]; i++) {
                if (strcmp(config->account_sources[i].name, cluster->name) == 0)
                        need.source = &config->account_sources[i];
        }
        for (size_t i = 0; i < config->counts[KSA_SECTION_ACCOUNT]; i++)
                need.declared = need.declared ||
                                strcmp(config->accounts[i].account.cluster, cluster->name) == 0;
        for (size_t i = 0; i < config->counts[KSA_SECTION_RULE]; i++) {
                const struct ksa_rule *rule = &config->rules[i];
                bool proof = rule->rbac || rule->bound == KSA_BOUND_POD;

                if (!names(rule, cluster))
                        continue;
                bool asks = proof || rule->review != KSA_REVIEW_NEVER ||
                            cluster->review != KSA_REVIEW_NEVER;
                need.asked = need.asked || asks;
                need.required = need.required || proof || rule->review == KSA_REVIEW_REQUIRE ||
                                (asks && is_for_local_callers(rule));
                need.rbac = need.rbac || rule->rbac;
                need.own = need.own || ksa_list_has(&rule->user, "@own");
        }
        return need;
}

bool runs_without_root(const struct ksa_config *config, const char *name)
{
        const struct ksa_service *service = ksa_config_service(config, name);

        return strcmp(name, "postgresql") == 0 || (service != NULL && !service->local_user);
}

const char *what_needs_root(const struct ksa_config *config, const struct ksa_rule *rule,
                            const char **ret_remedy)
{
        *ret_remedy = "write a separate rule without it for that service";
        if (rule->bound == KSA_BOUND_POD)
                return "bound = pod";
        if (rule->rbac)
                return "rbac = yes";
        if (rule->once)
                return "once = yes";
        if (rule->review != KSA_REVIEW_NEVER)
                return "review";
        for (size_t i = 0; i < config->counts[KSA_SECTION_CLUSTER]; i++) {
                if (config->clusters[i].review != KSA_REVIEW_NEVER &&
                    names(rule, &config->clusters[i])) {
                        *ret_remedy = "remove review from the [cluster], and write it in the rules "
                                      "of the other services";
                        return "review of its cluster";
                }
        }
        return NULL;
}
