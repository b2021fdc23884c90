/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Views that are taken away from a VM while its CPU writes and reads them all
 * the time and minds nothing.  Another user runs the VM: root's rights cannot
 * be taken.
 */
#include "lib/check.h"

#include <poll.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "kvm/bed.h"
#include "kvm/vm_fixture.h"
#include "vmsect_dev.h"

#define LIMIT_S 180
#define BYTES (UINT64_C(4) << 20)
#define AT 0x4000000u
#define VM_UID 65534
#define AWAY_S 1.0
#define EVENT_MS 5000
#define ASK_MS 5

static double seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct vmsect_grant grant_for(const char *vm, uint32_t access)
{
	struct vmsect_grant grant = { .to = VMSECT_GRANT_VM, .id = VM_UID, .access = access };

	(void)snprintf(grant.name, sizeof(grant.name), "%s", vm);
	return grant;
}

/* A section of root's, of which VMs of another user have been given something. */
static struct vmsect_section *create(struct bed *bed, const char *const *vms, uint32_t access)
{
	const struct vmsect_create_options options = {
		.size = sizeof(options),
		.name = "data",
		.backing = VMSECT_BACKING_SHMEM,
		.protection = VMSECT_PROT_READWRITE,
		.size_bytes = BYTES,
		.access = VMSECT_ACCESS_ALL & ~VMSECT_ACCESS_EXECUTE,
	};
	struct vmsect_section *section = NULL;

	if (vmsect_section_create(bed->client, &options, &section) < 0)
		fail_msg("create: %s", vmsect_client_error(bed->client));
	for (; *vms; vms++) {
		const struct vmsect_grant grant = grant_for(*vms, access);

		if (vmsect_section_grant(section, &grant, 0, NULL) < 0)
			fail_msg("grant: %s", vmsect_client_error(bed->client));
	}
	return section;
}

static volatile const uint64_t *map(struct vmsect_section *section, struct vmsect_view **ret_view)
{
	const struct vmsect_map_options options = { .size = sizeof(options),
						    .protection = VMSECT_PROT_READONLY };

	assert_int_equal(vmsect_view_map(section, &options, ret_view), 0);
	return vmsect_view_address(*ret_view);
}

/* Takes everything back and waits until no view of the VM is listed: how long that took. */
static double take_away(struct bed *bed, struct vmsect_section *section, const char *vm,
			uint32_t views_expected)
{
	const struct vmsect_grant grant = grant_for(vm, 0);
	double start = seconds();
	uint32_t views = 0;

	if (vmsect_section_take_back(section, &grant, VMSECT_GRANT_REVOKE_LIVE, &views) < 0)
		fail_msg("take back: %s", vmsect_client_error(bed->client));
	assert_int_equal(views, views_expected);
	while (bed_count_views(bed, vm) > 0) {
		assert_true(seconds() - start < AWAY_S);
		/* The broker has no event for this; asking all the time would slow down the VMM. */
		(void)poll(NULL, 0, ASK_MS);
	}
	return seconds() - start;
}

/* Peers that came and the handles that went are told as well. */
static void expect_revoked_event(struct vm_fixture *vm, unsigned int view)
{
	while (vm_number(vm, "type", "event %u", EVENT_MS) != VMSECT_EV_REVOKED ||
	       vm_reply_number(vm, "view") != view)
		;
	assert_int_equal(vm_reply_number(vm, "offset"), 0);
	assert_int_equal(vm_reply_number(vm, "length"), BYTES);
}

/* The CPU goes on; nothing that it does reaches the section. */
static void expect_gone(struct vm_fixture *vm, volatile const uint64_t *words)
{
	uint64_t before = words[0], ones = vm_number(vm, "ones", "hammered 1");
	uint64_t passes = vm_reply_number(vm, "passes");

	while (vm_number(vm, "passes", "hammered 1") < passes + 3)
		;
	assert_true(vm_reply_number(vm, "ones") > ones);
	assert_int_equal(vm_reply_number(vm, "faults"), 0);
	assert_true(words[0] == before);
	assert_true(vm_number(vm, "value", "r64 0x%x", AT + 0x100000) == UINT64_MAX);
}

static void expect_refusals(struct vm_fixture *vm)
{
	assert_int_equal(vm_number(vm, "view_flags", "view 1"), VMSECT_VIEW_F_REVOKED);
	vm_refused(vm, VMSECT_S_ENXIO, VMSECT_D_REVOKED, "protect 1 0 0 2");
	vm_refused(vm, VMSECT_S_ENXIO, VMSECT_D_REVOKED, "pages 1 0");
	vm_refused(vm, VMSECT_S_ENXIO, VMSECT_D_REVOKED, "drop 1 0 0");
	vm_refused(vm, VMSECT_S_ENXIO, VMSECT_D_REVOKED, "remap 1 0 0");
	vm_refused(vm, VMSECT_S_ENXIO, VMSECT_D_REVOKED, "flush 1 0 0");
	vm_refused(vm, VMSECT_S_EBADF, VMSECT_D_REVOKED, "query 1");
	vm_refused(vm, VMSECT_S_EBADF, VMSECT_D_REVOKED, "map 1 2 0 0");
	vm_refused(vm, VMSECT_S_EACCES, 0, "open data 2");
}

static void test_while_it_writes(void **state)
{
	static const char *const vms[] = { "vm", "other", NULL };
	struct bed *bed = *state;
	const struct vm_config config = {
		.name = "vm", .cpus = 2, .uid = VM_UID, .sections = { "data:rw,at=64M" }
	};
	const struct vm_config other = { .name = "other",
					 .uid = VM_UID,
					 .sections = { "data:rw,at=64M" } };
	struct vmsect_section *section = create(bed, vms, 7);
	struct vmsect_view *view = NULL;
	volatile const uint64_t *words = map(section, &view);
	struct vm_fixture *vm = vm_start(bed, &config), *bystander = vm_start(bed, &other);

	assert_int_equal(vm_number(vm, "cpus", "smp 2"), 2);
	(void)vm_ok(vm, "hammer 1 0x%x 0x10000", AT);
	while (words[0] < 3)
		(void)vm_ok(vm, "ping");
	print_message("away after %.3f s\n", take_away(bed, section, "vm", 1));
	expect_gone(vm, words);
	expect_revoked_event(vm, 1);
	expect_refusals(vm);
	(void)vm_ok(vm, "unhammer 1");
	/* Nobody else has lost anything. */
	(void)vm_ok(bystander, "w64 0x%x 0x4321", AT);
	assert_int_equal(words[0], 0x4321);
	vm_power_off(vm);
	vm_power_off(bystander);
	(void)vmsect_view_unmap(view);
	(void)vmsect_section_close(section);
}

/* Views that the driver made, and a driver that does not want to hear of it. */
static void test_whatever_the_driver(void **state)
{
	static const char *const vms[] = { "vm", NULL };
	struct bed *bed = *state;
	const struct vm_config config = { .name = "vm", .uid = VM_UID };
	struct vmsect_section *section = create(bed, vms, 7);
	struct vm_fixture *vm = vm_start(bed, &config);
	unsigned int handle, view;
	unsigned long long place;

	(void)vm_ok(vm, "start 0xffffffff");
	handle = (unsigned int)vm_number(vm, "handle", "open data 7");
	(void)vm_ok(vm, "map %u %u 0 0", handle, VMSECT_DEV_PROT_WRITECOPY);
	view = (unsigned int)vm_number(vm, "view", "map %u %u 0 0", handle,
				       VMSECT_DEV_PROT_READWRITE);
	place = vm_reply_number(vm, "place");
	(void)vm_ok(vm, "close %u", handle);
	(void)vm_ok(vm, "w64 0x%llx 1", place);
	(void)take_away(bed, section, "vm", 2);
	assert_true(vm_number(vm, "value", "r64 0x%llx", place) == UINT64_MAX);
	assert_string_equal(vm_ask(vm, "event 500"), "err none");
	/* Its number and its place are taken until it is unmapped. */
	assert_int_equal(vm_number(vm, "view_flags", "view %u", view), VMSECT_VIEW_F_REVOKED);
	(void)vm_ok(vm, "unmap %u", view);
	vm_refused(vm, VMSECT_S_ENXIO, 0, "unmap %u", view);
	vm_power_off(vm);
	(void)vmsect_section_close(section);
}

/* What the new rights still cover stays. */
static void test_narrowed(void **state)
{
	static const char *const vms[] = { "vm", NULL };
	struct bed *bed = *state;
	const struct vm_config config = { .name = "vm", .uid = VM_UID };
	struct vmsect_section *section = create(bed, vms, 7);
	const struct vmsect_grant reader =
		grant_for("vm", VMSECT_ACCESS_QUERY | VMSECT_ACCESS_READ);
	struct vm_fixture *vm = vm_start(bed, &config);
	unsigned int rw_handle = (unsigned int)vm_number(vm, "handle", "open data 7");
	unsigned int ro_handle = (unsigned int)vm_number(vm, "handle", "open data 3");
	unsigned long long rw, ro;
	uint32_t views = 0;

	rw = vm_number(vm, "place", "map %u %u 0 0", rw_handle, VMSECT_DEV_PROT_READWRITE);
	ro = vm_number(vm, "place", "map %u %u 0 0", ro_handle, VMSECT_DEV_PROT_READONLY);
	(void)vm_ok(vm, "w64 0x%llx 0x99", rw);
	assert_int_equal(vmsect_section_grant(section, &reader, VMSECT_GRANT_REVOKE_LIVE, &views),
			 0);
	assert_int_equal(views, 1);
	while (bed_count_views(bed, "vm") > 1)
		(void)vm_ok(vm, "ping");
	assert_true(vm_number(vm, "value", "r64 0x%llx", rw) == UINT64_MAX);
	assert_int_equal(vm_number(vm, "value", "r64 0x%llx", ro), 0x99);
	vm_refused(vm, VMSECT_S_EBADF, VMSECT_D_REVOKED, "query %u", rw_handle);
	(void)vm_ok(vm, "query %u", ro_handle);
	(void)vm_ok(vm, "close %u", rw_handle);
	vm_power_off(vm);
	(void)vmsect_section_close(section);
}

static int revoke_setup(void **state)
{
	(void)bed_setup(state);
	broker_fixture_open_to_all(&((struct bed *)*state)->broker);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_while_it_writes, revoke_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_whatever_the_driver, revoke_setup,
						bed_teardown),
		cmocka_unit_test_setup_teardown(test_narrowed, revoke_setup, bed_teardown),
	};
	int skipped = bed_begin(LIMIT_S);

	if (skipped)
		return skipped;
	if (getuid() != 0) {
		(void)printf("1..0 # SKIP needs root, to run a VM as another user\n");
		return 77;
	}
	return cmocka_run_group_tests_name("kvm revoke", tests, NULL, NULL);
}
