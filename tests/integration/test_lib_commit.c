/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RESERVE sections: pages are there once they are committed, for all views at
 * once, and nobody commits by touching.
 */
#include "lib/client_fixture.h"
#include "lib/huge_pages.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#define PAGE UINT64_C(4096)
#define HUGE_BYTES (UINT64_C(2) << 20)

static struct vmsect_section *reserve(struct vmsect_client *client, enum vmsect_backing backing,
				      uint64_t bytes)
{
	const struct vmsect_create_options options = {
		.size = sizeof(options),
		.name = "x",
		.backing = backing,
		.protection = VMSECT_PROT_READWRITE,
		.size_bytes = bytes,
		.flags = VMSECT_CREATE_RESERVE,
	};

	return box_create(client, &options);
}

static uint64_t committed_bytes(struct vmsect_section *section)
{
	struct vmsect_section_info info;

	assert_int_equal(vmsect_section_query(section, &info), 0);
	return info.committed_bytes;
}

static void check_commit(struct vmsect_client *client, struct vmsect_section *section)
{
	uint64_t page = UINT64_C(1) << vmsect_section_info(section)->page_shift;
	struct vmsect_view *one = box_map(section, VMSECT_PROT_READWRITE);
	struct vmsect_view *two = box_map(section, VMSECT_PROT_READONLY);
	struct vmsect_view *copy = box_map(section, VMSECT_PROT_WRITECOPY);
	volatile unsigned char *w = vmsect_view_address(one);
	const volatile unsigned char *r = vmsect_view_address(two);
	volatile unsigned char *c = vmsect_view_address(copy);
	struct vmsect_view_pages pages;
	struct vmsect_event event;

	assert_int_equal(box_load(w), -EFAULT);
	assert_int_equal(box_store(w, 1), -EFAULT);
	assert_int_equal(box_load(r), -EFAULT);
	assert_int_equal(box_store(c, 1), -EFAULT);
	assert_int_equal(committed_bytes(section), 0);
	/* Two pages, through a view that may not even write them. */
	assert_int_equal(vmsect_view_commit(two, page + 5, page, VMSECT_PROT_READONLY), 0);
	assert_int_equal(committed_bytes(section), 2 * page);
	event = box_wait_event_of(client, VMSECT_EVENT_COMMITTED);
	assert_int_equal(event.offset, page);
	assert_int_equal(event.length, 2 * page);
	assert_int_equal(box_load(r + page), 0);
	assert_int_equal(box_store(w + page, 7), 0);
	assert_int_equal(box_load(r + page), 7);
	assert_int_equal(box_store(c + page, 8), 0);
	assert_int_equal(box_load(r + page), 7);
	assert_int_equal(box_load(w), -EFAULT);
	assert_int_equal(box_load(w + 3 * page), -EFAULT);
	assert_int_equal(vmsect_view_query(one, 0, &pages), 0);
	assert_false(pages.is_committed);
	assert_int_equal(pages.length, page);
	assert_int_equal(vmsect_view_query(one, page, &pages), 0);
	assert_true(pages.is_committed);
	assert_int_equal(pages.length, 2 * page);
	/* Again is fine, and changes nothing. */
	assert_int_equal(vmsect_view_commit(one, page, page, 0), 0);
	assert_int_equal(box_load(w + page), 7);
	assert_int_equal(committed_bytes(section), 2 * page);
	vmsect_view_unmap(copy);
	vmsect_view_unmap(two);
	vmsect_view_unmap(one);
}

static void commit_on_shmem(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *section = reserve(client, VMSECT_BACKING_SHMEM, 8 * PAGE);

	check_commit(client, section);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

static struct huge_pages huge = HUGE_PAGES_NONE;

static int huge_teardown(void **state)
{
	huge_pages_give_back(&huge);
	return box_teardown(state);
}

static void commit_on_hugetlb(void **state)
{
	struct vmsect_client *client;
	struct vmsect_section *section;

	if (!huge_pages_take(&huge, 12))
		skip();
	client = box_connect(*state, "test");
	section = reserve(client, VMSECT_BACKING_HUGETLB, 4 * HUGE_BYTES);
	check_commit(client, section);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

static void commit_with_a_protection(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *section = reserve(client, VMSECT_BACKING_SHMEM, 8 * PAGE);
	struct vmsect_view *view = box_map(section, VMSECT_PROT_READWRITE);
	struct vmsect_view *reader = box_map(section, VMSECT_PROT_READONLY);
	volatile unsigned char *at = vmsect_view_address(view);

	assert_int_equal(vmsect_view_commit(view, 0, 2 * PAGE, VMSECT_PROT_READONLY), 0);
	assert_int_equal(box_store(at, 1), -EFAULT);
	assert_int_equal(box_load(at), 0);
	/* As it was mapped. */
	assert_int_equal(vmsect_view_commit(view, 0, PAGE, 0), 0);
	assert_int_equal(box_store(at, 1), 0);
	assert_int_equal(box_store(at + PAGE, 1), -EFAULT);
	/* What is not allowed commits nothing. */
	assert_int_equal(vmsect_view_commit(reader, 4 * PAGE, PAGE, VMSECT_PROT_READWRITE),
			 -EACCES);
	assert_int_equal(vmsect_view_commit(reader, 4 * PAGE, PAGE, (enum vmsect_protection)99),
			 -EINVAL);
	assert_int_equal(committed_bytes(section), 2 * PAGE);
	/* One page that is not committed, and all of it is refused. */
	assert_int_equal(vmsect_view_protect(view, 0, 3 * PAGE, VMSECT_PROT_NOACCESS, NULL),
			 -EINVAL);
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_COMMIT);
	assert_int_equal(box_load(at), 1);
	vmsect_view_unmap(reader);
	vmsect_view_unmap(view);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

static void commit_at_map_time(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *section = reserve(client, VMSECT_BACKING_SHMEM, 8 * PAGE);
	struct vmsect_map_options options = { .size = sizeof(options),
					      .protection = VMSECT_PROT_READWRITE,
					      .offset = 4 * PAGE,
					      .commit = PAGE + 1 };
	volatile unsigned char *at;
	struct vmsect_view *view;

	assert_int_equal(vmsect_view_map(section, &options, &view), 0);
	at = vmsect_view_address(view);
	assert_int_equal(box_store(at + PAGE, 3), 0);
	assert_int_equal(box_store(at + 2 * PAGE, 3), -EFAULT);
	assert_int_equal(committed_bytes(section), 2 * PAGE);
	vmsect_view_unmap(view);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

static void commits_that_are_refused(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *section = reserve(client, VMSECT_BACKING_SHMEM, 8 * PAGE);
	struct vmsect_section *file = box_file_section(*state, client, "file", 2 * PAGE);
	struct vmsect_view *view = box_map(section, VMSECT_PROT_READWRITE);
	struct vmsect_view *of_file = box_map(file, VMSECT_PROT_READWRITE);

	assert_int_equal(vmsect_view_commit(view, 0, 0, 0), -EINVAL);
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_RANGE);
	assert_int_equal(vmsect_view_commit(view, 8 * PAGE, 1, 0), -EEXIST);
	assert_int_equal(vmsect_view_commit(view, 0, 8 * PAGE + 1, 0), -EEXIST);
	assert_int_equal(vmsect_view_commit(of_file, 0, PAGE, 0), -EPERM);
	assert_int_equal(committed_bytes(section), 0);
	vmsect_view_unmap(of_file);
	vmsect_view_unmap(view);
	vmsect_section_close(file);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

static void the_default_is_the_librarys(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_create_options options = {
		.size = sizeof(options),
		.backing = VMSECT_BACKING_SHMEM,
		.protection = VMSECT_PROT_READWRITE,
		.size_bytes = PAGE,
		.flags = VMSECT_CREATE_EXACT,
	};
	struct vmsect_section *section = (void *)&options;

	assert_int_equal(vmsect_section_create(client, &options, &section), -EINVAL);
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_ATTR);
	options.flags = VMSECT_CREATE_COMMIT | VMSECT_CREATE_RESERVE;
	assert_int_equal(vmsect_section_create(client, &options, &section), -EINVAL);
	assert_ptr_equal(section, &options);
	options.flags = VMSECT_CREATE_EXACT | VMSECT_CREATE_RESERVE;
	section = box_create(client, &options);
	assert_int_equal(vmsect_section_info(section)->flags & VMSECT_SECTION_RESERVE,
			 VMSECT_SECTION_RESERVE);
	vmsect_section_close(section);
	options.flags = 0;
	section = box_create(client, &options);
	assert_int_equal(vmsect_section_info(section)->flags, 0);
	assert_int_equal(committed_bytes(section), PAGE);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(commit_on_shmem),
		cmocka_unit_test_setup_teardown(commit_on_hugetlb, box_setup, huge_teardown),
		TEST(commit_with_a_protection),
		TEST(commit_at_map_time),
		TEST(commits_that_are_refused),
		TEST(the_default_is_the_librarys),
	};

	return cmocka_run_group_tests_name("lib_commit", tests, NULL, NULL);
}
