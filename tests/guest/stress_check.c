// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The checker: it writes nothing, so it can run in another VM as well, with the
 * section read-only.  Of a page that is being written while it is read the ends
 * differ and only their order is checked; of all others every word is.
 */
#include "guest/stress.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/mman.h>

/* Through the mapping that stays or, one time in four, through a new one. */
static int page_look(struct stress_thread *thread, const struct stress_place *place,
		     uint64_t *words)
{
	const struct stress_section *section = place->section;
	void *addr;
	int signal;

	if (chance_below(&thread->chance, 4))
		return stress_page_load(section->base + (size_t)place->page * PAGE_WORDS, words);
	addr = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, section->fd, (off_t)place->page * PAGE);
	if (addr == MAP_FAILED)
		return -errno;
	signal = stress_page_load(addr, words);
	munmap(addr, PAGE);
	return signal;
}

static bool page_is_good(const struct stress_place *place, const uint64_t *words, uint64_t seen)
{
	const struct stress_stamp stamp = { place->section->id, place->page, words[0] };
	uint64_t end = words[PAGE_WORDS - 1];

	if (end < seen || words[0] < end)
		return false;
	return words[0] > end || stress_page_is(&stamp, words);
}

enum stress_result stress_check(struct stress_thread *thread)
{
	struct stress_place place = { .section = stress_any_section(thread) };
	uint64_t words[PAGE_WORDS] = { 0 }, *seen;
	int cause;

	if (!place.section)
		return STRESS_GONE;
	place.page = chance_below(&thread->chance, place.section->pages);
	seen = &thread->sequence[place.section->number][place.page];
	cause = page_look(thread, &place, words);
	if (cause)
		return stress_lost(place.section, "the checker's look", cause);
	if (page_is_good(&place, words, *seen)) {
		*seen = words[PAGE_WORDS - 1];
		return STRESS_DONE;
	}
	if (stress_section_has_gone(place.section))
		return STRESS_GONE;
	return stress_fail(place.section, "page %u: %" PRIu64 " to %" PRIu64 ", seen %" PRIu64,
			   place.page, words[0], words[PAGE_WORDS - 1], *seen);
}
