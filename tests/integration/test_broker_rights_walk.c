/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clients of three users that do anything with their and each other's numbers:
 * the broker answers each request, keeps no view for who has no handle's worth
 * of rights, and is empty when they have gone.  Needs root.
 */
#include "lib/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/broker_fixture.h"
#include "lib/wire_client.h"

#define CLIENTS 4
#define STEPS 60000
#define FIRST_UID 4001
#define NUMBERS 12 /* handles, views, offers and peers are drawn from so many */

struct walk {
	struct wire_client clients[CLIENTS];
	unsigned int seed;
	uint64_t last_view, last_offer; /* made by anyone */
	unsigned int done; /* requests that were not refused */
};

static uint32_t draw(struct walk *walk, uint32_t bound)
{
	return (uint32_t)rand_r(&walk->seed) % bound;
}

static uint64_t recent(struct walk *walk, uint64_t last)
{
	return last > NUMBERS ? last - draw(walk, NUMBERS) : draw(walk, NUMBERS);
}

static void join(struct walk *walk, const struct broker_fixture *f, uint32_t i)
{
	wire_join_as(&walk->clients[i], f->socket_path, i % 2 ? "box" : "tool",
		     i % 2 ? VMSECT_PEER_VM : VMSECT_PEER_PROCESS, FIRST_UID + i / 2);
}

static int make(struct walk *walk, struct wire_client *client)
{
	const struct wire_create create = {
		.name = draw(walk, 2) ? "s" : "t",
		.backing = VMSECT_BACKING_SHMEM,
		.protection = draw(walk, 2) ? VMSECT_PROT_READWRITE : VMSECT_PROT_EXECUTE_READWRITE,
		.size_bytes = 16384,
		.max_bytes = 32768,
		.access = 1 + draw(walk, VMSECT_ACCESS_ALL),
		.flags = VMSECT_CREATE_OPEN_IF | VMSECT_CREATE_SEALABLE,
		.mode = draw(walk, 2) ? 0600 : 0666,
	};

	return wire_create(client, &create);
}

static int map(struct walk *walk, struct wire_client *client)
{
	const struct vmsect_req_map request = {
		.handle = draw(walk, NUMBERS),
		.protection = draw(walk, 10),
		.offset = 4096 * draw(walk, 5),
		.length = draw(walk, 20000),
		.room = draw(walk, 2) ? 32768 : 0,
		.flags = draw(walk, 4),
	};
	int r = wire_map_with(client, &request);

	if (!r)
		walk->last_view = client->reply.map.view;
	return r;
}

static int grant(struct walk *walk, struct wire_client *client)
{
	const struct wire_grant request = {
		.grantee = 1 + draw(walk, 3),
		.id = FIRST_UID + draw(walk, CLIENTS / 2),
		.access = draw(walk, 2) ? draw(walk, VMSECT_ACCESS_ALL + 1) : 0,
		.name = draw(walk, 2) ? "box" : NULL,
		.flags = draw(walk, 4),
	};

	return wire_grant(client, draw(walk, NUMBERS), &request);
}

static int pass(struct walk *walk, struct wire_client *client)
{
	int r = wire_pass(client, draw(walk, NUMBERS), walk->clients[draw(walk, CLIENTS)].peer,
			  draw(walk, VMSECT_ACCESS_ALL + 1), draw(walk, 3));

	if (!r)
		walk->last_offer = client->reply.pass.offer;
	return r;
}

static int call(struct walk *walk, struct wire_client *client)
{
	uint64_t view = recent(walk, walk->last_view);
	uint32_t handle = draw(walk, NUMBERS);

	switch (draw(walk, 14)) {
	case 0:
	case 1:
		return make(walk, client);
	case 2:
	case 3:
		return map(walk, client);
	case 4:
		return grant(walk, client);
	case 5:
		return pass(walk, client);
	case 6:
		return wire_accept(client, recent(walk, walk->last_offer));
	case 7:
		return wire_duplicate(client, handle, draw(walk, VMSECT_ACCESS_ALL + 1));
	case 8:
		return wire_protect(client, view, draw(walk, 16384), draw(walk, 16384),
				    draw(walk, 10));
	case 9:
		return wire_revoked(client, view);
	case 10:
		return wire_unmap(client, view);
	case 11:
		return wire_close_handle(client, handle);
	case 12:
		return draw(walk, 8) ? wire_query(client, handle) : wire_seal(client, handle);
	default:
		return wire_list(client, VMSECT_OP_LIST_VIEWS, 0, 0);
	}
}

/* All that the operations above may say. */
static bool is_expected(int r)
{
	static const int statuses[] = { 0,	 -EINVAL, -EPERM, -EACCES, -EBADF,
					-ENOENT, -ENXIO,  -EBUSY, -EDQUOT, -EOPNOTSUPP };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(statuses); i++) {
		if (r == statuses[i])
			return true;
	}
	return false;
}

static void forget_events(struct wire_client *client)
{
	struct vmsect_msg_event event;

	while (wire_next_event(client, &event, 0))
		continue;
}

static void step(struct walk *walk, const struct broker_fixture *f)
{
	uint32_t i = draw(walk, CLIENTS);
	int r;

	if (!draw(walk, 200)) { /* it dies, and another takes its place */
		wire_close(&walk->clients[i]);
		join(walk, f, i);
	}
	r = call(walk, &walk->clients[i]);
	if (!is_expected(r))
		fail_msg("operation %u: %d", walk->clients[i].reply.hdr.op, r);
	walk->done += !r;
	for (i = 0; i < CLIENTS; i++)
		forget_events(&walk->clients[i]);
}

static void wait_until_empty(struct wire_client *client, uint16_t op, uint32_t left)
{
	do
		assert_int_equal(wire_list(client, op, 0, 0), 0);
	while (client->reply.list.count > left);
}

static void test_walk(void **state)
{
	const char *text = getenv("VMSECT_SEED");
	struct broker_fixture *f = *state;
	static struct wire_client root;
	static struct walk walk;
	uint32_t i;
	size_t fds;

	if (geteuid()) {
		print_message("needs root, to become another user\n");
		skip();
	}
	memset(&walk, 0, sizeof(walk));
	walk.seed = text ? (unsigned int)strtoul(text, NULL, 0) : (unsigned int)time(NULL);
	print_message("VMSECT_SEED=%u\n", walk.seed);
	broker_fixture_open_to_all(f);
	wire_join(&root, f->socket_path, "root", VMSECT_PEER_PROCESS);
	fds = broker_fixture_fds(f);
	for (i = 0; i < CLIENTS; i++)
		join(&walk, f, i);
	for (i = 0; i < STEPS; i++)
		step(&walk, f);
	assert_true(walk.done > STEPS / 20); /* not all of it is refused */
	for (i = 0; i < CLIENTS; i++)
		wire_close(&walk.clients[i]);
	wait_until_empty(&root, VMSECT_OP_LIST_PEERS, 1);
	wait_until_empty(&root, VMSECT_OP_LIST_SECTIONS, 0);
	wait_until_empty(&root, VMSECT_OP_LIST_VIEWS, 0);
	assert_int_equal(broker_fixture_fds(f), fds);
	wire_close(&root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_walk, broker_setup, broker_teardown),
	};

	(void)alarm(110);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
