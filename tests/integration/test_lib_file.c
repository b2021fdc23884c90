/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Data files as such: what sections they have, truncating and removing them.
 */
#include "lib/client_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE UINT64_C(4096)

static off_t file_size(const struct box *box, const char *name)
{
	struct stat status;

	return stat(box_path(box, name), &status) < 0 ? -1 : status.st_size;
}

static void files_know_their_sections(void **state)
{
	struct box *box = *state;
	struct vmsect_client *client = box_connect(box, "test");
	struct vmsect_section *section = box_file_section(box, client, "x", 4 * PAGE), *reader;
	struct vmsect_view *view = box_map(section, VMSECT_PROT_READWRITE);
	struct vmsect_file_info info;

	assert_int_equal(vmsect_section_open(client, "x", VMSECT_ACCESS_READ, &reader), 0);
	assert_int_equal(vmsect_file_query(client, box_path(box, "x"), &info), 0);
	assert_int_equal(info.size_bytes, 4 * PAGE);
	assert_int_equal(info.sections, 1);
	assert_int_equal(info.handles, 2);
	assert_int_equal(info.views, 1);
	assert_int_equal(info.writers, 2);
	/* A lone view is still seen. */
	vmsect_section_close(reader);
	vmsect_section_close(section);
	assert_int_equal(vmsect_file_query(client, box_path(box, "x"), &info), 0);
	assert_int_equal(info.handles, 0);
	assert_int_equal(info.views, 1);
	assert_int_equal(info.writers, 1);
	vmsect_view_unmap(view);
	assert_int_equal(vmsect_file_query(client, box_path(box, "x"), &info), 0);
	assert_int_equal(info.sections + info.views + info.writers, 0);
	vmsect_client_free(client);
}

static void mapped_files_do_not_shrink(void **state)
{
	struct box *box = *state;
	struct vmsect_client *client = box_connect(box, "test");
	struct vmsect_section *section = box_file_section(box, client, "x", 4 * PAGE);
	struct vmsect_view *view = box_map(section, VMSECT_PROT_READONLY);

	assert_int_equal(vmsect_file_truncate(client, box_path(box, "x"), 4 * PAGE - 1), -ETXTBSY);
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_MAPPED);
	assert_int_equal(vmsect_file_truncate(client, box_path(box, "x"), 5 * PAGE), 0);
	assert_int_equal(file_size(box, "x"), 5 * PAGE);
	vmsect_section_close(section);
	/* The view suffices. */
	assert_int_equal(vmsect_file_truncate(client, box_path(box, "x"), 4 * PAGE), -ETXTBSY);
	assert_int_equal(vmsect_file_remove(client, box_path(box, "x")), -EBUSY);
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_MAPPED);
	assert_int_equal(file_size(box, "x"), 5 * PAGE);
	vmsect_view_unmap(view);
	assert_int_equal(vmsect_file_truncate(client, box_path(box, "x"), 100), 0);
	assert_int_equal(file_size(box, "x"), 100);
	assert_int_equal(vmsect_file_remove(client, box_path(box, "x")), 0);
	assert_int_equal(file_size(box, "x"), -1);
	vmsect_client_free(client);
}

static void only_regular_files(void **state)
{
	struct box *box = *state;
	struct vmsect_client *client = box_connect(box, "test");
	struct vmsect_file_info info = { .sections = POISON };
	char path[128], target[128];

	(void)snprintf(path, sizeof(path), "%s", box_path(box, "fifo"));
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(vmsect_file_query(client, path, &info), -ENODEV);
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_FILE);
	assert_int_equal(vmsect_file_truncate(client, path, 0), -ENODEV);
	assert_int_equal(vmsect_file_remove(client, path), -ENODEV);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(vmsect_file_query(client, box_path(box, "none"), &info), -ENOENT);
	assert_int_equal(vmsect_file_query(client, NULL, &info), -EINVAL);
	assert_int_equal(info.sections, POISON);
	/* A link is neither followed nor removed. */
	box_write_file(box, "target", 10);
	(void)snprintf(target, sizeof(target), "%s", box_path(box, "target"));
	(void)snprintf(path, sizeof(path), "%s", box_path(box, "link"));
	assert_int_equal(symlink(target, path), 0);
	assert_int_equal(vmsect_file_remove(client, path), -ELOOP);
	assert_int_equal(file_size(box, "target"), 10);
	assert_int_equal(unlink(path), 0);
	vmsect_client_free(client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(files_know_their_sections),
		TEST(mapped_files_do_not_shrink),
		TEST(only_regular_files),
	};

	return cmocka_run_group_tests_name("lib_file", tests, NULL, NULL);
}
