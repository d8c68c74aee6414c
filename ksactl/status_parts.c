/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "admin/keys/refresh.h"
#include "base/text.h"
#include "status.h"
#include "token/keyset.h"

/* Seconds by which a refresh may be late: the timer runs every five minutes, with a delay. */
#define LATE 900
/* Seconds before the end of a certificate when an administrator should renew it. */
#define NOTICE (30 * INT64_C(86400))

void add_problem(struct finding *finding, enum level level, const char *remedy, const char *format,
                 ...)
{
        va_list arguments;

        if (level <= finding->level)
                return;
        finding->level = level;
        va_start(arguments, format);
        (void)vsnprintf(finding->problem, sizeof(finding->problem), format, arguments);
        va_end(arguments);
        (void)snprintf(finding->remedy, sizeof(finding->remedy), "%s", remedy);
}

/* --- Keys ------------------------------------------------------------------- */

static void check_times(const struct ksa_cluster *cluster, const struct ksa_env *env,
                        const struct ksa_keyset *keyset, size_t usable, struct finding *finding)
{
        int64_t now = env->now;
        int64_t fetched = ksa_keyset_fetched(keyset);
        int64_t due = ksa_refresh_next(cluster, env, fetched, ksa_keyset_max_age(keyset));
        int64_t end = fetched + (int64_t)cluster->keys_max_stale;
        char age[KSA_SPAN_SIZE], until[KSA_SPAN_SIZE], left[KSA_SPAN_SIZE], remedy[128];

        (void)json_object_set_new(finding->facts, "fetched", json_integer(fetched));
        (void)json_object_set_new(finding->facts, "due", json_integer(due));
        (void)json_object_set_new(finding->facts, "denies_after", json_integer(end));
        (void)snprintf(finding->text, sizeof(finding->text),
                       "%zu, fetched %s ago, due %s%s, used for another %s", usable,
                       ksa_text_span(now - fetched, age), due < now ? "since " : "in ",
                       ksa_text_span(due < now ? now - due : due - now, until),
                       ksa_text_span(end - now, left));
        (void)snprintf(remedy, sizeof(remedy),
                       "check ksa-keys.timer; run ksactl keys refresh %s to see why",
                       cluster->name);
        if (now - due > LATE)
                add_problem(finding, SOON, remedy,
                            "the keys were not refreshed for %s; logins are refused in %s", age,
                            left);
}

void find_keys(const struct ksa_cluster *cluster, const struct ksa_env *env,
               struct finding *finding)
{
        struct ksa_keyset *keyset = NULL;
        struct ksa_error error = {0};
        const char *file = ksa_cluster_key_file(cluster);
        bool open;
        char refresh[128], source[KSA_QUOTE_MAX];
        size_t usable = 0;

        (void)snprintf(refresh, sizeof(refresh), "run ksactl keys refresh %s", cluster->name);
        open = ksa_keyset_open(cluster, env, &keyset, &error) == KSA_OK;
        if (open)
                usable = ksa_keyset_count_usable(keyset);
        finding->facts = json_pack("{s:s, s:I, s:n, s:n, s:n}", "source",
                                   ksa_text_url(cluster->keys, source, sizeof(source)), "count",
                                   (json_int_t)usable, "fetched", "due", "denies_after");
        if (file != NULL)
                (void)snprintf(finding->text, sizeof(finding->text), "%zu, in %s", usable, file);
        else
                (void)snprintf(finding->text, sizeof(finding->text), "none");
        if (open && file == NULL)
                check_times(cluster, env, keyset, usable, finding);
        if (!open)
                add_problem(finding, TROUBLE, file != NULL ? "run ksactl check" : refresh, "%s",
                            error.text);
        else if (usable == 0)
                add_problem(finding, TROUBLE, file ? "run ksactl keys show" : refresh,
                            "no usable key");
        ksa_keyset_free(&keyset);
}

/* --- The credential --------------------------------------------------------- */

static int64_t number(const json_t *shown, const char *name)
{
        return json_integer_value(json_object_get(shown, name));
}

/* A token is renewed by ksa; a certificate by an administrator. */
static void check_life(const struct ksa_cluster *cluster, const json_t *shown, int64_t now,
                       struct finding *finding)
{
        int64_t from = number(shown, "issued"), end = number(shown, "expires");
        int64_t late = (end - from) / 4;
        bool token = cluster->credential_file != NULL;
        const char *account = json_string_value(json_object_get(shown, "account"));
        char left[KSA_SPAN_SIZE], due[KSA_SPAN_SIZE], remedy[128];

        int64_t until = number(shown, "due") - now;
        (void)ksa_text_span(end > now ? end - now : now - end, left);
        (void)ksa_text_span(until < 0 ? -until : until, due);
        if (end <= now)
                (void)snprintf(finding->text, sizeof(finding->text), "%s, expired %s ago", account,
                               left);
        else
                (void)snprintf(finding->text, sizeof(finding->text), "%s, expires in %s%s%s",
                               account, left,
                               !token      ? ""
                               : until < 0 ? ", due since "
                                           : ", due in ",
                               token ? due : "");
        if (!token && late > NOTICE)
                late = NOTICE;
        (void)snprintf(
                remedy, sizeof(remedy),
                token ? "check ksa-credential.timer; run ksactl credential renew %s to see why"
                      : "replace the certificate and the key of %s",
                cluster->name);
        if (end > now && end - now < late)
                add_problem(finding, SOON, remedy, "it was not renewed, and expires in %s", left);
}

void find_credential(const struct ksa_cluster *cluster, const struct ksa_env *env,
                     struct finding *finding)
{
        enum ksa_reason reason = KSA_OK;
        json_t *shown = show_credential(cluster, env, &reason);
        bool known = json_is_integer(json_object_get(shown, "expires"));
        char remedy[REMEDY_SIZE];

        if (shown == NULL) {
                (void)snprintf(finding->text, sizeof(finding->text), "none");
                return;
        }
        if (geteuid() != 0 && !known) {
                (void)snprintf(finding->text, sizeof(finding->text), "only root can read it");
                finding->is_hidden = true;
                reason = KSA_OK;
        }
        if (known)
                check_life(cluster, shown, env->now, finding);
        (void)ksa_remedy_of(cluster->credential_file != NULL ? GIVE_TOKEN
                                                             : "check client_cert_file of CLUSTER",
                            cluster->name, remedy);
        if (reason != KSA_OK)
                add_problem(finding, reason == KSA_NOT_A_TOKEN ? SOON : TROUBLE, remedy, "%s",
                            json_string_value(json_object_get(shown, "problem")));
        (void)json_object_del(shown, "cluster");
        (void)json_object_del(shown, "problem");
        finding->facts = shown;
}
