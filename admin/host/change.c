/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/host/change.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "admin/base/file_write.h"
#include "base/text.h"
#include "admin/host/tool.h"

#define FILE_MAX   (8 << 20) /* what enable writes for many users must be readable later */
#define RECORD_MAX 4096

void ksa_change_add(struct ksa_changes *changes, enum ksa_change_kind kind, const char *name,
                    char *text)
{
        if (changes->count == KSA_CHANGE_MAX) {
                free(text);
                return;
        }
        struct ksa_change *change = &changes->items[changes->count++];

        *change = (struct ksa_change){.kind = kind, .text = text};
        (void)snprintf(change->name, sizeof(change->name), "%s", name);
}

void ksa_changes_free(struct ksa_changes *changes)
{
        for (size_t i = 0; i < changes->count; i++) {
                free(changes->items[i].text);
                free(changes->items[i].before);
        }
        *changes = (struct ksa_changes){.count = 0};
}

/* --- Files -------------------------------------------------------------------- */

static bool fill_checksum(const char *text, char out[KSA_CHECKSUM_SIZE])
{
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned int length = 0;

        if (EVP_Digest(text, strlen(text), digest, &length, EVP_sha256(), NULL) != 1 ||
            length * 2 + 1 != KSA_CHECKSUM_SIZE)
                return false;
        for (unsigned int i = 0; i < length; i++)
                (void)snprintf(out + (size_t)2 * i, 3, "%02x", digest[i]);
        return true;
}

static bool is_file(const struct ksa_change *change)
{
        return change->kind == KSA_CHANGE_SSHD || change->kind == KSA_CHANGE_SUDOERS;
}

static mode_t mode_of(const struct ksa_change *change)
{
        return change->kind == KSA_CHANGE_SUDOERS ? 0440 : 0644;
}

static bool fail(struct ksa_error *err, const char *name, const char *text, const char *remedy)
{
        (void)ksa_fail(err, KSA_HOST_ERROR, "%s: %s", name, text);
        err->remedy = remedy;
        return false;
}

bool ksa_changes_sign(struct ksa_changes *changes, struct ksa_error *err)
{
        for (size_t i = 0; i < changes->count; i++) {
                struct ksa_change *change = &changes->items[i];

                if (is_file(change) && !fill_checksum(change->text, change->checksum))
                        return fail(err, change->name, "OpenSSL did not return a SHA-256 checksum",
                                    "check the installation of OpenSSL");
        }
        return true;
}

/* The text of the file now, allocated; *RET_TEXT is NULL if there is no such file. */
static bool read_now(const char *path, const struct ksa_env *env, char **ret_text,
                     struct ksa_error *err)
{
        size_t length = 0;
        enum ksa_reason reason = ksa_file_read(path, env->owner, FILE_MAX, ret_text, &length, err);

        if (reason != KSA_FILE_MISSING)
                return reason == KSA_OK;
        *ret_text = NULL;
        *err = (struct ksa_error){.reason = KSA_OK};
        return true;
}

static const struct ksa_change *find_recorded(const struct ksa_changes *record,
                                              const struct ksa_change *change)
{
        for (size_t i = 0; i < record->count; i++) {
                if (record->items[i].kind == change->kind &&
                    strcmp(record->items[i].name, change->name) == 0)
                        return &record->items[i];
        }
        return NULL;
}

/* Whether TEXT is what enable wrote at CHANGE. */
static bool is_as_written(const struct ksa_change *change, const char *text)
{
        char checksum[KSA_CHECKSUM_SIZE];

        return fill_checksum(text, checksum) && strcmp(checksum, change->checksum) == 0;
}

static bool put(const struct ksa_change *change, const char *text, const struct ksa_env *env,
                struct ksa_error *err)
{
        if (text == NULL)
                return ksa_file_remove(change->name, env->owner, err) == KSA_OK;
        return ksa_file_replace(change->name, env->owner, mode_of(change), text, strlen(text),
                                err) == KSA_OK;
}

static bool apply_file(struct ksa_change *change, const struct ksa_changes *record,
                       const struct ksa_env *env, struct ksa_error *err)
{
        const struct ksa_change *earlier = find_recorded(record, change);

        if (!read_now(change->name, env, &change->before, err))
                return false;
        if (change->before != NULL && (earlier == NULL || !is_as_written(earlier, change->before)))
                return fail(err, change->name,
                            earlier == NULL ? "exists, and ksactl enable did not write it"
                                            : "was edited since ksactl enable wrote it",
                            "move your settings to another file, remove this one, and repeat "
                            "the command");
        change->applied = true;
        return put(change, change->text, env, err);
}

/* --- The record ----------------------------------------------------------------- */

static const char *const kinds[KSA_CHANGE_COUNT] = {
        [KSA_CHANGE_PROFILE] = "profile",
        [KSA_CHANGE_SSHD] = "sshd",
        [KSA_CHANGE_SUDOERS] = "sudoers",
        [KSA_CHANGE_TIMER] = "timer",
};

/* A record of other things must not make disable stop services or remove files. */
static bool is_of_enable(enum ksa_change_kind kind, const char *name)
{
        static const char *const beginnings[KSA_CHANGE_COUNT] = {
                [KSA_CHANGE_PROFILE] = "ksa",
                [KSA_CHANGE_SSHD] = "/etc/ssh/sshd_config.d/ksa",
                [KSA_CHANGE_SUDOERS] = "/etc/sudoers.d/ksa",
                [KSA_CHANGE_TIMER] = "ksa-",
        };

        return strncmp(name, beginnings[kind], strlen(beginnings[kind])) == 0;
}

/* A line of the record: KIND NAME CHECKSUM, with "-" for no checksum. */
static bool parse_line(char *line, struct ksa_changes *changes)
{
        char *state = NULL;
        const char *kind = strtok_r(line, " ", &state), *name = strtok_r(NULL, " ", &state),
                   *checksum = strtok_r(NULL, " ", &state);

        if (checksum == NULL || strtok_r(NULL, " ", &state) != NULL ||
            changes->count == KSA_CHANGE_MAX || strlen(name) >= sizeof(changes->items[0].name) ||
            strlen(checksum) >= KSA_CHECKSUM_SIZE)
                return false;
        for (enum ksa_change_kind i = 0; i < KSA_CHANGE_COUNT; i++) {
                if (strcmp(kind, kinds[i]) != 0)
                        continue;
                ksa_change_add(changes, i, name, NULL);
                struct ksa_change *change = &changes->items[changes->count - 1];

                if (is_file(change) != (strcmp(checksum, "-") != 0) || !is_of_enable(i, name))
                        return false;
                if (is_file(change))
                        (void)snprintf(change->checksum, sizeof(change->checksum), "%s", checksum);
                return true;
        }
        return false;
}

enum ksa_reason ksa_changes_read(const char *path, const struct ksa_env *env,
                                 struct ksa_changes *ret, struct ksa_error *err)
{
        struct ksa_changes changes = {.count = 0};
        char *text = NULL, *state = NULL;
        size_t length = 0;
        enum ksa_reason reason = ksa_file_read(path, env->owner, RECORD_MAX, &text, &length, err);

        if (reason == KSA_FILE_MISSING) {
                *err = (struct ksa_error){.reason = KSA_OK};
                *ret = changes;
                return KSA_OK;
        }
        if (reason == KSA_OK && strlen(text) != length)
                text[0] = '\001'; /* a NUL byte: no line is valid */
        for (char *line = reason == KSA_OK ? strtok_r(text, "\n", &state) : NULL; line != NULL;
             line = strtok_r(NULL, "\n", &state)) {
                if (parse_line(line, &changes))
                        continue;
                ksa_error_at(err, path, 0);
                reason = ksa_fail(err, KSA_CONFIG_INVALID, "%s is damaged", path);
                break;
        }
        free(text);
        if (reason == KSA_OK)
                *ret = changes;
        return reason;
}

enum ksa_reason ksa_changes_write(const char *path, const struct ksa_env *env,
                                  const struct ksa_changes *changes, struct ksa_error *err)
{
        char text[RECORD_MAX];
        size_t length = 0;

        if (changes->count == 0)
                return ksa_file_remove(path, env->owner, err);
        for (size_t i = 0; i < changes->count; i++) {
                const struct ksa_change *change = &changes->items[i];

                length += (size_t)snprintf(text + length, sizeof(text) - length, "%s %s %s\n",
                                           kinds[change->kind], change->name,
                                           is_file(change) ? change->checksum : "-");
        }
        return ksa_file_replace(path, env->owner, 0600, text, length, err);
}

/* --- Apply and revert --------------------------------------------------------------- */

static bool apply(struct ksa_change *change, const struct ksa_changes *record,
                  const struct ksa_env *env, struct ksa_error *err)
{
        switch (change->kind) {
        case KSA_CHANGE_PROFILE:
                change->applied = true;
                return ksa_tool_enable_profile(change->name, err);
        case KSA_CHANGE_SSHD:
                return ksa_tool_check_sshd(err) && apply_file(change, record, env, err) &&
                       ksa_tool_reload_sshd(err) && ksa_tool_test_sshd(change->text, err);
        case KSA_CHANGE_SUDOERS:
                return ksa_tool_check_sudoers(change->text, env, err) &&
                       ksa_tool_reads_sudoers_d(err) && apply_file(change, record, env, err);
        case KSA_CHANGE_TIMER:
                change->applied = find_recorded(record, change) == NULL;
                return ksa_tool_enable_timer(change->name, true, err);
        case KSA_CHANGE_COUNT:
                break;
        }
        return false;
}

/* Back to what was there before this run. */
static bool undo(const struct ksa_change *change, const struct ksa_env *env)
{
        struct ksa_error ignored = {.reason = KSA_OK};

        if (!change->applied)
                return true;
        switch (change->kind) {
        case KSA_CHANGE_PROFILE:
                return ksa_tool_disable_profile(change->name, &ignored);
        case KSA_CHANGE_TIMER:
                return ksa_tool_enable_timer(change->name, false, &ignored);
        case KSA_CHANGE_SSHD:
                return put(change, change->before, env, &ignored) && ksa_tool_reload_sshd(&ignored);
        case KSA_CHANGE_SUDOERS:
                return put(change, change->before, env, &ignored);
        case KSA_CHANGE_COUNT:
                break;
        }
        return false;
}

bool ksa_changes_apply(struct ksa_changes *changes, const struct ksa_changes *record,
                       const struct ksa_env *env, bool *ret_reverted, struct ksa_error *err)
{
        *ret_reverted = true;
        for (size_t i = 0; i < changes->count; i++) {
                if (apply(&changes->items[i], record, env, err))
                        continue;
                for (size_t back = i + 1; back-- > 0;)
                        *ret_reverted = undo(&changes->items[back], env) && *ret_reverted;
                return false;
        }
        return true;
}

bool ksa_change_revert(const struct ksa_change *change, const struct ksa_env *env,
                       struct ksa_error *err)
{
        char *now = NULL;

        if (change->kind == KSA_CHANGE_PROFILE)
                return ksa_tool_disable_profile(change->name, err);
        if (change->kind == KSA_CHANGE_TIMER)
                return ksa_tool_enable_timer(change->name, false, err);
        if (!read_now(change->name, env, &now, err))
                return false;
        bool written = now == NULL || is_as_written(change, now);

        free(now);
        if (!written)
                return fail(err, change->name, "was edited since ksactl enable wrote it",
                            "remove it by hand, and repeat the command");
        return put(change, NULL, env, err) &&
               (change->kind != KSA_CHANGE_SSHD || ksa_tool_reload_sshd(err));
}

bool ksa_change_is_made(const struct ksa_change *change, const struct ksa_changes *record,
                        const struct ksa_env *env)
{
        const struct ksa_change *recorded = find_recorded(record, change);
        struct ksa_error ignored = {.reason = KSA_OK};
        char *now = NULL;

        if (!is_file(change) || recorded == NULL || !read_now(change->name, env, &now, &ignored))
                return false;
        bool made = now != NULL && strcmp(now, change->text) == 0 && is_as_written(recorded, now);

        free(now);
        return made;
}

/* --- For people ------------------------------------------------------------------- */

static void print_text(const char *text, FILE *out)
{
        for (const char *line = text; *line != '\0';) {
                size_t length = strcspn(line, "\n");

                (void)fprintf(out, "    %.*s\n", (int)length, line);
                line += length + (line[length] == '\n' ? 1 : 0);
        }
}

void ksa_change_print(const struct ksa_change *change, FILE *out)
{
        switch (change->kind) {
        case KSA_CHANGE_PROFILE:
                (void)fprintf(
                        out,
                        "pam-auth-update --enable %s\n"
                        "    puts pam_ksa into common-auth, common-account and common-session; it "
                        "ignores services and users that no rule names\n",
                        change->name);
                return;
        case KSA_CHANGE_TIMER:
                (void)fprintf(out, "systemctl enable --now %s\n", change->name);
                return;
        case KSA_CHANGE_SSHD:
        case KSA_CHANGE_SUDOERS:
                (void)fprintf(out, "write %s (mode %04o):\n", change->name,
                              (unsigned)mode_of(change));
                print_text(change->text, out);
                if (change->kind == KSA_CHANGE_SSHD)
                        (void)fputs("sshd -t, then reload sshd\n", out);
                return;
        case KSA_CHANGE_COUNT:
                return;
        }
}

void ksa_change_print_reverted(const struct ksa_change *change, FILE *out)
{
        switch (change->kind) {
        case KSA_CHANGE_PROFILE:
                (void)fprintf(out, "pam-auth-update --disable %s\n", change->name);
                return;
        case KSA_CHANGE_TIMER:
                (void)fprintf(out, "systemctl disable --now %s\n", change->name);
                return;
        case KSA_CHANGE_SSHD:
                (void)fprintf(out, "removed %s, reloaded sshd\n", change->name);
                return;
        case KSA_CHANGE_SUDOERS:
                (void)fprintf(out, "removed %s\n", change->name);
                return;
        case KSA_CHANGE_COUNT:
                return;
        }
}
