/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/accounts/id_map.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* The next number of a line, whose columns the kernel pads with spaces; NULL at its end. */
static const char *next_number(char **line)
{
        char *number = *line + strspn(*line, " ");
        size_t length = strcspn(number, " ");

        *line = number + length;
        if (**line != '\0')
                *(*line)++ = '\0';
        return length == 0 ? NULL : number;
}

/* "INSIDE OUTSIDE COUNT", without its newline. */
static bool add_line(struct ksa_id_map *map, char *line)
{
        const char *inside = next_number(&line), *outside = next_number(&line);
        const char *length = next_number(&line);
        uint64_t first, other, count;

        if (length == NULL || next_number(&line) != NULL || map->count == KSA_ID_MAP_LINES ||
            !ksa_text_number(inside, 0, UINT32_MAX, &first) ||
            !ksa_text_number(outside, 0, UINT32_MAX, &other) ||
            !ksa_text_number(length, 1, (uint64_t)UINT32_MAX + 1 - first, &count))
                return false;
        map->ranges[map->count].min = (uint32_t)first;
        map->ranges[map->count].max = (uint32_t)(first + count - 1);
        map->count++;
        return true;
}

static enum ksa_reason read_lines(FILE *file, const char *path, struct ksa_id_map *map,
                                  struct ksa_error *err)
{
        char line[128];

        for (unsigned number = 1; fgets(line, sizeof(line), file) != NULL; number++) {
                char *end = strchr(line, '\n');

                if (end != NULL)
                        *end = '\0';
                if (end == NULL || !add_line(map, line)) {
                        ksa_error_at(err, path, number);
                        return ksa_fail(err, KSA_FILE_UNREADABLE,
                                        "it is not \"INSIDE OUTSIDE COUNT\"");
                }
        }
        ksa_error_at(err, path, 0);
        return ferror(file) != 0 ? ksa_fail(err, KSA_FILE_UNREADABLE, "%s", strerror(errno))
                                 : KSA_OK;
}

enum ksa_reason ksa_id_map_read(const char *path, struct ksa_id_map *ret_map, struct ksa_error *err)
{
        static const struct ksa_id_map all = {.ranges = {{0, UINT32_MAX}}, .count = 1};
        struct ksa_id_map map = {.count = 0};
        FILE *file = path == NULL ? NULL : fopen(path, "re");

        if (file == NULL && path != NULL && errno != ENOENT) {
                ksa_error_at(err, path, 0);
                return ksa_fail(err, KSA_FILE_UNREADABLE, "%s", strerror(errno));
        }
        enum ksa_reason reason = file == NULL ? KSA_OK : read_lines(file, path, &map, err);
        if (reason == KSA_OK)
                *ret_map = file == NULL ? all : map;
        if (file != NULL)
                (void)fclose(file);
        return reason;
}

bool ksa_id_map_has(const struct ksa_id_map *map, uint32_t min, uint32_t max)
{
        uint64_t id = min;

        /* Ranges may adjoin, in any order: each round moves past at least one of them. */
        for (size_t i = 0; i < map->count && id <= max; i++) {
                for (size_t n = 0; n < map->count; n++) {
                        if (map->ranges[n].min <= id && map->ranges[n].max >= id)
                                id = (uint64_t)map->ranges[n].max + 1;
                }
        }
        return id > max;
}

enum ksa_reason ksa_id_maps_read(const char *uid_path, const char *gid_path,
                                 struct ksa_id_maps *ret_maps, struct ksa_error *err)
{
        struct ksa_id_maps maps;
        enum ksa_reason reason = ksa_id_map_read(uid_path, &maps.uids, err);

        if (reason == KSA_OK)
                reason = ksa_id_map_read(gid_path, &maps.gids, err);
        if (reason == KSA_OK)
                *ret_maps = maps;
        return reason;
}

bool ksa_id_maps_have(const struct ksa_id_maps *maps, uint32_t number)
{
        return ksa_id_map_has(&maps->uids, number, number) &&
               ksa_id_map_has(&maps->gids, number, number);
}

const char *ksa_id_map_tell(const struct ksa_id_map *map, char out[KSA_ID_MAP_TEXT])
{
        size_t best = 0;

        for (size_t i = 1; i < map->count; i++) {
                if (map->ranges[i].max - map->ranges[i].min >
                    map->ranges[best].max - map->ranges[best].min)
                        best = i;
        }
        if (map->count == 0)
                (void)snprintf(out, KSA_ID_MAP_TEXT, "no ids");
        else
                (void)snprintf(out, KSA_ID_MAP_TEXT, "%u-%u", map->ranges[best].min,
                               map->ranges[best].max);
        return out;
}
