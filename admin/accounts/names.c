/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/accounts/names.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The first bytes of the hash are the uid; the next ones end a name that was cut. */
enum { TURNS = 16, UID_BYTES = 8, TAIL_BYTES = 5, TAIL_LENGTH = 8, CUT_LENGTH = 22 };

/* TURN counts the hashes before this one, whose uids were not usable. */
static bool hash_of(const char *cluster, const char *namespace, const char *account, size_t turn,
                    unsigned char ret_hash[EVP_MAX_MD_SIZE])
{
        static const char nothing[TURNS] = {0};
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        bool made = context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
                    EVP_DigestUpdate(context, cluster, strlen(cluster) + 1) == 1 &&
                    EVP_DigestUpdate(context, namespace, strlen(namespace) + 1) == 1 &&
                    EVP_DigestUpdate(context, account, strlen(account) + 1) == 1 &&
                    EVP_DigestUpdate(context, nothing, turn) == 1 &&
                    EVP_DigestFinal_ex(context, ret_hash, NULL) == 1;

        EVP_MD_CTX_free(context);
        return made;
}

enum ksa_reason ksa_account_uid(const char *cluster, const char *namespace, const char *account,
                                const struct ksa_uid_range *range, uint32_t *ret_uid,
                                struct ksa_error *err)
{
        unsigned char hash[EVP_MAX_MD_SIZE];
        uint32_t uid = 0;

        for (size_t turn = 0; turn < TURNS && !ksa_uid_is_usable(uid); turn++) {
                uint64_t number = 0;

                if (!hash_of(cluster, namespace, account, turn, hash))
                        return ksa_fail(err, KSA_INTERNAL, "OpenSSL gives no SHA-256");
                for (size_t i = 0; i < UID_BYTES; i++)
                        number = number << 8 | hash[i];
                uid = range->min + (uint32_t)(number % ((uint64_t)range->max - range->min + 1));
        }
        *ret_uid = uid;
        return KSA_OK;
}

/* Joins FIRST, LINK and SECOND. A name that is too long is cut, and ends with a hash. */
static enum ksa_reason join(const char *const parts[3], const char *first, const char *link,
                            const char *second, char ret_name[KSA_NAME_SIZE], struct ksa_error *err)
{
        static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
        unsigned char hash[EVP_MAX_MD_SIZE];
        char cut[KSA_NAME_SIZE];
        uint64_t tail = 0;

        int length = snprintf(cut, sizeof(cut), "%s%s%s", first, link, second);
        if (length < 0)
                return ksa_fail(err, KSA_INTERNAL, "a name could not be made");
        if (length > KSA_ACCOUNT_NAME_MAX) {
                if (!hash_of(parts[0], parts[1], parts[2], 0, hash))
                        return ksa_fail(err, KSA_INTERNAL, "OpenSSL gives no SHA-256");
                for (size_t i = 0; i < TAIL_BYTES; i++)
                        tail = tail << 8 | hash[UID_BYTES + i];
                cut[CUT_LENGTH] = cut[CUT_LENGTH + 1] = '_';
                for (size_t i = 0; i < TAIL_LENGTH; i++)
                        cut[CUT_LENGTH + 2 + i] = digits[tail >> (5 * (TAIL_LENGTH - 1 - i)) & 31];
                cut[KSA_ACCOUNT_NAME_MAX] = '\0';
        }
        memcpy(ret_name, cut, sizeof(cut));
        return KSA_OK;
}

enum ksa_reason ksa_account_name(const char *cluster, const char *namespace, const char *account,
                                 char ret_name[KSA_NAME_SIZE], struct ksa_error *err)
{
        const char *const parts[] = {cluster, namespace, account};

        return join(parts, namespace, "_", account, ret_name, err);
}

enum ksa_reason ksa_namespace_group(const char *cluster, const char *namespace,
                                    char ret_name[KSA_NAME_SIZE], struct ksa_error *err)
{
        const char *const parts[] = {cluster, namespace, ""};

        return join(parts, KSA_GROUP_PREFIX, namespace, "", ret_name, err);
}

/*
 * Names that hosts, their packages and sudoers give a meaning to, whether or not this host has
 * them; with a space on each side.
 */
static const char well_known[] =
        " root toor daemon bin sys sync games man lp mail news uucp proxy www-data backup"
        " list irc gnats nobody nogroup nfsnobody adm admin administrator sudo wheel"
        " sudoers staff operator tty disk kmem mem dialout fax voice cdrom floppy tape"
        " audio dip src shadow utmp video sasl plugdev users input sgx kvm render crontab"
        " netdev ssh sshd ftp halt shutdown lock docker lxd lxc incus incus-admin podman"
        " containerd libvirt qemu libvirt-qemu messagebus dbus polkitd postgres mysql"
        " mariadb redis mongodb nginx apache httpd named bind ntp chrony rpc rpcuser statd"
        " syslog postfix dovecot exim etcd kube kubelet wireshark vboxusers ssl-cert uuidd"
        " tss landscape fwupd-refresh pollinate sssd ldap squid"
        " vagrant ubuntu debian ec2-user google-sudoers bluetooth lpadmin sambashare"
        " scanner all"
        " ";

static bool is_well_known(const char *name)
{
        static const char *const beginnings[] = {"systemd-", "debian-", "sudo-", "docker-"};
        char word[KSA_NAME_SIZE + 2];

        (void)snprintf(word, sizeof(word), " %s ", name);
        if (strcasestr(well_known, word) != NULL) /* as some directories compare */
                return true;
        /* A namespace may begin so. No name of the system has an underscore after it. */
        for (size_t i = 0; i < KSA_COUNT(beginnings); i++) {
                if (strncasecmp(name, beginnings[i], strlen(beginnings[i])) == 0 &&
                    strchr(name, '_') == NULL)
                        return true;
        }
        return false;
}

const char *ksa_account_name_fault(const char *name)
{
        static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "abcdefghijklmnopqrstuvwxyz0123456789_.-";
        size_t length = strlen(name);

        if (length == 0)
                return "it is empty";
        if (length > KSA_ACCOUNT_NAME_MAX)
                return "it has more than 32 bytes";
        if (strspn(name, safe) != length)
                return "it has a character that a user's name may not have";
        if (name[0] == '-' || name[0] == '.')
                return "it begins with - or .";
        /* atoi, strtoul and their callers take these for a uid: 42, 0x1f, 1e5, 10.1. */
        if (strspn(name, "0123456789") > 0 && strspn(name, "0123456789abcdefABCDEFxX.-") == length)
                return "it looks like a number";
        if (name[0] == '_')
                return "it begins with _, as names of the system do";
        if (is_well_known(name))
                return "it is the name of a well-known user or group of the system";
        return NULL;
}
