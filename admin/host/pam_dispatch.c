/* SPDX-License-Identifier: BSD-2-Clause */
/* What libpam makes of the results of modules: pam_dispatch.c of Linux-PAM, for the first call of a phase. */
#include <string.h>

#include "admin/host/pam_stack.h"

/* What libpam thinks so far. Zero is its beginning, so that code counts once is_decided. */
struct state {
        bool is_decided, is_good;
        enum ksa_pam_code code;
};

struct walk {
        const struct ksa_pam_entry *const *chain;
        size_t count;
        struct state now, entered[KSA_PAM_LEVELS_MAX + 1]; /* at the beginning of each level */
};

/* The last position of what begins at POSITION: a substack includes the deeper levels after it. */
static size_t end_of(const struct walk *walk, size_t position, unsigned level)
{
        while (position + 1 < walk->count && walk->chain[position + 1]->level > level)
                position++;
        return position;
}

/* Skips NUMBER modules of the level. False if there are fewer: then the stack fails. */
static bool skip(const struct walk *walk, size_t *position, int number)
{
        const unsigned level = walk->chain[*position]->level;

        while (number > 0 && *position + 1 < walk->count &&
               walk->chain[*position + 1]->level >= level) {
                *position = end_of(walk, *position + 1, level);
                number--;
        }
        return number == 0;
}

/* Ends the level. */
static void skip_all(const struct walk *walk, size_t *position)
{
        const unsigned level = walk->chain[*position]->level;

        while (*position + 1 < walk->count && walk->chain[*position + 1]->level >= level)
                (*position)++;
}

static void approve(struct state *state, enum ksa_pam_code code)
{
        if (!state->is_decided || (state->is_good && state->code == KSA_PAM_SUCCESS))
                *state = (struct state){true, true, code};
}

static void object(struct state *state, enum ksa_pam_code code)
{
        if (!state->is_decided || state->is_good)
                *state = (struct state){true, false,
                                        code == KSA_PAM_IGNORE ? KSA_PAM_PERM_DENIED : code};
}

/* Applies the action of the module at *POSITION, and moves to the last one that it skips. */
static void act(struct walk *walk, size_t *position, int action, enum ksa_pam_code code)
{
        switch (action) {
        case KSA_PAM_DO_IGNORE:
                return;
        case KSA_PAM_DO_RESET:
                walk->now = walk->entered[walk->chain[*position]->level];
                return;
        case KSA_PAM_DO_OK:
        case KSA_PAM_DO_DONE:
                approve(&walk->now, code);
                if (action == KSA_PAM_DO_DONE && walk->now.is_good)
                        skip_all(walk, position);
                return;
        case KSA_PAM_DO_BAD:
        case KSA_PAM_DO_DIE:
                object(&walk->now, code);
                if (action == KSA_PAM_DO_DIE)
                        skip_all(walk, position);
                return;
        default:
                if (!skip(walk, position, action))
                        walk->now = (struct state){true, false, KSA_PAM_PERM_DENIED};
        }
}

enum ksa_pam_code ksa_pam_dispatch(const struct ksa_pam_entry *const *chain, size_t count,
                                   const int *results, bool *called)
{
        struct walk walk = {.chain = chain, .count = count};
        unsigned before = 0;

        if (called != NULL)
                memset(called, 0, count * sizeof(*called));
        for (size_t i = 0; i < count; i++) {
                const struct ksa_pam_entry *entry = chain[i];
                const unsigned level = entry->level;

                if (level > before)
                        walk.entered[level] = walk.now;
                before = level;
                if (entry->is_substack)
                        continue;
                if (called != NULL)
                        called[i] = true;
                int code = entry->module != NULL ? results[i] : KSA_PAM_PERM_DENIED;
                if (code >= 0)
                        act(&walk, &i, entry->actions[code], (enum ksa_pam_code)code);
        }
        if (!walk.now.is_decided || (!walk.now.is_good && walk.now.code == KSA_PAM_SUCCESS))
                return KSA_PAM_PERM_DENIED;
        return walk.now.code;
}
