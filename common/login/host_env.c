/* SPDX-License-Identifier: BSD-2-Clause */
#include "login/host_env.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* A UUID of version 4 (RFC 9562): random except for version and variant. */
static void fill_audit_id(struct ksa_host_env *host)
{
        unsigned char random[16];
        char *out = host->audit_id;

        /*
         * The id only has to be findable in logs, so it may be zero if early boot has no randomness
         * yet.
         */
        if (getrandom(random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
                memset(random, 0, sizeof(random));
        random[6] = (random[6] & 0x0f) | 0x40;
        random[8] = (random[8] & 0x3f) | 0x80;
        for (size_t i = 0; i < sizeof(random); i++) {
                if (i == 4 || i == 6 || i == 8 || i == 10)
                        *out++ = '-';
                (void)snprintf(out, 3, "%02x", random[i]);
                out += 2;
        }
        memcpy(host->reference, host->audit_id, sizeof(host->reference) - 1);
}

/* CLOCK_BOOTTIME: it cannot be set, and it continues during suspend. */
static int64_t uptime(void)
{
        struct timespec now;

        if (clock_gettime(CLOCK_BOOTTIME, &now) != 0)
                return 0;
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void ksa_host_env_read_clock(struct ksa_host_env *host)
{
        host->env.now = (int64_t)time(NULL);
}

void ksa_host_env_fill(struct ksa_host_env *ret_host, const char *config_file)
{
        memset(ret_host, 0, sizeof(*ret_host));
        /*
         * A truncated name could be another host's, so it becomes ""; audiences with %H are then
         * errors.
         */
        if (gethostname(ret_host->host_name, sizeof(ret_host->host_name)) != 0 ||
            memchr(ret_host->host_name, '\0', sizeof(ret_host->host_name)) == NULL)
                ret_host->host_name[0] = '\0';
        fill_audit_id(ret_host);
        ret_host->fetch = (struct ksa_fetch_process){.fetch_program = KSA_FETCH_PROGRAM,
                                                     .refresh_program = KSA_REFRESH_PROGRAM};
        ret_host->env = (struct ksa_env){
                .uptime = uptime,
                .owner = 0,
                .config_file = config_file != NULL ? config_file : KSA_CONFIG_FILE,
                .cache_dir = KSA_CACHE_DIR,
                .run_dir = KSA_RUN_DIR,
                .proc_dir = "/proc",
                .host_name = ret_host->host_name,
                .reference = ret_host->reference,
                .audit_id = ret_host->audit_id,
                .fetch = ksa_fetch_process_ask,
                .refresh = ksa_fetch_process_refresh,
                .fetch_context = &ret_host->fetch,
                .used_dir = KSA_STATE_DIR "/used",
                .registry_file = KSA_REGISTRY_FILE,
                .nscd_socket = "/var/run/nscd/socket", /* the path in glibc */
                .nscd_program = "/usr/sbin/nscd",
        };
        ksa_host_env_read_clock(ret_host);
}
