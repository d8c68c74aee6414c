/* SPDX-License-Identifier: BSD-2-Clause */
/* Part of status and check: whether systemd runs ksa's timers. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "status.h"

/* Directories with the links of enabled units (systemd.unit(5)). */
static const char *const units[] = {"/etc/systemd/system", "/run/systemd/system",
                                    "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
                                    "/lib/systemd/system"};

enum timer_state { ENABLED, DISABLED, MASKED };

/* systemctl mask puts a link to /dev/null in place of the unit. */
static bool is_masked(const char *directory, const char *timer)
{
        char path[128];
        struct stat status;

        (void)snprintf(path, sizeof(path), "%s/%s", directory, timer);
        return stat(path, &status) == 0 && !S_ISREG(status.st_mode);
}

static enum timer_state state_of(const char *timer)
{
        enum timer_state state = DISABLED;

        for (size_t i = 0; i < KSA_COUNT(units); i++) {
                char path[128];

                if (is_masked(units[i], timer))
                        return MASKED;
                (void)snprintf(path, sizeof(path), "%s/timers.target.wants/%s", units[i], timer);
                if (access(path, F_OK) == 0)
                        state = ENABLED;
        }
        return state;
}

bool timer_is_masked(const char *timer)
{
        return state_of(timer) == MASKED;
}

bool timer_runs(const char *timer, char remedy[TIMER_REMEDY_SIZE])
{
        enum timer_state state = state_of(timer);

        if (state == ENABLED)
                return true;
        if (state == MASKED)
                (void)snprintf(remedy, TIMER_REMEDY_SIZE,
                               "run systemctl unmask %s; systemctl enable --now %s", timer, timer);
        else
                (void)snprintf(remedy, TIMER_REMEDY_SIZE, "run systemctl enable --now %s", timer);
        return false;
}
