/* SPDX-License-Identifier: BSD-2-Clause */
#include "token_file.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <security/pam_modutil.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/process.h"
#include "base/text.h"
#include "token/prompt.h"

#define SECONDS 2

#ifdef SYS_setresuid32
#define SET_GROUPS SYS_setgroups32
#define SET_GIDS   SYS_setresgid32
#define SET_UIDS   SYS_setresuid32
#else
#define SET_GROUPS SYS_setgroups
#define SET_GIDS   SYS_setresgid
#define SET_UIDS   SYS_setresuid
#endif

/* The user that the child becomes. */
struct identity {
        const char *name;
        uid_t uid;
        gid_t gid;
        gid_t *groups;
        int group_count;
};

/* The child's result: this header, then LENGTH bytes. */
struct header {
        uint32_t reason; /* enum ksa_reason */
        uint32_t length;
};

/* --- The child -------------------------------------------------------------- */
/*
 * Changes to the user with raw system calls. After fork in a process with threads only plain system
 * calls are safe, and glibc's setresuid() would wait for threads that the child does not have.
 */

static bool become(const struct identity *user)
{
        uid_t real, effective, saved;

        return syscall(SET_GROUPS, user->group_count, user->groups) == 0 &&
               syscall(SET_GIDS, user->gid, user->gid, user->gid) == 0 &&
               syscall(SET_UIDS, user->uid, user->uid, user->uid) == 0 &&
               getresuid(&real, &effective, &saved) == 0 && real == user->uid &&
               effective == user->uid && saved == user->uid &&
               prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
               prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) ==
                       0; /* after setresuid(), which clears it */
}

static enum ksa_reason check_status(const struct stat *status, uid_t user)
{
        bool owned = status->st_uid == user || status->st_uid == 0;
        bool private = (status->st_mode & (S_IWGRP | S_IWOTH | S_IROTH)) == 0;

        return S_ISREG(status->st_mode) && owned && private && status->st_size <= KSA_TOKEN_MAX
                       ? KSA_OK
                       : KSA_TOKEN_FILE_UNSAFE;
}

static enum ksa_reason read_file(const char *path, uid_t user, char *buffer, size_t room,
                                 size_t *ret_length)
{
        struct stat status;
        int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

        if (fd < 0 && errno == ENOENT)
                return KSA_FILE_MISSING;
        if (fd < 0)
                return errno == ELOOP || errno == ENXIO ? KSA_TOKEN_FILE_UNSAFE
                                                        : KSA_TOKEN_FILE_FAILED;
        if (fstat(fd, &status) != 0)
                return KSA_TOKEN_FILE_FAILED;
        enum ksa_reason reason = check_status(&status, user);
        for (*ret_length = 0; reason == KSA_OK && *ret_length < room;) {
                ssize_t got = read(fd, buffer + *ret_length, room - *ret_length);

                if (got == 0)
                        return KSA_OK;
                if (got < 0)
                        reason = KSA_TOKEN_FILE_FAILED;
                else
                        *ret_length += (size_t)got;
        }
        /*
         * The buffer has room for a token and a newline. Reaching its end means that the file is
         * larger.
         */
        return reason == KSA_OK ? KSA_TOKEN_FILE_UNSAFE : reason;
}

static void hand_over(int out, const void *bytes, size_t length)
{
        for (const char *at = bytes; length > 0;) {
                ssize_t put = write(out, at, length);

                if (put <= 0)
                        _exit(1);
                at += put;
                length -= (size_t)put;
        }
}

static void run_child(const char *path, const struct identity *user, int out)
        __attribute__((noreturn));
static void run_child(const char *path, const struct identity *user, int out)
{
        char buffer[KSA_TOKEN_MAX + 2];
        size_t length = 0;
        enum ksa_reason reason = KSA_TOKEN_FILE_FAILED;

        ksa_process_default_signals();
        /*
         * The user can inspect this process, so it must not inherit a descriptor of the host
         * program.
         */
        if (dup2(out, STDIN_FILENO) == STDIN_FILENO &&
            syscall(SYS_close_range, STDOUT_FILENO, ~0U, 0) == 0 && become(user)) {
                /*
                 * Set after the change of user: the user may stop this process, but cannot cancel
                 * the alarm.
                 */
                (void)alarm(SECONDS);
                reason = read_file(path, user->uid, buffer, sizeof(buffer), &length);
        }
        if (reason != KSA_OK)
                length = 0;
        struct header header = {.reason = (uint32_t)reason, .length = (uint32_t)length};
        hand_over(STDIN_FILENO, &header, sizeof(header));
        hand_over(STDIN_FILENO, buffer, length);
        ksa_secret_wipe(buffer, sizeof(buffer));
        _exit(0);
}

/* --- The parent ------------------------------------------------------------- */

static enum ksa_reason receive_token(int in, struct ksa_secret *token)
{
        struct timespec deadline = ksa_deadline_in(SECONDS * 1000);
        struct header header;
        size_t room;

        void *tail = ksa_secret_tail(token, &room);
        if (!ksa_receive(in, &header, sizeof(header), &deadline) || header.length > room ||
            !ksa_receive(in, tail, header.length, &deadline))
                return KSA_TOKEN_FILE_FAILED;
        ksa_secret_extend(token, header.length);
        switch (header.reason) {
        case (uint32_t)KSA_OK:
                return KSA_OK;
        case (uint32_t)KSA_FILE_MISSING:
                return KSA_FILE_MISSING;
        case (uint32_t)KSA_TOKEN_FILE_UNSAFE:
                return KSA_TOKEN_FILE_UNSAFE;
        default:
                return KSA_TOKEN_FILE_FAILED;
        }
}

static enum ksa_reason read_as(const char *path, const struct identity *user,
                               struct ksa_secret *token)
{
        struct ksa_process child;
        int ends[2];
        sigset_t mask;

        if (pipe2(ends, O_CLOEXEC) != 0)
                return KSA_TOKEN_FILE_FAILED;
        pid_t pid = ksa_process_start(&child, &mask);
        if (pid == 0)
                run_child(path, user, ends[1]);
        (void)pthread_sigmask(SIG_SETMASK, &mask, NULL);
        (void)close(ends[1]);
        enum ksa_reason reason = pid > 0 ? receive_token(ends[0], token) : KSA_TOKEN_FILE_FAILED;
        (void)close(ends[0]);
        if (pid > 0)
                ksa_process_end(&child);
        return reason;
}

/* --- Conditions ------------------------------------------------------------- */

static bool is_text(const char *left, const char *right)
{
        return left != NULL && strcmp(left, right) == 0;
}

/* Returns the invoking user if the login is as the invoking user, else NULL. */
static const struct passwd *invoking_user(pam_handle_t *pamh, const struct ksa_attempt *attempt)
{
        const void *ruser = NULL;
        uid_t real = getuid();

        if (attempt->effective_uid != 0 || real == 0 || *attempt->rhost != '\0' ||
            !is_text(ksa_service_in_rules(attempt->service), "sudo") ||
            pam_get_item(pamh, PAM_RUSER, &ruser) != PAM_SUCCESS)
                return NULL;
        const struct passwd *user = pam_modutil_getpwuid(pamh, real);
        return user != NULL && is_text(ruser, user->pw_name) &&
                               is_text(attempt->user, user->pw_name)
                       ? user
                       : NULL;
}

static bool fill_identity(const struct passwd *user, struct identity *ret_identity)
{
        int count = 0;

        *ret_identity = (struct identity){user->pw_name, user->pw_uid, user->pw_gid, NULL, 0};
        (void)getgrouplist(user->pw_name, user->pw_gid, NULL, &count);
        if (count <= 0 || count > NGROUPS_MAX)
                return false;
        ret_identity->groups = calloc((size_t)count, sizeof(gid_t));
        if (ret_identity->groups == NULL)
                return false;
        ret_identity->group_count = count;
        if (getgrouplist(user->pw_name, user->pw_gid, ret_identity->groups, &count) < 0)
                return false;
        ret_identity->group_count = count;
        return true;
}

/* Replaces %u in PATTERN with NAME. False if it does not fit. */
static bool expand(const char *pattern, const char *name, char *out, size_t size)
{
        size_t at = 0;

        for (const char *c = pattern; *c != '\0'; c++) {
                bool user = c[0] == '%' && c[1] == 'u';
                int length = user ? snprintf(out + at, size - at, "%s", name)
                                  : snprintf(out + at, size - at, "%c", *c);

                if (length < 0 || (size_t)length >= size - at)
                        return false;
                at += (size_t)length;
                c += user ? 1 : 0;
        }
        return true;
}

static void drop_newline(struct ksa_secret *token)
{
        size_t length = ksa_secret_length(token);

        if (length > 0 && ksa_secret_bytes(token)[length - 1] == '\n')
                ksa_secret_cut(token, length - 1);
}

static enum ksa_reason read_for(const struct passwd *user, const char *path,
                                struct ksa_secret **ret_token, struct ksa_error *err)
{
        struct ksa_secret *token = ksa_secret_new(KSA_TOKEN_MAX + 2);
        struct identity identity = {0};
        enum ksa_reason reason = KSA_MEMORY;
        char shown[KSA_VERIFIED_SIZE];

        if (token != NULL && fill_identity(user, &identity))
                reason = read_as(path, &identity, token);
        free(identity.groups);
        if (reason == KSA_OK) {
                drop_newline(token);
                *ret_token = token;
                return KSA_OK;
        }
        ksa_secret_free(&token);
        ksa_error_at(err, path, 0);
        return ksa_fail(err, reason, "%s: %s", ksa_text_quote(path, shown, sizeof(shown)),
                        ksa_reason_text(reason));
}

enum ksa_reason read_token_file(pam_handle_t *pamh, const char *pattern,
                                const struct ksa_attempt *attempt, struct ksa_secret **ret_token,
                                struct ksa_error *err)
{
        const struct passwd *user = invoking_user(pamh, attempt);
        char path[PATH_MAX];

        if (user == NULL)
                return KSA_FILE_MISSING;
        if (strchr(user->pw_name, '/') != NULL ||
            !expand(pattern, user->pw_name, path, sizeof(path)))
                return ksa_fail(err, KSA_TOKEN_FILE_FAILED,
                                "token_file= does not result in a valid path");
        return read_for(user, path, ret_token, err);
}
