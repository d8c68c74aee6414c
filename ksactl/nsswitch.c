/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether lookups on this host reach ksa: /etc/nsswitch.conf. */
#include <stdio.h>
#include <string.h>

#include "status.h"

#define FILE_NAME "/etc/nsswitch.conf"
#define LINE_SIZE 256

/* The sources of DATABASE. False if the file has no line for it. */
static bool find_line(const char *database, char line[LINE_SIZE])
{
        const size_t length = strlen(database);
        FILE *file = fopen(FILE_NAME, "re"); /* authselect makes it a link */
        char text[1024];
        bool found = false;

        while (file != NULL && !found && fgets(text, sizeof(text), file) != NULL) {
                const char *begin = text + strspn(text, " \t");

                text[strcspn(text, "#\n")] = '\0';
                found = strncmp(begin, database, length) == 0 &&
                        begin[length + strspn(begin + length, " \t")] == ':';
                if (found)
                        (void)snprintf(line, LINE_SIZE, "%s",
                                       strchr(begin, ':') + 1 +
                                               strspn(strchr(begin, ':') + 1, " \t"));
        }
        if (file != NULL)
                (void)fclose(file);
        return found;
}

/* The beginning of the source NAME in LINE; NULL if the line does not name it. */
static const char *find_source(const char *line, const char *name)
{
        const size_t length = strlen(name);

        for (const char *at = line; (at = strstr(at, name)) != NULL; at += length) {
                if ((at == line || strchr(" \t]", at[-1]) != NULL) &&
                    (at[length] == '\0' || strchr(" \t[", at[length]) != NULL))
                        return at;
        }
        return NULL;
}

/* Whether WORD is between BEGIN and END, as return is in [NOTFOUND=return]. Case does not matter. */
static bool contains(const char *begin, const char *end, const char *word)
{
        char between[LINE_SIZE];

        (void)snprintf(between, sizeof(between), "%.*s", (int)(end - begin), begin);
        return strcasestr(between, word) != NULL;
}

/* Whether an action ends lookups that files did not answer. */
static bool stops(const char *begin, const char *end)
{
        return contains(begin, end, "NOTFOUND=return") || contains(begin, end, "!SUCCESS=return");
}

static const char *find_files(const char *sources)
{
        const char *files = find_source(sources, "files");

        return files != NULL ? files : find_source(sources, "compat");
}

/* Removes the source that begins at POSITION, and the spaces after it. */
static void remove_source(char *line, size_t position)
{
        const char *rest = line + position + strcspn(line + position, " \t[");

        rest += strspn(rest, " \t");
        memmove(line + position, rest, strlen(rest) + 1);
        for (size_t end = strlen(line); end > 0 && strchr(" \t", line[end - 1]) != NULL; end--)
                line[end - 1] = '\0';
}

/* Puts ksa directly after files, so that no source in between can report that a user does not exist. */
static void propose(const char *database, char *sources, char line[LINE_SIZE])
{
        const char *ksa = find_source(sources, "ksa");

        if (ksa != NULL)
                remove_source(sources, (size_t)(ksa - sources));
        const char *files = find_files(sources);
        if (files == NULL) {
                (void)snprintf(line, LINE_SIZE, "%s: files ksa%s%s", database,
                               *sources != '\0' ? " " : "", sources);
                return;
        }
        const char *end = files + strcspn(files, " \t["), *action = end + strspn(end, " \t");
        const char *after = *action == '[' ? strchr(action, ']') : NULL;
        /* If an action adds the answers of other sources ([SUCCESS=merge]), ksa comes after it. */
        after = after != NULL && contains(action, after, "merge") ? after + 1 : end;
        (void)snprintf(line, LINE_SIZE, "%s: %.*s ksa%.*s%s", database, (int)(after - sources),
                       sources, (int)(after - end), end, after);
}

void find_lookups(enum lookup_database database, struct finding *finding)
{
        static const struct {
                const char *name, *effect;
        } rows[LOOKUP_DATABASES] = {
                [LOOKUP_PASSWD] = {"passwd", "users that ksa creates are not found"},
                [LOOKUP_GROUP] = {"group", "groups that ksa creates are not found"},
                [LOOKUP_INITGROUPS] = {"initgroups", "users that ksa creates have no groups"},
        };
        char sources[LINE_SIZE] = "files", line[LINE_SIZE], remedy[LINE_SIZE + 32];
        const char *name = rows[database].name, *effect = rows[database].effect, *what = NULL;

        if (!KSA_HAS_NSS) {
                if (database == LOOKUP_PASSWD)
                        add_problem(finding, TROUBLE,
                                    "name users of /etc/passwd in rules and remove the sections "
                                    "[account] and [accounts]; or build ksa with its NSS module",
                                    "ksa was built without its NSS module (--disable-nss): %s",
                                    effect);
                return;
        }
        /* Without a line of its own initgroups is looked up as group is. */
        if (!find_line(name, sources) && database == LOOKUP_INITGROUPS)
                return;
        const char *files = find_files(sources), *ksa = find_source(sources, "ksa");
        if (ksa == NULL || files == NULL) {
                what = "does not name ksa after files";
        } else if (ksa < files) {
                what = "names ksa before files";
                effect = "local users and groups should be found first";
        } else if (stops(files, ksa)) {
                what = "ends lookups before ksa";
        } else {
                return;
        }
        propose(name, sources, line);
        (void)snprintf(remedy, sizeof(remedy), "change the line to: %s", line);
        add_problem(finding, TROUBLE, remedy, FILE_NAME " %s for %s: %s", what, name, effect);
}
