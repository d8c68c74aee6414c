/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/reason.h"

#include <stdio.h>
#include <string.h>

static const struct reason_row {
        const char *name;
        enum ksa_outcome outcome;
        const char *text;
        const char *remedy;
} rows[] = {
#define KSA_REASON_ROW(id, name, outcome, text, remedy) {name, KSA_##outcome, text, remedy},
        KSA_REASONS(KSA_REASON_ROW) KSA_TOOL_REASONS(KSA_REASON_ROW)
#undef KSA_REASON_ROW
};

#define KSA_REASON_LENGTH(id, name, outcome, text, remedy) \
        _Static_assert(sizeof(remedy) <= KSA_REMEDY_MAX + 1, "a remedy too long for a log line");
KSA_REASONS(KSA_REASON_LENGTH)
KSA_TOOL_REASONS(KSA_REASON_LENGTH)
#undef KSA_REASON_LENGTH

static const struct reason_row ok = {"ok", KSA_DENY, "as it should be", ""};

static const struct reason_row *row_of(enum ksa_reason reason)
{
        if (reason == KSA_OK)
                return &ok;
        return (unsigned)reason < KSA_REASON_COUNT ? &rows[reason] : &rows[KSA_INTERNAL];
}

const char *ksa_reason_name(enum ksa_reason reason)
{
        return row_of(reason)->name;
}

const char *ksa_reason_text(enum ksa_reason reason)
{
        return row_of(reason)->text;
}

const char *ksa_reason_remedy(enum ksa_reason reason)
{
        return row_of(reason)->remedy;
}

enum ksa_outcome ksa_reason_outcome(enum ksa_reason reason)
{
        return row_of(reason)->outcome;
}

const char *ksa_remedy_of(const char *remedy, const char *cluster, char out[KSA_REMEDY_MAX + 1])
{
        static const char word[] = "CLUSTER";
        const char *at = cluster != NULL ? strstr(remedy, word) : NULL;

        if (at == NULL)
                (void)snprintf(out, KSA_REMEDY_MAX + 1, "%s", remedy);
        else
                (void)snprintf(out, KSA_REMEDY_MAX + 1, "%.*s%s%s", (int)(at - remedy), remedy,
                               cluster, at + sizeof(word) - 1);
        return out;
}
