/* SPDX-License-Identifier: BSD-2-Clause */
/* The local user of a login: what getpwnam says of it, and for which account the registry has it. */
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

/* What the registry has of a user. Zeroed, nothing is known of any. */
struct ksa_managed_user {
        struct ksa_registry registry; /* open, where there is one */
        const char *broken;           /* why it could not be read, or NULL */
        bool found;
        struct ksa_account_record record; /* where found */
        char account
                [KSA_LOCAL_USER_ACCOUNT_SIZE]; /* and its account, as cluster:namespace/account */
};

struct ksa_local_user {
        bool exists;
        const char *name; /* as getpwnam gives it back */
        uid_t uid;
        const char *gecos;
        const struct ksa_managed_user *own; /* NULL where nobody looked */
};

/* USER as getpwnam returned it, which may be NULL. Borrows its texts. */
struct ksa_local_user ksa_local_user_of(const struct passwd *user);

/*
 * Looks LOCAL, wanted as USER, up in the registry of ENV, and fills its own. The registry has the user if
 * the name and the uid are one record's. The answer of getpwnam may come from a cache (nscd) that is older
 * than the registry. Then the record of the uid decides: one that was removed, or has another name by now.
 * A user of local files is theirs, not the registry's, if its uid is another, or a removed record's without
 * the gecos that ksa gives. A removed user is found, though it does not exist.
 *
 * ret_own  must stay where it is until ksa_local_user_close()
 */
void ksa_local_user_look_up(const struct ksa_env *env, const char *user,
                            struct ksa_local_user *local, struct ksa_managed_user *ret_own);
void ksa_local_user_close(struct ksa_managed_user *own);

/* cluster:namespace/account that the user was made for, borrowed from its own; NULL for anybody else. */
const char *ksa_local_user_account(const struct ksa_local_user *local);

/*
 * Whether it can be said at all if this user is the registry's: KSA_REGISTRY where the registry is
 * damaged and the user may be one of its own. People of /etc/passwd never are.
 */
enum ksa_reason ksa_local_user_is_known(const struct ksa_config *config, const char *user,
                                        const char *service, const struct ksa_local_user *local,
                                        struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Whether a TOKEN of CLUSTER may log in as the user, by a RULE that matched. A user of the registry must
 * be active, and the token must be of the account that the user was made for, however the rule names
 * the user.
 *
 * KSA_DISABLED, KSA_RECREATED, KSA_ACCOUNT_UNKNOWN (it was removed), KSA_OTHER_ACCOUNT
 */
enum ksa_reason ksa_local_user_check(const struct ksa_local_user *local,
                                     const struct ksa_rule *rule, const struct ksa_cluster *cluster,
                                     const struct ksa_token *token,
                                     struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Whether anybody may come in as this user at all, by whatever way: by a key that lies in its home,
 * too. KSA_OK of a user that is not the registry's.
 *
 * KSA_DISABLED, KSA_ACCOUNT_UNKNOWN (it was removed), KSA_USER_DIFFERS (the
 * registry has another name for it)
 */
enum ksa_reason ksa_local_user_stands(const struct ksa_local_user *local,
                                      struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Whether the user exists under this name, as far as the registry has it.
 *
 * KSA_ACCOUNT_UNKNOWN (it was removed), KSA_USER_DIFFERS (the registry has another name for it)
 */
enum ksa_reason ksa_local_user_is_there(const struct ksa_local_user *local,
                                        struct ksa_error *err) KSA_MUST_CHECK;

/*
 * Why an account that rules with @own cover became nobody: KSA_ACCOUNT_UNKNOWN, or KSA_NO_RULE
 * where another user is its own.
 */
enum ksa_reason ksa_local_user_missed(const struct ksa_local_user *local,
                                      const struct ksa_cluster *cluster,
                                      const struct ksa_token *token, struct ksa_error *err);

#endif
