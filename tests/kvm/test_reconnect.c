/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kill -9 of the broker, and a new one: VMs go on meanwhile, and afterwards
 * they can map again what they had and what is new.
 */
#include "lib/check.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kvm/bed.h"
#include "kvm/vm_fixture.h"
#include "vmsect_dev.h"

#define LIMIT_S 180
#define BYTES (UINT64_C(4) << 20)
#define AT 0x4000000u
#define BACK_MS 10000

static const struct vm_config rw_config = { .name = "rw",
					    .cpus = 2,
					    .sections = { "data:rw,at=64M" } };
static const struct vm_config cow_config = { .name = "cow", .sections = { "data:cow,at=64M" } };

/* Waits until requests that need the broker are answered by one. */
static void wait_back(struct vm_fixture *vm)
{
	uint64_t handle = 0, status = 0;

	for (unsigned int waited = 0; waited < BACK_MS; waited += 100) {
		const char *answer = vm_ask(vm, "open data 7");

		if (vm_find_number(answer, "handle", &handle)) {
			(void)vm_ok(vm, "close %u", (unsigned int)handle);
			return;
		}
		assert_true(vm_find_number(answer, "status", &status));
		assert_int_equal(status, VMSECT_S_EHOSTDOWN);
		(void)vm_ask(vm, "event 100"); /* the guest sleeps */
	}
	fail_msg("VM %s has not found the new broker", vm->name);
}

static void expect_sharing(struct vm_fixture *writer, struct bed_section *data, uint64_t value)
{
	(void)vm_ok(writer, "w64 0x%x 0x%llx", AT + 64, (unsigned long long)value);
	bed_section_model(data, 64, &value, sizeof(value));
	assert_memory_equal(data->bytes_now, data->model, data->bytes);
}

static void mapped_again(struct bed *bed, enum vmsect_backing backing)
{
	struct bed_section *data = bed_section_new(bed, "data", backing, BYTES);
	struct vm_fixture *rw = vm_start(bed, &rw_config), *cow = vm_start(bed, &cow_config);
	const struct vm_config late_config = { .name = "late", .sections = { "data:ro,at=64M" } };
	unsigned int handle = (unsigned int)vm_number(rw, "handle", "open data 7"), view;
	struct vm_fixture *late;
	unsigned long long place;

	view = (unsigned int)vm_number(rw, "view", "map %u %u 0 0", handle,
				       VMSECT_DEV_PROT_READWRITE);
	assert_int_equal(vm_number(rw, "cpus", "smp 2"), 2);
	(void)vm_ok(rw, "watch 1 0x%x 1M %llu 2M", AT + 0x200000, (unsigned long long)data->seed);
	(void)vm_ok(cow, "w64 0x%x 0x5555", AT);
	broker_fixture_kill(&bed->broker);
	expect_sharing(rw, data, 1);
	vm_refused(rw, VMSECT_S_EHOSTDOWN, 0, "open data 7");
	vm_refused(rw, VMSECT_S_EHOSTDOWN, 0, "map %u 2 0 0", handle);
	vm_refused(rw, VMSECT_S_EHOSTDOWN, 0, "protect 1 0 0 2");
	(void)vm_ok(rw, "unmap %u", view); /* the broker hears of it later */
	broker_fixture_start(&bed->broker, NULL);
	wait_back(rw);
	wait_back(cow);

	expect_sharing(rw, data, 2);
	assert_int_equal(vm_number(cow, "value", "r64 0x%x", AT), 0x5555);
	assert_int_equal(vm_number(cow, "count", "diff 1"), 1);
	place = vm_number(rw, "place", "map %u %u 0 0", handle, VMSECT_DEV_PROT_READWRITE);
	(void)vm_ok(rw, "w64 0x%llx 3", place + 64);
	bed_section_model(data, 64, &(uint64_t){ 3 }, 8);
	assert_int_equal(vm_number(rw, "old", "protect 1 0 0 2"), VMSECT_DEV_PROT_READWRITE);
	(void)vm_ok(rw, "w64 0x%x 4", AT + 64);
	bed_section_check(data);
	assert_int_equal(bed_count_views(bed, "rw"), 2);
	assert_int_equal(bed_count_views(bed, "cow"), 1);
	late = vm_start(bed, &late_config);
	assert_int_equal(vm_number(late, "value", "r64 0x%x", AT + 64), 3);
	assert_int_equal(vm_number(rw, "wrong", "unwatch 1"), 0);
	assert_int_equal(vm_reply_number(rw, "faults"), 0);
	assert_true(vm_log_has(rw, "the broker is back"));
	vm_power_off(late);
	vm_power_off(rw);
	vm_power_off(cow);
}

static void test_shmem(void **state)
{
	mapped_again(*state, VMSECT_BACKING_SHMEM);
}

static void test_file(void **state)
{
	mapped_again(*state, VMSECT_BACKING_FILE);
}

/* Everything that a broker leaves behind for the next one. */
static void forget(const struct bed *bed)
{
	DIR *folder = opendir(bed->broker.folder);
	const struct dirent *entry;

	assert_non_null(folder);
	while ((entry = readdir(folder))) {
		if (strstr(entry->d_name, "journal") || strstr(entry->d_name, "state"))
			assert_int_equal(unlinkat(dirfd(folder), entry->d_name, 0), 0);
	}
	(void)closedir(folder);
}

/* A broker that knows nothing of the VM: it keeps what it has and gets no more. */
static void test_not_known(void **state)
{
	struct bed *bed = *state;
	struct bed_section *data = bed_section_new(bed, "data", VMSECT_BACKING_SHMEM, BYTES);
	struct vm_fixture *rw = vm_start(bed, &rw_config);

	broker_fixture_kill(&bed->broker);
	forget(bed);
	broker_fixture_start(&bed->broker, NULL);
	for (unsigned int waited = 0; !vm_log_has(rw, "does not know this VM"); waited += 100) {
		assert_true(waited < BACK_MS);
		(void)vm_ask(rw, "event 100");
	}
	expect_sharing(rw, data, 9);
	vm_refused(rw, VMSECT_S_EHOSTDOWN, 0, "open data 7");
	vm_refused(rw, VMSECT_S_EHOSTDOWN, 0, "protect 1 0 0 2");
	assert_int_equal(vm_number(rw, "count", "list"), 1);
	expect_sharing(rw, data, 10);
	vm_power_off(rw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_shmem, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_file, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_not_known, bed_setup, bed_teardown),
	};
	int skipped = bed_begin(LIMIT_S);

	if (skipped)
		return skipped;
	return cmocka_run_group_tests_name("kvm reconnect", tests, NULL, NULL);
}
