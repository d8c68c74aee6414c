/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a login ends: one table of reasons for every layer.
 *
 * A new reason is one row: NAME, the word in the log, what the host program is
 * told, what it means, and what an administrator can do about it. It needs a
 * test (tests/attacks.tsv names one for each).
 */
#ifndef KSA_REASON_H
#define KSA_REASON_H

#include <stdbool.h>
#include <stddef.h>

/*
 * What the host program is told. Deny is zero, so that zeroed memory denies; the
 * others are far apart, so that no flipped bit or small number is another one.
 */
enum ksa_outcome {
        KSA_DENY = 0,
        KSA_ALLOW = 0x3a5c96e1,
        KSA_UNAVAILABLE = 0x45a3691e, /* could not be judged: keys, configuration */
        KSA_FORBIDDEN = 0x1c6be27d,   /* judged, and somebody with a say said no */
        KSA_NOT_OURS = 0x63941d82,    /* this user and service are not ksa's affair */
        KSA_NO_MEMORY = 0x2f50c3b4,
};

/* clang-format off */
#define KSA_REASONS(X)                                                                             \
X(UNREACHED, "not-reached", DENY,                                                                  \
  "an earlier step ended the login", "")                                                           \
X(INTERNAL, "internal-error", DENY,                                                                \
  "a library failed in a way that should not happen", "please report this with the log line")      \
X(MEMORY, "out-of-memory", NO_MEMORY,                                                              \
  "memory ran out", "look at the memory limits of the service")                                    \
/* the token on its way in */                                                                      \
X(CONVERSATION, "conversation-failed", DENY,                                                       \
  "the client gave no answer to the prompt",                                                       \
  "the client went away, or its program cannot answer a prompt; sudo refuses answers of 512 bytes" \
  " or more: use ksa-askpass or token_file=")                                                      \
X(EMPTY_ANSWER, "empty-answer", DENY,                                                              \
  "the answer was empty",                                                                          \
  "the client found no token, or its token was for another audience: see its own message, and"     \
  " KSA_TOKEN_FILE on the client")                                                                 \
X(REFUSED_BY_SSHD, "refused-by-sshd", DENY,                                                        \
  "sshd had already refused this user and replaced the answer by junk",                            \
  "the user does not exist, or PermitRootLogin, AllowUsers or DenyUsers shuts it out")             \
X(REPEATED_ANSWER, "repeated-answer", DENY,                                                        \
  "every part of the token was the same",                                                          \
  "sshd's password method repeats one answer: the client must use keyboard-interactive (ksa-ssh)") \
X(TOKEN_TOO_LONG, "token-too-long", DENY,                                                          \
  "the answer is longer than any token", "a token has at most 16384 bytes")                        \
X(TOKEN_FILE_PLACE, "token-file-not-here", DENY,                                                   \
  "token_file= is not honoured in this place",                                                     \
  "it works in the stacks of sudo and sudo-i alone, for a user who becomes himself to sudo")       \
X(TOKEN_FILE_UNSAFE, "token-file-unsafe", DENY,                                                    \
  "the token file is not a private file of the user's own",                                        \
  "make it a regular file of the user's or root's, mode 0600 or 0400, of at most 16384 bytes")     \
X(TOKEN_FILE_FAILED, "token-file-failed", DENY,                                                    \
  "the token file could not be read in time", "look at the file's folder and file system")         \
X(ITEM, "item-too-long", DENY,                                                                     \
  "the program gave an address or a terminal of more than 255 bytes",                              \
  "look for a program or PAM module that sets such a PAM_RHOST or PAM_TTY")                        \
/* what it is */                                                                                   \
X(NOT_A_TOKEN, "not-a-token", DENY,                                                                \
  "the answer is not a compact JWS", "hand over the token itself, nothing before or after it")     \
X(CUT_SHORT, "token-cut-short", DENY,                                                              \
  "the token ends too early",                                                                      \
  "ssh cuts an answer at 1023 bytes, pam_exec at 511: use ksa-ssh or ksa-askpass")                 \
X(BAD_HEADER, "bad-header", DENY,                                                                  \
  "the header is not one that Kubernetes makes",                                                   \
  "it is another program's JWT: hand over a service account token")                                \
X(BAD_ALGORITHM, "bad-algorithm", DENY,                                                            \
  "the algorithm is none of RS256, ES256, ES384, ES512",                                           \
  "no API server signs with another one: hand over a service account token")                       \
X(BAD_CLAIMS, "bad-claims", DENY,                                                                  \
  "the claims are not those of a service account token",                                           \
  "hand over a service account token, not that of a person")                                       \
/* who made it */                                                                                  \
X(LEGACY_TOKEN, "legacy-token", DENY,                                                              \
  "a legacy token from a Secret, which never ends",                                                \
  "ask for one that ends: kubectl create token, or a projected volume")                            \
X(UNKNOWN_ISSUER, "unknown-issuer", DENY,                                                          \
  "no [cluster] has this issuer",                                                                  \
  "compare the issuer byte for byte, the slash at its end too")                                    \
X(NO_KID, "no-kid", DENY,                                                                          \
  "the token names no key",                                                                        \
  "no API server of today signs like that: hand over a service account token")                     \
X(UNKNOWN_KID, "unknown-kid", DENY,                                                                \
  "no key set of this issuer has the key that the token names",                                    \
  "if the cluster's keys were rotated, ksactl keys refresh CLUSTER tells why they are not here")                                         \
X(AMBIGUOUS_KID, "ambiguous-kid", DENY,                                                            \
  "two clusters of one issuer have a key of this name, or one key set has different keys of it",   \
  "ksactl check names both; remove one cluster, or the entry that no longer signs")                          \
X(KEYS_UNUSABLE, "keys-unusable", UNAVAILABLE,                                                     \
  "no usable key set", "ksactl keys show CLUSTER, ksactl check")                                   \
X(KEYS_STALE, "keys-stale", UNAVAILABLE,                                                           \
  "the cached key set is older than keys_max_stale, or was fetched in the future",                 \
  "look at the timer that refreshes the keys, and at the clock")                                   \
X(KEY_MISMATCH, "key-mismatch", DENY,                                                              \
  "the token's algorithm is not that of the key",                                                  \
  "nobody signs like that by mistake: look at who sent it")                                        \
X(BAD_SIGNATURE, "bad-signature", DENY,                                                            \
  "the signature does not fit", "the token was altered, or the key set is another cluster's")      \
/* what it claims */                                                                               \
X(NO_AUDIENCE, "no-audience", DENY,                                                                \
  "the token has no audience", "ask for one with this host's audience")                            \
X(WRONG_AUDIENCE, "wrong-audience", DENY,                                                          \
  "the token is meant for somebody else", "ask for one with this host's audience")                 \
X(SEVERAL_AUDIENCES, "several-audiences", DENY,                                                    \
  "the token has several audiences, so another could replay it here",                              \
  "ask for one audience, or set multiple_audiences = yes")                                         \
X(EXPIRED, "expired", DENY,                                                                        \
  "the token's time is over", "ask for a new one; do the clocks agree?")                           \
X(NOT_YET_VALID, "not-yet-valid", DENY,                                                            \
  "the token's time has not begun", "do the clocks of host and cluster agree?")                    \
X(LIFETIME, "lifetime-too-long", DENY,                                                             \
  "the token lives longer than max_lifetime", "ask for a shorter one (kubectl create token"        \
  " --duration, expirationSeconds)")                                                               \
X(BAD_SUBJECT, "bad-subject", DENY,                                                                \
  "sub is not the account that kubernetes.io names",                                               \
  "no API server makes such a token: look at who holds the signing key")                           \
/* whom it may become */                                                                           \
X(UNKNOWN_USER, "unknown-user", DENY,                                                              \
  "the user does not exist on this host", "create the user")                                       \
X(USER_DIFFERS, "user-name-differs", DENY,                                                         \
  "the system knows this user by another name", "log in with the name that this host has for the user")       \
X(LOW_UID, "uid-too-low", DENY,                                                                    \
  "the user is a system user that no rule names", "name the user in the rule, if you mean it")     \
X(NO_RULE, "no-rule", DENY,                                                                        \
  "no rule lets this account become this user in this way",                                        \
  "add or correct a [rule]; ksactl explain reports why each one does not match")                   \
X(ACCOUNT_UNKNOWN, "account-unknown", DENY,                                                        \
  "no local user was made for this account",                                                       \
  "ksactl accounts sync tells why; ksactl accounts list shows those that there are")               \
X(OTHER_ACCOUNT, "other-account", DENY,                                                            \
  "ksa made the local user for another account",                                                   \
  "write user = @own in the rule, or name a user that ksa did not make")                           \
X(RECREATED, "account-recreated", DENY,                                                    \
  "the account was deleted and re-created after its local user was made",                          \
  "if it may have the files of the one before: ksactl accounts sync, then ksactl accounts enable USER; "   \
  "of an [account]: its uid as account_uid, then ksactl accounts sync")                                            \
X(DISABLED, "account-disabled", DENY,                                                      \
  "the local user is disabled",                                                                    \
  "ksactl accounts show USER tells why; ksactl accounts enable USER")                              \
X(REGISTRY, "registry-unusable", UNAVAILABLE,                                                      \
  "the registry of local accounts is damaged, or others could change it",                          \
  "ksactl status tells what is wrong")                                                    \
X(USER_CHANGED, "user-changed", FORBIDDEN,                                                         \
  "the user, service or address changed during the login",                                         \
  "look for a PAM module or program that sets PAM_USER, PAM_SERVICE or PAM_RHOST during a login")  \
/* the cluster, asked */                                                                           \
X(NEEDS_ROOT, "needs-root", UNAVAILABLE,                                                           \
  "the cluster can be asked by root alone",                                                        \
  "a service without root needs rules without review, bound, rbac, once")                          \
X(API_UNREACHABLE, "api-unreachable", UNAVAILABLE,                                                 \
  "no connection to the cluster", "look at api_server, the network, and proxy")                    \
X(API_TIMEOUT, "api-timeout", UNAVAILABLE,                                                         \
  "no answer from the cluster in time", "look at the API server's load, and at timeout")           \
X(API_TLS, "api-tls", UNAVAILABLE,                                                                 \
  "the server could not prove that it is the cluster's",                                           \
  "look at api_ca_file or keys_ca_file, and at the name in api_server")                            \
X(API_BROKEN, "api-answer-broken", UNAVAILABLE,                                                    \
  "the answer is not whole, too large, or not what was asked for", "look at what stands between host"      \
  " and cluster")                                                                                  \
X(API_UNAUTHORIZED, "api-unauthorized", UNAVAILABLE,                                               \
  "the cluster does not accept this host's own credential (401)",                                  \
  "pipe kubectl create token host-verifier -n ksa-system into ksactl credential init CLUSTER: the old"  \
  " one expired, its account was deleted, or the cluster is another")                             \
X(API_FORBIDDEN, "api-forbidden", UNAVAILABLE,                                                     \
  "the cluster does not let this host's account ask that (403)",                                       \
  "the account lacks a role: apply host-account.yaml; see ksa-clusters(7)")                       \
X(API_BUSY, "api-busy", UNAVAILABLE,                                                               \
  "the API server has too much to do (429)", "look at the API server's load")                      \
X(API_ERROR, "api-error", UNAVAILABLE,                                                             \
  "the API server answered with an error of its own", "look at the API server's log")              \
X(HELPER, "helper-failed", UNAVAILABLE,                                                            \
  "ksa-fetch could not ask", "is it installed, and is there a user _ksa?")                         \
X(HOST_ERROR, "host-error", UNAVAILABLE,                                                           \
  "an error of this host kept it from asking the cluster",                                         \
  "check local ports (ss -s, net.ipv4.ip_local_port_range), processes, open files, memory and the" \
  " firewall for outgoing connections")                                                            \
X(REVIEW_REFUSED, "review-refused", DENY,                                                          \
  "the API server does not accept the token",                                                      \
  "it was revoked, or its account or Pod is gone: ask for a new one")                              \
X(REVIEW_DIFFERS, "review-differs", DENY,                                                          \
  "the API server sees another account, audience or Pod in the token than stands there",           \
  "is api_server the cluster that signed the token? if it is, look at who sent it")                \
X(RBAC_DENIED, "rbac-denied", FORBIDDEN,                                                           \
  "RBAC does not let the account log in to this host",                                             \
  "a Role in the account's namespace grants it: verb login, or sudo, on hosts in ksa.dev")         \
/* what the rule demands beside */                                                                  \
X(NOT_BOUND, "not-bound", DENY,                                                                    \
  "the rule wants a token that is bound to a Pod",                                                 \
  "use a projected volume, or kubectl create token --bound-object-kind Pod")                       \
X(NO_JTI, "no-jti", DENY,                                                                          \
  "the rule lets a token in once, and this one has no jti to tell it by",                          \
  "API servers of Kubernetes 1.30 and later give one")                                             \
X(USED_BEFORE, "used-before", DENY,                                                                \
  "the rule lets a token in once, and this one was in already", "ask for a new one")               \
X(MARK, "mark-failed", UNAVAILABLE,                                                                \
  "that the token was used cannot be kept",                                                        \
  "run systemd-tmpfiles --create ksa.conf; check the space for /var/lib/ksa/used")                 \
/* this host */                                                                                    \
X(ARGUMENT, "bad-argument", UNAVAILABLE,                                                           \
  "the PAM line has an argument that is unknown or has no valid value", "see pam_ksa(8)")          \
X(EXEMPT, "exempt", NOT_OURS,                                                                      \
  "exempt= names this user", "")                                                                   \
X(NOT_NAMED, "not-named", NOT_OURS,                                                                \
  "no rule names this user with this service", "")                                                 \
X(SERVICE_AUDIENCE, "service-without-audience", UNAVAILABLE,                                       \
  "a service without root needs an audience of its own, or it could replay tokens to sshd",        \
  "add [service NAME] with audience")                                                              \
X(SERVICE_USER, "service-with-root", UNAVAILABLE,                                                  \
  "local_user = no is only for services without root", "remove it from the [service] section")     \
X(HOST_NAME, "host-name", UNAVAILABLE,                                                             \
  "the host has no name to put in place of %H or %h", "set the host name, or write it out")        \
X(CONFIG_INVALID, "config-invalid", UNAVAILABLE,                                                   \
  "the configuration has an error", "ksactl check")                                                \
X(FILE_MISSING, "file-missing", UNAVAILABLE,                                                       \
  "a file is missing", "ksactl check")                                                             \
X(FILE_UNREADABLE, "file-unreadable", UNAVAILABLE,                                                 \
  "a file cannot be read", "ksactl check")                                                         \
X(FILE_UNWRITABLE, "file-unwritable", UNAVAILABLE,                                                 \
  "a file cannot be written", "check free space, mount options and permissions of that file system") \
X(FILE_UNSAFE, "file-unsafe", UNAVAILABLE,                                                         \
  "somebody other than root could change a file", "ksactl check")

/* KSA_OK is far from the others and from zero: zeroed memory is never OK. */
enum ksa_reason {
#define KSA_REASON_ENUM(name, word, outcome, text, remedy) KSA_##name,
        KSA_REASONS(KSA_REASON_ENUM)
#undef KSA_REASON_ENUM
        KSA_REASON_COUNT,
        KSA_OK = 0x5ac3e917,
};
/* clang-format on */

/* Bytes of the longest remedy. A log line has room for it, and is never too long for it. */
#define KSA_REMEDY_MAX 255

/*
 * REMEDY with the name CLUSTER in place of the word "CLUSTER", cut to KSA_REMEDY_MAX bytes. Writes to OUT and
 * returns it. CLUSTER may be NULL: the word stays.
 */
const char *ksa_remedy_of(const char *remedy, const char *cluster, char out[KSA_REMEDY_MAX + 1]);

/* The word in the log, such as "expired"; "ok" for KSA_OK. Static; never NULL. */
const char *ksa_reason_word(enum ksa_reason reason);

/* What the reason means and what helps. Static; never NULL, the remedy may be "". */
const char *ksa_reason_text(enum ksa_reason reason);
const char *ksa_reason_remedy(enum ksa_reason reason);

/*
 * What a refusal for this reason is to the host program. Never KSA_ALLOW: not for
 * KSA_OK, nor for a number that is no reason; these are KSA_DENY.
 */
enum ksa_outcome ksa_reason_outcome(enum ksa_reason reason);

#endif
