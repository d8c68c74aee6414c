/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What ksactl check found, and its parts in files of their own. */
#ifndef KSACTL_CHECK_H
#define KSACTL_CHECK_H

#include "ksactl.h"

struct report {
        json_t *problems;
        bool json;
        int status;
};

/* Adds a problem of the section at PLACE; what is no error is a warning. */
void tell_at(struct report *report, bool is_error, const struct ksa_location *location,
             const char *remedy, const char *format, ...) KSA_PRINTF(5, 6);

/* What helps beyond the text, which for an unsafe file says it already. */
const char *remedy_of(enum ksa_reason reason);

/* The files that clusters name beside their keys. */
void check_files(struct report *report, const struct ksa_config *config, const struct ksa_env *env);

/* Passwords in URLs. */
void check_urls(struct report *report, const struct ksa_config *config);

/* Whether ksa-fetch can run, where anything is asked of a cluster. */
void check_fetcher(struct report *report, const struct ksa_config *config,
                   const struct ksa_helper *fetch);

/* Rules that demand what their services, or this host, cannot do. */
void check_demands(struct report *report, const struct ksa_config *config,
                   const struct ksa_env *env);

/* Timers that the configuration needs, where systemd runs. */
void check_timers(struct report *report, const struct ksa_config *config);

/* Whether marks of used tokens are removed. */
void check_sweep(struct report *report, const struct ksa_config *config, const struct ksa_env *env);

/* The local users that rules name: the accounts they admit, and their passwords. */
void check_named_users(struct report *report, const struct ksa_config *config,
                       const struct ksa_env *env);

/* Local users that ksa makes, where any are asked for. */
void check_accounts(struct report *report, const struct ksa_config *config,
                    const struct ksa_env *env);

/* Whether sshd shuts out an address whose tokens were refused, for rules of sshd. */
void check_sshd(struct report *report, const struct ksa_config *config);

#endif
