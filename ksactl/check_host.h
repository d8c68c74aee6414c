/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of ksactl check --host: what is in force on this host, whatever the configuration says. */
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
          "write both session lines of pam_ksa(8) above pam_systemd and pam_mkhomedir")
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

#endif
