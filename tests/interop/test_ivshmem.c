/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One guest image and one list of what it is to see: QEMU's ivshmem-plain and
 * ours are held against it, so the guest cannot tell them apart.  And one section
 * that both show at once.
 *
 * What differs, and is documented: the addresses of the BARs, and that our device
 * decodes memory from the start.
 */
#include "lib/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "interop/qemu.h"
#include "kvm/bed.h"
#include "kvm/vm_fixture.h"

#define LIMIT_S 300
#define BYTES (UINT64_C(1) << 20)

static const struct {
	const char *command;
	const char *answer;
} script[] = {
	/* configuration space */
	{ "icfg 4 0x00", "ok value=0x11101af4" },
	{ "icfg 2 0x06", "ok value=0x0" },
	{ "icfg 4 0x08", "ok value=0x5000001" },
	{ "icfg 1 0x0e", "ok value=0x0" },
	{ "icfg 4 0x14", "ok value=0x0" },
	{ "icfg 4 0x20", "ok value=0x0" },
	{ "icfg 4 0x24", "ok value=0x0" },
	{ "icfg 4 0x2c", "ok value=0x11001af4" },
	{ "icfg 4 0x30", "ok value=0x0" },
	{ "icfg 1 0x34", "ok value=0x0" },
	{ "icfg 1 0x3d", "ok value=0x0" },
	/* mask and status, of no use in revision 1 */
	{ "ireg 4 0x00", "ok value=0x0" },
	{ "ireg 4 0x00 0x12345678", "ok" },
	{ "ireg 4 0x00", "ok value=0x12345678" },
	{ "ireg 2 0x00", "ok value=0x5678" },
	{ "ireg 1 0x00", "ok value=0x78" },
	{ "ireg 1 0x01", "ok value=0x0" },
	{ "ireg 1 0x00 0xaa", "ok" },
	{ "ireg 4 0x00", "ok value=0xaa" },
	{ "ireg 4 0x04 0xffffffff", "ok" },
	{ "ireg 4 0x04", "ok value=0xffffffff" },
	{ "ireg 4 0x04", "ok value=0x0" },
	{ "ireg 8 0x00 0x1122334455667788", "ok" },
	{ "ireg 8 0x00", "ok value=0x1122334455667788" },
	{ "ireg 8 0x00", "ok value=0x55667788" },
	/* position and doorbell */
	{ "ireg 4 0x08", "ok value=0x0" },
	{ "ireg 4 0x08 0x5", "ok" },
	{ "ireg 4 0x08", "ok value=0x0" },
	{ "ireg 4 0x0c 0x10000", "ok" },
	{ "ireg 4 0x0c", "ok value=0x0" },
	{ "ireg 8 0x08", "ok value=0x0" },
	/* reserved */
	{ "ireg 4 0x10 0xffffffff", "ok" },
	{ "ireg 4 0x10", "ok value=0x0" },
	{ "ireg 4 0xfc 0xffffffff", "ok" },
	{ "ireg 4 0xfc", "ok value=0x0" },
	{ "ireg 8 0xf8", "ok value=0x0" },
	{ "imsix 1", "err no capability" },
};

static void run_script(struct vm_fixture *vm)
{
	(void)vm_ok(vm, "ivshmem");
	assert_int_equal(vm_reply_number(vm, "bytes0"), 256);
	assert_int_equal(vm_reply_number(vm, "bytes1"), 0);
	assert_int_equal(vm_reply_number(vm, "bytes2"), BYTES);
	for (size_t i = 0; i < ARRAY_SIZE(script); i++) {
		const char *answer = vm_ask(vm, "%s", script[i].command);

		if (strcmp(answer, script[i].answer) != 0)
			fail_msg("%s: '%s': '%s', not '%s'", vm->name, script[i].command, answer,
				 script[i].answer);
	}
}

/* A file in the bed's folder, which goes with it. */
static void make_file(const struct bed *bed, char *path, size_t room)
{
	AUTO_FD int fd = -1;

	(void)snprintf(path, room, "%s/shared.bin", bed->broker.folder);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, BYTES), 0);
}

static struct vm_fixture *start_qemu(struct bed *bed, const char *path)
{
	char backend[256];
	const char *const words[] = { "-object", backend, "-device", "ivshmem-plain,memdev=m",
				      NULL };

	(void)snprintf(backend, sizeof(backend),
		       "memory-backend-file,id=m,size=1M,mem-path=%s,share=on", path);
	return qemu_start(bed, "qemu", words);
}

static void test_qemu(void **state)
{
	struct bed *bed = *state;
	struct vm_fixture *vm;
	char path[128];

	make_file(bed, path, sizeof(path));
	vm = start_qemu(bed, path);
	run_script(vm);
	vm_kill(vm);
}

static void test_ours(void **state)
{
	const struct vm_config config = { .name = "ours", .sections = { "data:rw,as=ivshmem" } };
	struct bed *bed = *state;
	struct vm_fixture *vm;

	if (!interop_has_kvm())
		skip();
	(void)bed_section_new(bed, "data", VMSECT_BACKING_SHMEM, BYTES);
	vm = vm_start(bed, &config);
	run_script(vm);
	vm_power_off(vm);
}

static void create_section(struct bed *bed, const char *path)
{
	const char *const words[] = { "create", "shared", "--file", path, NULL };
	AUTO_FREE char *said = bed_run_cli(bed, words);

	assert_non_null(said);
}

/* What one guest stores the other loads, and the file has. */
static void test_one_section(void **state)
{
	const struct vm_config config = { .name = "ours", .sections = { "shared:rw,as=ivshmem" } };
	struct bed *bed = *state;
	struct vm_fixture *qemu, *ours;
	uint64_t at_qemu, at_ours, word = 0;
	AUTO_FD int fd = -1;
	char path[128];

	if (!interop_has_kvm())
		skip();
	make_file(bed, path, sizeof(path));
	create_section(bed, path);
	qemu = start_qemu(bed, path);
	ours = vm_start(bed, &config);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	at_qemu = vm_number(qemu, "memory", "ivshmem");
	at_ours = vm_number(ours, "memory", "ivshmem");
	(void)vm_ok(qemu, "w64 @0x%llx 0x1234567887654321", (unsigned long long)at_qemu + 4096);
	assert_true(vm_number(ours, "value", "r64 @0x%llx", (unsigned long long)at_ours + 4096) ==
		    UINT64_C(0x1234567887654321));
	(void)vm_ok(ours, "w64 @0x%llx 7", (unsigned long long)at_ours + BYTES - 8);
	assert_int_equal(
		vm_number(qemu, "value", "r64 @0x%llx", (unsigned long long)at_qemu + BYTES - 8),
		7);
	assert_int_equal(pread(fd, &word, sizeof(word), BYTES - 8), sizeof(word));
	assert_int_equal(word, 7);
	vm_kill(qemu);
	vm_power_off(ours);
}

/*
 * What is revoked is a hole at once, and the registers for it say that the slot is
 * to go; the guest gives it up, and nothing of it is left.
 */
static void test_unplug(void **state)
{
	const struct vm_config config = { .name = "ours", .sections = { "data:rw,as=ivshmem" } };
	const char *const words[] = { "revoke", "data", "vm:ours", NULL };
	struct bed *bed = *state;
	AUTO_FREE char *said = NULL;
	struct vm_fixture *vm;
	uint64_t at, down;

	if (!interop_has_kvm())
		skip();
	(void)bed_section_new(bed, "data", VMSECT_BACKING_SHMEM, BYTES);
	vm = vm_start(bed, &config);
	at = vm_number(vm, "memory", "ivshmem");
	assert_int_equal(vm_number(vm, "value", "in 4 0xae00"), 0);
	said = bed_run_cli(bed, words);
	assert_non_null(said);
	assert_true(vm_number(vm, "value", "r64 @0x%llx", (unsigned long long)at) == UINT64_MAX);
	down = vm_number(vm, "value", "in 4 0xae00");
	assert_true(down != 0 && (down & (down - 1)) == 0);
	assert_string_equal(vm_ask(vm, "icfg 4 0"), "ok value=0x11101af4");
	(void)vm_ok(vm, "out 4 0xae04 0x%llx", (unsigned long long)down);
	/* Done by another thread than the guest's. */
	while (strcmp(vm_ask(vm, "icfg 4 0"), "ok value=0xffffffff") != 0)
		continue;
	assert_int_equal(vm_number(vm, "value", "in 4 0xae00"), 0);
	assert_int_equal(bed_count_views(bed, "ours"), 0);
	vm_power_off(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_qemu, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_ours, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_one_section, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_unplug, bed_setup, bed_teardown),
	};
	int result = interop_begin(LIMIT_S);

	return result ? result : cmocka_run_group_tests(tests, NULL, NULL);
}
