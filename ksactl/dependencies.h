/* SPDX-License-Identifier: BSD-2-Clause */
/* What logins need of others, according to the configuration. */
#ifndef KSA_KSACTL_DEPENDENCIES_H
#define KSA_KSACTL_DEPENDENCIES_H

#include <stdbool.h>

#include "config/types.h"

/* What logins need of the API server of a cluster. */
struct need {
        bool asked;                        /* some login asks it about its token */
        bool required;                     /* some login is refused if it does not answer */
        bool rbac;                         /* some login asks it what RBAC allows */
        const struct ksa_accounts *source; /* the section that lists its accounts, or NULL */
        bool own;                          /* some rule names the account's own user */
        bool declared;                     /* an [account] section has one of its accounts */
};
struct need what_is_needed(const struct ksa_config *config, const struct ksa_cluster *cluster);

/*
 * Whether the service that PAM calls NAME runs without root, as far as the configuration shows: local_user =
 * no is refused in a service with root, and a PostgreSQL server does not start as root.
 */
bool runs_without_root(const struct ksa_config *config, const char *name);

/*
 * The option of RULE that only root can check, such as "rbac = yes"; NULL if there is none.
 *
 * ret_remedy  what to change for a service that runs without root
 */
const char *what_needs_root(const struct ksa_config *config, const struct ksa_rule *rule,
                            const char **ret_remedy);

#endif
