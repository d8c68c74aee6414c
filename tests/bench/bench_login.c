/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole decision against the one operation that it cannot do without, in pairs: a batch of one,
 * a batch of the other, over and over; the medians are compared.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "login/login.h"
#include "support/signer.h"
#include "support/support.h"
#include "token/keyset.h"

#define PAIRS 31

static double now_us(void)
{
        struct timespec time;

        (void)clock_gettime(CLOCK_MONOTONIC, &time);
        return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static int by_size(const void *left, const void *right)
{
        double a = *(const double *)left, b = *(const double *)right;

        return (a > b) - (a < b);
}

static double median(double *values)
{
        qsort(values, PAIRS, sizeof(*values), by_size);
        return values[PAIRS / 2];
}

/* --- A host ------------------------------------------------------------------- */

struct bench {
        struct workdir *workdir;
        struct ksa_config *config;
        struct signer *signers;
        size_t signer_count;
};

static const char head[] = "[host]\naudience = " AUDIENCE "\n"
                           "[cluster prod]\nissuer = " ISSUER "\n"
                           "keys = %s\napi_server = https://10.0.0.1:6443\n"
                           "credential_file = /var/lib/ksa/credentials/prod\n";

/* RULES rules, the last one for ci/deployer, spread over files of ten thousand. */
static void write_rules(struct bench *bench, size_t rules)
{
        FILE *file = NULL;
        char path[128];

        workdir_folder(bench->workdir, "conf.d");
        for (size_t i = 0; i < rules; i++) {
                if (i % 10000 == 0) {
                        (void)snprintf(path, sizeof(path), "%s/conf.d/%06zu.conf",
                                       bench->workdir->directory, i);
                        if (file != NULL)
                                (void)fclose(file);
                        file = fopen(path, "w");
                        assert_non_null(file);
                }
                char name[32] = "deployer";
                if (i + 1 < rules)
                        (void)snprintf(name, sizeof(name), "account-%zu", i);
                (void)fprintf(file,
                              "[rule r%zu]\naccount = prod:ci/%s\nuser = deploy-bot\n"
                              "service = sshd\n",
                              i, name);
        }
        assert_int_equal(fclose(file), 0);
}

/* The last of COUNT keys signs. */
static void write_keys(struct bench *bench, enum ksa_algorithm algorithm, size_t count, bool cached)
{
        static char kids[64][16];
        struct ksa_keyset *keyset = NULL;

        bench->signers = calloc(count, sizeof(*bench->signers));
        bench->signer_count = count;
        assert_non_null(bench->signers);
        for (size_t i = 0; i < count; i++) {
                (void)snprintf(kids[i], sizeof(kids[i]), "kid-%zu", i);
                bench->signers[i] = signer_new(algorithm, kids[i]);
        }
        char *jwks = signer_jwks(bench->signers, count);
        workdir_write(bench->workdir, "keys.json", jwks);
        if (cached) {
                assert_int_equal(ksa_keyset_parse(jwks, strlen(jwks), &keyset, NULL), KSA_OK);
                char *text = ksa_keyset_format(keyset, &bench->config->clusters[0], NOW, 3600);
                workdir_folder(bench->workdir, "prod");
                workdir_write(bench->workdir, "prod/keys", text);
                free(text);
                ksa_keyset_free(&keyset);
        }
        free(jwks);
}

static double load_us(struct bench *bench)
{
        struct ksa_error error = {0};
        double started = now_us();

        if (ksa_config_load(&bench->workdir->env, NULL, &bench->config, &error) != KSA_OK)
                fail_msg("%s:%u: %s", error.file, error.line, error.text);
        return now_us() - started;
}

static struct bench set_up(enum ksa_algorithm algorithm, size_t keys, size_t rules, bool cached,
                           double *ret_load)
{
        struct bench bench = {0};
        char text[512], source[128] = "api";

        (void)workdir_setup((void **)&bench.workdir);
        if (!cached)
                (void)snprintf(source, sizeof(source), "file:%s/keys.json",
                               bench.workdir->directory);
        (void)snprintf(text, sizeof(text), head, source);
        workdir_write(bench.workdir, "ksa.conf", text);
        write_rules(&bench, rules);
        *ret_load = load_us(&bench);
        write_keys(&bench, algorithm, keys, cached);
        return bench;
}

static void tear_down(struct bench *bench)
{
        for (size_t i = 0; i < bench->signer_count; i++)
                signer_free(&bench->signers[i]);
        free(bench->signers);
        ksa_config_free(&bench->config);
        (void)workdir_teardown((void **)&bench->workdir);
}

/* --- What is compared ----------------------------------------------------------- */

static double decide_us(const struct bench *bench, const struct ksa_secret *token, unsigned count)
{
        struct ksa_attempt attempt = {.token = token,
                                      .user = "deploy-bot",
                                      .local = {.exists = true, .name = "deploy-bot", .uid = 1500},
                                      .service = "sshd",
                                      .rhost = "10.1.2.3"};
        double started = now_us();

        for (unsigned i = 0; i < count; i++) {
                struct ksa_decision decision;

                ksa_login(bench->config, &bench->workdir->env, &attempt, &decision);
                if (decision.outcome != KSA_ALLOW)
                        fail_msg("%s: %s", ksa_reason_name(decision.reason), decision.error.text);
                ksa_decision_clear(&decision);
        }
        return (now_us() - started) / count;
}

static double verify_us(EVP_PKEY *key, const EVP_MD *digest, const unsigned char *signature,
                        size_t length, const char *text, unsigned count)
{
        double started = now_us();

        for (unsigned i = 0; i < count; i++) {
                EVP_MD_CTX *context = EVP_MD_CTX_new();

                if (EVP_DigestVerifyInit(context, NULL, digest, NULL, key) != 1 ||
                    EVP_DigestVerify(context, signature, length, (const unsigned char *)text,
                                     strlen(text)) != 1)
                        fail_msg("the raw verification failed");
                EVP_MD_CTX_free(context);
        }
        return (now_us() - started) / count;
}

static void compare(enum ksa_algorithm algorithm, bool cached, const char *aim)
{
        double ours[PAIRS], raw[PAIRS], load;
        struct bench bench = set_up(algorithm, 2, 10, cached, &load);
        const struct signer *signer = &bench.signers[1];
        char *claims = claims_with(NULL, NULL);
        struct ksa_secret *token = signer_token(signer, NULL, claims);
        unsigned char signature[1024];
        size_t length = sizeof(signature);
        const EVP_MD *digest = algorithm == KSA_ES384   ? EVP_sha384()
                               : algorithm == KSA_ES512 ? EVP_sha512()
                                                        : EVP_sha256();
        char text[600];

        memset(text, 'x', sizeof(text) - 1); /* as long as what is signed of a token */
        text[sizeof(text) - 1] = '\0';
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        assert_int_equal(EVP_DigestSignInit(context, NULL, digest, NULL, signer->key), 1);
        assert_int_equal(
                EVP_DigestSign(context, signature, &length, (unsigned char *)text, strlen(text)),
                1);
        EVP_MD_CTX_free(context);
        for (size_t i = 0; i < PAIRS; i++) {
                ours[i] = decide_us(&bench, token, 50);
                raw[i] = verify_us(signer->key, digest, signature, length, text, 50);
        }
        double a = median(ours), b = median(raw);
        (void)printf(
                "decision, %s, %-18s %8.1f us  raw verification %8.1f us  ratio %5.2f  aim %s\n",
                ksa_algorithm_name(algorithm), cached ? "cached key set" : "JWKS file", a, b, a / b,
                aim);
        ksa_secret_free(&token);
        free(claims);
        tear_down(&bench);
}

static void scale(size_t rules, size_t keys)
{
        double times[PAIRS], load;
        struct bench bench = set_up(KSA_ES256, keys, rules, true, &load);
        char *claims = claims_with(NULL, NULL);
        struct ksa_secret *token = signer_token(&bench.signers[keys - 1], NULL, claims);
        struct rusage usage;

        for (size_t i = 0; i < PAIRS; i++)
                times[i] = decide_us(&bench, token, 20);
        (void)getrusage(RUSAGE_SELF, &usage);
        (void)printf("decision, ES256, %6zu rules, %2zu keys  %8.1f us  loading %7.2f us a rule  "
                     "peak memory %6.1f MiB\n",
                     rules, keys, median(times), load / (double)rules,
                     (double)usage.ru_maxrss / 1024);
        ksa_secret_free(&token);
        free(claims);
        tear_down(&bench);
}

int main(void)
{
        compare(KSA_RS256, true, "2.0");
        compare(KSA_ES256, true, "1.5");
        compare(KSA_ES384, true, "1.05");
        compare(KSA_ES512, true, "-");
        compare(KSA_RS256, false, "-");
        compare(KSA_ES256, false, "-");
        scale(10, 1);
        scale(10, 8);
        scale(10, 64);
        scale(1000, 1);
        scale(100000, 1);
        return 0;
}
