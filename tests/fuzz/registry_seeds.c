/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes seeds/registry, which only the writer itself can make: registry_seeds DIRECTORY */
#include "fuzz.h"
#include "support/registry_samples.h"

static void write_seed(const char *directory, const char *name, unsigned char seal,
                       const struct ksa_account_record *accounts, size_t count)
{
        const unsigned char selector[4] = {seal, 0, 0, 0};
        unsigned char *bytes;
        char path[512];
        size_t size;

        (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
        sample_build(accounts, count, &bytes, &size);
        FILE *file = fopen(path, "wb");
        MUST(file != NULL);
        MUST(fwrite(selector, 1, sizeof(selector), file) == sizeof(selector));
        MUST(fwrite(bytes, 1, size, file) == size);
        MUST(fclose(file) == 0);
        free(bytes);
}

int main(int argc, char **argv)
{
        static const uint32_t gids[] = {27, SAMPLE_GID, 1234};
        struct ksa_account_record accounts[] = {
                sample_account("ci_again", "again", 1900000010),
                sample_account("ci_deployer", "deployer", 1900000011),
                sample_account("ci_gone", "gone", 1900000012),
                sample_account("ci_retired", "retired", 1900000013),
        };
        char names[20][32];
        struct ksa_account_record many[KSA_COUNT(names)];

        MUST(argc == 2);
        write_seed(argv[1], "empty", 0, accounts, 0);
        write_seed(argv[1], "one", 0, accounts + 1, 1);
        write_seed(argv[1], "one-sealed", 3, accounts + 1, 1);
        accounts[0].state = KSA_ACCOUNT_DISABLED;
        accounts[0].reasons = KSA_DISABLED_RECREATED;
        accounts[0].new_account_uid = "0b0b93fa-0000-4000-8000-ba5d1f4ad2a6";
        accounts[1].flags = KSA_ACCOUNT_DECLARED | KSA_ACCOUNT_POWERFUL | KSA_ACCOUNT_LISTED;
        accounts[1].groups = gids;
        accounts[1].group_count = KSA_COUNT(gids);
        accounts[2].state = KSA_ACCOUNT_REMOVED;
        accounts[2].flags = KSA_ACCOUNT_FORMER;
        accounts[3].state = KSA_ACCOUNT_DISABLED;
        accounts[3].reasons = KSA_DISABLED_ALL;
        write_seed(argv[1], "kinds", 0, accounts, KSA_COUNT(accounts));
        write_seed(argv[1], "kinds-sealed", 1, accounts, KSA_COUNT(accounts));
        for (size_t i = 0; i < KSA_COUNT(names); i++) {
                (void)snprintf(names[i], sizeof(names[i]), "ci_%02zu", i);
                many[i] = sample_account(names[i], names[i] + 3, 1900000020 + (uint32_t)i);
        }
        write_seed(argv[1], "two-lines-sealed", 3, many, KSA_COUNT(many));
        return 0;
}
