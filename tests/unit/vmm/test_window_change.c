/* SPDX-License-Identifier: GPL-2.0-or-later */
/* window_change.c and window_query.c without a VM: what changes in a live view. */
#include <errno.h>
#include <string.h>

#include "lib/huge_pages.h"
#include "unit/vmm/window_bed.h"

#define TIME_LIMIT_S 120

static void test_modes_of_runs(void **state)
{
	struct bed *bed = *state;
	uint64_t place = roomy_view(bed, 8 * PAGE, 8 * PAGE, WINDOW_READWRITE);

	assert_int_equal(protect(bed, place, PAGE, PAGE, WINDOW_READONLY), 0);
	assert_int_equal(protect(bed, place, 3 * PAGE, 2 * PAGE, WINDOW_NOACCESS), 0);
	assert_int_equal(guest_write(bed, place + PAGE, 5), WINDOW_FAULT_DENIED);
	assert_int_equal(window_denied_writes(bed->window, place), 1);
	check_word(bed, place + PAGE, pattern(PAGE));
	check_hole(bed, place + 3 * PAGE);
	check_hole(bed, place + 5 * PAGE - 8);
	assert_int_equal(guest_write(bed, place + 2 * PAGE, 6), WINDOW_FAULT_RACE);
	assert_int_equal(file_word(bed, 2 * PAGE), 6);
	assert_int_equal(guest_write(bed, place + 5 * PAGE, 7), WINDOW_FAULT_RACE);
	assert_int_equal(file_word(bed, 5 * PAGE), 7);
	assert_int_equal(protect(bed, place, 0, 8 * PAGE, WINDOW_READWRITE), 0);
	assert_int_equal(guest_write(bed, place + PAGE, 8), WINDOW_FAULT_RACE);
	assert_int_equal(file_word(bed, PAGE), 8);
	check_word(bed, place + 4 * PAGE, pattern(4 * PAGE));
}

/* What an access on the border of two runs may do is what both allow. */
static void test_border_of_runs(void **state)
{
	struct bed *bed = *state;
	uint64_t place = roomy_view(bed, 4 * PAGE, 4 * PAGE, WINDOW_READWRITE), value;

	assert_int_equal(protect(bed, place, PAGE, PAGE, WINDOW_READONLY), 0);
	assert_int_equal(protect(bed, place, 2 * PAGE, PAGE, WINDOW_NOACCESS), 0);
	assert_int_equal(guest_write(bed, place + PAGE - 4, 1), WINDOW_FAULT_DENIED);
	assert_int_equal(guest_read(bed, place + PAGE - 4, &value), WINDOW_FAULT_RACE);
	assert_int_equal(guest_read(bed, place + 2 * PAGE - 4, &value), WINDOW_FAULT_HOLE);
	assert_int_equal(guest_write(bed, place + 3 * PAGE - 4, 1), WINDOW_FAULT_HOLE);
	assert_int_equal(file_word(bed, PAGE - 8), pattern(PAGE - 8));
	assert_int_equal(file_word(bed, 3 * PAGE), pattern(3 * PAGE));
}

static void test_refused_protects(void **state)
{
	struct bed *bed = *state;
	uint64_t place = roomy_view(bed, 4 * PAGE, UNIT, WINDOW_READWRITE);
	uint64_t other = view(bed, 0, 4 * PAGE, WINDOW_READONLY); /* of the read-only file */
	const struct {
		const char *name;
		uint64_t place, offset, bytes;
	} cases[] = {
		{ "no view", place + UNIT * 64, 0, PAGE },
		{ "not where it begins", place + PAGE, 0, PAGE },
		{ "nothing", place, 0, 0 },
		{ "half a page", place, 0, PAGE / 2 },
		{ "from half a page", place, PAGE / 2, PAGE },
		{ "behind the end", place, 4 * PAGE, PAGE },
		{ "over the end", place, 3 * PAGE, 2 * PAGE },
		{ "wraps", place, 2 * PAGE, UINT64_MAX - PAGE + 1 },
		{ "absurd", place, UINT64_MAX - PAGE + 1, PAGE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (protect(bed, cases[i].place, cases[i].offset, cases[i].bytes,
			    WINDOW_READONLY) != -EINVAL ||
		    reset(bed, cases[i].place, cases[i].offset, cases[i].bytes) != -EINVAL ||
		    restore(bed, cases[i].place, cases[i].offset, cases[i].bytes) != -EINVAL)
			fail_msg("%s", cases[i].name);
	}
	for (uint64_t i = 0; i < 4; i++)
		assert_int_equal(guest_write(bed, place + i * PAGE, i), WINDOW_FAULT_RACE);
	assert_int_equal(protect(bed, other, 0, PAGE, WINDOW_READWRITE), -EACCES);
	assert_int_equal(guest_write(bed, other, 1), WINDOW_FAULT_DENIED);
	assert_int_equal(protect(bed, other, 0, PAGE, WINDOW_WRITECOPY), 0);
	assert_int_equal(guest_write(bed, other, 1), WINDOW_FAULT_RACE);
	assert_int_equal(file_word(bed, 0), 0);
}

/* Every second page differs until there are too many runs: then nothing changes. */
static void test_too_many_runs(void **state)
{
	struct bed *bed = *state;
	uint64_t place = roomy_view(bed, UNIT, UNIT, WINDOW_READWRITE), pages = 0;

	while (protect(bed, place, (2 * pages + 1) * PAGE, PAGE, WINDOW_READONLY) == 0)
		pages++;
	assert_int_equal(protect(bed, place, (2 * pages + 1) * PAGE, PAGE, WINDOW_READONLY),
			 -E2BIG);
	assert_in_range(pages, 100, 200);
	assert_int_equal(guest_write(bed, place + (2 * pages - 1) * PAGE, 1), WINDOW_FAULT_DENIED);
	assert_int_equal(guest_write(bed, place + (2 * pages + 1) * PAGE, 1), WINDOW_FAULT_RACE);
	assert_int_equal(protect(bed, place, 0, UNIT, WINDOW_READWRITE), 0);
	assert_int_equal(guest_write(bed, place + PAGE, 1), WINDOW_FAULT_RACE);
}

/* A view opened for nothing has no file that could show anything. */
static void test_without_a_file(void **state)
{
	struct bed *bed = *state;
	struct window_map map = { .fd = -1, .bytes = PAGE, .page_bytes = PAGE };

	assert_int_equal(window_reserve(bed->window, WINDOW_ANY, 0, PAGE, &map.place), 0);
	assert_int_equal(window_map(bed->window, &map, 7), 0);
	assert_int_equal(protect(bed, map.place, 0, PAGE, WINDOW_READONLY), -EINVAL);
	assert_int_equal(protect(bed, map.place, 0, PAGE, WINDOW_NOACCESS), 0);
	check_hole(bed, map.place);
	assert_int_equal(window_sweep(bed->window), 0);
}

/* The handle through which it was mapped is gone; the view still can change. */
static void test_protect_without_the_handle(void **state)
{
	struct bed *bed = *state;
	uint64_t ro = view(bed, 0, 2 * PAGE, WINDOW_READONLY);
	uint64_t rw = view(bed, 0, 2 * PAGE, WINDOW_READWRITE);
	uint64_t none = roomy_view(bed, 2 * PAGE, UNIT, WINDOW_NOACCESS);
	int kept = fcntl(bed->fd, F_DUPFD_CLOEXEC, 0);

	assert_int_equal(dup3(STDIN_FILENO, bed->fd, O_CLOEXEC), bed->fd);
	assert_int_equal(dup3(STDIN_FILENO, bed->read_fd, O_CLOEXEC), bed->read_fd);
	assert_int_equal(protect(bed, ro, 0, PAGE, WINDOW_READWRITE), -EACCES);
	assert_int_equal(protect(bed, none, 0, PAGE, WINDOW_READWRITE), 0);
	window_unmap(bed->window, rw);
	assert_int_equal(guest_write(bed, none, 12), WINDOW_FAULT_RACE);
	check_word(bed, ro, 12);
	check_hole(bed, none + PAGE);
	assert_int_equal(dup3(kept, bed->fd, O_CLOEXEC), bed->fd);
	(void)close(kept);
	assert_int_equal(file_word(bed, 0), 12);
}

static void test_grow(void **state)
{
	struct bed *bed = *state;
	uint64_t place = roomy_view(bed, 2 * PAGE, UNIT + 4 * PAGE, WINDOW_WRITECOPY), other;
	const struct {
		uint64_t bytes;
		int result;
	} cases[] = {
		{ 0, -EINVAL },
		{ PAGE, -EINVAL },
		{ 2 * PAGE + 8, -EINVAL },
		{ UNIT + 5 * PAGE, -EINVAL },
		{ UINT64_MAX - PAGE + 1, -EINVAL },
		{ 2 * PAGE, 0 },
		{ 3 * PAGE, 0 },
		{ 2 * PAGE, -EINVAL },
	};

	/* The units are those of the room. */
	assert_int_equal(window_reserve(bed->window, place + UNIT, 0, PAGE, &other), -EEXIST);
	assert_int_equal(guest_write(bed, place + PAGE, 9), WINDOW_FAULT_RACE);
	check_hole(bed, place + 2 * PAGE);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (window_grow(bed->window, place, cases[i].bytes) != cases[i].result)
			fail_msg("case %zu", i);
	assert_int_equal(window_grow(bed->window, place + UNIT, PAGE), -EINVAL);
	check_word(bed, place + PAGE, 9);
	check_word(bed, place + 2 * PAGE, pattern(2 * PAGE));
	assert_int_equal(guest_write(bed, place + 2 * PAGE, 10), WINDOW_FAULT_RACE);
	assert_int_equal(file_word(bed, 2 * PAGE), pattern(2 * PAGE));
	check_hole(bed, place + 3 * PAGE);
	assert_int_equal(protect(bed, place, 0, 3 * PAGE, WINDOW_READONLY), 0);
	/* The tail has the mode with which the view was mapped. */
	assert_int_equal(window_grow(bed->window, place, UNIT + 4 * PAGE), 0);
	assert_int_equal(guest_write(bed, place + 2 * PAGE, 1), WINDOW_FAULT_DENIED);
	assert_int_equal(guest_write(bed, place + UNIT + 4 * PAGE - 8, 1), WINDOW_FAULT_RACE);
	assert_int_equal(window_private_pages(bed->window, place), 3);
	window_unmap(bed->window, place);
	assert_int_equal(window_reserve(bed->window, place + UNIT, 0, PAGE, &other), 0);
}

static void test_refused_rooms(void **state)
{
	struct bed *bed = *state;
	struct window_map map = { .fd = bed->fd, .page_bytes = PAGE };
	const struct {
		uint64_t bytes, room;
	} cases[] = {
		{ 0, 2 * UNIT },	{ 3 * UNIT, 2 * UNIT }, { PAGE, UNIT },
		{ PAGE, 2 * UNIT - 8 }, { PAGE, 3 * UNIT },	{ PAGE, UINT64_MAX - PAGE + 1 },
	};

	assert_int_equal(window_reserve(bed->window, WINDOW_ANY, 0, 2 * UNIT, &map.place), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		map.bytes = cases[i].bytes;
		map.room = cases[i].room;
		if (window_map(bed->window, &map, 7) != -EINVAL)
			fail_msg("case %zu", i);
	}
}

static void test_revoke(void **state)
{
	struct bed *bed = *state;
	uint64_t place = roomy_view(bed, 2 * PAGE, UNIT, WINDOW_READWRITE), other;
	uint64_t next = view(bed, 0, PAGE, WINDOW_READWRITE);
	const struct window_pages none = { .bytes = 2 * PAGE };
	struct window_pages pages;
	struct window_range range;
	uint8_t byte;

	assert_int_equal(guest_write(bed, place, 3), WINDOW_FAULT_RACE);
	assert_int_equal(window_revoke(bed->window, place + UNIT * 8), -EINVAL);
	assert_int_equal(window_revoke(bed->window, place), 0);
	assert_int_equal(window_revoke(bed->window, place), 0);
	check_hole(bed, place);
	check_word(bed, next, 3);
	assert_int_equal(window_reserve(bed->window, place, 0, PAGE, &other), -EEXIST);
	assert_int_equal(protect(bed, place, 0, PAGE, WINDOW_READONLY), -EINVAL);
	assert_int_equal(window_grow(bed->window, place, 3 * PAGE), -EINVAL);
	assert_int_equal(reset(bed, place, 0, PAGE), -EINVAL);
	assert_int_equal(restore(bed, place, 0, PAGE), -EINVAL);
	assert_int_equal(window_diff(bed->window, place, 0, &range, 1), -EINVAL);
	assert_int_equal(window_read(bed->window, place, 0, &byte, 1), -EIO);
	assert_int_equal(window_private_pages(bed->window, place), 0);
	assert_int_equal(window_query(bed->window, place, PAGE, &pages), 0);
	assert_memory_equal(&pages, &none, sizeof(pages));
	assert_int_equal(window_sweep(bed->window), 0);
	window_unmap(bed->window, place);
	assert_int_equal(window_reserve(bed->window, place, 0, PAGE, &other), 0);
	check_word(bed, next, 3);
}

/* Private pages: they are found, survive modes, and go by a reset. */
static void test_private_pages(void **state)
{
	struct bed *bed = *state;
	uint64_t place = roomy_view(bed, 16 * PAGE, UNIT, WINDOW_WRITECOPY);
	struct window_range ranges[4];

	assert_int_equal(window_diff(bed->window, place, 0, ranges, 4), 0);
	for (uint64_t i = 2; i < 14; i++)
		if (i % 4 != 1)
			assert_int_equal(guest_write(bed, place + i * PAGE, i), WINDOW_FAULT_RACE);
	assert_int_equal(window_private_pages(bed->window, place), 9);
	assert_int_equal(window_diff(bed->window, place, 0, ranges, 2), 2);
	assert_int_equal(ranges[0].offset, 2 * PAGE);
	assert_int_equal(ranges[0].bytes, 3 * PAGE);
	assert_int_equal(ranges[1].offset, 6 * PAGE);
	assert_int_equal(window_diff(bed->window, place, 9 * PAGE, ranges, 4), 1);
	assert_int_equal(ranges[0].offset, 10 * PAGE);
	assert_int_equal(window_diff(bed->window, place, 13 * PAGE, ranges, 4), 0);
	assert_int_equal(window_diff(bed->window, place + PAGE, 0, ranges, 4), -EINVAL);
	/* Whatever the mode is, and however it came. */
	assert_int_equal(protect(bed, place, 0, 16 * PAGE, WINDOW_READONLY), 0);
	check_word(bed, place + 3 * PAGE, 3);
	assert_int_equal(protect(bed, place, 0, 16 * PAGE, WINDOW_NOACCESS), 0);
	assert_int_equal(protect(bed, place, 0, 16 * PAGE, WINDOW_READWRITE), 0);
	check_word(bed, place + 3 * PAGE, 3);
	assert_int_equal(guest_write(bed, place + 5 * PAGE, 55), WINDOW_FAULT_RACE);
	assert_int_equal(file_word(bed, 5 * PAGE), 55);
	assert_int_equal(reset(bed, place, 0, 4 * PAGE), 0);
	check_word(bed, place + 3 * PAGE, pattern(3 * PAGE));
	check_word(bed, place + 4 * PAGE, 4);
	assert_int_equal(window_private_pages(bed->window, place), 7);
	assert_int_equal(reset(bed, place, 0, 16 * PAGE), 0);
	assert_int_equal(window_private_pages(bed->window, place), 0);
	assert_int_equal(file_word(bed, 4 * PAGE), pattern(4 * PAGE));
	assert_int_equal(window_private_pages(bed->window, place + PAGE), -EINVAL);
}

static void test_read(void **state)
{
	struct bed *bed = *state;
	uint64_t place = roomy_view(bed, 4 * PAGE, UNIT, WINDOW_WRITECOPY);
	uint64_t words[4 * PAGE / 8];

	assert_int_equal(guest_write(bed, place + PAGE, 77), WINDOW_FAULT_RACE);
	assert_int_equal(window_read(bed->window, place, 0, words, sizeof(words)), 0);
	assert_int_equal(words[0], pattern(0));
	assert_int_equal(words[PAGE / 8], 77);
	assert_int_equal(words[PAGE / 2 - 1], pattern(4 * PAGE - 8));
	assert_int_equal(window_read(bed->window, place, 4 * PAGE, words, 0), 0);
	assert_int_equal(window_read(bed->window, place, 4 * PAGE - 7, words, 8), -EIO);
	assert_int_equal(window_read(bed->window, place, UINT64_MAX, words, 8), -EIO);
	assert_int_equal(window_read(bed->window, place + 8, 0, words, 8), -EIO);
	assert_int_equal(protect(bed, place, 2 * PAGE, PAGE, WINDOW_NOACCESS), 0);
	assert_int_equal(window_read(bed->window, place, 2 * PAGE - 8, words, 16), -EIO);
	assert_int_equal(window_read(bed->window, place, 2 * PAGE - 8, words, 8), 0);
	/* What is private can be had whatever its mode is, and is no more than before. */
	assert_int_equal(protect(bed, place, PAGE, PAGE, WINDOW_NOACCESS), 0);
	memset(words, 0, sizeof(words));
	assert_int_equal(window_read(bed->window, place, PAGE - 8, words, PAGE), 0);
	assert_int_equal(words[0], pattern(PAGE - 8));
	assert_int_equal(words[1], 77);
	check_hole(bed, place + PAGE);
	assert_int_equal(window_read(bed->window, place, PAGE, words, PAGE + 8), -EIO);
	/* What is lost is not there, even if something else can be read. */
	assert_int_equal(ftruncate(bed->fd, (off_t)(3 * PAGE)), 0);
	assert_int_equal(window_read(bed->window, place, 3 * PAGE, words, 8), -EIO);
	assert_int_equal(window_sweep_sizes(bed->window), 1);
	check_word(bed, place + 3 * PAGE, 0);
	assert_int_equal(window_read(bed->window, place, 3 * PAGE, words, 8), -EIO);
}

static void check_pages(struct bed *bed, uint64_t place, uint64_t offset,
			const struct window_pages *expected)
{
	struct window_pages pages;

	memset(&pages, 0, sizeof(pages));
	assert_int_equal(window_query(bed->window, place, offset, &pages), 0);
	assert_int_equal(pages.offset, expected->offset);
	assert_int_equal(pages.bytes, expected->bytes);
	assert_int_equal(pages.mode, expected->mode);
	assert_int_equal(pages.execute, expected->execute);
	assert_int_equal(pages.is_private, expected->is_private);
	assert_int_equal(pages.is_committed, expected->is_committed);
	assert_int_equal(pages.is_lost, expected->is_lost);
}

static void test_query(void **state)
{
	struct bed *bed = *state;
	uint64_t place = roomy_view(bed, 16 * PAGE, UNIT, WINDOW_WRITECOPY);
	struct window_pages pages = { .mode = WINDOW_WRITECOPY, .is_committed = true };

	assert_int_equal(guest_write(bed, place + 4 * PAGE, 1), WINDOW_FAULT_RACE);
	assert_int_equal(guest_write(bed, place + 5 * PAGE, 1), WINDOW_FAULT_RACE);
	assert_int_equal(window_protect(bed->window, place,
					&(struct window_range){ 5 * PAGE, PAGE }, WINDOW_READONLY,
					true),
			 0);
	assert_int_equal(ftruncate(bed->fd, (off_t)(12 * PAGE)), 0);
	assert_int_equal(window_sweep_sizes(bed->window), 1);
	pages.offset = PAGE;
	pages.bytes = 3 * PAGE;
	check_pages(bed, place, PAGE + 17, &pages);
	pages = (struct window_pages){ 4 * PAGE, PAGE, WINDOW_WRITECOPY, false, true, true, false };
	check_pages(bed, place, 4 * PAGE, &pages);
	pages = (struct window_pages){ 5 * PAGE, PAGE, WINDOW_READONLY, true, true, true, false };
	check_pages(bed, place, 6 * PAGE - 1, &pages);
	pages = (struct window_pages){ 6 * PAGE, 6 * PAGE, WINDOW_WRITECOPY, false, false,
				       true,	 false };
	check_pages(bed, place, 6 * PAGE, &pages);
	pages = (struct window_pages){ 12 * PAGE, 4 * PAGE, WINDOW_WRITECOPY, false, false,
				       true,	  true };
	check_pages(bed, place, 12 * PAGE, &pages);
	assert_int_equal(window_query(bed->window, place, 16 * PAGE, &pages), -EINVAL);
	assert_int_equal(window_query(bed->window, place, UINT64_MAX, &pages), -EINVAL);
	assert_int_equal(window_query(bed->window, place + PAGE, 0, &pages), -EINVAL);
}

/* Huge pages: the same, a huge page at a time. */
static void huge_pages(struct bed *bed)
{
	struct window_map map = { .bytes = 3 * UNIT,
				  .room = 4 * UNIT,
				  .page_bytes = UNIT,
				  .mode = WINDOW_WRITECOPY,
				  .fd = memfd_create("huge", MFD_CLOEXEC | MFD_HUGETLB) };
	struct window_range range;

	assert_true(map.fd >= 0);
	assert_int_equal(ftruncate(map.fd, (off_t)(4 * UNIT)), 0);
	assert_int_equal(window_reserve(bed->window, WINDOW_ANY, 0, map.room, &map.place), 0);
	assert_int_equal(window_map(bed->window, &map, 7), 0);
	(void)close(map.fd);
	assert_int_equal(protect(bed, map.place, 0, PAGE, WINDOW_READONLY), -EINVAL);
	assert_int_equal(guest_write(bed, map.place + UNIT + 8, 5), WINDOW_FAULT_RACE);
	assert_int_equal(window_private_pages(bed->window, map.place), 1);
	assert_int_equal(protect(bed, map.place, 0, 2 * UNIT, WINDOW_READWRITE), 0);
	assert_int_equal(protect(bed, map.place, 2 * UNIT, UNIT, WINDOW_READONLY), 0);
	assert_int_equal(guest_write(bed, map.place, 6), WINDOW_FAULT_RACE);
	assert_int_equal(guest_write(bed, map.place + 2 * UNIT, 6), WINDOW_FAULT_DENIED);
	check_word(bed, map.place, 6);
	check_word(bed, map.place + UNIT + 8, 5);
	assert_int_equal(window_diff(bed->window, map.place, 0, &range, 1), 1);
	assert_int_equal(range.offset, UNIT);
	assert_int_equal(range.bytes, UNIT);
	assert_int_equal(reset(bed, map.place, UNIT, UNIT), 0);
	check_word(bed, map.place + UNIT + 8, 0);
	assert_int_equal(window_grow(bed->window, map.place, 4 * UNIT), 0);
	check_word(bed, map.place + 3 * UNIT, 0);
	assert_int_equal(window_revoke(bed->window, map.place), 0);
	window_unmap(bed->window, map.place);
}

static void test_huge_pages(void **state)
{
	struct huge_pages huge = HUGE_PAGES_NONE;

	if (!huge_pages_take(&huge, 8)) {
		huge_pages_give_back(&huge);
		skip();
	}
	huge_pages(*state);
	huge_pages_give_back(&huge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_modes_of_runs, window_setup, window_teardown),
		cmocka_unit_test_setup_teardown(test_border_of_runs, window_setup, window_teardown),
		cmocka_unit_test_setup_teardown(test_refused_protects, window_setup,
						window_teardown),
		cmocka_unit_test_setup_teardown(test_too_many_runs, window_setup, window_teardown),
		cmocka_unit_test_setup_teardown(test_without_a_file, window_setup, window_teardown),
		cmocka_unit_test_setup_teardown(test_protect_without_the_handle, window_setup,
						window_teardown),
		cmocka_unit_test_setup_teardown(test_grow, window_setup, window_teardown),
		cmocka_unit_test_setup_teardown(test_refused_rooms, window_setup, window_teardown),
		cmocka_unit_test_setup_teardown(test_revoke, window_setup, window_teardown),
		cmocka_unit_test_setup_teardown(test_private_pages, window_setup, window_teardown),
		cmocka_unit_test_setup_teardown(test_read, window_setup, window_teardown),
		cmocka_unit_test_setup_teardown(test_query, window_setup, window_teardown),
		cmocka_unit_test_setup_teardown(test_huge_pages, window_setup, window_teardown),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
