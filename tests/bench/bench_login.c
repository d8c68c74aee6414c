/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole decision against the one operation that it cannot do without, and against cjose if it is
 * installed: batches in turn, in processor time, so that other work of the machine delays all alike.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifdef HAVE_CJOSE
#include "bench/bench_cjose.h"
#endif
#include "login/login.h"
#include "support/signer.h"
#include "support/support.h"
#include "token/keyset.h"

#define ROUNDS 151
#define BATCH  10

static double now_us(void)
{
        struct timespec time;

        (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static int by_size(const void *left, const void *right)
{
        double a = *(const double *)left, b = *(const double *)right;

        return (a > b) - (a < b);
}

static double median(double *values, size_t count)
{
        qsort(values, count, sizeof(*values), by_size);
        return values[count / 2];
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

        workdir_directory(bench->workdir, "conf.d");
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
                workdir_directory(bench->workdir, "prod");
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

/* What the functions that are compared work on. */
struct subject {
        const struct bench *bench;
        const struct ksa_secret *token;
        EVP_PKEY *key;
        const EVP_MD *digest;
        unsigned char signature[1024];
        size_t signature_length, signed_length;
#ifdef HAVE_CJOSE
        struct bench_peer peer;
#endif
};

static void decide(const struct subject *subject)
{
        struct ksa_attempt attempt = {.token = subject->token,
                                      .user = "deploy-bot",
                                      .local = {.exists = true, .name = "deploy-bot", .uid = 1500},
                                      .service = "sshd",
                                      .rhost = "10.1.2.3"};
        struct ksa_decision decision;

        ksa_login(subject->bench->config, &subject->bench->workdir->env, &attempt, &decision);
        if (decision.outcome != KSA_ALLOW)
                fail_msg("%s: %s", ksa_reason_name(decision.reason), decision.error.text);
        ksa_decision_clear(&decision);
}

/* The same bytes, with a key that exists already. */
static void verify(const struct subject *subject)
{
        EVP_MD_CTX *context = EVP_MD_CTX_new();

        if (EVP_DigestVerifyInit(context, NULL, subject->digest, NULL, subject->key) != 1 ||
            EVP_DigestVerify(context, subject->signature, subject->signature_length,
                             (const unsigned char *)ksa_secret_bytes(subject->token),
                             subject->signed_length) != 1)
                fail_msg("the raw verification failed");
        EVP_MD_CTX_free(context);
}

#ifdef HAVE_CJOSE
static void decide_by_cjose(const struct subject *subject)
{
        if (!bench_cjose_login(&subject->peer, ksa_secret_bytes(subject->token),
                               ksa_secret_length(subject->token)))
                fail_msg("cjose refused the token");
}
#endif

static double batch_us(void (*call)(const struct subject *), const struct subject *subject,
                       unsigned count)
{
        double started = now_us();

        for (unsigned i = 0; i < count; i++)
                call(subject);
        return (now_us() - started) / count;
}

/* The claims of a projected token: those of a pod on a node. */
static char *pod_claims(void)
{
        return claims_with("kubernetes.io", "{\"namespace\":\"ci\","
                                            "\"node\":{\"name\":\"worker-3.example.com\","
                                            "\"uid\":\"5e4f6d1c-62c5-4ae7-9d1e-1f2b7a3c9d80\"},"
                                            "\"pod\":{\"name\":\"deployer-7c9d8f6b54-x2x7k\","
                                            "\"uid\":\"f1d0a2b4-93c6-4a58-8b7e-2d4c6e8f0a1b\"},"
                                            "\"serviceaccount\":{\"name\":\"deployer\","
                                            "\"uid\":\"055340be-da7c-4afd-8213-e998a1704706\"},"
                                            "\"warnafter\":1795467874}");
}

static void sign(struct subject *subject)
{
        const char *token = ksa_secret_bytes(subject->token);
        EVP_MD_CTX *context = EVP_MD_CTX_new();

        subject->signed_length = (size_t)(strrchr(token, '.') - token);
        subject->signature_length = sizeof(subject->signature);
        assert_int_equal(EVP_DigestSignInit(context, NULL, subject->digest, NULL, subject->key), 1);
        assert_int_equal(EVP_DigestSign(context, subject->signature, &subject->signature_length,
                                        (const unsigned char *)token, subject->signed_length),
                         1);
        EVP_MD_CTX_free(context);
}

/* The medians, and those of the ratios to the raw verification of the same round. */
static void print(const char *name, double *times, const double *raw, double *ratios)
{
        for (size_t i = 0; i < ROUNDS; i++)
                ratios[i] = times[i] / raw[i];
        (void)printf("%s %7.1f us (%4.2f)  ", name, median(times, ROUNDS), median(ratios, ROUNDS));
}

static void compare(enum ksa_algorithm algorithm, bool cached)
{
        static void (*const calls[])(const struct subject *) = {
                verify,
                decide,
#ifdef HAVE_CJOSE
                decide_by_cjose,
#endif
        };
        static const char *const names[] = {"raw", "ours", "cjose"};
        static double times[KSA_COUNT(calls)][ROUNDS], raw[ROUNDS], ratios[ROUNDS];
        double load;
        struct bench bench = set_up(algorithm, 2, 10, cached, &load);
        char *claims = pod_claims();
        struct ksa_secret *token = signer_token(&bench.signers[1], NULL, claims);
        struct subject subject = {.bench = &bench,
                                  .token = token,
                                  .key = bench.signers[1].key,
                                  .digest = algorithm == KSA_ES384   ? EVP_sha384()
                                            : algorithm == KSA_ES512 ? EVP_sha512()
                                                                     : EVP_sha256()};

#ifdef HAVE_CJOSE
        char keys[128];
        (void)snprintf(keys, sizeof(keys), "%s/keys.json", bench.workdir->directory);
        subject.peer = (struct bench_peer){.keys_file = keys,
                                           .algorithm = ksa_algorithm_name(algorithm),
                                           .issuer = ISSUER,
                                           .audience = AUDIENCE,
                                           .namespace = "ci",
                                           .account = "deployer",
                                           .now = NOW};
#endif
        sign(&subject);
        for (size_t i = 0; i < ROUNDS; i++) {
                for (size_t j = 0; j < KSA_COUNT(calls); j++)
                        times[j][i] = batch_us(calls[j], &subject, BATCH);
                raw[i] = times[0][i];
        }
        (void)printf("decision, %s, %-14s  ", ksa_algorithm_name(algorithm),
                     cached ? "cached key set" : "JWKS file");
        for (size_t j = 0; j < KSA_COUNT(calls); j++)
                print(names[j], times[j], raw, ratios);
        (void)printf("\n");
        ksa_secret_free(&token);
        free(claims);
        tear_down(&bench);
}

static void scale(size_t rules, size_t keys)
{
        double times[ROUNDS], load;
        struct bench bench = set_up(KSA_ES256, keys, rules, true, &load);
        char *claims = pod_claims();
        struct ksa_secret *token = signer_token(&bench.signers[keys - 1], NULL, claims);
        const struct subject subject = {.bench = &bench, .token = token};
        struct rusage usage;

        for (size_t i = 0; i < ROUNDS; i++)
                times[i] = batch_us(decide, &subject, BATCH);
        (void)getrusage(RUSAGE_SELF, &usage);
        (void)printf("decision, ES256, %6zu rules, %2zu keys  %8.1f us  loading %7.2f us a rule  "
                     "peak memory %6.1f MiB\n",
                     rules, keys, median(times, ROUNDS), load / (double)rules,
                     (double)usage.ru_maxrss / 1024);
        ksa_secret_free(&token);
        free(claims);
        tear_down(&bench);
}

int main(void)
{
        static const enum ksa_algorithm algorithms[] = {KSA_RS256, KSA_ES256, KSA_ES384, KSA_ES512};

        for (size_t i = 0; i < KSA_COUNT(algorithms); i++) {
                compare(algorithms[i], true);
                compare(algorithms[i], false);
        }
        scale(10, 1);
        scale(10, 8);
        scale(10, 64);
        scale(1000, 1);
        scale(100000, 1);
        return 0;
}
