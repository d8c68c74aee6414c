/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of ksactl check. */
#ifndef KSACTL_CHECK_H
#define KSACTL_CHECK_H

#include "status.h"

/* The problems that check and its parts find. */
struct report {
        json_t *problems;
        bool json;
        int status;
};

/*
 * Adds a problem, an error or a warning, and prints it unless JSON is printed. FILE and REMEDY may be "", and
 * LINE 0.
 */
void report_problem(struct report *report, bool is_error, const char *file, unsigned line,
                    const char *text, const char *remedy);

/* As report_problem(), of the host check NAME (check_host.h); NULL for a problem of the configuration. */
void report_named(struct report *report, const char *name, bool is_error, const char *file,
                  unsigned line, const char *text, const char *remedy);

/* Adds a problem of the section at LOCATION. */
void report_at(struct report *report, bool is_error, const struct ksa_location *location,
               const char *remedy, const char *format, ...) KSA_PRINTF(5, 6);

/* Adds a problem of value POSITION of OPTION in SECTION, at its line. */
#define report_option(report, is_error, section, option, position, ...)                          \
        report_at(report, is_error,                                                              \
                  (const struct ksa_location[]){ksa_option_location(section, option, position)}, \
                  __VA_ARGS__)

/* The remedy for an error, borrowed; never NULL. */
const char *remedy_of(const struct ksa_error *error);

/* Adds the problem of FINDING, if it has one. */
void report_finding(struct report *report, bool is_error, const struct ksa_location *location,
                    const struct finding *finding);

/*
 * Whether check, and WITH_PAM the checks of PAM of check --host, would report errors, which refuse logins.
 * Prints nothing.
 */
bool check_finds_errors(const struct ksa_config *config, const struct ksa_host_env *host,
                        bool with_pam);

/* The files of [cluster] sections, except their keys. */
void check_files(struct report *report, const struct ksa_config *config, const struct ksa_env *env);

/*
 * Values that a login accepts, but that are probably not those that were meant. WITH_HOST: check_host()
 * reports services without a PAM file.
 */
void check_values(struct report *report, const struct ksa_config *config, bool with_host);

/* Whether the name of URL exists only inside a cluster; whether keys = discover would need such a name. */
bool is_internal(const char *url);
bool discovers_internally(const struct ksa_cluster *cluster);

/* Whether PATTERN has all accounts of its cluster. */
bool is_whole_cluster(const struct ksa_pattern *pattern);

/* Whether an API server accepts AUDIENCE by default, so that every Pod's own token may have it. */
bool is_api_audience(const struct ksa_config *config, const char *audience);

/* Files next to CONFIG_FILE, an absolute path, in conf.d that no login reads. */
void check_directory(struct report *report, const char *config_file);

/* Passwords in URLs. */
void check_urls(struct report *report, const struct ksa_config *config);

/* Whether ksa-fetch can run, if a cluster needs it. */
void check_fetcher(struct report *report, const struct ksa_config *config,
                   const struct ksa_fetch_process *fetch);

/* Rules with requirements that their services, or this host, cannot meet. */
void check_requirements(struct report *report, const struct ksa_config *config,
                        const struct ksa_env *env);

/* Timers that the configuration needs, on a host with systemd. */
void check_timers(struct report *report, const struct ksa_config *config);

/* Whether marks of used tokens are removed. */
void check_sweep(struct report *report, const struct ksa_config *config, const struct ksa_env *env);

/* The users that RULE names: whether they exist, their power, the accounts they admit, their passwords. */
void check_users(struct report *report, const struct ksa_config *config, const struct ksa_env *env,
                 const struct ksa_rule *rule);

/* Local users that ksa creates, if a section needs them. */
void check_accounts(struct report *report, const struct ksa_config *config,
                    const struct ksa_env *env);

/* What ksactl enable writes for sshd. */
#define ENABLED_SSHD_FILE "/etc/ssh/sshd_config.d/ksa.conf"

/*
 * Whether this sshd (OpenSSH 9.8 or later) shuts out an address after refused logins. EXCEPT is a file of
 * sshd_config.d that does not count, or NULL.
 */
bool sshd_lacks_penalties(const char *except);

/* Whether sshd refuses connections from an address after refused tokens, for rules of sshd. */
void check_sshd(struct report *report, const struct ksa_config *config);

#endif
