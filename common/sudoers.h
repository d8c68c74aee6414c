/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words of sudoers: whom it might speak of. Words, not its grammar: the grammar grows with each
 * version of sudo, and what we did not understand would be a name that somebody is given, with rights
 * that were meant for nobody. A word too many costs one account its name, with a message.
 */
#ifndef KSA_SUDOERS_H
#define KSA_SUDOERS_H

#include "error.h"
#include "macros.h"
#include "section.h"

struct ksa_sudoers {
        struct ksa_list words; /* char *, in order; "#12" for a number that stands behind # */
        struct ksa_list seen;  /* the files that were read */
};

/*
 * Reads FILE, all files in FOLDER, and what they include. What is not there has nothing in it.
 *
 * ret_sudoers  ksa_sudoers_clear() it, also on failure
 *
 * KSA_FILE_UNREADABLE, KSA_MEMORY
 */
enum ksa_reason ksa_sudoers_read(const char *file, const char *folder,
                                 struct ksa_sudoers *ret_sudoers,
                                 struct ksa_error *err) KSA_MUST_CHECK;
void ksa_sudoers_clear(struct ksa_sudoers *sudoers);

/* Whether it has the word NAME in whatever case (behind % and quotes too), or the number as a uid or gid. */
bool ksa_sudoers_has_name(const struct ksa_sudoers *sudoers, const char *name);
bool ksa_sudoers_has_number(const struct ksa_sudoers *sudoers, uint32_t number);

#endif
