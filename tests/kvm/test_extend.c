/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sections that grow and memory that is committed, under VMs that use them
 * meanwhile.
 */
#include "lib/check.h"

#include <string.h>

#include "kvm/bed.h"
#include "kvm/vm_fixture.h"
#include "vmsect_dev.h"

#define LIMIT_S 180
#define MIB (UINT64_C(1) << 20)
#define EVENT_MS 5000
#define ACCESS_ALL 0x17 /* query, read, write, extend */
#define ANYWHERE "0xffffffffffffffff"
#define SEED 7u

struct user {
	struct vm_fixture *vm;
	unsigned int handle;
	unsigned int view;
	unsigned long long place;
};

static struct vmsect_section *create(struct bed *bed, const char *name, uint64_t bytes,
				     uint64_t most, uint32_t flags)
{
	const struct vmsect_create_options options = {
		.size = sizeof(options),
		.name = name,
		.backing = VMSECT_BACKING_SHMEM,
		.protection = VMSECT_PROT_READWRITE,
		.size_bytes = bytes,
		.max_bytes = most,
		.flags = flags,
	};
	struct vmsect_section *section = NULL;

	if (vmsect_section_create(bed->client, &options, &section) < 0)
		fail_msg("create %s: %s", name, vmsect_client_error(bed->client));
	return section;
}

/* A VM that has mapped all of the section. */
static struct user start_user(struct bed *bed, const char *name, uint32_t protection,
			      uint32_t flags)
{
	const struct vm_config config = { .name = name, .cpus = 2 };
	struct user user = { .vm = vm_start(bed, &config) };

	user.handle = (unsigned int)vm_number(user.vm, "handle", "open data %u", ACCESS_ALL);
	user.view = (unsigned int)vm_number(user.vm, "view", "map %u %u 0 0 " ANYWHERE " %u",
					    user.handle, protection, flags);
	user.place = vm_reply_number(user.vm, "place");
	return user;
}

/* The next event of a type; others (peers that come) are passed over. */
static void expect_event(struct vm_fixture *vm, unsigned int type)
{
	while (vm_number(vm, "type", "event %u", EVENT_MS) != type)
		assert_in_range(vm_reply_number(vm, "type"), VMSECT_EV_PEER_JOINED,
				VMSECT_EV_PEER_LEFT);
}

static void expect_word(const struct user *user, uint64_t offset, uint64_t value)
{
	assert_true(vm_number(user->vm, "value", "r64 0x%llx",
			      user->place + (unsigned long long)offset) == value);
}

static void store(const struct user *user, uint64_t offset, uint64_t value)
{
	(void)vm_ok(user->vm, "w64 0x%llx 0x%llx", user->place + (unsigned long long)offset,
		    (unsigned long long)value);
}

static void test_grows_in_place(void **state)
{
	struct bed *bed = *state;
	struct vmsect_section *section = create(bed, "data", 2 * MIB, 8 * MIB, 0);
	struct user rw = start_user(bed, "rw", VMSECT_DEV_PROT_READWRITE, VMSECT_VIEW_F_GROWABLE);
	struct user ro = start_user(bed, "ro", VMSECT_DEV_PROT_READONLY, VMSECT_VIEW_F_GROWABLE);
	struct user fixed = start_user(bed, "fixed", VMSECT_DEV_PROT_READONLY, 0);

	assert_int_equal(vm_number(rw.vm, "room", "view %u", rw.view), 8 * MIB);
	(void)vm_ok(rw.vm, "fill 0x%llx 2M %u", rw.place, SEED);
	assert_int_equal(vm_number(ro.vm, "cpus", "smp 2"), 2);
	(void)vm_ok(ro.vm, "watch 1 0x%llx 2M %u", ro.place, SEED);
	/* What is not there yet is a hole that nothing else can be put in. */
	expect_word(&rw, 5 * MIB, UINT64_MAX);
	vm_refused(rw.vm, VMSECT_S_EEXIST, 0, "map %u 2 0 4096 0x%llx", rw.handle,
		   rw.place + 4 * MIB);

	assert_int_equal(vm_number(rw.vm, "size", "extend %u 6M", rw.handle), 6 * MIB);
	assert_int_equal(vm_number(rw.vm, "length", "view %u", rw.view), 6 * MIB);
	store(&rw, 6 * MIB - 8, 0x1234);
	expect_word(&rw, 6 * MIB, UINT64_MAX);
	expect_event(ro.vm, VMSECT_EV_RESIZED);
	assert_int_equal(vm_reply_number(ro.vm, "value"), 6 * MIB);
	assert_int_equal(vm_reply_number(ro.vm, "handle"), ro.handle);
	assert_int_equal(vm_number(ro.vm, "length", "view %u", ro.view), 6 * MIB);
	expect_word(&ro, 6 * MIB - 8, 0x1234);
	expect_word(&ro, 5 * MIB, 0);
	assert_int_equal(vm_number(fixed.vm, "length", "view %u", fixed.view), 2 * MIB);
	expect_word(&fixed, 2 * MIB, UINT64_MAX);
	assert_int_equal(vm_number(fixed.vm, "size", "query %u", fixed.handle), 6 * MIB);
	assert_int_equal(vm_number(fixed.vm, "length", "map %u 2 4M 0", fixed.handle), 2 * MIB);

	assert_int_equal(vm_number(rw.vm, "size", "extend %u 1M", rw.handle), 6 * MIB);
	vm_refused(rw.vm, VMSECT_S_EFBIG, 0, "extend %u 9M", rw.handle);
	assert_int_equal(vm_number(ro.vm, "wrong", "unwatch 1"), 0);
	assert_int_equal(vm_reply_number(ro.vm, "faults"), 0);
	assert_true(vm_reply_number(ro.vm, "passes") > 0);
	vm_power_off(rw.vm);
	vm_power_off(ro.vm);
	vm_power_off(fixed.vm);
	(void)vmsect_section_close(section);
}

/* The pages that come have the protection with which the view was mapped. */
static void test_grows_as_it_was_mapped(void **state)
{
	struct bed *bed = *state;
	struct vmsect_section *section = create(bed, "data", 2 * MIB, 4 * MIB, 0);
	struct user rw = start_user(bed, "rw", VMSECT_DEV_PROT_READWRITE, VMSECT_VIEW_F_GROWABLE);
	uint64_t size = 0;

	(void)vm_ok(rw.vm, "protect %u 0 0 %u", rw.view, VMSECT_DEV_PROT_READONLY);
	assert_int_equal(vmsect_section_extend(section, 4 * MIB, &size), 0);
	expect_event(rw.vm, VMSECT_EV_RESIZED);
	store(&rw, 0, 1);
	expect_word(&rw, 0, 0);
	store(&rw, 3 * MIB, 2);
	expect_word(&rw, 3 * MIB, 2);
	assert_int_equal(vm_number(rw.vm, "protection_now", "view %u", rw.view), 0);
	assert_int_equal(vm_number(rw.vm, "protection", "pages %u 2M", rw.view),
			 VMSECT_DEV_PROT_READWRITE);
	vm_power_off(rw.vm);
	(void)vmsect_section_close(section);
}

/* What a growable view may ask for. */
static void test_room(void **state)
{
	struct bed *bed = *state;
	struct vmsect_section *section = create(bed, "data", 2 * MIB, 8 * MIB, 0);
	const struct vm_config config = { .name = "vm" };
	struct vm_fixture *vm = vm_start(bed, &config);
	unsigned int handle = (unsigned int)vm_number(vm, "handle", "open data %u", ACCESS_ALL);

	/* More than there is, now or ever. */
	assert_int_equal(vm_number(vm, "length", "map %u 2 0 3M " ANYWHERE " 1", handle), 2 * MIB);
	assert_int_equal(vm_reply_number(vm, "room"), 8 * MIB);
	assert_int_equal(vm_number(vm, "room", "map %u 2 1M 3M " ANYWHERE " 1 4M", handle),
			 4 * MIB);
	assert_int_equal(vm_reply_number(vm, "length"), MIB);
	vm_refused(vm, VMSECT_S_EINVAL, VMSECT_D_VIEW_SIZE, "map %u 2 0 0 " ANYWHERE " 1 1M",
		   handle);
	vm_refused(vm, VMSECT_S_EINVAL, VMSECT_D_VIEW_SIZE, "map %u 2 0 3M " ANYWHERE " 1 2M",
		   handle);
	vm_refused(vm, VMSECT_S_EINVAL, VMSECT_D_VIEW_SIZE, "map %u 2 2M 0 " ANYWHERE " 1", handle);
	vm_refused(vm, VMSECT_S_EINVAL, VMSECT_D_VIEW_SIZE, "map %u 2 0 3M", handle);
	vm_refused(vm, VMSECT_S_EINVAL, VMSECT_D_VIEW_SIZE,
		   "map %u 2 0 0 " ANYWHERE " 1 0xffffffffffffffff", handle);
	/* What grows is no more than its room. */
	(void)vm_ok(vm, "extend %u 8M", handle);
	assert_int_equal(vm_number(vm, "length", "view 1"), 8 * MIB);
	assert_int_equal(vm_number(vm, "length", "view 2"), 4 * MIB);
	/* It is as large as can be: nothing grows any more. */
	vm_refused(vm, VMSECT_S_EINVAL, VMSECT_D_ATTR, "map %u 2 0 0 " ANYWHERE " 1", handle);
	vm_power_off(vm);
	(void)vmsect_section_close(section);
}

static void test_not_extended(void **state)
{
	struct bed *bed = *state;
	struct vmsect_section *section = create(bed, "data", 2 * MIB, 0, 0);
	const struct vm_config config = { .name = "vm" };
	struct vm_fixture *vm = vm_start(bed, &config);
	unsigned int handle = (unsigned int)vm_number(vm, "handle", "open data %u", ACCESS_ALL);

	vm_refused(vm, VMSECT_S_EOPNOTSUPP, VMSECT_D_EXTEND, "extend %u 4M", handle);
	handle = (unsigned int)vm_number(vm, "handle", "dup %u 7", handle);
	vm_refused(vm, VMSECT_S_EPERM, 0, "extend %u 4M", handle);
	vm_power_off(vm);
	(void)vmsect_section_close(section);
}

/* What is touched before it is committed is lost, until somebody commits it. */
static void test_commit(void **state)
{
	struct bed *bed = *state;
	struct vmsect_section *section = create(bed, "data", 4 * MIB, 0, VMSECT_CREATE_RESERVE);
	struct user a = start_user(bed, "a", VMSECT_DEV_PROT_READWRITE, 0);
	struct user b = start_user(bed, "b", VMSECT_DEV_PROT_READWRITE, 0);

	assert_int_equal(vm_number(a.vm, "committed", "pages %u 0", a.view), 0);
	expect_word(&a, 0x3008, 0);
	store(&a, 0x3008, 5); /* goes nowhere */
	expect_event(a.vm, VMSECT_EV_IN_PAGE_ERROR);
	assert_int_equal(vm_reply_number(a.vm, "value"), VMSECT_S_EFAULT);
	assert_int_equal(vm_reply_number(a.vm, "view"), a.view);
	vm_refused(a.vm, VMSECT_S_EINVAL, VMSECT_D_COMMIT, "protect %u 0 0 %u", a.view,
		   VMSECT_DEV_PROT_READONLY);
	(void)vm_ok(b.vm, "commit %u 0x3000 0x2000", b.view);
	expect_event(a.vm, VMSECT_EV_COMMITTED);
	assert_int_equal(vm_reply_number(a.vm, "offset"), 0x3000);
	assert_int_equal(vm_reply_number(a.vm, "length"), 0x2000);
	expect_word(&a, 0x3008, 0);
	store(&b, 0x3008, 6);
	expect_word(&a, 0x3008, 6);
	store(&a, 0x4000, 7);
	expect_word(&b, 0x4000, 7);
	assert_int_equal(vm_number(a.vm, "committed", "pages %u 0x3000", a.view), 1);
	assert_int_equal(vm_reply_number(a.vm, "length"), 0x2000);
	assert_int_equal(vm_reply_number(a.vm, "lost"), 0);
	/* Again is fine, and may change the protection in this view alone. */
	(void)vm_ok(a.vm, "commit %u 0x3000 0x1000 %u", a.view, VMSECT_DEV_PROT_READONLY);
	store(&a, 0x3008, 8);
	expect_word(&a, 0x3008, 6);
	store(&b, 0x3008, 9);
	expect_word(&a, 0x3008, 9);
	vm_power_off(a.vm);
	vm_power_off(b.vm);
	(void)vmsect_section_close(section);
}

static void test_create_in_guest(void **state)
{
	struct bed *bed = *state;
	const struct vm_config maker = { .name = "maker", .options = { "--allow-create=8M" } };
	const struct vm_config other = { .name = "other" };
	struct vm_fixture *vm = vm_start(bed, &maker), *reader = vm_start(bed, &other);
	unsigned int handle, view;
	unsigned long long place;

	/* RESERVE, with two pages of it from the start. */
	handle = (unsigned int)vm_number(vm, "handle", "create made 4M 2 3 8");
	assert_int_equal(vm_reply_number(vm, "existed"), 0);
	assert_int_equal(vm_reply_number(vm, "section_flags"), VMSECT_SECTION_F_RESERVE);
	view = (unsigned int)vm_number(vm, "view", "map %u 3 0 0 " ANYWHERE " 0 0 0x2000", handle);
	place = vm_reply_number(vm, "place");
	assert_int_equal(vm_number(vm, "length", "pages %u 0", view), 0x2000);
	assert_int_equal(vm_reply_number(vm, "committed"), 1);
	(void)vm_ok(vm, "w64 0x%llx 0x77", place + 0x1000);
	vm_refused(vm, VMSECT_S_EDQUOT, VMSECT_D_QUOTA, "create more 5M 2 3");
	vm_refused(reader, VMSECT_S_EPERM, 0, "create more 4096 2 3");
	handle = (unsigned int)vm_number(reader, "handle", "open made 2");
	place = vm_number(reader, "place", "map %u 2 0 0", handle);
	assert_int_equal(vm_number(reader, "value", "r64 0x%llx", place + 0x1000), 0x77);
	vm_power_off(vm);
	assert_int_equal(vm_number(reader, "value", "r64 0x%llx", place + 0x1000), 0x77);
	vm_power_off(reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_grows_in_place, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_grows_as_it_was_mapped, bed_setup,
						bed_teardown),
		cmocka_unit_test_setup_teardown(test_room, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_not_extended, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_commit, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_create_in_guest, bed_setup, bed_teardown),
	};
	int skipped = bed_begin(LIMIT_S);

	if (skipped)
		return skipped;
	return cmocka_run_group_tests_name("kvm extend", tests, NULL, NULL);
}
