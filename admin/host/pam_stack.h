/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PAM configuration of a service as libpam reads it: one list of modules, with includes followed.
 * pam.d(5) of Linux-PAM, and Debian's @include.
 */
#ifndef KSA_HOST_PAM_STACK_H
#define KSA_HOST_PAM_STACK_H

#include <stdbool.h>

#include "base/error.h"
#include "base/list.h"
#include "base/macros.h"

/* The return codes of modules and their names in controls, numbered as in libpam. */
/* clang-format off */
#define KSA_PAM_CODES(X)                                                                           \
        X(SUCCESS, "success") X(OPEN_ERR, "open_err") X(SYMBOL_ERR, "symbol_err")                  \
        X(SERVICE_ERR, "service_err") X(SYSTEM_ERR, "system_err") X(BUF_ERR, "buf_err")            \
        X(PERM_DENIED, "perm_denied") X(AUTH_ERR, "auth_err")                                      \
        X(CRED_INSUFFICIENT, "cred_insufficient") X(AUTHINFO_UNAVAIL, "authinfo_unavail")          \
        X(USER_UNKNOWN, "user_unknown") X(MAXTRIES, "maxtries")                                    \
        X(NEW_AUTHTOK_REQD, "new_authtok_reqd") X(ACCT_EXPIRED, "acct_expired")                    \
        X(SESSION_ERR, "session_err") X(CRED_UNAVAIL, "cred_unavail")                              \
        X(CRED_EXPIRED, "cred_expired") X(CRED_ERR, "cred_err")                                    \
        X(NO_MODULE_DATA, "no_module_data") X(CONV_ERR, "conv_err") X(AUTHTOK_ERR, "authtok_err")  \
        X(AUTHTOK_RECOVERY_ERR, "authtok_recover_err")                                             \
        X(AUTHTOK_LOCK_BUSY, "authtok_lock_busy")                                                  \
        X(AUTHTOK_DISABLE_AGING, "authtok_disable_aging") X(TRY_AGAIN, "try_again")                \
        X(IGNORE, "ignore") X(ABORT, "abort") X(AUTHTOK_EXPIRED, "authtok_expired")                \
        X(MODULE_UNKNOWN, "module_unknown") X(BAD_ITEM, "bad_item") X(CONV_AGAIN, "conv_again")    \
        X(INCOMPLETE, "incomplete")
/* clang-format on */

enum ksa_pam_code {
#define X(identifier, name) KSA_PAM_##identifier,
        KSA_PAM_CODES(X)
#undef X
                KSA_PAM_CODE_COUNT,
};

/* What a control does with a code: one of these, or the number of modules to skip. */
enum ksa_pam_action {
        KSA_PAM_DO_IGNORE = 0,
        KSA_PAM_DO_OK = -1,
        KSA_PAM_DO_DONE = -2,
        KSA_PAM_DO_BAD = -3,
        KSA_PAM_DO_DIE = -4,
        KSA_PAM_DO_RESET = -5,
};

enum ksa_pam_phase {
        KSA_PAM_AUTH,
        KSA_PAM_ACCOUNT,
        KSA_PAM_PASSWORD,
        KSA_PAM_SESSION,
        KSA_PAM_PHASE_COUNT,
};

/* Most modules of a service and of `other` together. */
#define KSA_PAM_ENTRIES_MAX 1000

/* Most files within each other: PAM_SUBSTACK_MAX_LEVEL. */
#define KSA_PAM_LEVELS_MAX 16

struct ksa_pam_entry {
        enum ksa_pam_phase phase;
        int actions[KSA_PAM_CODE_COUNT];
        const char *module; /* as written; NULL for a substack and for a line that is refused */
        struct ksa_list arguments; /* texts */
        bool is_substack;          /* the modules of the substack follow, one level deeper */
        bool is_other;             /* of the service `other` */
        unsigned level;
        const char *file;
        unsigned line;
};

/* A line that libpam refuses; what it refuses is in the list as an entry that fails. */
struct ksa_pam_problem {
        const char *file;
        unsigned line;
        char text[256];
};

struct ksa_pam_stack {
        const char *file;         /* of the service */
        struct ksa_list entries;  /* struct ksa_pam_entry */
        struct ksa_list problems; /* struct ksa_pam_problem */
        struct ksa_list texts;    /* owned: files' names and lines, which the others refer to */
};

/*
 * Reads the files of SERVICE and of `other`, below the directory ROOT, which is "" on a real host.
 * Lines that libpam refuses are problems, not errors.
 *
 * ret_stack  owned by the caller (ksa_pam_stack_free)
 *
 * KSA_FILE_MISSING     the service has no file of its own: libpam takes `other`
 * KSA_FILE_UNREADABLE  the file of the service cannot be read
 * KSA_MEMORY
 */
enum ksa_reason ksa_pam_stack_read(const char *root, const char *service,
                                   struct ksa_pam_stack *ret_stack,
                                   struct ksa_error *err) KSA_MUST_CHECK;
void ksa_pam_stack_free(struct ksa_pam_stack *stack);

/*
 * The modules of PHASE in the order of libpam, which takes those of `other` if the service has none.
 * Pointers into the stack. Returns their number.
 */
size_t ksa_pam_stack_phase(const struct ksa_pam_stack *stack, enum ksa_pam_phase phase,
                           const struct ksa_pam_entry *ret_chain[KSA_PAM_ENTRIES_MAX]);

/* The name of CODE in a control. Static. */
const char *ksa_pam_code_name(enum ksa_pam_code code);

/* Whether the module of ENTRY has the base name NAME. */
bool ksa_pam_entry_is(const struct ksa_pam_entry *entry, const char *name);

/*
 * What libpam returns for a chain of COUNT modules whose results are known: RESULTS has a code for each,
 * or -1 for a module that takes no part, as if its control ignored it. Sets CALLED, unless it is NULL,
 * to whether libpam came to each module.
 */
enum ksa_pam_code ksa_pam_dispatch(const struct ksa_pam_entry *const *chain, size_t count,
                                   const int *results, bool *called);

#endif
