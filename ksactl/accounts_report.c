/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a run of `ksactl accounts` did, and why. Changes go to standard output and failures to standard error,
 * in one form with and without --dry-run; a run that may write logs both.
 */
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "accounts.h"
#include "base/text.h"

/*
 * Accounts without a user are reported at each run, but only this many in the log: anyone who can create
 * accounts can create many.
 */
#define REFUSED_MAX 50

#define APPLY_LIST "apply account-list.yaml; see ksa-clusters(7)"

/* --- Clusters --------------------------------------------------------------- */

static void remedy_of_list(const struct ksa_cluster *cluster, const struct ksa_accounts *source,
                           const struct ksa_error *error, char out[REMEDY_SIZE])
{
        const char *file = ksa_accounts_file(source);

        if (ksa_error_remedy(error) != NULL)
                (void)snprintf(out, REMEDY_SIZE, "%s", ksa_error_remedy(error));
        else if (file != NULL)
                (void)snprintf(out, REMEDY_SIZE, "bring %s from the leader: ksactl accounts export",
                               file);
        else if (error->reason == KSA_API_FORBIDDEN)
                (void)snprintf(out, REMEDY_SIZE, "%s", APPLY_LIST);
        else if (cluster->api_server == NULL)
                (void)snprintf(out, REMEDY_SIZE,
                               "write api_server in [cluster %s], or source = file:PATH in "
                               "[accounts %s]",
                               source->name, source->name);
        else if (error->reason == KSA_NEEDS_ROOT)
                (void)snprintf(out, REMEDY_SIZE, "run it as root, with --dry-run too");
        else if (error->reason == KSA_CONFIG_INVALID)
                (void)snprintf(out, REMEDY_SIZE,
                               "correct it in [accounts %s], as kubectl get -l takes it",
                               source->name);
        else
                (void)remedy_for(cluster, error, out);
}

/* A name that was mistyped looks to the API server like a namespace with nothing in it. */
static void tell_empty(const struct accounts_run *run, const struct ksa_accounts *source)
{
        for (size_t i = 0; i < source->namespaces.count; i++) {
                const char *namespace = ksa_list_text(&source->namespaces, i);
                bool found = strcmp(namespace, "*") == 0;

                for (size_t n = 0; !found && n < run->sync.desired.count; n++) {
                        const struct ksa_desired *item = &run->sync.desired.items[n];

                        found = item->source == source && strcmp(item->namespace, namespace) == 0;
                }
                if (!found)
                        (void)fprintf(
                                stderr,
                                "ksactl: %s: no account of namespace %s is to have a user\n"
                                "    is the name right? One that does not exist looks empty\n",
                                source->name, namespace);
        }
}

void report_cluster(struct accounts_run *run, size_t position, const char *how,
                    const struct ksa_error *error)
{
        const struct ksa_config *config = run->session.config;
        const char *name = config->account_sources[position].name;
        const struct ksa_cluster *cluster = ksa_config_cluster(config, name);
        const struct ksa_source_record *source = &run->sync.sources[position];
        struct ksa_error shown = error != NULL ? *error : (struct ksa_error){0};
        char what[128], remedy[REMEDY_SIZE] = "";

        if (error != NULL) {
                remedy_of_list(cluster, &config->account_sources[position], error, remedy);
                (void)snprintf(what, sizeof(what), "accounts=kept cluster=\"%s\"", name);
                run->status = EXIT_BROKEN;
        }
        if (run->quiet)
                return;
        name_file(&shown);
        if (error != NULL && !run->dry_run)
                log_failure(true, what, &shown, remedy);
        if (error != NULL && !run->json)
                (void)fprintf(stderr, "ksactl: %s: %s\n    %s\n", name, shown.text, remedy);
        if (error == NULL && run->dry_run && !run->json && strcmp(how, "kept") != 0)
                tell_empty(run, &config->account_sources[position]);
        (void)json_array_append_new(
                run->clusters,
                json_pack("{s:s, s:s, s:o, s:o, s:o}", "cluster", name, "outcome", how, "listed",
                          source->cluster != NULL ? json_integer(source->listed) : json_null(),
                          "problem", error != NULL ? json_string(shown.text) : json_null(),
                          "remedy", text_or_null(remedy)));
}

void name_file(struct ksa_error *error)
{
        const struct ksa_error bare = *error;
        char line[32] = "";

        if (*bare.file == '\0' || strstr(bare.text, bare.file) != NULL)
                return;
        if (bare.line != 0)
                (void)snprintf(line, sizeof(line), " line %u", bare.line);
        (void)snprintf(error->text, sizeof(error->text), "%s%s: %.200s", bare.file, line,
                       bare.text);
}

void report_failure(struct accounts_run *run, const struct ksa_error *error, const char *remedy)
{
        const char *registry = run->session.host.env.registry_file;
        /* The registry or the mark next to it. */
        const bool is_write = error->reason == KSA_FILE_UNWRITABLE &&
                              strncmp(error->file, registry, strlen(registry)) == 0;
        struct ksa_error whole = *error;

        name_file(&whole); /* the line of the log has no other place for it */
        if (remedy == NULL && is_write)
                remedy = WRITE_REMEDY;
        if (remedy == NULL && error->reason == KSA_FILE_UNREADABLE)
                remedy = LOCAL_FILE_REMEDY;
        if (remedy == NULL && error->reason == KSA_ACCOUNT_UNKNOWN)
                remedy = ""; /* of enable and disable: the text says what to do */
        if (remedy == NULL)
                remedy = ksa_reason_remedy(error->reason);
        run->status = EXIT_BROKEN;
        run->problem = json_string(whole.text);
        run->remedy = text_or_null(remedy);
        if (!run->dry_run)
                log_failure(true, "accounts=unchanged", &whole, remedy);
        if (run->json)
                return; /* the answer has it */
        if (*remedy != '\0')
                (void)fprintf(stderr, "ksactl: %s\n    %s\n", whole.text, remedy);
        else
                (void)fprintf(stderr, "ksactl: %s\n", whole.text);
}

/* --- Changes ---------------------------------------------------------------- */

/*
 * Whether an administrator should look at it. A decision of an administrator needs no other one. A removed
 * account of the leader whose name or uid is taken here has no user to correct.
 */
static bool is_bad(const struct ksa_plan_change *change)
{
        const unsigned decided = KSA_DISABLED_ADMINISTRATOR | KSA_DISABLED_LEADER;

        if (change->change == KSA_CHANGE_DISABLED)
                return (change->record->reasons & ~decided) != 0;
        if (change->record->state == KSA_ACCOUNT_REMOVED)
                return false;
        return !ksa_change_is_new(change->change);
}

static const char *refusal_of(const struct ksa_plan_change *change)
{
        const char *word = ksa_refusal_name(change->refusal);

        return *word == '\0' ? "-" : word;
}

static void log_change(const struct ksa_plan_change *change)
{
        const struct ksa_account_record *record = change->record;
        char uid[KSA_UNVERIFIED_SIZE], why[1024], remedy[512]; /* more than those of plans */
        const bool helps = *change->remedy != '\0';
        const char *now =
                *record->new_account_uid != '\0' ? record->new_account_uid : record->account_uid;

        /* the names of user, cluster, namespace and account have at most 32, 64, 63 and 253 bytes */
        _Static_assert(LOG_FIXED_SIZE + 32 + 64 + 63 + 253 + sizeof(uid) + sizeof(why) +
                                       sizeof(remedy) <=
                               LOG_LINE_SIZE,
                       "a line of the log loses its end");
        log_line(true, is_bad(change) ? LOG_WARNING : LOG_NOTICE,
                 "result=account change=%s user=\"%s\" uid=%u cluster=\"%s\" namespace=\"%s\" "
                 "account=\"%s\" account_uid=\"%s\" refusal=%s why=\"%s\"%s%s%s",
                 ksa_change_name(change->change), record->name, (unsigned)record->uid,
                 record->cluster, record->namespace, record->account,
                 ksa_text_quote(now, uid, sizeof(uid)), refusal_of(change),
                 ksa_text_whole(change->why, why, sizeof(why)), helps ? " remedy=\"" : "",
                 ksa_text_whole(change->remedy, remedy, sizeof(remedy)), helps ? "\"" : "");
}

void print_change(const struct ksa_plan_change *change)
{
        const struct ksa_account_record *record = change->record;

        (void)printf("%s: %s (uid %u), %s:%s/%s%s%s\n", ksa_change_name(change->change),
                     record->name, (unsigned)record->uid, record->cluster, record->namespace,
                     record->account, *change->why != '\0' ? ": " : "", change->why);
        if (*change->remedy != '\0')
                (void)printf("    %s\n", change->remedy);
}

json_t *show_change(const struct ksa_plan_change *change)
{
        const struct ksa_account_record *record = change->record;

        return json_pack("{s:s, s:o, s:s, s:I, s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "change",
                         ksa_change_name(change->change), "refusal",
                         text_or_null(ksa_refusal_name(change->refusal)), "user", record->name,
                         "uid", (json_int_t)record->uid, "cluster", record->cluster, "namespace",
                         record->namespace, "account", record->account, "account_uid",
                         text_or_null(record->account_uid), "new_account_uid",
                         text_or_null(record->new_account_uid), "why", text_or_null(change->why),
                         "remedy", text_or_null(change->remedy));
}

void report_stale(const struct ksa_error *warning)
{
        if (warning->text[0] != '\0')
                (void)fprintf(
                        stderr,
                        "ksactl: warning: %s, so lookups may find users and groups of the old "
                        "registry for some minutes; run nscd -i passwd and nscd -i group\n",
                        warning->text);
}

void report_plan(struct accounts_run *run)
{
        const struct ksa_plan *plan = run->sync.plan;
        size_t refused = 0;

        for (size_t i = 0; i < plan->change_count; i++) {
                const struct ksa_plan_change *change = &plan->changes[i];
                const bool lasts = !ksa_change_is_new(change->change);

                if (is_bad(change) && run->status == EXIT_GOOD)
                        run->status = EXIT_DENIED;
                if (lasts)
                        refused++;
                if (!run->json)
                        print_change(change);
                if (!run->dry_run && (!lasts || refused <= REFUSED_MAX))
                        log_change(change);
                if (run->json)
                        (void)json_array_append_new(run->changes, show_change(change));
        }
        if (!run->dry_run && refused > REFUSED_MAX)
                log_line(true, LOG_WARNING,
                         "result=account change=refused count=%zu remedy=\"ksactl accounts sync "
                         "--dry-run lists all of them\"",
                         refused);
        if (plan->change_count == 0 && !plan->differs && run->status == EXIT_GOOD && !run->json)
                (void)puts("nothing to do");
}

bool print_run(struct accounts_run *run)
{
        static const char *const results[] = {
                [EXIT_GOOD] = "done", [EXIT_DENIED] = "warnings", [EXIT_BROKEN] = "failed"};
        json_t *clusters = run->clusters, *changes = run->changes;

        run->clusters = run->changes = NULL;
        return print_json_answer(json_pack("{s:s, s:O?, s:O?, s:b, s:b, s:o, s:o}", "result",
                                           results[run->status], "problem", run->problem, "remedy",
                                           run->remedy, "dry_run", run->dry_run, "written",
                                           run->written, "clusters", clusters, "changes", changes));
}
