/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sudoers.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.h"

/* Files that include one another, one below the other: sudo itself has 128. */
enum { DEPTH_MAX = 32 };

struct seen {
        dev_t device;
        ino_t inode;
};

static enum ksa_reason no_memory(struct ksa_error *err)
{
        return ksa_fail(err, KSA_MEMORY, "memory ran out over sudoers");
}

static enum ksa_reason unreadable(struct ksa_error *err, const char *path)
{
        enum ksa_reason reason =
                ksa_fail(err, KSA_FILE_UNREADABLE, "cannot be read: %s", strerror(errno));

        ksa_error_at(err, path, 0);
        return reason;
}

/* --- Words -------------------------------------------------------------------- */

static bool is_of_word(char c)
{
        return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '-' || c == '$';
}

static bool add_word(struct ksa_sudoers *sudoers, bool behind_hash, const char *begin,
                     size_t length)
{
        bool number = behind_hash && strspn(begin, "0123456789") >= length;

        while (number && length > 1 && *begin == '0') { /* #0123 is 123 to sudo */
                begin++;
                length--;
        }
        char **place = ksa_list_next(&sudoers->words, sizeof(*place));
        if (place == NULL)
                return false;
        *place = malloc(length + 2);
        if (*place == NULL)
                return false;
        (void)snprintf(*place, length + 2, "%s%.*s", number ? "#" : "", (int)length, begin);
        sudoers->words.count++;
        return true;
}

/* ci\_deployer and ci\x5fdeployer are ci_deployer to sudo: undone in place. */
static void undo_escapes(char *line)
{
        char *out = line;

        for (const char *in = line; *in != '\0'; in++) {
                char digits[3] = "";

                if (in[0] == '\\' && in[1] == 'x' && isxdigit((unsigned char)in[2]) &&
                    isxdigit((unsigned char)in[3]))
                        memcpy(digits, in + 2, 2);
                unsigned long byte = strtoul(digits, NULL, 16);
                if (byte != 0) {
                        *out++ = (char)byte;
                        in += 3;
                } else if (in[0] != '\\') {
                        *out++ = *in;
                }
        }
        *out = '\0';
}

static bool add_words(struct ksa_sudoers *sudoers, const char *line)
{
        for (const char *c = line; *c != '\0';) {
                size_t length = 0;

                while (is_of_word(c[length]))
                        length++;
                if (length > 0 && !add_word(sudoers, c > line && c[-1] == '#', c, length))
                        return false;
                c += length == 0 ? 1 : length;
        }
        return true;
}

/* --- Files -------------------------------------------------------------------- */

/* Whether the file was read before; else it is noted as read. */
static enum ksa_reason is_seen(struct ksa_sudoers *sudoers, const struct stat *file, bool *ret_seen,
                               struct ksa_error *err)
{
        for (size_t i = 0; i < sudoers->seen.count; i++) {
                const struct seen *seen = &((const struct seen *)sudoers->seen.items)[i];

                if (seen->device == file->st_dev && seen->inode == file->st_ino) {
                        *ret_seen = true;
                        return KSA_OK;
                }
        }
        struct seen *place = ksa_list_next(&sudoers->seen, sizeof(*place));
        if (place == NULL)
                return no_memory(err);
        *place = (struct seen){.device = file->st_dev, .inode = file->st_ino};
        sudoers->seen.count++;
        *ret_seen = false;
        return KSA_OK;
}

static enum ksa_reason read_place(struct ksa_sudoers *sudoers, const char *path, unsigned depth,
                                  struct ksa_error *err);

/* The path of an @include: beside the file that names it, with %h for the host's short name. */
static bool included_path(const char *from, const char *text, char ret_path[PATH_MAX])
{
        char host[HOST_NAME_MAX + 1] = "", file[PATH_MAX];
        size_t length = strcspn(text, "\" \t\r\n");
        const char *slash = strrchr(from, '/');
        const char *mark = memmem(text, length, "%h", 2);
        int before = mark == NULL ? (int)length : (int)(mark - text);

        if (mark != NULL) {
                if (gethostname(host, sizeof(host) - 1) != 0)
                        return false;
                host[strcspn(host, ".")] = '\0';
        }
        int made =
                snprintf(file, sizeof(file), "%.*s%s%.*s", before, text, host,
                         mark == NULL ? 0 : (int)length - before - 2, mark == NULL ? "" : mark + 2);
        if (made < 0 || made >= PATH_MAX)
                return false;
        made = snprintf(ret_path, PATH_MAX, "%.*s%s",
                        file[0] == '/' || slash == NULL ? 0 : (int)(slash + 1 - from), from, file);
        return made >= 0 && made < PATH_MAX;
}

static enum ksa_reason follow(struct ksa_sudoers *sudoers, const char *path, const char *line,
                              unsigned depth, struct ksa_error *err)
{
        static const char *const words[] = {"includedir", "include"};
        const char *c = line + strspn(line, " \t");
        char included[PATH_MAX];

        if (*c != '@' && *c != '#')
                return KSA_OK;
        for (size_t i = 0; i < KSA_COUNT(words); i++) {
                size_t length = strlen(words[i]);

                if (strncmp(c + 1, words[i], length) != 0 || !isblank((unsigned char)c[1 + length]))
                        continue;
                c += 1 + length;
                c += strspn(c, " \t\"");
                if (!included_path(path, c, included)) {
                        errno = ENAMETOOLONG;
                        return unreadable(err, path);
                }
                return read_place(sudoers, included, depth + 1, err);
        }
        return KSA_OK;
}

static enum ksa_reason read_file(struct ksa_sudoers *sudoers, FILE *file, const char *path,
                                 unsigned depth, struct ksa_error *err)
{
        enum ksa_reason reason = KSA_OK;
        char *line = NULL;
        size_t room = 0;

        while (reason == KSA_OK && getline(&line, &room, file) >= 0) {
                undo_escapes(line);
                reason = add_words(sudoers, line) ? follow(sudoers, path, line, depth, err)
                                                  : no_memory(err);
        }
        if (reason == KSA_OK && (ferror(file) != 0 || feof(file) == 0))
                reason = unreadable(err, path);
        free(line);
        return reason;
}

/* All of them, also those that sudo passes over by their names: a word too many is no harm. */
static enum ksa_reason read_folder(struct ksa_sudoers *sudoers, const char *path, unsigned depth,
                                   struct ksa_error *err)
{
        enum ksa_reason reason = KSA_OK;
        DIR *folder = opendir(path);

        if (folder == NULL)
                return unreadable(err, path);
        for (struct dirent *entry; reason == KSA_OK && (entry = readdir(folder)) != NULL;) {
                char file[PATH_MAX];
                int length = snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);

                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                if (length < 0 || (size_t)length >= sizeof(file)) {
                        errno = ENAMETOOLONG;
                        reason = unreadable(err, path);
                        break;
                }
                reason = read_place(sudoers, file, depth + 1, err);
        }
        (void)closedir(folder);
        return reason;
}

static enum ksa_reason read_place(struct ksa_sudoers *sudoers, const char *path, unsigned depth,
                                  struct ksa_error *err)
{
        struct stat status;
        bool seen = false;

        if (depth > DEPTH_MAX) {
                errno = ELOOP;
                return unreadable(err, path);
        }
        if (stat(path, &status) != 0)
                return errno == ENOENT ? KSA_OK : unreadable(err, path);
        enum ksa_reason reason = is_seen(sudoers, &status, &seen, err);
        if (reason != KSA_OK || seen)
                return reason;
        if (S_ISDIR(status.st_mode))
                return read_folder(sudoers, path, depth, err);
        if (!S_ISREG(status.st_mode)) /* a FIFO would wait for ever */
                return KSA_OK;
        FILE *file = fopen(path, "re");
        if (file == NULL)
                return errno == ENOENT ? KSA_OK : unreadable(err, path);
        reason = read_file(sudoers, file, path, depth, err);
        (void)fclose(file);
        return reason;
}

/* To sudo CI_Deployer is ci_deployer, by its defaults case_insensitive_user and case_insensitive_group. */
static int by_text(const void *a, const void *b)
{
        return strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

enum ksa_reason ksa_sudoers_read(const char *file, const char *folder,
                                 struct ksa_sudoers *ret_sudoers, struct ksa_error *err)
{
        memset(ret_sudoers, 0, sizeof(*ret_sudoers));
        enum ksa_reason reason = read_place(ret_sudoers, file, 0, err);
        if (reason == KSA_OK)
                reason = read_place(ret_sudoers, folder, 0, err);
        if (reason == KSA_OK && ret_sudoers->words.count > 1)
                qsort(ret_sudoers->words.items, ret_sudoers->words.count, sizeof(char *), by_text);
        return reason;
}

void ksa_sudoers_clear(struct ksa_sudoers *sudoers)
{
        for (size_t i = 0; i < sudoers->words.count; i++)
                free(((char **)sudoers->words.items)[i]);
        free(sudoers->words.items);
        free(sudoers->seen.items);
        memset(sudoers, 0, sizeof(*sudoers));
}

bool ksa_sudoers_has_name(const struct ksa_sudoers *sudoers, const char *name)
{
        return sudoers->words.count > 0 &&
               bsearch(&name, sudoers->words.items, sudoers->words.count, sizeof(char *),
                       by_text) != NULL;
}

bool ksa_sudoers_has_number(const struct ksa_sudoers *sudoers, uint32_t number)
{
        char word[16];

        (void)snprintf(word, sizeof(word), "#%u", number);
        return ksa_sudoers_has_name(sudoers, word);
}
