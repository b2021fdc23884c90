// SPDX-License-Identifier: GPL-2.0-or-later
/* What the operations are made of: places, mappings, and pages with their stamps. */
#include "guest/stress.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define MAP_PAGES_MAX 32

enum stress_result stress_fail(const struct stress_section *section, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	printf("# %s: %s\n", section->name, text);
	fflush(stdout);
	return STRESS_FAILED;
}

enum stress_result stress_lost(struct stress_section *section, const char *what, int cause)
{
	if (stress_section_has_gone(section))
		return STRESS_GONE;
	return stress_fail(section, "%s fails with %d and the section is there", what, cause);
}

struct stress_section *stress_any_section(struct stress_thread *thread)
{
	uint32_t first = chance_below(&thread->chance, thread->section_count), i;

	for (i = 0; i < thread->section_count; i++) {
		struct stress_section *section =
			&thread->sections[(first + i) % thread->section_count];

		if (!atomic_load(&section->gone))
			return section;
	}
	return NULL;
}

bool stress_own_place(struct stress_thread *thread, struct stress_place *ret_place)
{
	struct stress_section *section = stress_any_section(thread);
	uint32_t rounds;

	if (!section || !section->writable || section->pages < thread->threads)
		return false;
	rounds = section->pages / thread->threads;
	*ret_place = (struct stress_place){
		.section = section,
		.page = chance_below(&thread->chance, rounds) * thread->threads + thread->number,
	};
	return true;
}

static struct stress_stamp place_stamp(const struct stress_thread *thread,
				       const struct stress_place *place)
{
	return (struct stress_stamp){
		.section = place->section->id,
		.page = place->page,
		.sequence = thread->sequence[place->section->number][place->page],
	};
}

enum stress_result stress_write(struct stress_thread *thread, const struct stress_place *place,
				void *addr)
{
	uint64_t words[PAGE_WORDS];
	struct stress_stamp stamp;
	int signal;

	thread->sequence[place->section->number][place->page]++;
	stamp = place_stamp(thread, place);
	stress_page_make(&stamp, words);
	signal = stress_page_store(addr, words);
	return signal ? stress_lost(place->section, "a store", signal) : STRESS_DONE;
}

enum stress_result stress_verify(struct stress_thread *thread, const struct stress_place *place,
				 const void *addr)
{
	struct stress_stamp stamp = place_stamp(thread, place);
	uint64_t words[PAGE_WORDS];
	int signal = stress_page_load(addr, words);

	if (signal)
		return stress_lost(place->section, "a load", signal);
	if (stress_page_is(&stamp, words))
		return STRESS_DONE;
	if (stress_section_has_gone(place->section))
		return STRESS_GONE;
	return stress_fail(place->section,
			   "page %u should have %" PRIu64 " and has %" PRIu64 " to %" PRIu64,
			   place->page, stamp.sequence, words[0], words[PAGE_WORDS - 1]);
}

enum stress_result stress_map_around(struct stress_thread *thread, const struct stress_place *place,
				     struct stress_map *ret_map)
{
	struct stress_section *section = place->section;
	uint32_t before = chance_below(&thread->chance, MAP_PAGES_MAX);
	uint32_t after = chance_below(&thread->chance, MAP_PAGES_MAX);
	struct stress_map map = { .section = section };

	map.first = place->page > before ? place->page - before : 0;
	map.pages = place->page - map.first + 1 + after;
	if (map.first + map.pages > section->pages)
		map.pages = section->pages - map.first;
	map.addr = mmap(NULL, (size_t)map.pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			section->fd, (off_t)map.first * PAGE);
	if (map.addr == MAP_FAILED)
		return stress_lost(section, "mmap", errno);
	*ret_map = map;
	return STRESS_DONE;
}

void *stress_map_at(const struct stress_map *map, uint32_t page)
{
	return map->addr + (size_t)(page - map->first) * PAGE;
}

void stress_map_end(const struct stress_map *map)
{
	munmap(map->addr, (size_t)map->pages * PAGE);
}
