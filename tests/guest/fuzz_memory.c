// SPDX-License-Identifier: GPL-2.0-or-later
/* Mappings of whatever descriptors there are, and what can be done to them. */
#include <string.h>
#include <sys/mman.h>

#include "guest/fuzz.h"
#include "guest/guard.h"

#define PAGE 4096

const struct fuzz_map *fuzz_map_any(struct fuzz_thread *t)
{
	const struct fuzz_map *map = &t->maps[chance_below(&t->chance, FUZZ_MAPS)];

	return map->addr ? map : NULL;
}

static struct fuzz_map *map_place(struct fuzz_thread *t)
{
	return &t->maps[chance_below(&t->chance, FUZZ_MAPS)];
}

static void map_drop(struct fuzz_map *map)
{
	if (map->addr)
		munmap(map->addr, map->length);
	*map = (struct fuzz_map){ 0 };
}

void fuzz_maps_drop(struct fuzz_thread *t)
{
	size_t i;

	for (i = 0; i < FUZZ_MAPS; i++)
		map_drop(&t->maps[i]);
}

static size_t length_any(struct chance *chance)
{
	return ((size_t)chance_below(chance, 600) + 1) * PAGE;
}

static off_t offset_any(struct chance *chance)
{
	return chance_below(chance, 2) ? 0 : (off_t)(fuzz_number(chance) & ~(uint64_t)(PAGE - 1));
}

void fuzz_step_map(struct fuzz_thread *t)
{
	static const int kinds[] = { MAP_SHARED, MAP_PRIVATE, MAP_SHARED_VALIDATE };
	static const int further[] = { 0, 0, 0, MAP_POPULATE, MAP_LOCKED, MAP_NORESERVE };
	struct fuzz_map *place = map_place(t);
	int prot = (int)chance_below(&t->chance, 8);
	int flags = kinds[chance_below(&t->chance, 3)] | further[chance_below(&t->chance, 6)];
	size_t length = length_any(&t->chance);
	void *addr;

	map_drop(place);
	addr = mmap(NULL, length, prot, flags, fuzz_fd_any(&t->chance), offset_any(&t->chance));
	if (addr != MAP_FAILED)
		*place = (struct fuzz_map){ addr, length };
}

static void load(void *data)
{
	volatile uint64_t *word = data;

	(void)*word;
}

static void store(void *data)
{
	volatile uint64_t *word = data;

	*word = 0x6d61676e65746963;
}

void fuzz_step_touch(struct fuzz_thread *t)
{
	const struct fuzz_map *map = fuzz_map_any(t);
	uint32_t times = chance_below(&t->chance, 8) + 1;

	while (map && times--) {
		uint32_t page = chance_below(&t->chance, (uint32_t)(map->length / PAGE));

		guard_run(chance_below(&t->chance, 2) ? load : store,
			  map->addr + (size_t)page * PAGE);
	}
}

static void map_resize(struct fuzz_thread *t, struct fuzz_map *map)
{
	size_t length = length_any(&t->chance);
	void *addr = mremap(map->addr, map->length, length, MREMAP_MAYMOVE);

	if (addr != MAP_FAILED)
		*map = (struct fuzz_map){ addr, length };
}

/* A part of the mapping: all, the first half or the second. */
static struct fuzz_map map_part(struct chance *chance, const struct fuzz_map *map)
{
	size_t half = map->length / 2 & ~(size_t)(PAGE - 1);

	switch (chance_below(chance, 3)) {
	case 0:
		return (struct fuzz_map){ map->addr, half };
	case 1:
		return (struct fuzz_map){ map->addr + half, map->length - half };
	default:
		return *map;
	}
}

void fuzz_step_reshape(struct fuzz_thread *t)
{
	static const int advice[] = {
		MADV_NORMAL,	MADV_DONTNEED,	    MADV_WILLNEED,	 MADV_DONTFORK,
		MADV_DOFORK,	MADV_DONTDUMP,	    MADV_DODUMP,	 MADV_HUGEPAGE,
		MADV_MERGEABLE, MADV_COLD,	    MADV_PAGEOUT,	 MADV_REMOVE,
		MADV_FREE,	MADV_POPULATE_READ, MADV_POPULATE_WRITE,
	};
	const uint32_t count = sizeof(advice) / sizeof(advice[0]);
	struct fuzz_map *map = map_place(t), part;

	if (!map->addr)
		return;
	part = map_part(&t->chance, map);
	switch (chance_below(&t->chance, 5)) {
	case 0:
		mprotect(part.addr, part.length, (int)chance_below(&t->chance, 8));
		break;
	case 1:
		madvise(part.addr, part.length, advice[chance_below(&t->chance, count)]);
		break;
	case 2:
		msync(part.addr, part.length, chance_below(&t->chance, 2) ? MS_SYNC : MS_ASYNC);
		break;
	case 3:
		chance_below(&t->chance, 2) ? mlock(part.addr, part.length)
					    : munlock(part.addr, part.length);
		break;
	default:
		map_resize(t, map);
	}
}

void fuzz_step_unmap(struct fuzz_thread *t)
{
	map_drop(map_place(t));
}
