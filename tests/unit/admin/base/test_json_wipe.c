/* SPDX-License-Identifier: BSD-2-Clause */
/* json_wipe.c: memory that jansson frees is wiped. free() is watched. */
#include "admin/base/json_wipe.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"
#include "token/json.h"

#define SECRET "c2lnbmF0dXJlLXRoYXQtbm9ib2R5LW1heS1zZWU"

void __real_free(void *bytes);
void __wrap_free(void *bytes);
void *__wrap_malloc(size_t size);

static bool watched;
static size_t freed;

/* The whole block is checked when it is freed, unused bytes too. */
void *__wrap_malloc(size_t size)
{
        return calloc(1, size);
}

void __wrap_free(void *bytes)
{
        if (watched && bytes != NULL) {
                freed++;
                assert_null(memmem(bytes, malloc_usable_size(bytes), SECRET, 8));
        }
        __real_free(bytes);
}

static void test_nothing_is_left(void **state)
{
        static const char text[] = "{\"token\":\"" SECRET "\",\"more\":[\"" SECRET "\",1,true]}";
        json_t *object = NULL;

        (void)state;
        watched = true;
        assert_int_equal(ksa_json_load(text, strlen(text), &object, NULL), KSA_OK);
        assert_string_equal(ksa_json_text(object, "token"), SECRET);
        ksa_json_free(&object);
        watched = false;
        assert_true(freed > 5);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_nothing_is_left),
        };

        ksa_json_wipes();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
