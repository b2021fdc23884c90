/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sections that grow, and the views that grow with them.
 */
#include "lib/client_fixture.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>

#define PAGE UINT64_C(4096)

static struct vmsect_section *growing(struct vmsect_client *client, uint64_t bytes, uint64_t most)
{
	const struct vmsect_create_options options = {
		.size = sizeof(options),
		.name = "x",
		.backing = VMSECT_BACKING_SHMEM,
		.protection = VMSECT_PROT_READWRITE,
		.size_bytes = bytes,
		.max_bytes = most,
	};

	return box_create(client, &options);
}

static struct vmsect_view *map_growable(struct vmsect_section *section, uint64_t room)
{
	const struct vmsect_map_options options = {
		.size = sizeof(options),
		.protection = VMSECT_PROT_READWRITE,
		.flags = VMSECT_VIEW_GROWABLE,
		.room = room,
	};
	struct vmsect_view *view = NULL;

	assert_int_equal(vmsect_view_map(section, &options, &view), 0);
	return view;
}

static void page_file_sections_grow_to_their_bound(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *section = growing(client, 2 * PAGE, 8 * PAGE);
	struct vmsect_section *fixed = box_section(client, "fixed", PAGE);
	struct vmsect_section_info info;
	uint64_t size = POISON;

	assert_int_equal(vmsect_section_info(section)->max_bytes, 8 * PAGE);
	assert_int_equal(vmsect_section_extend(fixed, 2 * PAGE, &size), -EOPNOTSUPP);
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_EXTEND);
	assert_int_equal(vmsect_section_extend(section, 8 * PAGE + 1, &size), -EFBIG);
	assert_int_equal(size, POISON);
	assert_int_equal(vmsect_section_extend(section, PAGE, &size), 0);
	assert_int_equal(size, 2 * PAGE);
	assert_int_equal(vmsect_section_extend(section, 3 * PAGE + 1, &size), 0);
	assert_int_equal(size, 4 * PAGE);
	assert_int_equal(vmsect_section_extend(section, 8 * PAGE, NULL), 0);
	assert_int_equal(vmsect_section_query(section, &info), 0);
	assert_int_equal(info.size_bytes, 8 * PAGE);
	assert_int_equal(info.committed_bytes, 8 * PAGE);
	assert_int_equal(vmsect_section_info(section)->size_bytes, 2 * PAGE);
	vmsect_section_close(fixed);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

/* One client extends, the views of another grow when it hears of it. */
static void views_grow_in_place(void **state)
{
	struct vmsect_client *one = box_connect(*state, "one"), *two = box_connect(*state, "two");
	struct vmsect_section *section = growing(one, 2 * PAGE, 8 * PAGE), *opened;
	struct vmsect_view *writer = map_growable(section, 0), *reader, *fixed, *small;
	volatile unsigned char *w = vmsect_view_address(writer);
	const volatile unsigned char *r;
	struct vmsect_view_info *list;
	struct vmsect_event event;
	size_t count, i;

	assert_int_equal(
		vmsect_section_open(two, "x", VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE, &opened),
		0);
	reader = map_growable(opened, 0);
	small = map_growable(opened, 3 * PAGE);
	fixed = box_map(opened, VMSECT_PROT_READONLY);
	r = vmsect_view_address(reader);
	assert_int_equal(vmsect_view_length(writer), 2 * PAGE);
	assert_int_equal(box_load(r + 2 * PAGE), -EFAULT);
	assert_int_equal(vmsect_section_extend(section, 5 * PAGE, NULL), 0);
	/* Who asked need not wait. */
	assert_int_equal(vmsect_view_length(writer), 5 * PAGE);
	assert_int_equal(box_store(w + 4 * PAGE, 'g'), 0);
	event = box_wait_event_of(two, VMSECT_EVENT_RESIZED);
	assert_int_equal(event.value, 5 * PAGE);
	assert_int_equal(event.section_id, vmsect_section_info(section)->id);
	assert_int_equal(vmsect_view_length(reader), 5 * PAGE);
	assert_int_equal(vmsect_view_length(small), 3 * PAGE);
	assert_int_equal(vmsect_view_length(fixed), 2 * PAGE);
	assert_int_equal(box_load(r + 4 * PAGE), 'g');
	assert_int_equal(box_load(r + 5 * PAGE), -EFAULT);
	assert_int_equal(vmsect_list_views(one, 0, &list, &count), 0);
	assert_int_equal(count, 4);
	for (i = 0; i < count; i++) {
		if (list[i].id == vmsect_view_id(small))
			assert_int_equal(list[i].length, 3 * PAGE);
		if (list[i].id != vmsect_view_id(reader))
			continue;
		assert_int_equal(list[i].length, 5 * PAGE);
		assert_int_equal(list[i].room, 8 * PAGE);
		assert_int_equal(list[i].flags, VMSECT_VIEW_GROWABLE);
	}
	free(list);
	vmsect_view_unmap(fixed);
	vmsect_view_unmap(small);
	vmsect_view_unmap(reader);
	vmsect_view_unmap(writer);
	vmsect_section_close(opened);
	vmsect_section_close(section);
	vmsect_client_free(two);
	vmsect_client_free(one);
}

static void files_grow_on_the_disk(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *section = box_file_section(*state, client, "file", PAGE + 100);
	struct vmsect_view *view = map_growable(section, 16 * PAGE);
	volatile unsigned char *at = vmsect_view_address(view);
	struct stat status;
	uint64_t size = POISON;

	assert_int_equal(vmsect_view_length(view), 2 * PAGE);
	assert_int_equal(vmsect_section_extend(section, 9 * PAGE + 1, &size), 0);
	assert_int_equal(size, 9 * PAGE + 1);
	assert_int_equal(vmsect_view_length(view), 10 * PAGE);
	assert_int_equal(box_load(at), box_byte(0));
	assert_int_equal(box_store(at + 9 * PAGE, 'e'), 0);
	assert_int_equal(stat(box_path(*state, "file"), &status), 0);
	assert_int_equal(status.st_size, 9 * PAGE + 1);
	assert_true((uint64_t)status.st_blocks * 512 >= 9 * PAGE);
	vmsect_view_unmap(view);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

static void rights_to_extend(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *section = growing(client, PAGE, 4 * PAGE), *reader;
	struct vmsect_map_options options = { .size = sizeof(options),
					      .protection = VMSECT_PROT_READONLY,
					      .flags = VMSECT_VIEW_GROWABLE,
					      .length = PAGE,
					      .room = PAGE / 2 };
	struct vmsect_view *view;

	assert_int_equal(vmsect_section_open(client, "x", VMSECT_ACCESS_READ, &reader), 0);
	assert_int_equal(vmsect_section_extend(reader, 2 * PAGE, NULL), -EPERM);
	/* Room is rounded up; what is less than the view is refused. */
	assert_int_equal(vmsect_view_map(reader, &options, &view), 0);
	vmsect_view_unmap(view);
	options.length = 0;
	assert_int_equal(vmsect_section_extend(section, 2 * PAGE, NULL), 0);
	assert_int_equal(vmsect_view_map(reader, &options, &view), -EINVAL);
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_VIEW_SIZE);
	/* No addresses for that much: refused, with no view left behind. */
	options.room = UINT64_C(1) << 62;
	assert_true(vmsect_view_map(reader, &options, &view) < 0);
	vmsect_section_close(reader);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(page_file_sections_grow_to_their_bound),
		TEST(views_grow_in_place),
		TEST(files_grow_on_the_disk),
		TEST(rights_to_extend),
	};

	return cmocka_run_group_tests_name("lib_extend", tests, NULL, NULL);
}
