/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Handles through libvmsect, against a real broker: every documented refusal,
 * then what works.
 */
#include "lib/client_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define NO_SECTION ((struct vmsect_section *)(uintptr_t)0xdead)

static struct vmsect_create_options shmem(const char *name)
{
	return (struct vmsect_create_options){
		.size = sizeof(struct vmsect_create_options),
		.name = name,
		.backing = VMSECT_BACKING_SHMEM,
		.protection = VMSECT_PROT_READWRITE,
		.size_bytes = 4096,
	};
}

static struct vmsect_create_options file(const char *path)
{
	struct vmsect_create_options options = shmem("data");

	options.backing = VMSECT_BACKING_FILE;
	options.path = path;
	options.size_bytes = 0;
	return options;
}

/* Creation fails with `r` and `detail`, says why, and leaves *ret_section alone. */
static void assert_refused(struct vmsect_client *client, struct vmsect_create_options options,
			   int r, uint32_t detail)
{
	struct vmsect_section *section = NO_SECTION;

	assert_int_equal(vmsect_section_create(client, &options, &section), r);
	assert_ptr_equal(section, NO_SECTION);
	assert_int_equal(vmsect_client_detail(client), detail);
	assert_true(strlen(vmsect_client_error(client)) > 0);
}

static void create_refuses_bad_options(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_create_options options;

	options = shmem("x");
	options.size = 0;
	assert_refused(client, options, -EINVAL, VMSECT_DETAIL_FORMAT);
	options = shmem("x");
	options.protection = VMSECT_PROT_NOACCESS;
	assert_refused(client, options, -EINVAL, VMSECT_DETAIL_PROTECTION);
	options.protection = 77;
	assert_refused(client, options, -EINVAL, VMSECT_DETAIL_PROTECTION);
	options = shmem("x");
	options.size_bytes = 0;
	assert_refused(client, options, -EINVAL, VMSECT_DETAIL_SIZE);
	options = shmem("x");
	options.backing = 9;
	assert_refused(client, options, -EINVAL, VMSECT_DETAIL_ATTR);
	options = shmem("x");
	options.flags = 0x100;
	assert_refused(client, options, -EINVAL, VMSECT_DETAIL_ATTR);
	options = shmem("x");
	options.path = "/etc/passwd";
	assert_refused(client, options, -EINVAL, VMSECT_DETAIL_ATTR);
	options = file(NULL);
	assert_refused(client, options, -EINVAL, VMSECT_DETAIL_ATTR);
	options = shmem("x");
	options.access = 0x80;
	assert_refused(client, options, -EINVAL, VMSECT_DETAIL_ACCESS);
	vmsect_client_free(client);
}

static void create_refuses_bad_names(void **state)
{
	static const char *const names[] = {
		"", "a/b", ".a", "-a", "a b", "ctl", "a\n", "\xc3\xa9"
	};
	struct vmsect_client *client = box_connect(*state, "test");
	char name[130];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_refused(client, shmem(names[i]), -EINVAL, VMSECT_DETAIL_NAME);
	memset(name, 'a', sizeof(name));
	name[128] = 0;
	assert_refused(client, shmem(name), -EINVAL, VMSECT_DETAIL_NAME);
	name[127] = 0;
	vmsect_section_close(box_section(client, name, 4096));
	vmsect_client_free(client);
}

static void create_refuses_what_is_no_file(void **state)
{
	struct box *box = *state;
	struct vmsect_client *client = box_connect(box, "test");

	assert_refused(client, file("/nonexistent"), -ENOENT, VMSECT_DETAIL_FILE);
	assert_refused(client, file("/dev/null"), -ENODEV, VMSECT_DETAIL_FILE);
	assert_refused(client, file("/"), -ENODEV, VMSECT_DETAIL_FILE);
	assert_refused(client, file(box->broker.socket_path), -ENODEV, VMSECT_DETAIL_FILE);
	assert_return_code(mkfifo(box_path(box, "fifo"), 0600), errno);
	assert_refused(client, file(box_path(box, "fifo")), -ENODEV, VMSECT_DETAIL_FILE);
	vmsect_client_free(client);
}

static void create_refuses_file_sizes(void **state)
{
	struct box *box = *state;
	struct vmsect_client *client = box_connect(box, "test");
	struct vmsect_section *section = NO_SECTION;
	struct vmsect_create_options options;

	box_write_file(box, "empty", 0);
	options = file(box_path(box, "empty"));
	assert_int_equal(vmsect_section_create(client, &options, &section), -ENODATA);
	box_write_file(box, "data", 5000);
	options = file(box_path(box, "data"));
	options.protection = VMSECT_PROT_READONLY;
	options.size_bytes = 5001;
	assert_int_equal(vmsect_section_create(client, &options, &section), -EFBIG);
	assert_ptr_equal(section, NO_SECTION);
	vmsect_client_free(client);
}

static void create_refuses_without_descriptors(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct rlimit limit, none;

	assert_return_code(getrlimit(RLIMIT_NOFILE, &limit), errno);
	none = limit;
	none.rlim_cur = 0;
	assert_return_code(setrlimit(RLIMIT_NOFILE, &none), errno);
	assert_refused(client, shmem("x"), -EMFILE, VMSECT_DETAIL_NONE);
	assert_return_code(setrlimit(RLIMIT_NOFILE, &limit), errno);
	/* The connection has not suffered. */
	vmsect_section_close(box_section(client, "x", 4096));
	vmsect_client_free(client);
}

static void create_makes_what_was_asked(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *section = box_section(client, "x", 0x123);
	const struct vmsect_section_info *info = vmsect_section_info(section);

	assert_string_equal(info->name, "x");
	assert_int_equal(info->size_bytes, 0x1000);
	assert_int_equal(info->backing, VMSECT_BACKING_SHMEM);
	assert_int_equal(info->protection, VMSECT_PROT_READWRITE);
	assert_int_equal(info->mode, 0600);
	assert_int_equal(info->page_shift, 12);
	assert_int_equal(info->uid, geteuid());
	assert_int_equal(fcntl(vmsect_section_fd(section), F_GETFL) & O_ACCMODE, O_RDWR);
	assert_true(fcntl(vmsect_section_fd(section), F_GETFD) & FD_CLOEXEC);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

static void file_section_keeps_its_bytes(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *section = box_file_section(*state, client, "data", 5000);

	assert_int_equal(vmsect_section_info(section)->size_bytes, 5000);
	assert_string_equal(vmsect_section_info(section)->path, box_path(*state, "data"));
	vmsect_section_close(section);
	vmsect_client_free(client);
}

static void file_section_extends_its_file(void **state)
{
	struct box *box = *state;
	struct vmsect_client *client = box_connect(box, "test");
	struct vmsect_section *section;
	struct vmsect_create_options options;
	struct stat status;

	box_write_file(box, "data", 5000);
	options = file(box_path(box, "data"));
	options.size_bytes = 10000;
	assert_int_equal(vmsect_section_create(client, &options, &section), 0);
	assert_return_code(stat(box_path(box, "data"), &status), errno);
	assert_int_equal(status.st_size, 10000);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

static void existing_names(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *first = box_section(client, "x", 8192);
	struct vmsect_create_options options = shmem("x");
	struct vmsect_section *second = NO_SECTION;

	assert_refused(client, options, -EEXIST, VMSECT_DETAIL_NAME);
	options.flags = VMSECT_CREATE_OPEN_IF;
	assert_int_equal(vmsect_section_create(client, &options, &second), 1);
	assert_int_equal(vmsect_section_info(second)->size_bytes, 8192);
	assert_int_equal(vmsect_section_info(second)->id, vmsect_section_info(first)->id);
	vmsect_section_close(first);
	vmsect_section_close(second);
	/* The name went with the last handle. */
	assert_int_equal(vmsect_section_create(client, &options, &second), 0);
	assert_int_equal(vmsect_section_info(second)->size_bytes, 4096);
	vmsect_section_close(second);
	vmsect_client_free(client);
}

static void open_refuses(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_create_options options = shmem("ro");
	struct vmsect_section *keep, *section = NO_SECTION;

	options.protection = VMSECT_PROT_READONLY;
	assert_int_equal(vmsect_section_create(client, &options, &keep), 0);
	assert_int_equal(vmsect_section_open(client, "none", VMSECT_ACCESS_READ, &section),
			 -ENOENT);
	assert_int_equal(vmsect_section_open(client, "a/b", VMSECT_ACCESS_READ, &section), -EINVAL);
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_NAME);
	assert_int_equal(vmsect_section_open(client, NULL, VMSECT_ACCESS_READ, &section), -EINVAL);
	assert_int_equal(vmsect_section_open(client, "ro", 0, &section), -EINVAL);
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_ACCESS);
	assert_ptr_equal(section, NO_SECTION);
	vmsect_section_close(keep);
	vmsect_client_free(client);
}

static void descriptors_are_no_more_than_the_handle(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *keep = box_file_section(*state, client, "x", 4096);
	struct vmsect_section *section;
	int fd;

	assert_int_equal(vmsect_section_open(client, "x", VMSECT_ACCESS_READ, &section), 0);
	fd = vmsect_section_fd(section);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(vmsect_section_access(section), VMSECT_ACCESS_READ);
	vmsect_section_close(section);
	assert_int_equal(vmsect_section_open(client, "x", VMSECT_ACCESS_QUERY, &section), 0);
	assert_int_equal(vmsect_section_fd(section), -1);
	vmsect_section_close(section);
	vmsect_section_close(keep);
	vmsect_client_free(client);
}

static void query_needs_its_right(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *keep = box_section(client, "x", 4096);
	struct vmsect_section_info info = { .handles = 77 };
	struct vmsect_section *section;

	assert_int_equal(vmsect_section_open(client, "x", VMSECT_ACCESS_READ, &section), 0);
	assert_int_equal(vmsect_section_query(section, &info), -EPERM);
	assert_int_equal(info.handles, 77);
	assert_int_equal(vmsect_section_query(keep, &info), 0);
	assert_int_equal(info.handles, 2);
	vmsect_section_close(section);
	assert_int_equal(vmsect_section_query(keep, &info), 0);
	assert_int_equal(info.handles, 1);
	vmsect_section_close(keep);
	vmsect_client_free(client);
}

static void remove_takes_name_and_permanence(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_create_options options = shmem("x");
	struct vmsect_section *section;

	assert_int_equal(vmsect_section_remove(client, "x"), -ENOENT);
	assert_int_equal(vmsect_section_remove(client, ""), -EINVAL);
	options.flags = VMSECT_CREATE_PERMANENT;
	assert_int_equal(vmsect_section_create(client, &options, &section), 0);
	vmsect_section_close(section);
	assert_int_equal(vmsect_section_open(client, "x", VMSECT_ACCESS_READ, &section), 0);
	vmsect_section_close(section);
	assert_int_equal(vmsect_section_remove(client, "x"), 0);
	assert_int_equal(vmsect_section_open(client, "x", VMSECT_ACCESS_READ, &section), -ENOENT);
	vmsect_client_free(client);
}

static void lists_tell_all(void **state)
{
	struct vmsect_client *client = box_connect(*state, "test");
	struct vmsect_section *sections[100];
	struct vmsect_section_info *list = NULL;
	char name[16] = "s00";
	size_t count = 0, i;

	assert_int_equal(vmsect_list_sections(client, NULL, &list, &count), 0);
	assert_int_equal(count, 0);
	free(list);
	for (i = 0; i < 100; i++) { /* more than one message holds */
		name[1] = (char)('0' + i / 10);
		name[2] = (char)('0' + i % 10);
		sections[i] = box_section(client, name, 4096 * (i + 1));
	}
	assert_int_equal(vmsect_list_sections(client, NULL, &list, &count), 0);
	assert_int_equal(count, 100);
	for (i = 0; i < 100; i++) {
		assert_int_equal(list[i].size_bytes, 4096 * (i + 1));
		vmsect_section_close(sections[i]);
	}
	free(list);
	list = NULL;
	assert_int_equal(vmsect_list_sections(client, "none", &list, &count), -ENOENT);
	assert_int_equal(vmsect_list_sections(client, "a/b", &list, &count), -ENOENT);
	assert_null(list);
	vmsect_client_free(client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(create_refuses_bad_options),
		TEST(create_refuses_bad_names),
		TEST(create_refuses_what_is_no_file),
		TEST(create_refuses_file_sizes),
		TEST(create_refuses_without_descriptors),
		TEST(create_makes_what_was_asked),
		TEST(file_section_keeps_its_bytes),
		TEST(file_section_extends_its_file),
		TEST(existing_names),
		TEST(open_refuses),
		TEST(descriptors_are_no_more_than_the_handle),
		TEST(query_needs_its_right),
		TEST(remove_takes_name_and_permanence),
		TEST(lists_tell_all),
	};

	return cmocka_run_group_tests_name("lib_section", tests, NULL, NULL);
}
