/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What logins need of others, by the configuration. */
#ifndef KSACTL_NEEDS_H
#define KSACTL_NEEDS_H

#include <stdbool.h>

#include "section.h"

/* Whether some login is refused where the API server of CLUSTER does not answer. */
bool is_required(const struct ksa_config *config, const struct ksa_cluster *cluster);

/* The option by which RULE demands what root alone can do, such as "rbac = yes"; NULL for none. */
const char *what_needs_root(const struct ksa_config *config, const struct ksa_rule *rule);

#endif
