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

        return uid_covered && accounts_covered(earlier, later) &&
               texts_covered(&earlier->user, &later->user) && services_covered(earlier, later) &&
               networks_covered(earlier, later) && audiences_covered(earlier, later);
}
