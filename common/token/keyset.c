/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/keyset.h"

#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "token/json.h"

/* One line of the cached form, split into its fields. */
struct line {
        enum ksa_algorithm algorithm;
        const char *kid, *first, *second;
        size_t first_length, second_length;
};

/* An entry of a JWKS, or a line. Repeated keys are dropped, and the order is kept. */
struct entry {
        const char *kid;
        size_t position; /* in the JWKS, or of the line */
        bool has_namesake, is_ambiguous, is_repeated;
};

struct ksa_keyset {
        json_t *document; /* a JWKS, or NULL */
        char *text;       /* the cached form, split in place, or NULL */
        struct line *lines;
        struct entry *entries;
        size_t count;
        int64_t fetched, max_age;
};

void ksa_keyset_free(struct ksa_keyset **keyset)
{
        if (*keyset == NULL)
                return;
        ksa_json_free(&(*keyset)->document);
        free((*keyset)->text);
        free((*keyset)->lines);
        free((*keyset)->entries);
        free(*keyset);
        *keyset = NULL;
}

size_t ksa_keyset_count(const struct ksa_keyset *keyset)
{
        return keyset->count;
}

int64_t ksa_keyset_fetched(const struct ksa_keyset *keyset)
{
        return keyset->fetched;
}

int64_t ksa_keyset_max_age(const struct ksa_keyset *keyset)
{
        return keyset->max_age;
}

/* --- Entries ---------------------------------------------------------------- */

static const json_t *json_entry(const struct ksa_keyset *keyset, size_t position)
{
        return json_array_get(json_object_get(keyset->document, "keys"), position);
}

static const char *kid_at(const struct ksa_keyset *keyset, size_t position)
{
        if (keyset->document == NULL)
                return keyset->lines[position].kid;
        const char *kid = ksa_json_text(json_entry(keyset, position), "kid");
        return kid != NULL ? kid : "";
}

static enum ksa_reason decode_entry(const struct ksa_keyset *keyset, size_t position,
                                    struct ksa_jwk *ret_jwk, struct ksa_error *err)
{
        if (keyset->document != NULL)
                return ksa_jwk_read(json_entry(keyset, position), ret_jwk, err);
        const struct line *line = &keyset->lines[position];

        return ksa_jwk_decode(line->algorithm, line->first, line->first_length, line->second,
                              line->second_length, ret_jwk, err);
}

/*
 * Reads the key of an entry. If other entries have the same kid, this also rejects a point that is
 * not on the curve, because such an entry must not hide the valid key. Otherwise the login that
 * uses the key rejects it.
 */
static enum ksa_reason read_entry(const struct ksa_keyset *keyset, const struct entry *entry,
                                  struct ksa_jwk *ret_jwk, struct ksa_error *err)
{
        /* Tokens' kids are printable too, and spaces separate the fields of the cached form. */
        if (!ksa_is_graphic(entry->kid) || strlen(entry->kid) > KSA_KID_MAX)
                return ksa_fail(err, KSA_KEYS_UNUSABLE, "it has no kid of 1 to %d printable bytes",
                                KSA_KID_MAX);
        enum ksa_reason reason = decode_entry(keyset, entry->position, ret_jwk, err);
        EVP_PKEY *key = NULL;

        if (reason == KSA_OK && entry->has_namesake) {
                reason = ksa_jwk_key(ret_jwk, &key, err);
                EVP_PKEY_free(key);
        }
        return reason;
}

/* Among COUNT entries with one kid, marks repeated keys, and different ones as ambiguous. */
static void mark_namesakes(const struct ksa_keyset *keyset, struct entry *const *namesakes,
                           size_t count)
{
        struct entry *first = NULL;
        struct ksa_jwk key, other;

        for (size_t i = 0; i < count; i++) {
                struct entry *entry = namesakes[i];

                entry->has_namesake = true;
                if (read_entry(keyset, entry, first == NULL ? &key : &other, NULL) != KSA_OK)
                        continue;
                if (first == NULL)
                        first = entry;
                else if (ksa_jwk_is_same(&key, &other))
                        entry->is_repeated = true;
                else
                        first->is_ambiguous = entry->is_ambiguous = true;
        }
}

static int compare_entries(const void *left, const void *right)
{
        const struct entry *one = *(struct entry *const *)left;
        const struct entry *other = *(struct entry *const *)right;
        int order = strcmp(one->kid, other->kid);

        return order != 0 ? order
                          : (one->position > other->position) - (one->position < other->position);
}

/*
 * Finds entries with the same kid, by sorting instead of comparing all pairs. False if memory runs
 * out.
 */
static bool mark_all_namesakes(struct ksa_keyset *keyset)
{
        struct entry **sorted = calloc(keyset->count, sizeof(struct entry *));

        if (sorted == NULL)
                return false;
        for (size_t i = 0; i < keyset->count; i++)
                sorted[i] = &keyset->entries[i];
        qsort(sorted, keyset->count, sizeof(struct entry *), compare_entries);
        for (size_t i = 0, end; i < keyset->count; i = end) {
                for (end = i + 1; end < keyset->count; end++) {
                        if (strcmp(sorted[i]->kid, sorted[end]->kid) != 0)
                                break;
                }
                if (end - i > 1)
                        mark_namesakes(keyset, sorted + i, end - i);
        }
        free(sorted);
        return true;
}

/* Lists the keyset->count entries of the JWKS or the lines. At least one is required. */
static enum ksa_reason list_entries(struct ksa_keyset *keyset, struct ksa_error *err)
{
        size_t kept = 0;

        keyset->entries = calloc(keyset->count, sizeof(*keyset->entries));
        for (size_t i = 0; keyset->entries != NULL && i < keyset->count; i++)
                keyset->entries[i] = (struct entry){.kid = kid_at(keyset, i), .position = i};
        if (keyset->entries == NULL || !mark_all_namesakes(keyset))
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        for (size_t i = 0; i < keyset->count; i++) {
                if (!keyset->entries[i].is_repeated)
                        keyset->entries[kept++] = keyset->entries[i];
        }
        keyset->count = kept;
        return KSA_OK;
}

/* --- A JWKS ----------------------------------------------------------------- */

static enum ksa_reason read_document(struct ksa_keyset *keyset, const char *bytes, size_t length,
                                     struct ksa_error *err)
{
        struct ksa_error inner = {0};
        enum ksa_reason reason = ksa_json_load_document(bytes, length, &keyset->document, &inner);

        if (reason != KSA_OK)
                return ksa_fail(err, reason == KSA_MEMORY ? reason : KSA_KEYS_UNUSABLE,
                                "not a key set: %s", inner.text);
        const json_t *keys = json_object_get(keyset->document, "keys");
        keyset->count = json_array_size(keys);
        if (!json_is_array(keys) || keyset->count == 0)
                return ksa_fail(err, KSA_KEYS_UNUSABLE, "not a key set: it has no keys");
        if (keyset->count > KSA_KEYSET_KEYS_MAX)
                return ksa_fail(err, KSA_KEYS_UNUSABLE, "more than %d keys", KSA_KEYSET_KEYS_MAX);
        return list_entries(keyset, err);
}

enum ksa_reason ksa_keyset_parse(const char *bytes, size_t length, struct ksa_keyset **ret_keyset,
                                 struct ksa_error *err)
{
        struct ksa_keyset *keyset = calloc(1, sizeof(*keyset));

        if (keyset == NULL)
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        enum ksa_reason reason = read_document(keyset, bytes, length, err);
        if (reason == KSA_OK)
                *ret_keyset = keyset;
        else
                ksa_keyset_free(&keyset);
        return reason;
}

/* --- The cached form -------------------------------------------------------- */

static const char *or_dash(const char *text)
{
        return text != NULL ? text : "-";
}

/* Line NUMBER of those that bind a cached set to the configuration; false after the last. */
static bool binding(const struct ksa_cluster *cluster, size_t number, const char **ret_name,
                    const char **ret_value)
{
        const size_t issuers = cluster->issuer.count;
        const struct {
                const char *name, *value;
        } others[] = {{"keys", cluster->keys},
                      {"api_server", or_dash(cluster->api_server)},
                      {"api_ca_file", or_dash(cluster->api_ca_file)},
                      {"keys_ca_file", or_dash(cluster->keys_ca_file)}};

        if (number > issuers + KSA_COUNT(others))
                return false;
        if (number == 0) {
                *ret_name = "ksa-keys";
                *ret_value = "1";
        } else if (number <= issuers) {
                *ret_name = "issuer";
                *ret_value = ksa_list_text(&cluster->issuer, number - 1);
        } else {
                *ret_name = others[number - 1 - issuers].name;
                *ret_value = others[number - 1 - issuers].value;
        }
        return true;
}

/* Moves *AT after TEXT and the byte END; false where something else is there. */
static bool skip(char **at, const char *text, char end)
{
        size_t length = strlen(text);

        if (strncmp(*at, text, length) != 0 || (*at)[length] != end)
                return false;
        *at += length + 1;
        return true;
}

/* Moves *AT after the binding, if it is that of CLUSTER. */
static bool skip_binding(char **at, const struct ksa_cluster *cluster)
{
        const char *name, *value;

        for (size_t i = 0; binding(cluster, i, &name, &value); i++) {
                if (!skip(at, name, ' ') || !skip(at, value, '\n'))
                        return false;
        }
        return true;
}

/* Ends the line at *AT, moves *AT after it, and returns it; NULL at the end of the text. */
static char *next_line(char **at)
{
        char *line = *at, *feed = strchr(line, '\n');

        if (feed == NULL)
                return NULL;
        *feed = '\0';
        *at = feed + 1;
        return line;
}

/* Reads the number of the line "NAME number". */
static bool read_number(char **at, const char *name, int64_t *ret_number)
{
        size_t length = strlen(name);
        const char *line = next_line(at);
        uint64_t number;

        if (line == NULL || strncmp(line, name, length) != 0 ||
            !ksa_text_number(line + length, 0, INT64_MAX / 4, &number))
                return false;
        *ret_number = (int64_t)number;
        return true;
}

/* Splits "key ALGORITHM KID FIRST SECOND". */
static bool read_line(char *text, struct line *ret_line)
{
        char *fields[5], *state = text;

        for (size_t i = 0; i < KSA_COUNT(fields); i++) {
                fields[i] = strsep(&state, " ");
                if (fields[i] == NULL || *fields[i] == '\0')
                        return false;
        }
        *ret_line = (struct line){.algorithm = ksa_algorithm_find(fields[1]),
                                  .kid = fields[2],
                                  .first = fields[3],
                                  .second = fields[4],
                                  .first_length = strlen(fields[3]),
                                  .second_length = strlen(fields[4])};
        return state == NULL && strcmp(fields[0], "key") == 0 &&
               ret_line->algorithm != KSA_ALGORITHM_NONE;
}

static enum ksa_reason spoiled(struct ksa_error *err)
{
        return ksa_fail(err, KSA_KEYS_UNUSABLE, "the cached key set is incomplete or damaged");
}

/* Reads the lines of keys and the end line, which has their number. */
static enum ksa_reason read_lines(struct ksa_keyset *keyset, char *at, struct ksa_error *err)
{
        char *line;
        uint64_t said;
        size_t room = 1;

        for (const char *feed = strchr(at, '\n'); feed != NULL && room < KSA_KEYSET_KEYS_MAX;
             feed = strchr(feed + 1, '\n'))
                room++;
        keyset->lines = calloc(room, sizeof(*keyset->lines));
        if (keyset->lines == NULL)
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        while ((line = next_line(&at)) != NULL && strncmp(line, "end ", 4) != 0) {
                if (keyset->count == room || !read_line(line, &keyset->lines[keyset->count]))
                        return spoiled(err);
                keyset->count++;
        }
        if (line == NULL || *at != '\0' || keyset->count == 0 ||
            !ksa_text_number(line + 4, keyset->count, keyset->count, &said))
                return spoiled(err);
        return list_entries(keyset, err);
}

static enum ksa_reason read_cached(struct ksa_keyset *keyset, const struct ksa_cluster *cluster,
                                   int64_t now, struct ksa_error *err)
{
        char *at = keyset->text;

        if (!skip_binding(&at, cluster))
                return ksa_fail(err, KSA_KEYS_UNUSABLE,
                                "the cached key set was fetched for another configuration");
        if (!read_number(&at, "fetched ", &keyset->fetched) ||
            !read_number(&at, "max_age ", &keyset->max_age))
                return spoiled(err);
        char span[KSA_SPAN_SIZE];
        if (keyset->fetched > now + KSA_KEYSET_AHEAD)
                return ksa_fail(err, KSA_KEYS_STALE,
                                "the cached key set was fetched %s in the future",
                                ksa_text_span(keyset->fetched - now, span));
        if (now - keyset->fetched > (int64_t)cluster->keys_max_stale)
                return ksa_fail(err, KSA_KEYS_STALE, "the cached key set was fetched %s ago",
                                ksa_text_span(now - keyset->fetched, span));
        return read_lines(keyset, at, err);
}

enum ksa_reason ksa_keyset_parse_cached(const char *bytes, size_t length,
                                        const struct ksa_cluster *cluster, int64_t now,
                                        struct ksa_keyset **ret_keyset, struct ksa_error *err)
{
        struct ksa_keyset *keyset = calloc(1, sizeof(*keyset));

        if (keyset == NULL)
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        keyset->text = strndup(bytes, length);
        enum ksa_reason reason;
        if (keyset->text == NULL)
                reason = ksa_fail(err, KSA_MEMORY, "out of memory");
        else if (strlen(keyset->text) != length)
                reason = spoiled(err);
        else
                reason = read_cached(keyset, cluster, now, err);
        if (reason == KSA_OK)
                *ret_keyset = keyset;
        else
                ksa_keyset_free(&keyset);
        return reason;
}

char *ksa_keyset_format(const struct ksa_keyset *keyset, const struct ksa_cluster *cluster,
                        int64_t fetched, int64_t max_age)
{
        const char *name, *value;
        char *text = NULL;
        size_t length = 0, count = 0;
        FILE *out = open_memstream(&text, &length);

        if (out == NULL)
                return NULL;
        for (size_t i = 0; binding(cluster, i, &name, &value); i++)
                (void)fprintf(out, "%s %s\n", name, value);
        (void)fprintf(out, "fetched %lld\nmax_age %lld\n", (long long)fetched, (long long)max_age);
        for (size_t i = 0; i < keyset->count; i++) {
                char first[KSA_BASE64URL_ENCODED(sizeof(((struct ksa_jwk *)NULL)->first))];
                char second[KSA_BASE64URL_ENCODED(sizeof(((struct ksa_jwk *)NULL)->second))];
                struct ksa_jwk jwk = {0};

                /* Different keys of one kid too, so that a login by one is refused with that reason. */
                if (read_entry(keyset, &keyset->entries[i], &jwk, NULL) != KSA_OK)
                        continue;
                ksa_base64url_encode(jwk.first, jwk.first_length, first);
                ksa_base64url_encode(jwk.second, jwk.second_length, second);
                (void)fprintf(out, "key %s %s %s %s\n", ksa_algorithm_name(jwk.algorithm),
                              keyset->entries[i].kid, first, second);
                count++;
        }
        (void)fprintf(out, "end %zu\n", count);
        if (fclose(out) != 0) {
                free(text);
                return NULL;
        }
        return text;
}

const char *ksa_keyset_private_kid(const struct ksa_keyset *keyset)
{
        size_t count = json_array_size(json_object_get(keyset->document, "keys"));

        for (size_t i = 0; i < count; i++) {
                const json_t *entry = json_entry(keyset, i);

                /* Members of private keys: RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1. */
                if (json_object_get(entry, "d") != NULL || json_object_get(entry, "k") != NULL)
                        return kid_at(keyset, i);
        }
        return NULL;
}

/* --- Both forms -------------------------------------------------------------- */

size_t ksa_keyset_count_usable(const struct ksa_keyset *keyset)
{
        size_t usable = 0;

        for (size_t i = 0; i < keyset->count; i++) {
                struct ksa_jwk jwk;
                EVP_PKEY *key = NULL;
                const char *kid;

                usable += ksa_keyset_entry(keyset, i, &kid, &jwk, NULL) == KSA_OK &&
                          ksa_jwk_key(&jwk, &key, NULL) == KSA_OK;
                EVP_PKEY_free(key);
        }
        return usable;
}

static enum ksa_reason open_entry(const struct ksa_keyset *keyset, const struct entry *entry,
                                  struct ksa_jwk *ret_jwk, struct ksa_error *err)
{
        char quoted[KSA_VERIFIED_SIZE];
        struct ksa_jwk jwk;
        enum ksa_reason reason = read_entry(keyset, entry, &jwk, err);

        if (reason == KSA_OK && entry->is_ambiguous)
                return ksa_fail(err, KSA_AMBIGUOUS_KID, "the set has different keys of kid \"%s\"",
                                ksa_text_quote(entry->kid, quoted, sizeof(quoted)));
        if (reason == KSA_OK)
                *ret_jwk = jwk;
        return reason;
}

enum ksa_reason ksa_keyset_entry(const struct ksa_keyset *keyset, size_t position,
                                 const char **ret_kid, struct ksa_jwk *ret_jwk,
                                 struct ksa_error *err)
{
        *ret_kid = keyset->entries[position].kid;
        return open_entry(keyset, &keyset->entries[position], ret_jwk, err);
}

enum ksa_reason ksa_keyset_find(const struct ksa_keyset *keyset, const char *kid,
                                struct ksa_jwk *ret_jwk, struct ksa_error *err)
{
        struct ksa_error unusable = {.reason = KSA_UNKNOWN_KID};
        char shown[KSA_UNVERIFIED_SIZE];

        for (size_t i = 0; i < keyset->count; i++) {
                struct ksa_error error = {0};

                if (strcmp(keyset->entries[i].kid, kid) != 0)
                        continue;
                enum ksa_reason reason = open_entry(keyset, &keyset->entries[i], ret_jwk, &error);
                if (reason == KSA_OK)
                        return KSA_OK;
                if (reason != KSA_KEYS_UNUSABLE || unusable.reason == KSA_UNKNOWN_KID)
                        unusable = error;
                if (reason != KSA_KEYS_UNUSABLE)
                        break;
        }
        if (unusable.reason == KSA_UNKNOWN_KID)
                return ksa_fail(err, KSA_UNKNOWN_KID, "no key \"%s\" in the set",
                                ksa_text_quote(kid, shown, sizeof(shown)));
        if (err != NULL)
                *err = unusable;
        return unusable.reason;
}

enum ksa_reason ksa_keyset_open(const struct ksa_cluster *cluster, const struct ksa_env *env,
                                struct ksa_keyset **ret_keyset, struct ksa_error *err)
{
        const char *file = ksa_cluster_key_file(cluster);
        char cached[PATH_MAX], *bytes;
        size_t length;

        (void)snprintf(cached, sizeof(cached), "%s/%s/keys", env->cache_dir, cluster->name);
        enum ksa_reason reason = ksa_file_read(file != NULL ? file : cached, env->owner,
                                               KSA_KEYSET_BYTES_MAX, &bytes, &length, err);
        if (reason == KSA_FILE_MISSING && file == NULL)
                return ksa_fail(err, KSA_KEYS_UNUSABLE, "no key set of %s was fetched yet",
                                cluster->name);
        if (reason != KSA_OK)
                return reason;
        reason = file != NULL ? ksa_keyset_parse(bytes, length, ret_keyset, err)
                              : ksa_keyset_parse_cached(bytes, length, cluster, env->now,
                                                        ret_keyset, err);
        free(bytes);
        if (reason != KSA_OK)
                ksa_error_at(err, file != NULL ? file : cached, 0);
        return reason;
}
