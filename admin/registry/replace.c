/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/registry/replace.h"

#include <poll.h>
#include <unistd.h>

#include "admin/base/file_write.h"
#include "admin/registry/mark.h"
#include "admin/registry/write.h"
#include "base/process.h"

static enum ksa_reason verify(const unsigned char *bytes, size_t size, struct ksa_error *err)
{
        struct ksa_registry made;
        const char *why = "";

        if (ksa_registry_read(bytes, size, &made, &why) == KSA_REGISTRY_FOUND &&
            ksa_registry_is_whole(&made, &why))
                return KSA_OK;
        return ksa_fail(err, KSA_INTERNAL,
                        "the new registry failed verification and was not written: %s", why);
}

/* The mark comes first, so that no crash leaves a registry without one. */
static enum ksa_reason put(const struct ksa_env *env, const unsigned char *bytes, size_t size,
                           struct ksa_error *err)
{
        const bool is_first = !ksa_registry_is_marked(env);
        enum ksa_reason reason = ksa_registry_mark(env, err);

        if (reason == KSA_OK)
                reason = ksa_file_replace(env->registry_file, env->owner, 0644, bytes, size, err);
        /* The next run must not take a first registry that could not be written for a lost one. */
        if (reason != KSA_OK && is_first && access(env->registry_file, F_OK) != 0)
                ksa_registry_unmark(env);
        return reason;
}

/*
 * Milliseconds until the NSS module, which looks for a new registry once a second, has seen it in nscd too.
 * An answer that nscd takes from the old registry after the invalidation would be kept for minutes.
 */
#define UNTIL_SEEN 1100
/* For both runs together. */
#define NSCD_TIME 5000

/*
 * Invalidates nscd's caches of passwd and group, as useradd does, if nscd has a socket. Takes more than a
 * second then, and at most seven.
 */
static enum ksa_reason invalidate_nscd(const struct ksa_env *env, struct ksa_error *err)
{
        char name[] = "nscd", option[] = "-i", passwd[] = "passwd", group[] = "group";
        char *const databases[] = {passwd, group};

        if (env->nscd_socket == NULL || access(env->nscd_socket, F_OK) != 0)
                return KSA_OK;
        (void)poll(NULL, 0, UNTIL_SEEN);
        const struct timespec deadline = ksa_deadline_in(NSCD_TIME);
        for (size_t i = 0; i < KSA_COUNT(databases); i++) {
                char *const arguments[] = {name, option, databases[i], NULL};

                if (!ksa_process_run(env->nscd_program, arguments, &deadline))
                        return ksa_fail(err, KSA_HELPER, "%s -i %s failed", env->nscd_program,
                                        databases[i]);
        }
        return KSA_OK;
}

enum ksa_reason ksa_registry_replace(const struct ksa_env *env, const unsigned char *bytes,
                                     size_t size, struct ksa_error *ret_warning,
                                     struct ksa_error *err)
{
        struct ksa_error warning = {0};
        enum ksa_reason reason = ksa_directory_make_for(env->registry_file, env->owner, 0755, err);

        if (reason == KSA_OK)
                reason = verify(bytes, size, err);
        if (reason == KSA_OK)
                reason = put(env, bytes, size, err);
        if (reason != KSA_OK)
                return reason;
        reason = invalidate_nscd(env, &warning);
        *ret_warning = reason == KSA_OK ? (struct ksa_error){0} : warning;
        return KSA_OK;
}
