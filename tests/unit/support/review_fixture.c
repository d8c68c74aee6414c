/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/review_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "support/support.h"

const struct ksa_token review_fixture_account = {
        .compact = REVIEWED_COMPACT,
        .signed_length = sizeof(REVIEWED_HEADER "." REVIEWED_PAYLOAD) - 1,
        .jti = "a3d6008b-3634-42c7-8fe9-b4b1fed31d4d",
        .namespace = "ci",
        .account = "deployer",
        .account_uid = "14e75b93-b974-47ca-a847-ba5d1f4ad2a6",
};

const struct ksa_token review_fixture_pod = {
        .compact = REVIEWED_COMPACT,
        .signed_length = sizeof(REVIEWED_HEADER "." REVIEWED_PAYLOAD) - 1,
        .jti = "a3d6008b-3634-42c7-8fe9-b4b1fed31d4d",
        .namespace = "ci",
        .account = "deployer",
        .account_uid = "14e75b93-b974-47ca-a847-ba5d1f4ad2a6",
        .pod = "job-1",
        .pod_uid = "d7fce6df-a4a0-4d4e-9a19-f63e05597290",
};

char *review_fixture_change(const char *text, const char *path, const char *value)
{
        json_t *whole = json_loads(text, 0, NULL), *object = whole;
        char *copy = strdup(path != NULL ? path : ""), *rest = copy;
        const char *name = strsep(&rest, "|");

        assert_non_null(whole);
        while (rest != NULL) {
                if (json_object_get(object, name) == NULL)
                        assert_int_equal(json_object_set_new(object, name, json_object()), 0);
                object = json_object_get(object, name);
                name = strsep(&rest, "|");
        }
        if (path != NULL && value == NULL)
                assert_int_equal(json_object_del(object, name), 0);
        else if (path != NULL)
                assert_int_equal(
                        json_object_set_new(object, name, json_loads(value, JSON_DECODE_ANY, NULL)),
                        0);
        /* Not json_dumps(), whose result belongs to the allocator below. */
        size_t size = json_dumpb(whole, NULL, 0, JSON_COMPACT);
        char *changed = calloc(1, size + 1);
        assert_non_null(changed);
        assert_int_equal(json_dumpb(whole, changed, size, JSON_COMPACT), size);
        json_decref(whole);
        free(copy);
        return changed;
}

unsigned long review_fixture_failing, review_fixture_counted;
long review_fixture_living;
bool review_fixture_seen;

/* The size is before the block, in the room of malloc's alignment; the earlier content is lost. */
static void *allocate(size_t size)
{
        bool fails =
                review_fixture_failing != 0 && ++review_fixture_counted == review_fixture_failing;
        size_t *block = fails ? NULL : calloc(1, size + 16);

        if (block == NULL)
                return NULL;
        review_fixture_living++;
        *block = size;
        return (char *)block + 16;
}

static void release(void *bytes)
{
        if (bytes == NULL)
                return;
        size_t *block = (void *)((char *)bytes - 16);
        review_fixture_seen =
                review_fixture_seen || memmem(bytes, *block, REVIEWED_SIGNATURE, 16) != NULL;
        review_fixture_living--;
        free(block);
}

void review_fixture_watch_json(void)
{
        json_set_alloc_funcs(allocate, release);
}
