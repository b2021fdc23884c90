/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two and three VMs, each a process, over one section: what readwrite,
 * readonly, writecopy and holes are, for every kind of backing.  Each story
 * runs on a file, on shmem and on huge pages.
 */
#include "lib/check.h"

#include <stdio.h>
#include <string.h>

#include "kvm/bed.h"
#include "kvm/vm_fixture.h"

#define LIMIT_S 300
#define UNIT (UINT64_C(2) << 20)
#define ONES UINT64_MAX
#define VECTOR_GP 13
/* Where the only attachment of a VM begins in its window. */
#define AT 0x4000000
#define AT_TEXT "0x4000000"

/* A file ends in the middle of a 2 MiB unit; huge pages cannot. */
static struct bed_section *section_of(struct bed *bed, enum vmsect_backing backing)
{
	uint64_t bytes = backing == VMSECT_BACKING_HUGETLB ? 4 * UNIT : 2 * UNIT + 0x3000;

	return bed_section_new(bed, "data", backing, bytes);
}

static struct vm_fixture *start(struct bed *bed, const char *name, const char *mode)
{
	char section[64];
	const struct vm_config config = { .name = name, .sections = { section } };

	(void)snprintf(section, sizeof(section), "data:%s,at=" AT_TEXT, mode);
	return vm_start(bed, &config);
}

static uint64_t load(struct vm_fixture *vm, uint64_t offset)
{
	return vm_number(vm, "value", "r64 0x%llx", (unsigned long long)(AT + offset));
}

static void store(struct vm_fixture *vm, uint64_t offset, uint64_t value)
{
	(void)vm_ok(vm, "w64 0x%llx 0x%llx", (unsigned long long)(AT + offset),
		    (unsigned long long)value);
}

/* A store that counts: into the model as well. */
static void write_shared(struct vm_fixture *vm, struct bed_section *section, uint64_t offset,
			 uint64_t value)
{
	store(vm, offset, value);
	bed_section_model(section, offset, &value, sizeof(value));
}

static uint64_t model_word(const struct bed_section *section, uint64_t offset)
{
	uint64_t value;

	memcpy(&value, section->model + offset, sizeof(value));
	return value;
}

static void expect_pattern(struct vm_fixture *vm, const struct bed_section *section)
{
	assert_int_equal(vm_number(vm, "wrong", "check 0x%x 0x%llx %llu", AT,
				   (unsigned long long)section->bytes,
				   (unsigned long long)section->seed),
			 0);
}

static uint64_t denied_writes(struct vm_fixture *vm)
{
	(void)vm_ok(vm, "list");
	return vm_number(vm, "denied", "view %llu",
			 (unsigned long long)vm_number(vm, "view", "entry 0"));
}

/* Two VMs with readwrite: each sees at once what the other writes. */
static void story_readwrite(struct bed *bed, enum vmsect_backing backing)
{
	struct bed_section *section = section_of(bed, backing);
	struct vm_fixture *a = start(bed, "a", "rw");
	struct vm_fixture *b = start(bed, "b", "rw");

	expect_pattern(a, section);
	expect_pattern(b, section);
	for (uint64_t i = 0; i < 32; i++) {
		uint64_t offset = (i * 0x10008) % (section->bytes - 8) & ~UINT64_C(7);

		write_shared(i & 1 ? a : b, section, offset, 0xa5a50000 + i);
		assert_int_equal(load(i & 1 ? b : a, offset), 0xa5a50000 + i);
	}
	(void)vm_ok(a, "set 0x%llx 4096 0x5c", (unsigned long long)(AT + UNIT));
	memset(section->model + UNIT, 0x5c, 4096);
	assert_int_equal(
		vm_number(b, "count", "differ 0x%llx 4096 0x5c", (unsigned long long)(AT + UNIT)),
		0);
	bed_section_check(section);
	vm_power_off(a);
	vm_power_off(b);
	bed_section_check(section);
}

/*
 * One form of store at one address: it is counted, or the vCPU gets an
 * exception; either way no byte changes and the VM goes on.  True if it was #GP:
 * KVM could not emulate it.
 */
static bool deny(struct vm_fixture *ro, const char *form, uint64_t offset)
{
	uint64_t before = denied_writes(ro);
	uint64_t after;
	uint64_t exception = 0;
	const char *answer = vm_ask(ro, "store %s 0x%llx 0x1122334455667788 6", form,
				    (unsigned long long)(AT + offset));
	bool faulted = vm_find_number(answer, "exception", &exception);

	if (faulted)
		print_message("  %s at %#llx: exception %llu\n", form, (unsigned long long)offset,
			      (unsigned long long)exception);
	else
		assert_memory_equal(answer, "ok", 2);
	after = denied_writes(ro);
	if (!faulted)
		assert_true(after > before);
	assert_true(after >= before);
	return exception == VECTOR_GP;
}

/* Returns how many KVM could not emulate. */
static uint64_t deny_all_forms(struct vm_fixture *ro, struct bed_section *section)
{
	uint64_t undecodable = 0;
	char form[32];
	uint64_t align;

	for (unsigned int i = 0;; i++) {
		if (strncmp(vm_ask(ro, "form %u", i), "ok", 2) != 0)
			break;
		vm_reply_text(ro, "name", form, sizeof(form));
		align = vm_reply_number(ro, "align");
		undecodable += deny(ro, form, 0x1040);
		if (align == 1)
			undecodable += deny(ro, form, 0x1fff);
		bed_section_check(section);
		expect_pattern(ro, section);
	}
	return undecodable;
}

/* What happened in the VM is what the broker tells of it, to the last store. */
static void expect_counters(struct bed *bed, struct vm_fixture *vm, uint64_t undecodable)
{
	const struct vmsect_vm_counters least = {
		.denied_writes = denied_writes(vm),
		.undecodable_stores = undecodable,
	};
	struct vmsect_peer_info counted;

	assert_true(bed_wait_counters(bed, vm->name, &least, &counted));
	assert_int_equal(counted.denied_writes, least.denied_writes);
	assert_int_equal(counted.undecodable_stores, undecodable);
	assert_int_equal(counted.hole_accesses, 0);
	assert_int_equal(counted.lost_pages, 0);
}

/* A readonly VM reads what a readwrite VM writes, and can change nothing. */
static void story_readonly(struct bed *bed, enum vmsect_backing backing)
{
	struct bed_section *section = section_of(bed, backing);
	struct vm_fixture *rw = start(bed, "rw", "rw");
	struct vm_fixture *ro = start(bed, "ro", "ro");

	expect_pattern(ro, section);
	expect_counters(bed, ro, deny_all_forms(ro, section));
	write_shared(rw, section, 0x1040, 0xfeed);
	assert_int_equal(load(ro, 0x1040), 0xfeed);
	(void)deny(ro, "mov8", 0x1040);
	assert_int_equal(load(rw, 0x1040), 0xfeed);
	(void)vm_ok(ro, "smallpages 0x%x", AT);
	(void)deny(ro, "stosq", section->bytes - 64);
	assert_int_equal(denied_writes(rw), 0);
	bed_section_check(section);
	vm_power_off(ro);
	write_shared(rw, section, 8, 0xbeef);
	vm_power_off(rw);
	bed_section_check(section);
}

/* What the three VMs see while the writecopy one takes a page of its own. */
static void three_modes(struct vm_fixture *vm[3], struct bed_section *section)
{
	uint64_t page = section->page_bytes;
	uint64_t own = section->bytes / page / 2 * page;
	struct vm_fixture *rw = vm[0];
	struct vm_fixture *ro = vm[1];
	struct vm_fixture *cow = vm[2];

	write_shared(rw, section, own + 16, 0x1111);
	assert_int_equal(load(cow, own + 16), 0x1111);
	store(cow, own + 24, 0x2222);
	assert_int_equal(load(cow, own + 24), 0x2222);
	assert_int_equal(load(cow, own + 16), 0x1111);
	assert_int_equal(load(rw, own + 24), model_word(section, own + 24));
	assert_int_equal(load(ro, own + 24), model_word(section, own + 24));
	write_shared(rw, section, own + 16, 0x3333);
	assert_int_equal(load(ro, own + 16), 0x3333);
	assert_int_equal(load(cow, own + 16), 0x1111);
	/* Its neighbours are still the shared pages. */
	write_shared(rw, section, own - 8, 0x4444);
	assert_int_equal(load(cow, own - 8), 0x4444);
	if (own + page < section->bytes) {
		write_shared(rw, section, own + page, 0x5555);
		assert_int_equal(load(cow, own + page), 0x5555);
	}
	assert_int_equal(load(ro, own - 8), 0x4444);
	bed_section_check(section);
}

static void story_writecopy(struct bed *bed, enum vmsect_backing backing)
{
	struct bed_section *section = section_of(bed, backing);
	struct vm_fixture *vm[3];

	if (backing == VMSECT_BACKING_HUGETLB)
		bed_need_huge_pages(bed, (long)(section->bytes / BED_HUGE_BYTES));
	vm[0] = start(bed, "rw", "rw");
	vm[1] = start(bed, "ro", "ro");
	vm[2] = start(bed, "cow", "cow");
	for (size_t i = 0; i < 3; i++)
		expect_pattern(vm[i], section);
	three_modes(vm, section);
	assert_int_equal(bed_count_views(bed, NULL), 3);
	for (size_t i = 0; i < 3; i++)
		vm_power_off(vm[i]);
	bed_section_check(section);
}

/* Around a view the window reads as ones, and writes do nothing. */
static void story_holes(struct bed *bed, enum vmsect_backing backing)
{
	struct bed_section *section = section_of(bed, backing);
	struct vm_fixture *vm = start(bed, "rw", "rw");
	const uint64_t holes[] = { 0, AT - 16, AT + section->bytes, AT + 3 * UNIT + section->bytes,
				   vm->window_bytes - 16 };

	for (size_t i = 0; i < sizeof(holes) / sizeof(holes[0]); i++) {
		unsigned long long at = holes[i];

		assert_int_equal(vm_number(vm, "value", "r8 0x%llx", at), 0xff);
		assert_int_equal(vm_number(vm, "value", "r16 0x%llx", at), 0xffff);
		assert_int_equal(vm_number(vm, "value", "r32 0x%llx", at), 0xffffffff);
		assert_true(vm_number(vm, "value", "r64 0x%llx", at) == ONES);
		(void)vm_ok(vm, "w64 0x%llx 0", at);
		(void)vm_ok(vm, "store movups 0x%llx 0", at);
		assert_true(vm_number(vm, "value", "r64 0x%llx", at) == ONES);
		(void)vm_ask(vm, "store fxsave 0x%llx 0", at & ~UINT64_C(15));
		(void)vm_ok(vm, "ping");
	}
	expect_pattern(vm, section);
	bed_section_check(section);
	vm_power_off(vm);
}

#define STORY(name)                                                                                \
	static void test_##name##_file(void **state)                                               \
	{                                                                                          \
		story_##name(*state, VMSECT_BACKING_FILE);                                         \
	}                                                                                          \
                                                                                                   \
	static void test_##name##_shmem(void **state)                                              \
	{                                                                                          \
		story_##name(*state, VMSECT_BACKING_SHMEM);                                        \
	}                                                                                          \
                                                                                                   \
	static void test_##name##_hugetlb(void **state)                                            \
	{                                                                                          \
		story_##name(*state, VMSECT_BACKING_HUGETLB);                                      \
	}
STORY(readwrite)
STORY(readonly)
STORY(writecopy)
STORY(holes)

#define TEST(name) cmocka_unit_test_setup_teardown(name, bed_setup, bed_teardown)
#define TESTS(name) TEST(test_##name##_file), TEST(test_##name##_shmem), TEST(test_##name##_hugetlb)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTS(holes),
		TESTS(readonly),
		TESTS(readwrite),
		TESTS(writecopy),
	};
	int skipped = bed_begin(LIMIT_S);

	if (skipped)
		return skipped;
	return cmocka_run_group_tests_name("kvm modes", tests, NULL, NULL);
}
