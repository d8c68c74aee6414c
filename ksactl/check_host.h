/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of ksactl check --host: what is in force on this host. */
#ifndef KSACTL_CHECK_HOST_H
#define KSACTL_CHECK_HOST_H

#include "check.h"

/* Each check: its identifier, its public name, whether a finding is an error, and the remedy. */
/* clang-format off */
#define HOST_CHECKS(X)                                                                             \
        /* PAM */                                                                                  \
        X(HOST_PAM_FILE, "pam-file", true,                                                         \
          "correct the name of the service in ksa.conf; sshd's service is called sshd")            \
        X(HOST_PAM_SYNTAX, "pam-syntax", true,                                                     \
          "correct the line as in pam.d(5)")                                                       \
        X(HOST_PAM_MODULE, "pam-module", true,                                                     \
          "install the module there, or correct its path: no token is accepted")                   \
        X(HOST_PAM_ARGUMENT, "pam-argument", true,                                                 \
          "correct the argument as in pam_ksa(8): no token is accepted")                           \
        X(HOST_PAM_MISSING, "pam-missing", true,                                                   \
          "run ksactl enable, or add the line of pam_ksa(8)")                                      \
        X(HOST_PAM_ORDER, "pam-order", true,                                                       \
          "move the line of pam_ksa above that module")                                            \
        X(HOST_PAM_ADMITS, "pam-admits", true,                                                     \
          "write the control of pam_ksa(8)")                                                       \
        X(HOST_PAM_LOCKS_OUT, "pam-locks-out", true,                                               \
          "write the control of pam_ksa(8)")                                                       \
        X(HOST_PAM_NO_RESULT, "pam-no-result", true,                                               \
          "write the control of pam_ksa(8), and move the line of pam_ksa to the top")              \
        X(HOST_PAM_SESSION, "pam-session", false,                                                  \
          "write both session lines of pam_ksa(8) above pam_systemd and pam_mkhomedir")            \
        /* sshd */                                                                                 \
        X(HOST_SSHD_USERS, "sshd-users", false,                                                    \
          "list the namespaces in the rule or in [accounts]: sshd is not checked until then")      \
        X(HOST_SSHD_SETTINGS, "sshd-settings", true,                                               \
          "run /usr/sbin/sshd -t, and correct the line that it names")                             \
        X(HOST_SSHD_PAM, "sshd-pam", true, "write UsePAM yes in sshd_config, and reload sshd")     \
        X(HOST_SSHD_KBDINTERACTIVE, "sshd-kbdinteractive", true,                                   \
          "run ksactl enable sshd, or write KbdInteractiveAuthentication yes in a Match User "     \
          "block for them")                                                                        \
        X(HOST_SSHD_METHODS, "sshd-methods", true,                                                 \
          "write AuthenticationMethods keyboard-interactive in a Match User block for them")       \
        X(HOST_SSHD_OTHER_METHODS, "sshd-other-methods", false,                                    \
          "run ksactl enable sshd, or write AuthenticationMethods keyboard-interactive in a "      \
          "Match User block for them")                                                             \
        X(HOST_SSHD_MATCH, "sshd-match", true,                                                     \
          "put \"Include /etc/ssh/sshd_config.d/*.conf\" first in sshd_config, and remove earlier "  \
          "blocks that match these users")                                                         \
        X(HOST_SSHD_ALLOW, "sshd-allow", true,                                                     \
          "in sshd_config, add them to AllowUsers or their group to AllowGroups, or remove them "  \
          "from DenyUsers or DenyGroups, and reload sshd")                                         \
        X(HOST_SSHD_MAXSTARTUPS, "sshd-maxstartups", false,                                        \
          "write MaxStartups 10:30:100 or more in sshd_config; see ksa-clusters(7)")               \
        X(HOST_SSHD_PENALTIES, "sshd-penalties", false,                                            \
          "put \"Include /etc/ssh/sshd_config.d/*.conf\" first in sshd_config, and reload sshd")   \
        /* sudo */                                                                                 \
        X(HOST_SUDO_USERS, "sudo-users", false,                                                    \
          "list the namespaces in the rule or in [accounts]: sudo is not checked until then")      \
        X(HOST_SUDO_MISSING, "sudo-missing", true,                                                 \
          "install sudo, or remove sudo from the services of the rule")                            \
        X(HOST_SUDO_SETTINGS, "sudo-settings", true,                                               \
          "run visudo -c, and correct the line that it names")                                     \
        X(HOST_SUDO_COMMAND, "sudo-command", false,                                                \
          "run visudo -f /etc/sudoers.d/NAME, and write what they may run, such as USER ALL = "    \
          "(root) COMMAND")                                                                        \
        X(HOST_SUDO_AUTHENTICATE, "sudo-authenticate", false,                                      \
          "remove NOPASSWD and !authenticate for them in sudoers, or remove sudo from the "        \
          "services of the rule")                                                                  \
        X(HOST_SUDO_TARGET, "sudo-target", true,                                                   \
          "write Defaults:USER !rootpw, !targetpw, !runaspw in sudoers")                           \
        X(HOST_SUDO_TIMESTAMP, "sudo-timestamp", false,                                            \
          "run ksactl enable sudo, or write Defaults:USER timestamp_timeout=0 in sudoers")         \
        X(HOST_SUDO_PROMPT, "sudo-prompt", false,                                                  \
          "write Defaults:USER !passprompt_override in sudoers")                                   \
        X(HOST_SUDO_NONINTERACTIVE, "sudo-noninteractive", false,                                  \
          "run ksactl enable sudo, or write Defaults:USER noninteractive_auth in sudoers")         \
        /* the host */                                                                             \
        X(HOST_FETCH_USER, "fetch-user", false,                                                    \
          "run usermod -s /usr/sbin/nologin -L _ksa; if it shares its uid, also userdel _ksa and " \
          "systemd-sysusers")                                                                      \
        X(HOST_LOOKUP, "lookup", true,                                                             \
          "install libnss-ksa, and restart nscd and sssd if they run; getent passwd USER shows "   \
          "what lookups find")                                                                     \
        X(HOST_TIMER_STOPPED, "timer-stopped", false,                                              \
          "run systemctl start ksa-keys.timer ksa-credential.timer ksa-accounts.timer")            \
        X(HOST_TIMER_FAILED, "timer-failed", false,                                                \
          "run systemctl status 'ksa-*.service', which prints the cause")                          \
        X(HOST_MODE, "mode", false, "run ksactl check --fix")                                      \
        X(HOST_MODE_UNSAFE, "mode-unsafe", true,                                                   \
          "run ksactl accounts restore with a backup, or remove the file and run ksactl accounts " \
          "sync --new-registry")                                                                   \
        X(HOST_MODE_FIXED, "mode-fixed", false,                                                    \
          "find out which program changed it, or it will be wrong again")                          \
        X(HOST_SELINUX_LABEL, "selinux-label", true,                                               \
          "run restorecon -Fv and the names of these files")                                       \
        X(HOST_NAME, "host-name", false,                                                           \
          "write audience = ssh://%H, or the name that clients use for this host")                 \
        X(HOST_CLOCK, "clock", true,                                                               \
          "set the clock; chrony or systemd-timesyncd keep it correct")                           \
        /* ksactl enable */                                                                        \
        X(HOST_ENABLED_USER, "enabled-user", false,                                                \
          "run ksactl enable again; it makes exceptions for the users of /etc/passwd")
/* clang-format on */

enum host_check {
#define X(identifier, name, is_error, remedy) identifier,
        HOST_CHECKS(X)
#undef X
                HOST_CHECK_COUNT,
};

/*
 * Adds a finding of CHECK to the report, with the severity and the remedy of its row. FILE, a file of the
 * host or of the configuration, may be "", and LINE 0.
 */
void report_host(struct report *report, enum host_check check, const char *file, unsigned line,
                 const char *format, ...) KSA_PRINTF(5, 6);

/* All checks of the host, of the services and users that rules of CONFIG name. Needs root. */
void check_host(struct report *report, const struct ksa_config *config, const struct ksa_env *env);

/* Its parts. */
void check_host_pam(struct report *report, const struct ksa_config *config);
void check_host_enabled(struct report *report, const struct ksa_env *env);
void check_host_sshd(struct report *report, const struct ksa_config *config,
                     const struct ksa_env *env);
void check_host_sudo(struct report *report, const struct ksa_config *config,
                     const struct ksa_env *env);
void check_host_system(struct report *report, const struct ksa_config *config,
                       const struct ksa_env *env);

/* Sets owners and modes of ksa's own directories, and reports each change. Needs no configuration. */
void fix_modes(struct report *report, const struct ksa_env *env);

/*
 * The users that the rules of SERVICE name. For the users that ksa creates for a namespace: one of them, or
 * a name that one could have. False, with a finding of CHECK, if the rules do not limit the namespaces.
 * ksa_rule_users_free() the list.
 */
bool find_host_users(struct report *report, const struct ksa_config *config,
                     const struct ksa_env *env, const char *service, enum host_check check,
                     struct ksa_list *ret_users) KSA_MUST_CHECK;

/* The users that have one problem, for one finding. */
struct host_tally {
        size_t count;
        char users[256]; /* the first ones */
        char value[128]; /* of the first one */
};
void tally_user(struct host_tally *tally, const char *user, const char *value);

/* The users in words, in place. */
const char *tally_users(struct host_tally *tally);

#endif
