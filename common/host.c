/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

void ksa_host_env_fill(struct ksa_host_env *ret_host, const char *config_file)
{
        unsigned random = 0;

        memset(ret_host, 0, sizeof(*ret_host));
        /* A name that does not fit is no name: an audience with %H is then refused. */
        if (gethostname(ret_host->host_name, sizeof(ret_host->host_name)) != 0 ||
            memchr(ret_host->host_name, '\0', sizeof(ret_host->host_name)) == NULL)
                ret_host->host_name[0] = '\0';
        /* It only has to be found in the log; where there is no randomness yet, it is zero. */
        if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
                random = 0;
        (void)snprintf(ret_host->reference, sizeof(ret_host->reference), "%08x", random);
        ret_host->env = (struct ksa_env){
                .now = (int64_t)time(NULL),
                .owner = 0,
                .config_file = config_file != NULL ? config_file : KSA_CONFIG_FILE,
                .cache_dir = KSA_CACHE_DIR,
                .host_name = ret_host->host_name,
                .reference = ret_host->reference,
        };
}
