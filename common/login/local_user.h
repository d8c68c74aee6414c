/* SPDX-License-Identifier: BSD-2-Clause */
/* The local user of a login: its passwd entry, and its record in the registry. */
#ifndef KSA_LOGIN_LOCAL_USER_H
#define KSA_LOGIN_LOCAL_USER_H

#include <pwd.h>

#include "base/env.h"
#include "config/load.h"
#include "config/rule.h"
#include "registry/registry.h"
#include "token/token.h"

/* Bytes of cluster:namespace/account, with the NUL. */
#define KSA_LOCAL_USER_ACCOUNT_SIZE 400

/* The registry's record of a user. Zeroed: not looked up, or not in the registry. */
struct ksa_managed_user {
        struct ksa_registry registry; /* open unless it does not exist or is damaged */
        const char *broken;           /* why the registry is unusable or lost, static; or NULL */
        bool found;
        struct ksa_account_record record;          /* valid if found */
        char account[KSA_LOCAL_USER_ACCOUNT_SIZE]; /* its account, cluster:namespace/account */
};

struct ksa_local_user {
        bool exists;
        const char *name; /* pw_name, as returned by getpwnam() */
        uid_t uid;
        const char *gecos;
        const struct ksa_managed_user *managed; /* NULL before ksa_local_user_look_up() */
};

/* Converts the result of getpwnam(); USER may be NULL. Borrows its texts. */
struct ksa_local_user ksa_local_user_of(const struct passwd *user);

/*
 * Looks up LOCAL, the passwd entry for the requested name USER, in ENV's registry and sets its
 * record. It is found if name and uid belong to one record. An entry may also come from a cache
 * (nscd) that is older than the registry: then the record of the uid counts, which may be removed
 * or have a new name. An entry of local files is not the registry's if the uid differs, or if the
 * record is removed and the gecos is not from ksa. A removed record is also found if LOCAL does not
 * exist.
 *
 * ret_managed  borrowed by LOCAL; do not move it before ksa_local_user_close()
 */
void ksa_local_user_look_up(const struct ksa_env *env, const char *user,
                            struct ksa_local_user *local, struct ksa_managed_user *ret_managed);
void ksa_local_user_close(struct ksa_managed_user *managed);

/*
 * Returns the account of a managed user as cluster:namespace/account, borrowed from LOCAL. NULL for
 * other users.
 */
const char *ksa_local_user_account(const struct ksa_local_user *local);

/*
 * Checks that a rule with @own can be evaluated. KSA_REGISTRY if the registry is unusable, a rule
 * with @own applies to SERVICE, and the user may be a managed one. Users of /etc/passwd are not
 * affected.
 */
enum ksa_reason ksa_local_user_is_known(const struct ksa_config *config, const char *user,
                                        const char *service, const struct ksa_local_user *local,
                                        struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Whether TOKEN of CLUSTER may log in as the user, after RULE matched. A managed user must be
 * active, and must belong to the token's account, even if the rule names the user.
 *
 * KSA_DISABLED, KSA_RECREATED, KSA_ACCOUNT_UNKNOWN (removed), KSA_OTHER_ACCOUNT
 */
enum ksa_reason ksa_local_user_check(const struct ksa_local_user *local,
                                     const struct ksa_rule *rule, const struct ksa_cluster *cluster,
                                     const struct ksa_token *token,
                                     struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Whether anyone may log in as this user at all, also by other means, such as an SSH key in its
 * home. KSA_OK for users that are not managed.
 *
 * KSA_DISABLED, KSA_ACCOUNT_UNKNOWN (removed), KSA_USER_DIFFERS (another name in the registry),
 * KSA_REGISTRY (unusable or lost, and the user has the gecos of its users)
 */
enum ksa_reason ksa_local_user_stands(const struct ksa_local_user *local,
                                      struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Whether a managed user still exists under this name. KSA_OK for other users.
 *
 * KSA_ACCOUNT_UNKNOWN (removed), KSA_USER_DIFFERS (another name in the registry)
 */
enum ksa_reason ksa_local_user_is_there(const struct ksa_local_user *local,
                                        struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Returns why no @own rule admitted TOKEN's account as this user: KSA_NO_RULE if its managed user
 * is another one, KSA_ACCOUNT_UNKNOWN without a managed user.
 */
enum ksa_reason ksa_local_user_missed(const struct ksa_local_user *local,
                                      const struct ksa_cluster *cluster,
                                      const struct ksa_token *token, struct ksa_error *err);

#endif
