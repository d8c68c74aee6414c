/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of the parts of a cluster (keys, credential, API server, accounts) and of this host (marks,
 * registry).
 */
#ifndef KSACTL_STATUS_H
#define KSACTL_STATUS_H

#include "ksactl.h"
#include "dependencies.h"
#include "registry/registry.h"

/* The numbers are exit statuses. */
enum level {
        WELL = EXIT_GOOD,
        SOON = EXIT_DENIED,     /* becomes trouble unless an administrator acts */
        TROUBLE = EXIT_BROKEN,  /* logins are being refused */
        UNKNOWN = EXIT_UNKNOWN, /* only root can see part of the answer */
};

struct finding {
        enum level level; /* never UNKNOWN */
        bool is_hidden;   /* only root can see all of it */
        json_t *facts;    /* an object, without problem and remedy; NULL if there is no such part */
        char text[1536];  /* the facts in words */
        char problem[600], remedy[320]; /* "" if the level is WELL */
};

/* Each fills a zeroed finding. */
void find_keys(const struct ksa_cluster *cluster, const struct ksa_env *env,
               struct finding *finding);
void find_credential(const struct ksa_cluster *cluster, const struct ksa_env *env,
                     struct finding *finding);

/*
 * Asks the API server, within MILLISECONDS and over one connection, which user this host is, and whether RBAC
 * allows the requests that logins NEED.
 */
void find_api(const struct ksa_cluster *cluster, const struct ksa_env *env, const struct need *need,
              unsigned milliseconds, struct finding *finding);

/*
 * The registry of this host, after every byte of it was read. If it is BROKEN, or NOT_FOUND on a host that
 * has had one, FILE has the problem and its remedy. ksa_registry_close() the registry.
 */
struct host_registry {
        enum ksa_registry_answer answer;
        struct ksa_registry registry; /* if the answer is FOUND */
        struct finding file;
};
void load_registry(const struct ksa_env *env, struct host_registry *ret_loaded);

/* The local users made of the cluster's accounts, according to the registry. */
void find_accounts(const struct ksa_cluster *cluster, const struct ksa_env *env,
                   const struct need *need, const struct host_registry *loaded,
                   struct finding *finding);

/* Active users of CLUSTER (NULL: of all) whose uids are not mapped in this user namespace. */
void find_unmapped(const struct ksa_registry *registry, const char *cluster,
                   struct finding *finding);

/* Whether the registry is whole, readable, and used by lookups. Without facts if ksa makes no users. */
void find_registry(const struct ksa_config *config, const struct ksa_env *env,
                   const struct host_registry *loaded, struct finding *finding);

/* The databases of nsswitch.conf(5) that users of ksa need. */
enum lookup_database { LOOKUP_PASSWD, LOOKUP_GROUP, LOOKUP_INITGROUPS, LOOKUP_DATABASES };
/* Whether lookups in DATABASE reach ksa, after files. */
void find_lookups(enum lookup_database database, struct finding *finding);

/* The first rule with once = yes; NULL if there is none. */
const struct ksa_rule *rule_with_once(const struct ksa_config *config);

/* Whether marks of used tokens are removed. Without facts if no rule needs them and no mark is old. */
void find_marks(const struct ksa_config *config, const struct ksa_env *env,
                struct finding *finding);

/* Whether systemd starts TIMER, such as "ksa-keys.timer". If not, REMEDY has the commands that make it. */
#define TIMER_REMEDY_SIZE 128
bool timer_runs(const char *timer, char remedy[TIMER_REMEDY_SIZE]);

/* Whether someone masked TIMER, so that systemctl enable would fail. */
bool timer_is_masked(const char *timer);

/* Adds a problem. Of several, the first one of the highest level stays. */
void add_problem(struct finding *finding, enum level level, const char *remedy, const char *format,
                 ...) KSA_PRINTF(4, 5);

#endif
