/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FILE: the sections of an inode, and changes of the file that respect them. */
#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/broker_fixture.h"
#include "lib/wire_disk.h"

#define PAGE 4096u
#define SIZE (4 * PAGE + 10)

static const struct wire_create file = {
	.name = "s",
	.protection = VMSECT_PROT_READWRITE,
	.access = VMSECT_ACCESS_QUERY | VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE,
	.mode = 0600,
};

struct story {
	struct broker_fixture *f;
	struct wire_client client;
	char path[100];
	int fd; /* of the file, read-write */
};

static int setup(void **state)
{
	struct story *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	(void)broker_setup((void **)&s->f);
	wire_join(&s->client, s->f->socket_path, "client", VMSECT_PEER_PROCESS);
	(void)snprintf(s->path, sizeof(s->path), "%s/file", s->f->folder);
	s->fd = open(s->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(s->fd, SIZE), 0);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct story *s = *state;

	(void)close(s->fd);
	wire_close(&s->client);
	(void)broker_teardown((void **)&s->f);
	free(s);
	return 0;
}

static void expect(struct wire_client *client, int r, int status, uint32_t detail)
{
	assert_int_equal(r, status);
	assert_int_equal(client->reply.hdr.detail, detail);
}

static const struct vmsect_rep_file *query(struct story *s)
{
	assert_int_equal(wire_file(&s->client, VMSECT_FILE_QUERY, 0, s->fd), 0);
	return &s->client.reply.file;
}

static void test_counts(void **state)
{
	struct story *s = *state;
	struct wire_create readonly = file;
	char link_path[120];

	assert_int_equal(query(s)->sections, 0);
	assert_int_equal(query(s)->size_bytes, SIZE);
	assert_int_equal(wire_create_file(&s->client, &file, s->path), 0);
	assert_int_equal(query(s)->sections, 1);
	assert_int_equal(query(s)->handles, 1);
	assert_int_equal(query(s)->views, 0);
	assert_int_equal(query(s)->writers, 1);
	(void)snprintf(link_path, sizeof(link_path), "%s/link", s->f->folder);
	assert_int_equal(link(s->path, link_path), 0); /* the same inode */
	readonly.name = "r";
	readonly.protection = VMSECT_PROT_READONLY;
	readonly.access = VMSECT_ACCESS_READ;
	assert_int_equal(wire_create_file(&s->client, &readonly, link_path), 0);
	assert_int_equal(wire_map(&s->client, 2, VMSECT_PROT_WRITECOPY, 0, 0), 0);
	assert_int_equal(wire_map(&s->client, 1, VMSECT_PROT_READWRITE, 0, 0), 0);
	assert_int_equal(query(s)->sections, 2);
	assert_int_equal(query(s)->handles, 2);
	assert_int_equal(query(s)->views, 2);
	assert_int_equal(query(s)->writers, 2);
	assert_int_equal(wire_create_shmem(&s->client, "m", VMSECT_ACCESS_READ), 0);
	assert_int_equal(query(s)->sections, 2);
}

/* Handle or view: as long as there is one the file does not get shorter. */
static void test_truncate(void **state)
{
	struct story *s = *state;
	struct stat st;
	uint64_t view;

	assert_int_equal(wire_file(&s->client, VMSECT_FILE_TRUNCATE, SIZE - 1, s->fd), 0);
	assert_int_equal(s->client.reply.file.size_bytes, SIZE - 1);
	assert_int_equal(wire_create_file(&s->client, &file, s->path), 0);
	expect(&s->client, wire_file(&s->client, VMSECT_FILE_TRUNCATE, 0, s->fd), -ETXTBSY,
	       VMSECT_DETAIL_MAPPED);
	assert_int_equal(wire_file(&s->client, VMSECT_FILE_TRUNCATE, SIZE - 1, s->fd), 0);
	assert_int_equal(wire_file(&s->client, VMSECT_FILE_TRUNCATE, 8 * PAGE, s->fd), 0);
	/* Not even outside of what is mapped. */
	expect(&s->client, wire_file(&s->client, VMSECT_FILE_TRUNCATE, 7 * PAGE, s->fd), -ETXTBSY,
	       VMSECT_DETAIL_MAPPED);
	assert_int_equal(wire_map(&s->client, 1, VMSECT_PROT_READONLY, 0, PAGE), 0);
	view = s->client.reply.map.view;
	assert_int_equal(wire_close_handle(&s->client, 1), 0);
	expect(&s->client, wire_file(&s->client, VMSECT_FILE_TRUNCATE, 0, s->fd), -ETXTBSY,
	       VMSECT_DETAIL_MAPPED);
	assert_int_equal(fstat(s->fd, &st), 0);
	assert_int_equal(st.st_size, 8 * PAGE);
	assert_int_equal(wire_unmap(&s->client, view), 0);
	assert_int_equal(wire_file(&s->client, VMSECT_FILE_TRUNCATE, 0, s->fd), 0);
	assert_int_equal(fstat(s->fd, &st), 0);
	assert_int_equal(st.st_size, 0);
}

static void test_remove(void **state)
{
	struct story *s = *state;

	assert_int_equal(wire_file(&s->client, VMSECT_FILE_REMOVE, 0, s->fd), 0);
	assert_int_equal(wire_create_file(&s->client, &file, s->path), 0);
	expect(&s->client, wire_file(&s->client, VMSECT_FILE_REMOVE, 0, s->fd), -EBUSY,
	       VMSECT_DETAIL_MAPPED);
	assert_int_equal(wire_close_handle(&s->client, 1), 0);
	assert_int_equal(wire_file(&s->client, VMSECT_FILE_REMOVE, 0, s->fd), 0);
	assert_int_equal(access(s->path, F_OK), 0); /* the client does it */
}

/* A permanent section that nobody has open counts, and hinders nothing. */
static void test_permanent(void **state)
{
	struct story *s = *state;
	struct wire_create permanent = file;

	permanent.flags = VMSECT_CREATE_PERMANENT;
	assert_int_equal(wire_create_file(&s->client, &permanent, s->path), 0);
	assert_int_equal(wire_close_handle(&s->client, 1), 0);
	assert_int_equal(query(s)->sections, 1);
	assert_int_equal(query(s)->handles, 0);
	assert_int_equal(wire_file(&s->client, VMSECT_FILE_TRUNCATE, PAGE, s->fd), 0);
	assert_int_equal(wire_file(&s->client, VMSECT_FILE_REMOVE, 0, s->fd), 0);
}

static void test_descriptors(void **state)
{
	struct story *s = *state;
	int fd = open(s->path, O_RDONLY | O_CLOEXEC);

	expect(&s->client, wire_file(&s->client, VMSECT_FILE_QUERY, 0, -1), -EINVAL,
	       VMSECT_DETAIL_FILE);
	expect(&s->client, wire_file(&s->client, VMSECT_FILE_TRUNCATE, 0, fd), -EPERM,
	       VMSECT_DETAIL_FILE);
	assert_int_equal(wire_file(&s->client, VMSECT_FILE_QUERY, 0, fd), 0);
	(void)close(fd);
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	expect(&s->client, wire_file(&s->client, VMSECT_FILE_QUERY, 0, fd), -ENODEV,
	       VMSECT_DETAIL_FILE);
	(void)close(fd);
	fd = open(s->path, O_RDWR | O_PATH | O_CLOEXEC);
	expect(&s->client, wire_file(&s->client, VMSECT_FILE_TRUNCATE, 0, fd), -EPERM,
	       VMSECT_DETAIL_FILE);
	(void)close(fd);
	expect(&s->client, wire_file(&s->client, 4, 0, s->fd), -EINVAL, VMSECT_DETAIL_FORMAT);
	expect(&s->client, wire_file(&s->client, VMSECT_FILE_TRUNCATE, UINT64_MAX, s->fd), -EFBIG,
	       VMSECT_DETAIL_SIZE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_counts),    TEST(test_truncate),    TEST(test_remove),
		TEST(test_permanent), TEST(test_descriptors),
	};

	(void)alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
