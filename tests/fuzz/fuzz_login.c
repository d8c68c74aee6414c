/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole decision. The input's lines: how the token is made and who logs in ("s" signs it, "f" shows
 * it with a signature of zeros, "r" takes the rest as the token), user, service, rhost, header, claims.
 * A token that is not signed is never admitted, and a signed one only by a rule.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/base/file_write.h"
#include "base/text.h"
#include "fuzz.h"
#include "login/report.h"
#include "login/login.h"
#include "support/registry_samples.h"
#include "support/signer.h"

/* The uid of bot, the user of prod:ci/bot in the registry. */
#define BOT (SAMPLE_GID + 1)

static struct {
        char directory[32];
        struct ksa_env env;
        struct ksa_config *config;
        struct signer signer;
} login_fixture;

static void write_file(const char *name, const char *text)
{
        char path[64];

        (void)snprintf(path, sizeof(path), "%s/%s", login_fixture.directory, name);
        FILE *file = fopen(path, "w");
        MUST(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void tear_down(void)
{
        static const char *const names[] = {"/ksa.conf", "/keys.json", "/registry", ""};

        for (size_t i = 0; i < KSA_COUNT(names); i++) {
                char path[64];

                (void)snprintf(path, sizeof(path), "%s%s", login_fixture.directory, names[i]);
                (void)remove(path);
        }
        ksa_config_free(&login_fixture.config);
        signer_free(&login_fixture.signer);
}

static void write_registry(const char *path)
{
        const struct ksa_account_record bot = sample_account("bot", "bot", BOT);
        unsigned char *bytes;
        size_t size;

        sample_build(&bot, 1, &bytes, &size);
        MUST(ksa_file_replace(path, getuid(), 0644, bytes, size, NULL) == KSA_OK);
        free(bytes);
}

static void set_up(void)
{
        static char path[64], registry[64];
        struct ksa_error error = {0};
        char text[1024];

        (void)snprintf(login_fixture.directory, sizeof(login_fixture.directory),
                       "/dev/shm/ksa-fuzz-XXXXXX");
        MUST(mkdtemp(login_fixture.directory) != NULL && atexit(tear_down) == 0);
        login_fixture.signer = signer_new(KSA_ES256, "k1");
        char *keys = signer_jwks(&login_fixture.signer, 1);
        write_file("keys.json", keys);
        free(keys);
        (void)snprintf(text, sizeof(text),
                       "[host]\naudience = " AUDIENCE "\n"
                       "[cluster prod]\nissuer = " ISSUER "\nkeys = file:%s/keys.json\n"
                       "[rule deploy]\naccount = prod:ci/deployer\nuser = deploy-bot\n"
                       "service = sshd\nfrom = 10.0.0.0/8\n"
                       "[rule all]\naccount = prod:*/*\nuser = guest bot\nservice = sshd sudo\n"
                       "[rule own]\naccount = prod:*/*\nuser = @own\nservice = cron\n",
                       login_fixture.directory);
        write_file("ksa.conf", text);
        (void)snprintf(path, sizeof(path), "%s/ksa.conf", login_fixture.directory);
        (void)snprintf(registry, sizeof(registry), "%s/registry", login_fixture.directory);
        write_registry(registry);
        login_fixture.env = (struct ksa_env){.now = NOW,
                                             .owner = getuid(),
                                             .config_file = path,
                                             .cache_dir = "/nowhere",
                                             .host_name = "build-7",
                                             .reference = "00000000",
                                             .registry_file = registry};
        MUST(ksa_config_load(&login_fixture.env, NULL, &login_fixture.config, &error) == KSA_OK);
}

static struct ksa_secret *make_token(const char *how, const char *header, const uint8_t *rest,
                                     size_t size)
{
        char *payload = calloc(1, size + 1);
        struct ksa_secret *token;

        MUST(payload != NULL);
        if (size > 0)
                memcpy(payload, rest, size);
        if (how[0] == 's') {
                token = signer_token(&login_fixture.signer, header[0] != '\0' ? header : NULL,
                                     payload);
        } else if (how[0] == 'f') {
                static const char zeros[64];

                token = token_of(header, payload, zeros, sizeof(zeros));
        } else {
                token = ksa_secret_new(size + 1);
                MUST(token != NULL && ksa_secret_append(token, rest, size));
        }
        free(payload);
        return token;
}

/* from = 10.0.0.0/8: four numbers with 10 as the first, or these mapped into IPv6; no zone, no name. */
static bool is_from_10(const char *rhost)
{
        unsigned char bytes[16];
        struct in6_addr address;

        if (inet_pton(AF_INET, rhost, bytes) == 1)
                return bytes[0] == 10;
        if (inet_pton(AF_INET6, rhost, &address) != 1)
                return false;
        return IN6_IS_ADDR_V4MAPPED(&address) && address.s6_addr[12] == 10;
}

/* The conditions of an allow, checked without the code of login.c. */
static void check_allow(const struct ksa_attempt *attempt, const struct ksa_decision *d,
                        const char *how)
{
        const struct ksa_token *token = &d->token;
        char sub[512];

        MUST(how[0] == 's' && strcmp(token->kid, "k1") == 0 && token->algorithm == KSA_ES256);
        MUST(strcmp(token->iss, ISSUER) == 0 && token->audiences.count == 1);
        MUST(strcmp(ksa_list_text(&token->audiences, 0), AUDIENCE) == 0);
        MUST(token->exp.given && token->exp.seconds + 60 >= NOW);
        MUST(token->iat.given && token->iat.seconds - 60 <= NOW);
        MUST(token->nbf.given && token->nbf.seconds - 60 <= NOW);
        MUST(token->exp.seconds - token->iat.seconds <= 3600);
        (void)snprintf(sub, sizeof(sub), "system:serviceaccount:%s:%s", token->namespace,
                       token->account);
        MUST(strcmp(token->sub, sub) == 0);
        if (strcmp(attempt->user, "deploy-bot") == 0)
                MUST(strcmp(sub, "system:serviceaccount:ci:deployer") == 0 &&
                     is_from_10(attempt->rhost));
        else if (strcmp(attempt->user, "bot") == 0)
                /* However a rule names it. */
                MUST(strcmp(sub, "system:serviceaccount:ci:bot") == 0 &&
                     strcmp(token->account_uid, "14e75b93-b974-47ca-a847-ba5d1f4ad2a6") == 0);
        else
                MUST(strcmp(attempt->user, "guest") == 0 && strcmp(token->account, "default") != 0);
}

static void check_texts(const struct ksa_attempt *attempt, const struct ksa_decision *decision)
{
        char line[KSA_LINE_SIZE], why[KSA_ERROR_SIZE], end[KSA_LINE_SIZE];
        char *client = ksa_report_to_client(decision, KSA_NOT_A_TOKEN, "00000000", "build-7");

        (void)ksa_report_line(attempt, decision, "00000000", line);
        MUST(client != NULL && strlen(line) < KSA_LINE_SIZE);
        if (decision->outcome != KSA_ALLOW) { /* whole, and no text was too long for its room */
                MUST(strlen(decision->error.text) < KSA_ERROR_SIZE - 1);
                char remedy[KSA_REMEDY_MAX + 1];
                bool helps = *ksa_report_remedy(decision, remedy) != '\0';

                (void)snprintf(end, sizeof(end), " why=\"%s\"%s%s%s",
                               ksa_text_whole(decision->error.text, why, sizeof(why)),
                               helps ? " remedy=\"" : "", remedy, helps ? "\"" : "");
                MUST(strlen(line) > strlen(end));
                MUST(strcmp(line + strlen(line) - strlen(end), end) == 0);
        }
        MUST((strncmp(line, "result=allow ", 13) == 0) == (decision->outcome == KSA_ALLOW));
        for (const char *c = line; *c != '\0'; c++)
                MUST(*c >= ' ' && *c <= '~');
        for (unsigned i = 0; i < KSA_STEP_COUNT; i++) {
                char detail[512];

                (void)ksa_report_step(attempt, decision, (enum ksa_step)i, detail, sizeof(detail));
        }
        free(client);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct ksa_decision decision;
        struct ksa_managed_user own;

        if (login_fixture.config == NULL)
                set_up();
        char *how = next_line(&data, &size), *user = next_line(&data, &size);
        char *service = next_line(&data, &size), *rhost = next_line(&data, &size);
        char *header = how[0] == 'r' ? calloc(1, 1) : next_line(&data, &size);
        struct ksa_secret *token = make_token(how, header, data, size);
        struct ksa_attempt attempt = {.token = token,
                                      .user = user,
                                      .local = {.exists = true,
                                                .name = user,
                                                .uid = strcmp(user, "bot") == 0 ? BOT : 1500},
                                      .service = service,
                                      .rhost = rhost};

        ksa_local_user_look_up(&login_fixture.env, user, &attempt.local, &own);
        memset(&decision, 0xa5, sizeof(decision));
        ksa_login(login_fixture.config, &login_fixture.env, &attempt, &decision);
        if (decision.outcome == KSA_ALLOW)
                check_allow(&attempt, &decision, how);
        check_texts(&attempt, &decision);
        ksa_decision_clear(&decision);
        ksa_local_user_close(&own);
        ksa_secret_free(&token);
        free(how);
        free(user);
        free(service);
        free(rhost);
        free(header);
        return 0;
}
