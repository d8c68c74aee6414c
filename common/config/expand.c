/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/expand.h"

#include <stdlib.h>
#include <string.h>

#include "config/value.h"

/* Returns AUDIENCE with the host name inserted, owned by the caller. NULL if memory runs out. */
static char *expanded(const char *audience, const char *host)
{
        size_t host_length = strlen(host), short_length = strcspn(host, ".");
        size_t room = strlen(audience) + 1;

        for (const char *c = audience; *c != '\0'; c++)
                room += *c == '%' ? host_length : 0;
        char *text = malloc(room), *out = text;
        if (text == NULL)
                return NULL;
        for (const char *c = audience; *c != '\0'; c++) {
                size_t length = 1;
                const char *piece = c;

                if (c[0] == '%' && (c[1] == 'H' || c[1] == 'h')) {
                        length = c[1] == 'H' ? host_length : short_length;
                        piece = host;
                        c++;
                }
                memcpy(out, piece, length);
                out += length;
        }
        *out = '\0';
        return text;
}

bool ksa_is_no_host_name(const char *host)
{
        return strcspn(host, ".") == 0 || strcmp(host, "localhost") == 0 ||
               strncmp(host, "localhost.", 10) == 0 || !ksa_is_uri(host);
}

static void expand_list(struct ksa_config *config, const struct ksa_env *env,
                        const struct ksa_section_head *head, struct ksa_list *audiences,
                        struct ksa_diagnostics *diagnostics)
{
        for (size_t i = 0; i < audiences->count; i++) {
                const char **audience = &((const char **)audiences->items)[i];

                if (strchr(*audience, '%') == NULL)
                        continue;
                if (ksa_is_no_host_name(env->host_name)) {
                        ksa_diagnostics_add(diagnostics, KSA_HOST_NAME,
                                            ksa_option_location(head, "audience", i),
                                            ksa_reason_remedy(KSA_HOST_NAME),
                                            "audience %s: the host's name is \"%s\"", *audience,
                                            env->host_name);
                        return;
                }
                char *text = expanded(*audience, env->host_name);
                if (text == NULL || !ksa_config_keep(config, text)) {
                        ksa_diagnostics_add(diagnostics, KSA_MEMORY, head->location,
                                            ksa_reason_remedy(KSA_MEMORY), "out of memory");
                        return;
                }
                ksa_lower_audience(text);
                *audience = text;
        }
}

void ksa_config_expand(struct ksa_config *config, const struct ksa_env *env,
                       struct ksa_diagnostics *diagnostics)
{
        if (config->counts[KSA_SECTION_HOST] > 0)
                expand_list(config, env, (const struct ksa_section_head *)&config->host,
                            &config->host.audience, diagnostics);
        for (size_t i = 0; i < config->counts[KSA_SECTION_SERVICE]; i++)
                expand_list(config, env, (const struct ksa_section_head *)&config->services[i],
                            &config->services[i].audience, diagnostics);
        for (size_t i = 0; i < config->counts[KSA_SECTION_RULE]; i++)
                expand_list(config, env, (const struct ksa_section_head *)&config->rules[i],
                            &config->rules[i].audience, diagnostics);
}
