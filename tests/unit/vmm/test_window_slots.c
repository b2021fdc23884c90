/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * window_slots.c in a real VM without vCPUs: each run of a view is one slot,
 * where the window is.  Without /dev/kvm the tests skip.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm/vm.h"
#include "lib/check.h"
#include "lib/leak.h"
#include "mem/window.h"

#define TIME_LIMIT_S 60
#define UNIT WINDOW_UNIT_BYTES
#define WINDOW_BYTES (UINT64_C(1) << 30)
#define BASE UINT64_C(0x1000000000)
#define FILE_BYTES (4 * UNIT)

struct bed {
	struct vm vm;
	bool has_kvm;
	int fd;
	struct window *window;
	struct leak_guard *guard;
};

static int setup(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	assert_non_null(bed);
	*state = bed;
	bed->guard = leak_guard_new();
	bed->fd = memfd_create("slots", MFD_CLOEXEC);
	assert_true(bed->fd >= 0);
	assert_int_equal(ftruncate(bed->fd, FILE_BYTES), 0);
	bed->has_kvm = access("/dev/kvm", R_OK | W_OK) == 0;
	if (!bed->has_kvm)
		return 0;
	assert_int_equal(vm_init(&bed->vm), 0);
	assert_int_equal(window_new(&bed->vm, WINDOW_BYTES, &bed->window), 0);
	return 0;
}

static int teardown(void **state)
{
	struct bed *bed = *state;

	bed->window = window_free(bed->window);
	if (bed->has_kvm)
		vm_deinit(&bed->vm);
	(void)close(bed->fd);
	leak_guard_check(bed->guard);
	free(bed);
	return 0;
}

static struct bed *bed_of(void **state)
{
	struct bed *bed = *state;

	if (!bed->has_kvm)
		skip();
	return bed;
}

static uint32_t slots(const struct bed *bed)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < bed->vm.max_slots; i++)
		count += (uint32_t)(bed->vm.slot_used[i / 64] >> i % 64 & 1);
	return count;
}

static int try_view(struct bed *bed, uint64_t place, enum window_mode mode)
{
	const struct window_map map = {
		.fd = bed->fd,
		.bytes = UNIT,
		.page_bytes = 4096,
		.place = place,
		.mode = mode,
	};

	return window_map(bed->window, &map, 1);
}

static uint64_t view(struct bed *bed, enum window_mode mode)
{
	uint64_t place = 0;

	assert_int_equal(window_reserve(bed->window, WINDOW_ANY, 0, UNIT, &place), 0);
	assert_int_equal(try_view(bed, place, mode), 0);
	return place;
}

static void test_slots_follow_views(void **state)
{
	struct bed *bed = bed_of(state);
	uint64_t place = view(bed, WINDOW_READONLY);

	assert_int_equal(slots(bed), 0); /* nowhere yet */
	assert_int_equal(window_set_base(bed->window, BASE), 0);
	assert_int_equal(slots(bed), 1);
	(void)view(bed, WINDOW_READWRITE);
	(void)view(bed, WINDOW_WRITECOPY);
	(void)view(bed, WINDOW_NOACCESS);
	assert_int_equal(slots(bed), 3);
	window_unmap(bed->window, place);
	assert_int_equal(slots(bed), 2);
	assert_int_equal(window_set_base(bed->window, 2 * BASE), 0);
	assert_int_equal(slots(bed), 2);
	assert_int_equal(window_set_base(bed->window, WINDOW_NOWHERE), 0);
	assert_int_equal(slots(bed), 0);
	assert_int_equal(window_set_base(bed->window, BASE), 0);
}

static int add_slot(struct bed *bed, uint64_t gpa, void *hva, uint32_t *ret_id)
{
	const struct vm_slot slot = { .gpa = gpa, .hva = hva, .bytes = 4096 };

	return vm_slot_add(&bed->vm, &slot, ret_id);
}

/* Something else is in the way of the second view: all or nothing. */
static void test_base_that_fails(void **state)
{
	struct bed *bed = bed_of(state);
	uint64_t first = view(bed, WINDOW_READONLY), second = view(bed, WINDOW_READWRITE);
	void *other = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t slot;

	assert_true(other != MAP_FAILED);
	assert_int_equal(add_slot(bed, BASE + second, other, &slot), 0);
	assert_true(window_set_base(bed->window, BASE) < 0);
	assert_int_equal(slots(bed), 1);
	assert_false(window_has(bed->window, BASE + first));
	vm_slot_del(&bed->vm, slot);
	assert_int_equal(window_set_base(bed->window, BASE), 0);
	assert_int_equal(slots(bed), 2);
	assert_int_equal(munmap(other, 4096), 0);
}

static void test_view_that_fails(void **state)
{
	struct bed *bed = bed_of(state);
	void *other = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t place = 0, value = 0;
	uint32_t slot;

	assert_true(other != MAP_FAILED);
	assert_int_equal(window_set_base(bed->window, BASE), 0);
	assert_int_equal(add_slot(bed, BASE, other, &slot), 0);
	assert_int_equal(window_reserve(bed->window, 0, 0, UNIT, &place), 0);
	assert_true(try_view(bed, place, WINDOW_READWRITE) < 0);
	assert_int_equal(window_fault(bed->window, BASE, false, &value, 8), WINDOW_FAULT_HOLE);
	vm_slot_del(&bed->vm, slot);
	assert_int_equal(try_view(bed, place, WINDOW_READWRITE), 0); /* its room was kept */
	assert_int_equal(slots(bed), 1);
	assert_int_equal(munmap(other, 4096), 0);
}

/* Views come and go a thousand times: no slot is lost. */
static void test_no_slot_is_lost(void **state)
{
	struct bed *bed = bed_of(state);
	uint64_t places[16];

	assert_int_equal(window_set_base(bed->window, BASE), 0);
	for (int turn = 0; turn < 100; turn++) {
		for (size_t i = 0; i < ARRAY_SIZE(places); i++)
			places[i] = view(bed, (enum window_mode)(1 + i % 3));
		assert_int_equal(slots(bed), ARRAY_SIZE(places));
		for (size_t i = 0; i < ARRAY_SIZE(places); i++)
			window_unmap(bed->window, places[i]);
		assert_int_equal(slots(bed), 0);
	}
}

#define PAGE UINT64_C(4096)

static int protect(struct bed *bed, uint64_t place, uint64_t page, uint64_t pages,
		   enum window_mode mode)
{
	const struct window_range range = { page * PAGE, pages * PAGE };

	return window_protect(bed->window, place, &range, mode, false);
}

static enum window_fault guest_write(struct bed *bed, uint64_t offset)
{
	uint64_t value = 1;

	return window_fault(bed->window, BASE + offset, true, &value, 8);
}

static void test_slots_follow_runs(void **state)
{
	struct bed *bed = bed_of(state);
	uint64_t place = view(bed, WINDOW_READWRITE);

	assert_int_equal(protect(bed, place, 1, 1, WINDOW_READONLY), 0); /* nowhere yet */
	assert_int_equal(slots(bed), 0);
	assert_int_equal(window_set_base(bed->window, BASE), 0);
	assert_int_equal(slots(bed), 3);
	assert_int_equal(protect(bed, place, 8, 8, WINDOW_NOACCESS), 0);
	assert_int_equal(slots(bed), 4);
	assert_int_equal(protect(bed, place, 10, 1, WINDOW_WRITECOPY), 0);
	assert_int_equal(slots(bed), 5);
	assert_int_equal(window_set_base(bed->window, 2 * BASE), 0);
	assert_int_equal(slots(bed), 5);
	assert_int_equal(protect(bed, place, 0, UNIT / PAGE, WINDOW_READONLY), 0);
	assert_in_range(slots(bed), 1, 3); /* what was readonly may stay a slot */
	assert_int_equal(window_revoke(bed->window, place), 0);
	assert_int_equal(slots(bed), 0);
	assert_int_equal(window_set_base(bed->window, BASE), 0);
	assert_int_equal(slots(bed), 0);
}

/* Without a slot more nothing changes, and all old slots are back. */
static void test_change_that_fails(void **state)
{
	struct bed *bed = bed_of(state);
	uint64_t place = view(bed, WINDOW_READWRITE);
	uint32_t max_slots = bed->vm.max_slots;

	assert_int_equal(window_set_base(bed->window, BASE), 0);
	assert_int_equal(protect(bed, place, 0, 1, WINDOW_READONLY), 0);
	for (uint32_t room = 2; room < 4; room++) {
		bed->vm.max_slots = room;
		assert_int_equal(protect(bed, place, 4, 1, WINDOW_READONLY), -ENOSPC);
		assert_int_equal(slots(bed), 2);
		assert_int_equal(guest_write(bed, place + 4 * PAGE), WINDOW_FAULT_RACE);
		assert_int_equal(guest_write(bed, place), WINDOW_FAULT_DENIED);
	}
	bed->vm.max_slots = max_slots;
	assert_int_equal(protect(bed, place, 4, 1, WINDOW_READONLY), 0);
	assert_int_equal(slots(bed), 4);
	assert_int_equal(guest_write(bed, place + 4 * PAGE), WINDOW_FAULT_DENIED);
}

/* A change of the mapping that fails leaves every slot where it was. */
static void test_too_many_runs(void **state)
{
	struct bed *bed = bed_of(state);
	uint64_t place = view(bed, WINDOW_READWRITE), page = 1;
	uint32_t before;

	assert_int_equal(window_set_base(bed->window, BASE), 0);
	while (protect(bed, place, page, 1, WINDOW_READONLY) == 0)
		page += 2;
	before = slots(bed);
	assert_in_range(before, 200, 300);
	assert_int_equal(protect(bed, place, page, 1, WINDOW_READONLY), -E2BIG);
	assert_int_equal(slots(bed), before);
	assert_int_equal(guest_write(bed, place + page * PAGE), WINDOW_FAULT_RACE);
	assert_int_equal(window_set_base(bed->window, WINDOW_NOWHERE), 0);
	assert_int_equal(slots(bed), 0);
}

static uint64_t growing_view(struct bed *bed)
{
	struct window_map map = {
		.fd = bed->fd,
		.bytes = PAGE,
		.room = UNIT,
		.page_bytes = PAGE,
		.mode = WINDOW_READWRITE,
	};

	assert_int_equal(window_reserve(bed->window, WINDOW_ANY, 0, UNIT, &map.place), 0);
	assert_int_equal(window_map(bed->window, &map, 1), 0);
	return map.place;
}

/* Something is in the way of the tail: the view stays as it is. */
static void test_grow_that_fails(void **state)
{
	struct bed *bed = bed_of(state);
	void *other = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t place;
	uint32_t slot;

	assert_true(other != MAP_FAILED);
	assert_int_equal(window_set_base(bed->window, BASE), 0);
	place = growing_view(bed);
	assert_int_equal(add_slot(bed, BASE + place + 2 * PAGE, other, &slot), 0);
	assert_true(window_grow(bed->window, place, 4 * PAGE) < 0);
	assert_int_equal(slots(bed), 2);
	assert_int_equal(guest_write(bed, place + PAGE), WINDOW_FAULT_HOLE);
	assert_int_equal(guest_write(bed, place), WINDOW_FAULT_RACE);
	vm_slot_del(&bed->vm, slot);
	assert_int_equal(window_grow(bed->window, place, 4 * PAGE), 0);
	assert_int_equal(guest_write(bed, place + 3 * PAGE), WINDOW_FAULT_RACE);
	assert_int_equal(slots(bed), 2);
	assert_int_equal(munmap(other, PAGE), 0);
}

/* Whatever a guest does page by page: the slots of one view are bounded. */
static void test_slots_are_joined(void **state)
{
	struct bed *bed = bed_of(state);
	uint64_t place, pages = UNIT / PAGE;

	assert_int_equal(window_set_base(bed->window, BASE), 0);
	place = growing_view(bed);
	for (uint64_t page = 2; page <= pages; page++) {
		assert_int_equal(window_grow(bed->window, place, page * PAGE), 0);
		assert_in_range(slots(bed), 1, 66);
	}
	for (uint64_t page = 0; page < pages; page++) {
		assert_int_equal(protect(bed, place, page, 1, WINDOW_READONLY), 0);
		assert_int_equal(protect(bed, place, page, 1, WINDOW_READWRITE), 0);
		assert_in_range(slots(bed), 1, 68);
	}
	for (uint64_t page = 0; page < pages; page++)
		assert_int_equal(guest_write(bed, place + page * PAGE), WINDOW_FAULT_RACE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_slots_follow_views, setup, teardown),
		cmocka_unit_test_setup_teardown(test_base_that_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_view_that_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_slot_is_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slots_follow_runs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_change_that_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many_runs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_grow_that_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slots_are_joined, setup, teardown),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
