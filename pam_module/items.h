/* SPDX-License-Identifier: BSD-2-Clause */
/* The items of a PAM handle that an attempt depends on, copied. */
#ifndef KSA_PAM_ITEMS_H
#define KSA_PAM_ITEMS_H

#include <security/pam_modules.h>

#include "base/error.h"
#include "base/macros.h"

/*
 * The longest item that a login may have: LOGIN_NAME_MAX without the NUL, NAME_MAX of a file in
 * /etc/pam.d, and more than a host name has.
 */
#define ITEM_MAX 255

/*
 * libpam frees the text of an item when the item is set: by the conversation, another module or the host
 * program. So an attempt never keeps the pointer. A text is "" if the item is not set, and is cut at
 * ITEM_MAX; two fields then name the item that was cut.
 */
struct items {
        char user[ITEM_MAX + 1];
        char service[ITEM_MAX + 1];
        char rhost[ITEM_MAX + 1];
        char tty[ITEM_MAX + 1];
        const char *long_name;  /* PAM_USER or PAM_SERVICE, or NULL */
        const char *long_place; /* PAM_RHOST or PAM_TTY, or NULL */
};

/*
 * Copies the items. libpam asks for a user name if there is none. *RET_ITEMS is filled on failure too,
 * for the log line.
 *
 * KSA_CONVERSATION  no user name
 * KSA_NOT_NAMED     a user or service that was cut: no rule names it
 */
enum ksa_reason take_items(pam_handle_t *pamh, struct items *ret_items,
                           struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Whether a login with ITEMS may go on. libpam writes the address and the terminal into an audit record
 * when the module has returned. If they do not fit, libpam returns PAM_SYSTEM_ERR for a logged allow.
 *
 * KSA_ITEM  an address or a terminal that was cut
 */
enum ksa_reason judge_items(const struct items *items, struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Compares ITEMS with those that the handle has now.
 *
 * KSA_USER_CHANGED  another user, service or address
 * KSA_ITEM          as judge_items()
 */
enum ksa_reason compare_items(pam_handle_t *pamh, const struct items *items,
                              struct ksa_error *err) KSA_MUST_CHECK;

#endif
