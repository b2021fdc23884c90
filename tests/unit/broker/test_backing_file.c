/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Data files: which descriptors are accepted, and how a file gets its size. */
#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "broker/backing.h"
#include "lib/leak.h"

#define FILE_BYTES 5000

static struct leak_guard *guard;
static char path[64];

static int setup(void **state)
{
	int fd;

	(void)state;
	guard = leak_guard_new();
	(void)snprintf(path, sizeof(path), "/tmp/vmsect-test-XXXXXX");
	fd = mkostemp(path, O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, FILE_BYTES), 0);
	assert_int_equal(pwrite(fd, "begin", 5, 0), 5);
	assert_int_equal(pwrite(fd, "end", 3, FILE_BYTES - 3), 3);
	fd_close(fd);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	(void)unlink(path);
	leak_guard_check(guard);
	return 0;
}

static uint64_t file_size(void)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return (uint64_t)st.st_size;
}

/* All of it: what comes first and the work that is left. */
static int init(struct backing *backing, const struct backing_spec *spec, struct fdmsg *message,
		struct refusal *refusal)
{
	struct backing_work work;
	int r = backing_init_file(backing, spec, message, &work, refusal);

	if (r < 0)
		return r;
	r = backing_work_run(&work);
	return r < 0 ? backing_refuse_work(&work, r, refusal) : 0;
}

/* Descriptors of the file, opened with these flags; -1 for none. */
static struct fdmsg message_of(int first_flags, int second_flags)
{
	struct fdmsg message = { .fds = { -1, -1 } };

	message.fds[message.nfds++] = open(path, first_flags | O_CLOEXEC);
	if (second_flags >= 0)
		message.fds[message.nfds++] = open(path, second_flags | O_CLOEXEC);
	return message;
}

/* A refusal: nothing is taken, nothing is changed. */
static void expect_refused(struct fdmsg message, bool writable, uint64_t size, int status,
			   uint32_t detail)
{
	const struct backing_spec spec = {
		.kind = BACKING_FILE, .page_shift = 12, .writable = writable, .size_bytes = size
	};
	unsigned int nfds = message.nfds;
	struct backing backing;
	struct refusal refusal;

	backing_clear(&backing);
	assert_int_equal(init(&backing, &spec, &message, &refusal), status);
	assert_int_equal(refusal.status, status);
	assert_int_equal(refusal.detail, detail);
	assert_int_equal(message.nfds, nfds);
	assert_int_equal(backing.ro_fd, -1);
	assert_int_equal(backing.rw_fd, -1);
	assert_null(backing.path);
	fdmsg_close_fds(&message);
	assert_int_equal(file_size(), FILE_BYTES);
}

static void test_number_of_descriptors(void **state)
{
	struct fdmsg none = { .fds = { -1, -1 } };

	(void)state;
	expect_refused(none, false, 0, -EINVAL, VMSECT_DETAIL_FILE);
	expect_refused(none, true, 0, -EINVAL, VMSECT_DETAIL_FILE);
	expect_refused(message_of(O_RDONLY, O_RDWR), false, 0, -EINVAL, VMSECT_DETAIL_FILE);
	expect_refused(message_of(O_RDONLY, -1), true, 0, -EINVAL, VMSECT_DETAIL_FILE);
}

static void test_modes_of_descriptors(void **state)
{
	(void)state;
	expect_refused(message_of(O_RDWR, -1), false, 0, -EINVAL, VMSECT_DETAIL_FILE);
	expect_refused(message_of(O_WRONLY, -1), false, 0, -EPERM, VMSECT_DETAIL_FILE);
	expect_refused(message_of(O_PATH, -1), false, 0, -EINVAL, VMSECT_DETAIL_FILE);
	expect_refused(message_of(O_RDONLY, O_RDONLY), true, 0, -EPERM, VMSECT_DETAIL_FILE);
	expect_refused(message_of(O_RDONLY, O_WRONLY), true, 0, -EPERM, VMSECT_DETAIL_FILE);
	expect_refused(message_of(O_RDONLY, O_PATH), true, 0, -EINVAL, VMSECT_DETAIL_FILE);
	expect_refused(message_of(O_RDWR, O_RDWR), true, 0, -EINVAL, VMSECT_DETAIL_FILE);
}

static struct fdmsg message_with(int fd)
{
	return (struct fdmsg){ .nfds = 1, .fds = { fd, -1 } };
}

static void test_kinds_of_descriptors(void **state)
{
	int ends[2];

	(void)state;
	expect_refused(message_with(open("/tmp", O_RDONLY | O_CLOEXEC)), false, 0, -ENODEV,
		       VMSECT_DETAIL_FILE);
	expect_refused(message_with(open("/dev/zero", O_RDONLY | O_CLOEXEC)), false, 0, -ENODEV,
		       VMSECT_DETAIL_FILE);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	fd_close(ends[1]);
	expect_refused(message_with(ends[0]), false, 0, -ENODEV, VMSECT_DETAIL_FILE);
	/* A socket is read-write, which is looked at first. */
	expect_refused(message_with(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)), false, 0,
		       -EINVAL, VMSECT_DETAIL_FILE);
}

static void test_two_files(void **state)
{
	struct fdmsg message = message_of(O_RDONLY, -1);
	int other = memfd_create("other", MFD_CLOEXEC);

	(void)state;
	assert_true(other >= 0);
	message.fds[message.nfds++] = other;
	expect_refused(message, true, 0, -EINVAL, VMSECT_DETAIL_FILE);
}

static void test_sizes_that_are_refused(void **state)
{
	(void)state;
	expect_refused(message_of(O_RDONLY, -1), false, FILE_BYTES + 1, -EFBIG, VMSECT_DETAIL_SIZE);
	expect_refused(message_of(O_RDONLY, O_RDWR), true, UINT64_MAX, -EFBIG, VMSECT_DETAIL_SIZE);
	expect_refused(message_of(O_RDONLY, O_RDWR), true, BACKING_BYTES_MAX + 1, -EFBIG,
		       VMSECT_DETAIL_SIZE);
}

static void test_empty_file(void **state)
{
	const struct backing_spec spec = { .kind = BACKING_FILE, .page_shift = 12 };
	struct fdmsg message;
	struct backing backing;
	struct refusal refusal;

	(void)state;
	assert_int_equal(truncate(path, 0), 0);
	message = message_of(O_RDONLY, -1);
	assert_int_equal(init(&backing, &spec, &message, &refusal), -ENODATA);
	assert_int_equal(refusal.detail, VMSECT_DETAIL_SIZE);
	fdmsg_close_fds(&message);
}

static void accept_file(struct backing *backing, bool writable, uint64_t size)
{
	const struct backing_spec spec = {
		.kind = BACKING_FILE, .page_shift = 12, .writable = writable, .size_bytes = size
	};
	struct fdmsg message = message_of(O_RDONLY, writable ? O_RDWR : -1);
	struct refusal refusal;

	assert_int_equal(init(backing, &spec, &message, &refusal), 0);
	assert_int_equal(message.fds[0], -1);
	assert_int_equal(message.fds[1], -1);
	assert_string_equal(backing->path, path);
}

static void test_sizes_that_are_kept(void **state)
{
	struct backing backing;

	(void)state;
	accept_file(&backing, false, 0);
	assert_int_equal(backing.size_bytes, FILE_BYTES); /* to the byte */
	assert_int_equal(backing.rw_fd, -1);
	backing_deinit(&backing);
	accept_file(&backing, false, 17); /* a prefix */
	assert_int_equal(backing.size_bytes, 17);
	backing_deinit(&backing);
	accept_file(&backing, true, FILE_BYTES);
	assert_int_equal(backing.size_bytes, FILE_BYTES);
	assert_true(backing.rw_fd >= 0);
	backing_deinit(&backing);
	assert_int_equal(file_size(), FILE_BYTES);
}

/* A writable section makes its file as large as itself; new bytes are zero. */
static void test_file_is_extended(void **state)
{
	struct backing backing;
	char bytes[16];
	int fd = -1;

	(void)state;
	accept_file(&backing, true, 100001);
	assert_int_equal(backing.size_bytes, 100001);
	assert_int_equal(file_size(), 100001);
	assert_int_equal(backing_open(&backing, false, &fd), 0);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(pread(fd, bytes, sizeof(bytes), FILE_BYTES - 3), sizeof(bytes));
	assert_memory_equal(bytes, "end\0\0\0\0\0\0\0\0\0\0\0\0\0", sizeof(bytes));
	fd_close(fd);
	assert_int_equal(backing_open(&backing, true, &fd), 0);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	fd_close(fd);
	backing_deinit(&backing);
}

/* Errors of write-back are told once to each description: the broker has its own. */
static void test_own_description(void **state)
{
	const struct backing_spec spec = { .kind = BACKING_FILE,
					   .page_shift = 12,
					   .writable = true };
	struct fdmsg message = message_of(O_RDONLY, O_RDWR);
	int clients = fcntl(message.fds[1], F_DUPFD_CLOEXEC, 0);
	struct backing backing;
	struct refusal refusal;

	(void)state;
	assert_int_equal(init(&backing, &spec, &message, &refusal), 0);
	assert_int_equal(lseek(clients, 100, SEEK_SET), 100);
	assert_int_equal(lseek(backing.rw_fd, 0, SEEK_CUR), 0);
	fd_close(clients);
	backing_deinit(&backing);
}

/* The first class that fits decides; of root's, any bit will do. */
static void test_execute_bits(void **state)
{
	static const struct {
		mode_t mode;
		uid_t uid;
		gid_t gid, group;
		int status;
	} cases[] = {
		{ 0700, 0, 0, 0, 0 },	   { 0010, 0, 0, 0, 0 },      { 0600, 0, 0, 0, -EPERM },
		{ 0700, 7, 7, 7, -EPERM }, { 0701, 7, 7, 7, 0 },      { 0710, 7, 8, 7, 0 },
		{ 0710, 7, 7, 8, 0 },	   { 0701, 7, 8, 7, -EPERM }, { 0010, 6, 8, 8, -EPERM },
		{ 0100, 6, 7, 7, 0 },
	};
	struct backing_spec spec = { .kind = BACKING_FILE, .page_shift = 12, .executable = true };
	struct backing_work work;
	struct backing backing;
	struct refusal refusal;
	struct fdmsg message;
	unsigned int i;

	(void)state;
	if (geteuid())
		skip();
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		gid_t group = cases[i].group;
		const struct subject subject = {
			.uid = cases[i].uid, .gid = cases[i].gid, .group_count = 1, .groups = &group
		};

		assert_int_equal(chown(path, 6, 8), 0);
		assert_int_equal(chmod(path, cases[i].mode), 0);
		message = message_of(O_RDONLY, -1);
		spec.subject = &subject;
		assert_int_equal(backing_init_file(&backing, &spec, &message, &work, &refusal),
				 cases[i].status);
		if (cases[i].status)
			assert_int_equal(refusal.detail, VMSECT_DETAIL_FILE);
		else
			backing_deinit(&backing);
		fdmsg_close_fds(&message);
	}
}

static void test_path_is_printable(void **state)
{
	const struct backing_spec spec = { .kind = BACKING_FILE, .page_shift = 12 };
	char odd[80];
	struct fdmsg message;
	struct backing backing;
	struct refusal refusal;

	(void)state;
	(void)snprintf(odd, sizeof(odd), "%s\n\x1b[31m", path);
	assert_int_equal(rename(path, odd), 0);
	message = (struct fdmsg){ .nfds = 1, .fds = { open(odd, O_RDONLY | O_CLOEXEC), -1 } };
	assert_int_equal(init(&backing, &spec, &message, &refusal), 0);
	assert_non_null(strstr(backing.path, "??[31m"));
	backing_deinit(&backing);
	assert_int_equal(rename(odd, path), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_number_of_descriptors),  TEST(test_modes_of_descriptors),
		TEST(test_kinds_of_descriptors),   TEST(test_two_files),
		TEST(test_sizes_that_are_refused), TEST(test_empty_file),
		TEST(test_sizes_that_are_kept),	   TEST(test_file_is_extended),
		TEST(test_own_description),	   TEST(test_execute_bits),
		TEST(test_path_is_printable),
	};

	(void)alarm(20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
