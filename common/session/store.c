/* SPDX-License-Identifier: BSD-2-Clause */
#include "session/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "token/claims.h"
#include "token/token.h"

/* linux/magic.h, which not every C library's headers include */
#define TMPFS_MAGIC 0x01021994u
#define RAMFS_MAGIC 0x858458f6u

#define FILE_MAX  (KSA_RECORD_HEAD_MAX + KSA_TOKEN_MAX + 16)
#define NAME_SIZE 64

void ksa_session_clear(struct ksa_session *session)
{
        ksa_secret_free(&session->token);
        memset(session, 0, sizeof(*session));
}

/* --- Names -------------------------------------------------------------------- */

/* Writes DIRECTORY or DIRECTORY/NAME. False if it does not fit. */
static bool path_of(const struct ksa_env *env, const char *name, char out[PATH_MAX])
{
        int length = snprintf(out, PATH_MAX, "%s/sessions%s%s", env->run_dir,
                              name != NULL ? "/" : "", name != NULL ? name : "");

        return env->run_dir != NULL && length > 0 && length < PATH_MAX;
}

static void name_of_session(uint64_t audit, char out[NAME_SIZE])
{
        (void)snprintf(out, NAME_SIZE, "%llu", (unsigned long long)audit);
}

/* HANDLE comes from the PAM environment, which the user may have set. */
static bool name_of_pending(const char *handle, char out[NAME_SIZE])
{
        if (strlen(handle) != KSA_HANDLE_SIZE - 1 ||
            strspn(handle, "0123456789abcdef") != KSA_HANDLE_SIZE - 1)
                return false;
        (void)snprintf(out, NAME_SIZE, "pending-%s", handle);
        return true;
}

/* --- Reading ------------------------------------------------------------------ */

/*
 * Fills RET_SESSION from the file NAME. KSA_NO_SESSION_RECORD if it is missing or not a record;
 * KSA_MEMORY if there is one, but no memory to read it.
 */
static enum ksa_reason read_session(const struct ksa_env *env, const char *name,
                                    struct ksa_session *ret_session)
{
        enum ksa_reason reason = KSA_NO_SESSION_RECORD;
        struct ksa_secret *file = NULL;
        struct ksa_record_text text;
        char path[PATH_MAX];

        if (!path_of(env, name, path))
                return reason;
        enum ksa_reason found = ksa_file_read_secret(path, env->owner, FILE_MAX, &file, NULL);
        if (found != KSA_OK)
                return found == KSA_MEMORY ? found : reason;
        if (ksa_record_parse(ksa_secret_bytes(file), ksa_secret_length(file), &text)) {
                *ret_session = (struct ksa_session){.record = text.record,
                                                    .head_length = text.head_length};
                reason = KSA_OK;
                if (text.token != NULL) {
                        ret_session->token = ksa_secret_new(text.token_length);
                        if (ret_session->token == NULL ||
                            !ksa_secret_append(ret_session->token, text.token, text.token_length))
                                reason = KSA_MEMORY;
                }
        }
        ksa_secret_free(&file);
        return reason;
}

/* --- Writing ------------------------------------------------------------------ */

/* Opens the directory, which was checked; a negative number on failure. The caller closes it. */
static int open_directory(const struct ksa_env *env)
{
        struct ksa_path walk;
        char path[PATH_MAX];
        int directory = -1;

        if (!path_of(env, NULL, path))
                return -1;
        if (ksa_path_to(&walk, path, "/.", env->owner, NULL) == KSA_OK) {
                directory = walk.directory;
                walk.directory = -1;
        }
        ksa_path_end(&walk);
        return directory;
}

static void make_directory(const struct ksa_env *env)
{
        struct ksa_path walk;
        char path[PATH_MAX];

        if (!path_of(env, NULL, path))
                return;
        if (ksa_path_to(&walk, path, "", env->owner, NULL) == KSA_OK)
                (void)mkdirat(walk.directory, ksa_path_last(&walk), S_IRWXU);
        ksa_path_end(&walk);
}

static bool is_in_memory(int directory)
{
        struct statfs status;

        return fstatfs(directory, &status) == 0 &&
               ((uint32_t)status.f_type == TMPFS_MAGIC || (uint32_t)status.f_type == RAMFS_MAGIC);
}

static bool write_all(int fd, const struct ksa_secret *text)
{
        const char *at = ksa_secret_bytes(text);
        size_t length = ksa_secret_length(text);

        while (length > 0) {
                ssize_t put = write(fd, at, length);

                if (put < 0 && errno == EINTR)
                        continue;
                if (put <= 0)
                        return false;
                at += put;
                length -= (size_t)put;
        }
        return true;
}

/*
 * Creates NAME, which must not exist, with RECORD and TOKEN. The file has no name until it is whole,
 * so no process reads a part of it, and nothing is left if this process is killed.
 */
static const char *create(int directory, const char *name, const struct ksa_record *record,
                          const struct ksa_secret *token)
{
        struct ksa_secret *text = ksa_record_format(record, token);
        char path[64];

        if (text == NULL)
                return "its user or address cannot be recorded, or memory ran out";
        int fd = openat(directory, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, S_IRUSR | S_IWUSR);
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        bool created = fd >= 0 && write_all(fd, text) &&
                       linkat(AT_FDCWD, path, directory, name, AT_SYMLINK_FOLLOW) == 0;
        bool exists = !created && errno == EEXIST;
        if (fd >= 0)
                (void)close(fd);
        ksa_secret_free(&text);
        if (exists)
                return "its audit session id has a record already";
        return created ? NULL : "its record could not be written to the directory in /run/ksa";
}

/* Cuts the token off the record NAME. */
static void cut_token(int directory, const char *name, const struct ksa_session *session)
{
        int fd = openat(directory, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
                return;
        /* If this fails, the record is still dead for everybody: its sshd ends. */
        (void)!ftruncate(fd, (off_t)session->head_length);
        (void)close(fd);
}

/* --- The life of a record ----------------------------------------------------- */

static bool random_handle(char out[KSA_HANDLE_SIZE], size_t *ret_number)
{
        unsigned char random[16];

        if (getrandom(random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
                return false;
        for (size_t i = 0; i < sizeof(random); i++)
                (void)snprintf(out + 2 * i, 3, "%02x", random[i]);
        memcpy(ret_number, random, sizeof(*ret_number));
        return true;
}

const char *ksa_session_keep(const struct ksa_env *env, const struct ksa_tie *tie,
                             const struct ksa_record *record, const struct ksa_secret *token,
                             char ret_handle[KSA_HANDLE_SIZE])
{
        struct ksa_record pending = *record;
        char name[NAME_SIZE];
        size_t number;

        pending.pid_namespace = tie->pid_namespace;
        pending.login = tie->self;
        /* With the password method this is sshd's process itself, and its parent the listener. */
        pending.sshd = tie->leads ? tie->self : tie->parent;
        pending.audit = pending.keyring = 0;
        if (pending.pid_namespace == 0 || pending.sshd.pid == 0)
                return "/proc does not show sshd's processes";
        if (!random_handle(ret_handle, &number) || !name_of_pending(ret_handle, name))
                return "no random number for its handle";
        make_directory(env);
        ksa_session_sweep(env, tie, number);
        int directory = open_directory(env);
        if (directory < 0)
                return "the directory sessions in /run/ksa is missing or unsafe";
        const char *why = is_in_memory(directory)
                                  ? create(directory, name, &pending, token)
                                  : "/run/ksa is not on tmpfs or ramfs, so no token is kept there";
        (void)close(directory);
        return why;
}

void ksa_session_drop(const struct ksa_env *env, const struct ksa_tie *tie, const char *handle)
{
        struct ksa_session session = {.token = NULL};
        char name[NAME_SIZE];
        int directory = -1;

        if (name_of_pending(handle, name) && read_session(env, name, &session) == KSA_OK &&
            ksa_tie_is_own(tie, &session.record))
                directory = open_directory(env);
        if (directory >= 0) {
                (void)unlinkat(directory, name, 0);
                (void)close(directory);
        }
        ksa_session_clear(&session);
}

const char *ksa_session_open(const struct ksa_env *env, const struct ksa_tie *tie,
                             const char *handle, const char *user, uint64_t uid,
                             struct ksa_record *ret_record)
{
        struct ksa_session session = {.token = NULL};
        char pending[NAME_SIZE], name[NAME_SIZE];
        const char *why = "its pending record is missing";

        memset(ret_record, 0, sizeof(*ret_record));
        if (name_of_pending(handle, pending) && read_session(env, pending, &session) == KSA_OK &&
            session.token != NULL) {
                if (ksa_tie_is_own(tie, &session.record))
                        *ret_record = session.record;
                why = ksa_tie_bind(tie, &session.record, user, uid, ret_record);
        }
        if (why == NULL) {
                int directory = open_directory(env);

                name_of_session(ret_record->audit, name);
                why = directory < 0 ? "the directory sessions in /run/ksa is missing or unsafe"
                                    : create(directory, name, ret_record, session.token);
                if (directory >= 0)
                        (void)close(directory);
        }
        ksa_session_clear(&session);
        ksa_session_drop(env, tie, handle);
        return why;
}

void ksa_session_close(const struct ksa_env *env, const struct ksa_tie *tie)
{
        struct ksa_session session = {.token = NULL};
        char name[NAME_SIZE];
        int directory = -1;

        name_of_session(tie->audit, name);
        if (tie->audit != 0 && read_session(env, name, &session) == KSA_OK &&
            session.token != NULL && session.record.pid_namespace == tie->pid_namespace &&
            ksa_tie_same(&session.record.sshd, &tie->self))
                directory = open_directory(env);
        if (directory >= 0) {
                cut_token(directory, name, &session);
                (void)close(directory);
        }
        ksa_session_clear(&session);
}

enum ksa_reason ksa_session_find(const struct ksa_env *env, const struct ksa_tie *tie,
                                 const char *user, uint64_t uid, struct ksa_session *ret_session,
                                 struct ksa_error *err)
{
        char name[NAME_SIZE];

        memset(ret_session, 0, sizeof(*ret_session));
        name_of_session(tie->audit, name);
        enum ksa_reason found = tie->audit != 0 ? read_session(env, name, ret_session) : KSA_OK;
        if (found == KSA_MEMORY)
                return ksa_fail(err, found, "out of memory");
        if (found != KSA_OK)
                return ksa_fail(err, KSA_NO_SESSION_RECORD,
                                "audit session %s was not opened by a token, or has no record",
                                name);
        return ksa_tie_check(tie, &ret_session->record, user, uid,
                             ret_session->token != NULL &&
                                     ksa_tie_lives(env->proc_dir, &ret_session->record.sshd),
                             err);
}

/* --- The sweep ---------------------------------------------------------------- */

struct sweep {
        const struct ksa_env *env;
        const struct ksa_tie *tie;
        int directory;
        size_t count;
        uint64_t ended[KSA_SWEEP_MAX]; /* audit session ids of marks */
        bool used[KSA_SWEEP_MAX];      /* a process has the id */
};

static void sweep_pending(const struct sweep *sweep, const char *name,
                          const struct ksa_record *record)
{
        const char *proc = sweep->env->proc_dir;
        bool expired = sweep->env->now > (int64_t)record->expires + KSA_LEEWAY;

        /*
         * With keyboard-interactive the process of the auth phase ends before the session opens. An
         * sshd that started no process session, such as sshd -d, may have named its listener.
         */
        if (expired ||
            (!ksa_tie_lives(proc, &record->login) && !ksa_tie_lives(proc, &record->sshd)))
                (void)unlinkat(sweep->directory, name, 0);
}

static void sweep_file(struct sweep *sweep, const char *name)
{
        struct ksa_session session = {.token = NULL};
        const struct ksa_record *record = &session.record;

        if (read_session(sweep->env, name, &session) == KSA_OK &&
            record->pid_namespace == sweep->tie->pid_namespace) {
                bool lives = ksa_tie_lives(sweep->env->proc_dir, &record->sshd);

                if (record->audit == 0)
                        sweep_pending(sweep, name, record);
                else if (session.token != NULL && !lives)
                        cut_token(sweep->directory, name, &session);
                if (record->audit != 0 && (session.token == NULL || !lives))
                        sweep->ended[sweep->count++] = record->audit;
        }
        ksa_session_clear(&session);
}

/* Notes which of the ended sessions have a process. False if /proc cannot be read. */
static bool find_processes(struct sweep *sweep)
{
        DIR *proc = opendir(sweep->env->proc_dir);
        const struct dirent *entry;
        uint64_t audit;

        if (proc == NULL)
                return false;
        while ((entry = readdir(proc)) != NULL) {
                if (entry->d_name[0] < '0' || entry->d_name[0] > '9' ||
                    !ksa_tie_audit_of(sweep->env->proc_dir, entry->d_name, &audit))
                        continue;
                for (size_t i = 0; i < sweep->count; i++)
                        sweep->used[i] = sweep->used[i] || sweep->ended[i] == audit;
        }
        (void)closedir(proc);
        return true;
}

static void sweep_files(struct sweep *sweep, DIR *files, size_t start)
{
        size_t total = 0, position = 0;
        const struct dirent *entry;

        while ((entry = readdir(files)) != NULL)
                total += entry->d_name[0] != '.';
        if (total == 0)
                return;
        start %= total;
        rewinddir(files);
        while ((entry = readdir(files)) != NULL) {
                if (entry->d_name[0] == '.')
                        continue;
                /* The files from START on, and around the end. */
                if ((position + total - start) % total < KSA_SWEEP_MAX &&
                    sweep->count < KSA_SWEEP_MAX)
                        sweep_file(sweep, entry->d_name);
                position++;
        }
}

void ksa_session_sweep(const struct ksa_env *env, const struct ksa_tie *tie, size_t start)
{
        struct sweep sweep = {.env = env, .tie = tie, .directory = open_directory(env)};
        char name[NAME_SIZE];

        if (sweep.directory < 0)
                return;
        int list = openat(sweep.directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *files = list < 0 ? NULL : fdopendir(list);
        if (files != NULL && tie->pid_namespace != 0)
                sweep_files(&sweep, files, start);
        if (files != NULL)
                (void)closedir(files);
        else if (list >= 0)
                (void)close(list);
        /* Twice, because a process that starts others can be missed once. */
        if (sweep.count > 0 && find_processes(&sweep) && find_processes(&sweep)) {
                for (size_t i = 0; i < sweep.count; i++) {
                        name_of_session(sweep.ended[i], name);
                        if (!sweep.used[i])
                                (void)unlinkat(sweep.directory, name, 0);
                }
        }
        (void)close(sweep.directory);
}
