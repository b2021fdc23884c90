/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmsect_section_publish(): bytes into a section, all or nothing; and sealing,
 * after which nobody publishes any more.
 */
#include "lib/client_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGE UINT64_C(4096)

static void patches_arrive_together(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *section = box_section(client, "x", 8 * PAGE);
	struct vmsect_view *view = box_map(section, VMSECT_PROT_READONLY);
	const volatile unsigned char *at = vmsect_view_address(view);
	unsigned char *bytes = malloc(3 * PAGE);
	struct vmsect_patch patches[] = {
		{ .offset = PAGE, .length = PAGE, .bytes = bytes },
		{ .offset = 3 * PAGE, .length = 2 * PAGE, .bytes = bytes + PAGE },
	};

	assert_non_null(bytes);
	memset(bytes, '1', PAGE);
	memset(bytes + PAGE, '2', 2 * PAGE);
	assert_int_equal(vmsect_section_publish(section, patches, 2, NULL), 0);
	assert_int_equal(at[0], 0);
	assert_int_equal(at[PAGE], '1');
	assert_int_equal(at[2 * PAGE], 0);
	assert_int_equal(at[3 * PAGE], '2');
	assert_int_equal(at[5 * PAGE - 1], '2');
	assert_int_equal(at[5 * PAGE], 0);
	free(bytes);
	vmsect_view_unmap(view);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

static void bad_patches_are_refused(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *section = box_section(client, "x", 4 * PAGE), *reader;
	unsigned char *bytes = calloc(2, PAGE);
	struct vmsect_patch patches[2] = {
		{ .offset = PAGE, .length = PAGE, .bytes = bytes },
		{ .offset = 2 * PAGE, .length = PAGE, .bytes = bytes },
	};

	assert_non_null(bytes);
#define REFUSED(count, status)                                                                     \
	assert_int_equal(vmsect_section_publish(section, patches, count, NULL), status)
	REFUSED(0, -EINVAL);
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_RANGE);
	patches[1].offset = PAGE; /* twice the same */
	REFUSED(2, -EINVAL);
	patches[1].offset = 0; /* not ascending */
	REFUSED(2, -EINVAL);
	patches[1].offset = 4 * PAGE; /* past the end */
	REFUSED(2, -EINVAL);
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_RANGE);
	patches[1].offset = 2 * PAGE + 1; /* no page */
	REFUSED(2, -EINVAL);
	patches[1].offset = 2 * PAGE;
	patches[1].length = PAGE - 1;
	REFUSED(2, -EINVAL);
	patches[1].length = UINT64_MAX;
	REFUSED(2, -EINVAL);
	patches[1].length = 0;
	REFUSED(2, -EINVAL);
	patches[1].length = PAGE;
	patches[1].bytes = (const void *)1;
	REFUSED(2, -EFAULT);
#undef REFUSED
	assert_int_equal(vmsect_section_open(client, "x", VMSECT_ACCESS_READ, &reader), 0);
	assert_int_equal(vmsect_section_publish(reader, patches, 1, NULL), -EPERM);
	free(bytes);
	vmsect_section_close(reader);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

/* A handle may have the right to write, which is worth nothing then. */
static void a_readonly_section_stays(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	const struct vmsect_create_options options = {
		.size = sizeof(options),
		.name = "x",
		.backing = VMSECT_BACKING_SHMEM,
		.protection = VMSECT_PROT_READONLY,
		.size_bytes = PAGE,
		.access = VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE,
	};
	struct vmsect_section *section = box_create(client, &options);
	struct vmsect_view *view = box_map(section, VMSECT_PROT_WRITECOPY);
	volatile unsigned char *at = vmsect_view_address(view);
	unsigned char *bytes = calloc(1, PAGE);
	const struct vmsect_patch patch = { .length = PAGE, .bytes = bytes };

	assert_non_null(bytes);
	bytes[0] = 'w';
	assert_int_equal(vmsect_section_publish(section, &patch, 1, NULL), -EACCES);
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_PROTECTION);
	assert_int_equal(at[0], 0);
	at[0] = 'w';
	assert_int_equal(vmsect_view_publish(view, section), -EACCES);
	free(bytes);
	vmsect_view_unmap(view);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

static void a_sealed_section(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_create_options options = {
		.size = sizeof(options),
		.name = "x",
		.backing = VMSECT_BACKING_SHMEM,
		.protection = VMSECT_PROT_READWRITE,
		.size_bytes = PAGE,
		.flags = VMSECT_CREATE_SEALABLE,
		.access = VMSECT_ACCESS_ALL & ~VMSECT_ACCESS_EXECUTE,
	};
	struct vmsect_section *section = box_create(client, &options), *other;
	struct vmsect_section *plain = box_section(client, "plain", PAGE);
	unsigned char *bytes = calloc(1, PAGE);
	struct vmsect_patch patch = { .offset = 0, .length = PAGE, .bytes = bytes };
	struct vmsect_view *writer = box_map(section, VMSECT_PROT_READWRITE);
	struct vmsect_view *reader = box_map(section, VMSECT_PROT_READONLY);
	struct vmsect_section_info info;
	struct vmsect_view *snapshot;

	assert_non_null(bytes);
	*(volatile char *)vmsect_view_address(writer) = 's';
	assert_int_equal(vmsect_section_seal(plain), -EPERM); /* it has no GRANT */
	assert_int_equal(vmsect_section_seal(section), -EBUSY);
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_WRITERS);
	assert_true(vmsect_section_access(section) & VMSECT_ACCESS_WRITE);
	vmsect_view_unmap(writer);
	/* A reader through this writable handle does not hinder. */
	assert_int_equal(vmsect_section_seal(section), 0);
	assert_int_equal(
		vmsect_section_access(section) & (VMSECT_ACCESS_WRITE | VMSECT_ACCESS_EXTEND), 0);
	assert_int_equal(vmsect_section_query(section, &info), 0);
	assert_true(info.flags & VMSECT_SECTION_SEALED);
	assert_int_equal(vmsect_section_publish(section, &patch, 1, NULL), -EPERM);
	assert_true(box_try_map(section, VMSECT_PROT_READWRITE) < 0);
	assert_int_equal(vmsect_section_open(client, "x", VMSECT_ACCESS_WRITE, &other), -EACCES);
	assert_int_equal(box_load(vmsect_view_address(reader)), 's');
	snapshot = box_map(section, VMSECT_PROT_WRITECOPY);
	assert_int_equal(box_store(vmsect_view_address(snapshot), 't'), 0);
	assert_int_equal(box_load(vmsect_view_address(reader)), 's');
	free(bytes);
	vmsect_view_unmap(snapshot);
	vmsect_view_unmap(reader);
	vmsect_section_close(plain);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(patches_arrive_together),
		TEST(bad_patches_are_refused),
		TEST(a_readonly_section_stays),
		TEST(a_sealed_section),
	};

	return cmocka_run_group_tests_name("lib_publish", tests, NULL, NULL);
}
