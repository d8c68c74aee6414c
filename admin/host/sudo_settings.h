/* SPDX-License-Identifier: BSD-2-Clause */
/* Which sudo this host has, and what sudoers gives to a user, as sudo itself reports it (sudo -l -U). */
#ifndef KSA_HOST_SUDO_SETTINGS_H
#define KSA_HOST_SUDO_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct ksa_sudo {
        const char *path;
        unsigned version; /* 1.9.13 is 10913 */
        bool is_rs;       /* sudo-rs, which does not report the options of a user */
};

/* sudo, or else sudo-rs. False if this host has neither. */
bool ksa_sudo_find(struct ksa_sudo *ret_sudo) KSA_MUST_CHECK;

struct ksa_sudo_rights {
        char text[32768];  /* what sudo printed */
        bool has_command;  /* the user may run at least one command */
        bool has_nopasswd; /* at least one of them without being asked */
};

/* What USER may run, and with which options. USER must exist. */
bool ksa_sudo_ask(const struct ksa_sudo *sudo, const char *user, struct ksa_sudo_rights *ret_rights,
                  struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Whether sudoers sets the option NAME for the user: the last setting counts. VALUE (SIZE bytes) receives the
 * text after "=", "" for a flag. False for "!NAME", and USUAL without a setting.
 */
bool ksa_sudo_has_option(const struct ksa_sudo_rights *rights, const char *name, bool usual,
                         char *value, size_t size);

#endif
