/* SPDX-License-Identifier: BSD-2-Clause */
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

/* What stands between BEGIN and END has WORD in it, as [NOTFOUND=return] has return; case does not count. */
static bool says(const char *begin, const char *end, const char *word)
{
        char between[NSSWITCH_LINE];

        (void)snprintf(between, sizeof(between), "%.*s", (int)(end - begin), begin);
        return strcasestr(between, word) != NULL;
}

/* An action that ends lookups which files did not answer. */
static bool stops(const char *begin, const char *end)
{
        return says(begin, end, "NOTFOUND=return") || says(begin, end, "!SUCCESS=return");
}

static const char *find_files(const char *sources)
{
        const char *files = find_word(sources, "files");

        return files != NULL ? files : find_word(sources, "compat");
}

/* LINE without the word that begins at POSITION, and without the blanks behind it. */
static void cut_word(char *line, size_t position)
{
        const char *rest = line + position + strcspn(line + position, " \t[");

        rest += strspn(rest, " \t");
        memmove(line + position, rest, strlen(rest) + 1);
        for (size_t end = strlen(line); end > 0 && strchr(" \t", line[end - 1]) != NULL; end--)
                line[end - 1] = '\0';
}

/* ksa right behind files, so that nothing in between can say that there is no such user. */
static void propose(const char *database, char *sources, char line[NSSWITCH_LINE])
{
        const char *ksa = find_word(sources, "ksa");

        if (ksa != NULL)
                cut_word(sources, (size_t)(ksa - sources));
        const char *files = find_files(sources);
        if (files == NULL) {
                (void)snprintf(line, NSSWITCH_LINE, "%s: files ksa%s%s", database,
                               *sources != '\0' ? " " : "", sources);
                return;
        }
        const char *end = files + strcspn(files, " \t["), *action = end + strspn(end, " \t");
        const char *behind = *action == '[' ? strchr(action, ']') : NULL;
        /* Where files add to what others answer ([SUCCESS=merge]), ksa does too. */
        behind = behind != NULL && says(action, behind, "merge") ? behind + 1 : end;
        (void)snprintf(line, NSSWITCH_LINE, "%s: %.*s ksa%.*s%s", database, (int)(behind - sources),
                       sources, (int)(behind - end), end, behind);
}

const char *const nsswitch_databases[NSSWITCH_DATABASES] = {"passwd", "group", "initgroups"};

bool has_nsswitch_fault(const char *path, const char *database, struct nsswitch_fault *ret_fault)
{
        const bool is_initgroups = strcmp(database, "initgroups") == 0;
        char sources[NSSWITCH_LINE] = "files";
        const bool found = find_line(path, database, sources);

        /* Where it has no line, it is as group is. */
        if (!found && is_initgroups)
                return false;
        const char *files = find_files(sources), *ksa = find_word(sources, "ksa");
        ret_fault->effect = is_initgroups ? "users that ksa creates have no groups"
                                          : "users that ksa creates are not found";
        if (strcmp(database, "group") == 0)
                ret_fault->effect = "groups that ksa creates are not found";
        if (ksa == NULL || files == NULL) {
                ret_fault->what = "does not name ksa after files";
        } else if (ksa < files) {
                ret_fault->what = "names ksa before files";
                ret_fault->effect = "local users and groups should be found first";
        } else if (stops(files, ksa)) {
                ret_fault->what = "ends lookups before ksa";
        } else {
                return false;
        }
        propose(database, sources, ret_fault->line);
        return true;
}
