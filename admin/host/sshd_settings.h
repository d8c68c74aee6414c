/* SPDX-License-Identifier: BSD-2-Clause */
/* What is in force in sshd for the login of a user, as sshd itself reports it (sshd -T -C). */
#ifndef KSA_HOST_SSHD_SETTINGS_H
#define KSA_HOST_SSHD_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define KSA_SSHD "/usr/sbin/sshd"

struct ksa_sshd_settings {
        char text
                [32768]; /* one line for each setting: its name in lower case, a space, the value */
};

/* The settings for a login of USER from this host. FILE, unless NULL, is read in place of sshd_config. */
bool ksa_sshd_ask(const char *user, const char *file, struct ksa_sshd_settings *ret_settings,
                  struct ksa_error *err) KSA_MUST_CHECK;

/* Copies the value of NAME, cut to SIZE bytes; "" if this sshd does not know the setting. Returns VALUE. */
const char *ksa_sshd_value(const struct ksa_sshd_settings *settings, const char *name, char *value,
                           size_t size);

/*
 * The first of DenyUsers, AllowUsers, DenyGroups and AllowGroups that refuses USER from every host; NULL if
 * none does. Groups count only if USER exists.
 */
const char *ksa_sshd_refusal(const struct ksa_sshd_settings *settings, const char *user);

/* How the lists of AuthenticationMethods (VALUE) use keyboard-interactive. */
enum ksa_sshd_methods {
        KSA_METHODS_TOKEN, /* each list requires it */
        KSA_METHODS_OTHER, /* at least one list does not, so a login may need no token */
        KSA_METHODS_NEVER, /* no list has it */
};
enum ksa_sshd_methods ksa_sshd_methods_of(const char *value);

#endif
