/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What vmsect makes with its options of memory, and extend, flush and seal:
 * what they do, how it is listed, and what is said when they cannot.
 */
#include "lib/client_fixture.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CLI "vmsect"
#define PAGE UINT64_C(4096)

/* Runs it and wants success without a word. */
#define do_it(box, ...)                                                                            \
	do {                                                                                       \
		if (box_run(box, CLI, __VA_ARGS__) != 0)                                           \
			fail_msg("%s", (box)->err);                                                \
		assert_string_equal((box)->out, "");                                               \
		assert_string_equal((box)->err, "");                                               \
	} while (0)

/* Runs it and wants this failure, and only it. */
#define refused(box, words, ...)                                                                   \
	do {                                                                                       \
		assert_int_equal(box_run(box, CLI, __VA_ARGS__), 1);                               \
		assert_string_equal((box)->out, "");                                               \
		assert_string_equal((box)->err, "vmsect: " words "\n");                            \
	} while (0)

/* Wants this output. */
#define shows(box, text, ...)                                                                      \
	do {                                                                                       \
		assert_int_equal(box_run(box, CLI, __VA_ARGS__), 0);                               \
		assert_string_equal((box)->out, text);                                             \
	} while (0)

/* A broker with a page-file directory. */
static int setup_with_directory(void **state)
{
	const char *args[] = { "--page-file-dir", NULL, NULL };
	struct box *box;
	int r = box_setup_without_broker(state);

	if (r)
		return r;
	box = *state;
	args[1] = box->broker.folder;
	broker_fixture_start(&box->broker, args);
	return 0;
}

static void memory_of_all_kinds(void **state)
{
	struct box *box = *state;

	do_it(box, "create", "a", "--size", "16K", "--max-size", "1M", "--sealable");
	do_it(box, "create", "b", "--size", "1M", "--reserve");
	do_it(box, "create", "c", "--size", "64K", "--allocate", "--protection", "rwx");
	do_it(box, "create", "d", "--size", "5000", "--directory", "--max-size", "64K");
	shows(box,
	      "a shmem readwrite 16K 1M 16K permanent,sealable\n"
	      "b shmem readwrite 1M 1M 0B permanent,reserve\n"
	      "c shmem execute-readwrite 64K 64K 64K permanent\n"
	      "d directory readwrite 8K 64K 8K permanent\n",
	      "ls", "-rn", "-o", "NAME,BACKING,PROT,SIZE,MAX,COMMITTED,FLAGS");
	shows(box, "0\n0\n65536\n8192\n", "ls", "-rnb", "-o", "ALLOCATED");
}

static void files_to_execute(void **state)
{
	struct box *box = *state;
	char path[200];

	box_write_file(box, "program", 5000);
	(void)snprintf(path, sizeof(path), "%s", box_path(box, "program"));
	assert_int_equal(box_run(box, CLI, "create", "x", "--file", path, "--protection", "rx"), 1);
	assert_non_null(strstr(box->err, "may not execute the file"));
	assert_return_code(chmod(path, 0700), 0);
	do_it(box, "create", "x", "--file", path, "--protection", "rx");
	shows(box, "execute-read 5000  5000 permanent\n", "ls", "-rnb", "-o",
	      "PROT,SIZE,MAX,COMMITTED,FLAGS");
}

static void what_does_not_go_together(void **state)
{
	struct box *box = *state;

	refused(box, "cannot create section 'x': what is only reserved is not allocated", "create",
		"x", "--size", "4K", "--reserve", "--allocate");
	refused(box,
		"cannot create section 'x': sections of the page-file directory have all their "
		"pages",
		"create", "x", "--size", "4K", "--reserve", "--directory");
	refused(box, "cannot create section 'x': only shmem and hugetlb sections can be sealed",
		"create", "x", "--size", "4K", "--directory", "--sealable");
	refused(box, "cannot create section 'x': max_bytes are less than the section's size",
		"create", "x", "--size", "1M", "--max-size", "64K");
	shows(box, "", "ls");
}

static void no_directory(void **state)
{
	refused((struct box *)*state,
		"cannot create section 'x': this broker has no page-file directory; it has one "
		"with 'vmsectd --page-file-dir DIR'",
		"create", "x", "--size", "4K", "--directory");
}

static void memory_grows(void **state)
{
	struct box *box = *state;

	do_it(box, "create", "x", "--size", "16K", "--max-size", "64K");
	do_it(box, "extend", "x", "20000");
	shows(box, "20480 65536 20480 2\n", "ls", "-rnb", "-o", "SIZE,MAX,COMMITTED,GENERATION");
	do_it(box, "extend", "x", "4K"); /* never less */
	shows(box, "20480\n", "ls", "-rnb", "-o", "SIZE");
	refused(box,
		"cannot extend section 'x': the section was made to grow to 65536 bytes; memory "
		"grows up to the --max-size it was made with",
		"extend", "x", "1M");
	do_it(box, "create", "y", "--size", "16K");
	refused(box,
		"cannot extend section 'y': the section was not made to grow (max_bytes); memory "
		"grows up to the --max-size it was made with",
		"extend", "y", "1M");
	refused(box,
		"cannot open section 'z': there is no section 'z'; 'vmsect ls' lists those that "
		"there are",
		"extend", "z", "1M");
}

static void files_grow(void **state)
{
	struct box *box = *state;
	struct stat st;

	box_write_file(box, "data", 5000);
	do_it(box, "create", "x", "--file", box_path(box, "data"));
	do_it(box, "extend", "x", "10000");
	assert_return_code(stat(box_path(box, "data"), &st), 0);
	assert_int_equal(st.st_size, 10000);
	do_it(box, "create", "y", "--file", box_path(box, "data"), "--protection", "ro");
	refused(box, "cannot extend section 'y': the file is not to be written", "extend", "y",
		"20K");
	do_it(box, "create", "d", "--size", "4K", "--directory", "--max-size", "64K");
	do_it(box, "extend", "d", "64K");
	shows(box, "10000  10000\n10000  10000\n65536 65536 65536\n", "ls", "-rnb", "-o",
	      "SIZE,MAX,COMMITTED");
}

/* The one row of `vmsect views -J --output-all`; the root is to be freed. */
static json_t *view_row(struct box *box, json_t **ret_root)
{
	json_t *views;

	assert_int_equal(box_run(box, CLI, "views", "-J", "--output-all"), 0);
	*ret_root = json_loads(box->out, JSON_REJECT_DUPLICATES, NULL);
	views = json_object_get(*ret_root, "views");
	assert_int_equal(json_array_size(views), 1);
	return json_array_get(views, 0);
}

static void assert_view(struct box *box, json_int_t length, const char *now)
{
	json_t *root, *row = view_row(box, &root);

	assert_int_equal(json_integer_value(json_object_get(row, "length")), length);
	assert_int_equal(json_integer_value(json_object_get(row, "room")), 64 * 1024);
	assert_int_equal(json_integer_value(json_object_get(row, "private")), 0);
	assert_string_equal(json_string_value(json_object_get(row, "prot")), "readwrite");
	assert_string_equal(json_string_value(json_object_get(row, "now")), now);
	assert_true(json_is_null(json_object_get(row, "state")));
	json_decref(root);
}

static void a_view_grows_and_changes(void **state)
{
	struct vmsect_map_options how = { .size = sizeof(how),
					  .protection = VMSECT_PROT_READWRITE,
					  .flags = VMSECT_VIEW_GROWABLE };
	struct box *box = *state;
	struct vmsect_client *client = box_connect(box, "viewer");
	struct vmsect_section *section;
	struct vmsect_view *view;

	do_it(box, "create", "x", "--size", "16K", "--max-size", "64K");
	assert_int_equal(vmsect_section_open(client, "x", VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE,
					     &section),
			 0);
	assert_int_equal(vmsect_view_map(section, &how, &view), 0);
	assert_view(box, 16 * 1024, "readwrite");
	do_it(box, "extend", "x", "32K");
	assert_view(box, 32 * 1024, "readwrite");
	assert_int_equal(vmsect_view_protect(view, 0, PAGE, VMSECT_PROT_READONLY, NULL), 0);
	assert_view(box, 32 * 1024, "mixed");
	assert_int_equal(vmsect_view_protect(view, 0, 0, VMSECT_PROT_READONLY, NULL), 0);
	assert_view(box, 32 * 1024, "readonly");
	vmsect_view_unmap(view);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

static void committed_memory_is_shown(void **state)
{
	struct vmsect_map_options how = { .size = sizeof(how),
					  .protection = VMSECT_PROT_READWRITE,
					  .commit = 3 * PAGE };
	struct box *box = *state;
	struct vmsect_client *client = box_connect(box, "viewer");
	struct vmsect_section *section;
	struct vmsect_view *view;

	do_it(box, "create", "x", "--size", "64K", "--reserve");
	shows(box, "65536 0\n", "ls", "-rnb", "-o", "SIZE,COMMITTED");
	assert_int_equal(vmsect_section_open(client, "x", VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE,
					     &section),
			 0);
	assert_int_equal(vmsect_view_map(section, &how, &view), 0);
	shows(box, "65536 12288\n", "ls", "-rnb", "-o", "SIZE,COMMITTED");
	vmsect_view_unmap(view);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

static void everything_is_flushed(void **state)
{
	struct box *box = *state;

	box_write_file(box, "data", 5000);
	do_it(box, "create", "file", "--file", box_path(box, "data"));
	do_it(box, "create", "memory", "--size", "16K");
	do_it(box, "flush", "file");
	do_it(box, "flush", "file", "--start");
	do_it(box, "flush", "memory");
	shows(box, "\n\n", "ls", "-rn", "-o", "IO-ERROR");
	assert_int_equal(box_run(box, CLI, "flush", "none"), 1);
	assert_non_null(strstr(box->err, "there is no section 'none'; 'vmsect ls' lists"));
}

static void sealing_is_for_good(void **state)
{
	struct box *box = *state;

	do_it(box, "create", "x", "--size", "16K", "--max-size", "64K", "--sealable");
	do_it(box, "seal", "x");
	shows(box, "readonly permanent,sealable,sealed\n", "ls", "-rn", "-o", "PROT,FLAGS");
	/* Root can do no more than its owner: there is no hint. */
	refused(box,
		"cannot open section 'x': the section is sealed; it is neither written nor "
		"extended",
		"seal", "x");
	assert_int_equal(box_run(box, CLI, "extend", "x", "64K"), 1);
	assert_non_null(strstr(box->err, "section 'x': the section is sealed"));
	assert_null(strstr(box->err, "vmsect grant"));
	do_it(box, "create", "y", "--size", "16K");
	refused(box,
		"cannot seal section 'y': the section was not made to be sealed; only memory made "
		"with --sealable can be",
		"seal", "y");
}

static void a_writer_keeps_it_open(void **state)
{
	struct box *box = *state;
	struct vmsect_client *client = box_connect(box, "writer");
	struct vmsect_section *section;

	do_it(box, "create", "x", "--size", "16K", "--sealable");
	assert_int_equal(vmsect_section_open(client, "x", VMSECT_ACCESS_WRITE, &section), 0);
	assert_int_equal(box_run(box, CLI, "seal", "x"), 1);
	assert_non_null(strstr(box->err, "cannot seal section 'x': "));
	assert_non_null(strstr(box->err, "; 'vmsect show' tells who has it open\n"));
	vmsect_section_close(section);
	do_it(box, "seal", "x");
	vmsect_client_free(client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)
#define TEST_DIRECTORY(name)                                                                       \
	cmocka_unit_test_setup_teardown(name, setup_with_directory, box_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST_DIRECTORY(memory_of_all_kinds),
		TEST(files_to_execute),
		TEST_DIRECTORY(what_does_not_go_together),
		TEST(no_directory),
		TEST(memory_grows),
		TEST_DIRECTORY(files_grow),
		TEST(a_view_grows_and_changes),
		TEST(committed_memory_is_shown),
		TEST(everything_is_flushed),
		TEST(sealing_is_for_good),
		TEST(a_writer_keeps_it_open),
	};

	return cmocka_run_group_tests_name("cli_size", tests, NULL, NULL);
}
