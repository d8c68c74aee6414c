/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl explain: the user that a service runs as. */
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "ksactl.h"

bool become_service_user(const char *name, uid_t *ret_uid)
{
        const struct passwd *user = getpwnam(name);

        if (user == NULL) {
                (void)fprintf(stderr, "ksactl: --service-user: user \"%s\" does not exist\n", name);
                return false;
        }
        uid_t uid = user->pw_uid;
        gid_t gid = user->pw_gid;
        if (uid != 0 && geteuid() == 0) {
                if (initgroups(name, gid) != 0 || setresgid(gid, gid, gid) != 0 ||
                    setresuid(uid, uid, uid) != 0) {
                        perror("ksactl: --service-user");
                        return false;
                }
                (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* setresuid() may reset it */
        }
        *ret_uid = uid;
        return true;
}
