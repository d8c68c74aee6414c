/* SPDX-License-Identifier: BSD-2-Clause */
#include "items.h"

#include <security/pam_ext.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static const struct {
        const char *name;
        size_t offset;
        int type;
        bool in_rules; /* conditions of rules use this item */
} rows[] = {
        {"PAM_USER", offsetof(struct items, user), PAM_USER, true},
        {"PAM_SERVICE", offsetof(struct items, service), PAM_SERVICE, true},
        {"PAM_RHOST", offsetof(struct items, rhost), PAM_RHOST, false},
        {"PAM_TTY", offsetof(struct items, tty), PAM_TTY, false},
};

static void copy_items(pam_handle_t *pamh, struct items *items)
{
        memset(items, 0, sizeof(*items));
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                const void *text = NULL;
                char *copy = (char *)items + rows[i].offset;

                if (pam_get_item(pamh, rows[i].type, &text) != PAM_SUCCESS || text == NULL)
                        continue;
                size_t length = strnlen(text, ITEM_MAX + 1);
                if (length > ITEM_MAX && rows[i].in_rules)
                        items->long_name = rows[i].name;
                else if (length > ITEM_MAX)
                        items->long_location = rows[i].name;
                memcpy(copy, text, length > ITEM_MAX ? ITEM_MAX : length);
        }
}

enum ksa_reason take_items(pam_handle_t *pamh, struct items *ret_items, struct ksa_error *err)
{
        const char *user = NULL;
        int code = pam_get_user(pamh, &user, NULL);

        copy_items(pamh, ret_items);
        if (code != PAM_SUCCESS || user == NULL)
                return ksa_fail(err, KSA_CONVERSATION, "no user name");
        if (ret_items->long_name != NULL)
                return ksa_fail(err, KSA_NOT_NAMED, "%s is longer than %d bytes",
                                ret_items->long_name, ITEM_MAX);
        return KSA_OK;
}

enum ksa_reason check_items(const struct items *items, struct ksa_error *err)
{
        if (items->long_location != NULL)
                return ksa_fail(err, KSA_ITEM, "%s is longer than %d bytes", items->long_location,
                                ITEM_MAX);
        return KSA_OK;
}

enum ksa_reason compare_items(pam_handle_t *pamh, const struct items *items, struct ksa_error *err)
{
        struct items now;

        copy_items(pamh, &now);
        if (now.long_name != NULL || strcmp(now.user, items->user) != 0 ||
            strcmp(now.service, items->service) != 0 || strcmp(now.rhost, items->rhost) != 0)
                return ksa_fail(err, KSA_USER_CHANGED, "%s", ksa_reason_text(KSA_USER_CHANGED));
        return check_items(&now, err);
}
