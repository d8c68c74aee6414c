/* SPDX-License-Identifier: BSD-2-Clause */
/* A host and its sources, for tests of the plan: syncs one after the other, each written and read again. */
#ifndef KSA_TEST_PLAN_FIXTURE_H
#define KSA_TEST_PLAN_FIXTURE_H

#include "admin/accounts/plan.h"
#include "support/support.h"

struct fixture {
        struct ksa_desired_list desired;
        struct ksa_config config; /* its uid_range, and the clusters prod and test */
        struct ksa_cluster clusters[2];
        int64_t now;
        struct ksa_local_files files; /* none of them exists, unless a test creates it */
        char paths[3][96];            /* of passwd, group and subuid: fixture_has_files() */
        struct ksa_local *local;
        struct ksa_list written; /* unsigned char *: each registry so far */
        struct ksa_registry registry;
        struct ksa_plan *plan; /* the last */
        struct ksa_error err;
};

/* Sources of prod: refuse; accept re-created accounts; a leader's file. */
extern const struct ksa_accounts listing, listing_accept, following;

void fixture_open(struct fixture *fixture);
void fixture_close(struct fixture *fixture);
/* The test may write passwd, group and subuid in DIRECTORY. */
void fixture_has_files(struct fixture *fixture, const char *directory);

/* No account is desired, until the next fixture_lists() and fixture_declares(). The last plan is freed. */
void fixture_forget(struct fixture *fixture);

/* prod lists an account of this age, whose Kubernetes uid is "uid-ACCOUNT"; the item, to be changed. */
struct ksa_desired *fixture_lists(struct fixture *fixture, const char *namespace,
                                  const char *account, int64_t created);
/* An [account NAME] section declares it. SECTION is filled in, and outlives the plan. */
struct ksa_desired *fixture_declares(struct fixture *fixture, struct ksa_account *section,
                                     const char *name, const char *namespace, const char *account);
/* The accounts that the registry has stay desired: no source is read. */
void fixture_keeps(struct fixture *fixture);

enum ksa_reason fixture_plan(struct fixture *fixture, enum ksa_plan_action action,
                             const char *user);

/* These records become the registry. */
void fixture_write(struct fixture *fixture, const struct ksa_account_record *accounts,
                   size_t count);

/* The plan, written and read. The same plan again must find nothing to do. */
void fixture_sync(struct fixture *fixture);
void fixture_apply(struct fixture *fixture, enum ksa_plan_action action, const char *user);

/* The account's record in the registry; its state is 0 if it has none. */
struct ksa_account_record fixture_record(const struct fixture *fixture, const char *namespace,
                                         const char *account);
/* The change of that account in the last plan, or NULL. */
const struct ksa_plan_change *fixture_change(const struct fixture *fixture, enum ksa_change change,
                                             const char *account);

#define assert_state(fixture, account, wanted, why)                                     \
        do {                                                                            \
                assert_int_equal(fixture_record(fixture, "ci", account).state, wanted); \
                assert_int_equal(fixture_record(fixture, "ci", account).reasons, why);  \
        } while (0)
#define assert_changed(fixture, change, account) \
        assert_non_null(fixture_change(fixture, change, account))
#define assert_refused(fixture, account, wanted)                                              \
        do {                                                                                  \
                const struct ksa_plan_change *change_ =                                       \
                        fixture_change(fixture, KSA_CHANGE_REFUSED, account);                 \
                assert_non_null(change_);                                                     \
                if (change_->refusal != (wanted))                                             \
                        fail_msg("%s: %s", ksa_refusal_name(change_->refusal), change_->why); \
                assert_int_equal(fixture_record(fixture, "ci", account).state, 0);            \
        } while (0)

#endif
