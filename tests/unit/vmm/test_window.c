/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * window.[ch], window_view.c, window_fault.c without a VM: places, mappings and
 * the classifier.
 */
#include <errno.h>
#include <string.h>

#include "unit/vmm/window_bed.h"

#define TIME_LIMIT_S 120

static void test_refused_windows(void **state)
{
	const uint64_t bad[] = { 0, 1, 4095, MIB + 512, UINT64_C(1) << 60, UINT64_MAX };
	struct window *poison = (struct window *)0x1, *window = poison;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(window_new(NULL, bad[i], &window), -EINVAL);
		assert_ptr_equal(window, poison);
	}
	assert_int_equal(window_new(NULL, UNIT, &window), 0);
	assert_int_equal(window_bytes(window), UNIT);
	assert_null(window_free(window));
	assert_null(window_free(NULL));
}

static void test_refused_places(void **state)
{
	struct bed *bed = *state;
	const struct {
		const char *name;
		uint64_t place, offset, bytes;
		int result;
	} cases[] = {
		{ "no bytes", 0, 0, 0, -EINVAL },
		{ "no bytes anywhere", WINDOW_ANY, 0, 0, -EINVAL },
		{ "not congruent", PAGE, 0, PAGE, -EINVAL },
		{ "not congruent, other", 0, PAGE, PAGE, -EINVAL },
		{ "at the end", WINDOW_BYTES, 0, PAGE, -EINVAL },
		{ "past the end", WINDOW_BYTES - UNIT, 0, UNIT + PAGE, -EINVAL },
		{ "wraps", UINT64_MAX - UNIT + 1, 0, 2 * UNIT, -EINVAL },
		{ "longer than all", WINDOW_ANY, 0, WINDOW_BYTES + PAGE, -ENOSPC },
		{ "lead and all", WINDOW_ANY, PAGE, WINDOW_BYTES, -ENOSPC },
		{ "absurd", WINDOW_ANY, PAGE, UINT64_MAX, -ENOSPC },
	};
	uint64_t place;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		place = POISON;
		if (window_reserve(bed->window, cases[i].place, cases[i].offset, cases[i].bytes,
				   &place) != cases[i].result)
			fail_msg("%s", cases[i].name);
		assert_int_equal(place, POISON);
	}
	assert_int_equal(window_reserve(bed->window, WINDOW_ANY, 0, WINDOW_BYTES, &place), 0);
	assert_int_equal(place, 0);
	assert_int_equal(window_reserve(bed->window, WINDOW_ANY, 0, PAGE, &place), -ENOSPC);
	assert_int_equal(window_reserve(bed->window, 5 * UNIT, 0, PAGE, &place), -EEXIST);
	window_release(bed->window, 0);
	assert_int_equal(window_reserve(bed->window, 5 * UNIT, 0, PAGE, &place), 0);
}

static void test_whole_units(void **state)
{
	struct bed *bed = *state;
	uint64_t place;

	/* Two bytes over the border of two units own both. */
	assert_int_equal(window_reserve(bed->window, UNIT - PAGE, UNIT - PAGE, 2 * PAGE, &place),
			 0);
	assert_int_equal(place, UNIT - PAGE);
	assert_int_equal(window_reserve(bed->window, 0, 0, PAGE, &place), -EEXIST);
	assert_int_equal(window_reserve(bed->window, UNIT + PAGE, PAGE, PAGE, &place), -EEXIST);
	assert_int_equal(window_reserve(bed->window, 2 * UNIT, 0, PAGE, &place), 0);
	/* First fit, with the section's offset in the unit. */
	assert_int_equal(window_reserve(bed->window, WINDOW_ANY, 5 * UNIT + 3 * PAGE, PAGE, &place),
			 0);
	assert_int_equal(place, 3 * UNIT + 3 * PAGE);
}

static void test_refused_maps(void **state)
{
	struct bed *bed = *state;
	uint64_t place;
	struct window_map good;

	assert_int_equal(map(bed, 0, 0, PAGE, WINDOW_READONLY), -EINVAL); /* not reserved */
	assert_int_equal(window_reserve(bed->window, 0, 0, 2 * UNIT, &place), 0);
	good = (struct window_map){
		.fd = bed->fd, .bytes = 2 * UNIT, .page_bytes = PAGE, .mode = WINDOW_READWRITE
	};
	for (int i = 0; i < 11; i++) {
		struct window_map bad = good;

		switch (i) {
		case 0:
			bad.bytes = 0;
			break;
		case 1:
			bad.bytes = UNIT; /* not what was reserved */
			break;
		case 2:
			bad.bytes = 2 * UNIT - 8;
			break;
		case 3:
			bad.page_bytes = 0;
			break;
		case 4:
			bad.page_bytes = 3 * PAGE;
			break;
		case 5:
			bad.page_bytes = 2 * UNIT;
			break;
		case 6:
			bad.fd_offset = PAGE; /* not congruent */
			break;
		case 7:
			bad.fd_offset = UINT64_MAX - UNIT + 1;
			break;
		case 8:
			bad.place = UNIT; /* inside the reservation */
			break;
		case 9:
			bad.place = WINDOW_ANY;
			break;
		case 10:
			bad.fd_offset = 17;
			break;
		}
		if (window_map(bed->window, &bad, 1) != -EINVAL)
			fail_msg("case %d", i);
	}
	good.fd = -1;
	assert_int_equal(window_map(bed->window, &good, 1), -EBADF);
	good.fd = bed->read_fd;
	assert_int_equal(window_map(bed->window, &good, 1), -EACCES); /* RW of a read-only fd */
	good.fd = bed->fd;
	assert_int_equal(window_map(bed->window, &good, 1), 0);
	assert_int_equal(window_map(bed->window, &good, 1), -EINVAL); /* there already */
	window_release(bed->window, 0); /* a view is there: nothing */
	check_word(bed, 0, pattern(0));
}

static void test_nothing_there(void **state)
{
	struct bed *bed = *state;
	uint64_t value = 0;

	window_unmap(bed->window, 0);
	window_release(bed->window, 0);
	window_release(bed->window, WINDOW_ANY);
	window_unmap(bed->window, WINDOW_ANY);
	assert_int_equal(window_denied_writes(bed->window, 0), 0);
	assert_int_equal(guest_read(bed, 0, &value), WINDOW_FAULT_HOLE);
	assert_int_equal(value, UINT64_MAX);
	assert_int_equal(guest_write(bed, WINDOW_BYTES - 8, 1), WINDOW_FAULT_HOLE);
	assert_int_equal(counters(bed).hole_accesses, 2);
	assert_int_equal(window_sweep(bed->window), 0);
}

static void test_modes(void **state)
{
	struct bed *bed = *state;
	uint64_t ro = view(bed, PAGE, UNIT, WINDOW_READONLY);
	uint64_t rw = view(bed, PAGE, UNIT, WINDOW_READWRITE);
	uint64_t cow = view(bed, PAGE, UNIT, WINDOW_WRITECOPY);
	uint64_t none = view(bed, PAGE, UNIT, WINDOW_NOACCESS);
	uint64_t value = 0;

	check_word(bed, ro, pattern(PAGE));
	check_word(bed, cow, pattern(PAGE));
	assert_int_equal(guest_read(bed, none, &value), WINDOW_FAULT_HOLE);
	assert_int_equal(value, UINT64_MAX);
	assert_int_equal(guest_write(bed, none, 5), WINDOW_FAULT_HOLE);

	assert_int_equal(guest_write(bed, ro, 5), WINDOW_FAULT_DENIED);
	assert_int_equal(guest_write(bed, ro + 8, 5), WINDOW_FAULT_DENIED);
	assert_int_equal(file_word(bed, PAGE), pattern(PAGE));
	assert_int_equal(window_denied_writes(bed->window, ro), 2);
	assert_int_equal(window_denied_writes(bed->window, rw), 0);
	assert_int_equal(counters(bed).denied_writes, 2);

	assert_int_equal(guest_write(bed, cow, 6), WINDOW_FAULT_RACE);
	check_word(bed, cow, 6);
	assert_int_equal(file_word(bed, PAGE), pattern(PAGE));
	assert_int_equal(guest_write(bed, rw, 7), WINDOW_FAULT_RACE);
	assert_int_equal(file_word(bed, PAGE), 7);
	check_word(bed, ro, 7);
	check_word(bed, cow, 6); /* its own page stays */
	assert_int_equal(guest_write(bed, rw + PAGE, 8), WINDOW_FAULT_RACE);
	check_word(bed, cow + PAGE, 8); /* the neighbour page is live */
}

static void test_edges_of_a_view(void **state)
{
	struct bed *bed = *state;
	uint64_t place = view(bed, PAGE, 3 * PAGE, WINDOW_READWRITE), value = 0;
	uint8_t byte = 0;

	check_word(bed, place + 3 * PAGE - 8, pattern(4 * PAGE - 8));
	assert_int_equal(guest_read(bed, place + 3 * PAGE - 4, &value), WINDOW_FAULT_HOLE);
	assert_int_equal(value, UINT64_MAX);
	assert_int_equal(guest_read(bed, place + 3 * PAGE, &value), WINDOW_FAULT_HOLE);
	assert_int_equal(guest_read(bed, place - 8, &value), WINDOW_FAULT_HOLE);
	assert_int_equal(guest_read(bed, place - 4, &value), WINDOW_FAULT_HOLE);
	assert_int_equal(window_fault(bed->window, BASE + place + 3 * PAGE - 1, false, &byte, 1),
			 WINDOW_FAULT_RACE);
	assert_int_equal(byte, pattern(4 * PAGE - 8) >> 56);
	/* Odd places and widths, as KVM may hand them over. */
	for (uint32_t bytes = 1; bytes <= 8; bytes++) {
		value = UINT64_MAX;
		assert_int_equal(window_fault(bed->window, BASE + place, false, &value, bytes),
				 WINDOW_FAULT_RACE);
		assert_memory_equal(&value, &(uint64_t){ pattern(PAGE) }, bytes);
	}
}

static void test_base(void **state)
{
	struct bed *bed = *state;
	uint64_t place = view(bed, 0, UNIT, WINDOW_READONLY), value = 0;

	assert_true(window_has(bed->window, BASE));
	assert_true(window_has(bed->window, BASE + WINDOW_BYTES - 1));
	assert_false(window_has(bed->window, BASE - 1));
	assert_false(window_has(bed->window, BASE + WINDOW_BYTES));
	assert_int_equal(window_set_base(bed->window, WINDOW_NOWHERE), 0);
	assert_false(window_has(bed->window, BASE));
	assert_false(window_has(bed->window, WINDOW_NOWHERE));
	assert_int_equal(guest_read(bed, place, &value), WINDOW_FAULT_HOLE);
	assert_int_equal(window_fault(bed->window, WINDOW_NOWHERE, false, &value, 1),
			 WINDOW_FAULT_HOLE);
	assert_int_equal(window_set_base(bed->window, 2 * BASE), 0);
	assert_int_equal(window_fault(bed->window, 2 * BASE + place, false, &value, 8),
			 WINDOW_FAULT_RACE);
	assert_int_equal(value, pattern(0));
}

/* One interval, as the oracle keeps it. */
struct piece {
	bool used;
	uint64_t place, offset, bytes;
	enum window_mode mode;
	uint64_t denied;
};

#define PIECES 600
#define ORACLE_BYTES (UINT64_C(4) << 30)

static bool units_meet(const struct piece *a, uint64_t place, uint64_t bytes)
{
	uint64_t a_first = a->place / UNIT, a_last = (a->place + a->bytes - 1) / UNIT;
	uint64_t first = place / UNIT, last = (place + bytes - 1) / UNIT;

	return a->used && a_first <= last && first <= a_last;
}

static bool is_taken(const struct piece *pieces, uint64_t place, uint64_t bytes)
{
	for (int i = 0; i < PIECES; i++)
		if (units_meet(&pieces[i], place, bytes))
			return true;
	return false;
}

static uint64_t pick(unsigned int *seed, uint64_t limit)
{
	return ((uint64_t)rand_r(seed) << 31 | (uint64_t)rand_r(seed)) % limit;
}

static void oracle_map(struct bed *bed, struct piece *pieces, struct piece *piece,
		       unsigned int *seed)
{
	uint64_t offset = pick(seed, FILE_BYTES / PAGE) * PAGE;
	uint64_t bytes = (1 + pick(seed, (FILE_BYTES - offset) / PAGE)) * PAGE;
	uint64_t place = WINDOW_ANY, got = POISON;
	int expected = 0, result;

	if (rand_r(seed) % 2) {
		place = pick(seed, ORACLE_BYTES / UNIT) * UNIT + offset % UNIT;
		if (place + bytes > ORACLE_BYTES)
			expected = -EINVAL;
		else if (is_taken(pieces, place, bytes))
			expected = -EEXIST;
	}
	result = window_reserve(bed->window, place, offset, bytes, &got);
	if (place == WINDOW_ANY && result == -ENOSPC)
		return; /* possible; that it is right is the room's own test */
	assert_int_equal(result, expected);
	if (result < 0)
		return;
	assert_true(place == WINDOW_ANY || got == place);
	assert_int_equal(got % UNIT, offset % UNIT);
	assert_true(got + bytes <= ORACLE_BYTES);
	assert_false(is_taken(pieces, got, bytes));
	*piece =
		(struct piece){ true, got, offset, bytes, (enum window_mode)(rand_r(seed) % 4), 0 };
	assert_int_equal(map(bed, got, offset, bytes, piece->mode), 0);
}

static void oracle_check(struct bed *bed, struct piece *pieces, uint64_t at)
{
	uint64_t value = 0;
	enum window_fault fault = guest_read(bed, at, &value);

	for (int i = 0; i < PIECES; i++) {
		struct piece *piece = &pieces[i];

		if (!piece->used || at < piece->place || at - piece->place >= piece->bytes ||
		    piece->mode == WINDOW_NOACCESS)
			continue;
		assert_int_equal(fault, WINDOW_FAULT_RACE);
		assert_int_equal(value, pattern(at - piece->place + piece->offset));
		if (piece->mode == WINDOW_READONLY) {
			assert_int_equal(guest_write(bed, at, 0), WINDOW_FAULT_DENIED);
			piece->denied++;
		}
		assert_int_equal(window_denied_writes(bed->window, piece->place), piece->denied);
		return;
	}
	assert_int_equal(fault, WINDOW_FAULT_HOLE);
	assert_int_equal(value, UINT64_MAX);
}

static void test_random_views(void **state)
{
	struct bed *bed = *state;
	struct piece *pieces = calloc(PIECES, sizeof(*pieces));
	unsigned int seed = seed_of_run();

	assert_non_null(pieces);
	assert_null(window_free(bed->window));
	assert_int_equal(window_new(NULL, ORACLE_BYTES, &bed->window), 0);
	assert_int_equal(window_set_base(bed->window, BASE), 0);
	for (int turn = 0; turn < 10000; turn++) {
		struct piece *piece = &pieces[pick(&seed, PIECES)];

		if (!piece->used) {
			oracle_map(bed, pieces, piece, &seed);
		} else {
			window_unmap(bed->window, piece->place);
			*piece = (struct piece){ 0 };
		}
		oracle_check(bed, pieces, pick(&seed, ORACLE_BYTES / 8) * 8);
		piece = &pieces[pick(&seed, PIECES)];
		if (piece->used)
			oracle_check(bed, pieces, piece->place + pick(&seed, piece->bytes / 8) * 8);
	}
	assert_int_equal(window_sweep(bed->window), 0);
	free(pieces);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refused_windows, window_setup,
						window_teardown),
		cmocka_unit_test_setup_teardown(test_refused_places, window_setup, window_teardown),
		cmocka_unit_test_setup_teardown(test_whole_units, window_setup, window_teardown),
		cmocka_unit_test_setup_teardown(test_refused_maps, window_setup, window_teardown),
		cmocka_unit_test_setup_teardown(test_nothing_there, window_setup, window_teardown),
		cmocka_unit_test_setup_teardown(test_modes, window_setup, window_teardown),
		cmocka_unit_test_setup_teardown(test_edges_of_a_view, window_setup,
						window_teardown),
		cmocka_unit_test_setup_teardown(test_base, window_setup, window_teardown),
		cmocka_unit_test_setup_teardown(test_random_views, window_setup, window_teardown),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
