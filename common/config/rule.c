/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/rule.h"

#include <stdio.h>
#include <string.h>

#define OWN "@own"

const char *ksa_condition_text(enum ksa_condition condition)
{
        static const char *const texts[KSA_CONDITION_COUNT] = {
                [KSA_CONDITION_NONE] = "matches",
                [KSA_CONDITION_ACCOUNT] = "is for another account",
                [KSA_CONDITION_ACCOUNT_UID] = "is for another uid of the account (account_uid)",
                [KSA_CONDITION_USER] = "is for another user",
                [KSA_CONDITION_LOW_UID] = "does not name this system user",
                [KSA_CONDITION_SERVICE] = "is for another service",
                [KSA_CONDITION_TOKEN] = "requires a fresh token (token = fresh)",
                [KSA_CONDITION_FROM_NAME] =
                        "has from, but the remote host is not an address: set UseDNS no in sshd_config",
                [KSA_CONDITION_FROM] = "is for other networks",
                [KSA_CONDITION_AUDIENCE] = "is for another audience",
        };

        return texts[condition];
}

static bool part_covers(const char *part, const char *text)
{
        return strcmp(part, "*") == 0 || strcmp(part, text) == 0;
}

bool ksa_pattern_covers(const struct ksa_pattern *pattern, const char *cluster,
                        const char *namespace, const char *account)
{
        /* Pods without a serviceAccountName use "default", so a pattern must name it explicitly. */
        if (strcmp(account, "default") == 0 && strcmp(pattern->name, account) != 0)
                return false;
        return strcmp(pattern->cluster, cluster) == 0 &&
               part_covers(pattern->namespace, namespace) && part_covers(pattern->name, account);
}

static bool account_fits(const struct ksa_rule *rule, const struct ksa_candidate *candidate)
{
        const struct ksa_pattern *patterns = rule->account.items;

        for (size_t i = 0; i < rule->account.count; i++) {
                if (ksa_pattern_covers(&patterns[i], candidate->cluster, candidate->namespace,
                                       candidate->account))
                        return true;
        }
        return false;
}

static bool is_own(const struct ksa_candidate *candidate)
{
        char account[64 + 64 + 256 + 3];

        if (candidate->own_account == NULL)
                return false;
        int length = snprintf(account, sizeof(account), "%s:%s/%s", candidate->cluster,
                              candidate->namespace, candidate->account);
        return length > 0 && (size_t)length < sizeof(account) &&
               strcmp(account, candidate->own_account) == 0;
}

/* "@own" in a rule is not a user name, even if a client sends it as one. */
static bool is_named(const struct ksa_rule *rule, const char *user)
{
        return strcmp(user, OWN) != 0 && ksa_list_has(&rule->user, user);
}

static bool service_fits(const struct ksa_rule *rule, const char *service)
{
        return ksa_list_has(&rule->service, service) ||
               ksa_list_has(&rule->service, ksa_service_in_rules(service));
}

/* A rule without from admits any remote host. */
static enum ksa_condition test_from(const struct ksa_rule *rule, const char *rhost)
{
        const struct ksa_network *networks = rule->from.items;
        struct ksa_network address;

        if (rule->from.count == 0)
                return KSA_CONDITION_NONE;
        if (!ksa_address_parse(rhost, &address))
                return KSA_CONDITION_FROM_NAME;
        for (size_t i = 0; i < rule->from.count; i++) {
                if (ksa_network_contains(&networks[i], &address))
                        return KSA_CONDITION_NONE;
        }
        return KSA_CONDITION_FROM;
}

/* A rule may narrow the audiences that the host accepts, never widen them. */
static bool audience_fits(const struct ksa_rule *rule, const struct ksa_candidate *candidate)
{
        if (rule->audience.count == 0)
                return true;
        for (size_t i = 0; i < candidate->audiences->count; i++) {
                const char *audience = ksa_list_text(candidate->audiences, i);

                if (ksa_list_has(&rule->audience, audience) &&
                    ksa_list_has(candidate->accepted, audience))
                        return true;
        }
        return false;
}

static enum ksa_condition test_rule(const struct ksa_rule *rule,
                                    const struct ksa_candidate *candidate)
{
        bool named = is_named(rule, candidate->user);

        if (!account_fits(rule, candidate))
                return KSA_CONDITION_ACCOUNT;
        if (rule->account_uid != NULL && strcmp(rule->account_uid, candidate->account_uid) != 0)
                return KSA_CONDITION_ACCOUNT_UID;
        if (!named && !(ksa_list_has(&rule->user, OWN) && is_own(candidate)))
                return KSA_CONDITION_USER;
        if (!named && candidate->low_uid)
                return KSA_CONDITION_LOW_UID;
        if (!service_fits(rule, candidate->service))
                return KSA_CONDITION_SERVICE;
        if (candidate->of_session && rule->token != KSA_TOKEN_SESSION)
                return KSA_CONDITION_TOKEN;
        if (!audience_fits(rule, candidate))
                return KSA_CONDITION_AUDIENCE;
        return test_from(rule, candidate->rhost);
}

bool ksa_rule_matches(const struct ksa_rule *rule, const struct ksa_candidate *candidate,
                      enum ksa_condition *ret_failed)
{
        *ret_failed = test_rule(rule, candidate);
        return *ret_failed == KSA_CONDITION_NONE;
}

/* --- The index -------------------------------------------------------------- */

/*
 * The index holds a rule under each of its (account pattern, user) pairs and each of its (user,
 * service) pairs. A login looks up the few patterns that could match its account, so rules for
 * other accounts cost nothing.
 */
static uint64_t pair_hash(const char *user, const char *cluster, const char *namespace,
                          const char *account)
{
        const char *const key[] = {"account", user, cluster, namespace, account};

        return ksa_hash_index_hash(key, KSA_COUNT(key));
}

static uint64_t named_hash(const char *user, const char *service)
{
        const char *const key[] = {"named", user, service};

        return ksa_hash_index_hash(key, KSA_COUNT(key));
}

static bool index_user(struct ksa_config *config, const struct ksa_rule *rule, uint32_t number,
                       const char *user)
{
        const struct ksa_pattern *patterns = rule->account.items;

        for (size_t i = 0; i < rule->account.count; i++) {
                uint64_t hash = pair_hash(user, patterns[i].cluster, patterns[i].namespace,
                                          patterns[i].name);

                if (!ksa_hash_index_add(&config->rule_index, hash, number))
                        return false;
        }
        for (size_t i = 0; i < rule->service.count; i++) {
                uint64_t hash = named_hash(user, ksa_list_text(&rule->service, i));

                if (!ksa_hash_index_add(&config->rule_index, hash, number))
                        return false;
        }
        return true;
}

bool ksa_rule_index_build(struct ksa_config *config)
{
        for (size_t i = 0; i < config->counts[KSA_SECTION_RULE]; i++) {
                const struct ksa_rule *rule = &config->rules[i];

                for (size_t n = 0; n < rule->user.count; n++) {
                        if (!index_user(config, rule, (uint32_t)i, ksa_list_text(&rule->user, n)))
                                return false;
                }
        }
        return true;
}

/* One result of the index. A search merges several, in the order of the files. */
struct branch {
        uint64_t hash;
        uint32_t position;
        uint32_t number;
        bool open;
};

static void advance(const struct ksa_hash_index *index, struct branch *branch)
{
        branch->open = ksa_hash_index_next(index, branch->hash, &branch->position, &branch->number);
}

/* Returns the open branch with the lowest rule number; NULL after all have ended. */
static struct branch *first_of(struct branch *branches, size_t count)
{
        struct branch *first = NULL;

        for (size_t i = 0; i < count; i++) {
                if (branches[i].open && (first == NULL || branches[i].number < first->number))
                        first = &branches[i];
        }
        return first;
}

static void open_branches(const struct ksa_config *config, const struct ksa_candidate *candidate,
                          struct branch branches[8])
{
        const char *const users[] = {candidate->user, OWN};

        for (size_t i = 0; i < 8; i++) {
                const char *namespace = (i & 1) != 0 ? "*" : candidate->namespace;
                const char *account = (i & 2) != 0 ? "*" : candidate->account;

                branches[i].hash = pair_hash(users[i >> 2], candidate->cluster, namespace, account);
                branches[i].position = ksa_hash_index_find(&config->rule_index, branches[i].hash);
                advance(&config->rule_index, &branches[i]);
        }
}

const struct ksa_rule *ksa_rule_find(const struct ksa_config *config,
                                     const struct ksa_candidate *candidate,
                                     enum ksa_condition *ret_failed)
{
        struct branch branches[8];
        struct branch *branch;
        enum ksa_condition closest = KSA_CONDITION_NONE;

        open_branches(config, candidate, branches);
        while ((branch = first_of(branches, KSA_COUNT(branches))) != NULL) {
                const struct ksa_rule *rule = &config->rules[branch->number];
                enum ksa_condition failed;

                if (ksa_rule_matches(rule, candidate, &failed))
                        return rule;
                if (failed > closest)
                        closest = failed;
                advance(&config->rule_index, branch);
        }
        /* The branches do not contain rules for other accounts or users. */
        *ret_failed = closest == KSA_CONDITION_NONE ? KSA_CONDITION_ACCOUNT : closest;
        return NULL;
}

/* With SESSION, only rules with token = session count. */
static bool names_with(const struct ksa_config *config, const char *user, const char *service,
                       bool session)
{
        uint64_t hash = named_hash(user, service);
        uint32_t position = ksa_hash_index_find(&config->rule_index, hash), number;

        while (ksa_hash_index_next(&config->rule_index, hash, &position, &number)) {
                const struct ksa_rule *rule = &config->rules[number];

                if (ksa_list_has(&rule->user, user) && ksa_list_has(&rule->service, service) &&
                    (!session || rule->token == KSA_TOKEN_SESSION))
                        return true;
        }
        return false;
}

static bool names(const struct ksa_config *config, const char *user, const char *own_account,
                  const char *service, bool session)
{
        const char *in_rules = ksa_service_in_rules(service);

        return (strcmp(user, OWN) != 0 && (names_with(config, user, service, session) ||
                                           names_with(config, user, in_rules, session))) ||
               (own_account != NULL && (names_with(config, OWN, service, session) ||
                                        names_with(config, OWN, in_rules, session)));
}

bool ksa_rule_names(const struct ksa_config *config, const char *user, const char *own_account,
                    const char *service)
{
        return names(config, user, own_account, service, false);
}

bool ksa_rule_names_session(const struct ksa_config *config, const char *user,
                            const char *own_account, const char *service)
{
        return names(config, user, own_account, service, true);
}

bool ksa_rule_takes_session(const struct ksa_config *config, const struct ksa_candidate *candidate)
{
        for (size_t i = 0; i < config->counts[KSA_SECTION_RULE]; i++) {
                const struct ksa_rule *rule = &config->rules[i];

                if (rule->token == KSA_TOKEN_SESSION && account_fits(rule, candidate) &&
                    (is_named(rule, candidate->user) ||
                     (ksa_list_has(&rule->user, OWN) && is_own(candidate))) &&
                    service_fits(rule, candidate->service))
                        return true;
        }
        return false;
}
