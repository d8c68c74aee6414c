/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host and its sources, for tests of the plan: syncs one after the other, each written and read again. */
#ifndef KSA_TEST_REALM_H
#define KSA_TEST_REALM_H

#include "admin/accounts/account_plan.h"
#include "support/support.h"

struct realm {
        struct ksa_desired_list desired;
        struct ksa_config config; /* its uid_range, and the clusters prod and test */
        struct ksa_cluster clusters[2];
        int64_t now;
        struct ksa_local_files files; /* none of them exists, unless a test says so */
        char paths[3][96];            /* of passwd, group and subuid: realm_has_files() */
        struct ksa_local *local;
        struct ksa_list written; /* unsigned char *: each registry so far */
        struct ksa_registry registry;
        struct ksa_plan *plan; /* the last */
        struct ksa_error err;
};

/* Sources of prod: refuse; accept re-created accounts; a leader's file. */
extern const struct ksa_accounts listing, listing_accept, following;

void realm_open(struct realm *realm);
void realm_close(struct realm *realm);
/* FOLDER is where the test may write passwd, group and subuid. */
void realm_has_files(struct realm *realm, const char *folder);

/* No account is desired, until the next realm_lists() and realm_declares(). The last plan is freed. */
void realm_forget(struct realm *realm);

/* prod lists an account of this age, whose Kubernetes uid is "uid-ACCOUNT"; the item, to be changed. */
struct ksa_desired *realm_lists(struct realm *realm, const char *namespace, const char *account,
                                int64_t created);
/* An [account NAME] section declares it. SECTION is filled in, and outlives the plan. */
struct ksa_desired *realm_declares(struct realm *realm, struct ksa_account *section,
                                   const char *name, const char *namespace, const char *account);
/* The accounts that the registry has stay desired: no source is read. */
void realm_keeps(struct realm *realm);

enum ksa_reason realm_plan(struct realm *realm, enum ksa_plan_wish wish, const char *user);

/* The plan, written and read. The same plan again must find nothing to do. */
void realm_sync(struct realm *realm);
void realm_wish(struct realm *realm, enum ksa_plan_wish wish, const char *user);

/* The account's record in the registry; its state is 0 if it has none. */
struct ksa_account_record realm_record(const struct realm *realm, const char *namespace,
                                       const char *account);
/* The change of that account in the last plan; NULL if there is none. */
const struct ksa_plan_change *realm_change(const struct realm *realm, enum ksa_change change,
                                           const char *account);

#define assert_state(realm, account, wanted, why)                                   \
        do {                                                                        \
                assert_int_equal(realm_record(realm, "ci", account).state, wanted); \
                assert_int_equal(realm_record(realm, "ci", account).reasons, why);  \
        } while (0)
#define assert_changed(realm, change, account) assert_non_null(realm_change(realm, change, account))
#define assert_refused(realm, account, wanted)                                            \
        do {                                                                              \
                const struct ksa_plan_change *told_ =                                     \
                        realm_change(realm, KSA_CHANGE_REFUSED, account);                 \
                assert_non_null(told_);                                                   \
                if (told_->refusal != (wanted))                                           \
                        fail_msg("%s: %s", ksa_refusal_word(told_->refusal), told_->why); \
                assert_int_equal(realm_record(realm, "ci", account).state, 0);            \
        } while (0)

#endif
