/* SPDX-License-Identifier: BSD-2-Clause */
#include "login/local_user.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "config/value.h"
#include "login/account_state.h"

struct ksa_local_user ksa_local_user_of(const struct passwd *user)
{
        if (user == NULL)
                return (struct ksa_local_user){.exists = false};
        return (struct ksa_local_user){.exists = true,
                                       .name = user->pw_name,
                                       .uid = user->pw_uid,
                                       .gecos = user->pw_gecos};
}

/*
 * Whether LOCAL is ksa's own answer for RECORD, possibly an old one: the gecos matches. The uid
 * already does.
 */
static bool is_of_nss(const struct ksa_account_record *record, const struct ksa_local_user *local)
{
        char gecos[KSA_LOCAL_USER_ACCOUNT_SIZE];
        int length = snprintf(gecos, sizeof(gecos), "%s/%s/%s", record->cluster, record->namespace,
                              record->account);

        return local->gecos != NULL && length > 0 && (size_t)length < sizeof(gecos) &&
               strcmp(local->gecos, gecos) == 0;
}

static bool is_record_of(const struct ksa_account_record *record, const char *user,
                         const struct ksa_local_user *local)
{
        if (!local->exists)
                return record->state == KSA_ACCOUNT_REMOVED;
        if (record->uid != local->uid)
                return false;
        if (strcmp(record->name, user) == 0 && record->state != KSA_ACCOUNT_REMOVED)
                return true;
        return is_of_nss(record, local);
}

/* Looks up by name, then by uid: a cached user may have a name that another account has now. */
static enum ksa_registry_answer find(const struct ksa_registry *registry, const char *user,
                                     const struct ksa_local_user *local,
                                     struct ksa_account_record *ret_record)
{
        struct ksa_account_record record;
        enum ksa_registry_answer answer = ksa_registry_by_name(registry, user, &record);

        if (local->exists &&
            (answer == KSA_REGISTRY_NOT_FOUND ||
             (answer == KSA_REGISTRY_FOUND && !is_record_of(&record, user, local))))
                answer = ksa_registry_by_uid(registry, local->uid, &record);
        if (answer == KSA_REGISTRY_FOUND && !is_record_of(&record, user, local))
                answer = KSA_REGISTRY_NOT_FOUND;
        if (answer == KSA_REGISTRY_FOUND)
                *ret_record = record;
        return answer;
}

/* Whether this host has had a registry, or that is not known. */
static bool has_mark(const char *registry_file)
{
        char path[PATH_MAX];
        struct stat status;
        int length = snprintf(path, sizeof(path), "%s" KSA_REGISTRY_MARK, registry_file);

        return length < 0 || (size_t)length >= sizeof(path) || lstat(path, &status) == 0 ||
               (errno != ENOENT && errno != ENOTDIR);
}

void ksa_local_user_look_up(const struct ksa_env *env, const char *user,
                            struct ksa_local_user *local, struct ksa_managed_user *ret_managed)
{
        struct ksa_account_record *record = &ret_managed->record;
        enum ksa_registry_answer answer = KSA_REGISTRY_NOT_FOUND;

        memset(ret_managed, 0, sizeof(*ret_managed));
        local->managed = ret_managed;
        if (env->registry_file != NULL)
                answer = ksa_registry_open(env->registry_file, env->owner, &ret_managed->registry,
                                           &ret_managed->broken);
        if (env->registry_file != NULL && answer == KSA_REGISTRY_NOT_FOUND &&
            has_mark(env->registry_file))
                ret_managed->broken = "it is missing, but this host has had one";
        if (answer == KSA_REGISTRY_FOUND)
                answer = find(&ret_managed->registry, user, local, record);
        if (answer == KSA_REGISTRY_BROKEN && ret_managed->broken == NULL)
                ret_managed->broken = "a record is damaged";
        if (answer != KSA_REGISTRY_FOUND)
                return;
        int length = snprintf(ret_managed->account, sizeof(ret_managed->account), "%s:%s/%s",
                              record->cluster, record->namespace, record->account);
        if (length < 0 || (size_t)length >= sizeof(ret_managed->account)) {
                ret_managed->broken = "the name of an account is too long";
                return;
        }
        ret_managed->found = true;
}

void ksa_local_user_close(struct ksa_managed_user *managed)
{
        ksa_registry_close(&managed->registry);
        memset(managed, 0, sizeof(*managed));
}

const char *ksa_local_user_account(const struct ksa_local_user *local)
{
        return local->managed != NULL && local->managed->found ? local->managed->account : NULL;
}

/* Whether the gecos is CLUSTER/NAMESPACE/ACCOUNT, as from ksa's NSS module. Others may have slashes too. */
static bool has_our_gecos(const struct ksa_local_user *local)
{
        char cluster[KSA_LOCAL_USER_ACCOUNT_SIZE], *namespace, *account;
        size_t length = local->gecos == NULL ? 0 : strlen(local->gecos);

        if (length == 0 || length >= sizeof(cluster))
                return false;
        memcpy(cluster, local->gecos, length + 1);
        namespace = strchr(cluster, '/');
        account = namespace == NULL ? NULL : strchr(namespace + 1, '/');
        if (account == NULL)
                return false;
        *namespace = *account = '\0';
        return ksa_is_section_name(cluster) && ksa_is_dns_label(namespace + 1) &&
               ksa_is_dns_subdomain(account + 1);
}

static enum ksa_reason unusable(const struct ksa_managed_user *managed, struct ksa_error *err)
{
        return ksa_fail(err, KSA_REGISTRY, "the registry of local accounts cannot be used: %s",
                        managed->broken);
}

/* Whether the user could be in the registry, if that cannot be read. */
static bool may_be_managed(const struct ksa_config *config, const char *user,
                           const struct ksa_local_user *local)
{
        return !local->exists || has_our_gecos(local) || ksa_config_account(config, user) != NULL;
}

enum ksa_reason ksa_local_user_is_known(const struct ksa_config *config, const char *user,
                                        const char *service, const struct ksa_local_user *local,
                                        struct ksa_error *err)
{
        static const char any[] = "any:any/any";

        if (local->managed == NULL || local->managed->broken == NULL ||
            !may_be_managed(config, user, local) || !ksa_rule_names(config, user, any, service))
                return KSA_OK;
        return unusable(local->managed, err);
}

static enum ksa_reason recreated(const struct ksa_account_record *record,
                                 const struct ksa_token *token, struct ksa_error *err)
{
        char before[KSA_UNVERIFIED_SIZE], now[KSA_UNVERIFIED_SIZE];

        (void)ksa_text_quote(record->account_uid, before, sizeof(before));
        (void)ksa_text_quote(token->account_uid, now, sizeof(now));
        /* ksa.conf declares the uid, so `ksactl accounts enable` cannot change it. */
        if ((record->flags & KSA_ACCOUNT_DECLARED) != 0)
                return ksa_fail(err, KSA_RECREATED,
                                "'%s' belongs to the account with uid %s; for that of the token: "
                                "account_uid = %s in [account %s], then ksactl accounts sync",
                                record->name, before, now, record->name);
        return ksa_fail(
                err, KSA_RECREATED,
                "'%s' belongs to the account with uid %s, and not to the one that was made since "
                "(the token's uid: %s)",
                record->name, before, now);
}

static enum ksa_reason check_state(const struct ksa_account_record *record, struct ksa_error *err)
{
        char reasons[KSA_DISABLED_TEXT];

        switch (record->state) {
        case KSA_ACCOUNT_ACTIVE:
                return KSA_OK;
        case KSA_ACCOUNT_DISABLED:
                return ksa_fail(err, KSA_DISABLED, "\"%s\" is disabled: %s", record->name,
                                ksa_disabled_text(record->reasons, reasons));
        case KSA_ACCOUNT_REMOVED:
        case KSA_ACCOUNT_STATE_COUNT:
        default:
                return ksa_fail(err, KSA_ACCOUNT_UNKNOWN,
                                "'%s' was removed: no source has its account any more",
                                record->name);
        }
}

static bool is_account_of(const struct ksa_account_record *record,
                          const struct ksa_cluster *cluster, const struct ksa_token *token)
{
        return strcmp(record->cluster, cluster->name) == 0 &&
               strcmp(record->namespace, token->namespace) == 0 &&
               strcmp(record->account, token->account) == 0;
}

enum ksa_reason ksa_local_user_check(const struct ksa_local_user *local,
                                     const struct ksa_rule *rule, const struct ksa_cluster *cluster,
                                     const struct ksa_token *token, struct ksa_error *err)
{
        const struct ksa_managed_user *managed = local->managed;
        bool named = local->exists && ksa_list_has(&rule->user, local->name);

        if (managed == NULL || !managed->found)
                return named || !ksa_list_has(&rule->user, "@own")
                               ? KSA_OK
                               : ksa_fail(err, KSA_ACCOUNT_UNKNOWN, "not a user that ksa manages");
        const struct ksa_account_record *record = &managed->record;
        enum ksa_reason reason = check_state(record, err);
        if (reason != KSA_OK)
                return reason;
        if (!is_account_of(record, cluster, token))
                return ksa_fail(err, KSA_OTHER_ACCOUNT, "'%s' is the user of %s, not of %s:%s/%s",
                                record->name, managed->account, cluster->name, token->namespace,
                                token->account);
        /* A rule may name a user of [account] even if that section has no account_uid. */
        if (named && record->account_uid[0] == '\0')
                return KSA_OK;
        if (record->account_uid[0] == '\0')
                return ksa_fail(err, KSA_RECREATED,
                                "the account uid of '%s' is unknown: write account_uid in "
                                "[account %s]",
                                record->name, record->name);
        if (strcmp(record->account_uid, token->account_uid) != 0)
                return recreated(record, token, err);
        return KSA_OK;
}

enum ksa_reason ksa_local_user_stands(const struct ksa_local_user *local, struct ksa_error *err)
{
        const struct ksa_managed_user *managed = local->managed;

        /* A cache (nscd) still finds the users of a lost registry; which of them may log in is unknown. */
        if (managed != NULL && managed->broken != NULL && has_our_gecos(local))
                return unusable(managed, err);
        if (managed == NULL || !managed->found)
                return KSA_OK;
        enum ksa_reason reason = check_state(&managed->record, err);
        return reason == KSA_OK ? ksa_local_user_is_there(local, err) : reason;
}

enum ksa_reason ksa_local_user_is_there(const struct ksa_local_user *local, struct ksa_error *err)
{
        char name[KSA_UNVERIFIED_SIZE];

        if (local->managed == NULL || !local->managed->found)
                return KSA_OK;
        const struct ksa_account_record *record = &local->managed->record;
        if (record->state == KSA_ACCOUNT_REMOVED)
                return check_state(record, err);
        if (local->exists && strcmp(record->name, local->name) != 0)
                return ksa_fail(err, KSA_USER_DIFFERS, "the user of %s is '%s' now, not '%s'",
                                local->managed->account, record->name,
                                ksa_text_quote(local->name, name, sizeof(name)));
        return KSA_OK;
}

enum ksa_reason ksa_local_user_missed(const struct ksa_local_user *local,
                                      const struct ksa_cluster *cluster,
                                      const struct ksa_token *token, struct ksa_error *err)
{
        struct ksa_account_record record;
        enum ksa_registry_answer answer =
                local->managed == NULL || local->managed->registry.bytes == NULL
                        ? KSA_REGISTRY_NOT_FOUND
                        : ksa_registry_by_account(&local->managed->registry, cluster->name,
                                                  token->namespace, token->account, &record);

        if (answer == KSA_REGISTRY_FOUND && record.state != KSA_ACCOUNT_REMOVED)
                return ksa_fail(err, KSA_NO_RULE,
                                "no rule lets %s:%s/%s become that user: its own is '%s'",
                                cluster->name, token->namespace, token->account, record.name);
        return ksa_fail(err, KSA_ACCOUNT_UNKNOWN, "no local user was made for %s:%s/%s",
                        cluster->name, token->namespace, token->account);
}
