/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's own tools that change its login path: pam-auth-update, sshd, visudo, systemctl. */
#ifndef KSA_HOST_TOOL_H
#define KSA_HOST_TOOL_H

#include <stdbool.h>

#include "base/env.h"
#include "base/error.h"

/* Each returns false with the cause in ERR, which includes what the tool printed. */

/* The last line of what a tool printed, which is most often the cause of an error. Cuts OUTPUT after it. */
const char *ksa_tool_last_line(char *output);

/* Whether this host has pam-auth-update and the profile NAME. */
bool ksa_tool_knows_profile(const char *name);

/* Whether a line of common-auth has the module, of the profile or of a person. */
bool ksa_tool_has_profile(void);

/* False also if pam-auth-update left the files as they are, because they were edited by hand. */
bool ksa_tool_enable_profile(const char *name, struct ksa_error *err) KSA_MUST_CHECK;
bool ksa_tool_disable_profile(const char *name, struct ksa_error *err) KSA_MUST_CHECK;

/* Whether sshd could read its configuration, running or not. False also if there is no sshd. */
bool ksa_tool_check_sshd(struct ksa_error *err) KSA_MUST_CHECK;

/* Tests the configuration of sshd, and reloads sshd if systemd runs it. True if there is no sshd. */
bool ksa_tool_reload_sshd(struct ksa_error *err) KSA_MUST_CHECK;

/* Whether sshd asks the users of the Match block in TEXT by keyboard-interactive and PAM. */
bool ksa_tool_test_sshd(const char *text, struct ksa_error *err) KSA_MUST_CHECK;

/* Whether each visudo of this host (of sudo, of sudo-rs) accepts TEXT. */
bool ksa_tool_check_sudoers(const char *text, const struct ksa_env *env,
                            struct ksa_error *err) KSA_MUST_CHECK;

/* Whether /etc/sudoers includes sudoers.d; without it, a sudo would stay valid after its token. */
bool ksa_tool_reads_sudoers_d(struct ksa_error *err) KSA_MUST_CHECK;

/* Whether SELinux refuses what its policy does not allow. */
bool ksa_tool_enforces_selinux(void);

/* Whether systemd runs this host's services: the test of sd_booted(3). */
bool ksa_tool_systemd_runs(void);

/* Asks systemctl for one PROPERTY of UNIT. False if it does not answer. */
bool ksa_tool_unit_property(const char *unit, const char *property, char *value, size_t size);

/* Enables and starts the timer NAME, or disables and stops it. */
bool ksa_tool_enable_timer(const char *name, bool enable, struct ksa_error *err) KSA_MUST_CHECK;

#endif
