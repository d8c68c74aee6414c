/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/registry/nscd.h"

#include <poll.h>
#include <unistd.h>

#include "base/process.h"

/*
 * Milliseconds until the NSS module, which looks for a new registry once a second, has seen it in nscd too.
 * An answer that nscd takes from the old registry after the invalidation would be kept for minutes.
 */
#define UNTIL_SEEN 1100
/* For both runs together. */
#define PATIENCE 5000

enum ksa_reason ksa_nscd_invalidate(const struct ksa_env *env, struct ksa_error *err)
{
        char name[] = "nscd", option[] = "-i", passwd[] = "passwd", group[] = "group";
        char *const databases[] = {passwd, group};

        if (env->nscd_socket == NULL || access(env->nscd_socket, F_OK) != 0)
                return KSA_OK;
        (void)poll(NULL, 0, UNTIL_SEEN);
        const struct timespec deadline = ksa_deadline_in(PATIENCE);
        for (size_t i = 0; i < KSA_COUNT(databases); i++) {
                char *const arguments[] = {name, option, databases[i], NULL};

                if (!ksa_process_run(env->nscd_program, arguments, &deadline))
                        return ksa_fail(err, KSA_HELPER, "%s -i %s failed", env->nscd_program,
                                        databases[i]);
        }
        return KSA_OK;
}
