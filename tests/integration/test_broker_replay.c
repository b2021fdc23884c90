/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The broker is killed after a request was done and before the client has read
 * the answer: the client asks the next broker again, with the same cookie.  It
 * is not done twice, and the answer is the same.
 */
#include "lib/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lib/broker_fixture.h"
#include "lib/wire_resume.h"

#define PAGE 4096u
#define ALL_ACCESS 0x77u /* all but EXECUTE */

/* A client with a section `s`, which it has by handle 1. */
struct world {
	struct broker_fixture *f;
	struct wire_client client;
	struct wire_identity who;
	uint64_t section;
	int memory; /* owned */
};

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	void *fixture;

	assert_non_null(world);
	assert_int_equal(broker_setup(&fixture), 0);
	world->f = fixture;
	wire_join_noted(&world->client, world->f->socket_path, "a", &world->who);
	assert_int_equal(wire_create(&world->client,
				     &(struct wire_create){ .name = "s",
							    .backing = VMSECT_BACKING_SHMEM,
							    .protection = VMSECT_PROT_READWRITE,
							    .size_bytes = 4 * PAGE,
							    .max_bytes = 8 * PAGE,
							    .flags = VMSECT_CREATE_SEALABLE,
							    .access = ALL_ACCESS,
							    .mode = 0600 }),
			 0);
	world->section = world->client.reply.handle.section.id;
	world->memory = steal_fd(&world->client.reply_fd);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;
	void *fixture = world->f;

	wire_close(&world->client);
	fd_close(world->memory);
	free(world);
	return broker_teardown(&fixture);
}

/* The next broker, with the memory of `s`. */
static void replace(struct world *world)
{
	broker_fixture_kill(world->f);
	broker_fixture_start(world->f, NULL);
	assert_int_equal(wire_resume(&world->client, world->f->socket_path, &world->who), 0);
	assert_int_equal(wire_hand_back(&world->client, world->section, world->memory), 0);
}

/* Cookies of the request that is repeated: those of RESUME and HAND_BACK came after it. */
static void go_back(struct world *world)
{
	assert_true(world->client.cookie > 2);
	world->client.cookie -= 3;
}

static struct vmsect_wire_section query(struct world *world)
{
	world->client.cookie += 100;
	assert_int_equal(wire_query(&world->client, 1), 0);
	return world->client.reply.section.section;
}

static void test_create(void **state)
{
	struct world *world = *state;

	assert_int_equal(wire_create_shmem(&world->client, "t", ALL_ACCESS), 0);
	assert_int_equal(world->client.reply.handle.handle, 2);
	fd_close(world->memory);
	world->memory = steal_fd(&world->client.reply_fd);
	world->section = world->client.reply.handle.section.id;
	replace(world);
	go_back(world);
	assert_int_equal(wire_create_shmem(&world->client, "t", ALL_ACCESS), 0);
	assert_int_equal(world->client.reply.handle.handle, 2);
	assert_int_equal(world->client.reply.handle.section.id, 2);
	assert_true(world->client.reply_fd >= 0);
	/* A new request of the same kind is a new one. */
	world->client.cookie += 100;
	assert_int_equal(wire_create_shmem(&world->client, "t", ALL_ACCESS), -EEXIST);
}

/* Before the memory is there, the answer has to wait as well. */
static void test_create_too_early(void **state)
{
	struct world *world = *state;
	struct wire_client other;

	wire_join(&other, world->f->socket_path, "other", VMSECT_PEER_PROCESS);
	assert_int_equal(wire_open(&other, "s", VMSECT_ACCESS_READ), 0);
	broker_fixture_kill(world->f);
	broker_fixture_start(world->f, NULL);
	assert_int_equal(wire_resume(&world->client, world->f->socket_path, &world->who), 0);
	world->client.cookie = 1;
	assert_int_equal(wire_create_shmem(&world->client, "s", ALL_ACCESS), -EAGAIN);
	assert_int_equal(world->client.reply.hdr.detail, VMSECT_DETAIL_RECOVERY);
	world->client.cookie = 10;
	assert_int_equal(wire_hand_back(&world->client, world->section, world->memory), 0);
	world->client.cookie = 1;
	assert_int_equal(wire_create_shmem(&world->client, "s", ALL_ACCESS), 0);
	assert_int_equal(world->client.reply.handle.handle, 1);
	wire_close(&other);
}

/*
 * The broker died before it could answer, and the memory with it: nobody has
 * it, so nobody waits for it.  Then it is as with any other.
 */
static void test_create_anew(void **state)
{
	struct world *world = *state;
	uint32_t handle;

	broker_fixture_kill(world->f);
	broker_fixture_start(world->f, NULL);
	assert_int_equal(wire_resume(&world->client, world->f->socket_path, &world->who), 0);
	world->client.cookie = 1;
	assert_int_equal(wire_create_shmem(&world->client, "s", ALL_ACCESS), 0);
	assert_true(world->client.reply_fd >= 0);
	assert_int_not_equal(world->client.reply.handle.section.id, world->section);
	handle = world->client.reply.handle.handle;
	world->client.cookie = 1;
	assert_int_equal(wire_create_shmem(&world->client, "s", ALL_ACCESS), 0);
	assert_int_equal(world->client.reply.handle.handle, handle);
	world->client.cookie += 100;
	assert_int_equal(wire_create_shmem(&world->client, "s", ALL_ACCESS), -EEXIST);
}

static int create_open_if(struct world *world)
{
	return wire_create(&world->client,
			   &(struct wire_create){ .name = "s",
						  .backing = VMSECT_BACKING_SHMEM,
						  .protection = VMSECT_PROT_READWRITE,
						  .size_bytes = PAGE,
						  .flags = VMSECT_CREATE_OPEN_IF,
						  .access = VMSECT_ACCESS_READ,
						  .mode = 0600 });
}

static void test_create_open_if(void **state)
{
	struct world *world = *state;

	assert_int_equal(create_open_if(world), 0);
	replace(world);
	go_back(world);
	assert_int_equal(create_open_if(world), 0);
	assert_int_equal(world->client.reply.handle.existed, 1);
	assert_int_equal(world->client.reply.handle.handle, 2);
	assert_int_equal(query(world).handles, 2);
}

static void test_open(void **state)
{
	struct world *world = *state;

	assert_int_equal(wire_open(&world->client, "s", VMSECT_ACCESS_READ), 0);
	replace(world);
	go_back(world);
	assert_int_equal(wire_open(&world->client, "s", VMSECT_ACCESS_READ), 0);
	assert_int_equal(world->client.reply.handle.handle, 2);
	assert_true(world->client.reply_fd >= 0);
	assert_int_equal(query(world).handles, 2);
}

static void test_duplicate(void **state)
{
	struct world *world = *state;

	assert_int_equal(wire_duplicate(&world->client, 1, VMSECT_ACCESS_QUERY), 0);
	replace(world);
	go_back(world);
	assert_int_equal(wire_duplicate(&world->client, 1, VMSECT_ACCESS_QUERY), 0);
	assert_int_equal(world->client.reply.handle.handle, 2);
	assert_int_equal(world->client.reply_fd, -1);
	assert_int_equal(query(world).handles, 2);
}

static void test_close(void **state)
{
	struct world *world = *state;

	assert_int_equal(wire_open(&world->client, "s", VMSECT_ACCESS_READ), 0);
	assert_int_equal(wire_close_handle(&world->client, 2), 0);
	replace(world);
	go_back(world);
	assert_int_equal(wire_close_handle(&world->client, 2), 0);
	assert_int_equal(query(world).handles, 1);
	assert_int_equal(wire_close_handle(&world->client, 2), -EBADF);
}

static void test_remove(void **state)
{
	struct world *world = *state;

	assert_int_equal(wire_remove(&world->client, "s"), 0);
	replace(world);
	go_back(world);
	assert_int_equal(wire_remove(&world->client, "s"), 0);
	assert_string_equal(query(world).name, "");
	assert_int_equal(wire_remove(&world->client, "s"), -ENOENT);
}

static void test_map_and_unmap(void **state)
{
	struct world *world = *state;

	assert_int_equal(wire_map(&world->client, 1, VMSECT_PROT_READONLY, PAGE, PAGE), 0);
	assert_int_equal(world->client.reply.map.view, 1);
	replace(world);
	go_back(world);
	assert_int_equal(wire_map(&world->client, 1, VMSECT_PROT_READONLY, PAGE, PAGE), 0);
	assert_int_equal(world->client.reply.map.view, 1);
	assert_int_equal(world->client.reply.map.length, PAGE);
	assert_int_equal(query(world).views, 1);
	assert_int_equal(wire_unmap(&world->client, 1), 0);
	replace(world);
	go_back(world);
	assert_int_equal(wire_unmap(&world->client, 1), 0);
	assert_int_equal(query(world).views, 0);
	assert_int_equal(wire_unmap(&world->client, 1), -ENXIO);
}

/* The one who accepts makes no second handle, and the one who passes no second offer. */
static void test_pass_and_accept(void **state)
{
	struct world *world = *state;
	struct wire_client *other = calloc(1, sizeof(*other));
	struct wire_identity who;
	uint64_t offer;

	assert_non_null(other);
	wire_join_noted(other, world->f->socket_path, "b", &who);
	assert_int_equal(wire_pass(&world->client, 1, who.peer, VMSECT_ACCESS_READ, 0), 0);
	memcpy(&offer, world->client.reply.bytes + sizeof(struct vmsect_msg_hdr), sizeof(offer));
	replace(world);
	assert_int_equal(wire_resume(other, world->f->socket_path, &who), 0);
	go_back(world);
	assert_int_equal(wire_pass(&world->client, 1, who.peer, VMSECT_ACCESS_READ, 0), 0);
	assert_memory_equal(world->client.reply.bytes + sizeof(struct vmsect_msg_hdr), &offer,
			    sizeof(offer));
	assert_int_equal(wire_expect_event(other, VMSECT_WIRE_EVENT_OFFERED).value, offer);
	assert_int_equal(wire_accept(other, offer), 0);
	assert_int_equal(other->reply.handle.handle, 1);
	world->client.cookie += 100;
	replace(world);
	assert_int_equal(wire_resume(other, world->f->socket_path, &who), 0);
	other->cookie -= 2;
	assert_int_equal(wire_accept(other, offer), 0);
	assert_int_equal(other->reply.handle.handle, 1);
	assert_int_equal(query(world).handles, 2);
	other->cookie += 100;
	assert_true(wire_accept(other, offer) < 0);
	wire_close(other);
	free(other);
}

static void test_grant(void **state)
{
	static const struct wire_grant give = {
		.grantee = VMSECT_GRANTEE_UID,
		.id = 4711,
		.access = VMSECT_ACCESS_READ,
	};
	static const struct wire_grant take = {
		.grantee = VMSECT_GRANTEE_UID,
		.id = 4711,
		.flags = VMSECT_GRANT_TAKE_BACK,
	};
	struct world *world = *state;

	assert_int_equal(wire_grant(&world->client, 1, &give), 0);
	replace(world);
	go_back(world);
	assert_int_equal(wire_grant(&world->client, 1, &give), 0);
	assert_int_equal(query(world).grants, 1);
	assert_int_equal(wire_list_grants(&world->client, 1), 0);
	assert_int_equal(wire_listed_grant(&world->client, 0)->id, 4711);
	assert_int_equal(wire_listed_grant(&world->client, 0)->access, VMSECT_ACCESS_READ);
	assert_int_equal(wire_grant(&world->client, 1, &take), 0);
	replace(world);
	go_back(world);
	assert_int_equal(wire_grant(&world->client, 1, &take), 0);
	assert_int_equal(query(world).grants, 0);
	assert_int_equal(wire_grant(&world->client, 1, &take), -ENOENT);
}

static void test_seal(void **state)
{
	struct world *world = *state;

	assert_int_equal(wire_seal(&world->client, 1), 0);
	replace(world);
	go_back(world);
	assert_int_equal(wire_seal(&world->client, 1), 0);
	assert_int_equal(query(world).flags & VMSECT_SECTION_SEALED, VMSECT_SECTION_SEALED);
	assert_int_equal(wire_open(&world->client, "s", VMSECT_ACCESS_WRITE), -EACCES);
	assert_int_equal(wire_open(&world->client, "s", VMSECT_ACCESS_READ), 0);
}

static int extend(struct world *world, uint64_t size_bytes)
{
	struct vmsect_req_extend request = { .handle = 1, .size_bytes = size_bytes };

	return wire_call(&world->client, VMSECT_OP_EXTEND, &request, sizeof(request));
}

/* Comes to the same when it is done again. */
static void test_extend(void **state)
{
	struct world *world = *state;

	assert_int_equal(extend(world, 6 * PAGE), 0);
	replace(world);
	assert_int_equal(query(world).size_bytes, 6 * PAGE);
	assert_int_equal(query(world).committed_bytes, 6 * PAGE);
	assert_int_equal(extend(world, 6 * PAGE), 0);
	assert_int_equal(query(world).size_bytes, 6 * PAGE);
	assert_int_equal(extend(world, 8 * PAGE), 0);
}

static void test_cookies_ascend(void **state)
{
	struct world *world = *state;
	struct wire_client *client = &world->client;

	assert_int_equal(wire_open(client, "s", VMSECT_ACCESS_QUERY), 0);
	assert_int_equal(wire_open(client, "s", VMSECT_ACCESS_QUERY), 0);
	client->cookie -= 2; /* the one before the last */
	assert_int_equal(wire_open(client, "s", VMSECT_ACCESS_QUERY), -EINVAL);
	assert_int_equal(client->reply.hdr.detail, VMSECT_DETAIL_STATE);
	/* The cookie of the last one, and another operation. */
	assert_int_equal(wire_map(client, 1, VMSECT_PROT_READONLY, 0, 0), -EINVAL);
	assert_int_equal(client->reply.hdr.detail, VMSECT_DETAIL_STATE);
	client->cookie = UINT64_MAX; /* the next is 0 */
	assert_int_equal(wire_open(client, "s", VMSECT_ACCESS_QUERY), -EINVAL);
	/* What changes nothing is asked as often as one likes. */
	client->cookie = 0;
	assert_int_equal(wire_query(client, 1), 0);
	assert_int_equal(client->reply.section.section.handles, 3);
}

/* A request that was refused has changed nothing, and may be right by now. */
static void test_refused_is_done_again(void **state)
{
	struct world *world = *state;

	assert_int_equal(wire_open(&world->client, "t", VMSECT_ACCESS_READ), -ENOENT);
	replace(world);
	go_back(world);
	assert_int_equal(wire_open(&world->client, "t", VMSECT_ACCESS_READ), -ENOENT);
	world->client.cookie--;
	assert_int_equal(wire_open(&world->client, "s", VMSECT_ACCESS_READ), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_create),
		TEST(test_create_too_early),
		TEST(test_create_anew),
		TEST(test_create_open_if),
		TEST(test_open),
		TEST(test_duplicate),
		TEST(test_close),
		TEST(test_remove),
		TEST(test_map_and_unmap),
		TEST(test_pass_and_accept),
		TEST(test_grant),
		TEST(test_seal),
		TEST(test_extend),
		TEST(test_cookies_ascend),
		TEST(test_refused_is_done_again),
	};

	(void)alarm(100);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
