/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The broker is killed at any moment of a request: the client sends it and
 * kills the broker without waiting.  Whether the answer came or not, the next
 * broker has done it once.  Random; VMSECT_SEED repeats the requests.
 */
#include "lib/check.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdmsg.h"
#include "base/parse.h"
#include "lib/broker_fixture.h"
#include "lib/wire_resume.h"

#define ROUNDS 60
#define ITEMS_MAX 64
#define ALL_ACCESS 0x77u /* all but EXECUTE */

union any_request {
	struct vmsect_msg_hdr hdr;
	struct vmsect_req_open open;
	struct vmsect_req_handle close;
	struct vmsect_req_map map;
	struct vmsect_req_unmap unmap;
};

/* What there has to be. */
struct model {
	uint64_t handles[ITEMS_MAX];
	uint64_t views[ITEMS_MAX];
	size_t handle_count;
	size_t view_count;
};

struct world {
	struct broker_fixture *f;
	struct wire_client client;
	struct wire_identity who;
	struct model model;
	uint64_t seed;
	uint64_t section;
	int memory; /* owned */
	union any_request request; /* the one under way */
	size_t victim; /* what it takes away */
};

static uint32_t draw(struct world *world, uint32_t below)
{
	/* xorshift64* */
	world->seed ^= world->seed >> 12;
	world->seed ^= world->seed << 25;
	world->seed ^= world->seed >> 27;
	return (uint32_t)((world->seed * UINT64_C(0x2545f4914f6cdd1d)) >> 32) % below;
}

static uint64_t draw_seed(void)
{
	const char *text = getenv("VMSECT_SEED");
	uint32_t seed = 0;

	if (!text || parse_u32(text, UINT32_MAX, &seed) < 0)
		assert_int_equal(getrandom(&seed, sizeof(seed), 0), sizeof(seed));
	print_message("VMSECT_SEED=%u\n", seed);
	return seed | UINT64_C(1) << 32;
}

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	void *fixture;

	assert_non_null(world);
	assert_int_equal(broker_setup(&fixture), 0);
	world->f = fixture;
	world->seed = draw_seed();
	wire_join_noted(&world->client, world->f->socket_path, "a", &world->who);
	assert_int_equal(wire_create_shmem(&world->client, "s", ALL_ACCESS), 0);
	world->section = world->client.reply.handle.section.id;
	world->memory = steal_fd(&world->client.reply_fd);
	world->model.handles[world->model.handle_count++] = 1;
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

static void set_header(struct vmsect_msg_hdr *hdr, size_t size, uint16_t op)
{
	*hdr = (struct vmsect_msg_hdr){ .size = (uint32_t)size, .op = op };
}

/* The first handle stays: it looks at the section. */
static void draw_request(struct world *world)
{
	struct model *model = &world->model;
	union any_request *request = &world->request;

	bool is_full = model->handle_count + model->view_count > ITEMS_MAX / 2;

	memset(request, 0, sizeof(*request));
	switch (is_full ? model->view_count > model->handle_count : draw(world, 4)) {
	case 0:
		if (model->handle_count < 2)
			break;
		world->victim = 1 + draw(world, (uint32_t)model->handle_count - 1);
		request->close.handle = (uint32_t)model->handles[world->victim];
		set_header(&request->hdr, sizeof(request->close), VMSECT_OP_CLOSE);
		return;
	case 1:
		if (!model->view_count)
			break;
		world->victim = draw(world, (uint32_t)model->view_count);
		request->unmap.view = model->views[world->victim];
		set_header(&request->hdr, sizeof(request->unmap), VMSECT_OP_UNMAP);
		return;
	case 2:
		request->map.handle = 1;
		request->map.protection = VMSECT_PROT_READONLY;
		set_header(&request->hdr, sizeof(request->map), VMSECT_OP_MAP);
		return;
	default:
		break;
	}
	request->open.access = VMSECT_ACCESS_READ;
	request->open.name[0] = 's';
	set_header(&request->hdr, sizeof(request->open), VMSECT_OP_OPEN);
}

static void add(uint64_t *items, size_t *count, uint64_t item)
{
	size_t i;

	assert_true(*count < ITEMS_MAX);
	for (i = 0; i < *count; i++)
		assert_int_not_equal(items[i], item);
	items[(*count)++] = item;
}

static void take(uint64_t *items, size_t *count, size_t victim)
{
	items[victim] = items[--*count];
}

/* The request was answered, by whichever broker. */
static void note_answer(struct world *world)
{
	struct model *model = &world->model;

	assert_int_equal(world->client.reply.hdr.status, 0);
	switch (world->request.hdr.op) {
	case VMSECT_OP_OPEN:
		add(model->handles, &model->handle_count, world->client.reply.handle.handle);
		break;
	case VMSECT_OP_MAP:
		add(model->views, &model->view_count, world->client.reply.map.view);
		break;
	case VMSECT_OP_CLOSE:
		take(model->handles, &model->handle_count, world->victim);
		break;
	default:
		take(model->views, &model->view_count, world->victim);
		break;
	}
}

static void send_request(struct world *world)
{
	wire_send(&world->client, &world->request, world->request.hdr.size, NULL, 0);
}

/* Did the old broker's answer come?  Its end does in any case. */
static bool read_answer(struct world *world)
{
	struct wire_client *client = &world->client;
	struct fdmsg message;
	int r;

	r = fdmsg_receive(client->fd, client->reply.bytes, sizeof(client->reply.bytes), 0,
			  &message);
	if (r)
		return false;
	fdmsg_close_fds(&message);
	assert_int_equal(client->reply.hdr.cookie, world->request.hdr.cookie);
	return true;
}

static void expect_model(struct world *world)
{
	struct vmsect_wire_section *section = &world->client.reply.section.section;
	size_t i;

	assert_int_equal(wire_query(&world->client, 1), 0);
	assert_int_equal(section->handles, world->model.handle_count);
	assert_int_equal(section->views, world->model.view_count);
	for (i = 0; i < world->model.handle_count; i++)
		assert_int_equal(wire_query(&world->client, (uint32_t)world->model.handles[i]),
				 i ? -EPERM : 0); /* READ alone does not ask */
}

static void replace_broker(struct world *world)
{
	broker_fixture_start(world->f, NULL);
	assert_int_equal(wire_resume(&world->client, world->f->socket_path, &world->who), 0);
	assert_int_equal(wire_wanted_count(&world->client), 1);
	assert_int_equal(wire_hand_back(&world->client, world->section, world->memory), 0);
}

/* One request, in the middle of which its broker dies. */
static unsigned int kill_once(struct world *world)
{
	volatile uint32_t spin;
	bool answered;

	draw_request(world);
	world->request.hdr.cookie = ++world->client.cookie;
	send_request(world);
	for (spin = draw(world, 800000); spin; spin--)
		continue; /* not a wait for anything: it spreads the moments */
	broker_fixture_kill(world->f);
	answered = read_answer(world);
	if (answered)
		note_answer(world);
	replace_broker(world);
	if (!answered) {
		send_request(world);
		assert_int_equal(wire_receive(&world->client), 0);
		note_answer(world);
	}
	expect_model(world);
	return answered;
}

static void test_any_moment(void **state)
{
	struct world *world = *state;
	unsigned int answered = 0;
	int round;

	for (round = 0; round < ROUNDS; round++)
		answered += kill_once(world);
	print_message("%u of %d requests were answered before the end\n", answered, ROUNDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_any_moment, setup, teardown),
	};

	(void)alarm(100);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
