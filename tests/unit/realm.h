/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host and what its sources say, for tests of the plan: syncs one after the other, each written and
 * read again.
 */
#ifndef KSA_TEST_REALM_H
#define KSA_TEST_REALM_H

#include "account_plan.h"
#include "support.h"

struct realm {
        struct ksa_wanted_list wanted;
        struct ksa_uid_range range;
        bool careful; /* what is too much at once is held; without it all is done */
        int64_t now;
        struct ksa_local_files files; /* none of them exists, unless a test says so */
        char paths[3][96];            /* of passwd, group and sudoers: realm_has_files() */
        struct ksa_local *local;
        struct ksa_list written; /* unsigned char *: each registry so far */
        struct ksa_registry registry;
        struct ksa_plan *plan; /* the last */
        struct ksa_error err;
};

/* Sources that list: of prod and of test, refuse; of prod with recreated = accept. */
extern const struct ksa_accounts listing_prod, listing_test, listing_accept;

void realm_open(struct realm *realm);
void realm_close(struct realm *realm);
/* FOLDER is where the test may write passwd, group and sudoers. */
void realm_has_files(struct realm *realm, const char *folder);

/* Nobody is wanted any more, until the next realm_lists() and realm_declares(). The last plan is gone. */
void realm_forget(struct realm *realm);

/* prod lists an account of this age, whose Kubernetes uid is "uid-ACCOUNT"; the item, to be changed. */
struct ksa_wanted *realm_lists(struct realm *realm, const char *namespace, const char *account,
                               int64_t created);
/* An [account NAME] section declares it. SECTION is filled in, and outlives the plan. */
struct ksa_wanted *realm_declares(struct realm *realm, struct ksa_account *section,
                                  const char *name, const char *namespace, const char *account);

/* The plan, without writing it. */
enum ksa_reason realm_plan(struct realm *realm, enum ksa_plan_wish wish, const char *user);

/*
 * The plan, written and read; the same plan again must find nothing to do, and what was built must hold what
 * no registry may break.
 */
void realm_sync(struct realm *realm);
void realm_wish(struct realm *realm, enum ksa_plan_wish wish, const char *user);

/* The account's record in the registry; its state is 0 where it has none. */
struct ksa_account_record realm_record(const struct realm *realm, const char *namespace,
                                       const char *account);

/* The change of that account in the last plan; NULL where there is none. */
const struct ksa_plan_change *realm_change(const struct realm *realm, enum ksa_change change,
                                           const char *account);
size_t realm_changes(const struct realm *realm, enum ksa_change change);

#define assert_state(realm, account, wanted) \
        assert_int_equal(realm_record(realm, "ci", account).state, wanted)
#define assert_changed(realm, change, account) assert_non_null(realm_change(realm, change, account))
/* The change is told with these words in its reason. */
#define assert_told(realm, change, account, words)                                          \
        do {                                                                                \
                const struct ksa_plan_change *told_ = realm_change(realm, change, account); \
                assert_non_null(told_);                                                     \
                if (strstr(told_->why, words) == NULL)                                      \
                        fail_msg("'%s' is not in: %s", words, told_->why);                  \
        } while (0)
#define assert_remedy(realm, change, account, words)                                        \
        do {                                                                                \
                const struct ksa_plan_change *told_ = realm_change(realm, change, account); \
                assert_non_null(told_);                                                     \
                if (strstr(told_->remedy, words) == NULL)                                   \
                        fail_msg("'%s' is not in: %s", words, told_->remedy);               \
        } while (0)

#endif
