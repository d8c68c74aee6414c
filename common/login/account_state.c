/* SPDX-License-Identifier: BSD-2-Clause */
#include "login/account_state.h"

#include <stdio.h>
#include <string.h>

static const char *const disabled_names[] = {"administrator", "recreated", "conflict", "leader"};

const char *ksa_account_state_name(enum ksa_account_state state)
{
        static const char *const names[] = {
                [KSA_ACCOUNT_ACTIVE] = "active",
                [KSA_ACCOUNT_DISABLED] = "disabled",
                [KSA_ACCOUNT_REMOVED] = "removed",
        };

        _Static_assert(KSA_COUNT(names) == KSA_ACCOUNT_STATE_COUNT, "a name for each state");
        return state < KSA_ACCOUNT_STATE_COUNT && names[state] != NULL ? names[state] : "unknown";
}

const char *ksa_disabled_next(unsigned *reasons)
{
        for (size_t i = 0; i < KSA_COUNT(disabled_names); i++) {
                if ((*reasons & 1u << i) != 0) {
                        *reasons &= ~(1u << i);
                        return disabled_names[i];
                }
        }
        return NULL;
}

const char *ksa_disabled_text(unsigned reasons, char out[KSA_DISABLED_TEXT])
{
        size_t length = 0;

        out[0] = '\0';
        for (const char *name; (name = ksa_disabled_next(&reasons)) != NULL;)
                length += (size_t)snprintf(out + length, KSA_DISABLED_TEXT - length, "%s%s",
                                           length == 0 ? "" : ", ", name);
        return out;
}

unsigned ksa_disabled_reason(const char *name)
{
        for (size_t i = 0; i < KSA_COUNT(disabled_names); i++) {
                if (strcmp(name, disabled_names[i]) == 0)
                        return 1u << i;
        }
        return 0;
}
