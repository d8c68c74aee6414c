/* SPDX-License-Identifier: BSD-2-Clause */
#include "shadowed_rules.h"

#include <string.h>

#include "base/network.h"
#include "config/rule.h"

static bool part_covers(const char *earlier, const char *later)
{
        return strcmp(earlier, "*") == 0 || strcmp(earlier, later) == 0;
}

static bool pattern_covers(const struct ksa_pattern *earlier, const struct ksa_pattern *later)
{
        /* * does not include the account "default". */
        if (strcmp(later->name, "default") == 0 && strcmp(earlier->name, "default") != 0)
                return false;
        return strcmp(earlier->cluster, later->cluster) == 0 &&
               part_covers(earlier->namespace, later->namespace) &&
               part_covers(earlier->name, later->name);
}

static bool accounts_covered(const struct ksa_rule *earlier, const struct ksa_rule *later)
{
        const struct ksa_pattern *outer = earlier->account.items, *inner = later->account.items;

        for (size_t i = 0; i < later->account.count; i++) {
                bool covered = false;

                for (size_t n = 0; n < earlier->account.count && !covered; n++)
                        covered = pattern_covers(&outer[n], &inner[i]);
                if (!covered)
                        return false;
        }
        return true;
}

static bool texts_covered(const struct ksa_list *earlier, const struct ksa_list *later)
{
        for (size_t i = 0; i < later->count; i++) {
                if (!ksa_list_has(earlier, ksa_list_text(later, i)))
                        return false;
        }
        return true;
}

static bool services_covered(const struct ksa_rule *earlier, const struct ksa_rule *later)
{
        for (size_t i = 0; i < later->service.count; i++) {
                const char *service = ksa_list_text(&later->service, i);

                /* sudo includes sudo-i. */
                if (!ksa_list_has(&earlier->service, service) &&
                    !ksa_list_has(&earlier->service, ksa_service_in_rules(service)))
                        return false;
        }
        return true;
}

static bool networks_covered(const struct ksa_rule *earlier, const struct ksa_rule *later)
{
        const struct ksa_network *outer = earlier->from.items, *inner = later->from.items;

        if (earlier->from.count == 0)
                return true;
        for (size_t i = 0; i < later->from.count; i++) {
                bool covered = false;

                for (size_t n = 0; n < earlier->from.count && !covered; n++)
                        covered = ksa_network_contains(&outer[n], &inner[i]);
                if (!covered)
                        return false;
        }
        return later->from.count > 0;
}

static bool audiences_covered(const struct ksa_rule *earlier, const struct ksa_rule *later)
{
        if (earlier->audience.count == 0)
                return true;
        return later->audience.count > 0 && texts_covered(&earlier->audience, &later->audience);
}

bool rule_covers(const struct ksa_rule *earlier, const struct ksa_rule *later)
{
        bool uid_covered = earlier->account_uid == NULL ||
                           (later->account_uid != NULL &&
                            strcmp(earlier->account_uid, later->account_uid) == 0);

        /* A rule that requires a fresh token leaves those of sessions to the later one. */
        bool token_covered =
                later->token != KSA_TOKEN_SESSION || earlier->token == KSA_TOKEN_SESSION;

        return uid_covered && token_covered && accounts_covered(earlier, later) &&
               texts_covered(&earlier->user, &later->user) && services_covered(earlier, later) &&
               networks_covered(earlier, later) && audiences_covered(earlier, later);
}

/* --- Rules that share logins ------------------------------------------------ */

static bool part_meets(const char *left, const char *right)
{
        return part_covers(left, right) || part_covers(right, left);
}

static bool pattern_meets(const struct ksa_pattern *left, const struct ksa_pattern *right)
{
        bool is_default = strcmp(left->name, "default") == 0 || strcmp(right->name, "default") == 0;

        return strcmp(left->cluster, right->cluster) == 0 &&
               part_meets(left->namespace, right->namespace) &&
               (is_default ? strcmp(left->name, right->name) == 0
                           : part_meets(left->name, right->name));
}

/* The cluster of an account that both rules have; NULL without one. */
static const char *shared_cluster(const struct ksa_rule *left, const struct ksa_rule *right)
{
        const struct ksa_pattern *one = left->account.items, *other = right->account.items;

        for (size_t i = 0; i < left->account.count; i++) {
                for (size_t n = 0; n < right->account.count; n++) {
                        if (pattern_meets(&one[i], &other[n]))
                                return one[i].cluster;
                }
        }
        return NULL;
}

static bool texts_meet(const struct ksa_list *left, const struct ksa_list *right)
{
        for (size_t i = 0; i < right->count; i++) {
                if (ksa_list_has(left, ksa_list_text(right, i)))
                        return true;
        }
        return false;
}

static bool services_meet(const struct ksa_rule *left, const struct ksa_rule *right)
{
        for (size_t i = 0; i < right->service.count; i++) {
                const char *service = ksa_list_text(&right->service, i);

                if (ksa_list_has(&left->service, service) ||
                    ksa_list_has(&left->service, ksa_service_in_rules(service)) ||
                    (strcmp(service, "sudo") == 0 && ksa_list_has(&left->service, "sudo-i")))
                        return true;
        }
        return false;
}

static bool networks_meet(const struct ksa_rule *left, const struct ksa_rule *right)
{
        const struct ksa_network *one = left->from.items, *other = right->from.items;

        for (size_t i = 0; i < left->from.count; i++) {
                for (size_t n = 0; n < right->from.count; n++) {
                        if (ksa_network_contains(&one[i], &other[n]) ||
                            ksa_network_contains(&other[n], &one[i]))
                                return true;
                }
        }
        return left->from.count == 0 || right->from.count == 0;
}

static bool audiences_meet(const struct ksa_rule *left, const struct ksa_rule *right)
{
        return left->audience.count == 0 || right->audience.count == 0 ||
               texts_meet(&left->audience, &right->audience);
}

const char *rule_weakens(const struct ksa_config *config, const struct ksa_rule *earlier,
                         const struct ksa_rule *later)
{
        const char *cluster = shared_cluster(earlier, later);
        bool same_uid = earlier->account_uid == NULL || later->account_uid == NULL ||
                        strcmp(earlier->account_uid, later->account_uid) == 0;

        if (cluster == NULL || !same_uid || !texts_meet(&earlier->user, &later->user) ||
            !services_meet(earlier, later) || !networks_meet(earlier, later) ||
            !audiences_meet(earlier, later))
                return NULL;
        /* A smaller value is stricter; that of the cluster applies to both rules. */
        const enum ksa_review reviewed = ksa_config_cluster(config, cluster)->review;
        if (later->review < earlier->review && later->review < reviewed)
                return "review";
        if (later->bound == KSA_BOUND_POD && earlier->bound != KSA_BOUND_POD)
                return "bound";
        if (later->rbac && !earlier->rbac)
                return "rbac";
        if (later->once && !earlier->once)
                return "once";
        if (later->from.count > 0 && earlier->from.count == 0)
                return "from";
        if (later->account_uid != NULL && earlier->account_uid == NULL)
                return "account_uid";
        return later->audience.count > 0 && earlier->audience.count == 0 ? "audience" : NULL;
}
