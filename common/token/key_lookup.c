/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/key_lookup.h"

#include "base/text.h"
#include "token/cluster_files.h"
#include "token/keyset.h"

/* Looks up KID in one cluster's key set. */
static enum ksa_reason find_in(const struct ksa_cluster *cluster, const struct ksa_env *env,
                               const char *kid, struct ksa_key_found *ret_found,
                               struct ksa_error *err)
{
        struct ksa_keyset *keyset = NULL;
        enum ksa_reason reason = ksa_keyset_open(cluster, env, &keyset, err);

        err->cluster = cluster->name;
        if (reason != KSA_OK)
                return reason;
        reason = ksa_keyset_find(keyset, kid, &ret_found->key, err);
        ret_found->cluster = cluster;
        ret_found->fetched = ksa_keyset_fetched(keyset);
        ksa_keyset_free(&keyset);
        struct ksa_error unusable = *err;
        char shown[KSA_UNVERIFIED_SIZE];

        if (reason == KSA_AMBIGUOUS_KID)
                return ksa_fail(err, reason, "%s: %s", cluster->name, unusable.text);
        /* Only this entry is unusable, the key set is valid. */
        if (reason == KSA_KEYS_UNUSABLE)
                reason = ksa_fail(err, KSA_UNKNOWN_KID, "key \"%s\" is not usable: %s",
                                  ksa_text_quote(kid, shown, sizeof(shown)), unusable.text);
        if (reason == KSA_UNKNOWN_KID && ksa_cluster_key_file(cluster) != NULL)
                err->remedy =
                        "if the cluster's keys were rotated, replace the key set file of CLUSTER "
                        "with the output of kubectl get --raw /openid/v1/jwks";
        return reason;
}

enum ksa_reason ksa_key_lookup_find(const struct ksa_config *config, const struct ksa_env *env,
                                    const char *issuer, const char *kid,
                                    struct ksa_key_found *ret_found, struct ksa_error *err)
{
        struct ksa_key_found found = {.cluster = NULL};
        struct ksa_error unusable = {0}, unknown = {0};
        bool some_set = false, some_key = false;

        for (size_t i = 0; i < config->counts[KSA_SECTION_CLUSTER]; i++) {
                const struct ksa_cluster *cluster = &config->clusters[i];
                struct ksa_key_found here;
                struct ksa_error error = {0};
                char shown[KSA_UNVERIFIED_SIZE];

                if (!ksa_list_has(&cluster->issuer, issuer))
                        continue;
                enum ksa_reason reason = find_in(cluster, env, kid, &here, &error);
                if (reason == KSA_MEMORY) /* this set might contain a second key with KID */
                        return ksa_fail(err, reason, "out of memory");
                if (reason == KSA_AMBIGUOUS_KID) {
                        *err = error;
                        return reason;
                }
                if (reason == KSA_OK && some_key)
                        return ksa_fail(err, KSA_AMBIGUOUS_KID,
                                        "kid \"%s\" is in the sets of %s and %s",
                                        ksa_text_quote(kid, shown, sizeof(shown)),
                                        found.cluster->name, cluster->name);
                some_key = some_key || reason == KSA_OK;
                if (reason == KSA_OK)
                        found = here;
                else if (reason == KSA_UNKNOWN_KID)
                        unknown = error;
                else if (unusable.reason == KSA_UNREACHED)
                        unusable = error; /* keep the first, in the order of the configuration */
                some_set = some_set || reason == KSA_OK || reason == KSA_UNKNOWN_KID;
        }
        if (!some_key) {
                *err = some_set ? unknown : unusable;
                return err->reason;
        }
        *ret_found = found;
        return KSA_OK;
}

bool ksa_key_lookup_may_be_old(enum ksa_reason found)
{
        return found == KSA_UNKNOWN_KID || found == KSA_KEYS_UNUSABLE || found == KSA_KEYS_STALE;
}

/*
 * Collects the names of the clusters of ISSUER whose key sets are fetched and for which FITS
 * returns true. Returns their number.
 */
static size_t matching_clusters(const struct ksa_config *config, const char *issuer,
                                bool (*fits)(const struct ksa_cluster *cluster, void *context),
                                void *context, const char *ret_names[KSA_REFRESH_MAX + 1])
{
        size_t count = 0;

        for (size_t i = 0; i < config->counts[KSA_SECTION_CLUSTER]; i++) {
                const struct ksa_cluster *cluster = &config->clusters[i];

                if (count < KSA_REFRESH_MAX && ksa_list_has(&cluster->issuer, issuer) &&
                    ksa_cluster_key_file(cluster) == NULL && fits(cluster, context))
                        ret_names[count++] = cluster->name;
        }
        ret_names[count] = NULL;
        return count;
}

const char *ksa_key_lookup_may_refresh(const struct ksa_config *config, const char *issuer,
                                       bool (*fits)(const struct ksa_cluster *cluster,
                                                    void *context),
                                       void *context)
{
        const char *names[KSA_REFRESH_MAX + 1];

        (void)matching_clusters(config, issuer, fits, context, names);
        return names[0];
}

bool ksa_key_lookup_refresh(const struct ksa_config *config, const struct ksa_env *env,
                            const char *issuer,
                            bool (*fits)(const struct ksa_cluster *cluster, void *context),
                            void *context, struct ksa_error *err)
{
        const char *names[KSA_REFRESH_MAX + 1];

        if (env->refresh == NULL || matching_clusters(config, issuer, fits, context, names) == 0)
                return false;
        /* Only the cached sets show the result: another process may have refreshed them. */
        return env->refresh(env->fetch_context, env->config_file, names,
                            (unsigned)config->host.timeout * 1000, err) != KSA_UNREACHED;
}

void ksa_key_lookup_add_failure(const struct ksa_config *config, const struct ksa_env *env,
                                const char *issuer, struct ksa_error *err)
{
        for (size_t i = 0; i < config->counts[KSA_SECTION_CLUSTER]; i++) {
                const struct ksa_cluster *cluster = &config->clusters[i];
                const struct ksa_error before = *err;
                char failure[KSA_FAILURE_SIZE];

                if (!ksa_list_has(&cluster->issuer, issuer) ||
                    ksa_cluster_key_file(cluster) != NULL ||
                    !ksa_cluster_failure(cluster, env, failure))
                        continue;
                (void)ksa_fail(err, before.reason, "%s; the last refresh of %s failed %s",
                               before.text, cluster->name, failure);
                ksa_error_keep_remedy(err, &before);
                return;
        }
}
