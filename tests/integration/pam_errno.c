/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PAM module that runs before and after another one: it sets errno, and with the argument
 * "check" it succeeds only if errno still has that value. libpam itself changes errno when it
 * comes back to the program, but not between two modules.
 */
#include <errno.h>
#include <security/pam_modules.h>

#define OURS 4242

int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
        (void)pamh, (void)flags, (void)argv;
        if (argc > 0)
                return errno == OURS ? PAM_SUCCESS : PAM_PERM_DENIED;
        errno = OURS;
        return PAM_SUCCESS;
}

int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
        return pam_sm_authenticate(pamh, flags, argc, argv);
}

int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
        (void)pamh, (void)flags, (void)argc, (void)argv;
        return PAM_SUCCESS;
}
