/* SPDX-License-Identifier: BSD-2-Clause */
/* A SubjectAccessReview's answer: an allowing one has allowed true, and nothing in it contradicts. */
#include <jansson.h>

#include "cluster/review.h"
#include "document.h"
#include "fuzz.h"

/* The answer, read without the code of review.c. */
static void check(const char *body, size_t length, enum ksa_reason reason, bool allowed)
{
        const char *kind, *version, *fault = "";
        json_t *root = load_again(body, length);
        int says_allowed = 0, says_denied = 0;

        MUST(root != NULL);
        MUST(json_unpack(root, "{s:s, s:s, s:{s:b, s?b, s?s}}", "kind", &kind, "apiVersion",
                         &version, "status", "allowed", &says_allowed, "denied", &says_denied,
                         "evaluationError", &fault) == 0);
        MUST(strcmp(kind, "SubjectAccessReview") == 0);
        MUST(strcmp(version, "authorization.k8s.io/v1") == 0);
        MUST((reason == KSA_RBAC_DENIED) == (says_denied == 1));
        MUST(allowed == (says_allowed == 1 && says_denied == 0 && fault[0] == '\0'));
        json_decref(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct ksa_error error = {0};
        bool allowed = false;
        char said[KSA_WHY_SIZE] = "";
        /* A copy of its own size: libFuzzer's has that too, replay's may not. */
        char *body = malloc(size);

        MUST(body != NULL || size == 0);
        if (size > 0)
                memcpy(body, data, size);
        enum ksa_reason reason = ksa_access_check(body, size, &allowed, said, &error);
        MUST(reason == KSA_OK || reason == KSA_RBAC_DENIED || reason == KSA_API_BROKEN);
        MUST((reason == KSA_OK) == (error.text[0] == '\0'));
        MUST(reason == KSA_OK || !allowed);
        for (const char *c = error.text; *c != '\0'; c++)
                MUST(*c >= ' ' && *c <= '~');
        for (const char *c = said; *c != '\0'; c++)
                MUST(*c >= ' ' && *c <= '~' && *c != '"');
        MUST(!allowed || said[0] == '\0');
        if (reason == KSA_OK || reason == KSA_RBAC_DENIED)
                check(body, size, reason, allowed);
        free(body);
        return 0;
}
