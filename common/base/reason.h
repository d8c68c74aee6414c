/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one table of reasons why a login ends; ksactl reports most of its errors with them too. To add
 * one, add a row: NAME, the name in the log, the outcome for the host program, the meaning, and the
 * remedy for an administrator. Each reason needs a test in tests/attacks.tsv.
 */
#ifndef KSA_REASON_H
#define KSA_REASON_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The result for the host program. Deny is zero, so that zeroed memory denies. The others are far
 * apart, so that a bit flip or a small number cannot turn one into another.
 */
enum ksa_outcome {
        KSA_DENY = 0,
        KSA_ALLOW = 0x3a5c96e1,
        KSA_UNAVAILABLE = 0x45a3691e, /* no decision possible: keys, configuration */
        KSA_FORBIDDEN = 0x1c6be27d,   /* the cluster or an administrator refused */
        KSA_NOT_OURS = 0x63941d82,    /* this user and service do not use ksa */
        KSA_NO_MEMORY = 0x2f50c3b4,
};

/* clang-format off */
#define KSA_REASONS(X)                                                                             \
X(UNREACHED, "not-reached", DENY,                                                                  \
  "an earlier step ended the login", "")                                                           \
X(INTERNAL, "internal-error", DENY,                                                                \
  "a library failed in a way that should not happen", "report this with the log line")             \
X(MEMORY, "out-of-memory", NO_MEMORY,                                                              \
  "out of memory", "check the memory limits of the service")                                       \
/* reading the token */                                                                            \
X(CONVERSATION, "conversation-failed", DENY,                                                       \
  "the client gave no answer to the prompt",                                                       \
  "reconnect, or use a program that can answer the prompt; sudo refuses answers of 512 bytes "     \
  "or more: use ksa-askpass or token_file=")                                                       \
X(EMPTY_ANSWER, "empty-answer", DENY,                                                              \
  "the answer was empty",                                                                          \
  "check the client's own message and KSA_TOKEN_FILE on the client: it found no token, or "        \
  "one for another audience")                                                                      \
X(REFUSED_BY_SSHD, "refused-by-sshd", DENY,                                                        \
  "sshd had already refused this user and replaced the answer",                                    \
  "check that the user exists, and PermitRootLogin, AllowUsers and DenyUsers in sshd_config")      \
X(REPEATED_ANSWER, "repeated-answer", DENY,                                                        \
  "every part of the token was the same",                                                          \
  "use keyboard-interactive (ksa-ssh): sshd's password method repeats one answer")                 \
X(TOKEN_TOO_LONG, "token-too-long", DENY,                                                          \
  "the answer is longer than any token", "send a token; it has at most 16384 bytes")               \
X(TOKEN_FILE_UNSAFE, "token-file-unsafe", DENY,                                                    \
  "the token file is not a private file of the user",                                              \
  "use a regular file, owned by the user or root, mode 0600 or 0400, at most 16384 bytes")         \
X(TOKEN_FILE_FAILED, "token-file-failed", DENY,                                                    \
  "the token file could not be read in time", "check the file's directory and file system")        \
X(ITEM, "item-too-long", DENY,                                                                     \
  "the program gave an address or a terminal of more than 255 bytes",                              \
  "find the program or PAM module that sets such a PAM_RHOST or PAM_TTY")                          \
/* its format */                                                                                   \
X(NOT_A_TOKEN, "not-a-token", DENY,                                                                \
  "the answer is not a compact JWS", "send the token itself, with nothing before or after it")     \
X(CUT_SHORT, "token-cut-short", DENY,                                                              \
  "the token is incomplete",                                                                       \
  "use ksa-ssh or ksa-askpass: ssh cuts an answer at 1023 bytes, pam_exec at 511")                 \
X(BAD_HEADER, "bad-header", DENY,                                                                  \
  "the header is not that of a Kubernetes token",                                                  \
  "send a service account token: this is another program's JWT")                                   \
X(BAD_ALGORITHM, "bad-algorithm", DENY,                                                            \
  "the algorithm is not RS256, ES256, ES384 or ES512",                                             \
  "send a service account token: no API server signs with another algorithm")                      \
X(BAD_CLAIMS, "bad-claims", DENY,                                                                  \
  "the claims are not those of a service account token",                                           \
  "send a service account token, not the token of a person")                                       \
/* its signer */                                                                                   \
X(LEGACY_TOKEN, "legacy-token", DENY,                                                              \
  "a legacy token from a Secret, which never expires",                                             \
  "request one that expires: kubectl create token, or a projected volume")                         \
X(UNKNOWN_ISSUER, "unknown-issuer", DENY,                                                          \
  "no [cluster] has this issuer",                                                                  \
  "compare the issuers byte for byte, including the slash at the end")                             \
X(NO_KID, "no-kid", DENY,                                                                          \
  "the token does not name its key",                                                               \
  "send a service account token: all current API servers name the key")                            \
X(UNKNOWN_KID, "unknown-kid", DENY,                                                                \
  "no key set of this issuer has the key that the token names",                                    \
  "if the cluster's keys were rotated, run ksactl keys refresh CLUSTER to see why they are missing")\
X(AMBIGUOUS_KID, "ambiguous-kid", DENY,                                                            \
  "two clusters of one issuer have a key of this name, or one key set has different keys of it",   \
  "remove one of the clusters or the unused key; ksactl check shows both")                         \
X(KEYS_UNUSABLE, "keys-unusable", UNAVAILABLE,                                                     \
  "no usable key set", "run ksactl keys show CLUSTER and ksactl check")                            \
X(KEYS_STALE, "keys-stale", UNAVAILABLE,                                                           \
  "the cached key set is older than keys_max_stale, or was fetched in the future",                 \
  "check the timer that refreshes the keys, and the clock")                                        \
X(KEY_MISMATCH, "key-mismatch", DENY,                                                              \
  "the token's algorithm is not that of the key",                                                  \
  "find out who sent this token: it was not signed like this by mistake")                          \
X(BAD_SIGNATURE, "bad-signature", DENY,                                                            \
  "the signature is not valid",                                                                    \
  "check whether the token was altered, or the key set is another cluster's")                      \
/* its claims */                                                                                   \
X(NO_AUDIENCE, "no-audience", DENY,                                                                \
  "the token has no audience", "request a token with this host's audience")                        \
X(WRONG_AUDIENCE, "wrong-audience", DENY,                                                          \
  "the token has another audience", "request a token with this host's audience")                   \
X(SEVERAL_AUDIENCES, "several-audiences", DENY,                                                    \
  "the token has several audiences, so another could replay it here",                              \
  "request a token with one audience, or set multiple_audiences = yes")                            \
X(EXPIRED, "expired", DENY,                                                                        \
  "the token has expired", "request a new token; check the clocks")                                \
X(NOT_YET_VALID, "not-yet-valid", DENY,                                                            \
  "the token is not valid yet", "check the clocks of host and cluster")                            \
X(LIFETIME, "lifetime-too-long", DENY,                                                             \
  "the token's lifetime is longer than max_lifetime",                                              \
  "request a shorter lifetime (kubectl create token --duration, expirationSeconds)")               \
X(BAD_SUBJECT, "bad-subject", DENY,                                                                \
  "sub is not the account that kubernetes.io names",                                               \
  "find out who holds the signing key: no API server issues such a token")                         \
/* the local user */                                                                               \
X(UNKNOWN_USER, "unknown-user", DENY,                                                              \
  "the user does not exist on this host", "create the user")                                       \
X(USER_DIFFERS, "user-name-differs", DENY,                                                         \
  "the system knows this user by another name",                                                    \
  "log in with the name that this host has for the user")                                          \
X(LOW_UID, "uid-too-low", DENY,                                                                    \
  "the user is a system user that no rule names",                                                  \
  "name the user in the rule, if this is intended")                                                \
X(NO_RULE, "no-rule", DENY,                                                                        \
  "no rule allows this account to become this user in this way",                                   \
  "add or correct a [rule]; run ksactl explain to see why each one does not match")                 \
X(ACCOUNT_UNKNOWN, "account-unknown", DENY,                                                        \
  "this account has no local user",                                                                \
  "run ksactl accounts sync to see why; ksactl accounts list shows all local users")               \
X(OTHER_ACCOUNT, "other-account", DENY,                                                            \
  "the local user belongs to another account",                                                     \
  "write user = @own in the rule, or name a user that ksa did not create")                         \
X(RECREATED, "account-recreated", DENY,                                                    \
  "the account was deleted and re-created after its local user was made",                          \
  "if it may have the files of the one before: ksactl accounts sync, then ksactl accounts enable USER; "   \
  "of an [account]: its uid as account_uid, then ksactl accounts sync")                                            \
X(DISABLED, "account-disabled", DENY,                                                      \
  "the local user is disabled",                                                                    \
  "ksactl accounts show USER shows why; ksactl accounts enable USER")                              \
X(REGISTRY, "registry-unusable", UNAVAILABLE,                                                      \
  "the registry of local accounts is damaged, lost, or others could change it",                    \
  "run ksactl status to see what is wrong")                                                         \
X(USER_CHANGED, "user-changed", FORBIDDEN,                                                         \
  "the user, service or address changed during the login",                                         \
  "find the PAM module or program that sets PAM_USER, PAM_SERVICE or PAM_RHOST during a login")    \
/* requests to the cluster */                                                                      \
X(NEEDS_ROOT, "needs-root", UNAVAILABLE,                                                           \
  "only root can send requests to the cluster",                                                    \
  "for a service without root, use rules without review, bound, rbac and once")                    \
X(API_UNREACHABLE, "api-unreachable", UNAVAILABLE,                                                 \
  "no connection to the cluster", "check api_server, proxy and the network")                       \
X(API_TIMEOUT, "api-timeout", UNAVAILABLE,                                                         \
  "no answer from the cluster in time", "check the API server's load, and timeout")                \
X(API_TLS, "api-tls", UNAVAILABLE,                                                                 \
  "the server could not prove that it belongs to the cluster",                                     \
  "check api_ca_file or keys_ca_file, and the name in api_server")                                 \
X(API_BROKEN, "api-answer-invalid", UNAVAILABLE,                                                    \
  "the answer is incomplete, too large or not of the requested kind",                              \
  "check proxies and load balancers between host and cluster")                                     \
X(API_UNAUTHORIZED, "api-unauthorized", UNAVAILABLE,                                               \
  "the cluster does not accept this host's own credential (401)",                                  \
  "pipe kubectl create token host-verifier -n ksa-system into ksactl credential init "             \
  "CLUSTER: the old one expired, its account was deleted, or it is for another cluster")           \
X(API_FORBIDDEN, "api-forbidden", UNAVAILABLE,                                                     \
  "the cluster does not allow this host's account to do this (403)",                               \
  "apply host-account.yaml, which grants the missing role; see ksa-clusters(7)")                   \
X(API_BUSY, "api-busy", UNAVAILABLE,                                                               \
  "the API server is overloaded (429)", "check the API server's load")                             \
X(API_ERROR, "api-error", UNAVAILABLE,                                                             \
  "the API server answered with an error", "check the API server's log")                           \
X(HELPER, "helper-failed", UNAVAILABLE,                                                            \
  "ksa-fetch could not send the request",                                                          \
  "check that ksa-fetch is installed and that the user _ksa exists")                               \
X(HOST_ERROR, "host-error", UNAVAILABLE,                                                           \
  "an error of this host prevented the request to the cluster",                                    \
  "check local ports (ss -s, net.ipv4.ip_local_port_range), processes, open files, memory "        \
  "and the firewall for outgoing connections")                                                     \
X(REVIEW_REFUSED, "review-refused", DENY,                                                          \
  "the API server does not accept the token",                                                      \
  "request a new token: this one was revoked, or its account or Pod was deleted")                  \
X(REVIEW_DIFFERS, "review-differs", DENY,                                                          \
  "the API server sees another account, audience or Pod in the token",                             \
  "check that api_server is the cluster that signed the token; if it is, find out who sent "       \
  "the token")                                                                                     \
X(RBAC_DENIED, "rbac-denied", FORBIDDEN,                                                           \
  "RBAC does not allow the account to log in to this host",                                        \
  "grant it by a Role in the account's namespace: verb login, or sudo, on hosts in ksa.dev")       \
/* other requirements of the rule */                                                               \
X(NOT_BOUND, "not-bound", DENY,                                                                    \
  "the rule requires a token that is bound to a Pod",                                              \
  "use a projected volume, or kubectl create token --bound-object-kind Pod")                       \
X(NO_JTI, "no-jti", DENY,                                                                          \
  "the rule accepts each token once, and this token has no jti to recognize it by",                \
  "use Kubernetes 1.30 or later, whose API servers add a jti")                                     \
X(USED_BEFORE, "used-before", DENY,                                                                \
  "the rule accepts each token once, and this token was used before", "request a new token")       \
X(MARK, "mark-failed", UNAVAILABLE,                                                                \
  "the use of the token could not be recorded",                                                    \
  "run systemd-tmpfiles --create ksa.conf; check the space for /var/lib/ksa/used")                 \
/* the session that sudo runs in */                                                                \
X(NO_SESSION, "no-session", DENY,                                                                  \
  "the process belongs to no login session: it has no audit session id",                           \
  "run sudo in the ssh session; in sshd's stack, pam_loginuid must come before pam_ksa")           \
X(NO_SESSION_RECORD, "no-session-record", DENY,                                                    \
  "this session was not opened by a token, or its record is missing",                              \
  "log in with a token, and run sudo in that session; the log of its login has a warning if it "   \
  "was not recorded")                                                                              \
X(SESSION_ENDED, "session-ended", DENY,                                                            \
  "the session to which this process belongs has ended",                                           \
  "log in again, and start a new tmux or screen server there: an old one stays in its old session")\
X(SESSION_OF_ANOTHER, "session-of-another", DENY,                                                  \
  "the session was opened as another user",                                                        \
  "run sudo as the user who logged in")                                                            \
X(SESSION_LEFT, "session-left", DENY,                                                              \
  "the process has another session keyring than its session",                                      \
  "run sudo outside of su - and of commands such as keyctl session")                               \
/* the host and its configuration */                                                               \
X(ARGUMENT, "bad-argument", UNAVAILABLE,                                                           \
  "the PAM line has an unknown argument or an invalid value", "see pam_ksa(8)")                    \
X(EXEMPT, "exempt", NOT_OURS,                                                                      \
  "exempt= names this user", "")                                                                   \
X(NOT_NAMED, "not-named", NOT_OURS,                                                                \
  "no rule names this user with this service", "")                                                 \
X(SERVICE_AUDIENCE, "service-without-audience", UNAVAILABLE,                                       \
  "a service without root needs an audience of its own, or it could replay tokens to sshd",        \
  "add [service NAME] with audience")                                                              \
X(SERVICE_USER, "service-with-root", UNAVAILABLE,                                                  \
  "local_user = no is only for services without root", "remove it from the [service] section")     \
X(HOST_NAME, "host-name-missing", UNAVAILABLE,                                                             \
  "the host has no name to replace %H or %h",                                                      \
  "set the host name, or write the name instead of %H or %h")                                      \
X(CONFIG_INVALID, "config-invalid", UNAVAILABLE,                                                   \
  "the configuration has an error", "run ksactl check")                                            \
X(FILE_MISSING, "file-missing", UNAVAILABLE,                                                       \
  "a file is missing", "run ksactl check")                                                         \
X(FILE_UNREADABLE, "file-unreadable", UNAVAILABLE,                                                 \
  "a file cannot be read", "run ksactl check")                                                     \
X(FILE_UNSAFE, "file-unsafe", UNAVAILABLE,                                                         \
  "users other than root could change a file", "run ksactl check")

/* The errors of ksactl that end no login: modules write no files. */
#define KSA_TOOL_REASONS(X)                                                                        \
        X(FILE_UNWRITABLE, "file-unwritable", UNAVAILABLE,                                         \
          "a file cannot be written",                                                              \
          "check free space, mount options and permissions of that file system")

/* KSA_OK is far from zero and all others, so that zeroed memory is never OK. */
enum ksa_reason {
#define KSA_REASON_ENUM(id, name, outcome, text, remedy) KSA_##id,
        KSA_REASONS(KSA_REASON_ENUM) KSA_TOOL_REASONS(KSA_REASON_ENUM)
#undef KSA_REASON_ENUM
        KSA_REASON_COUNT,
        KSA_OK = 0x5ac3e917,
};
/* clang-format on */

/* Longest remedy, in bytes. A log line always has room for it. */
#define KSA_REMEDY_MAX 255

/*
 * Replaces the word "CLUSTER" in REMEDY with the name CLUSTER, cut to KSA_REMEDY_MAX bytes. CLUSTER
 * may be NULL: then the word stays. Returns OUT.
 */
const char *ksa_remedy_of(const char *remedy, const char *cluster, char out[KSA_REMEDY_MAX + 1]);

/* Returns the name in the log, such as "expired"; "ok" for KSA_OK. Static, never NULL. */
const char *ksa_reason_name(enum ksa_reason reason);

/* Return the meaning and the remedy. Static, never NULL; the remedy may be "". */
const char *ksa_reason_text(enum ksa_reason reason);
const char *ksa_reason_remedy(enum ksa_reason reason);

/*
 * Returns the outcome of a refusal for this reason. Never KSA_ALLOW: KSA_OK and numbers outside the
 * enum are KSA_DENY.
 */
enum ksa_outcome ksa_reason_outcome(enum ksa_reason reason);

#endif
