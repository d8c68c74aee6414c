/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ksactl status: the local users made of a cluster's accounts. */
#include <stdio.h>
#include <string.h>

#include "account_sync.h"
#include "registry.h"
#include "status.h"
#include "text.h"

/*
 * Seconds by which a listing may be late: the timer runs every ten minutes, and the registry's time moves
 * each hour.
 */
#define LATE (KSA_LISTED_EVERY + 3600)

/* Accounts of the cluster by their state, those that were removed at position KSA_ACCOUNT_REMOVED. */
static bool count(const struct ksa_registry *registry, const char *cluster,
                  size_t counts[KSA_ACCOUNT_STATE_COUNT])
{
        struct ksa_account_record record;
        enum ksa_registry_answer answer;
        size_t position = 0;

        while ((answer = ksa_registry_next(registry, &position, &record)) == KSA_REGISTRY_FOUND) {
                if (strcmp(record.cluster, cluster) == 0)
                        counts[record.state]++;
        }
        return answer == KSA_REGISTRY_NOT_FOUND;
}

/* When the cluster was listed last; 0 for never. */
static int64_t last_listed(const struct ksa_registry *registry, const char *cluster)
{
        struct ksa_source_record source;
        size_t position = 0;

        while (ksa_registry_next_source(registry, &position, &source) == KSA_REGISTRY_FOUND) {
                if (strcmp(source.cluster, cluster) == 0)
                        return source.listed;
        }
        return 0;
}

static void describe(const struct ksa_cluster *cluster, const struct ksa_env *env,
                     const struct need *need, int64_t listed,
                     const size_t counts[KSA_ACCOUNT_STATE_COUNT], struct finding *finding)
{
        const size_t refused = counts[KSA_ACCOUNT_CONTESTED] + counts[KSA_ACCOUNT_RECREATED];
        const bool asked = cluster->api_server != NULL;
        char age[KSA_SPAN_SIZE];

        finding->facts = json_pack("{s:o, s:I, s:I, s:I, s:I}", "listed",
                                   listed != 0 ? json_integer(listed) : json_null(), "active",
                                   (json_int_t)counts[KSA_ACCOUNT_ACTIVE], "recreated",
                                   (json_int_t)counts[KSA_ACCOUNT_RECREATED], "contested",
                                   (json_int_t)counts[KSA_ACCOUNT_CONTESTED], "retired",
                                   (json_int_t)counts[KSA_ACCOUNT_RETIRED]);
        (void)ksa_text_span(env->now - listed, age);
        (void)snprintf(finding->text, sizeof(finding->text),
                       "%zu active, %zu made again, %zu contested, %zu retired%s%s%s",
                       counts[KSA_ACCOUNT_ACTIVE], counts[KSA_ACCOUNT_RECREATED],
                       counts[KSA_ACCOUNT_CONTESTED], counts[KSA_ACCOUNT_RETIRED],
                       need->source == NULL ? "; [account] alone"
                       : listed == 0        ? "; never listed"
                                            : "; listed ",
                       need->source == NULL || listed == 0 ? "" : age,
                       need->source == NULL || listed == 0 ? "" : " ago");
        if (need->source != NULL && listed == 0)
                add_problem(finding, SOON,
                            asked ? "ksactl accounts sync; look at ksa-accounts.timer"
                                  : "ksactl accounts import",
                            "its service accounts were never listed, so they have no users");
        else if (need->source != NULL && asked && env->now - listed > LATE)
                add_problem(
                        finding, SOON, "look at ksa-accounts.timer; ksactl accounts sync tells why",
                        "its service accounts were not listed for %s: no new user comes, and none "
                        "goes",
                        age);
        if (refused > 0)
                add_problem(finding, SOON, "ksactl accounts list; ksactl accounts show USER",
                            "%zu of its accounts cannot log in until somebody decides", refused);
}

void find_accounts(const struct ksa_cluster *cluster, const struct ksa_env *env,
                   const struct need *need, struct finding *finding)
{
        size_t counts[KSA_ACCOUNT_STATE_COUNT] = {0};
        struct ksa_registry registry;
        const char *why = "";

        if (need->source == NULL && !need->declared) {
                (void)snprintf(finding->text, sizeof(finding->text), "not used");
                return;
        }
        enum ksa_registry_answer answer =
                ksa_registry_open(env->registry_file, env->owner, &registry, &why);
        if (answer == KSA_REGISTRY_FOUND && !count(&registry, cluster->name, counts)) {
                answer = KSA_REGISTRY_BROKEN;
                why = "it is damaged";
        }
        const int64_t listed =
                answer == KSA_REGISTRY_FOUND ? last_listed(&registry, cluster->name) : 0;
        describe(cluster, env, need, listed, counts, finding);
        if (answer == KSA_REGISTRY_BROKEN)
                add_problem(finding, TROUBLE, "ksactl accounts verify", "%s: %s",
                            env->registry_file, why);
        ksa_registry_close(&registry);
}
