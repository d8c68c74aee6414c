/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl accounts list, show and export: what the registry has. */
#include <grp.h>
#include <stdio.h>
#include <string.h>

#include "accounts.h"
#include "admin/accounts/source_file.h"
#include "base/text.h"
#include "login/account_state.h"

/* --- list ------------------------------------------------------------------- */

static void print_row(const struct ksa_account_record *record)
{
        char since[MOMENT_SIZE], reasons[KSA_DISABLED_TEXT];

        (void)printf("%-32s %-10u %-9s %-23s %s:%s/%s", record->name, (unsigned)record->uid,
                     ksa_account_state_name(record->state), moment(record->changed, since),
                     record->cluster, record->namespace, record->account);
        if (record->reasons != 0)
                (void)printf(" (%s)", ksa_disabled_text(record->reasons, reasons));
        if ((record->flags & KSA_ACCOUNT_FORMER) != 0)
                (void)fputs(" (former)", stdout);
        (void)putchar('\n');
}

static int list(const struct ksa_registry *registry, bool all, bool json)
{
        json_t *shown = json_array();
        struct ksa_account_record record;
        enum ksa_registry_answer answer;
        size_t position = 0;

        if (!json)
                (void)printf("%-32s %-10s %-9s %-23s %s\n", "USER", "UID", "STATE", "SINCE",
                             "ACCOUNT");
        while ((answer = ksa_registry_next(registry, &position, &record)) == KSA_REGISTRY_FOUND) {
                if (record.state == KSA_ACCOUNT_REMOVED && !all)
                        continue;
                if (!json) {
                        print_row(&record);
                        continue;
                }
                json_t *account = show_account(&record);
                (void)json_object_set_new(account, "since", json_integer(record.changed));
                (void)json_array_append_new(shown, account);
        }
        const bool whole = answer == KSA_REGISTRY_NOT_FOUND;
        if (!whole)
                (void)fputs("ksactl: the registry is damaged: ksactl status\n", stderr);
        if (json && whole)
                return print_json_answer(json_pack("{s:o}", "accounts", shown)) ? EXIT_GOOD
                                                                                : EXIT_BROKEN;
        json_decref(shown);
        return whole ? EXIT_GOOD : EXIT_BROKEN;
}

int accounts_list(const struct args *arguments)
{
        struct session session;
        struct ksa_registry registry;
        int status = EXIT_BROKEN;

        if (open_session(&session, arguments->options[OPTION_CONFIG]) &&
            open_registry(&session.host.env, &registry)) {
                status = list(&registry, has_option(arguments, OPTION_ALL),
                              has_option(arguments, OPTION_JSON));
                ksa_registry_close(&registry);
        }
        close_session(&session);
        return status;
}

/* --- show ------------------------------------------------------------------- */

static bool is_named(const struct ksa_account_record *record, const char *word)
{
        char account[512];

        (void)snprintf(account, sizeof(account), "%s:%s/%s", record->cluster, record->namespace,
                       record->account);
        return strcmp(word, record->name) == 0 || strcmp(word, account) == 0;
}

/* The record of a user, a uid or an account: one that is not removed, else one that is not former. */
static bool find(const struct ksa_registry *registry, const char *word,
                 struct ksa_account_record *ret_record)
{
        struct ksa_account_record record;
        unsigned best = 3;
        size_t position = 0;
        uint64_t uid = 0;

        const bool is_uid = ksa_text_number(word, 0, UINT32_MAX, &uid);
        while (ksa_registry_next(registry, &position, &record) == KSA_REGISTRY_FOUND) {
                const unsigned rank = (record.flags & KSA_ACCOUNT_FORMER) != 0 ? 2
                                      : record.state == KSA_ACCOUNT_REMOVED    ? 1
                                                                               : 0;

                if (rank < best && (is_uid ? record.uid == uid : is_named(&record, word))) {
                        *ret_record = record;
                        best = rank;
                }
        }
        return best < 3;
}

static json_t *show_groups(const struct ksa_registry *registry,
                           const struct ksa_account_record *record)
{
        json_t *groups = json_array();

        for (uint32_t i = 0; i < record->group_count; i++) {
                struct ksa_group_record own;
                const char *name = NULL;

                if (ksa_registry_group_by_gid(registry, record->groups[i], &own) ==
                    KSA_REGISTRY_FOUND) {
                        name = own.name;
                } else {
                        const struct group *group = getgrgid((gid_t)record->groups[i]);

                        name = group != NULL ? group->gr_name : NULL;
                }
                (void)json_array_append_new(groups, json_pack("{s:s?, s:I}", "name", name, "gid",
                                                              (json_int_t)record->groups[i]));
        }
        return groups;
}

static bool is_about(const struct ksa_plan_change *change, const struct ksa_account_record *record)
{
        return strcmp(change->record->cluster, record->cluster) == 0 &&
               strcmp(change->record->namespace, record->namespace) == 0 &&
               strcmp(change->record->account, record->account) == 0;
}

/* All that PLAN says of an account: several groups, for example, may refuse it. */
#define WHY_SIZE 2048
static void gather(const struct ksa_plan *plan, const struct ksa_account_record *record,
                   char why[WHY_SIZE], const char **remedy)
{
        size_t length = 0;

        for (size_t i = 0; i < plan->change_count; i++) {
                const struct ksa_plan_change *change = &plan->changes[i];

                if (!is_about(change, record) || *change->why == '\0' || length >= WHY_SIZE)
                        continue;
                length += (size_t)snprintf(why + length, WHY_SIZE - length, "%s%s",
                                           length == 0 ? "" : "; ", change->why);
                if (*change->remedy != '\0')
                        *remedy = change->remedy;
        }
}

/* Adds why an account stands as it does: what the plan says of it, else what its state means. */
static void add_why(const struct ksa_plan *plan, const struct ksa_account_record *record,
                    json_t *shown)
{
        char why[WHY_SIZE] = "", enable[128], reasons[KSA_DISABLED_TEXT];
        const char *remedy = "";

        gather(plan, record, why, &remedy);
        if (*why == '\0' && record->state == KSA_ACCOUNT_REMOVED) {
                (void)snprintf(why, sizeof(why),
                               "no source lists it; its name and uid stay its own");
                remedy = "once it is listed again, ksactl accounts sync brings its user back";
        } else if (*why == '\0' && record->reasons != 0) {
                (void)snprintf(why, sizeof(why), "disabled: %s",
                               ksa_disabled_text(record->reasons, reasons));
                (void)snprintf(enable, sizeof(enable), "ksactl accounts enable %s", record->name);
                remedy = enable;
        }
        (void)json_object_set_new(shown, "why", text_or_null(why));
        (void)json_object_set_new(shown, "remedy", text_or_null(remedy));
}

static const char *word_of(const json_t *shown, const char *name)
{
        const char *text = json_string_value(json_object_get(shown, name));

        return text != NULL ? text : "-";
}

static void print_account(const json_t *shown)
{
        const json_t *groups = json_object_get(shown, "groups");
        const json_t *reasons = json_object_get(shown, "reasons");
        const json_int_t created = json_integer_value(json_object_get(shown, "created"));
        char since[MOMENT_SIZE], made[MOMENT_SIZE];

        (void)printf("%s (uid %lld)\n", word_of(shown, "user"),
                     (long long)json_integer_value(json_object_get(shown, "uid")));
        (void)printf("  %-12s %s since %s\n", "state", word_of(shown, "state"),
                     moment(json_integer_value(json_object_get(shown, "since")), since));
        for (size_t i = 0; i < json_array_size(reasons); i++)
                (void)printf("  %-12s %s\n", i == 0 ? "disabled by" : "",
                             json_string_value(json_array_get(reasons, i)));
        (void)printf("  %-12s %s:%s/%s%s\n", "account", word_of(shown, "cluster"),
                     word_of(shown, "namespace"), word_of(shown, "account"),
                     json_is_true(json_object_get(shown, "declared")) ? ", by [account]" : "");
        (void)printf("  %-12s %s%s%s\n", "account uid", word_of(shown, "account_uid"),
                     created != 0 ? ", created " : "", created != 0 ? moment(created, made) : "");
        if (!json_is_null(json_object_get(shown, "new_account_uid")))
                (void)printf("  %-12s %s\n", "recreated", word_of(shown, "new_account_uid"));
        (void)printf("  %-12s %s\n  %-12s %s\n", "home", word_of(shown, "home"), "shell",
                     word_of(shown, "shell"));
        for (size_t i = 0; i < json_array_size(groups); i++) {
                const json_t *group = json_array_get(groups, i);

                (void)printf("  %-12s %s (gid %lld)\n", i == 0 ? "groups" : "",
                             word_of(group, "name"),
                             (long long)json_integer_value(json_object_get(group, "gid")));
        }
        if (!json_is_null(json_object_get(shown, "why")))
                (void)printf("  %-12s %s\n", "why", word_of(shown, "why"));
        if (!json_is_null(json_object_get(shown, "remedy")))
                (void)printf("  %-12s %s\n", "remedy", word_of(shown, "remedy"));
}

static int show(const struct ksa_sync *sync, const struct ksa_account_record *record, bool json)
{
        json_t *shown = show_account(record);
        const int status = record->state == KSA_ACCOUNT_ACTIVE ? EXIT_GOOD : EXIT_DENIED;

        (void)json_object_set_new(shown, "since", json_integer(record->changed));
        (void)json_object_set_new(shown, "groups", show_groups(&sync->before, record));
        add_why(sync->plan, record, shown);
        if (json)
                return print_json_answer(shown) ? status : EXIT_BROKEN;
        print_account(shown);
        json_decref(shown);
        return status;
}

/* An account without a record: what a sync would report of it now. */
static int show_refused(const struct accounts_run *run, const char *word, bool json)
{
        char quoted[KSA_QUOTED_SIZE];

        for (size_t i = 0; i < run->sync.plan->change_count; i++) {
                const struct ksa_plan_change *change = &run->sync.plan->changes[i];

                if (!is_named(change->record, word))
                        continue;
                if (json)
                        return print_json_answer(show_change(change)) ? EXIT_DENIED : EXIT_BROKEN;
                print_change(change);
                return EXIT_DENIED;
        }
        (void)fprintf(stderr, "ksactl: there is no account %s%s\n",
                      ksa_text_quote(word, quoted, sizeof(quoted)),
                      run->status == EXIT_GOOD ? "" : "; not all clusters could be asked");
        return EXIT_BROKEN;
}

int accounts_show(const struct args *arguments)
{
        struct accounts_run run = {.dry_run = true, .quiet = true, .status = EXIT_BROKEN};
        const char *word = arguments->names[0];
        const bool json = has_option(arguments, OPTION_JSON);
        struct ksa_account_record record;

        if (begin_run(&run, arguments->options[OPTION_CONFIG], KSA_SYNC_START_FIRST)) {
                const bool found = run.sync.has_before && find(&run.sync.before, word, &record);

                if (read_sources(&run, !found) && plan_run(&run, KSA_ACTION_NONE, NULL))
                        run.status = found ? show(&run.sync, &record, json)
                                           : show_refused(&run, word, json);
        }
        return end_run(&run);
}

/* --- export ----------------------------------------------------------------- */

static int export(const struct ksa_registry *registry, const char *cluster)
{
        json_t *file = ksa_account_file_write(registry, cluster);
        const size_t clusters = json_array_size(json_object_get(file, "clusters"));
        int status = EXIT_BROKEN;

        if (file == NULL)
                (void)fputs("ksactl: the registry is damaged, or memory ran out\n", stderr);
        else if (clusters == 0)
                (void)fprintf(stderr, "ksactl: there are no accounts of %s here\n",
                              cluster != NULL ? cluster : "any cluster");
        else if (json_dumpf(file, stdout, JSON_COMPACT) == 0 && putchar('\n') != EOF)
                status = EXIT_GOOD;
        json_decref(file);
        return status;
}

int accounts_export(const struct args *arguments)
{
        struct session session;
        struct ksa_registry registry;
        int status = EXIT_BROKEN;

        if (open_session(&session, arguments->options[OPTION_CONFIG]) &&
            open_registry(&session.host.env, &registry)) {
                status = export(&registry, arguments->names[0]); /* JSON, with --json or without */
                ksa_registry_close(&registry);
        }
        close_session(&session);
        return status;
}
