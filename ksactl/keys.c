/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl keys: the contents of key sets. */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "admin/keys/refresh.h"
#include "base/text.h"
#include "ksactl.h"
#include "token/jwk.h"
#include "token/keyset.h"

/* --- keys show -------------------------------------------------------------- */

static void add_key(const struct ksa_keyset *keyset, size_t position, json_t *keys)
{
        struct ksa_error error = {0};
        struct ksa_jwk jwk;
        EVP_PKEY *key = NULL;
        const char *kid;
        enum ksa_reason reason = ksa_keyset_entry(keyset, position, &kid, &jwk, &error);
        bool sound = reason == KSA_OK;

        if (sound && ksa_jwk_key(&jwk, &key, &error) != KSA_OK)
                reason = error.reason;
        EVP_PKEY_free(key);
        (void)json_array_append_new(
                keys,
                json_pack("{s:s, s:s?, s:o, s:b, s:s?}", "kid", kid, "algorithm",
                          sound ? ksa_algorithm_name(jwk.algorithm) : NULL, "bits",
                          sound ? json_integer((json_int_t)ksa_jwk_bits(&jwk)) : json_null(),
                          "usable", reason == KSA_OK, "why", reason == KSA_OK ? NULL : error.text));
}

/* The times of a set that was fetched; NULL for a file. */
static json_t *times_of(const struct ksa_cluster *cluster, const struct ksa_env *env,
                        const struct ksa_keyset *keyset)
{
        int64_t fetched = ksa_keyset_fetched(keyset);

        if (fetched == 0)
                return NULL;
        return json_pack(
                "{s:I, s:I, s:I}", "fetched", (json_int_t)fetched, "due",
                (json_int_t)ksa_refresh_next(cluster, env, fetched, ksa_keyset_max_age(keyset)),
                "denies_after", (json_int_t)fetched + (json_int_t)cluster->keys_max_stale);
}

static json_t *show_keys(const struct ksa_cluster *cluster, const struct ksa_env *env,
                         bool *ret_good)
{
        struct ksa_error error = {0};
        struct ksa_keyset *keyset = NULL;
        json_t *keys = json_array(), *times = NULL;
        char source[KSA_QUOTE_MAX];

        *ret_good = ksa_keyset_open(cluster, env, &keyset, &error) == KSA_OK;
        if (*ret_good) {
                for (size_t i = 0; i < ksa_keyset_count(keyset); i++)
                        add_key(keyset, i, keys);
                times = times_of(cluster, env, keyset);
        }
        ksa_keyset_free(&keyset);
        json_t *shown = json_pack("{s:s, s:s, s:n, s:n, s:n, s:s?, s:o}", "cluster", cluster->name,
                                  "source", ksa_text_url(cluster->keys, source, sizeof(source)),
                                  "fetched", "due", "denies_after", "problem",
                                  *ret_good ? NULL : error.text, "keys", keys);
        if (times != NULL)
                (void)json_object_update(shown, times);
        json_decref(times);
        return shown;
}

/* "fetched 12 s ago, due in 4 min 48 s, denies in 23 h 59 min" */
static void print_times(const json_t *cluster, int64_t now)
{
        int64_t fetched = json_integer_value(json_object_get(cluster, "fetched"));
        int64_t due = json_integer_value(json_object_get(cluster, "due"));
        char since[KSA_SPAN_SIZE], until[KSA_SPAN_SIZE], end[KSA_SPAN_SIZE];

        if (fetched == 0)
                return;
        (void)printf(
                "  fetched %s ago, %s %s, denies in %s\n", ksa_text_span(now - fetched, since),
                due < now ? "overdue by" : "due in",
                ksa_text_span(due < now ? now - due : due - now, until),
                ksa_text_span(json_integer_value(json_object_get(cluster, "denies_after")) - now,
                              end));
}

static void print_keys(const json_t *cluster, int64_t now)
{
        const char *problem = json_string_value(json_object_get(cluster, "problem"));
        const json_t *keys = json_object_get(cluster, "keys");

        (void)printf("%s (%s)\n", json_string_value(json_object_get(cluster, "cluster")),
                     json_string_value(json_object_get(cluster, "source")));
        if (problem != NULL)
                (void)printf("  %s\n", problem);
        print_times(cluster, now);
        for (size_t i = 0; i < json_array_size(keys); i++) {
                const json_t *key = json_array_get(keys, i);
                const char *algorithm = json_string_value(json_object_get(key, "algorithm"));
                const char *why = json_string_value(json_object_get(key, "why"));
                char kid[KSA_QUOTED_SIZE];

                (void)printf("  %s  %s",
                             ksa_text_quote(json_string_value(json_object_get(key, "kid")), kid,
                                            sizeof(kid)),
                             algorithm != NULL ? algorithm : "-");
                if (algorithm != NULL)
                        (void)printf(" %lld bits",
                                     (long long)json_integer_value(json_object_get(key, "bits")));
                (void)printf("%s%s\n", why != NULL ? "  not used: " : "", why != NULL ? why : "");
        }
}

static int keys_show(const struct args *arguments)
{
        return show_clusters(arguments, "clusters", show_keys, print_keys, NULL);
}

static const struct subcommand subcommands[] = {{"show", keys_show},
                                                {"refresh", keys_refresh},
                                                {"purge", keys_purge},
                                                {"convert", keys_convert}};

int command_keys(const struct args *arguments)
{
        return run_subcommand("keys", subcommands, KSA_COUNT(subcommands), arguments);
}
