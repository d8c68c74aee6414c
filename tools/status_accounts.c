/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ksactl status: the local users made of a cluster's accounts. */
#include <stdio.h>
#include <string.h>

#include "accounts.h"
#include "registry_mark.h"
#include "registry_write.h"
#include "status.h"
#include "text.h"

/*
 * Seconds by which a listing may be late: the timer runs every ten minutes, and the registry's time moves
 * each hour.
 */
#define LATE (KSA_LISTED_EVERY + 3600)

/* Accounts of the cluster by their state, and those that a run without --force kept, whatever theirs. */
struct counts {
        size_t of[KSA_ACCOUNT_STATE_COUNT], held;
};

static void count(const struct ksa_registry *registry, const char *cluster, struct counts *counts)
{
        struct ksa_account_record record;
        size_t position = 0;

        while (ksa_registry_next(registry, &position, &record) == KSA_REGISTRY_FOUND) {
                if (strcmp(record.cluster, cluster) != 0)
                        continue;
                counts->of[record.state]++;
                counts->held += (record.flags & (KSA_ACCOUNT_HELD | KSA_ACCOUNT_MOVED)) != 0;
        }
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
                     const struct need *need, int64_t listed, const struct counts *counts,
                     struct finding *finding)
{
        const size_t *of = counts->of;
        const size_t refused = of[KSA_ACCOUNT_CONTESTED] + of[KSA_ACCOUNT_RECREATED];
        const bool asked = cluster->api_server != NULL;
        char age[KSA_SPAN_SIZE], held[40] = "";

        finding->facts =
                json_pack("{s:o, s:I, s:I, s:I, s:I, s:I}", "listed",
                          listed != 0 ? json_integer(listed) : json_null(), "active",
                          (json_int_t)of[KSA_ACCOUNT_ACTIVE], "recreated",
                          (json_int_t)of[KSA_ACCOUNT_RECREATED], "contested",
                          (json_int_t)of[KSA_ACCOUNT_CONTESTED], "retired",
                          (json_int_t)of[KSA_ACCOUNT_RETIRED], "held", (json_int_t)counts->held);
        if (counts->held > 0)
                (void)snprintf(held, sizeof(held), ", %zu held", counts->held);
        (void)ksa_text_span(env->now - listed, age);
        (void)snprintf(finding->text, sizeof(finding->text),
                       "%zu active, %zu made again, %zu contested, %zu retired%s%s%s%s",
                       of[KSA_ACCOUNT_ACTIVE], of[KSA_ACCOUNT_RECREATED], of[KSA_ACCOUNT_CONTESTED],
                       of[KSA_ACCOUNT_RETIRED], held,
                       need->source == NULL
                               ? (need->declared ? "; [account] alone" : "; no section")
                       : listed == 0 ? "; never listed"
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
        if (counts->held > 0)
                add_problem(finding, SOON, "ksactl accounts list tells why, and what ends it",
                            "%zu of its accounts stay as they were, for too many would have been "
                            "removed or contested at once",
                            counts->held);
}

/* Users who are let in, and then die in setuid(). */
static void find_unmapped(const struct ksa_registry *registry, const char *cluster,
                          struct finding *finding)
{
        char mapped[KSA_ID_MAP_TEXT], remedy[512];
        struct ksa_error error = {0};
        size_t unmapped = 0;

        if (count_unmapped(registry, cluster, &unmapped, mapped, &error) != KSA_OK || unmapped == 0)
                return; /* check reports a map that cannot be read */
        (void)snprintf(remedy, sizeof(remedy), UNMAPPED_REMEDY, mapped);
        add_problem(finding, TROUBLE, remedy, "%zu of its users " UNMAPPED_EFFECT, unmapped);
}

enum ksa_registry_answer find_registry(const struct ksa_env *env, struct ksa_registry *ret_registry,
                                       struct finding *finding)
{
        const char *why = "";
        enum ksa_registry_answer answer =
                ksa_registry_open(env->registry_file, env->owner, ret_registry, &why);

        if (answer == KSA_REGISTRY_FOUND && !ksa_registry_is_whole(ret_registry, &why))
                answer = KSA_REGISTRY_BROKEN;
        if (answer == KSA_REGISTRY_BROKEN)
                add_problem(finding, TROUBLE, "ksactl accounts verify", "%s: %s",
                            env->registry_file, why);
        if (answer == KSA_REGISTRY_NOT_FOUND && ksa_registry_is_marked(env))
                add_problem(finding, TROUBLE, LOST_REMEDY, "%s is missing", env->registry_file);
        return answer;
}

void find_accounts(const struct ksa_cluster *cluster, const struct ksa_env *env,
                   const struct need *need, struct finding *finding)
{
        struct counts counts = {0};
        const bool used = need->source != NULL || need->declared || need->own;
        struct ksa_registry registry;
        struct finding file = {0};
        const enum ksa_registry_answer answer = find_registry(env, &registry, &file);

        if (answer == KSA_REGISTRY_FOUND)
                count(&registry, cluster->name, &counts);
        /* Also where its sections are gone: the users of those may be held. */
        if (!used && (answer != KSA_REGISTRY_FOUND || counts.held == 0)) {
                (void)snprintf(finding->text, sizeof(finding->text), "not used");
                ksa_registry_close(&registry);
                return;
        }
        const int64_t listed =
                answer == KSA_REGISTRY_FOUND ? last_listed(&registry, cluster->name) : 0;
        describe(cluster, env, need, listed, &counts, finding);
        if (file.level == TROUBLE)
                add_problem(finding, TROUBLE, file.remedy, "%s", file.problem);
        if (answer == KSA_REGISTRY_FOUND)
                find_unmapped(&registry, cluster->name, finding);
        ksa_registry_close(&registry);
}
