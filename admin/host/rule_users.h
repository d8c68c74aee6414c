/* SPDX-License-Identifier: BSD-2-Clause */
/* The local users that the rules of a service name, as sshd and sudo are told about them. */
#ifndef KSA_HOST_RULE_USERS_H
#define KSA_HOST_RULE_USERS_H

#include "base/error.h"
#include "base/list.h"
#include "config/types.h"

enum ksa_user_form {
        KSA_USER_PATTERNS, /* of sshd_config(5): ci_* for the accounts of a namespace */
        KSA_SUDO_USERS,    /* of sudoers(5): %k8s-ci for these, the group of the namespace */
};

/*
 * The users of the rules that name SERVICE, each once, in the order of the configuration. For
 * "user = @own" these are the names that ksa gives to the accounts of the rule, and those of
 * [account] sections. Namespaces come from [accounts] if the rule names all of them.
 *
 * ret_users  char *, empty if no rule names SERVICE; the caller frees it (ksa_rule_users_free)
 *
 * KSA_CONFIG_INVALID  nothing in the configuration limits the namespaces of a rule
 * KSA_MEMORY, KSA_INTERNAL
 */
enum ksa_reason ksa_rule_users(const struct ksa_config *config, const char *service,
                               enum ksa_user_form form, struct ksa_list *ret_users,
                               struct ksa_error *err) KSA_MUST_CHECK;
/*
 * Adds "!NAME" for each user of the file PASSWD that only a pattern of USERS matches. ksa makes no user whose
 * name that file has, so these are people and programs, who must keep their ways in. A missing file is empty.
 *
 * KSA_FILE_UNREADABLE, KSA_MEMORY
 */
enum ksa_reason ksa_rule_users_except(struct ksa_list *users, const char *passwd,
                                      struct ksa_error *err) KSA_MUST_CHECK;
void ksa_rule_users_free(struct ksa_list *users);

#endif
