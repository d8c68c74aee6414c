/* SPDX-License-Identifier: BSD-2-Clause */
/* Copies the items of a PAM handle that an attempt uses. */
#ifndef KSA_PAM_ITEMS_H
#define KSA_PAM_ITEMS_H

#include <security/pam_modules.h>

#include "base/error.h"
#include "base/macros.h"

/*
 * Largest supported item in bytes: LOGIN_NAME_MAX without the NUL, NAME_MAX for a file in
 * /etc/pam.d, and longer than any host name.
 */
#define ITEM_MAX 255

/*
 * Copies of the texts. libpam frees an item's text when the conversation, another module or the
 * host program sets the item, so an attempt never keeps the pointer. An item that is not set is "".
 * Longer texts are cut at ITEM_MAX, and long_name or long_location names the item.
 */
struct items {
        char user[ITEM_MAX + 1];
        char service[ITEM_MAX + 1];
        char rhost[ITEM_MAX + 1];
        char tty[ITEM_MAX + 1];
        const char *long_name;     /* PAM_USER or PAM_SERVICE, or NULL */
        const char *long_location; /* PAM_RHOST or PAM_TTY, or NULL */
};

/*
 * Copies the items. libpam prompts for a user name if PAM_USER is not set. *RET_ITEMS is also
 * filled on failure, for the log line.
 *
 * KSA_CONVERSATION  no user name
 * KSA_NOT_NAMED     user or service was cut, so no rule names it
 */
enum ksa_reason take_items(pam_handle_t *pamh, struct items *ret_items,
                           struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Checks that address and terminal were not cut. libpam writes them into an audit record after the
 * module has returned; if they do not fit, it returns PAM_SYSTEM_ERR after ksa logged "allow".
 *
 * KSA_ITEM  an address or a terminal that was cut
 */
enum ksa_reason check_items(const struct items *items, struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Compares ITEMS with the current items of the handle.
 *
 * KSA_USER_CHANGED  another user, service or address
 * KSA_ITEM          as check_items()
 */
enum ksa_reason compare_items(pam_handle_t *pamh, const struct items *items,
                              struct ksa_error *err) KSA_MUST_CHECK;

#endif
