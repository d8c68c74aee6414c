/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/accounts/local_users.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "admin/accounts/local_files.h"
#include "base/text.h"

struct ksa_local {
        struct ksa_local_table users, groups, ranges;
        struct ksa_id_maps ids;
        bool ask_nss;
};

static enum ksa_reason no_memory(struct ksa_error *err)
{
        return ksa_fail(err, KSA_MEMORY, "memory ran out over the users of this host");
}

enum ksa_reason ksa_local_read(const struct ksa_local_files *files, struct ksa_local **ret_local,
                               struct ksa_error *err)
{
        struct ksa_local *local = calloc(1, sizeof(*local));

        if (local == NULL)
                return no_memory(err);
        local->ask_nss = files->ask_nss;
        enum ksa_reason reason = ksa_local_read_users(files->passwd, &local->users, err);
        if (reason == KSA_OK)
                reason = ksa_local_read_groups(files->group, &local->groups, err);
        if (reason == KSA_OK)
                reason = ksa_local_read_ranges(files->subuid, &local->ranges, err);
        if (reason == KSA_OK)
                reason = ksa_local_read_ranges(files->subgid, &local->ranges, err);
        if (reason == KSA_OK)
                reason = ksa_id_maps_read(files->uid_map, files->gid_map, &local->ids, err);
        if (reason == KSA_OK &&
            !(ksa_local_arrange(&local->users) && ksa_local_arrange(&local->groups) &&
              ksa_local_arrange(&local->ranges)))
                reason = no_memory(err);
        if (reason == KSA_OK)
                *ret_local = local;
        else
                ksa_local_free(&local);
        return reason;
}

void ksa_local_free(struct ksa_local **local)
{
        if (*local == NULL)
                return;
        ksa_local_clear(&(*local)->users);
        ksa_local_clear(&(*local)->groups);
        ksa_local_clear(&(*local)->ranges);
        free(*local);
        *local = NULL;
}

/* --- Lookups -------------------------------------------------------------------- */

static void tell(const char *kind, const char *name, const char *file, char who[KSA_WHO_SIZE])
{
        char quoted[4 * KSA_ACCOUNT_NAME_MAX + 8];

        (void)snprintf(who, KSA_WHO_SIZE, "%s '%s' of %s", kind,
                       ksa_text_quote(name, quoted, sizeof(quoted)), file);
}

/* The meaning of an NSS function's result. A failed lookup does not mean that the name is free. */
enum answer { FREE, OWNED, NO_ANSWER };

static enum answer meant(int code, const void *result)
{
        if (result != NULL)
                return OWNED;
        return code == 0 || code == ENOENT || code == ESRCH || code == EBADF || code == EPERM
                       ? FREE
                       : NO_ANSWER;
}

/* The entry of a group with tens of thousands of members has megabytes. */
enum { ANSWER_SIZE = 64 * 1024, ANSWER_MAX = 16 * 1024 * 1024 };

/* The owner of a name or number. */
struct holder {
        char name[KSA_WHO_SIZE];
        uint32_t number;
};

/* Asks once: by name, or by number if NAME is NULL. */
static enum answer ask_user(const char *name, uint32_t number, char *buffer, size_t size,
                            struct holder *holder, int *ret_code)
{
        struct passwd user, *found = NULL;

        *ret_code = name != NULL ? getpwnam_r(name, &user, buffer, size, &found)
                                 : getpwuid_r(number, &user, buffer, size, &found);
        if (found != NULL) {
                (void)snprintf(holder->name, sizeof(holder->name), "%s", found->pw_name);
                holder->number = found->pw_uid;
        }
        return meant(*ret_code, found);
}

static enum answer ask_group(const char *name, uint32_t number, char *buffer, size_t size,
                             struct holder *holder, int *ret_code)
{
        struct group group, *found = NULL;

        *ret_code = name != NULL ? getgrnam_r(name, &group, buffer, size, &found)
                                 : getgrgid_r(number, &group, buffer, size, &found);
        if (found != NULL) {
                (void)snprintf(holder->name, sizeof(holder->name), "%s", found->gr_name);
                holder->number = found->gr_gid;
        }
        return meant(*ret_code, found);
}

static enum answer ask(bool group, const char *name, uint32_t number, struct holder *holder)
{
        enum answer answer = NO_ANSWER;

        for (size_t size = ANSWER_SIZE; size <= ANSWER_MAX; size *= 4) {
                char *buffer = malloc(size);
                int code = 0;

                if (buffer == NULL)
                        break;
                answer = (group ? ask_group : ask_user)(name, number, buffer, size, holder, &code);
                free(buffer);
                if (code != ERANGE)
                        break;
        }
        return answer;
}

/* Looks in the files, and with NEW in NSS, which includes directories. */
static bool has(const struct ksa_local *local, bool group, const char *name, uint32_t number,
                bool new, char who[KSA_WHO_SIZE])
{
        const struct ksa_local_table *table = group ? &local->groups : &local->users;
        const struct ksa_local_entry *entry = name != NULL ? ksa_local_with_name(table, name)
                                                           : ksa_local_with_number(table, number);
        struct holder holder = {0};

        if (entry != NULL) {
                tell(entry->kind, entry->name, entry->file, who);
                return true;
        }
        if (!new || !local->ask_nss)
                return false;
        enum answer answer = ask(group, name, number, &holder);
        if (answer == OWNED)
                tell(group ? "the group" : "the user", holder.name, "NSS", who);
        else if (answer == NO_ANSWER)
                (void)snprintf(who, KSA_WHO_SIZE, "possibly a user of NSS, which does not answer");
        return answer != FREE;
}

bool ksa_local_has_name(const struct ksa_local *local, const char *name, bool new,
                        char who[KSA_WHO_SIZE])
{
        return has(local, false, name, 0, new, who) || has(local, true, name, 0, new, who);
}

bool ksa_local_has_number(const struct ksa_local *local, uint32_t number, bool new,
                          char who[KSA_WHO_SIZE])
{
        const struct ksa_local_entry *range = ksa_local_with_number(&local->ranges, number);

        if (range != NULL) {
                tell(range->kind, range->name, range->file, who);
                return true;
        }
        return has(local, false, NULL, number, new, who) ||
               has(local, true, NULL, number, new, who);
}

bool ksa_local_gives_ids(const struct ksa_local *local, const char *name, uint32_t uid,
                         char who[KSA_WHO_SIZE])
{
        char number[16];

        (void)snprintf(number, sizeof(number), "%u", uid);
        const struct ksa_local_entry *entry = ksa_local_with_name(&local->ranges, name);
        if (entry == NULL)
                entry = ksa_local_with_name(&local->ranges, number);
        if (entry != NULL)
                tell(entry->kind, entry->name, entry->file, who);
        return entry != NULL;
}

const struct ksa_id_maps *ksa_local_ids(const struct ksa_local *local)
{
        return &local->ids;
}

bool ksa_local_gid(const struct ksa_local *local, const char *group, uint32_t *ret_gid)
{
        const struct ksa_local_entry *entry = ksa_local_with_name(&local->groups, group);
        struct holder holder = {0};
        uint32_t gid;

        if (entry != NULL)
                gid = (uint32_t)entry->number;
        else if (!local->ask_nss || ask(true, group, 0, &holder) != OWNED)
                return false;
        else
                gid = holder.number;
        *ret_gid = gid;
        return true;
}

bool ksa_local_is_powerful(const char *group, uint32_t gid)
{
        static const char *const names[] = {
                "root",
                "sudo",
                "wheel",
                "admin",
                "adm",
                "disk",
                "shadow",
                "docker",
                "lxd",
                "lxc",
                "incus",
                "incus-admin",
                "kmem",
                "libvirt",
                "kvm",
                "podman",
                "systemd-journal",
                "google-sudoers",
        };

        for (size_t i = 0; i < KSA_COUNT(names); i++) {
                if (strcasecmp(group, names[i]) == 0)
                        return true;
        }
        return gid < 1000;
}
