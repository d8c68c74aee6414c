/* SPDX-License-Identifier: BSD-2-Clause */
/* ksactl check: values that a login accepts, but that are probably not the ones that were meant. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/text.h"
#include "check.h"

/* --- Issuers ---------------------------------------------------------------- */

/* The host of a URL, also without "https://". */
static const char *host_of(const char *url, size_t *ret_length)
{
        const char *scheme = strstr(url, "://"), *host = scheme != NULL ? scheme + 3 : url;

        *ret_length = strcspn(host, ":/");
        return host;
}

static bool host_is(const char *url, const char *start, const char *end)
{
        size_t length, first = strlen(start), last = strlen(end);
        const char *host = host_of(url, &length);

        return length >= first + last && strncasecmp(host, start, first) == 0 &&
               strncasecmp(host + length - last, end, last) == 0;
}

/* Issuers whose form is known: the iss of a token is compared byte for byte. */
static const struct issuer {
        const char *start, *end; /* of the host */
        const char *name;
        bool has_slash; /* at the end */
} known[] = {
        {"oidc.eks.", ".amazonaws.com", "EKS", false},
        {"oidc.eks.", ".amazonaws.com.cn", "EKS", false},
        {"oidc-eks.", ".api.aws", "EKS", false},
        {"", ".oic.prod-aks.azure.com", "AKS", true},
        {"container.googleapis.com", "", "GKE", false},
        {"kubernetes.default.svc", "", "this kind", false},
};

static const struct issuer *issuer_of(const char *url)
{
        for (size_t i = 0; i < KSA_COUNT(known); i++) {
                if (host_is(url, known[i].start, known[i].end))
                        return &known[i];
        }
        return NULL;
}

/* The length of URL without what was copied with the issuer, or with a slash too many. */
static size_t issuer_length(const char *url)
{
        static const char *const documents[] = {"/.well-known/openid-configuration",
                                                "/openid/v1/jwks"};
        size_t length = strlen(url);

        for (size_t i = 0; i < KSA_COUNT(documents); i++) {
                size_t tail = strlen(documents[i]);

                if (length > tail && strcmp(url + length - tail, documents[i]) == 0)
                        return length - tail;
        }
        return length;
}

static void check_issuer(struct report *report, const struct ksa_cluster *cluster, size_t position)
{
        const char *url = ksa_list_text(&cluster->issuer, position);
        const struct issuer *issuer = issuer_of(url);
        size_t length = issuer_length(url);
        bool has_document = url[length] != '\0';
        char remedy[KSA_REMEDY_MAX + 1], shown[160];

        if (strchr(url, '@') != NULL || (issuer == NULL && !has_document))
                return;
        bool has_scheme = strncmp(url, "https://", 8) == 0;
        while (issuer != NULL && length > 0 && url[length - 1] == '/')
                length--;
        (void)snprintf(remedy, sizeof(remedy), "write %s%.*s%s", has_scheme ? "" : "https://",
                       (int)length, url, issuer != NULL && issuer->has_slash ? "/" : "");
        if (strcmp(remedy + 6, url) == 0)
                return;
        report_option(report, false, cluster, "issuer", position, remedy,
                      "[cluster %s]: issuer %.128s is not the iss of a token: %s", cluster->name,
                      ksa_text_url(url, shown, sizeof(shown)),
                      has_document        ? "it is the address of a document"
                      : !has_scheme       ? "https:// is missing"
                      : issuer->has_slash ? "those of AKS end in a slash"
                                          : "those of its kind do not end in a slash");
}

bool is_internal(const char *url)
{
        return strncmp(url, "https://", 8) == 0 &&
               (host_is(url, "", ".svc") || host_is(url, "", ".svc.cluster.local") ||
                host_is(url, "kubernetes.default", ""));
}

bool discovers_internally(const struct ksa_cluster *cluster)
{
        return strcmp(cluster->keys, "discover") == 0 &&
               is_internal(ksa_list_text(&cluster->issuer, 0));
}

static void report_internal(struct report *report, const struct ksa_cluster *cluster,
                            const char *option, const char *remedy)
{
        report_option(report, false, cluster, option, 0, remedy,
                      "[cluster %s] %s: names below .svc exist only inside the cluster",
                      cluster->name, option);
}

static void check_cluster(struct report *report, const struct ksa_cluster *cluster)
{
        static const char elsewhere[] =
                "write keys = api with api_server, or keys = file: and a path";

        for (size_t i = 0; i < cluster->issuer.count; i++)
                check_issuer(report, cluster, i);
        if (discovers_internally(cluster) || is_internal(cluster->keys))
                report_internal(report, cluster, "keys", elsewhere);
        if (cluster->api_server != NULL && is_internal(cluster->api_server))
                report_internal(report, cluster, "api_server",
                                "write the URL that kubectl cluster-info prints");
}

/* --- Audiences -------------------------------------------------------------- */

static bool has_ssh(const struct ksa_list *audiences)
{
        for (size_t i = 0; i < audiences->count; i++) {
                if (strncmp(ksa_list_text(audiences, i), "ssh://", 6) == 0)
                        return true;
        }
        return false;
}

/* AUDIENCE in lower case up to the path. False if its host has no capitals. */
static bool lower_host(const char *audience, char out[KSA_REMEDY_MAX + 1])
{
        const char *host = strstr(audience, "://");
        bool is_changed = false;

        (void)snprintf(out, KSA_REMEDY_MAX + 1, "write %.200s", audience);
        if (host == NULL || strlen(audience) > 200)
                return false;
        char *at = out + 6 + (host + 3 - audience);
        for (size_t left = strcspn(at, "/?"); left > 0; left--, at++) {
                if (*at >= 'A' && *at <= 'Z') {
                        *at = (char)(*at - 'A' + 'a');
                        is_changed = true;
                }
        }
        return is_changed;
}

/* SCHEME is that of the section: "ssh" for [host]. */
static void check_audience(struct report *report, const void *section, const char *scheme,
                           const struct ksa_list *audiences, size_t position)
{
        const char *audience = ksa_list_text(audiences, position);
        bool is_host = strcmp(scheme, "ssh") == 0;
        char remedy[KSA_REMEDY_MAX + 1];

        if (strstr(audience, "://") == NULL) {
                const size_t length = strlen(scheme);
                bool begins = strncmp(audience, scheme, length) == 0 && audience[length] == ':';
                const char *rest = audience + (begins ? length + 1 : 0);

                (void)snprintf(remedy, sizeof(remedy), "write %.60s://%.150s", scheme,
                               rest + strspn(rest, "/"));
                report_option(report, false, section, "audience", position, remedy,
                              "audience %.128s has no scheme%s", audience,
                              is_host ? ": clients request ssh://HOST, unless KSA_AUDIENCE is set"
                                      : "");
        } else if (lower_host(audience, remedy)) {
                report_option(report, false, section, "audience", position, remedy,
                              "audience %.128s: its host has capitals, and audiences are compared "
                              "byte for byte",
                              audience);
        } else if (is_host && !has_ssh(audiences) && position == 0) {
                size_t length;
                const char *host = host_of(audience, &length);

                (void)snprintf(remedy, sizeof(remedy), "write ssh://%.*s",
                               (int)(length > 200 ? 200 : length), host);
                report_option(report, false, section, "audience", position, remedy,
                              "audience %.128s: clients request ssh://HOST, unless KSA_AUDIENCE is "
                              "set",
                              audience);
        }
}

/* --- Rules ------------------------------------------------------------------ */

static void check_patterns(struct report *report, const struct ksa_rule *rule)
{
        const struct ksa_pattern *patterns = rule->account.items;

        for (size_t i = 0; i < rule->account.count; i++) {
                char remedy[KSA_REMEDY_MAX + 1];

                if (!is_whole_cluster(&patterns[i]))
                        continue;
                (void)snprintf(remedy, sizeof(remedy), "name the namespaces, such as %s:ci/*",
                               patterns[i].cluster);
                report_option(report, false, rule, "account", i, remedy,
                              "[rule %s] admits every account of cluster %s: anyone who can create "
                              "one in any namespace",
                              rule->name, patterns[i].cluster);
        }
}

/* check --host reports every service without a PAM file. */
static void check_service_names(struct report *report, const struct ksa_rule *rule)
{
        static const char *const services[] = {"sshd", "sudo", "su", "login", "cron", "postgresql"};

        for (size_t i = 0; i < rule->service.count; i++) {
                const char *name = ksa_list_text(&rule->service, i);
                struct ksa_near near = {.text = name};
                char path[512], remedy[KSA_REMEDY_MAX + 1];

                (void)snprintf(path, sizeof(path), "/etc/pam.d/%s", ksa_service_in_rules(name));
                for (size_t n = 0; n < KSA_COUNT(services); n++)
                        ksa_near_try(&near, services[n]);
                if (near.name == NULL || near.distance == 1 || strcmp(name, "sudo-i") == 0 ||
                    strcmp(name, "su-l") == 0 || access(path, F_OK) == 0)
                        continue;
                (void)snprintf(remedy, sizeof(remedy), "did you mean \"%s\"?", near.name);
                report_option(report, false, rule, "service", i, remedy,
                              "[rule %s]: there is no %s", rule->name, path);
        }
}

bool is_whole_cluster(const struct ksa_pattern *pattern)
{
        return strcmp(pattern->namespace, "*") == 0 && strcmp(pattern->name, "*") == 0;
}

/* --- All -------------------------------------------------------------------- */

void check_values(struct report *report, const struct ksa_config *config, bool with_host)
{
        for (size_t i = 0; i < config->counts[KSA_SECTION_CLUSTER]; i++)
                check_cluster(report, &config->clusters[i]);
        for (size_t i = 0; i < config->host.audience.count; i++) {
                if (!is_api_audience(config, ksa_list_text(&config->host.audience, i)))
                        check_audience(report, &config->host, "ssh", &config->host.audience, i);
        }
        for (size_t i = 0; i < config->counts[KSA_SECTION_SERVICE]; i++) {
                const struct ksa_service *service = &config->services[i];

                for (size_t n = 0; n < service->audience.count; n++) {
                        if (!is_api_audience(config, ksa_list_text(&service->audience, n)))
                                check_audience(report, service, service->name, &service->audience,
                                               n);
                }
        }
        for (size_t i = 0; i < config->counts[KSA_SECTION_RULE]; i++) {
                check_patterns(report, &config->rules[i]);
                if (!with_host)
                        check_service_names(report, &config->rules[i]);
        }
}
