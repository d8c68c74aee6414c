/* SPDX-License-Identifier: GPL-2.0-or-later */
/* self_review.c: an answer that names somebody, and everything else. */
#include "self_review.h"

#include <stdlib.h>
#include <string.h>

#include "asked.h"
#include "support.h"

#define SOUND                                                                                      \
        "{\"kind\":\"SelfSubjectReview\",\"apiVersion\":\"authentication.k8s.io/v1\","             \
        "\"metadata\":{\"creationTimestamp\":\"2026-11-24T10:00:00Z\"},\"status\":{\"userInfo\":{" \
        "\"username\":\"system:serviceaccount:ksa-system:host-verifier\",\"uid\":\"u\","           \
        "\"groups\":[\"system:authenticated\"]}}}"

static enum ksa_reason read_it(const char *text, size_t length, char **ret_user)
{
        struct ksa_error error = {0};
        enum ksa_reason reason = ksa_self_review_read(text, length, ret_user, &error);

        assert_int_equal(reason == KSA_OK, error.text[0] == '\0');
        return reason;
}

static void test_sound(void **state)
{
        char *user = NULL;

        (void)state;
        assert_int_equal(read_it(SOUND, strlen(SOUND), &user), KSA_OK);
        assert_string_equal(user, "system:serviceaccount:ksa-system:host-verifier");
        free(user);
}

static void test_changed(void **state)
{
        static const char *const rows[][2] = {{"kind", "\"Status\""},
                                              {"kind", NULL},
                                              {"apiVersion", "\"v1\""},
                                              {"status", NULL},
                                              {"status", "[]"},
                                              {"status|userInfo", NULL},
                                              {"status|userInfo", "\"x\""},
                                              {"status|userInfo|username", NULL},
                                              {"status|userInfo|username", "7"}};

        (void)state;
        for (size_t i = 0; i < KSA_COUNT(rows); i++) {
                char *text = asked_change(SOUND, rows[i][0], rows[i][1]), *user = NULL;

                assert_int_equal(read_it(text, strlen(text), &user), KSA_API_BROKEN);
                assert_null(user);
                free(text);
        }
}

static void test_cut(void **state)
{
        (void)state;
        for (size_t length = 0; length < strlen(SOUND); length++) {
                char *user = NULL;

                assert_int_equal(read_it(SOUND, length, &user), KSA_API_BROKEN);
                assert_null(user);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_sound),
                                           cmocka_unit_test(test_changed),
                                           cmocka_unit_test(test_cut)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
