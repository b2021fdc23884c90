/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EXPORT of paths: what is refused, who gets what, and when the path goes. */
#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lib/broker_fixture.h"
#include "lib/huge_pages.h"
#include "lib/wire_export.h"

#define BYTES 65536u
#define HUGE_BYTES (UINT64_C(4) << 20)
#define OTHER_ID 4711u
#define LIMIT "35184372088832" /* more than a tmpfs has */
#define PATH_0600                                                                                  \
	{                                                                                          \
		.kind = VMSECT_EXPORT_PATH, .mode = 0600                                           \
	}

static const struct wire_export plain = PATH_0600;

/* A broker whose paths are in a folder of the test's own. */
struct bed {
	struct broker_fixture broker;
	char folder[EXPORT_FOLDER_ROOM];
	struct wire_client client;
};

static int bed_setup(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));
	const char *args[] = {
		"--export-dir",	    NULL, "--limit", "user.bytes=" LIMIT, "--limit",
		"all.bytes=" LIMIT, NULL,
	};

	assert_non_null(bed);
	broker_fixture_init(&bed->broker);
	export_folder_make(bed->folder);
	args[1] = bed->folder;
	broker_fixture_start(&bed->broker, args);
	wire_join(&bed->client, bed->broker.socket_path, "owner", VMSECT_PEER_PROCESS);
	*state = bed;
	return 0;
}

static int bed_teardown(void **state)
{
	struct bed *bed = *state;

	wire_close(&bed->client);
	broker_fixture_deinit(&bed->broker);
	export_folder_remove(bed->folder);
	free(bed);
	return 0;
}

#define REFUSED(call, status, code)                                                                \
	do {                                                                                       \
		assert_int_equal(call, status);                                                    \
		assert_int_equal(bed->client.reply.hdr.detail, VMSECT_DETAIL_##code);              \
	} while (0)

static int create_with(struct bed *bed, uint32_t backing, uint32_t flags, uint64_t max_bytes)
{
	const struct wire_create create = {
		.name = "wrong",
		.backing = backing,
		.protection = VMSECT_PROT_READWRITE,
		.size_bytes = BYTES,
		.max_bytes = max_bytes,
		.access = VMSECT_ACCESS_READ,
		.flags = VMSECT_CREATE_EXPORTABLE | flags,
	};

	return wire_create(&bed->client, &create);
}

static void test_what_cannot_be_made(void **state)
{
	struct bed *bed = *state;

	REFUSED(create_with(bed, VMSECT_BACKING_FILE, 0, 0), -EINVAL, ATTR);
	REFUSED(create_with(bed, VMSECT_BACKING_SHMEM, VMSECT_CREATE_SEALABLE, 0), -EINVAL, ATTR);
	REFUSED(create_with(bed, VMSECT_BACKING_SHMEM, VMSECT_CREATE_RESERVE, 0), -EINVAL, ATTR);
	REFUSED(create_with(bed, VMSECT_BACKING_SHMEM, 0, 2 * BYTES), -EINVAL, ATTR);
	REFUSED(create_with(bed, VMSECT_BACKING_SHMEM, 0x100, 0), -EINVAL, ATTR);
	/* Bit 0x40 is the library's alone. */
	REFUSED(create_with(bed, VMSECT_BACKING_SHMEM, 0x40, 0), -EINVAL, ATTR);
	assert_int_equal(create_with(bed, VMSECT_BACKING_DIRECTORY, 0, 0), -EOPNOTSUPP);
}

/* More than the tmpfs has: now, and not as a signal in somebody's guest. */
static void test_no_room(void **state)
{
	struct bed *bed = *state;
	struct statfs fs;
	uint64_t bytes;

	assert_int_equal(statfs(bed->folder, &fs), 0);
	if (!fs.f_blocks)
		skip(); /* it has no bound */
	bytes = ((uint64_t)fs.f_blocks + 1) * (uint64_t)fs.f_bsize;
	REFUSED(wire_create_exportable(&bed->client, "large", bytes), -ENOMEM, SIZE);
	assert_non_null(strstr(wire_text(&bed->client), bed->folder));
}

static void test_what_is_refused(void **state)
{
	struct bed *bed = *state;
	struct wire_client *client = &bed->client;

	assert_int_equal(wire_create_shmem(client, "memfd", VMSECT_ACCESS_ALL & ~8u), 0);
	REFUSED(wire_export(client, 1, &plain), -EOPNOTSUPP, ATTR);
	assert_non_null(strstr(wire_text(client), "--exportable"));
	assert_int_equal(wire_create_exportable(client, "s", BYTES), 0);
	assert_int_equal(client->reply.handle.section.flags, VMSECT_SECTION_EXPORTABLE);
	REFUSED(wire_export(client, 7, &plain), -EBADF, HANDLE);
	REFUSED(wire_export(client, 2, &(struct wire_export){ .kind = 3 }), -EINVAL, FORMAT);
	REFUSED(wire_export(client, 2, &(struct wire_export){ .kind = 0 }), -EINVAL, FORMAT);
	REFUSED(wire_export(client, 2,
			    &(struct wire_export){ .kind = VMSECT_EXPORT_PATH, .vectors = 1 }),
		-EINVAL, FORMAT);
	REFUSED(wire_export(client, 2,
			    &(struct wire_export){ .kind = VMSECT_EXPORT_PATH, .mode = 01777 }),
		-EINVAL, ATTR);
	assert_int_equal(wire_unexport(client, 2, VMSECT_EXPORT_PATH), -ENOENT);
	REFUSED(wire_unexport(client, 2, 3), -EINVAL, FORMAT);
	REFUSED(wire_seal(client, 2), -EOPNOTSUPP, SEAL);
	assert_int_equal(wire_duplicate(client, 2, VMSECT_ACCESS_READ), 0);
	REFUSED(wire_export(client, 3, &plain), -EPERM, ACCESS);
	REFUSED(wire_unexport(client, 3, VMSECT_EXPORT_PATH), -EPERM, ACCESS);
	assert_int_equal(wire_create_exportable(client, "", BYTES), 0);
	REFUSED(wire_export(client, client->reply.handle.handle, &plain), -EINVAL, NAME);
	assert_int_equal(wire_list(client, VMSECT_OP_LIST_EXPORTS, 0, 0), 0);
	assert_int_equal(client->reply.list.count, 0);
}

static uint32_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777u;
}

/* Nobody is to write it, so nobody else may by its file. */
static void test_read_only_section(void **state)
{
	const struct wire_create create = {
		.name = "ro",
		.backing = VMSECT_BACKING_SHMEM,
		.protection = VMSECT_PROT_READONLY,
		.size_bytes = BYTES,
		.access = VMSECT_ACCESS_READ | VMSECT_ACCESS_GRANT,
		.flags = VMSECT_CREATE_EXPORTABLE,
	};
	struct wire_export wish = { .kind = VMSECT_EXPORT_PATH, .mode = 0660 };
	struct bed *bed = *state;

	assert_int_equal(wire_create(&bed->client, &create), 0);
	REFUSED(wire_export(&bed->client, 1, &wish), -EACCES, PROTECTION);
	wish.mode = 0602;
	REFUSED(wire_export(&bed->client, 1, &wish), -EACCES, PROTECTION);
	wish.mode = 0444;
	wish.uid = OTHER_ID;
	REFUSED(wire_export(&bed->client, 1, &wish), -EACCES, PROTECTION);
	wish.uid = 0;
	assert_int_equal(wire_export(&bed->client, 1, &wish), 0);
	assert_int_equal(mode_of(wire_exported_path(&bed->client)), 0644);
}

/* The file is the memory: bytes go both ways. */
static void expect_same_memory(const char *path, int memory, char byte)
{
	AUTO_FD int file = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	char seen = 0;

	assert_true(file >= 0);
	assert_int_equal(fstat(file, &st), 0);
	assert_int_equal(st.st_size, BYTES);
	assert_int_equal(pwrite(memory, &byte, 1, 17), 1);
	assert_int_equal(pread(file, &seen, 1, 17), 1);
	assert_int_equal(seen, byte);
	byte++;
	assert_int_equal(pwrite(file, &byte, 1, BYTES - 1), 1);
	assert_int_equal(pread(memory, &seen, 1, BYTES - 1), 1);
	assert_int_equal(seen, byte);
}

static void test_a_path_and_its_end(void **state)
{
	struct bed *bed = *state;
	struct wire_client *client = &bed->client;
	AUTO_FD int memory = -1;
	char path[128];
	uint64_t section;

	(void)snprintf(path, sizeof(path), "%s/vmsect-s", bed->folder);
	assert_int_equal(wire_create_exportable(client, "s", BYTES), 0);
	section = client->reply.handle.section.id;
	memory = steal_fd(&client->reply_fd);
	assert_int_equal(wire_export(client, 1, &plain), 0);
	assert_string_equal(wire_exported_path(client), path);
	assert_int_equal(mode_of(path), 0600);
	expect_same_memory(path, memory, 'a');
	assert_int_equal(wire_list(client, VMSECT_OP_LIST_EXPORTS, 0, section), 0);
	assert_string_equal(wire_listed_export(client, 0)->path, path);
	assert_string_equal(wire_listed_export(client, 0)->section_name, "s");
	assert_int_equal(wire_listed_export(client, 0)->kind, VMSECT_EXPORT_PATH);
	assert_int_equal(wire_listed_export(client, 0)->mode, 0600);
	/* Once more: another mode; the broker's user keeps its own. */
	assert_int_equal(
		wire_export(client, 1, &(struct wire_export){ VMSECT_EXPORT_PATH, 0044, 0, 0, 0 }),
		0);
	assert_int_equal(mode_of(path), 0644);
	assert_int_equal(wire_unexport(client, 1, VMSECT_EXPORT_PATH), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(wire_list(client, VMSECT_OP_LIST_EXPORTS, 0, 0), 0);
	assert_int_equal(client->reply.list.count, 0);
	assert_int_equal(wire_unexport(client, 1, VMSECT_EXPORT_PATH), -ENOENT);
	/* And again, the same memory. */
	assert_int_equal(wire_export(client, 1, &plain), 0);
	expect_same_memory(path, memory, 'k');
	assert_int_equal(wire_remove(client, "s"), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(wire_list(client, VMSECT_OP_LIST_EXPORTS, 0, 0), 0);
	assert_int_equal(client->reply.list.count, 0);
}

/* A parked file ends with its section as well: the teardown looks. */
static void test_unexported_then_gone(void **state)
{
	struct bed *bed = *state;
	struct stat st;
	AUTO_FD int memory = -1;

	assert_int_equal(wire_create_exportable(&bed->client, "s", BYTES), 0);
	memory = steal_fd(&bed->client.reply_fd);
	assert_int_equal(
		wire_export(&bed->client, 1,
			    &(struct wire_export){ .kind = VMSECT_EXPORT_PATH, .mode = 0666 }),
		0);
	assert_int_equal(wire_unexport(&bed->client, 1, VMSECT_EXPORT_PATH), 0);
	assert_int_equal(fstat(memory, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(wire_close_handle(&bed->client, 1), 0);
}

static void expect_in_the_way(struct bed *bed, const char *path)
{
	struct stat before, after;

	assert_int_equal(lstat(path, &before), 0);
	REFUSED(wire_export(&bed->client, 1,
			    &(struct wire_export){ .kind = VMSECT_EXPORT_PATH, .mode = 0666 }),
		-EEXIST, NAME);
	assert_non_null(strstr(wire_text(&bed->client), path));
	assert_int_equal(lstat(path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(unlink(path), 0);
}

static void test_nothing_is_replaced(void **state)
{
	struct bed *bed = *state;
	AUTO_FD int memory = -1;
	struct stat st;
	char path[128], other[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/vmsect-s", bed->folder);
	(void)snprintf(other, sizeof(other), "%s/other", bed->folder);
	assert_int_equal(wire_create_exportable(&bed->client, "s", BYTES), 0);
	memory = steal_fd(&bed->client.reply_fd);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	fd_close(fd);
	expect_in_the_way(bed, path);
	assert_int_equal(symlink(other, path), 0);
	expect_in_the_way(bed, path);
	assert_int_equal(access(other, F_OK), -1);
	/* What was refused has changed nothing. */
	assert_int_equal(fstat(memory, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_nlink, 0);
	assert_int_equal(wire_export(&bed->client, 1, &plain), 0);
	/* Somebody has put another file there: it is not ours to remove. */
	assert_int_equal(rename(path, other), 0);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	fd_close(fd);
	assert_int_equal(wire_remove(&bed->client, "s"), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(unlink(other), 0);
}

static void test_owner(void **state)
{
	struct bed *bed = *state;
	struct wire_export wish = {
		.kind = VMSECT_EXPORT_PATH, .mode = 0640, .uid = OTHER_ID, .gid = OTHER_ID
	};
	struct stat st;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/vmsect-s", bed->folder);
	assert_int_equal(wire_create_exportable(&bed->client, "s", BYTES), 0);
	if (geteuid()) {
		REFUSED(wire_export(&bed->client, 1, &wish), -EPERM, FILE);
		assert_int_equal(access(path, F_OK), -1);
		return;
	}
	assert_int_equal(wire_export(&bed->client, 1, &wish), 0);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_uid, OTHER_ID);
	assert_int_equal(st.st_gid, OTHER_ID);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(wire_list(&bed->client, VMSECT_OP_LIST_EXPORTS, 0, 0), 0);
	assert_int_equal(wire_listed_export(&bed->client, 0)->uid, OTHER_ID);
	assert_int_equal(wire_listed_export(&bed->client, 0)->gid, OTHER_ID);
	assert_int_equal(wire_open(&bed->client, "s", VMSECT_ACCESS_WRITE), 0);
}

/* Who does not see a section does not see where it is. */
static void test_listing_is_for_those_who_may_see(void **state)
{
	struct bed *bed = *state;
	static struct wire_client stranger;

	if (geteuid())
		skip();
	broker_fixture_open_to_all(&bed->broker);
	wire_join_as(&stranger, bed->broker.socket_path, "stranger", VMSECT_PEER_PROCESS, OTHER_ID);
	assert_int_equal(wire_create_exportable(&bed->client, "s", BYTES), 0);
	assert_int_equal(wire_export(&bed->client, 1, &plain), 0);
	assert_int_equal(wire_list(&stranger, VMSECT_OP_LIST_EXPORTS, 0, 0), 0);
	assert_int_equal(stranger.reply.list.count, 0);
	assert_int_equal(wire_list(&bed->client, VMSECT_OP_LIST_EXPORTS, 0, 0), 0);
	assert_int_equal(bed->client.reply.list.count, 1);
	wire_close(&stranger);
}

/* More than one message takes, in order, each once. */
static void test_long_listing(void **state)
{
	enum { COUNT = 120 };
	struct bed *bed = *state;
	struct wire_client *client = &bed->client;
	uint32_t seen = 0, pages = 0, i;
	uint64_t after = 0;
	char name[16];

	for (i = 1; i <= COUNT; i++) {
		(void)snprintf(name, sizeof(name), "s%u", i);
		assert_int_equal(wire_create_exportable(client, name, 4096), 0);
		assert_int_equal(wire_export(client, i, &plain), 0);
	}
	do {
		assert_int_equal(wire_list(client, VMSECT_OP_LIST_EXPORTS, after, 0), 0);
		for (i = 0; i < client->reply.list.count; i++) {
			assert_true(wire_listed_export(client, i)->id > after);
			after = wire_listed_export(client, i)->id;
			seen++;
		}
		pages++;
	} while (client->reply.list.more);
	assert_int_equal(seen, COUNT);
	assert_true(pages > 1);
}

static void test_data_file(void **state)
{
	struct bed *bed = *state;
	struct wire_client *client = &bed->client;
	char path[128], moved[128];
	AUTO_FD int rw = -1, ro = -1;
	int fds[2];

	(void)snprintf(path, sizeof(path), "%s/data", bed->broker.folder);
	(void)snprintf(moved, sizeof(moved), "%s/moved", bed->broker.folder);
	rw = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	ro = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(ftruncate(rw, BYTES), 0);
	fds[0] = ro;
	fds[1] = rw;
	assert_int_equal(
		wire_create(client, &(struct wire_create){ .name = "file",
							   .backing = VMSECT_BACKING_FILE,
							   .protection = VMSECT_PROT_READWRITE,
							   .access = VMSECT_ACCESS_GRANT,
							   .fds = fds,
							   .nfds = 2 }),
		0);
	assert_int_equal(
		wire_export(client, 1,
			    &(struct wire_export){ .kind = VMSECT_EXPORT_PATH, .mode = 0666 }),
		0);
	assert_string_equal(wire_exported_path(client), path);
	assert_int_equal(mode_of(path), 0640);
	assert_int_equal(wire_list(client, VMSECT_OP_LIST_EXPORTS, 0, 0), 0);
	assert_int_equal(wire_listed_export(client, 0)->mode, 0640);
	assert_int_equal(wire_unexport(client, 1, VMSECT_EXPORT_PATH), 0);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(rename(path, moved), 0);
	REFUSED(wire_export(client, 1, &plain), -ESTALE, FILE);
	assert_int_equal(symlink(moved, path), 0);
	REFUSED(wire_export(client, 1, &plain), -ESTALE, FILE);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(unlink(moved), 0);
}

static int create_huge(struct wire_client *client)
{
	return wire_create(client, &(struct wire_create){ .name = "huge",
							  .backing = VMSECT_BACKING_HUGETLB,
							  .page_shift = 21,
							  .protection = VMSECT_PROT_READWRITE,
							  .size_bytes = HUGE_BYTES,
							  .flags = VMSECT_CREATE_EXPORTABLE,
							  .access = VMSECT_ACCESS_ALL & ~8u });
}

/* The host may have a mount of its own; either is fine. */
static void test_huge_pages(void **state)
{
	struct bed *bed = *state;
	struct huge_pages huge = HUGE_PAGES_NONE;
	char mount_point[128];
	long before;
	int r;

	if (geteuid() || !huge_pages_take(&huge, 4))
		skip();
	r = create_huge(&bed->client);
	if (r < 0) {
		assert_int_equal(r, -EOPNOTSUPP);
		assert_non_null(strstr(wire_text(&bed->client), "mount -t hugetlbfs"));
	} else {
		assert_int_equal(wire_remove(&bed->client, "huge"), 0);
	}
	(void)snprintf(mount_point, sizeof(mount_point), "%s/huge", bed->broker.folder);
	assert_int_equal(mkdir(mount_point, 0755), 0);
	assert_int_equal(mount("none", mount_point, "hugetlbfs", 0, "pagesize=2M,mode=0755"), 0);
	before = huge_pages_free();
	assert_int_equal(create_huge(&bed->client), 0);
	assert_int_equal(huge_pages_free(), before - 2); /* reserved at once */
	assert_int_equal(wire_export(&bed->client, bed->client.reply.handle.handle, &plain), 0);
	assert_non_null(strstr(wire_exported_path(&bed->client), "/vmsect-huge"));
	assert_int_equal(mode_of(wire_exported_path(&bed->client)), 0600);
	assert_int_equal(wire_remove(&bed->client, "huge"), 0);
	wire_close(&bed->client);
	broker_fixture_stop(&bed->broker);
	assert_int_equal(huge_pages_free(), before);
	assert_int_equal(umount(mount_point), 0);
	assert_int_equal(rmdir(mount_point), 0);
	huge_pages_give_back(&huge);
}

/* A folder of the disk, or one where others could put something else there. */
static void test_wrong_folders(void **state)
{
	struct bed *bed = *state;
	const char *args[] = { "--export-dir", bed->broker.folder, NULL };

	assert_int_equal(chmod(bed->folder, 0777), 0);
	assert_int_equal(wire_create_exportable(&bed->client, "s", BYTES), -EOPNOTSUPP);
	assert_non_null(strstr(wire_text(&bed->client), "sticky"));
	assert_int_equal(chmod(bed->folder, 01777), 0);
	assert_int_equal(wire_create_exportable(&bed->client, "s", BYTES), 0);
	wire_close(&bed->client);
	broker_fixture_stop(&bed->broker);
	args[1] = "/proc";
	broker_fixture_start(&bed->broker, args);
	wire_join(&bed->client, bed->broker.socket_path, "owner", VMSECT_PEER_PROCESS);
	REFUSED(wire_create_exportable(&bed->client, "s", BYTES), -EOPNOTSUPP, ATTR);
	assert_non_null(strstr(wire_text(&bed->client), "tmpfs"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, bed_setup, bed_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_cannot_be_made),
		TEST(no_room),
		TEST(what_is_refused),
		TEST(read_only_section),
		TEST(a_path_and_its_end),
		TEST(unexported_then_gone),
		TEST(nothing_is_replaced),
		TEST(owner),
		TEST(listing_is_for_those_who_may_see),
		TEST(long_listing),
		TEST(data_file),
		TEST(huge_pages),
		TEST(wrong_folders),
	};

	(void)alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
