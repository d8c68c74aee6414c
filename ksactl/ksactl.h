/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the commands of ksactl share. */
#ifndef KSACTL_H
#define KSACTL_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/secret.h"
#include "config/types.h"
#include "login/host_env.h"

/* Exit statuses. */
enum {
        EXIT_GOOD = 0,
        EXIT_DENIED = 1,  /* or warnings */
        EXIT_BROKEN = 2,  /* usage, or the question could not be asked */
        EXIT_UNKNOWN = 3, /* of status, whose 2 is an answer: the question could not be asked */
};

/* The words after the command. Each command takes --NAME VALUE, --NAME, and plain words. */
struct args {
        int count;
        char **args;
};

/* A word of the command line: where its value goes. */
struct flag {
        const char *name;   /* "--json" */
        const char **value; /* NULL for a flag without a value */
        bool *given;        /* NULL for a flag with one */
};

/*
 * Reads flags up to COUNT plain words, which go to WORDS. False, with a message on
 * standard error, for anything else.
 */
bool read_flags(const struct args *arguments, const struct flag *flags, size_t flag_count,
                const char **args, size_t count);

/* This host and its configuration, while a command runs. */
struct session {
        struct ksa_host_env host;
        struct ksa_config *config;
        char *path; /* of the configuration, where it had to be made absolute */
};

/* Fills *SESSION, or tells on standard error why not; always close_session() it. */
bool open_session(struct session *session, const char *config_file);
void close_session(struct session *session);

/* A new reading of the clocks, a new reference, and a new deadline for the next questions. */
void renew_session(struct session *session);

/*
 * The uid of NAME, the user that a service runs as. A process of root becomes that user for good, so that
 * from then on it can read the files that the service can read and no others. False, with a message on
 * standard error.
 */
bool become_service_user(const char *name, uid_t *ret_uid);

/* Tells on standard error and returns false where this is not root. */
bool is_root(const char *command);

/* The second word of a command that has several. */
struct subcommand {
        const char *name;
        int (*run)(const struct args *arguments);
};
int run_subcommand(const char *command, const struct subcommand *subcommands, size_t count,
                   const struct args *arguments);

/* PATH from the root, allocated; NULL, with a message on standard error. */
char *make_absolute(const char *path);

/* A host's environment with --config, made absolute, in place of the default. */
bool fill_host(struct ksa_host_env *ret_host, const char *config_file, char **ret_path);

/* Opens a file that an administrator names, "-" for standard input: a message, if that is a terminal. */
int open_input(const char *path);

/*
 * A file that an administrator names, "-" for standard input: at most MAX bytes and one more, by which the
 * caller knows that it is longer. NULL, with a message on standard error. Owned by the caller
 * (ksa_secret_free).
 */
struct ksa_secret *read_secret(const char *path, size_t max);

/*
 * A token in a file that an administrator names, "-" for standard input, without its final newline. NULL,
 * with a message on standard error. Owned by the caller (ksa_secret_free).
 */
struct ksa_secret *read_token(const char *path);

/*
 * A file of at most MAX bytes that an administrator names, "-" for standard input, and that is no
 * secret. False, with a message on standard error. *RET_BYTES is owned by the caller (free).
 */
bool read_input(const char *path, size_t max, char **ret_bytes, size_t *ret_length);

/* Writes VALUE and a newline to standard output, and frees it. False when that fails. */
bool print_json(json_t *value);

/* "file:line: text" to standard error, as far as they are known. */
void print_error(const struct ksa_error *error);

/* The configuration; false after a message with a remedy, and *ret is NULL then. */
bool load_configuration(const struct ksa_env *env, struct ksa_config **ret);

/*
 * One line of key=value, as the module has them: to the log, and to standard error unless QUIET or that is
 * the journal, which has the line already. The log is that of logins (LOG_AUTHPRIV): what becomes of keys and
 * credentials decides who may log in.
 * A longer line loses its end: callers compare the sizes of their parts with LOG_LINE_SIZE, and count
 * LOG_FIXED_SIZE for the words between them and numbers.
 */
#define LOG_LINE_SIZE  2560
#define LOG_FIXED_SIZE 160
void log_line(bool quiet, int priority, const char *format, ...) KSA_PRINTF(3, 4);

/*
 * What helps where asking CLUSTER ended in ERROR: for a credential that is of no use
 * the command that makes one, else what the reason says.
 */
#define REMEDY_SIZE (KSA_REMEDY_MAX + 1)
#define GIVE_TOKEN \
        "pipe kubectl create token host-verifier -n ksa-system into ksactl credential init CLUSTER"
const char *remedy_for(const struct ksa_cluster *cluster, const struct ksa_error *error,
                       char out[REMEDY_SIZE]);

/* The same for what failed, with its reason and REMEDY; WHAT begins the line behind the reason. */
void log_failure(bool quiet, const char *what, const struct ksa_error *error, const char *remedy);

/* The same for what failed with CLUSTER. */
void log_cluster_failure(bool quiet, const struct ksa_cluster *cluster,
                         const struct ksa_error *error);

/* SECONDS since 1970 as "2026-11-24 09:30:00 UTC". */
#define MOMENT_SIZE 40
const char *moment(int64_t seconds, char out[MOMENT_SIZE]);

/* A certificate as it may be told. */
struct certificate {
        char subject[512]; /* as RFC 2253 has it, quoted for a log */
        int64_t from, until;
        bool has_private_key; /* in the file */
};

/* The first certificate in a file. False, with the fault in ERR. */
bool read_certificate(const char *path, const struct ksa_env *env,
                      struct certificate *ret_certificate, struct ksa_error *err);

/*
 * The credential of CLUSTER: cluster, file, account, audiences, issued, expires, due, problem. NULL where
 * it has none. The caller frees it (json_decref).
 *
 * ret_reason  KSA_OK; KSA_EXPIRED; KSA_NOT_A_TOKEN for one of which nobody here knows its end; or that
 *             of its file
 */
json_t *show_credential(const struct ksa_cluster *cluster, const struct ksa_env *env,
                        enum ksa_reason *ret_reason);

/* Commands of `ksactl keys` and `ksactl credential` in files of their own. */
int credential_show(const struct args *arguments);
int keys_convert(const struct args *arguments);
int keys_refresh(const struct args *arguments);
int keys_purge(const struct args *arguments);

int command_accounts(const struct args *arguments);
int command_check(const struct args *arguments);
int command_credential(const struct args *arguments);
int command_explain(const struct args *arguments);
int command_keys(const struct args *arguments);
int command_options(const struct args *arguments);
int command_status(const struct args *arguments);

#endif
