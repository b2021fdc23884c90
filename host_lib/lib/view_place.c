/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See view_place.h. */
#include "lib/view_place.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>

#define HUGE_ALIGN (UINT64_C(2) << 20)
#define RESERVATION (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)

static void release(unsigned char *start, uint64_t bytes)
{
	if (bytes)
		(void)munmap(start, bytes);
}

/*
 * Addresses agree with the offset modulo the section's page, and modulo 2 MiB
 * where that lets huge pages be used.
 */
static int take_anywhere(struct view_place *place, uint64_t bytes)
{
	uint64_t align = place->page;
	uint64_t total, skip;
	unsigned char *start;

	if (bytes >= HUGE_ALIGN && align < HUGE_ALIGN)
		align = HUGE_ALIGN;
	if (!bytes || __builtin_add_overflow(bytes, align, &total))
		return -ENOMEM;
	start = mmap(NULL, total, PROT_NONE, RESERVATION, -1, 0);
	if (start == MAP_FAILED)
		return -ENOMEM;
	skip = (place->offset - (uintptr_t)start) & (align - 1);
	release(start, skip);
	release(start + skip + bytes, align - skip);
	place->start = start + skip;
	return 0;
}

static int take_wanted(struct view_place *place, uint64_t bytes)
{
	unsigned char *start;

	if ((uintptr_t)place->wanted & (place->page - 1))
		return -EINVAL;
	start = mmap(place->wanted, bytes, PROT_NONE, RESERVATION | MAP_FIXED_NOREPLACE, -1, 0);
	if (start == MAP_FAILED)
		return errno == EEXIST ? -EEXIST : -ENOMEM;
	place->start = start;
	return 0;
}

int view_place_take(struct view_place *place, uint64_t bytes)
{
	int r = place->wanted ? take_wanted(place, bytes) : take_anywhere(place, bytes);

	if (!r)
		place->bytes = bytes;
	return r;
}

void view_place_trim(struct view_place *place, uint64_t bytes)
{
	if (bytes >= place->bytes)
		return;
	release(place->start + bytes, place->bytes - bytes);
	place->bytes = bytes;
}

void view_place_give_back(struct view_place *place)
{
	release(place->start, place->bytes);
	place->start = NULL;
	place->bytes = 0;
}
