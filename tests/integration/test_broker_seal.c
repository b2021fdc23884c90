/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SEAL: who may, what stands in its way, and that nobody can write after it. */
#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "lib/broker_fixture.h"
#include "lib/huge_pages.h"
#include "lib/wire_client.h"

#define BYTES 65536u

#define READ VMSECT_ACCESS_READ
#define WRITE VMSECT_ACCESS_WRITE
#define GRANT VMSECT_ACCESS_GRANT
#define EXTEND VMSECT_ACCESS_EXTEND
#define QUERY VMSECT_ACCESS_QUERY

/* The client's handle 1 on a section "s" that may be sealed. */
static void join(struct broker_fixture *f, struct wire_client *client, uint32_t protection)
{
	const struct wire_create create = {
		.name = "s",
		.backing = VMSECT_BACKING_SHMEM,
		.protection = protection,
		.size_bytes = BYTES,
		.access = READ | WRITE | GRANT | EXTEND | QUERY,
		.flags = VMSECT_CREATE_SEALABLE,
		.mode = 0600,
	};

	wire_join(client, f->socket_path, "writer", VMSECT_PEER_PROCESS);
	assert_int_equal(wire_create(client, &create), 0);
}

#define REFUSED(call, status, code)                                                                \
	do {                                                                                       \
		assert_int_equal(call, status);                                                    \
		assert_int_equal(client.reply.hdr.detail, VMSECT_DETAIL_##code);                   \
	} while (0)

static void test_sealed_is_for_ever(void **state)
{
	struct broker_fixture *f = *state;
	const struct vmsect_wire_section *section;
	struct wire_client client;
	uint64_t generation;
	AUTO_FD int fd = -1;
	char byte = 0;

	join(f, &client, VMSECT_PROT_READWRITE);
	fd = steal_fd(&client.reply_fd);
	generation = client.reply.handle.section.generation;
	assert_int_equal(client.reply.handle.section.flags, VMSECT_SECTION_SEALABLE);
	assert_int_equal(pwrite(fd, "x", 1, 0), 1);
	assert_int_equal(wire_seal(&client, 1), 0);
	assert_int_equal(wire_query(&client, 1), 0);
	section = &client.reply.section.section;
	assert_int_equal(section->flags, VMSECT_SECTION_SEALABLE | VMSECT_SECTION_SEALED);
	assert_int_equal(section->protection, VMSECT_PROT_READONLY);
	assert_true(section->generation > generation);
	/* The handle has lost what it had, and so has its descriptor. */
	REFUSED(wire_map(&client, 1, VMSECT_PROT_READWRITE, 0, 0), -EPERM, ACCESS);
	REFUSED(wire_seal(&client, 1), -EPERM, ACCESS);
	REFUSED(wire_duplicate(&client, 1, EXTEND), -EPERM, ACCESS);
	assert_int_equal(sys_result(pwrite(fd, "y", 1, 0)), -EPERM);
	assert_ptr_equal(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	REFUSED(wire_open(&client, "s", WRITE), -EACCES, SEAL);
	assert_int_equal(wire_open(&client, "s", READ), 0);
	assert_int_equal(fcntl(client.reply_fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(pread(client.reply_fd, &byte, 1, 0), 1);
	assert_int_equal(byte, 'x');
	assert_int_equal(wire_map(&client, 2, VMSECT_PROT_WRITECOPY, 0, 0), 0);
	assert_int_equal(wire_map(&client, 2, VMSECT_PROT_READONLY, 0, 0), 0);
	wire_close(&client);
}

/* A right to write that never had an effect seals what is sealed already. */
static void test_sealed_again(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client;

	join(f, &client, VMSECT_PROT_READONLY);
	assert_int_equal(wire_duplicate(&client, 1, WRITE | GRANT), 0);
	assert_int_equal(wire_seal(&client, 1), 0);
	assert_int_equal(wire_seal(&client, 2), 0);
	REFUSED(wire_seal(&client, 2), -EPERM, ACCESS);
	wire_close(&client);
}

static void test_rights_and_kinds(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client;

	join(f, &client, VMSECT_PROT_READWRITE);
	REFUSED(wire_seal(&client, 9), -EBADF, HANDLE);
	assert_int_equal(wire_duplicate(&client, 1, READ | WRITE), 0);
	REFUSED(wire_seal(&client, 2), -EPERM, ACCESS);
	assert_int_equal(wire_duplicate(&client, 1, READ | GRANT), 0);
	REFUSED(wire_seal(&client, 3), -EPERM, ACCESS);
	assert_int_equal(wire_create_shmem(&client, "t", READ | WRITE | GRANT), 0);
	REFUSED(wire_seal(&client, 4), -EOPNOTSUPP, SEAL);
	wire_close(&client);
}

static void test_writers_stand_in_the_way(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client, other;
	uint64_t view;
	void *memory;

	join(f, &client, VMSECT_PROT_READWRITE);
	memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, client.reply_fd, 0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	/* Another handle, of anyone. */
	wire_join(&other, f->socket_path, "other", VMSECT_PEER_PROCESS);
	assert_int_equal(wire_open(&other, "s", READ | WRITE), 0);
	REFUSED(wire_seal(&client, 1), -EBUSY, WRITERS);
	assert_int_equal(wire_map(&other, 1, VMSECT_PROT_READWRITE, 0, 0), 0);
	view = other.reply.map.view;
	assert_int_equal(wire_close_handle(&other, 1), 0);
	/* A view, whatever its pages are just now. */
	REFUSED(wire_seal(&client, 1), -EBUSY, WRITERS);
	assert_int_equal(wire_protect(&other, view, 0, 0, VMSECT_PROT_READONLY), 0);
	REFUSED(wire_seal(&client, 1), -EBUSY, WRITERS);
	assert_int_equal(wire_unmap(&other, view), 0);
	/* A mapping that nobody told of: the kernel knows. */
	REFUSED(wire_seal(&client, 1), -EBUSY, WRITERS);
	assert_non_null(strstr(wire_text(&client), "mapped"));
	assert_int_equal(wire_query(&client, 1), 0);
	assert_int_equal(client.reply.section.section.protection, VMSECT_PROT_READWRITE);
	assert_int_equal(munmap(memory, 4096), 0);
	/* Readers and copiers do not. */
	assert_int_equal(wire_open(&other, "s", READ), 0);
	assert_int_equal(wire_map(&other, other.reply.handle.handle, VMSECT_PROT_WRITECOPY, 0, 0),
			 0);
	assert_int_equal(wire_seal(&client, 1), 0);
	wire_close(&client);
	wire_close(&other);
}

/* An offer of what nobody can have ends; one to read stays. */
static void test_offers(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client, other;
	uint64_t writes, reads;

	join(f, &client, VMSECT_PROT_READWRITE);
	wire_join(&other, f->socket_path, "other", VMSECT_PEER_PROCESS);
	assert_int_equal(wire_pass(&client, 1, other.peer, READ | WRITE, 0), 0);
	writes = client.reply.pass.offer;
	assert_int_equal(wire_pass(&client, 1, other.peer, READ, 0), 0);
	reads = client.reply.pass.offer;
	assert_int_equal(wire_seal(&client, 1), 0);
	assert_int_equal(wire_accept(&other, writes), -ENOENT);
	assert_int_equal(wire_accept(&other, reads), 0);
	wire_close(&client);
	wire_close(&other);
}

static void test_executable(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client;

	join(f, &client, VMSECT_PROT_EXECUTE_READWRITE);
	assert_int_equal(wire_seal(&client, 1), 0);
	assert_int_equal(wire_query(&client, 1), 0);
	assert_int_equal(client.reply.section.section.protection, VMSECT_PROT_EXECUTE_READ);
	assert_int_equal(wire_open(&client, "s", READ | VMSECT_ACCESS_EXECUTE), 0);
	assert_int_equal(wire_map(&client, 2, VMSECT_PROT_EXECUTE_READ, 0, 0), 0);
	wire_close(&client);
}

static struct huge_pages huge = HUGE_PAGES_NONE;

static void test_huge_pages(void **state)
{
	struct broker_fixture *f = *state;
	const struct wire_create create = {
		.name = "h",
		.backing = VMSECT_BACKING_HUGETLB,
		.protection = VMSECT_PROT_READWRITE,
		.size_bytes = 2u << 20,
		.access = READ | WRITE | GRANT,
		.flags = VMSECT_CREATE_SEALABLE,
		.mode = 0600,
	};
	struct wire_client client;
	AUTO_FD int fd = -1;

	if (!huge_pages_take(&huge, 1))
		skip();
	wire_join(&client, f->socket_path, "writer", VMSECT_PEER_PROCESS);
	assert_int_equal(wire_create(&client, &create), 0);
	fd = steal_fd(&client.reply_fd);
	assert_int_equal(wire_seal(&client, 1), 0);
	assert_ptr_equal(mmap(NULL, 2u << 20, PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	wire_close(&client);
}

static int teardown(void **state)
{
	huge_pages_give_back(&huge);
	return broker_teardown(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, broker_setup, broker_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sealed_is_for_ever),
		TEST(test_sealed_again),
		TEST(test_rights_and_kinds),
		TEST(test_writers_stand_in_the_way),
		TEST(test_offers),
		TEST(test_executable),
		cmocka_unit_test_setup_teardown(test_huge_pages, broker_setup, teardown),
	};

	(void)alarm(110); /* the huge pages may be in use by another test for a while */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
