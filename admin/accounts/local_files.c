/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/accounts/local_files.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/text.h"

static enum ksa_reason no_memory(struct ksa_error *err)
{
        return ksa_fail(err, KSA_MEMORY, "memory ran out over the users of this host");
}

static enum ksa_reason add(struct ksa_local_table *table, const char *kind, const char *file,
                           const char *name, uint64_t number, uint64_t end, struct ksa_error *err)
{
        struct ksa_list list = {.items = table->entries, .count = table->count};
        struct ksa_local_entry *place = ksa_list_next(&list, sizeof(*place));

        if (place == NULL)
                return no_memory(err);
        table->entries = list.items;
        *place = (struct ksa_local_entry){.kind = kind, .file = file, .number = number, .end = end};
        place->name = strdup(name);
        if (place->name == NULL)
                return no_memory(err);
        table->count++;
        return KSA_OK;
}

/* --- Files ---------------------------------------------------------------------- */

static enum ksa_reason unreadable(struct ksa_error *err, const char *path, unsigned line,
                                  const char *why)
{
        enum ksa_reason reason = ksa_fail(err, KSA_FILE_UNREADABLE, "cannot be read: %s", why);

        ksa_error_at(err, path, line);
        return reason;
}

typedef enum ksa_reason read_entries(FILE *file, const char *path, struct ksa_local_table *table,
                                     struct ksa_error *err);

/* libc parses passwd and group, so that ksa reads a line as NSS does. */
static enum ksa_reason read_users(FILE *file, const char *path, struct ksa_local_table *table,
                                  struct ksa_error *err)
{
        for (const struct passwd *user; (user = fgetpwent(file)) != NULL;) {
                enum ksa_reason reason = add(table, "the user", path, user->pw_name, user->pw_uid,
                                             user->pw_uid, err);

                if (reason == KSA_OK) /* a file's user may have a group that no file has */
                        reason = add(table, "the group of the user", path, user->pw_name,
                                     user->pw_gid, user->pw_gid, err);
                if (reason != KSA_OK)
                        return reason;
        }
        return KSA_OK;
}

static enum ksa_reason read_groups(FILE *file, const char *path, struct ksa_local_table *table,
                                   struct ksa_error *err)
{
        for (const struct group *group; (group = fgetgrent(file)) != NULL;) {
                enum ksa_reason reason = add(table, "the group", path, group->gr_name,
                                             group->gr_gid, group->gr_gid, err);

                if (reason != KSA_OK)
                        return reason;
        }
        return KSA_OK;
}

/* NAME:START:COUNT, cut up. */
static bool parse_range(char *line, uint64_t *ret_start, uint64_t *ret_count)
{
        char *start = strchr(line, ':');
        char *count = start == NULL ? NULL : strchr(start + 1, ':');

        if (count == NULL || start == line)
                return false;
        *start = *count = '\0';
        count[1 + strcspn(count + 1, "\n")] = '\0';
        return ksa_text_number(start + 1, 0, UINT32_MAX, ret_start) &&
               ksa_text_number(count + 1, 0, UINT64_C(1) << 32, ret_count);
}

/*
 * An invalid line ends the run: it may be meant to keep a range of ids. shadow-utils knows no comments:
 * "#ci:100000:65536" is a range.
 */
static enum ksa_reason read_ranges(FILE *file, const char *path, struct ksa_local_table *table,
                                   struct ksa_error *err)
{
        enum ksa_reason reason = KSA_OK;
        char *line = NULL;
        size_t room = 0;

        for (unsigned number = 1; reason == KSA_OK && getline(&line, &room, file) >= 0; number++) {
                bool remark =
                        line[strspn(line, " \t")] == '#' || line[strspn(line, " \t\n")] == '\0';
                uint64_t start = 0, count = 0;

                if (parse_range(line, &start, &count)) {
                        if (count > 0)
                                reason = add(table, "the subordinate ids of", path, line, start,
                                             start + count - 1, err);
                } else if (!remark) {
                        reason = unreadable(err, path, number, "it is not NAME:START:COUNT");
                }
        }
        free(line);
        return reason;
}

static enum ksa_reason read_table(const char *path, read_entries *read,
                                  struct ksa_local_table *table, struct ksa_error *err)
{
        FILE *file = fopen(path, "re");

        if (file == NULL)
                return errno == ENOENT ? KSA_OK : unreadable(err, path, 0, strerror(errno));
        errno = 0;
        enum ksa_reason reason = read(file, path, table, err);
        if (reason == KSA_OK && (ferror(file) != 0 || feof(file) == 0))
                reason = unreadable(err, path, 0, errno == 0 ? "it ends early" : strerror(errno));
        (void)fclose(file);
        return reason;
}

enum ksa_reason ksa_local_read_users(const char *path, struct ksa_local_table *table,
                                     struct ksa_error *err)
{
        return read_table(path, read_users, table, err);
}

enum ksa_reason ksa_local_read_groups(const char *path, struct ksa_local_table *table,
                                      struct ksa_error *err)
{
        return read_table(path, read_groups, table, err);
}

enum ksa_reason ksa_local_read_ranges(const char *path, struct ksa_local_table *table,
                                      struct ksa_error *err)
{
        return read_table(path, read_ranges, table, err);
}

/* --- Order ---------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
        const struct ksa_local_entry *one = a, *other = b;

        return one->number < other->number ? -1 : one->number > other->number;
}

static int by_name(const void *a, const void *b)
{
        return strcmp((*(struct ksa_local_entry *const *)a)->name,
                      (*(struct ksa_local_entry *const *)b)->name);
}

/* Sorts a user before the group of the same name, so that messages name the user. */
static int by_name_and_kind(const void *a, const void *b)
{
        const int order = by_name(a, b);

        return order != 0 ? order
                          : strcmp((*(struct ksa_local_entry *const *)b)->kind,
                                   (*(struct ksa_local_entry *const *)a)->kind);
}

bool ksa_local_arrange(struct ksa_local_table *table)
{
        if (table->count == 0)
                return true;
        qsort(table->entries, table->count, sizeof(*table->entries), by_number);
        table->names = calloc(table->count, sizeof(struct ksa_local_entry *));
        if (table->names == NULL)
                return false;
        for (size_t i = 0; i < table->count; i++) {
                struct ksa_local_entry *entry = &table->entries[i];
                const struct ksa_local_entry *last = i == 0 ? NULL : entry - 1;
                bool further = last == NULL || entry->end > last->reach;

                entry->reach = further ? entry->end : last->reach;
                entry->reacher = further ? i : last->reacher;
                table->names[i] = entry;
        }
        qsort(table->names, table->count, sizeof(struct ksa_local_entry *), by_name_and_kind);
        return true;
}

void ksa_local_clear(struct ksa_local_table *table)
{
        for (size_t i = 0; i < table->count; i++)
                free(table->entries[i].name);
        free(table->entries);
        free(table->names);
}

const struct ksa_local_entry *ksa_local_with_name(const struct ksa_local_table *table,
                                                  const char *name)
{
        struct ksa_local_entry wanted = {.name = (char *)(uintptr_t)name};
        struct ksa_local_entry *key = &wanted;
        struct ksa_local_entry **found =
                table->count == 0 ? NULL
                                  : bsearch(&key, table->names, table->count,
                                            sizeof(struct ksa_local_entry *), by_name);

        while (found != NULL && found > table->names && by_name(found - 1, found) == 0)
                found--;
        return found == NULL ? NULL : *found;
}

const struct ksa_local_entry *ksa_local_with_number(const struct ksa_local_table *table,
                                                    uint32_t number)
{
        size_t low = 0, high = table->count;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (table->entries[middle].number <= number)
                        low = middle + 1;
                else
                        high = middle;
        }
        if (low == 0 || table->entries[low - 1].reach < number)
                return NULL;
        return &table->entries[table->entries[low - 1].reacher];
}
