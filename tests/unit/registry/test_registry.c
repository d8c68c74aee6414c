/* SPDX-License-Identifier: BSD-2-Clause */
/* The reader of the registry: the right answer or an error, with any file. */
#include "registry/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "registry/format.h"
#include "support/registry_samples.h"
#include "support/support.h"

#define LONGEST "a.name-of-32-bytes_0123456789012"

/* A registry in memory, and its header. */
struct sample {
        unsigned char *bytes;
        size_t size;
        struct ksa_format_header header;
};

static int sample_setup(void **state)
{
        static const uint32_t gids[] = {SAMPLE_GID, 1234};
        struct sample *sample = calloc(1, sizeof(*sample));
        struct ksa_account_record accounts[] = {
                sample_account(LONGEST, "long", 1900000010),
                sample_account("ci_deployer", "deployer", 1900000011),
                sample_account("ci_retired", "retired", 1900000012),
        };

        assert_non_null(sample);
        accounts[1].groups = gids;
        accounts[1].group_count = KSA_COUNT(gids);
        accounts[2].state = KSA_ACCOUNT_DISABLED;
        accounts[2].reasons = KSA_DISABLED_ADMINISTRATOR;
        sample_build(accounts, KSA_COUNT(accounts), &sample->bytes, &sample->size);
        memcpy(&sample->header, sample->bytes, sizeof(sample->header));
        *state = sample;
        return 0;
}

static int sample_teardown(void **state)
{
        struct sample *sample = *state;

        free(sample->bytes);
        free(sample);
        return 0;
}

static struct ksa_registry reader_of(const struct sample *sample)
{
        struct ksa_registry registry;
        const char *why = "";

        if (ksa_registry_read(sample->bytes, sample->size, &registry, &why) != KSA_REGISTRY_FOUND)
                fail_msg("%s", why);
        return registry;
}

/* --- Questions -------------------------------------------------------------- */

static const char *const names[] = {
        LONGEST, "ci_deployer", "ci_retired", "ci_nobody", "", "a.name-of-32-bytes_01234567890123"};
static const uint32_t uids[] = {1900000010, 1900000011, 1900000012, 0, 1900000013};
static const char *const accounts_of_ci[] = {"long", "deployer", "retired", "nobody"};

/* All lookups, in one number each: their result, and a digest of the answer. */
enum { QUESTIONS = KSA_COUNT(names) + KSA_COUNT(uids) + KSA_COUNT(accounts_of_ci) + 4 };

static uint64_t digest_text(uint64_t sum, const char *text)
{
        for (; *text != '\0'; text++)
                sum = (sum ^ (unsigned char)*text) * 1099511628211u;
        return (sum ^ 1) * 1099511628211u;
}

static uint64_t digest_account(enum ksa_registry_answer answer,
                               const struct ksa_account_record *account)
{
        char buffer[512];
        char *fields[5];
        size_t size;
        uint64_t sum = 14695981039346656037u;

        if (answer != KSA_REGISTRY_FOUND)
                return (uint64_t)answer;
        const char *texts[] = {account->name,        account->home,           account->shell,
                               account->cluster,     account->namespace,      account->account,
                               account->account_uid, account->new_account_uid};
        for (size_t i = 0; i < KSA_COUNT(texts); i++)
                sum = digest_text(sum, texts[i]);
        if (ksa_registry_copy_passwd(account, buffer, sizeof(buffer), fields, &size) !=
            KSA_REGISTRY_FOUND)
                return KSA_REGISTRY_BROKEN;
        for (size_t i = 0; i < KSA_COUNT(fields); i++)
                sum = digest_text(sum, fields[i]);
        sum = (sum ^ account->uid ^ (uint64_t)account->state << 32 ^ account->reasons) *
              1099511628211u;
        sum = (sum ^ (uint64_t)account->created) * 1099511628211u;
        sum = (sum ^ (uint64_t)account->changed ^ account->flags) * 1099511628211u;
        for (uint32_t i = 0; i < account->group_count; i++)
                sum = (sum ^ account->groups[i]) * 1099511628211u;
        return sum | 16;
}

static uint64_t digest_group(const struct ksa_registry *registry, enum ksa_registry_answer answer,
                             const struct ksa_group_record *group)
{
        struct ksa_account_record member;
        uint64_t sum = 14695981039346656037u;

        if (answer != KSA_REGISTRY_FOUND)
                return (uint64_t)answer;
        sum = digest_text(sum ^ group->gid, group->name);
        for (uint32_t i = 0; i < group->member_count; i++) {
                if (ksa_registry_member(registry, group, i, &member) != KSA_REGISTRY_FOUND)
                        return KSA_REGISTRY_BROKEN;
                sum = digest_text(sum, member.name);
        }
        return sum | 16;
}

static void ask_all(const struct ksa_registry *registry, uint64_t ret_answers[QUESTIONS])
{
        struct ksa_account_record account;
        struct ksa_group_record group;
        struct ksa_source_record source = {.cluster = ""};
        size_t n = 0, position = 0;

        for (size_t i = 0; i < KSA_COUNT(names); i++)
                ret_answers[n++] = digest_account(
                        ksa_registry_by_name(registry, names[i], &account), &account);
        for (size_t i = 0; i < KSA_COUNT(uids); i++)
                ret_answers[n++] =
                        digest_account(ksa_registry_by_uid(registry, uids[i], &account), &account);
        for (size_t i = 0; i < KSA_COUNT(accounts_of_ci); i++)
                ret_answers[n++] =
                        digest_account(ksa_registry_by_account(registry, "prod", "ci",
                                                               accounts_of_ci[i], &account),
                                       &account);
        ret_answers[n++] = digest_group(
                registry, ksa_registry_group_by_name(registry, "k8s-ci", &group), &group);
        ret_answers[n++] = digest_group(
                registry, ksa_registry_group_by_gid(registry, SAMPLE_GID, &group), &group);
        ret_answers[n++] =
                digest_group(registry, ksa_registry_group_by_gid(registry, 1000, &group), &group);
        enum ksa_registry_answer answer = ksa_registry_next_source(registry, &position, &source);
        ret_answers[n++] = answer == KSA_REGISTRY_FOUND
                                   ? digest_text((uint64_t)source.listed, source.cluster) | 16
                                   : (uint64_t)answer;
}

static void test_answers(void **state)
{
        struct ksa_registry registry = reader_of(*state);
        struct ksa_account_record account;
        struct ksa_group_record group;
        char buffer[128];
        char *fields[5];
        size_t size = 0;

        assert_int_equal(ksa_registry_by_name(&registry, "ci_deployer", &account),
                         KSA_REGISTRY_FOUND);
        assert_int_equal(account.uid, 1900000011);
        assert_int_equal(ksa_registry_copy_passwd(&account, buffer, 20, fields, &size),
                         KSA_REGISTRY_NOT_FOUND);
        assert_int_equal(size, strlen("ci_deployer*prod/ci/deployer/home/ci/bin/sh") + 5);
        assert_int_equal(ksa_registry_copy_passwd(&account, buffer, size, fields, &size),
                         KSA_REGISTRY_FOUND);
        assert_string_equal(fields[0], "ci_deployer");
        assert_string_equal(fields[1], "*");
        assert_string_equal(fields[2], "prod/ci/deployer");
        assert_string_equal(fields[3], "/home/ci");
        assert_string_equal(fields[4], "/bin/sh");
        assert_int_equal(ksa_registry_by_uid(&registry, 1900000012, &account), KSA_REGISTRY_FOUND);
        assert_string_equal(account.name, "ci_retired");
        assert_int_equal(ksa_registry_copy_passwd(&account, buffer, sizeof(buffer), fields, &size),
                         KSA_REGISTRY_FOUND);
        assert_string_equal(fields[4], KSA_NOLOGIN);
        assert_string_equal(account.shell, "/bin/sh");
        assert_int_equal(ksa_registry_by_name(&registry, LONGEST, &account), KSA_REGISTRY_FOUND);
        assert_int_equal(ksa_registry_by_name(&registry, LONGEST "3", &account),
                         KSA_REGISTRY_NOT_FOUND);
        assert_int_equal(ksa_registry_by_account(&registry, "prod", "c", "i/deployer", &account),
                         KSA_REGISTRY_NOT_FOUND);
        assert_int_equal(ksa_registry_by_account(&registry, "prod/ci", "deployer", "", &account),
                         KSA_REGISTRY_NOT_FOUND);
        /* A private group has no record of its own. */
        assert_int_equal(ksa_registry_group_by_gid(&registry, 1900000011, &group),
                         KSA_REGISTRY_NOT_FOUND);
}

static void test_a_registry_that_was_never_opened_has_nothing_in_it(void **state)
{
        const struct ksa_registry registry = {0};
        uint64_t answers[QUESTIONS];

        (void)state;
        ask_all(&registry, answers);
        for (size_t i = 0; i < QUESTIONS; i++)
                assert_int_equal(answers[i], KSA_REGISTRY_NOT_FOUND);
        assert_false(ksa_registry_is_current(&registry, "/"));
}

/* --- Damage ----------------------------------------------------------------- */

/* Each answer is the one before, or BROKEN; never another, and never "not found". */
static void old_or_broken(const struct sample *sample, const uint64_t expected[QUESTIONS],
                          size_t where, unsigned *broken)
{
        struct ksa_registry registry;
        uint64_t answers[QUESTIONS];

        if (ksa_registry_read(sample->bytes, sample->size, &registry, NULL) != KSA_REGISTRY_FOUND) {
                (*broken)++;
                return;
        }
        ask_all(&registry, answers);
        for (size_t i = 0; i < QUESTIONS; i++) {
                if (answers[i] != expected[i] && answers[i] != KSA_REGISTRY_BROKEN)
                        fail_msg("byte %zu: question %zu has another answer", where, i);
                *broken += answers[i] != expected[i];
        }
}

static void test_a_changed_byte_never_changes_an_answer(void **state)
{
        struct sample *sample = *state;
        struct ksa_registry registry = reader_of(sample);
        static const unsigned char changes[] = {1, 2, 4, 8, 16, 32, 64, 128, 255};
        uint64_t expected[QUESTIONS];
        const char *why;

        ask_all(&registry, expected);
        for (size_t i = 0; i < sample->size; i++)
                for (size_t j = 0; j < KSA_COUNT(changes); j++) {
                        unsigned broken = 0;

                        sample->bytes[i] ^= changes[j];
                        old_or_broken(sample, expected, i, &broken);
                        /* Damage that no lookup meets is found by the check of the whole file. */
                        if (i < sample->header.header_size && broken == 0)
                                fail_msg("byte %zu of the header was not missed", i);
                        if (i >= sample->header.header_size &&
                            ksa_registry_is_whole(&registry, &why))
                                fail_msg("byte %zu was not missed", i);
                        sample->bytes[i] ^= changes[j];
                }
        assert_true(ksa_registry_is_whole(&registry, &why));
}

static void test_a_file_that_is_cut_is_broken(void **state)
{
        struct sample *sample = *state;
        struct ksa_registry registry;
        const char *why;

        for (size_t size = 0; size < sample->size; size++) {
                unsigned char *bytes = malloc(size + 1);

                assert_non_null(bytes);
                memcpy(bytes, sample->bytes, size);
                assert_int_equal(ksa_registry_read(bytes, size, &registry, &why),
                                 KSA_REGISTRY_BROKEN);
                assert_null(registry.bytes);
                free(bytes);
        }
}

/* --- Versions --------------------------------------------------------------- */

static enum ksa_registry_answer of_version(struct sample *sample, uint32_t version, uint32_t oldest)
{
        struct ksa_registry registry;
        struct ksa_format_header header = sample->header;

        header.version = version;
        header.oldest_reader = oldest;
        memcpy(sample->bytes, &header, sizeof(header));
        sample_seal(sample->bytes, sample->size, false);
        return ksa_registry_read(sample->bytes, sample->size, &registry, NULL);
}

static void test_versions(void **state)
{
        struct sample *sample = *state;
        uint32_t ours = KSA_REGISTRY_VERSION;

        assert_int_equal(of_version(sample, ours, ours), KSA_REGISTRY_FOUND);
        assert_int_equal(of_version(sample, ours + 1, ours), KSA_REGISTRY_FOUND);
        assert_int_equal(of_version(sample, ours + 7, ours), KSA_REGISTRY_FOUND);
        assert_int_equal(of_version(sample, ours + 1, ours + 1), KSA_REGISTRY_BROKEN);
        assert_int_equal(of_version(sample, KSA_REGISTRY_OLDEST - 1, 0), KSA_REGISTRY_BROKEN);
        assert_int_equal(of_version(sample, ours, ours + 1), KSA_REGISTRY_BROKEN);
}

/* Moves all from OFFSET on by 8 bytes; later offsets in the header move too. */
static void make_room(struct sample *sample, size_t offset)
{
        struct ksa_format_header *header = &sample->header;
        uint64_t *offsets[] = {&header->accounts,    &header->accounts_end, &header->members,
                               &header->members_end, &header->groups,       &header->groups_end,
                               &header->sources,     &header->sources_end,  &header->buckets};

        sample->bytes = realloc(sample->bytes, sample->size + 8);
        assert_non_null(sample->bytes);
        memmove(sample->bytes + offset + 8, sample->bytes + offset, sample->size - offset);
        memset(sample->bytes + offset, 'x', 8);
        sample->size += 8;
        for (size_t i = 0; i < KSA_COUNT(offsets); i++)
                if (*offsets[i] >= offset)
                        *offsets[i] += 8;
        memcpy(sample->bytes, header, sizeof(*header));
}

static void test_a_later_version_may_append(void **state)
{
        struct sample *sample = *state;
        struct ksa_registry registry;
        struct ksa_account_record account;
        struct ksa_source_record source;
        struct ksa_format_record head;
        size_t position = 0;

        sample->header.version = KSA_REGISTRY_VERSION + 1;
        make_room(sample, (size_t)sample->header.sources_end);
        memcpy(&head, sample->bytes + sample->header.sources, sizeof(head));
        head.length += 8;
        memcpy(sample->bytes + sample->header.sources, &head, 8);
        sample->header.header_size += 8;
        make_room(sample, sample->header.header_size - 16);
        sample_seal(sample->bytes, sample->size, true);
        assert_int_equal(ksa_registry_read(sample->bytes, sample->size, &registry, NULL),
                         KSA_REGISTRY_FOUND);
        assert_int_equal(ksa_registry_next_source(&registry, &position, &source),
                         KSA_REGISTRY_FOUND);
        assert_string_equal(source.cluster, "prod");
        assert_int_equal(ksa_registry_next_source(&registry, &position, &source),
                         KSA_REGISTRY_NOT_FOUND);
        position = 0;
        assert_int_equal(ksa_registry_next(&registry, &position, &account), KSA_REGISTRY_FOUND);
        assert_string_equal(account.name, LONGEST);
}

/* --- Hostile records, whose sums are right ---------------------------------- */

struct change {
        const char *what;
        size_t offset, size;
        uint64_t value;
};

/* Puts it into the record at OFFSET, in SCRATCH, and asks for everything. */
static void changed(const struct sample *sample, unsigned char *scratch, size_t offset,
                    const struct change *change, uint64_t ret_answers[QUESTIONS])
{
        struct ksa_registry registry;

        memcpy(scratch, sample->bytes, sample->size);
        memcpy(scratch + offset + change->offset, &change->value, change->size);
        sample_seal(scratch, sample->size, false);
        assert_int_equal(ksa_registry_read(scratch, sample->size, &registry, NULL),
                         KSA_REGISTRY_FOUND);
        ask_all(&registry, ret_answers);
}

#define FIELD(type, field) offsetof(type, field), sizeof(((type *)0)->field)

static size_t offset_of(const struct sample *sample, const char *name)
{
        struct ksa_registry registry = reader_of(sample);
        struct ksa_account_record account;
        size_t position = 0, offset = registry.accounts;

        while (ksa_registry_next(&registry, &position, &account) == KSA_REGISTRY_FOUND) {
                if (strcmp(account.name, name) == 0)
                        return offset;
                offset = position;
        }
        fail_msg("no %s", name);
        return 0;
}

static void test_a_hostile_account_is_broken(void **state)
{
        static const struct change changes[] = {
                {"uid 0", FIELD(struct ksa_format_account, uid), 0},
                {"uid 999", FIELD(struct ksa_format_account, uid), 999},
                {"uid of systemd", FIELD(struct ksa_format_account, uid), 61184},
                {"uid of systemd", FIELD(struct ksa_format_account, uid), 65519},
                {"uid of nobody", FIELD(struct ksa_format_account, uid), 65534},
                {"uid 65535", FIELD(struct ksa_format_account, uid), 65535},
                {"uid -1", FIELD(struct ksa_format_account, uid), UINT32_MAX},
                {"a reason of an active one", FIELD(struct ksa_format_account, reasons), 1},
                {"former and active", FIELD(struct ksa_format_account, flags), KSA_ACCOUNT_FORMER},
                {"no state", FIELD(struct ksa_format_account, state), 0},
                {"state", FIELD(struct ksa_format_account, state), KSA_ACCOUNT_STATE_COUNT},
                {"disabled, without a reason", FIELD(struct ksa_format_account, state),
                 KSA_ACCOUNT_DISABLED},
                {"removed, with a shell", FIELD(struct ksa_format_account, state),
                 KSA_ACCOUNT_REMOVED},
                {"flag", FIELD(struct ksa_format_account, flags), KSA_ACCOUNT_FLAGS + 1},
                {"kind", FIELD(struct ksa_format_account, kind), KSA_FORMAT_GROUP},
                {"length 0", FIELD(struct ksa_format_account, length), 0},
                {"length 40", FIELD(struct ksa_format_account, length), 40},
                {"length", FIELD(struct ksa_format_account, length), 0xfffffff8},
                {"length of one text", FIELD(struct ksa_format_account, length), 56},
                {"groups far away", FIELD(struct ksa_format_account, groups), 0xfffc},
                {"groups not aligned", FIELD(struct ksa_format_account, groups), 50},
                {"groups", FIELD(struct ksa_format_account, group_count), 0xffff},
                {"groups", FIELD(struct ksa_format_account, group_count), 65},
                {"passwd far away", FIELD(struct ksa_format_account, passwd), 0xffff},
                {"passwd elsewhere", FIELD(struct ksa_format_account, passwd), 8},
                {"no passwd", FIELD(struct ksa_format_account, passwd_size), 0},
                {"passwd without an end", FIELD(struct ksa_format_account, passwd_size), 12},
                {"passwd with more behind", FIELD(struct ksa_format_account, passwd_size), 53},
                {"passwd too long", FIELD(struct ksa_format_account, passwd_size), 0xffff},
                {"texts far away", FIELD(struct ksa_format_account, texts), 0xffff},
                {"no texts", FIELD(struct ksa_format_account, texts_size), 0},
                {"a text without an end", FIELD(struct ksa_format_account, texts_size), 20},
                {"in the group of root", sizeof(struct ksa_format_account), 4, 0},
                {"in a group of the system", sizeof(struct ksa_format_account) + 4, 4, 27},
                {"in nobody's group", sizeof(struct ksa_format_account), 4, 65534},
                {"in the group -1", sizeof(struct ksa_format_account), 4, UINT32_MAX},
                {"a colon in the name", sizeof(struct ksa_format_account) + 8, 1, ':'},
                {"a newline in the name", sizeof(struct ksa_format_account) + 9, 1, '\n'},
                {"an option for a name", sizeof(struct ksa_format_account) + 8, 1, '-'},
                {"a slash in the name", sizeof(struct ksa_format_account) + 8, 1, '/'},
                {"no name", sizeof(struct ksa_format_account) + 8, 1, 0},
                {"a password that is none", sizeof(struct ksa_format_account) + 20, 1, 'x'},
                {"a home that is no path", sizeof(struct ksa_format_account) + 39, 1, 'h'},
                {"a newline in gecos", sizeof(struct ksa_format_account) + 24, 1, '\n'},
        };
        struct sample *sample = *state;
        size_t offset = offset_of(sample, "ci_deployer");
        unsigned char *scratch = malloc(sample->size);
        uint64_t before[QUESTIONS], answers[QUESTIONS];
        struct ksa_registry registry = reader_of(sample);

        assert_non_null(scratch);
        ask_all(&registry, before);
        for (size_t i = 0; i < KSA_COUNT(changes); i++) {
                changed(sample, scratch, offset, &changes[i], answers);
                /* By name and by account; the account's neighbours are as they were. */
                if (answers[1] != KSA_REGISTRY_BROKEN ||
                    answers[KSA_COUNT(names) + KSA_COUNT(uids) + 1] != KSA_REGISTRY_BROKEN)
                        fail_msg("%s was answered", changes[i].what);
                assert_true(answers[0] == before[0]);
        }
        free(scratch);
}

static void test_a_state_that_is_none_is_broken(void **state)
{
        static const struct change change = {"state", FIELD(struct ksa_format_account, state),
                                             KSA_ACCOUNT_STATE_COUNT};
        struct sample *sample = *state;
        unsigned char *scratch = malloc(sample->size);
        uint64_t answers[QUESTIONS];

        assert_non_null(scratch);
        /* This one has no shell already. */
        changed(sample, scratch, offset_of(sample, "ci_retired"), &change, answers);
        assert_int_equal(answers[2], KSA_REGISTRY_BROKEN);
        free(scratch);
}

static void test_more_groups_than_an_account_has_are_broken(void **state)
{
        /* Four of these are a gid that it could have. */
        char home[] =
                "/hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh"
                "hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh"
                "hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh"
                "hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh";
        struct ksa_account_record account = sample_account("ci_x", "x", 1900000010);
        struct ksa_format_account format;
        struct ksa_registry registry;
        unsigned char *bytes;
        size_t size;

        (void)state;
        account.home = home;
        sample_build(&account, 1, &bytes, &size);
        assert_int_equal(ksa_registry_read(bytes, size, &registry, NULL), KSA_REGISTRY_FOUND);
        memcpy(&format, bytes + registry.accounts, sizeof(format));
        format.groups = (uint16_t)((format.passwd + 32) / 4 * 4);
        for (uint16_t count = KSA_ACCOUNT_GROUPS_MAX; count <= KSA_ACCOUNT_GROUPS_MAX + 1;
             count++) {
                format.group_count = count;
                memcpy(bytes + registry.accounts, &format, sizeof(format));
                sample_seal(bytes, size, false);
                assert_int_equal(ksa_registry_by_name(&registry, "ci_x", &account),
                                 count == KSA_ACCOUNT_GROUPS_MAX ? KSA_REGISTRY_FOUND
                                                                 : KSA_REGISTRY_BROKEN);
        }
        free(bytes);
}

static void test_a_system_group_needs_the_flag_and_roots_has_none(void **state)
{
        struct sample *sample = *state;
        size_t offset = offset_of(sample, "ci_deployer");
        unsigned char *scratch = malloc(sample->size);
        uint64_t answers[QUESTIONS];
        const uint16_t powerful = KSA_ACCOUNT_POWERFUL;
        struct change change = {"", sizeof(struct ksa_format_account), 4, 27};

        assert_non_null(scratch);
        memcpy(sample->bytes + offset + offsetof(struct ksa_format_account, flags), &powerful,
               sizeof(powerful));
        changed(sample, scratch, offset, &change, answers);
        assert_true(answers[1] > KSA_REGISTRY_BROKEN);
        change.value = 0;
        changed(sample, scratch, offset, &change, answers);
        assert_int_equal(answers[1], KSA_REGISTRY_BROKEN);
        free(scratch);
}

static void test_a_hostile_group_is_broken(void **state)
{
        static const struct change changes[] = {
                {"gid 0", FIELD(struct ksa_format_group, gid), 0},
                {"gid 999", FIELD(struct ksa_format_group, gid), 999},
                {"kind", FIELD(struct ksa_format_group, kind), KSA_FORMAT_ACCOUNT},
                {"members before their part", FIELD(struct ksa_format_group, members), 0},
                {"members far away", FIELD(struct ksa_format_group, members), UINT64_MAX - 7},
                {"members not aligned", FIELD(struct ksa_format_group, members), 1},
                {"too many members", FIELD(struct ksa_format_group, member_count), UINT32_MAX},
                {"one line too many", FIELD(struct ksa_format_group, member_count), 16},
                {"a member that is none", FIELD(struct ksa_format_group, member_count), 4},
                {"no name", FIELD(struct ksa_format_group, texts_size), 0},
                {"texts far away", FIELD(struct ksa_format_group, texts), 0xffff},
                {"a colon in the name", sizeof(struct ksa_format_group), 1, ':'},
        };
        struct sample *sample = *state;
        unsigned char *scratch = malloc(sample->size);
        uint64_t answers[QUESTIONS];

        assert_non_null(scratch);
        for (size_t i = 0; i < KSA_COUNT(changes); i++) {
                struct ksa_registry registry;
                struct ksa_group_record group;

                changed(sample, scratch, (size_t)sample->header.groups, &changes[i], answers);
                assert_int_equal(ksa_registry_read(scratch, sample->size, &registry, NULL),
                                 KSA_REGISTRY_FOUND);
                /* Before a member is looked at: the list may be outside of the file. */
                if (strcmp(changes[i].what, "a member that is none") != 0)
                        assert_int_equal(ksa_registry_group_by_name(&registry, "k8s-ci", &group),
                                         KSA_REGISTRY_BROKEN);
                if (answers[QUESTIONS - 4] != KSA_REGISTRY_BROKEN)
                        fail_msg("%s was answered", changes[i].what);
        }
        free(scratch);
}

static void test_the_list_alone_puts_nobody_into_a_group(void **state)
{
        struct sample *sample = *state;
        size_t offset = offset_of(sample, "ci_deployer");
        const uint32_t other = 4321;
        uint64_t answers[QUESTIONS];
        struct ksa_registry registry;

        memcpy(sample->bytes + offset + sizeof(struct ksa_format_account), &other, sizeof(other));
        sample_seal(sample->bytes, sample->size, false);
        registry = reader_of(sample);
        ask_all(&registry, answers);
        assert_true(answers[1] > KSA_REGISTRY_BROKEN);
        assert_int_equal(answers[QUESTIONS - 4], KSA_REGISTRY_BROKEN);
}

static void test_a_member_that_stands_there_twice_is_damage(void **state)
{
        struct sample *sample = *state;
        unsigned char *members = sample->bytes + sample->header.members;
        struct ksa_registry registry = reader_of(sample);
        struct ksa_group_record group;
        struct ksa_account_record account;

        memcpy(members, members + sizeof(uint32_t), sizeof(uint32_t));
        assert_int_equal(ksa_registry_group_by_gid(&registry, SAMPLE_GID, &group),
                         KSA_REGISTRY_FOUND);
        assert_int_equal(ksa_registry_member(&registry, &group, 0, &account), KSA_REGISTRY_BROKEN);
}

/* Every slot has the tag of NAME, or of another key of the lookup, and names RECORD. */
static enum ksa_registry_answer in_a_table_of(struct sample *sample, size_t record,
                                              const char *name)
{
        struct ksa_registry registry = reader_of(sample);
        struct ksa_account_record account;
        uint64_t hash = ksa_format_hash(registry.seed, KSA_KEY_NAME, name, strlen(name));
        struct ksa_format_bucket bucket = {0};

        for (size_t i = 0; i < KSA_FORMAT_SLOTS; i++) {
                bucket.slots[i].tag = (uint32_t)(hash >> 32);
                bucket.slots[i].record = (uint32_t)(record / 8);
        }
        for (size_t i = 0; i < registry.bucket_count; i++)
                memcpy(sample->bytes + registry.buckets + i * sizeof(bucket), &bucket,
                       sizeof(bucket));
        sample_seal(sample->bytes, sample->size, false);
        registry = reader_of(sample);
        return ksa_registry_by_name(&registry, name, &account);
}

static void test_a_hostile_table_ends_and_leads_nowhere_else(void **state)
{
        struct sample *sample = *state;
        size_t first = (size_t)sample->header.accounts;

        /* Full: no free slot, and all of them have other owners. */
        assert_int_equal(in_a_table_of(sample, first, "ci_nobody"), KSA_REGISTRY_NOT_FOUND);
        assert_int_equal(in_a_table_of(sample, first, LONGEST), KSA_REGISTRY_FOUND);
        assert_int_equal(in_a_table_of(sample, 8, LONGEST), KSA_REGISTRY_BROKEN);
        assert_int_equal(in_a_table_of(sample, first + 8, LONGEST), KSA_REGISTRY_BROKEN);
        assert_int_equal(in_a_table_of(sample, (size_t)sample->header.groups, LONGEST),
                         KSA_REGISTRY_BROKEN);
        assert_int_equal(in_a_table_of(sample, (size_t)sample->header.buckets, LONGEST),
                         KSA_REGISTRY_BROKEN);
        assert_int_equal(in_a_table_of(sample, sample->size, LONGEST), KSA_REGISTRY_BROKEN);
        assert_int_equal(in_a_table_of(sample, (size_t)UINT32_MAX * 8, LONGEST),
                         KSA_REGISTRY_BROKEN);
}

static void test_a_hostile_header_is_broken(void **state)
{
        static const struct change changes[] = {
                {"no buckets", FIELD(struct ksa_format_header, bucket_count), 0},
                {"three buckets", FIELD(struct ksa_format_header, bucket_count), 3},
                {"buckets", FIELD(struct ksa_format_header, bucket_count), 0x80000000},
                {"accounts", FIELD(struct ksa_format_header, account_count), 1000000},
                {"groups", FIELD(struct ksa_format_header, group_count), 1000000},
                {"accounts", FIELD(struct ksa_format_header, accounts), 0},
                {"accounts", FIELD(struct ksa_format_header, accounts_end), UINT64_MAX - 7},
                {"accounts", FIELD(struct ksa_format_header, accounts), 161},
                {"buckets", FIELD(struct ksa_format_header, buckets), UINT64_MAX - 7},
                {"size", FIELD(struct ksa_format_header, size), 160},
                {"header", FIELD(struct ksa_format_header, header_size), 152},
                {"header", FIELD(struct ksa_format_header, header_size), 4104},
                {"byte order", FIELD(struct ksa_format_header, byte_order), 0x04030201},
                {"magic", FIELD(struct ksa_format_header, magic), 0},
        };
        struct sample *sample = *state;
        unsigned char *scratch = malloc(sample->size);
        struct ksa_registry registry;
        const char *why = NULL;

        assert_non_null(scratch);
        for (size_t i = 0; i < KSA_COUNT(changes); i++) {
                memcpy(scratch, sample->bytes, sample->size);
                memcpy(scratch + changes[i].offset, &changes[i].value, changes[i].size);
                sample_seal(scratch, sample->size, false);
                if (ksa_registry_read(scratch, sample->size, &registry, &why) !=
                    KSA_REGISTRY_BROKEN)
                        fail_msg("%s was read", changes[i].what);
                assert_non_null(why);
        }
        free(scratch);
}

/* --- The file --------------------------------------------------------------- */

static char path[96];

static void write_file(const struct workdir *workdir, const char *name, mode_t mode, size_t count)
{
        unsigned char *bytes;
        size_t size;

        sample_build_many(count, 1, &bytes, &size);
        (void)snprintf(path, sizeof(path), "%s/%s", workdir->directory, name);
        (void)unlink(path);
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, bytes, size), size);
        assert_int_equal(fchmod(fd, mode), 0);
        assert_int_equal(close(fd), 0);
        free(bytes);
}

static enum ksa_registry_answer open_it(const char *name, uid_t owner)
{
        struct ksa_registry registry;
        const char *why = NULL;

        errno = 4711;
        enum ksa_registry_answer answer = ksa_registry_open(name, owner, &registry, &why);
        assert_int_equal(errno, 4711);
        assert_int_equal(answer == KSA_REGISTRY_BROKEN, why != NULL);
        assert_int_equal(answer == KSA_REGISTRY_FOUND, registry.bytes != NULL);
        ksa_registry_close(&registry);
        assert_int_equal(errno, 4711);
        assert_null(registry.bytes);
        return answer;
}

static void test_only_a_file_that_nobody_else_can_write(void **state)
{
        const struct workdir *workdir = *state;
        static const mode_t unsafe[] = {0664, 0646, 0620, 0602};
        char other[128];

        write_file(workdir, "registry", 0644, 3);
        assert_int_equal(open_it(path, getuid()), KSA_REGISTRY_FOUND);
        (void)snprintf(other, sizeof(other), "%s/registry", path);
        assert_int_equal(open_it(other, getuid()), KSA_REGISTRY_NOT_FOUND);
        for (size_t i = 0; i < KSA_COUNT(unsafe); i++) {
                write_file(workdir, "registry", unsafe[i], 3);
                assert_int_equal(open_it(path, getuid()), KSA_REGISTRY_BROKEN);
        }
        write_file(workdir, "registry", 0644, 3);
        (void)snprintf(other, sizeof(other), "%s/link", workdir->directory);
        assert_int_equal(symlink("registry", other), 0);
        assert_int_equal(open_it(other, getuid()), KSA_REGISTRY_BROKEN);
        (void)snprintf(other, sizeof(other), "%s/fifo", workdir->directory);
        assert_int_equal(mkfifo(other, 0644), 0);
        assert_int_equal(open_it(other, getuid()), KSA_REGISTRY_BROKEN);
        assert_int_equal(open_it(workdir->directory, getuid()), KSA_REGISTRY_BROKEN);
        assert_int_equal(open_it("/dev/null", getuid()), KSA_REGISTRY_BROKEN);
        (void)snprintf(other, sizeof(other), "%s/none", workdir->directory);
        assert_int_equal(open_it(other, getuid()), KSA_REGISTRY_NOT_FOUND);
        workdir_write(workdir, "empty", "");
        (void)snprintf(other, sizeof(other), "%s/empty", workdir->directory);
        assert_int_equal(open_it(other, getuid()), KSA_REGISTRY_BROKEN);
        /* Another's: root is the one who may be. */
        if (getuid() != 0)
                assert_int_equal(open_it(path, getuid() + 1), KSA_REGISTRY_BROKEN);
        else if (chown(path, 4711, 4711) == 0)
                assert_int_equal(open_it(path, getuid()), KSA_REGISTRY_BROKEN);
}

static void test_two_readers_and_a_file_that_is_replaced(void **state)
{
        const struct workdir *workdir = *state;
        struct ksa_registry first, second;
        struct ksa_account_record account;

        write_file(workdir, "registry", 0644, 3);
        assert_int_equal(ksa_registry_open(path, getuid(), &first, NULL), KSA_REGISTRY_FOUND);
        assert_true(ksa_registry_is_current(&first, path));
        write_file(workdir, "registry", 0644, 300);
        assert_false(ksa_registry_is_current(&first, path));
        assert_int_equal(ksa_registry_open(path, getuid(), &second, NULL), KSA_REGISTRY_FOUND);
        assert_true(ksa_registry_is_current(&second, path));
        assert_true(first.serial != second.serial);
        assert_true(first.seed != second.seed);
        assert_int_equal(ksa_registry_by_name(&first, "ci_0000299", &account),
                         KSA_REGISTRY_NOT_FOUND);
        assert_int_equal(ksa_registry_by_name(&second, "ci_0000299", &account), KSA_REGISTRY_FOUND);
        assert_int_equal(ksa_registry_by_name(&first, "ci_0000002", &account), KSA_REGISTRY_FOUND);
        ksa_registry_close(&first);
        assert_int_equal(ksa_registry_by_name(&second, "ci_0000002", &account), KSA_REGISTRY_FOUND);
        assert_int_equal(unlink(path), 0);
        assert_false(ksa_registry_is_current(&second, path));
        ksa_registry_close(&second);
}

static void test_usable_numbers(void **state)
{
        static const uint32_t no[] = {0,     1,     999,        61184, 61185,      65519,
                                      65534, 65535, UINT32_MAX, 65000, 2147352576, 2147418111};
        static const uint32_t yes[] = {1000,    61183,      65520,          65533,      65536,
                                       1 << 30, 1879048192, UINT32_MAX - 1, 2147352575, 2147418112};

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(no); i++)
                assert_false(ksa_uid_is_usable(no[i]));
        for (size_t i = 0; i < KSA_COUNT(yes); i++)
                assert_true(ksa_uid_is_usable(yes[i]));
}

#define WITH_SAMPLE(test) cmocka_unit_test_setup_teardown(test, sample_setup, sample_teardown)
#define WITH_PLACE(test)  cmocka_unit_test_setup_teardown(test, workdir_setup, workdir_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                WITH_SAMPLE(test_answers),
                cmocka_unit_test(test_a_registry_that_was_never_opened_has_nothing_in_it),
                WITH_SAMPLE(test_a_changed_byte_never_changes_an_answer),
                WITH_SAMPLE(test_a_file_that_is_cut_is_broken),
                WITH_SAMPLE(test_versions),
                WITH_SAMPLE(test_a_later_version_may_append),
                WITH_SAMPLE(test_a_hostile_account_is_broken),
                WITH_SAMPLE(test_a_state_that_is_none_is_broken),
                cmocka_unit_test(test_more_groups_than_an_account_has_are_broken),
                WITH_SAMPLE(test_a_system_group_needs_the_flag_and_roots_has_none),
                WITH_SAMPLE(test_a_hostile_group_is_broken),
                WITH_SAMPLE(test_the_list_alone_puts_nobody_into_a_group),
                WITH_SAMPLE(test_a_member_that_stands_there_twice_is_damage),
                WITH_SAMPLE(test_a_hostile_table_ends_and_leads_nowhere_else),
                WITH_SAMPLE(test_a_hostile_header_is_broken),
                WITH_PLACE(test_only_a_file_that_nobody_else_can_write),
                WITH_PLACE(test_two_readers_and_a_file_that_is_replaced),
                cmocka_unit_test(test_usable_numbers),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
