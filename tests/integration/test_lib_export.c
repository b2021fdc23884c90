/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exports by the library: a path that is the memory, its listing and its end. */
#include "lib/client_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define BYTES 65536u

static const struct vmsect_export_options plain = {
	.size = sizeof(plain),
	.as = VMSECT_EXPORT_AS_PATH,
	.uid = VMSECT_EXPORT_KEEP,
	.gid = VMSECT_EXPORT_KEEP,
};

/* Names in /dev/shm are the host's: this test's have its number. */
static void name_of(char *name, size_t room)
{
	(void)snprintf(name, room, "test%d", getpid());
}

static struct vmsect_section *make(struct vmsect_client *client, uint32_t flags)
{
	char name[32];

	name_of(name, sizeof(name));
	return box_create(client, &(struct vmsect_create_options){
					  .size = sizeof(struct vmsect_create_options),
					  .name = name,
					  .backing = VMSECT_BACKING_SHMEM,
					  .protection = VMSECT_PROT_READWRITE,
					  .size_bytes = BYTES,
					  .flags = flags,
					  .access = VMSECT_ACCESS_ALL & ~VMSECT_ACCESS_EXECUTE,
				  });
}

static void test_refused(void **state)
{
	struct vmsect_client *client = box_connect(*state, "owner");
	struct vmsect_section *section = make(client, 0);
	struct vmsect_export_options wrong = plain;
	char path[1024] = "poison";

	assert_int_equal(vmsect_section_export(section, &plain, path, sizeof(path)), -EOPNOTSUPP);
	assert_int_equal(vmsect_client_detail(client), VMSECT_DETAIL_ATTR);
	wrong.size = 1;
	assert_int_equal(vmsect_section_export(section, &wrong, path, sizeof(path)), -EINVAL);
	wrong = plain;
	wrong.as = (enum vmsect_export_as)7;
	assert_int_equal(vmsect_section_export(section, &wrong, path, sizeof(path)), -EINVAL);
	assert_int_equal(vmsect_section_unexport(section, VMSECT_EXPORT_AS_PATH), -ENOENT);
	assert_string_equal(path, "poison");
	vmsect_section_close(section);
	vmsect_client_free(client);
}

static void expect_listed(struct vmsect_client *client, const struct vmsect_section *section,
			  const char *path)
{
	AUTO_FREE struct vmsect_export_info *list = NULL;
	size_t count = POISON;

	assert_int_equal(
		vmsect_list_exports(client, vmsect_section_info(section)->id, &list, &count), 0);
	assert_int_equal(count, path ? 1 : 0);
	if (!path)
		return;
	assert_string_equal(list[0].path, path);
	assert_int_equal(list[0].as, VMSECT_EXPORT_AS_PATH);
	assert_int_equal(list[0].mode, 0600);
	assert_int_equal(list[0].uid, geteuid());
	assert_string_equal(list[0].section_name, vmsect_section_info(section)->name);
}

static void test_path(void **state)
{
	struct vmsect_client *client = box_connect(*state, "owner");
	struct vmsect_section *section = make(client, VMSECT_CREATE_EXPORTABLE);
	struct vmsect_view *view = box_map(section, VMSECT_PROT_READWRITE);
	volatile unsigned char *bytes = vmsect_view_address(view);
	char path[1024];
	unsigned char byte = 0;
	int fd;

	assert_true(vmsect_section_info(section)->flags & VMSECT_SECTION_EXPORTABLE);
	assert_int_equal(vmsect_section_export(section, &plain, path, 8), -ERANGE);
	assert_int_equal(vmsect_section_export(section, &plain, NULL, 0), 0);
	assert_int_equal(vmsect_section_export(section, &plain, path, sizeof(path)), 0);
	assert_int_equal(strncmp(path, "/dev/shm/vmsect-test", 20), 0);
	expect_listed(client, section, path);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	bytes[5] = 0x5a;
	assert_int_equal(pread(fd, &byte, 1, 5), 1);
	assert_int_equal(byte, 0x5a);
	assert_int_equal(vmsect_section_unexport(section, VMSECT_EXPORT_AS_PATH), 0);
	assert_int_equal(access(path, F_OK), -1);
	expect_listed(client, section, NULL);
	/* Who has opened it keeps it. */
	byte = 0xa5;
	assert_int_equal(pwrite(fd, &byte, 1, 6), 1);
	assert_int_equal(bytes[6], 0xa5);
	fd_close(fd);
	vmsect_view_unmap(view);
	vmsect_section_close(section);
	vmsect_client_free(client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, box_setup, box_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(refused), TEST(path) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
