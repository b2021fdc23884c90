/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sections by the wire: create, open, close, remove, query, list; names and rights. */
#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lib/broker_fixture.h"
#include "lib/wire_client.h"

#define RW (VMSECT_ACCESS_QUERY | VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE)

static const struct wire_create good = {
	.name = "s",
	.backing = VMSECT_BACKING_SHMEM,
	.protection = VMSECT_PROT_READWRITE,
	.size_bytes = 5000,
	.access = RW,
	.mode = 0600,
};

static void join(struct broker_fixture *f, struct wire_client *client)
{
	wire_join(client, f->socket_path, "client", VMSECT_PEER_PROCESS);
}

static void expect_create(struct wire_client *client, const struct wire_create *create, int status,
			  uint32_t detail)
{
	assert_int_equal(wire_create(client, create), status);
	assert_int_equal(client->reply.hdr.detail, detail);
	assert_int_equal(client->reply_fd, -1);
}

static void test_refused_creations(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client;
	struct wire_create wrong;

#define REFUSED(field, value, status, detail)                                                      \
	do {                                                                                       \
		wrong = good;                                                                      \
		wrong.field = (value);                                                             \
		expect_create(&client, &wrong, status, detail);                                    \
	} while (0)

	join(f, &client);
	REFUSED(backing, 0, -EINVAL, VMSECT_DETAIL_ATTR);
	REFUSED(backing, 5, -EINVAL, VMSECT_DETAIL_ATTR);
	REFUSED(backing, VMSECT_BACKING_DIRECTORY, -EOPNOTSUPP, VMSECT_DETAIL_ATTR);
	REFUSED(page_shift, 12, -EINVAL, VMSECT_DETAIL_ATTR);
	REFUSED(flags, VMSECT_CREATE_COMMIT | VMSECT_CREATE_EXACT | 0x100, -EINVAL,
		VMSECT_DETAIL_ATTR);
	REFUSED(flags, VMSECT_CREATE_EXACT, -EINVAL, VMSECT_DETAIL_ATTR);
	REFUSED(flags, VMSECT_CREATE_COMMIT | VMSECT_CREATE_RESERVE, -EINVAL, VMSECT_DETAIL_ATTR);
	REFUSED(flags, VMSECT_CREATE_RESERVE | VMSECT_CREATE_ALLOCATE, -EINVAL, VMSECT_DETAIL_ATTR);
	REFUSED(mode, 01000, -EINVAL, VMSECT_DETAIL_ATTR);
	REFUSED(protection, 0, -EINVAL, VMSECT_DETAIL_PROTECTION);
	REFUSED(protection, VMSECT_PROT_NOACCESS, -EINVAL, VMSECT_DETAIL_PROTECTION);
	REFUSED(protection, 9, -EINVAL, VMSECT_DETAIL_PROTECTION);
	REFUSED(access, 0, -EINVAL, VMSECT_DETAIL_ACCESS);
	REFUSED(access, 0x80, -EINVAL, VMSECT_DETAIL_ACCESS);
	REFUSED(max_bytes, 4096, -EINVAL, VMSECT_DETAIL_SIZE);
	REFUSED(max_bytes, UINT64_MAX, -EFBIG, VMSECT_DETAIL_SIZE);
	REFUSED(size_bytes, 0, -EINVAL, VMSECT_DETAIL_SIZE);
	REFUSED(size_bytes, UINT64_MAX, -EFBIG, VMSECT_DETAIL_SIZE);
	REFUSED(size_bytes, UINT64_C(1) << 45, -EDQUOT, VMSECT_DETAIL_LIMIT);
	wrong = good;
	wrong.name = NULL;
	wrong.flags = VMSECT_CREATE_PERMANENT;
	expect_create(&client, &wrong, -EINVAL, VMSECT_DETAIL_ATTR);
	wrong.flags = VMSECT_CREATE_OPEN_IF;
	expect_create(&client, &wrong, -EINVAL, VMSECT_DETAIL_ATTR);
	wrong = good;
	wrong.backing = VMSECT_BACKING_HUGETLB;
	wrong.page_shift = 30;
	expect_create(&client, &wrong, -EINVAL, VMSECT_DETAIL_ATTR);
	assert_int_equal(wire_list(&client, VMSECT_OP_LIST_SECTIONS, 0, 0), 0);
	assert_int_equal(client.reply.list.count, 0);
	wire_close(&client);
}

static void test_what_a_section_is(void **state)
{
	struct broker_fixture *f = *state;
	const struct vmsect_wire_section *section;
	struct wire_client client;
	struct stat st;

	join(f, &client);
	assert_int_equal(wire_create(&client, &good), 0);
	assert_int_equal(client.reply.handle.existed, 0);
	section = &client.reply.handle.section;
	assert_int_equal(section->id, 1);
	assert_int_equal(section->size_bytes, 8192);
	assert_int_equal(section->backing, VMSECT_BACKING_SHMEM);
	assert_int_equal(section->protection, VMSECT_PROT_READWRITE);
	assert_int_equal(section->flags, 0);
	assert_int_equal(section->page_shift, 12);
	assert_int_equal(section->uid, geteuid());
	assert_int_equal(section->gid, getegid());
	assert_int_equal(section->mode, 0600);
	assert_int_equal(section->handles, 1);
	assert_int_equal(section->views, 0);
	assert_int_equal(section->reserved, 0);
	assert_string_equal(section->name, "s");
	assert_string_equal(section->path, "");
	assert_true(client.reply_fd >= 0);
	assert_int_equal(fstat(client.reply_fd, &st), 0);
	assert_int_equal(st.st_size, 8192);
	assert_int_equal(pwrite(client.reply_fd, "x", 1, 0), 1);
	assert_int_equal(wire_query(&client, 1), 0);
	assert_int_equal(client.reply.section.section.allocated_bytes, 4096);
	wire_close(&client);
}

static void test_two_clients_share_memory(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client writer, reader;
	char bytes[4];

	join(f, &writer);
	join(f, &reader);
	assert_int_equal(wire_create(&writer, &good), 0);
	assert_int_equal(pwrite(writer.reply_fd, "same", 4, 5000), 4);
	assert_int_equal(wire_open(&reader, "s", VMSECT_ACCESS_READ), 0);
	assert_int_equal(pread(reader.reply_fd, bytes, 4, 5000), 4);
	assert_memory_equal(bytes, "same", 4);
	assert_int_equal(reader.reply.handle.section.handles, 2);
	wire_close(&writer);
	wire_close(&reader);
}

static void test_refused_opens(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_create readonly = good;
	struct wire_client client;

	join(f, &client);
	assert_int_equal(wire_open(&client, "none", VMSECT_ACCESS_READ), -ENOENT);
	assert_int_equal(client.reply.hdr.detail, VMSECT_DETAIL_NAME);
	readonly.protection = VMSECT_PROT_READONLY;
	readonly.access = VMSECT_ACCESS_READ;
	assert_int_equal(wire_create(&client, &readonly), 0);
	assert_int_equal(wire_open(&client, "s", 0), -EINVAL);
	assert_int_equal(client.reply.hdr.detail, VMSECT_DETAIL_ACCESS);
	assert_int_equal(wire_open(&client, "S", VMSECT_ACCESS_READ), -ENOENT); /* case counts */
	wire_close(&client);
}

static void test_handles(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client, other;
	uint32_t handle;

	join(f, &client);
	join(f, &other);
	assert_int_equal(wire_create_shmem(&client, "s", VMSECT_ACCESS_READ), 0);
	handle = client.reply.handle.handle;
	assert_int_equal(wire_query(&client, handle), -EPERM);
	assert_int_equal(client.reply.hdr.detail, VMSECT_DETAIL_ACCESS);
	assert_int_equal(wire_query(&client, 0), -EBADF);
	assert_int_equal(wire_query(&client, handle + 1), -EBADF);
	assert_int_equal(client.reply.hdr.detail, VMSECT_DETAIL_HANDLE);
	assert_int_equal(wire_query(&other, handle), -EBADF); /* of its connection alone */
	assert_int_equal(wire_close_handle(&other, handle), -EBADF);
	assert_int_equal(wire_close_handle(&client, handle), 0);
	assert_int_equal(wire_close_handle(&client, handle), -EBADF);
	wire_close(&client);
	wire_close(&other);
}

static void test_open_if(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_create create = good;
	struct wire_client client;
	uint64_t id;

	join(f, &client);
	assert_int_equal(wire_create(&client, &create), 0);
	id = client.reply.handle.section.id;
	expect_create(&client, &create, -EEXIST, VMSECT_DETAIL_NAME);
	create.flags = VMSECT_CREATE_OPEN_IF;
	create.size_bytes = 1u << 20;
	create.protection = VMSECT_PROT_READONLY;
	create.access = VMSECT_ACCESS_READ;
	assert_int_equal(wire_create(&client, &create), 0);
	assert_int_equal(client.reply.handle.existed, 1);
	assert_int_equal(client.reply.handle.section.id, id);
	assert_int_equal(client.reply.handle.section.size_bytes, 8192); /* the old one wins */
	assert_int_equal(client.reply.handle.section.protection, VMSECT_PROT_READWRITE);
	assert_int_equal(client.reply.handle.section.handles, 2);
	create.name = "t";
	assert_int_equal(wire_create(&client, &create), 0);
	assert_int_equal(client.reply.handle.existed, 0);
	wire_close(&client);
}

/* Temporary names go with the last handle, even though a view lives. */
static void test_names_of_temporary_sections(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client;
	uint64_t id, view;

	join(f, &client);
	assert_int_equal(wire_create(&client, &good), 0);
	id = client.reply.handle.section.id;
	assert_int_equal(wire_map(&client, 1, VMSECT_PROT_READONLY, 0, 0), 0);
	view = client.reply.map.view;
	assert_int_equal(wire_close_handle(&client, 1), 0);
	assert_int_equal(wire_open(&client, "s", VMSECT_ACCESS_READ), -ENOENT);
	assert_int_equal(wire_list(&client, VMSECT_OP_LIST_SECTIONS, 0, 0), 0);
	assert_int_equal(client.reply.list.count, 1);
	assert_int_equal(wire_listed_section(&client, 0)->id, id);
	assert_string_equal(wire_listed_section(&client, 0)->name, "");
	assert_int_equal(wire_listed_section(&client, 0)->views, 1);
	assert_int_equal(wire_create(&client, &good), 0); /* unrelated */
	assert_int_not_equal(client.reply.handle.section.id, id);
	assert_int_equal(wire_unmap(&client, view), 0);
	assert_int_equal(wire_list(&client, VMSECT_OP_LIST_SECTIONS, 0, 0), 0);
	assert_int_equal(client.reply.list.count, 1);
	wire_close(&client);
}

static void test_permanent_and_remove(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_create create = good;
	struct wire_client client;
	uint64_t id;

	create.flags = VMSECT_CREATE_PERMANENT;
	join(f, &client);
	assert_int_equal(wire_create(&client, &create), 0);
	id = client.reply.handle.section.id;
	assert_int_equal(client.reply.handle.section.flags, VMSECT_SECTION_PERMANENT);
	assert_int_equal(pwrite(client.reply_fd, "kept", 4, 0), 4);
	wire_close(&client);
	join(f, &client);
	assert_int_equal(wire_remove(&client, "none"), -ENOENT);
	assert_int_equal(wire_open(&client, "s", VMSECT_ACCESS_READ | VMSECT_ACCESS_QUERY), 0);
	assert_int_equal(client.reply.handle.section.id, id);
	assert_int_equal(wire_remove(&client, "s"), 0);
	assert_int_equal(wire_remove(&client, "s"), -ENOENT);
	/* The handle lives on, without name and permanence. */
	assert_int_equal(wire_query(&client, 1), 0);
	assert_int_equal(client.reply.section.section.flags, 0);
	assert_string_equal(client.reply.section.section.name, "");
	assert_true(client.reply.section.section.generation > 1);
	assert_int_equal(wire_close_handle(&client, 1), 0);
	assert_int_equal(wire_list(&client, VMSECT_OP_LIST_SECTIONS, 0, 0), 0);
	assert_int_equal(client.reply.list.count, 0);
	wire_close(&client);
}

/* More than one message holds, with entries that go while they are listed. */
static void test_long_lists(void **state)
{
	struct broker_fixture *f = *state;
	uint64_t after = 0;
	unsigned int total = 0;
	struct wire_client client;
	char name[16];
	uint32_t i, more;

	join(f, &client);
	for (i = 1; i <= 200; i++) {
		(void)snprintf(name, sizeof(name), "s%u", i);
		assert_int_equal(wire_create_shmem(&client, name, VMSECT_ACCESS_QUERY), 0);
	}
	do {
		assert_int_equal(wire_list(&client, VMSECT_OP_LIST_SECTIONS, after, 0), 0);
		more = client.reply.list.more;
		for (i = 0; i < client.reply.list.count; i++) {
			assert_true(wire_listed_section(&client, i)->id > after);
			after = wire_listed_section(&client, i)->id;
			total++;
		}
		/* The place where the list goes on goes itself. */
		assert_int_equal(wire_close_handle(&client, (uint32_t)after), 0);
	} while (more);
	assert_int_equal(total, 200);
	assert_int_equal(wire_list(&client, VMSECT_OP_LIST_SECTIONS, UINT64_MAX, 0), 0);
	assert_int_equal(client.reply.list.count, 0);
	assert_int_equal(client.reply.list.more, 0);
	wire_close(&client);
}

static void test_list_by_name(void **state)
{
	struct broker_fixture *f = *state;
	struct vmsect_req_list list = { .name = "b" };
	struct wire_client client;

	join(f, &client);
	assert_int_equal(wire_create_shmem(&client, "a", VMSECT_ACCESS_QUERY), 0);
	assert_int_equal(wire_call(&client, VMSECT_OP_LIST_SECTIONS, &list, sizeof(list)), -ENOENT);
	assert_int_equal(wire_create_shmem(&client, "b", VMSECT_ACCESS_QUERY), 0);
	assert_int_equal(wire_call(&client, VMSECT_OP_LIST_SECTIONS, &list, sizeof(list)), 0);
	assert_int_equal(client.reply.list.count, 1);
	assert_string_equal(wire_listed_section(&client, 0)->name, "b");
	wire_close(&client);
}

static void test_data_file(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_create create = good;
	struct wire_client client;
	char path[100];
	int fds[2];

	(void)snprintf(path, sizeof(path), "%s/data", f->folder);
	fds[1] = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	fds[0] = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fds[0] >= 0 && fds[1] >= 0);
	join(f, &client);
	create.backing = VMSECT_BACKING_FILE;
	create.fds = fds;
	create.nfds = 2;
	create.size_bytes = 0;
	expect_create(&client, &create, -ENODATA, VMSECT_DETAIL_SIZE);
	create.size_bytes = 12345;
	assert_int_equal(wire_create(&client, &create), 0);
	assert_int_equal(client.reply.handle.section.size_bytes, 12345);
	assert_string_equal(client.reply.handle.section.path, path);
	assert_int_equal(pwrite(client.reply_fd, "file", 4, 12341), 4);
	assert_int_equal(pread(fds[0], path, 4, 12341), 4);
	assert_memory_equal(path, "file", 4);
	/* A view is measured in bytes, and rounded up. */
	assert_int_equal(wire_map(&client, 1, VMSECT_PROT_READWRITE, 12288, 58), -EINVAL);
	assert_int_equal(client.reply.hdr.detail, VMSECT_DETAIL_VIEW_SIZE);
	assert_int_equal(wire_map(&client, 1, VMSECT_PROT_READWRITE, 12288, 57), 0);
	assert_int_equal(client.reply.map.length, 4096);
	assert_int_equal(wire_open(&client, "s", VMSECT_ACCESS_READ), 0);
	assert_int_equal(fcntl(client.reply_fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	/* A name that is taken does not touch the file. */
	create.size_bytes = 99999;
	expect_create(&client, &create, -EEXIST, VMSECT_DETAIL_NAME);
	assert_int_equal(lseek(fds[0], 0, SEEK_END), 12345);
	wire_close(&client);
	fd_close(fds[0]);
	fd_close(fds[1]);
}

static void test_huge_pages(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_create create = good;
	struct wire_client client;
	int r;

	create.backing = VMSECT_BACKING_HUGETLB;
	create.size_bytes = 1;
	join(f, &client);
	r = wire_create(&client, &create);
	if (r == -ENOMEM) {
		assert_int_equal(client.reply.hdr.detail, VMSECT_DETAIL_HUGEPAGES);
		assert_non_null(strstr(wire_text(&client), "missing"));
		wire_close(&client);
		print_message("no free huge page: only the refusal was seen\n");
		return;
	}
	assert_int_equal(r, 0);
	assert_int_equal(client.reply.handle.section.size_bytes, 2u << 20);
	assert_int_equal(client.reply.handle.section.page_shift, 21);
	assert_int_equal(wire_map(&client, 1, VMSECT_PROT_READONLY, 4096, 0), -EINVAL);
	assert_int_equal(client.reply.hdr.detail, VMSECT_DETAIL_ALIGNMENT);
	assert_int_equal(wire_map(&client, 1, VMSECT_PROT_READONLY, 0, 1), 0);
	assert_int_equal(client.reply.map.length, 2u << 20);
	wire_close(&client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, broker_setup, broker_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_refused_creations),
		TEST(test_what_a_section_is),
		TEST(test_two_clients_share_memory),
		TEST(test_refused_opens),
		TEST(test_handles),
		TEST(test_open_if),
		TEST(test_names_of_temporary_sections),
		TEST(test_permanent_and_remove),
		TEST(test_long_lists),
		TEST(test_list_by_name),
		TEST(test_data_file),
		TEST(test_huge_pages),
	};

	(void)alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
