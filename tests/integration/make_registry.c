/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A registry from lines of words, for tests that have no cluster: make_registry FILE < LINES
 *
 *   account NAME UID STATE CLUSTER NAMESPACE ACCOUNT HOME SHELL FLAGS GID,GID,...    (- for none)
 *                            STATE is active, removed, or disabled: and a number of KSA_DISABLED_*
 *   group NAME GID CLUSTER NAMESPACE
 *   source CLUSTER LISTED
 *   many COUNT UID GID       accounts prod/many/aN with the names many_aN, uids from UID on, and GID
 *   uid FROM TO              in the file as it was built, with valid checksums: a reader must refuse the
 *   gid FROM TO              number, although the file is not damaged
 *
 * FILE takes its new content in one step. Accounts and groups may come in any order.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/registry/write.h"
#include "registry/format.h"

#define WORDS 11
#define NOW   1790000000

struct forgery {
        bool is_gid;
        uint32_t from, to;
};

struct work {
        struct ksa_account_record *accounts;
        size_t account_count;
        struct ksa_group_record *groups;
        size_t group_count;
        struct ksa_source_record source; /* one is enough for the tests */
        struct forgery forgeries[16];
        size_t forgery_count;
};

static void give_up(const char *what)
{
        (void)fprintf(stderr, "make_registry: %s\n", what);
        exit(2);
}

static void *more(void *items, size_t count, size_t size)
{
        /* At powers of two. */
        if ((count & (count - 1)) != 0)
                return items;
        items = reallocarray(items, count == 0 ? 1 : 2 * count, size);
        if (items == NULL)
                give_up("no memory");
        return items;
}

static char *copy(const char *text)
{
        char *copied = strdup(text);

        if (copied == NULL)
                give_up("no memory");
        return copied;
}

static uint32_t number(const char *word)
{
        return (uint32_t)strtoul(word, NULL, 10);
}

static enum ksa_account_state state_of(const char *word)
{
        static const char *const names[KSA_ACCOUNT_STATE_COUNT] = {NULL, "active", "disabled",
                                                                   "removed"};

        for (int i = 1; i < KSA_ACCOUNT_STATE_COUNT; i++)
                if (strcmp(names[i], word) == 0)
                        return (enum ksa_account_state)i;
        give_up("no such state");
        return KSA_ACCOUNT_REMOVED;
}

/* --- Lines ------------------------------------------------------------------------- */

static struct ksa_account_record *add_account(struct work *work)
{
        work->accounts = more(work->accounts, work->account_count, sizeof(*work->accounts));
        struct ksa_account_record *record = &work->accounts[work->account_count++];
        *record = (struct ksa_account_record){.account_uid = "", .new_account_uid = ""};
        return record;
}

static void read_groups(struct ksa_account_record *record, char *word)
{
        uint32_t *groups = calloc(KSA_ACCOUNT_GROUPS_MAX, sizeof(*groups));
        char *rest = NULL;

        if (groups == NULL)
                give_up("no memory");
        if (strcmp(word, "-") == 0)
                word[0] = '\0';
        for (char *gid = strtok_r(word, ",", &rest); gid != NULL; gid = strtok_r(NULL, ",", &rest))
                groups[record->group_count++] = number(gid);
        record->groups = groups;
}

static void read_account(struct work *work, char *args[WORDS])
{
        struct ksa_account_record *record = add_account(work);

        record->name = copy(args[1]);
        record->uid = number(args[2]);
        char *reasons = strchr(args[3], ':');
        if (reasons != NULL) {
                *reasons = '\0';
                record->reasons = number(reasons + 1);
        }
        record->state = state_of(args[3]);
        record->cluster = copy(args[4]);
        record->namespace = copy(args[5]);
        record->account = copy(args[6]);
        record->home = copy(args[7]);
        record->shell = copy(args[8]);
        record->flags = number(args[9]);
        read_groups(record, args[10]);
        if ((record->reasons & KSA_DISABLED_RECREATED) != 0) {
                record->account_uid = "7d9f3c70-0000-4000-8000-000000000001";
                record->new_account_uid = "7d9f3c70-0000-4000-8000-000000000002";
        }
}

static void read_many(struct work *work, char *args[WORDS])
{
        uint32_t count = number(args[1]), uid = number(args[2]);
        uint32_t *gid = malloc(sizeof(*gid));
        char text[64];

        if (gid == NULL)
                give_up("no memory");
        *gid = number(args[3]);
        for (uint32_t i = 0; i < count; i++) {
                struct ksa_account_record *record = add_account(work);

                (void)snprintf(text, sizeof(text), "/home/many_a%" PRIu32, i);
                record->home = copy(text);
                record->name = record->home + strlen("/home/");
                record->account = record->name + strlen("many_");
                record->uid = uid + i;
                record->state = KSA_ACCOUNT_ACTIVE;
                record->cluster = "prod";
                record->namespace = "many";
                record->shell = "/bin/sh";
                record->groups = gid;
                record->group_count = 1;
        }
}

static void read_line(struct work *work, char *line)
{
        char *args[WORDS] = {NULL}, *rest = NULL;
        size_t count = 0;

        for (char *word = strtok_r(line, " \n", &rest); word != NULL && count < WORDS;
             word = strtok_r(NULL, " \n", &rest))
                args[count++] = word;
        if (count == 11 && strcmp(args[0], "account") == 0) {
                read_account(work, args);
        } else if (count == 5 && strcmp(args[0], "group") == 0) {
                work->groups = more(work->groups, work->group_count, sizeof(*work->groups));
                work->groups[work->group_count++] =
                        (struct ksa_group_record){.name = copy(args[1]),
                                                  .gid = number(args[2]),
                                                  .cluster = copy(args[3]),
                                                  .namespace = copy(args[4])};
        } else if (count == 3 && strcmp(args[0], "source") == 0) {
                work->source = (struct ksa_source_record){.cluster = copy(args[1]),
                                                          .listed = atoll(args[2])};
        } else if (count == 4 && strcmp(args[0], "many") == 0) {
                read_many(work, args);
        } else if (count == 3 && work->forgery_count < KSA_COUNT(work->forgeries)) {
                work->forgeries[work->forgery_count++] = (struct forgery){
                        strcmp(args[0], "gid") == 0, number(args[1]), number(args[2])};
        } else if (count > 0) {
                give_up("a line that is none of these");
        }
}

static int account_order(const void *left, const void *right)
{
        return strcmp(((const struct ksa_account_record *)left)->name,
                      ((const struct ksa_account_record *)right)->name);
}

static int group_order(const void *left, const void *right)
{
        return strcmp(((const struct ksa_group_record *)left)->name,
                      ((const struct ksa_group_record *)right)->name);
}

/* --- What a reader must refuse ---------------------------------------------------------- */

static uint32_t *words_of(unsigned char *record, const struct forgery *forgery, uint32_t *ret_count)
{
        struct ksa_format_account *account = (void *)record;
        struct ksa_format_group *group = (void *)record;

        *ret_count = 1;
        if (!forgery->is_gid)
                return account->kind == KSA_FORMAT_ACCOUNT ? &account->uid : NULL;
        if (account->kind == KSA_FORMAT_GROUP)
                return &group->gid;
        if (account->kind != KSA_FORMAT_ACCOUNT)
                return NULL;
        *ret_count = account->group_count;
        return (void *)(record + account->groups);
}

static void make_sums_right(unsigned char *bytes)
{
        struct ksa_format_header *header = (void *)bytes;
        uint64_t sum;

        header->content_checksum = ksa_format_checksum(0, bytes + header->header_size,
                                                       (size_t)header->size - header->header_size);
        sum = ksa_format_checksum(0, bytes, header->header_size - sizeof(sum));
        memcpy(bytes + header->header_size - sizeof(sum), &sum, sizeof(sum));
}

/* In the records from POSITION to END; how many numbers were FORGERY's. */
static size_t forge_records(unsigned char *bytes, size_t position, size_t end,
                            const struct forgery *forgery)
{
        size_t done = 0;

        while (position < end) {
                struct ksa_format_record *record = (void *)(bytes + position);
                uint32_t count = 0;
                uint32_t *numbers = words_of(bytes + position, forgery, &count);

                for (uint32_t i = 0; numbers != NULL && i < count; i++) {
                        if (numbers[i] != forgery->from)
                                continue;
                        numbers[i] = forgery->to;
                        done++;
                }
                record->sum =
                        ksa_format_sum32(record->length, bytes + position + 8, record->length - 8);
                position += record->length;
        }
        return done;
}

static void forge(unsigned char *bytes, const struct forgery *forgery)
{
        const struct ksa_format_header *header = (void *)bytes;

        if (forge_records(bytes, (size_t)header->accounts, (size_t)header->accounts_end, forgery) +
                    forge_records(bytes, (size_t)header->groups, (size_t)header->groups_end,
                                  forgery) ==
            0)
                give_up("nothing to forge");
        make_sums_right(bytes);
}

int main(int argc, char **argv)
{
        struct work work = {0};
        struct ksa_error error = {0};
        char line[1024], temporary[512];
        unsigned char *bytes = NULL;
        size_t size = 0;

        if (argc != 2)
                give_up("usage: make_registry FILE < LINES");
        while (fgets(line, sizeof(line), stdin) != NULL)
                read_line(&work, line);
        if (work.account_count > 0)
                qsort(work.accounts, work.account_count, sizeof(*work.accounts), account_order);
        if (work.group_count > 0)
                qsort(work.groups, work.group_count, sizeof(*work.groups), group_order);
        const struct ksa_registry_content content = {.accounts = work.accounts,
                                                     .account_count = work.account_count,
                                                     .groups = work.groups,
                                                     .group_count = work.group_count,
                                                     .sources = &work.source,
                                                     .source_count =
                                                             work.source.cluster != NULL ? 1 : 0};
        if (ksa_registry_build(&content, NOW, &bytes, &size, &error) != KSA_OK)
                give_up(error.text);
        for (size_t i = 0; i < work.forgery_count; i++)
                forge(bytes, &work.forgeries[i]);
        (void)snprintf(temporary, sizeof(temporary), "%s.new", argv[1]);
        FILE *file = fopen(temporary, "w");
        if (file == NULL || fchmod(fileno(file), 0644) != 0 ||
            fwrite(bytes, 1, size, file) != size || fclose(file) != 0 ||
            rename(temporary, argv[1]) != 0)
                give_up("cannot write");
        return 0;
}
