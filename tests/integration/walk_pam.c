/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What pam_stack.c and pam_dispatch.c make of services whose modules are all pam_debug or missing: a line
 * for each service, with the codes of auth, account and session.
 *
 *   walk_pam SERVICE...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/host/pam_stack.h"

/* The result that an argument gives to pam_debug. */
static int result_of(const struct ksa_pam_entry *entry, const char *argument)
{
        if (entry->module == NULL || !ksa_pam_entry_is(entry, "pam_debug.so"))
                return KSA_PAM_MODULE_UNKNOWN;
        for (size_t i = 0; i < entry->arguments.count; i++) {
                const char *text = ksa_list_text(&entry->arguments, i);

                if (strncmp(text, argument, strlen(argument)) != 0)
                        continue;
                for (int code = 0; code < KSA_PAM_CODE_COUNT; code++) {
                        if (strcmp(ksa_pam_code_name((enum ksa_pam_code)code),
                                   text + strlen(argument)) == 0)
                                return code;
                }
        }
        return KSA_PAM_SUCCESS;
}

static int code_of(const struct ksa_pam_stack *stack, enum ksa_pam_phase phase,
                   const char *argument)
{
        const struct ksa_pam_entry *chain[KSA_PAM_ENTRIES_MAX];
        int results[KSA_PAM_ENTRIES_MAX];
        size_t count = ksa_pam_stack_phase(stack, phase, chain);

        for (size_t i = 0; i < count; i++)
                results[i] = result_of(chain[i], argument);
        return (int)ksa_pam_dispatch(chain, count, results, NULL);
}

int main(int argc, char **argv)
{
        for (int i = 1; i < argc; i++) {
                struct ksa_pam_stack stack;
                struct ksa_error error = {0};

                if (ksa_pam_stack_read("", argv[i], &stack, &error) != KSA_OK) {
                        (void)fprintf(stderr, "walk_pam: %s\n", error.text);
                        return 1;
                }
                (void)printf("%d %d %d\n", code_of(&stack, KSA_PAM_AUTH, "auth="),
                             code_of(&stack, KSA_PAM_ACCOUNT, "acct="),
                             code_of(&stack, KSA_PAM_SESSION, "open_session="));
                ksa_pam_stack_free(&stack);
        }
        return 0;
}
