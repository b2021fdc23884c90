/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pages of a RESERVE section that are committed: ranges in ascending order
 * that do not touch.  Offsets and lengths are whole pages within a section,
 * which the caller sees to.  Only commit_map_add() adds to it: it alone knows how
 * much room there is.  Pure; the map owns its memory and the zero value
 * is the empty map.
 */
#ifndef BROKER_COMMIT_MAP_H
#define BROKER_COMMIT_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vmsect/vmsect_proto.h>

#define COMMIT_RANGES_MAX 4096u

struct commit_map {
	struct vmsect_wire_range *ranges; /* owned */
	size_t count;
};

/* Frees; the map is then empty. */
void commit_map_deinit(struct commit_map *map);

/* Bytes of the range that are not committed. */
uint64_t commit_map_missing(const struct commit_map *map, uint64_t offset, uint64_t length);

/* All bytes that are committed. */
uint64_t commit_map_bytes(const struct commit_map *map);

/*
 * Adds a range, which may overlap and touch others.  -EDQUOT: the map would
 * have more than COMMIT_RANGES_MAX ranges; -ENOMEM.  It is then as before.
 */
int commit_map_add(struct commit_map *map, uint64_t offset, uint64_t length);

/* Would commit_map_add() say -EDQUOT? */
bool commit_map_is_full(const struct commit_map *map, uint64_t offset, uint64_t length);

#endif
