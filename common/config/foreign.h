/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that are not configurations as a whole: another encoding, encryption, another format. Such
 * a file has one error, because every line of it would be one.
 */
#ifndef KSA_CONFIG_FOREIGN_H
#define KSA_CONFIG_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>

struct ksa_foreign {
        const char *text;   /* static: the format */
        const char *remedy; /* static: an instruction; FILE stands for the path */
        unsigned line;      /* where it shows, from 1 */
};

/*
 * Whether the LENGTH bytes of a file, followed by a NUL, are not a configuration as a whole. Every
 * such file has a line that ini.c rejects too.
 */
bool ksa_foreign_find(const char *bytes, size_t length, struct ksa_foreign *ret_foreign);

#endif
