/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ids that this user namespace has, as /proc/self/uid_map and gid_map list them (user_namespaces(7)).
 * setuid() and setgroups() fail for any other.
 */
#ifndef KSA_ID_MAP_H
#define KSA_ID_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/macros.h"

/* Lines that the kernel takes. */
#define KSA_ID_MAP_LINES 340

struct ksa_id_map {
        struct {
                uint32_t min, max;
        } ranges[KSA_ID_MAP_LINES];
        size_t count;
};

/*
 * Reads a map. With PATH NULL, and on a kernel without user namespaces (the file is missing), all ids are
 * mapped. KSA_FILE_UNREADABLE
 */
enum ksa_reason ksa_id_map_read(const char *path, struct ksa_id_map *ret_map,
                                struct ksa_error *err) KSA_MUST_CHECK;

/* Whether each id from MIN to MAX is mapped. */
bool ksa_id_map_has(const struct ksa_id_map *map, uint32_t min, uint32_t max);

/* Both maps. A user and its private group have one number, which must be in both. */
struct ksa_id_maps {
        struct ksa_id_map uids, gids;
};

/* Reads both, as ksa_id_map_read() does. */
enum ksa_reason ksa_id_maps_read(const char *uid_path, const char *gid_path,
                                 struct ksa_id_maps *ret_maps,
                                 struct ksa_error *err) KSA_MUST_CHECK;

/* Whether NUMBER is mapped as a uid and as a gid. */
bool ksa_id_maps_have(const struct ksa_id_maps *maps, uint32_t number);

/* The largest mapped range, as "0-65535", or "no ids". */
#define KSA_ID_MAP_TEXT 32
const char *ksa_id_map_tell(const struct ksa_id_map *map, char out[KSA_ID_MAP_TEXT]);

#endif
