/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The overlay of a writecopy view: listed, dropped, published.
 */
#include "lib/client_fixture.h"
#include "lib/huge_pages.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define PAGE UINT64_C(4096)
#define HUGE_BYTES (UINT64_C(2) << 20)

static void assert_diff(struct vmsect_view *view, const struct vmsect_range *ranges, size_t count)
{
	struct vmsect_range *list = NULL;
	size_t found = POISON, i;

	assert_int_equal(vmsect_view_diff(view, &list, &found), 0);
	assert_int_equal(found, count);
	for (i = 0; i < count; i++) {
		assert_int_equal(list[i].offset, ranges[i].offset);
		assert_int_equal(list[i].length, ranges[i].length);
	}
	free(list);
}

/* Four pages or more of `page` bytes. */
static void check_overlay(struct vmsect_section *section, uint64_t page)
{
	struct vmsect_view *shared = box_map(section, VMSECT_PROT_READWRITE);
	struct vmsect_view *view = box_map(section, VMSECT_PROT_WRITECOPY);
	volatile unsigned char *w = vmsect_view_address(shared), *c = vmsect_view_address(view);
	uint64_t i;

	for (i = 0; i < 4; i++)
		w[i * page] = (unsigned char)('a' + i);
	assert_diff(view, NULL, 0);
	assert_diff(shared, NULL, 0);
	c[0] = 'A';
	c[2 * page] = 'C';
	c[4 * page - 1] = 'D';
	assert_diff(view, (struct vmsect_range[]){ { 0, page }, { 2 * page, 2 * page } }, 2);
	assert_diff(shared, NULL, 0);
	/* What is read ahead is not copied. */
	assert_int_equal(vmsect_view_prefetch(view, 0, 0), 0);
	assert_diff(view, (struct vmsect_range[]){ { 0, page }, { 2 * page, 2 * page } }, 2);
	assert_int_equal(vmsect_view_reset(view, 2 * page + 5, 1), 0);
	assert_int_equal(c[2 * page], 'c');
	assert_int_equal(c[0], 'A');
	w[2 * page] = 'x';
	assert_int_equal(c[2 * page], 'x');
	assert_diff(view, (struct vmsect_range[]){ { 0, page }, { 3 * page, page } }, 2);
	assert_int_equal(vmsect_view_publish(view, section), 0);
	assert_diff(view, NULL, 0);
	assert_int_equal(w[0], 'A');
	assert_int_equal(w[page], 'b');
	assert_int_equal(w[2 * page], 'x');
	assert_int_equal(w[4 * page - 1], 'D');
	/* Live again. */
	w[0] = 'n';
	assert_int_equal(c[0], 'n');
	c[page] = 'P';
	assert_int_equal(vmsect_view_reset(view, 0, 0), 0);
	assert_int_equal(c[page], 'b');
	assert_int_equal(vmsect_view_reset(shared, 0, 0), 0);
	assert_int_equal(w[0], 'n');
	vmsect_view_unmap(view);
	vmsect_view_unmap(shared);
}

static void overlay_of_shmem(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *section = box_section(client, "x", 4 * PAGE);

	check_overlay(section, PAGE);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

static void overlay_of_a_file(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *section = box_file_section(*state, client, "x", 4 * PAGE);

	check_overlay(section, PAGE);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

static struct huge_pages huge = HUGE_PAGES_NONE;

static int huge_teardown(void **state)
{
	huge_pages_give_back(&huge);
	return box_teardown(state);
}

static void overlay_of_huge_pages(void **state)
{
	struct vmsect_create_options options = {
		.size = sizeof(options),
		.backing = VMSECT_BACKING_HUGETLB,
		.protection = VMSECT_PROT_READWRITE,
		.size_bytes = 4 * HUGE_BYTES,
	};
	struct vmsect_section *section;
	struct vmsect_client *client;

	if (!huge_pages_take(&huge, 12))
		skip();
	client = box_connect(*state, "test");
	section = box_create(client, &options);
	check_overlay(section, HUGE_BYTES);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

/* The file ends in the middle of a page, and does so after it was published. */
static void publish_to_the_last_byte(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *section = box_file_section(*state, client, "x", 2 * PAGE + 10);
	struct vmsect_view *view = box_map(section, VMSECT_PROT_WRITECOPY);
	volatile unsigned char *at = vmsect_view_address(view);
	FILE *file;

	at[2 * PAGE + 9] = 'l';
	at[2 * PAGE + 10] = 'm';
	assert_int_equal(vmsect_view_publish(view, section), 0);
	assert_diff(view, NULL, 0);
	file = fopen(box_path(*state, "x"), "re");
	assert_non_null(file);
	assert_int_equal(fseek(file, 2 * PAGE + 8, SEEK_SET), 0);
	assert_int_equal(fgetc(file), box_byte(2 * PAGE + 8));
	assert_int_equal(fgetc(file), 'l');
	assert_int_equal(fgetc(file), EOF);
	(void)fclose(file);
	vmsect_view_unmap(view);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

/* Private pages are published whatever their protection is by now, and a view's offset counts. */
static void publish_pages_of_all_protections(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *section = box_section(client, "x", 16 * PAGE);
	struct vmsect_view *shared = box_map(section, VMSECT_PROT_READWRITE);
	struct vmsect_map_options options = { .size = sizeof(options),
					      .protection = VMSECT_PROT_READWRITE,
					      .offset = 8 * PAGE };
	volatile unsigned char *w = vmsect_view_address(shared), *at;
	struct vmsect_view *view;
	uint64_t i;

	assert_int_equal(vmsect_view_map(section, &options, &view), 0);
	at = vmsect_view_address(view);
	assert_int_equal(vmsect_view_protect(view, 0, 0, VMSECT_PROT_WRITECOPY, NULL), 0);
	for (i = 0; i < 6; i++)
		at[i * PAGE] = (unsigned char)('0' + i);
	assert_int_equal(vmsect_view_protect(view, PAGE, PAGE, VMSECT_PROT_NOACCESS, NULL), 0);
	assert_int_equal(vmsect_view_protect(view, 2 * PAGE, PAGE, VMSECT_PROT_READONLY, NULL), 0);
	assert_int_equal(vmsect_view_protect(view, 3 * PAGE, PAGE, VMSECT_PROT_READWRITE, NULL), 0);
	assert_diff(view, (struct vmsect_range[]){ { 0, 6 * PAGE } }, 1);
	assert_int_equal(vmsect_view_publish(view, section), 0);
	for (i = 0; i < 6; i++)
		assert_int_equal(w[(8 + i) * PAGE], '0' + i);
	assert_int_equal(w[0], 0);
	assert_diff(view, NULL, 0);
	assert_int_equal(box_load(at + PAGE), -EFAULT);
	assert_int_equal(box_store(at + 2 * PAGE, 1), -EFAULT);
	/* The one that was RW by then is shared again. */
	at[3 * PAGE] = 'z';
	assert_int_equal(w[11 * PAGE], 'z');
	vmsect_view_unmap(view);
	vmsect_view_unmap(shared);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

static void publishing_that_is_refused(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *section = box_section(client, "x", 4 * PAGE);
	struct vmsect_section *other = box_section(client, "y", 4 * PAGE), *reader;
	struct vmsect_view *view = box_map(section, VMSECT_PROT_WRITECOPY);
	volatile unsigned char *at = vmsect_view_address(view);

	at[0] = 'p';
	assert_int_equal(vmsect_section_open(client, "x", VMSECT_ACCESS_READ, &reader), 0);
	assert_int_equal(vmsect_view_publish(view, reader), -EPERM);
	assert_int_equal(vmsect_view_publish(view, other), -EINVAL);
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_HANDLE);
	assert_int_equal(at[0], 'p');
	assert_diff(view, (struct vmsect_range[]){ { 0, PAGE } }, 1);
	assert_int_equal(vmsect_view_reset(view, 4 * PAGE, 0), -EINVAL);
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_RANGE);
	assert_int_equal(vmsect_view_reset(view, PAGE, 4 * PAGE), -EINVAL);
	assert_int_equal(vmsect_view_prefetch(view, PAGE, 4 * PAGE), -EINVAL);
	vmsect_view_unmap(view);
	vmsect_section_close(reader);
	vmsect_section_close(other);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(overlay_of_shmem),
		TEST(overlay_of_a_file),
		cmocka_unit_test_setup_teardown(overlay_of_huge_pages, box_setup, huge_teardown),
		TEST(publish_to_the_last_byte),
		TEST(publish_pages_of_all_protections),
		TEST(publishing_that_is_refused),
	};

	return cmocka_run_group_tests_name("lib_cow", tests, NULL, NULL);
}
