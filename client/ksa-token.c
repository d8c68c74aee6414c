/* SPDX-License-Identifier: BSD-2-Clause */
/* ksa-token: prints a token for one host, for a job that runs in the cluster or next to it. */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "admin/base/json_wipe.h"
#include "base/text.h"
#include "client/token_api.h"
#include "config/value.h"

/* Where Kubernetes mounts a Pod's own token and its cluster's CA (kubelet, admission of service accounts). */
#define MOUNTED       "/var/run/secrets/kubernetes.io/serviceaccount"
#define MOUNTED_TOKEN MOUNTED "/token"
#define MOUNTED_CA    MOUNTED "/ca.crt"

/* In seconds. The API server does not issue tokens for less. */
#define DURATION_DEFAULT 600
#define DURATION_MIN     600
#define DURATION_MAX     3600

enum { EXIT_USAGE = 2 };

struct options {
        const char *host, *audience, *duration, *account, *server, *ca_file, *token_file;
};

static void usage(FILE *out)
{
        (void)fputs(
                "usage: ksa-token --host HOST | --audience AUDIENCE [--duration TIME]\n"
                "                 [--account NAMESPACE/NAME | --server URL [--ca FILE] "
                "--token-file FILE]\n"
                "\n"
                "Prints a service account token for one host. TIME is 10m (the default) to 1h.\n"
                "In a Pod it requests the token from the API server, as the Pod's account.\n"
                "With --account it runs kubectl create token, with your kubeconfig.\n"
                "With --server it sends the request there, with the token in FILE.\n",
                out);
}

KSA_PRINTF(1, 2) static int fail(const char *format, ...)
{
        va_list arguments;

        (void)fputs("ksa-token: ", stderr);
        va_start(arguments, format);
        (void)vfprintf(stderr, format, arguments);
        va_end(arguments);
        (void)fputc('\n', stderr);
        return EXIT_USAGE;
}

/* --- The audience ------------------------------------------------------------------- */

/* ssh://HOST in lower case, an IPv6 address in brackets. Allocated; NULL after a message. */
static char *audience_of_host(const char *host)
{
        const char *open = strchr(host, ':') != NULL ? "[" : "", *close = *open != '\0' ? "]" : "";
        char *audience = NULL, quoted[KSA_QUOTED_SIZE];

        if (*host == '\0' || strspn(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                          "0123456789._:%-") != strlen(host)) {
                (void)fail("--host: \"%s\" is not a host name or an address",
                           ksa_text_quote(host, quoted, sizeof(quoted)));
                return NULL;
        }
        if (asprintf(&audience, "ssh://%s%s%s", open, host, close) < 0) {
                (void)fail("out of memory");
                return NULL;
        }
        ksa_lower_audience(audience);
        return audience;
}

/* Allocated; NULL after a message. */
static char *choose_audience(const struct options *options)
{
        char quoted[KSA_QUOTED_SIZE];

        if ((options->host != NULL) == (options->audience != NULL)) {
                (void)fail("one of --host and --audience is required");
                return NULL;
        }
        if (options->host != NULL)
                return audience_of_host(options->host);
        if (!ksa_is_uri(options->audience)) {
                (void)fail("--audience: \"%s\" is not an audience (expected one such as "
                           "ssh://build-7)",
                           ksa_text_quote(options->audience, quoted, sizeof(quoted)));
                return NULL;
        }
        char *audience = strdup(options->audience);
        if (audience != NULL)
                ksa_lower_audience(audience);
        else
                (void)fail("out of memory");
        return audience;
}

/* --- Ways to a token ----------------------------------------------------------------- */

/* The address of the API server in a Pod. Allocated; NULL outside of one. */
static char *server_of_pod(void)
{
        const char *host = getenv("KUBERNETES_SERVICE_HOST"),
                   *port = getenv("KUBERNETES_SERVICE_PORT");
        const char *open = host != NULL && strchr(host, ':') != NULL ? "[" : "",
                   *close = *open != '\0' ? "]" : "";
        char *server = NULL;

        if (host == NULL || *host == '\0' || access(MOUNTED_TOKEN, F_OK) != 0 ||
            asprintf(&server, "https://%s%s%s:%s", open, host, close,
                     port != NULL && *port != '\0' ? port : "443") < 0)
                return NULL;
        return server;
}

/* Becomes kubectl, which has the caller's kubeconfig and its plugins for credentials. */
static int run_kubectl(const char *account, const char *audience, uint64_t seconds)
{
        char duration[32], quoted[KSA_QUOTED_SIZE], *copy = strdup(account);
        char *slash = copy != NULL ? strchr(copy, '/') : NULL;

        if (slash != NULL)
                *slash = '\0';
        if (slash == NULL || !ksa_is_dns_label(copy) || !ksa_is_dns_subdomain(slash + 1)) {
                free(copy);
                return fail("--account: \"%s\" is not NAMESPACE/NAME",
                            ksa_text_quote(account, quoted, sizeof(quoted)));
        }
        (void)snprintf(duration, sizeof(duration), "%llus", (unsigned long long)seconds);
        (void)execlp("kubectl", "kubectl", "create", "token", slash + 1, "--namespace", copy,
                     "--audience", audience, "--duration", duration, (char *)NULL);
        int number = errno;
        free(copy);
        (void)fail("kubectl cannot be run: %s; install it, or use --server and --token-file",
                   strerror(number));
        return EXIT_FAILURE;
}

/* Prints the error with a remedy for the job's owner, who is not the administrator of a host. */
static void report(const struct ksa_error *error)
{
        if (error->reason == KSA_API_FORBIDDEN)
                (void)fail("%s\n    the account may not request tokens for itself: apply "
                           "packaging/kubernetes/own-token.yaml of ksa in its namespace",
                           error->text);
        else if (error->reason == KSA_API_UNAUTHORIZED)
                (void)fail("the API server does not accept the token that the request was made "
                           "with (401)");
        else
                (void)fail("%s", error->text);
}

static int request_token(const struct token_request *request)
{
        KSA_CLEANUP(ksa_secret_free) struct ksa_secret *token = NULL;
        struct ksa_error error = {.reason = KSA_UNREACHED};

        if (token_api_request(request, &token, &error) != KSA_OK) {
                report(&error);
                return EXIT_FAILURE;
        }
        if (printf("%s\n", ksa_secret_bytes(token)) < 0 || fflush(stdout) != 0) {
                (void)fail("standard output: %s", strerror(errno));
                return EXIT_FAILURE;
        }
        return EXIT_SUCCESS;
}

static int choose_way(const struct options *options, const char *audience, uint64_t seconds)
{
        struct token_request request = {.audience = audience,
                                        .seconds = (int64_t)seconds,
                                        .server = options->server,
                                        .ca_file = options->ca_file,
                                        .token_file = options->token_file};

        if (options->account != NULL)
                return run_kubectl(options->account, audience, seconds);
        if (options->server != NULL)
                return request_token(&request);
        char *server = server_of_pod();
        if (server == NULL)
                return fail("this is not a Pod with a mounted token: name the account with "
                            "--account NAMESPACE/NAME, or use --server and --token-file");
        request.server = server;
        request.ca_file = MOUNTED_CA;
        request.token_file = MOUNTED_TOKEN;
        int status = request_token(&request);
        free(server);
        return status;
}

/* --- The command line ----------------------------------------------------------------- */

/* False if an option is unknown, lacks its value, or the two ways are mixed. */
static bool read_options(int argc, char **argv, struct options *ret_options)
{
        static const struct option known[] = {
                {"host", required_argument, NULL, 'h'},
                {"audience", required_argument, NULL, 'a'},
                {"duration", required_argument, NULL, 'd'},
                {"account", required_argument, NULL, 'n'},
                {"server", required_argument, NULL, 's'},
                {"ca", required_argument, NULL, 'c'},
                {"token-file", required_argument, NULL, 't'},
                {NULL, 0, NULL, 0},
        };
        struct options options = {.duration = NULL};

        for (int letter; (letter = getopt_long(argc, argv, "", known, NULL)) != -1;) {
                const char **value = letter == 'h'   ? &options.host
                                     : letter == 'a' ? &options.audience
                                     : letter == 'd' ? &options.duration
                                     : letter == 'n' ? &options.account
                                     : letter == 's' ? &options.server
                                     : letter == 'c' ? &options.ca_file
                                     : letter == 't' ? &options.token_file
                                                     : NULL;

                if (value == NULL)
                        return false; /* getopt_long() printed the error */
                *value = optarg;
        }
        if (optind != argc) {
                (void)fail("unexpected argument \"%s\"", argv[optind]);
                return false;
        }
        bool has_server = options.server != NULL, has_file = options.token_file != NULL;
        if (has_server != has_file || (options.ca_file != NULL && !has_server) ||
            (has_server && options.account != NULL)) {
                (void)fail("--server and --token-file belong together, without --account");
                return false;
        }
        *ret_options = options;
        return true;
}

int main(int argc, char **argv)
{
        struct options options;
        uint64_t seconds = DURATION_DEFAULT;

        if (argc == 2 && strcmp(argv[1], "--help") == 0) {
                usage(stdout);
                return EXIT_SUCCESS;
        }
        if (argc == 2 && strcmp(argv[1], "--version") == 0) {
                (void)puts("ksa-token " PACKAGE_VERSION);
                return EXIT_SUCCESS;
        }
        (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* a core would hold tokens */
        ksa_json_wipes();
        if (!read_options(argc, argv, &options)) {
                usage(stderr);
                return EXIT_USAGE;
        }
        if (options.duration != NULL &&
            !ksa_text_duration(options.duration, DURATION_MIN, DURATION_MAX, &seconds))
                return fail("--duration: \"%s\" is not a time from 10m to 1h", options.duration);
        char *audience = choose_audience(&options);
        if (audience == NULL)
                return EXIT_USAGE;
        int status = choose_way(&options, audience, seconds);
        free(audience);
        return status;
}
