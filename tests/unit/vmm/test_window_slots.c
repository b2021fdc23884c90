/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * window.c in a real VM without vCPUs: each view is one slot, where the window
 * is.  Without /dev/kvm the tests skip.
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_slots_follow_views, setup, teardown),
		cmocka_unit_test_setup_teardown(test_base_that_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_view_that_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_slot_is_lost, setup, teardown),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
