/* SPDX-License-Identifier: BSD-2-Clause */
/* A record of deploy-bot's session, and its text. */
#ifndef KSA_TEST_SESSION_SAMPLES_H
#define KSA_TEST_SESSION_SAMPLES_H

#include "session/record.h"

#define SAMPLE_HEAD                  \
        "ksa-session 1\n"            \
        "pid_namespace 4026532326\n" \
        "login 125 8271941\n"        \
        "sshd 119 8271933\n"         \
        "audit 7917\n"               \
        "keyring 548727651\n"        \
        "uid 1500\n"                 \
        "expires 1795464867\n"       \
        "user deploy-bot\n"          \
        "rhost 10.1.2.3\n"           \
        "account prod:ci/deployer\n" \
        "reference 1a2b3c4d\n"
#define SAMPLE_TOKEN "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.AAAA"
#define SAMPLE_TEXT  SAMPLE_HEAD "token " SAMPLE_TOKEN "\n"

static inline struct ksa_record sample_record(void)
{
        return (struct ksa_record){
                .pid_namespace = 4026532326,
                .login = {125, 8271941},
                .sshd = {119, 8271933},
                .audit = 7917,
                .keyring = 548727651,
                .uid = 1500,
                .expires = 1795464867,
                .user = "deploy-bot",
                .rhost = "10.1.2.3",
                .account = "prod:ci/deployer",
                .reference = "1a2b3c4d",
        };
}

#endif
