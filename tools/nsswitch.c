/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the host's lookups come to ksa: /etc/nsswitch.conf. */
#include <stdio.h>
#include <string.h>

#include "accounts.h"

/* The sources of DATABASE, into LINE. False where the file has no line for it. */
static bool find_line(const char *path, const char *database, char line[NSSWITCH_LINE])
{
        const size_t length = strlen(database);
        FILE *file = fopen(path, "re"); /* a link where authselect made it */
        char text[1024];
        bool found = false;

        while (file != NULL && !found && fgets(text, sizeof(text), file) != NULL) {
                const char *begin = text + strspn(text, " \t");

                text[strcspn(text, "#\n")] = '\0';
                found = strncmp(begin, database, length) == 0 &&
                        begin[length + strspn(begin + length, " \t")] == ':';
                if (found)
                        (void)snprintf(line, NSSWITCH_LINE, "%s",
                                       strchr(begin, ':') + 1 +
                                               strspn(strchr(begin, ':') + 1, " \t"));
        }
        if (file != NULL)
                (void)fclose(file);
        return found;
}

/* Where the word NAME begins in LINE; NULL where it does not stand there. */
static const char *find_word(const char *line, const char *name)
{
        const size_t length = strlen(name);

        for (const char *at = line; (at = strstr(at, name)) != NULL; at += length) {
                if ((at == line || strchr(" \t]", at[-1]) != NULL) &&
                    (at[length] == '\0' || strchr(" \t[", at[length]) != NULL))
                        return at;
        }
        return NULL;
}

const char *nsswitch_fault(const char *path, const char *database, char line[NSSWITCH_LINE])
{
        char sources[NSSWITCH_LINE] = "files";

        (void)find_line(path, database, sources);
        const char *files = find_word(sources, "files"), *ksa = find_word(sources, "ksa");
        if (files == NULL)
                files = find_word(sources, "compat");
        if (ksa != NULL && files != NULL && files < ksa)
                return NULL;
        /* Right behind files, so that nothing in between can say that there is no such user. */
        if (files == NULL || ksa != NULL)
                (void)snprintf(line, NSSWITCH_LINE, "%s: files ksa", database);
        else
                (void)snprintf(line, NSSWITCH_LINE, "%s: %.*s ksa%s", database,
                               (int)(files + strcspn(files, " \t[") - sources), sources,
                               files + strcspn(files, " \t["));
        return line;
}
