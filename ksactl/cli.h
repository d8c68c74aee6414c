/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the commands of ksactl: the host and its configuration, clusters, files. */
#ifndef KSACTL_CLI_H
#define KSACTL_CLI_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/secret.h"
#include "config/types.h"
#include "login/host_env.h"
#include "command.h"

/* Exit statuses. */
enum {
        EXIT_GOOD = 0,
        EXIT_DENIED = 1,  /* or warnings */
        EXIT_BROKEN = 2,  /* usage, or the command could not be carried out */
        EXIT_UNKNOWN = 3, /* of status, whose 2 is an answer */
};

/* This host and its configuration, while a command runs. */
struct session {
        struct ksa_host_env host;
        struct ksa_config *config;
        char *path; /* of the configuration, if it was made absolute */
};

/* Opens a session. False, with a message on standard error. Always close_session() it. */
bool open_session(struct session *session, const char *config_file);
void close_session(struct session *session);

/* Reads the clocks again, and takes a new reference and a new deadline for the next requests. */
void renew_session(struct session *session);

/* False, with a message on standard error, without root. */
bool is_root(const char *command);

/* The cluster of that name; NULL, with a message on standard error. */
const struct ksa_cluster *find_cluster(const struct ksa_config *config, const char *name);

/* The clusters that a command is for: those that it names, up to the first NULL, or all. */
struct selection {
        const char *const *names;
        bool all;
};

/* Whether COMMAND was given either names or --all, and whether each name is configured. Messages as above. */
bool read_selection(const struct args *arguments, const char *command,
                    struct selection *ret_selection);
bool is_selection_known(const struct selection *selection, const struct ksa_config *config);
bool is_selected(const struct selection *selection, const struct ksa_cluster *cluster);

/*
 * A part of CLUSTER, owned by the caller; NULL if the cluster does not have it. *RET_GOOD is true; set it to
 * false for the exit status EXIT_DENIED.
 */
typedef json_t *show_function(const struct ksa_cluster *cluster, const struct ksa_env *env,
                              bool *ret_good);
typedef void print_function(const json_t *shown, int64_t now);

/*
 * A command with the arguments [CLUSTER] [--config FILE] [--json]: shows that cluster or all, with PRINT or
 * as a JSON array, the MEMBER of the answer. Prints NOTHING, unless it is NULL, if no cluster has
 * anything to show.
 */
int show_clusters(const struct args *arguments, const char *member, show_function *show,
                  print_function *print, const char *nothing);

/* PATH as an absolute path, allocated; NULL, with a message on standard error. */
char *make_absolute(const char *path);

/* The environment of this host. CONFIG_FILE, unless NULL, replaces the default configuration. */
bool fill_host(struct ksa_host_env *ret_host, const char *config_file, char **ret_path);

/*
 * A file that an administrator names, "-" for standard input: at most MAX bytes and one more, which shows the
 * caller that the file is longer. NULL, with a message on standard error. Owned by the caller
 * (ksa_secret_free).
 */
struct ksa_secret *read_secret(const char *path, size_t max);

/*
 * A token in a file that an administrator names, "-" for standard input, without its final newline. NULL,
 * with a message on standard error. Owned by the caller (ksa_secret_free).
 */
struct ksa_secret *read_token(const char *path);

#endif
