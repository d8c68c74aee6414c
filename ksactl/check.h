/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of ksactl check. */
#ifndef KSACTL_CHECK_H
#define KSACTL_CHECK_H

#include "check_report.h"
#include "ksactl.h"

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

/* Whether this sshd (OpenSSH 9.8 or later) shuts out an address after refused logins. */
bool sshd_lacks_penalties(void);

/* Whether sshd shuts out an address whose tokens were refused, for rules of sshd. */
void check_sshd(struct report *report, const struct ksa_config *config);

#endif
