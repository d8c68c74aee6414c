/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl check: passwords in URLs. ksa.conf is readable for all, because services without root read it. */
#include <string.h>

#include "check.h"

/* Whether URL has a user name or password before the host (RFC 3986 section 3.2.1). */
static bool has_userinfo(const char *url)
{
        const char *authority = strstr(url, "://");

        if (authority == NULL)
                return false;
        authority += 3;
        return memchr(authority, '@', strcspn(authority, "/?#")) != NULL;
}

/* URL may be NULL. */
static void check_url(struct report *report, const struct ksa_cluster *cluster, const char *option,
                      size_t position, const char *url, const char *remedy)
{
        if (url != NULL && has_userinfo(url))
                report_option(
                        report, false, cluster, option, position, remedy,
                        "[cluster %s] %s: its URL contains a user name or password, which every "
                        "user of this host can read",
                        cluster->name, option);
}

void check_urls(struct report *report, const struct ksa_config *config)
{
        for (size_t i = 0; i < config->counts[KSA_SECTION_CLUSTER]; i++) {
                const struct ksa_cluster *cluster = &config->clusters[i];

                check_url(report, cluster, "proxy", 0, cluster->proxy,
                          "remove them, and let the proxy admit this host by its address");
                check_url(report, cluster, "keys", 0, cluster->keys,
                          "serve the key set without a password, since it is public");
                check_url(report, cluster, "api_server", 0, cluster->api_server,
                          "remove them: this host uses credential_file or client_cert_file");
                for (size_t n = 0; n < cluster->issuer.count; n++)
                        check_url(report, cluster, "issuer", n, ksa_list_text(&cluster->issuer, n),
                                  "choose another issuer: every token contains it");
        }
}
