/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any sequence of requests of three clients of different users, as the broker
 * runs them once a datagram is there.  After each step the lists, counts,
 * charges and rules of the registry must hold; a refusal has changed nothing;
 * at the end nothing is left, no descriptor either.
 *
 * A step is two bytes, and what its operation takes.  The first says what:
 * an operation, raw bytes (0), or what happens beside requests; the second who,
 * and how.
 */
#include "session_message.h"
#include "session_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define STEPS_MAX 100

_Static_assert(sizeof(struct request) <= MESSAGE_ROOM, "every request has room");

enum {
	STEP_LEAVE = 29,
	STEP_TIME = 30,
	STEP_JOBS = 31,
	STEP_NOTIFY = 32, /* its operation's number is that of STEP_LEAVE */
	STEP_DOORBELL = VMSECT_OP_DOORBELL,
	STEP_STREAM = 34,
	STEP_EXPORT = 35, /* these three stand for operations whose numbers are taken above */
	STEP_UNEXPORT = 36,
	STEP_LIST_EXPORTS = 37,
	STEP_COUNT = 38,
};

/* The operation that a step without a meaning of its own is. */
static uint8_t operation_of(uint8_t step)
{
	switch (step) {
	case STEP_NOTIFY:
		return VMSECT_OP_NOTIFY;
	case STEP_EXPORT:
		return VMSECT_OP_EXPORT;
	case STEP_UNEXPORT:
		return VMSECT_OP_UNEXPORT;
	case STEP_LIST_EXPORTS:
		return VMSECT_OP_LIST_EXPORTS;
	default:
		return step;
	}
}

/* Bits of the second byte. */
#define WHO 0x03
#define SAME_COOKIE 0x10
#define JOBS_FIRST 0x20

static void send(struct world *world, struct client *client, uint8_t op, struct input *input)
{
	struct datagram datagram;

	message_make(world, client, op, input, &datagram);
	world_message(world, client, datagram.bytes, &datagram.message);
}

static void step(struct world *world, struct input *input)
{
	uint8_t what = input_take(input) % STEP_COUNT, how = input_take(input);
	struct client *client = &world->clients[(how & WHO) % CLIENTS];

	if (how & JOBS_FIRST)
		world_finish_jobs(world);
	switch (what) {
	case STEP_LEAVE:
		world_leave(world, client);
		break;
	case STEP_TIME:
		world_pass_time(world, input_number(input) % (UINT64_C(1) << 32));
		break;
	case STEP_STREAM:
		world_stream(world, input_take(input));
		break;
	case STEP_JOBS:
		world_finish_jobs(world);
		invariant_check(world);
		break;
	default:
		if (!(how & SAME_COOKIE))
			client->cookie++;
		send(world, client, operation_of(what), input);
	}
}

/* Two processes and a VM. */
static void greet(struct world *world)
{
	static const uint8_t hellos[CLIENTS][2] = { { 0, 1 }, { 0, 2 }, { 1, 4 } };
	struct input input;
	unsigned int i;

	for (i = 0; i < CLIENTS; i++) {
		input = (struct input){ hellos[i], sizeof(hellos[i]) };
		world->clients[i].cookie++;
		send(world, &world->clients[i], VMSECT_OP_HELLO, &input);
		require(world->clients[i].party.id != 0);
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	world_start();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world world;
	struct input input = { data, size };
	int steps = 0;

	world_init(&world);
	greet(&world);
	while (input.size && steps++ < STEPS_MAX)
		step(&world, &input);
	world_deinit(&world);
	return 0;
}
