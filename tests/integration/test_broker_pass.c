/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Handles that are duplicated and passed: never with more than there was, and never for longer. */
#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/broker_fixture.h"
#include "lib/wire_client.h"

#define READ VMSECT_ACCESS_READ
#define WRITE VMSECT_ACCESS_WRITE
#define QUERY VMSECT_ACCESS_QUERY

#define SOON_MS 1000 /* for what a test does before */
#define OTHER_UID 4002

/* The first client has handle 1 on section "s" with READ, WRITE and QUERY. */
static void join_two(struct broker_fixture *f, struct wire_client *a, struct wire_client *b)
{
	wire_join(a, f->socket_path, "a", VMSECT_PEER_PROCESS);
	wire_join(b, f->socket_path, "b", VMSECT_PEER_VM);
	assert_int_equal(wire_create_shmem(a, "s", READ | WRITE | QUERY), 0);
}

static void test_duplicate(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client client;

	wire_join(&client, f->socket_path, "a", VMSECT_PEER_PROCESS);
	assert_int_equal(wire_create_shmem(&client, "s", READ | WRITE | QUERY), 0);
	assert_int_equal(wire_duplicate(&client, 1, READ), 0);
	assert_int_equal(client.reply.handle.handle, 2);
	assert_int_equal(fcntl(client.reply_fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(wire_map(&client, 2, VMSECT_PROT_READWRITE, 0, 0), -EPERM);
	assert_int_equal(wire_map(&client, 2, VMSECT_PROT_READONLY, 0, 0), 0);
	assert_int_equal(wire_query(&client, 2), -EPERM);
	assert_int_equal(wire_duplicate(&client, 2, READ | WRITE), -EPERM);
	assert_int_equal(client.reply.hdr.detail, VMSECT_DETAIL_ACCESS);
	assert_int_equal(wire_duplicate(&client, 1, VMSECT_ACCESS_GRANT), -EPERM);
	assert_int_equal(wire_duplicate(&client, 1, 0x80), -EINVAL);
	assert_int_equal(wire_duplicate(&client, 9, READ), -EBADF);
	/* One without rights cannot even map noaccess. */
	assert_int_equal(wire_duplicate(&client, 1, 0), 0);
	assert_int_equal(client.reply.handle.handle, 3);
	assert_int_equal(client.reply_fd, -1);
	assert_int_equal(wire_map(&client, 3, VMSECT_PROT_NOACCESS, 0, 0), -EPERM);
	/* It keeps the name as any handle does. */
	assert_int_equal(wire_close_handle(&client, 1), 0);
	assert_int_equal(wire_close_handle(&client, 2), 0);
	assert_int_equal(wire_open(&client, "s", READ), 0);
	wire_close(&client);
}

static void test_pass_and_accept(void **state)
{
	struct broker_fixture *f = *state;
	struct vmsect_msg_event event;
	struct wire_client a, b;
	uint64_t offer;

	join_two(f, &a, &b);
	assert_int_equal(wire_pass(&a, 1, b.peer, READ, UINT64_MAX), 0);
	offer = a.reply.pass.offer;
	event = wire_expect_event(&b, VMSECT_WIRE_EVENT_OFFERED);
	assert_int_equal(event.value, offer);
	assert_int_equal(event.peer, a.peer);
	assert_int_equal(event.length, READ);
	assert_int_equal(event.section, 1);
	assert_int_equal(wire_accept(&a, offer), -ENOENT); /* not for him */
	assert_int_equal(wire_accept(&b, offer + 1), -ENOENT);
	assert_int_equal(wire_accept(&b, offer), 0);
	assert_int_equal(b.reply.handle.handle, 1);
	assert_string_equal(b.reply.handle.section.name, "s");
	assert_int_equal(fcntl(b.reply_fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(wire_accept(&b, offer), -ENOENT); /* once */
	assert_int_equal(wire_map(&b, 1, VMSECT_PROT_READWRITE, 0, 0), -EPERM);
	assert_int_equal(wire_map(&b, 1, VMSECT_PROT_READONLY, 0, 0), 0);
	/* What b was given does not end with a. */
	wire_close(&a);
	(void)wire_expect_event(&b, VMSECT_WIRE_EVENT_PEER_LEFT);
	assert_int_equal(wire_duplicate(&b, 1, READ), 0);
	wire_close(&b);
}

static void test_refusals(void **state)
{
	struct broker_fixture *f = *state;
	struct vmsect_msg_event event;
	struct wire_client a, b;

	join_two(f, &a, &b);
	assert_int_equal(wire_pass(&a, 1, b.peer, 0, 0), -EINVAL);
	assert_int_equal(a.reply.hdr.detail, VMSECT_DETAIL_ACCESS);
	assert_int_equal(wire_pass(&a, 1, b.peer, 0x80, 0), -EINVAL);
	assert_int_equal(wire_pass(&a, 2, b.peer, READ, 0), -EBADF);
	assert_int_equal(wire_pass(&a, 1, b.peer, VMSECT_ACCESS_GRANT, 0), -EPERM);
	assert_int_equal(wire_pass(&a, 1, 77, READ, 0), -ENXIO);
	assert_int_equal(wire_pass(&a, 1, 0, READ, 0), -ENXIO);
	assert_int_equal(wire_accept(&b, 0), -ENOENT);
	assert_false(wire_next_event(&b, &event, 0));
	wire_close(&a);
	wire_close(&b);
}

/* An offer ends with whoever made it, and with the section. */
static void test_offers_end(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client a, b;
	uint64_t offer;

	join_two(f, &a, &b);
	assert_int_equal(wire_pass(&a, 1, b.peer, READ, 0), 0);
	offer = a.reply.pass.offer;
	assert_int_equal(wire_close_handle(&a, 1), 0); /* the section's last */
	assert_int_equal(wire_accept(&b, offer), -ENOENT);
	assert_int_equal(wire_create_shmem(&b, "t", READ), 0);
	assert_int_equal(wire_open(&a, "t", READ), 0);
	assert_int_equal(wire_pass(&a, a.reply.handle.handle, b.peer, READ, 0), 0);
	offer = a.reply.pass.offer;
	wire_close(&a);
	(void)wire_expect_event(&b, VMSECT_WIRE_EVENT_PEER_LEFT);
	assert_int_equal(wire_accept(&b, offer), -ENOENT);
	wire_close(&b);
}

/* So many handles and this view, in any order. */
static void expect_revoked(struct wire_client *client, unsigned int handles, uint64_t view)
{
	struct vmsect_msg_event event;
	bool seen = false;

	while (handles || !seen) {
		assert_true(wire_next_event(client, &event, 10000));
		if (event.type == VMSECT_WIRE_EVENT_REVOKE_VIEW) {
			assert_int_equal(event.view, view);
			seen = true;
		} else if (event.type == VMSECT_WIRE_EVENT_REVOKE_HANDLE) {
			assert_true(event.value == 1 || event.value == 2);
			handles--;
		}
	}
}

/* Offer, handle and views end at the time that was given at the pass. */
static void test_expiry(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client a, b;
	uint64_t view;

	join_two(f, &a, &b);
	assert_int_equal(wire_pass(&a, 1, b.peer, READ | QUERY, SOON_MS), 0);
	assert_int_equal(wire_accept(&b, a.reply.pass.offer), 0);
	assert_int_equal(wire_map(&b, 1, VMSECT_PROT_READONLY, 0, 0), 0);
	view = b.reply.map.view;
	assert_int_equal(wire_duplicate(&b, 1, READ), 0); /* lives no longer */
	expect_revoked(&b, 2, view);
	(void)wire_expect_event(&a, VMSECT_WIRE_EVENT_PEER_LEFT);
	assert_int_equal(wire_query(&b, 1), -EBADF);
	assert_int_equal(b.reply.hdr.detail, VMSECT_DETAIL_REVOKED);
	assert_int_equal(wire_duplicate(&b, 2, READ), -EBADF);
	assert_int_equal(wire_protect(&b, view, 0, 0, VMSECT_PROT_NOACCESS), -ENXIO);
	assert_int_equal(b.reply.hdr.detail, VMSECT_DETAIL_REVOKED);
	assert_int_equal(wire_revoked(&b, view), 0);
	assert_int_equal(wire_close_handle(&b, 1), 0);
	assert_int_equal(wire_close_handle(&b, 1), -EBADF);
	assert_int_equal(b.reply.hdr.detail, VMSECT_DETAIL_HANDLE);
	wire_close(&a);
	wire_close(&b);
}

/* What expires is not passed on for ever. */
static void test_expiry_is_handed_on(void **state)
{
	struct broker_fixture *f = *state;
	struct wire_client a, b, c;
	uint64_t offer;

	join_two(f, &a, &b);
	wire_join(&c, f->socket_path, "c", VMSECT_PEER_PROCESS);
	assert_int_equal(wire_pass(&a, 1, b.peer, READ, SOON_MS), 0);
	assert_int_equal(wire_accept(&b, a.reply.pass.offer), 0);
	assert_int_equal(wire_pass(&b, 1, c.peer, READ, 0), 0);
	offer = b.reply.pass.offer;
	assert_int_equal(wire_accept(&c, offer), 0);
	assert_int_equal(wire_pass(&b, 1, c.peer, READ, UINT64_MAX), 0);
	offer = b.reply.pass.offer;
	assert_int_equal(wire_expect_event(&c, VMSECT_WIRE_EVENT_REVOKE_HANDLE).value, 1);
	assert_int_equal(wire_accept(&c, offer), -ENOENT);
	wire_close(&a);
	wire_close(&b);
	wire_close(&c);
}

/* Offers are charged to the sender, and one that expires makes room. */
static void test_limit(void **state)
{
	struct broker_fixture *f = *state;
	const char *const args[] = { "--limit", "user.offers=2", NULL };
	struct wire_client a, b;

	broker_fixture_stop(f);
	broker_fixture_start(f, args);
	join_two(f, &a, &b);
	assert_int_equal(wire_pass(&a, 1, b.peer, READ, 0), 0);
	assert_int_equal(wire_pass(&a, 1, b.peer, READ, 0), 0);
	assert_int_equal(wire_pass(&a, 1, b.peer, READ, 0), -EDQUOT);
	assert_int_equal(a.reply.hdr.detail, VMSECT_DETAIL_LIMIT);
	assert_int_equal(wire_accept(&b, 1), 0);
	assert_int_equal(wire_pass(&a, 1, b.peer, READ, 0), 0);
	wire_close(&a);
	wire_close(&b);
}

/* An anonymous section has no other way, and no mode stands in it. */
static void test_other_users(void **state)
{
	struct broker_fixture *f = *state;
	const struct wire_create create = {
		.backing = VMSECT_BACKING_SHMEM,
		.protection = VMSECT_PROT_READWRITE,
		.size_bytes = 4096,
		.access = READ | WRITE,
		.mode = 0,
	};
	struct wire_client a, b;

	if (geteuid()) {
		print_message("needs root, to become another user\n");
		skip();
	}
	broker_fixture_open_to_all(f);
	wire_join(&a, f->socket_path, "a", VMSECT_PEER_PROCESS);
	wire_join_as(&b, f->socket_path, "b", VMSECT_PEER_PROCESS, OTHER_UID);
	assert_int_equal(wire_create(&a, &create), 0);
	assert_int_equal(wire_list(&b, VMSECT_OP_LIST_SECTIONS, 0, 0), 0);
	assert_int_equal(b.reply.list.count, 0);
	assert_int_equal(wire_pass(&a, 1, b.peer, READ | WRITE, 0), 0);
	assert_int_equal(wire_accept(&b, a.reply.pass.offer), 0);
	assert_int_equal(fcntl(b.reply_fd, F_GETFL) & O_ACCMODE, O_RDWR);
	assert_int_equal(wire_list(&b, VMSECT_OP_LIST_SECTIONS, 0, 0), 0);
	assert_int_equal(b.reply.list.count, 1);
	wire_close(&a);
	wire_close(&b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, broker_setup, broker_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_duplicate),  TEST(test_pass_and_accept), TEST(test_refusals),
		TEST(test_offers_end), TEST(test_expiry),	   TEST(test_expiry_is_handed_on),
		TEST(test_limit),      TEST(test_other_users),
	};

	(void)alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
