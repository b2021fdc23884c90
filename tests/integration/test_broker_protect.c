/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * By the wire: flags and room of views, executable views, changes of the
 * protection of live views, and the limit of private pages.
 */
#include "lib/check.h"

#include <errno.h>
#include <unistd.h>

#include "lib/broker_fixture.h"
#include "lib/wire_client.h"

#define BYTES 65536u
#define ALL_BUT_GRANT (VMSECT_ACCESS_ALL & ~VMSECT_ACCESS_GRANT)

/* A client with one handle, number 1, on a section that may grow to twice its size. */
static void join(struct broker_fixture *f, struct wire_client *client, uint32_t protection,
		 uint32_t access)
{
	const struct wire_create create = {
		.name = "s",
		.backing = VMSECT_BACKING_SHMEM,
		.protection = protection,
		.size_bytes = BYTES,
		.max_bytes = 2 * BYTES,
		.access = access,
		.mode = 0600,
	};

	wire_join(client, f->socket_path, "viewer", VMSECT_PEER_PROCESS);
	assert_int_equal(wire_create(client, &create), 0);
}

static uint64_t map(struct wire_client *client, uint32_t protection)
{
	assert_int_equal(wire_map(client, 1, protection, 0, 0), 0);
	return client->reply.map.view;
}

static const struct vmsect_wire_view *only_view(struct wire_client *client)
{
	assert_int_equal(wire_list(client, VMSECT_OP_LIST_VIEWS, 0, 0), 0);
	assert_int_equal(client->reply.list.count, 1);
	return wire_listed_view(client, 0);
}

#define REFUSED(call, status, code)                                                                \
	do {                                                                                       \
		assert_int_equal(call, status);                                                    \
		assert_int_equal(client.reply.hdr.detail, VMSECT_DETAIL_##code);                   \
	} while (0)

static void test_executable_views(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client;
	uint32_t protection;

	join(f, &client, VMSECT_PROT_EXECUTE_READWRITE, ALL_BUT_GRANT);
	assert_int_not_equal(client.reply_fd, -1);
	for (protection = 1; protection <= VMSECT_PROT_EXECUTE_WRITECOPY; protection++)
		(void)map(&client, protection);
	assert_int_equal(wire_open(&client, "s", VMSECT_ACCESS_EXECUTE), 0);
	assert_int_not_equal(client.reply_fd, -1);
	assert_int_equal(wire_map(&client, 2, VMSECT_PROT_EXECUTE, 0, 0), 0);
	REFUSED(wire_map(&client, 2, VMSECT_PROT_EXECUTE_READ, 0, 0), -EPERM, ACCESS);
	REFUSED(wire_map(&client, 2, VMSECT_PROT_NOACCESS, 0, 0), -EPERM, ACCESS);
	wire_close(&client);
}

static void test_bound_is_that_of_the_mapping(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client, other;
	uint64_t view;

	join(f, &client, VMSECT_PROT_READWRITE, VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE);
	view = map(&client, VMSECT_PROT_READONLY);
	assert_int_equal(wire_protect(&client, view, 0, 0, VMSECT_PROT_WRITECOPY), 0);
	assert_int_equal(wire_protect(&client, view, 0, 0, VMSECT_PROT_NOACCESS), 0);
	assert_int_equal(wire_protect(&client, view, 0, 0, VMSECT_PROT_READONLY), 0);
	/* The handle could write, and the section: the view was not mapped so. */
	REFUSED(wire_protect(&client, view, 0, 0, VMSECT_PROT_READWRITE), -EACCES, PROTECTION);
	REFUSED(wire_protect(&client, view, 0, 0, VMSECT_PROT_EXECUTE_READ), -EACCES, PROTECTION);
	REFUSED(wire_protect(&client, view, 0, 0, 0), -EINVAL, PROTECTION);
	REFUSED(wire_protect(&client, view, 0, 0, 9), -EINVAL, PROTECTION);
	REFUSED(wire_protect(&client, view + 7, 0, 0, VMSECT_PROT_READONLY), -ENXIO, NONE);
	wire_join(&other, f->socket_path, "other", VMSECT_PEER_PROCESS);
	assert_int_equal(wire_protect(&other, view, 0, 0, VMSECT_PROT_NOACCESS), -ENXIO);
	assert_int_equal(only_view(&client)->protection, VMSECT_PROT_READONLY);
	wire_close(&other);
	wire_close(&client);
}

static void test_ranges_and_what_is_noted(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client;
	uint64_t view;

	join(f, &client, VMSECT_PROT_READWRITE, VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE);
	view = map(&client, VMSECT_PROT_READWRITE);
	assert_int_equal(only_view(&client)->protection_now, VMSECT_PROT_READWRITE);
	REFUSED(wire_protect(&client, view, BYTES, 0, VMSECT_PROT_READONLY), -EINVAL, RANGE);
	REFUSED(wire_protect(&client, view, 4096, BYTES, VMSECT_PROT_READONLY), -EINVAL, RANGE);
	REFUSED(wire_protect(&client, view, 4096, UINT64_MAX, VMSECT_PROT_READONLY), -EINVAL,
		RANGE);
	REFUSED(wire_protect(&client, view, UINT64_MAX, 1, VMSECT_PROT_READONLY), -EINVAL, RANGE);
	assert_int_equal(only_view(&client)->protection_now, VMSECT_PROT_READWRITE);
	assert_int_equal(wire_protect(&client, view, 4097, 1, VMSECT_PROT_READONLY), 0);
	assert_int_equal(only_view(&client)->protection_now, 0);
	/* Rounded out to pages this is all of it. */
	assert_int_equal(wire_protect(&client, view, 1, BYTES - 2, VMSECT_PROT_NOACCESS), 0);
	assert_int_equal(only_view(&client)->protection_now, VMSECT_PROT_NOACCESS);
	assert_int_equal(only_view(&client)->protection, VMSECT_PROT_READWRITE);
	wire_close(&client);
}

static void test_views_that_do_not_change(void **state)
{
	struct broker_fixture *f = *state;
	struct vmsect_req_map request = {
		.handle = 1,
		.protection = VMSECT_PROT_READWRITE,
		.flags = VMSECT_VIEW_NO_CHANGE,
	};
	struct wire_client client;
	uint64_t view;

	join(f, &client, VMSECT_PROT_READWRITE, VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE);
	assert_int_equal(wire_map_with(&client, &request), 0);
	view = client.reply.map.view;
	REFUSED(wire_protect(&client, view, 0, 0, VMSECT_PROT_READONLY), -EINVAL, PROTECTION);
	REFUSED(wire_protect(&client, view, 0, 4096, VMSECT_PROT_NOACCESS), -EINVAL, PROTECTION);
	assert_int_equal(wire_protect(&client, view, 0, 4096, VMSECT_PROT_READWRITE), 0);
	assert_int_equal(only_view(&client)->flags, VMSECT_VIEW_NO_CHANGE);
	wire_close(&client);
}

static void test_growable_views(void **state)
{
	struct broker_fixture *f = *state;
	struct vmsect_req_map request = {
		.handle = 1,
		.protection = VMSECT_PROT_READONLY,
		.flags = VMSECT_VIEW_GROWABLE,
		.length = 2 * BYTES,
		.room = 2 * BYTES,
	};
	struct wire_client client;

	join(f, &client, VMSECT_PROT_READWRITE, VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE);
	assert_int_equal(wire_map_with(&client, &request), 0);
	assert_int_equal(client.reply.map.length, BYTES); /* what there is */
	assert_int_equal(only_view(&client)->room, 2 * BYTES);
	assert_int_equal(only_view(&client)->length, BYTES);
	assert_int_equal(only_view(&client)->flags, VMSECT_VIEW_GROWABLE);
	request.room = BYTES / 2;
	request.length = 0;
	REFUSED(wire_map_with(&client, &request), -EINVAL, VIEW_SIZE);
	request.room = 2 * BYTES + 1;
	REFUSED(wire_map_with(&client, &request), -EINVAL, ALIGNMENT);
	request.room = 0;
	REFUSED(wire_map_with(&client, &request), -EINVAL, VIEW_SIZE);
	request.room = 2 * BYTES;
	request.flags = 0;
	REFUSED(wire_map_with(&client, &request), -EINVAL, ATTR);
	request.flags = VMSECT_VIEW_REVOKED; /* not the client's to say */
	request.room = 0;
	REFUSED(wire_map_with(&client, &request), -EINVAL, ATTR);
	request.flags = 0x80000000;
	REFUSED(wire_map_with(&client, &request), -EINVAL, ATTR);
	wire_close(&client);
}

/* Sections that do not grow have no growable views. */
static void test_growable_views_of_others(void **state)
{
	struct broker_fixture *f = *state;
	struct vmsect_req_map request = {
		.protection = VMSECT_PROT_READONLY,
		.flags = VMSECT_VIEW_GROWABLE,
		.room = 2 * BYTES,
	};
	struct wire_create create = {
		.name = "fixed",
		.backing = VMSECT_BACKING_SHMEM,
		.protection = VMSECT_PROT_READWRITE,
		.size_bytes = BYTES,
		.access = VMSECT_ACCESS_READ,
		.mode = 0600,
	};
	struct wire_client client;

	wire_join(&client, f->socket_path, "viewer", VMSECT_PEER_PROCESS);
	assert_int_equal(wire_create(&client, &create), 0);
	request.handle = client.reply.handle.handle;
	REFUSED(wire_map_with(&client, &request), -EINVAL, ATTR);
	create.name = "readonly";
	create.protection = VMSECT_PROT_READONLY;
	assert_int_equal(wire_create(&client, &create), 0);
	request.handle = client.reply.handle.handle;
	REFUSED(wire_map_with(&client, &request), -EACCES, PROTECTION);
	wire_close(&client);
}

/* One page that is not committed: nothing changes. */
static void test_uncommitted_pages(void **state)
{
	struct broker_fixture *f = *state;
	const struct wire_create create = {
		.name = "s",
		.backing = VMSECT_BACKING_SHMEM,
		.protection = VMSECT_PROT_READWRITE,
		.size_bytes = BYTES,
		.access = VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE,
		.flags = VMSECT_CREATE_RESERVE,
		.mode = 0600,
	};
	struct vmsect_req_map request = {
		.handle = 1,
		.protection = VMSECT_PROT_READWRITE,
		.commit = 8192,
	};
	struct wire_client client;
	uint64_t view;

	wire_join(&client, f->socket_path, "viewer", VMSECT_PEER_PROCESS);
	assert_int_equal(wire_create(&client, &create), 0);
	assert_int_equal(wire_map_with(&client, &request), 0);
	view = client.reply.map.view;
	assert_int_equal(wire_protect(&client, view, 0, 8192, VMSECT_PROT_READONLY), 0);
	REFUSED(wire_protect(&client, view, 0, 8193, VMSECT_PROT_READONLY), -EINVAL, COMMIT);
	REFUSED(wire_protect(&client, view, 0, 0, VMSECT_PROT_NOACCESS), -EINVAL, COMMIT);
	request.commit = BYTES + 1;
	REFUSED(wire_map_with(&client, &request), -EINVAL, COMMIT);
	assert_int_equal(only_view(&client)->id, view);
	wire_close(&client);
}

static void test_private_limit(void **state)
{
	struct broker_fixture *f = *state;
	const char *const args[] = { "--limit", "user.private=98304", NULL };
	struct wire_client client;
	uint64_t copy, plain;

	broker_fixture_stop(f);
	broker_fixture_start(f, args);
	join(f, &client, VMSECT_PROT_READWRITE, VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE);
	copy = map(&client, VMSECT_PROT_WRITECOPY);
	plain = map(&client, VMSECT_PROT_READWRITE);
	REFUSED(wire_map(&client, 1, VMSECT_PROT_WRITECOPY, 0, 0), -EDQUOT, LIMIT);
	REFUSED(wire_protect(&client, plain, 0, 4096, VMSECT_PROT_WRITECOPY), -EDQUOT, LIMIT);
	assert_int_equal(wire_map(&client, 1, VMSECT_PROT_WRITECOPY, 0, 32768), 0);
	/* What comes to copy later is charged then, once; unmapping gives it back. */
	assert_int_equal(wire_unmap(&client, copy), 0);
	assert_int_equal(wire_protect(&client, plain, 0, 4096, VMSECT_PROT_WRITECOPY), 0);
	assert_int_equal(wire_protect(&client, plain, 0, 0, VMSECT_PROT_WRITECOPY), 0);
	REFUSED(wire_map(&client, 1, VMSECT_PROT_WRITECOPY, 0, 4096), -EDQUOT, LIMIT);
	assert_int_equal(wire_unmap(&client, plain), 0);
	assert_int_equal(wire_map(&client, 1, VMSECT_PROT_WRITECOPY, 0, 0), 0);
	wire_close(&client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, broker_setup, broker_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_executable_views),	     TEST(test_bound_is_that_of_the_mapping),
		TEST(test_ranges_and_what_is_noted), TEST(test_views_that_do_not_change),
		TEST(test_growable_views),	     TEST(test_growable_views_of_others),
		TEST(test_uncommitted_pages),	     TEST(test_private_limit),
	};

	(void)alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
