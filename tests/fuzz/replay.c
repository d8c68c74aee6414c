/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs a fuzz target over its seeds: those in the tree, or the files named. */
#include <dirent.h>

#include "fuzz.h"

#define SEED_MAX (1 << 20)

static void run_file(const char *path)
{
        static uint8_t bytes[SEED_MAX];
        FILE *file = fopen(path, "rb");

        MUST(file != NULL);
        size_t size = fread(bytes, 1, sizeof(bytes), file);
        MUST(fclose(file) == 0);
        /* A copy of its own size, so that a sanitizer sees a byte too far. */
        uint8_t *copy = malloc(size + 1);
        MUST(copy != NULL);
        memcpy(copy, bytes, size);
        (void)LLVMFuzzerTestOneInput(copy, size);
        free(copy);
}

static unsigned run_directory(const char *directory)
{
        DIR *entries = opendir(directory);
        const struct dirent *entry;
        unsigned count = 0;

        MUST(entries != NULL);
        while ((entry = readdir(entries)) != NULL) {
                char path[4096];

                if (entry->d_name[0] == '.')
                        continue;
                (void)snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
                run_file(path);
                count++;
        }
        MUST(closedir(entries) == 0);
        return count;
}

int main(int argc, char **argv)
{
        unsigned count = (unsigned)argc - 1;

        for (int i = 1; i < argc; i++)
                run_file(argv[i]);
        if (argc == 1)
                count = run_directory(KSA_FUZZ_SEEDS);
        (void)printf("%u inputs\n", count);
        return count == 0;
}
