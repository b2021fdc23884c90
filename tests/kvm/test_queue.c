/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Broken virtqueues: each puts the device into DEVICE_NEEDS_RESET with a
 * configuration interrupt, and nothing else; after a reset it works again.
 */
#include "lib/check.h"

#include <stdio.h>
#include <string.h>

#include "kvm/bed.h"
#include "kvm/vm_fixture.h"
#include "vmsect_dev.h"

#define LIMIT_S 120
#define NEEDS_RESET 0x40
#define WAIT_MS 3000
#define NEXT 1
#define WRITE 2
#define INDIRECT 4
#define SCRATCH 1 /* in place of an address */
#define MAX_DESCS 4

struct bad_desc {
	uint64_t address;
	uint64_t length;
	unsigned int flags;
	unsigned int next;
};

struct bad_chain {
	const char *name;
	unsigned int queue;
	unsigned int head;
	unsigned int count;
	struct bad_desc desc[MAX_DESCS]; /* from index 0 */
};

static const struct bad_chain bad_chains[] = {
	{ "address outside RAM",
	  0,
	  0,
	  2,
	  { { 0x7ffff000, 16, NEXT, 1 }, { SCRATCH, 16, WRITE, 0 } } },
	{ "address in the window",
	  0,
	  0,
	  2,
	  { { 0x1000000000, 16, NEXT, 1 }, { SCRATCH, 16, WRITE, 0 } } },
	{ "reply outside RAM",
	  0,
	  0,
	  2,
	  { { SCRATCH, 16, NEXT, 1 }, { UINT64_C(0xfffffffffffff000), 16, WRITE, 0 } } },
	{ "length past RAM",
	  0,
	  0,
	  2,
	  { { SCRATCH, 16, NEXT, 1 }, { SCRATCH, 0xffffffff, WRITE, 0 } } },
	{ "address wraps",
	  0,
	  0,
	  2,
	  { { UINT64_C(0xfffffffffffffff0), 32, NEXT, 1 }, { SCRATCH, 16, WRITE, 0 } } },
	{ "loop of one", 0, 0, 1, { { SCRATCH, 16, NEXT, 0 } } },
	{ "loop of two", 0, 0, 2, { { SCRATCH, 16, NEXT, 1 }, { SCRATCH, 16, NEXT, 0 } } },
	{ "loop of writable ones",
	  0,
	  0,
	  2,
	  { { SCRATCH, 16, WRITE | NEXT, 1 }, { SCRATCH, 16, WRITE | NEXT, 0 } } },
	{ "next past the queue", 0, 0, 1, { { SCRATCH, 16, NEXT, 64 } } },
	{ "next far past the queue", 0, 0, 1, { { SCRATCH, 16, NEXT, 0xffff } } },
	{ "head past the queue", 0, 64, 0, { { 0 } } },
	{ "head far past the queue", 0, 0xffff, 0, { { 0 } } },
	{ "readable behind writable",
	  0,
	  0,
	  2,
	  { { SCRATCH, 16, WRITE | NEXT, 1 }, { SCRATCH, 16, 0, 0 } } },
	{ "no room for a reply", 0, 0, 1, { { SCRATCH, 16, 0, 0 } } },
	{ "room for half a header",
	  0,
	  0,
	  2,
	  { { SCRATCH, 16, NEXT, 1 }, { SCRATCH, 4, WRITE, 0 } } },
	{ "indirect without the feature", 0, 0, 1, { { SCRATCH, 32, INDIRECT, 0 } } },
	{ "short event buffer", 1, 0, 1, { { SCRATCH, 8, WRITE, 0 } } },
	{ "readable event buffer", 1, 0, 1, { { SCRATCH, 64, 0, 0 } } },
};

static struct vm_fixture *start(struct bed *bed)
{
	const struct vm_config config = { .name = "vm", .sections = { "data:rw,at=0" } };

	(void)bed_section_new(bed, "data", VMSECT_BACKING_SHMEM, UINT64_C(2) << 20);
	return vm_start(bed, &config);
}

static void expect_broken(struct vm_fixture *vm, const char *name, uint64_t config_irqs)
{
	if (strncmp(vm_ask(vm, "waitstatus %u %u", NEEDS_RESET, WAIT_MS), "ok", 2) != 0)
		fail_msg("%s: the device status is %s", name, vm->reply);
	assert_true(vm_number(vm, "config", "irqs") > config_irqs);
	/* It takes no request, and memory works on. */
	(void)vm_ok(vm, "kick 0");
	(void)vm_ok(vm, "kick 1");
	assert_memory_equal(vm_ask(vm, "take 0 1"), "err", 3);
	(void)vm_ok(vm, "w64 0 0x55");
	assert_int_equal(vm_number(vm, "value", "r64 0"), 0x55);
	(void)vm_ok(vm, "start");
	assert_int_equal(vm_number(vm, "count", "list"), 1);
	assert_memory_equal(vm_ask(vm, "event 0"), "err", 3);
}

static void give(struct vm_fixture *vm, const struct bad_chain *chain, uint64_t scratch)
{
	for (unsigned int i = 0; i < chain->count; i++) {
		const struct bad_desc *desc = &chain->desc[i];

		(void)vm_ok(
			vm, "desc %u %u 0x%llx %llu %u %u", chain->queue, i,
			(unsigned long long)(desc->address == SCRATCH ? scratch : desc->address),
			(unsigned long long)desc->length, desc->flags, desc->next);
	}
	(void)vm_ok(vm, "push %u %u", chain->queue, chain->head);
}

/* An event for the VM: buffers are looked at only when there is one. */
static void cause_event(struct bed *bed)
{
	const struct vmsect_connect_options options = {
		.size = sizeof(options),
		.socket_path = bed->broker.socket_path,
		.name = "visitor",
		.no_start = 1,
	};
	struct vmsect_client *client = NULL;
	struct vmsect_section *section = NULL;

	assert_int_equal(vmsect_connect(&options, &client), 0);
	assert_int_equal(vmsect_section_open(client, "data", VMSECT_ACCESS_READ, &section), 0);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

static void test_bad_chains(void **state)
{
	struct bed *bed = *state;
	struct vm_fixture *vm = start(bed);
	uint64_t scratch = vm_number(vm, "address", "scratch");

	for (size_t i = 0; i < ARRAY_SIZE(bad_chains); i++) {
		const struct bad_chain *chain = &bad_chains[i];
		uint64_t irqs = vm_number(vm, "config", "irqs");

		if (chain->queue == 1)
			(void)vm_ok(vm, "bare");
		give(vm, chain, scratch);
		if (chain->queue == 1)
			cause_event(bed);
		expect_broken(vm, chain->name, irqs);
	}
	vm_power_off(vm);
}

/* The available index runs away from the used one by more than the queue has. */
static void test_bad_index(void **state)
{
	static const unsigned int jumps[] = { 65, 200, 0x8000, 0xffff };
	struct vm_fixture *vm = start(*state);

	for (size_t i = 0; i < ARRAY_SIZE(jumps); i++) {
		uint64_t irqs = vm_number(vm, "config", "irqs");
		uint64_t now = vm_number(vm, "idx", "avail 0");

		(void)vm_ok(vm, "avail 0 %u", (unsigned int)((now + jumps[i]) & 0xffff));
		(void)vm_ok(vm, "kick 0");
		expect_broken(vm, "index", irqs);
	}
	vm_power_off(vm);
}

/* Many requests at once, each over several descriptors, in one kick. */
static void test_many_at_once(void **state)
{
	struct vm_fixture *vm = start(*state);
	uint64_t scratch = vm_number(vm, "address", "scratch");
	unsigned int head;

	/* A LIST of 16 bytes in parts of 5 and 11; the reply in parts of 3 and 13. */
	(void)vm_ok(vm, "w64 @0x%llx 1", (unsigned long long)scratch);
	(void)vm_ok(vm, "w64 @0x%llx 0", (unsigned long long)scratch + 8);
	for (head = 0; head < 64; head += 4) {
		unsigned long long reply = scratch + 1024 + 64 * head;

		(void)vm_ok(vm, "desc 0 %u 0x%llx 5 1 %u", head, (unsigned long long)scratch,
			    head + 1);
		(void)vm_ok(vm, "desc 0 %u 0x%llx 11 1 %u", head + 1,
			    (unsigned long long)scratch + 5, head + 2);
		(void)vm_ok(vm, "desc 0 %u 0x%llx 3 3 %u", head + 2, reply, head + 3);
		(void)vm_ok(vm, "desc 0 %u 0x%llx 13 2 0", head + 3, reply + 3);
	}
	for (head = 0; head < 64; head += 4)
		(void)vm_ok(vm, "push 0 %u", head);
	for (head = 0; head < 64; head += 4) {
		assert_int_equal(vm_number(vm, "length", "take 0 2000"), 16);
		assert_int_equal(vm_reply_number(vm, "id") % 4, 0);
	}
	assert_memory_equal(vm_ask(vm, "take 0 1"), "err", 3);
	assert_int_equal(vm_number(vm, "count", "list"), 1);
	vm_power_off(vm);
}

/* Every register of the common configuration, written in every width. */
static void test_registers(void **state)
{
	static const char *const values[] = { "0", "1", "0xffffffffffffffff", "0x8000000000000000",
					      "0x1000" };
	struct vm_fixture *vm = start(*state);
	unsigned long long common = vm_number(vm, "common", "find");
	unsigned long long device = vm_reply_number(vm, "device");
	unsigned long long isr = vm_reply_number(vm, "isr");
	unsigned long long pba = vm_reply_number(vm, "pba");

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		for (unsigned int at = 0; at < 64; at++)
			for (unsigned int bits = 8; bits <= 64; bits *= 2) {
				(void)vm_ok(vm, "w%u @0x%llx %s", bits, common + at, values[i]);
				(void)vm_ok(vm, "r%u @0x%llx", bits, common + at);
			}
		for (unsigned int at = 0; at < 40; at += 4) {
			(void)vm_ok(vm, "w32 @0x%llx %s", device + at, values[i]);
			(void)vm_ok(vm, "r64 @0x%llx", device + at);
		}
		(void)vm_ok(vm, "w32 @0x%llx %s", isr, values[i]);
		(void)vm_ok(vm, "w64 @0x%llx %s", pba, values[i]);
		(void)vm_ok(vm, "start");
		assert_int_equal(vm_number(vm, "count", "list"), 1);
		assert_int_equal(vm_number(vm, "window_bytes", "device"), vm->window_bytes);
	}
	vm_power_off(vm);
}

/* Interrupts arrive, one at least for each answer that is waited for. */
static void test_interrupts(void **state)
{
	struct vm_fixture *vm = start(*state);
	uint64_t control = vm_number(vm, "control", "irqs");
	unsigned long long msix = vm_number(vm, "msix", "find");

	for (unsigned int i = 0; i < 100; i++)
		(void)vm_ok(vm, "list");
	assert_true(vm_number(vm, "control", "irqs") > control);
	/* Masked, then let through: what was pending comes. */
	(void)vm_ok(vm, "w32 @0x%llx 1", msix + 16 + 12);
	control = vm_number(vm, "control", "irqs");
	(void)vm_ok(vm, "raw 01000000000000000000000000000000 16");
	assert_int_equal(vm_number(vm, "control", "irqs"), control);
	(void)vm_ok(vm, "w32 @0x%llx 0", msix + 16 + 12);
	for (unsigned int i = 0; i < 1000 && vm_number(vm, "control", "irqs") == control; i++)
		;
	assert_true(vm_number(vm, "control", "irqs") > control);
	vm_power_off(vm);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bed_setup, bed_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_bad_chains),	 TEST(test_bad_index),	TEST(test_registers),
		TEST(test_many_at_once), TEST(test_interrupts),
	};
	int skipped = bed_begin(LIMIT_S);

	if (skipped)
		return skipped;
	return cmocka_run_group_tests_name("kvm queue", tests, NULL, NULL);
}
