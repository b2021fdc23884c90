/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rights that are taken back while they are in use: what the broker does, what
 * it asks the client to do, and clients that do not.  Other users need root.
 */
#include "lib/check.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/broker_fixture.h"
#include "lib/wire_client.h"

#define OWNER_UID 4001
#define OTHER_UID 4002
#define THIRD_UID 4003

#define READ VMSECT_ACCESS_READ
#define WRITE VMSECT_ACCESS_WRITE
#define QUERY VMSECT_ACCESS_QUERY
#define GRANT VMSECT_ACCESS_GRANT

struct people {
	struct wire_client owner, other;
};

/* The owner's handle 1 may all; the other one was granted READ, WRITE and QUERY. */
static void people_init(struct people *p, struct broker_fixture *f)
{
	const struct wire_grant grant = {
		.grantee = VMSECT_GRANTEE_UID,
		.id = OTHER_UID,
		.access = READ | WRITE | QUERY,
	};

	broker_fixture_open_to_all(f);
	wire_join_as(&p->owner, f->socket_path, "owner", VMSECT_PEER_PROCESS, OWNER_UID);
	wire_join_as(&p->other, f->socket_path, "other", VMSECT_PEER_VM, OTHER_UID);
	assert_int_equal(wire_create_shmem(&p->owner, "s", READ | WRITE | QUERY | GRANT), 0);
	assert_int_equal(wire_grant(&p->owner, 1, &grant), 0);
}

static void people_close(struct people *p)
{
	wire_close(&p->owner);
	wire_close(&p->other);
}

static void need_root(void)
{
	if (geteuid()) {
		print_message("needs root, to become another user\n");
		skip();
	}
}

/* Revokes what the other one has beyond `access`, and expects so many to go. */
static void narrow(struct people *p, uint32_t access, uint32_t handles, uint32_t views)
{
	const struct wire_grant grant = {
		.grantee = VMSECT_GRANTEE_UID,
		.id = OTHER_UID,
		.access = access,
		.flags = VMSECT_GRANT_REVOKE,
	};

	assert_int_equal(wire_grant(&p->owner, 1, &grant), 0);
	assert_int_equal(p->owner.reply.grant.handles, handles);
	assert_int_equal(p->owner.reply.grant.views, views);
}

static uint64_t open_and_map(struct wire_client *client, uint32_t access, uint32_t protection)
{
	assert_int_equal(wire_open(client, "s", access), 0);
	assert_int_equal(wire_map(client, client->reply.handle.handle, protection, 0, 0), 0);
	return client->reply.map.view;
}

/* The flags of the view as the owner sees it, or -1. */
static int view_flags(struct people *p, uint64_t id)
{
	uint32_t i;

	assert_int_equal(wire_list(&p->owner, VMSECT_OP_LIST_VIEWS, 0, 0), 0);
	for (i = 0; i < p->owner.reply.list.count; i++) {
		if (wire_listed_view(&p->owner, i)->id == id)
			return (int)wire_listed_view(&p->owner, i)->flags;
	}
	return -1;
}

static void test_narrowing(void **state)
{
	static struct people p;
	uint64_t reads, writes;

	need_root();
	people_init(&p, *state);
	reads = open_and_map(&p.other, READ | QUERY, VMSECT_PROT_READONLY);
	writes = open_and_map(&p.other, READ | WRITE, VMSECT_PROT_READWRITE);
	narrow(&p, READ | QUERY, 1, 1);
	assert_int_equal(wire_expect_event(&p.other, VMSECT_WIRE_EVENT_REVOKE_VIEW).view, writes);
	assert_int_equal(wire_expect_event(&p.other, VMSECT_WIRE_EVENT_REVOKE_HANDLE).value, 2);
	assert_int_equal(view_flags(&p, reads), 0);
	assert_int_equal(view_flags(&p, writes), VMSECT_VIEW_REVOKED);
	assert_int_equal(wire_query(&p.other, 1), 0);
	assert_int_equal(wire_map(&p.other, 2, VMSECT_PROT_READONLY, 0, 0), -EBADF);
	assert_int_equal(p.other.reply.hdr.detail, VMSECT_DETAIL_REVOKED);
	/* The view is gone once its client says so, and only then. */
	assert_int_equal(wire_revoked(&p.other, reads), -EINVAL);
	assert_int_equal(p.other.reply.hdr.detail, VMSECT_DETAIL_STATE);
	assert_int_equal(wire_revoked(&p.owner, writes), -ENXIO);
	assert_int_equal(wire_revoked(&p.other, writes), 0);
	assert_int_equal(view_flags(&p, writes), -1);
	assert_int_equal(wire_revoked(&p.other, writes), -ENXIO);
	assert_int_equal(wire_unmap(&p.other, writes), -ENXIO);
	people_close(&p);
}

/* Every use of what was revoked, and the ways out. */
static void test_uses_of_what_was_revoked(void **state)
{
	static struct people p;
	struct vmsect_req_view_stats stats = { .denied_writes = 3 };
	uint64_t view;

	need_root();
	people_init(&p, *state);
	view = open_and_map(&p.other, READ | WRITE | QUERY, VMSECT_PROT_READWRITE);
	narrow(&p, 0, 1, 1);
	narrow(&p, 0, 0, 0); /* once */
	assert_int_equal(wire_query(&p.other, 1), -EBADF);
	assert_int_equal(wire_list_grants(&p.other, 1), -EBADF);
	assert_int_equal(wire_duplicate(&p.other, 1, READ), -EBADF);
	assert_int_equal(wire_pass(&p.other, 1, p.owner.peer, READ, 0), -EBADF);
	assert_int_equal(wire_seal(&p.other, 1), -EBADF);
	assert_int_equal(p.other.reply.hdr.detail, VMSECT_DETAIL_REVOKED);
	assert_int_equal(wire_protect(&p.other, view, 0, 0, VMSECT_PROT_NOACCESS), -ENXIO);
	assert_int_equal(p.other.reply.hdr.detail, VMSECT_DETAIL_REVOKED);
	stats.view = view; /* it still counts what is denied */
	assert_int_equal(wire_call(&p.other, VMSECT_OP_VIEW_STATS, &stats, sizeof(stats)), 0);
	assert_int_equal(wire_close_handle(&p.other, 1), 0);
	assert_int_equal(wire_close_handle(&p.other, 1), -EBADF);
	assert_int_equal(p.other.reply.hdr.detail, VMSECT_DETAIL_HANDLE);
	/* To unmap it is as good as to say that it has gone. */
	assert_int_equal(wire_unmap(&p.other, view), 0);
	assert_int_equal(view_flags(&p, view), -1);
	assert_int_equal(wire_open(&p.other, "s", READ), -EACCES);
	people_close(&p);
}

/* One who never answers keeps nothing but a line in the list, until he goes. */
static void test_client_that_does_not_answer(void **state)
{
	static struct people p;
	uint64_t view;

	need_root();
	people_init(&p, *state);
	view = open_and_map(&p.other, READ | WRITE, VMSECT_PROT_READWRITE);
	narrow(&p, 0, 1, 1);
	(void)wire_expect_event(&p.owner, VMSECT_WIRE_EVENT_PEER_LEFT);
	assert_int_equal(view_flags(&p, view), VMSECT_VIEW_REVOKED);
	/* A revoked handle is none: the name goes with the owner's. */
	assert_int_equal(wire_close_handle(&p.owner, 1), 0);
	assert_int_equal(wire_open(&p.owner, "s", READ), -ENOENT);
	wire_close(&p.other);
	do
		assert_int_equal(wire_list(&p.owner, VMSECT_OP_LIST_SECTIONS, 0, 0), 0);
	while (p.owner.reply.list.count);
	wire_close(&p.owner);
}

/* Views of handles that were closed go like others; the caller keeps his. */
static void test_views_without_a_handle(void **state)
{
	static struct people p;
	uint64_t view, own;

	need_root();
	people_init(&p, *state);
	view = open_and_map(&p.other, READ | WRITE, VMSECT_PROT_READONLY);
	own = open_and_map(&p.owner, READ | WRITE, VMSECT_PROT_READWRITE);
	assert_int_equal(wire_close_handle(&p.other, 1), 0);
	narrow(&p, READ, 0, 1); /* its handle could write */
	assert_int_equal(wire_expect_event(&p.other, VMSECT_WIRE_EVENT_REVOKE_VIEW).view, view);
	assert_int_equal(view_flags(&p, own), 0);
	people_close(&p);
}

static void test_taking_back(void **state)
{
	const struct wire_grant back = {
		.grantee = VMSECT_GRANTEE_UID,
		.id = OTHER_UID,
		.flags = VMSECT_GRANT_TAKE_BACK | VMSECT_GRANT_REVOKE,
	};
	static struct people p;

	need_root();
	people_init(&p, *state);
	(void)open_and_map(&p.other, READ, VMSECT_PROT_READONLY);
	assert_int_equal(wire_grant(&p.owner, 1, &back), 0);
	assert_int_equal(p.owner.reply.grant.handles, 1);
	assert_int_equal(p.owner.reply.grant.views, 1);
	assert_int_equal(wire_grant(&p.owner, 1, &back), -ENOENT);
	people_close(&p);
}

/* Of two users and a VM only the one whose entry it is; passed handles too. */
static void test_others_keep_theirs(void **state)
{
	struct broker_fixture *f = *state;
	struct vmsect_msg_event event;
	struct wire_client third;
	static struct people p;

	need_root();
	people_init(&p, f);
	wire_join_as(&third, f->socket_path, "third", VMSECT_PEER_PROCESS, THIRD_UID);
	assert_int_equal(wire_pass(&p.owner, 1, third.peer, READ | QUERY, 0), 0);
	assert_int_equal(wire_accept(&third, p.owner.reply.pass.offer), 0);
	assert_int_equal(wire_pass(&p.owner, 1, p.other.peer, READ | GRANT, 0), 0);
	assert_int_equal(wire_accept(&p.other, p.owner.reply.pass.offer), 0);
	narrow(&p, READ | WRITE | QUERY, 1, 0); /* what was passed is more than that */
	assert_int_equal(wire_query(&third, 1), 0);
	while (wire_next_event(&third, &event, 0))
		assert_int_not_equal(event.type, VMSECT_WIRE_EVENT_REVOKE_HANDLE);
	/* An entry for the third: then it is its turn. */
	assert_int_equal(wire_grant(&p.owner, 1,
				    &(struct wire_grant){ .grantee = VMSECT_GRANTEE_UID,
							  .id = THIRD_UID,
							  .flags = VMSECT_GRANT_REVOKE }),
			 0);
	assert_int_equal(p.owner.reply.grant.handles, 1);
	assert_int_equal(wire_query(&third, 1), -EBADF);
	wire_close(&third);
	people_close(&p);
}

/* Offers that wait are no way around a revocation. */
static void test_offers_that_wait(void **state)
{
	static struct people p;
	uint64_t from, to;

	need_root();
	people_init(&p, *state);
	assert_int_equal(wire_open(&p.other, "s", READ | WRITE), 0);
	assert_int_equal(wire_pass(&p.other, 1, p.other.peer, READ | WRITE, 0), 0);
	from = p.other.reply.pass.offer;
	assert_int_equal(wire_pass(&p.owner, 1, p.other.peer, READ, 0), 0);
	to = p.owner.reply.pass.offer;
	narrow(&p, QUERY, 1, 0);
	assert_int_equal(wire_accept(&p.other, from), -ENOENT);
	assert_int_equal(wire_accept(&p.other, to), -ENOENT);
	people_close(&p);
}

/* Opened, mapped and revoked again and again: nothing is left in the broker. */
static void test_storm(void **state)
{
	struct broker_fixture *f = *state;
	static struct people p;
	struct wire_client again;
	size_t fds;
	int i;

	need_root();
	people_init(&p, f);
	fds = broker_fixture_fds(f);
	for (i = 0; i < 200; i++) {
		narrow(&p, READ | WRITE, 0, 0);
		wire_join_as(&again, f->socket_path, "again", VMSECT_PEER_VM, OTHER_UID);
		(void)open_and_map(&again, READ | WRITE, VMSECT_PROT_READWRITE);
		(void)open_and_map(&again, READ, VMSECT_PROT_WRITECOPY);
		narrow(&p, i % 2 ? 0 : READ, i % 2 ? 2 : 1, i % 2 ? 2 : 1);
		wire_close(&again);
		while (p.owner.event_count)
			(void)wire_expect_event(&p.owner, p.owner.events[0].type);
		do
			assert_int_equal(wire_list(&p.owner, VMSECT_OP_LIST_PEERS, 0, 0), 0);
		while (p.owner.reply.list.count > 2);
	}
	assert_int_equal(wire_list(&p.owner, VMSECT_OP_LIST_VIEWS, 0, 0), 0);
	assert_int_equal(p.owner.reply.list.count, 0);
	assert_int_equal(broker_fixture_fds(f), fds);
	people_close(&p);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, broker_setup, broker_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_narrowing),
		TEST(test_uses_of_what_was_revoked),
		TEST(test_client_that_does_not_answer),
		TEST(test_views_without_a_handle),
		TEST(test_taking_back),
		TEST(test_others_keep_theirs),
		TEST(test_offers_that_wait),
		TEST(test_storm),
	};

	(void)alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
