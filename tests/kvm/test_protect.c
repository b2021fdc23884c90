/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Protections of pages of a live view, with a guest that writes all the same:
 * what the section has afterwards, and what the guest reads.
 */
#include "lib/check.h"

#include <string.h>

#include "kvm/bed.h"
#include "kvm/vm_fixture.h"
#include "vmsect_dev.h"

#define LIMIT_S 180
#define PAGE 0x1000u
#define UNIT (UINT64_C(2) << 20)
#define AT 0x4000000u
#define NA VMSECT_DEV_PROT_NOACCESS
#define RO VMSECT_DEV_PROT_READONLY
#define RW VMSECT_DEV_PROT_READWRITE
#define WC VMSECT_DEV_PROT_WRITECOPY

static uint64_t section_word(const struct bed_section *section, uint64_t offset)
{
	uint64_t word;

	memcpy(&word, section->bytes_now + offset, sizeof(word));
	return word;
}

/* The first word of a page, as both sides have it. */
struct seen {
	uint64_t guest;
	uint64_t host;
};

/* Writes to the first word of a page; what the guest and the section have then. */
static void expect_store(struct vm_fixture *vm, const struct bed_section *section,
			 unsigned int page, uint64_t value, struct seen seen)
{
	(void)vm_ok(vm, "w64 0x%x 0x%llx", AT + page * PAGE, (unsigned long long)value);
	assert_true(vm_number(vm, "value", "r64 0x%x", AT + page * PAGE) == seen.guest);
	assert_true(section_word(section, page * PAGE) == seen.host);
}

static uint64_t pattern_of(const struct bed_section *section, unsigned int page)
{
	uint64_t word;

	memcpy(&word, section->model + (size_t)page * PAGE, sizeof(word));
	return word;
}

static void expect_pages(struct vm_fixture *vm, unsigned int page, unsigned int pages,
			 uint32_t protection, bool is_private)
{
	assert_int_equal(vm_number(vm, "protection", "pages 1 0x%x", page * PAGE), protection);
	assert_int_equal(vm_reply_number(vm, "offset"), page * PAGE);
	assert_int_equal(vm_reply_number(vm, "length"), pages * PAGE);
	assert_int_equal(vm_reply_number(vm, "private"), is_private);
	assert_int_equal(vm_reply_number(vm, "committed"), 1);
	assert_int_equal(vm_reply_number(vm, "lost"), 0);
}

/* Pages 0-1 stay, 2-3 become readonly, 4-5 noaccess, 6-7 writecopy. */
static void protect_ranges(struct vm_fixture *vm)
{
	assert_int_equal(vm_number(vm, "old", "protect 1 0x2000 0x2000 %u", RO), RW);
	assert_int_equal(vm_number(vm, "old", "protect 1 0x4001 0x1fff %u", NA), RW);
	assert_int_equal(vm_number(vm, "old", "protect 1 0x6000 0x1001 %u", WC), RW);
	expect_pages(vm, 0, 2, RW, false);
	expect_pages(vm, 2, 2, RO, false);
	expect_pages(vm, 4, 2, NA, false);
	expect_pages(vm, 6, 2, WC, false);
	assert_int_equal(vm_number(vm, "protection_now", "view 1"), 0);
	assert_int_equal(vm_reply_number(vm, "view_protection"), RW);
}

static void test_ranges(void **state)
{
	struct bed *bed = *state;
	const struct vm_config config = { .name = "vm", .sections = { "data:rw,at=64M" } };
	struct bed_section *data = bed_section_new(bed, "data", VMSECT_BACKING_SHMEM, 2 * UNIT);
	struct vm_fixture *vm = vm_start(bed, &config);
	struct vmsect_peer_info counted;

	for (unsigned int page = 0; page < 8; page++)
		expect_store(vm, data, page, page + 1, (struct seen){ page + 1, page + 1 });
	protect_ranges(vm);
	expect_store(vm, data, 1, 0x11, (struct seen){ 0x11, 0x11 });
	expect_store(vm, data, 2, 0x12, (struct seen){ 3, 3 });
	expect_store(vm, data, 3, 0x13, (struct seen){ 4, 4 });
	expect_store(vm, data, 4, 0x14, (struct seen){ UINT64_MAX, 5 });
	expect_store(vm, data, 5, 0x15, (struct seen){ UINT64_MAX, 6 });
	expect_store(vm, data, 6, 0x16, (struct seen){ 0x16, 7 });
	expect_store(vm, data, 8, 0x18, (struct seen){ 0x18, 0x18 });
	assert_true(bed_wait_counters(bed, "vm", &(struct vmsect_vm_counters){ .denied_writes = 2 },
				      &counted));
	/* Copied pages stay private, and can be written as long as the protection is writecopy. */
	expect_pages(vm, 6, 1, RW, true);
	expect_pages(vm, 7, 1, WC, false);
	assert_int_equal(vm_number(vm, "old", "protect 1 0 0 %u", RO), RW);
	expect_store(vm, data, 6, 0x26, (struct seen){ 0x16, 7 });
	assert_int_equal(vm_number(vm, "old", "protect 1 0 0 %u", RW), RO);
	expect_store(vm, data, 6, 0x36, (struct seen){ 0x36, 7 });
	expect_store(vm, data, 7, 0x37, (struct seen){ 0x37, 0x37 });
	expect_store(vm, data, 4, 0x34, (struct seen){ 0x34, 0x34 });
	(void)vm_ok(vm, "drop 1 0 0");
	assert_int_equal(vm_number(vm, "value", "r64 0x%x", AT + 6 * PAGE), 7);
	expect_store(vm, data, 6, 0x46, (struct seen){ 0x46, 0x46 });
	assert_int_equal(vm_number(vm, "protection_now", "view 1"), RW);
	vm_power_off(vm);
}

struct bound {
	uint32_t mapped;
	const char *allowed; /* y or . for NA, RO, RW, WC */
};

static const struct bound bounds[] = {
	{ NA, "y..." },
	{ RO, "yy.y" },
	{ RW, "yyyy" },
	{ WC, "yy.y" },
};

static void test_bounds(void **state)
{
	struct bed *bed = *state;
	const struct vm_config config = { .name = "vm" };
	struct vm_fixture *vm;
	unsigned int handle, view;

	(void)bed_section_new(bed, "data", VMSECT_BACKING_SHMEM, UNIT);
	vm = vm_start(bed, &config);
	handle = (unsigned int)vm_number(vm, "handle", "open data 7");
	for (size_t i = 0; i < ARRAY_SIZE(bounds); i++) {
		view = (unsigned int)vm_number(vm, "view", "map %u %u 0 0", handle,
					       bounds[i].mapped);
		for (uint32_t want = NA; want <= WC; want++) {
			if (bounds[i].allowed[want - 1] == 'y')
				(void)vm_ok(vm, "protect %u 0 0 %u", view, want);
			else
				vm_refused(vm, VMSECT_S_EACCES, 0, "protect %u 0 0 %u", view, want);
		}
		vm_refused(vm, VMSECT_S_EACCES, 0, "protect %u 0 0 6", view);
		vm_refused(vm, VMSECT_S_EINVAL, VMSECT_D_PROTECTION, "protect %u 0 0 9", view);
		vm_refused(vm, VMSECT_S_EINVAL, VMSECT_D_PROTECTION, "protect %u 0 0 0", view);
		vm_refused(vm, VMSECT_S_EINVAL, VMSECT_D_RANGE, "protect %u 2M 1 1", view);
		vm_refused(vm, VMSECT_S_EINVAL, VMSECT_D_RANGE, "protect %u 0x1000 2M 1", view);
		(void)vm_ok(vm, "unmap %u", view);
		vm_refused(vm, VMSECT_S_ENXIO, 0, "protect %u 0 0 1", view);
	}
	/* What cannot change. */
	view = (unsigned int)vm_number(vm, "view", "map %u %u 0 0 0xffffffffffffffff %u", handle,
				       RW, VMSECT_VIEW_F_NO_CHANGE);
	assert_int_equal(vm_reply_number(vm, "view_flags"), VMSECT_VIEW_F_NO_CHANGE);
	vm_refused(vm, VMSECT_S_EINVAL, VMSECT_D_PROTECTION, "protect %u 0 0 %u", view, RO);
	vm_power_off(vm);
}

/* The executable forms: in the window they are like those without execution. */
static void test_executable(void **state)
{
	const struct vmsect_create_options options = {
		.size = sizeof(options),
		.name = "code",
		.backing = VMSECT_BACKING_SHMEM,
		.protection = VMSECT_PROT_EXECUTE_READWRITE,
		.size_bytes = UNIT,
	};
	struct bed *bed = *state;
	const struct vm_config config = { .name = "vm" };
	struct vmsect_section *section = NULL;
	struct vm_fixture *vm;
	unsigned int handle;

	assert_int_equal(vmsect_section_create(bed->client, &options, &section), 0);
	vm = vm_start(bed, &config);
	handle = (unsigned int)vm_number(vm, "handle", "open code 0xf");
	(void)vm_ok(vm, "map %u %u 0 0 64M", handle, VMSECT_DEV_PROT_EXECUTE_READWRITE);
	(void)vm_ok(vm, "w64 64M 1");
	assert_int_equal(vm_number(vm, "old", "protect 1 0 0 %u", VMSECT_DEV_PROT_EXECUTE),
			 VMSECT_DEV_PROT_EXECUTE_READWRITE);
	expect_pages(vm, 0, UNIT / PAGE, VMSECT_DEV_PROT_EXECUTE, false);
	(void)vm_ok(vm, "w64 64M 2");
	assert_int_equal(vm_number(vm, "value", "r64 64M"), 1);
	assert_int_equal(
		vm_number(vm, "old", "protect 1 0 0 %u", VMSECT_DEV_PROT_EXECUTE_WRITECOPY),
		VMSECT_DEV_PROT_EXECUTE);
	(void)vm_ok(vm, "w64 64M 3");
	expect_pages(vm, 0, 1, VMSECT_DEV_PROT_EXECUTE_READWRITE, true);
	expect_pages(vm, 1, UNIT / PAGE - 1, VMSECT_DEV_PROT_EXECUTE_WRITECOPY, false);
	(void)vm_ok(vm, "drop 1 0 0");
	assert_int_equal(vm_number(vm, "value", "r64 64M"), 1);
	handle = (unsigned int)vm_number(vm, "handle", "dup %u 8", handle);
	vm_refused(vm, VMSECT_S_EPERM, 0, "map %u %u 0 0", handle, VMSECT_DEV_PROT_EXECUTE_READ);
	(void)vm_ok(vm, "map %u %u 0 0", handle, VMSECT_DEV_PROT_EXECUTE);
	vm_refused(vm, VMSECT_S_EACCES, 0, "protect 2 0 0 %u", VMSECT_DEV_PROT_EXECUTE_READ);
	vm_power_off(vm);
	(void)vmsect_section_close(section);
}

/*
 * One CPU writes all the time, the other changes its pages back and forth: what
 * was written while they were readonly is not in the section.
 */
static void test_under_fire(void **state)
{
	struct bed *bed = *state;
	const struct vm_config config = { .name = "vm",
					  .cpus = 2,
					  .sections = { "data:rw,at=64M" } };
	struct bed_section *data = bed_section_new(bed, "data", VMSECT_BACKING_SHMEM, UNIT);
	struct vm_fixture *vm = vm_start(bed, &config);
	uint64_t before, passes;

	assert_int_equal(vm_number(vm, "cpus", "smp 2"), 2);
	(void)vm_ok(vm, "hammer 1 0x%x 0x4000", AT);
	for (unsigned int turn = 0; turn < 50; turn++) {
		(void)vm_ok(vm, "protect 1 0 0x4000 %u", turn % 2 ? NA : RO);
		before = section_word(data, 0x1000);
		passes = vm_number(vm, "passes", "hammered 1");
		while (vm_number(vm, "passes", "hammered 1") < passes + 3)
			;
		assert_true(section_word(data, 0x1000) == before);
		(void)vm_ok(vm, "protect 1 0 0x4000 %u", RW);
		while (section_word(data, 0x1000) == before)
			(void)vm_ok(vm, "ping");
	}
	assert_int_equal(vm_number(vm, "faults", "unhammer 1"), 0);
	assert_true(pattern_of(data, 5) == section_word(data, 5 * (uint64_t)PAGE));
	vm_power_off(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ranges, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_bounds, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_executable, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_under_fire, bed_setup, bed_teardown),
	};
	int skipped = bed_begin(LIMIT_S);

	if (skipped)
		return skipped;
	return cmocka_run_group_tests_name("kvm protect", tests, NULL, NULL);
}
