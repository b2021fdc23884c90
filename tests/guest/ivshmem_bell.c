// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The doorbell: what this guest rings comes back, from itself and from the bed's
 * server.  Nothing waits for a time: what must come is waited for, what must not come
 * is asked for after something that did come.
 */
#include "guest/ivshmem_test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define LIMIT_MS 20000
#define NOTIFIED (1U << VMSECT_EVENT_NOTIFIED)
#define NEED_BELL() SKIP_UNLESS(subject.vectors, "the device has no doorbell")

/* A section and its events; both negative if there is none. */
struct ears {
	int section;
	int events;
};

static struct ears ears_open(uint32_t mask)
{
	struct ears ears = { .section = ivshmem_open(O_RDWR), .events = -1 };

	if (ears.section >= 0)
		ears.events = ivshmem_events(ears.section, mask);
	return ears;
}

static void ears_close(const struct ears *ears)
{
	close(ears->events);
	close(ears->section);
}

/* The next event, which must come; type 0 if it does not. */
static struct vmsect_event next(int events)
{
	struct vmsect_event event = { 0 };

	EXPECT_EQ(vmsect_guest_wait(events, LIMIT_MS), 0);
	EXPECT_EQ(vmsect_guest_read_event(events, &event), 0);
	return event;
}

static void expect_vector(const struct vmsect_event *event, uint64_t vector)
{
	EXPECT_EQ(event->type, VMSECT_EVENT_NOTIFIED);
	EXPECT_EQ(event->flags, 0);
	EXPECT_EQ(event->peer, 0);
	EXPECT_EQ(event->value, vector);
	EXPECT(event->count >= 1);
	EXPECT_EQ(event->section_id | event->offset | event->length | event->reserved, 0);
}

static void rings_itself(void)
{
	struct ears ears;
	uint32_t vector;

	NEED_BELL();
	ears = ears_open(0);
	NEED_EQ(ears.events >= 0, 1);
	EXPECT_EQ(vmsect_guest_wait(ears.events, 0), -ETIMEDOUT);
	for (vector = 0; vector < subject.vectors; vector++) {
		struct vmsect_event event;

		NEED_EQ(ivshmem_ring(ears.section, subject.peer, vector), 0);
		event = next(ears.events);
		expect_vector(&event, vector);
	}
	EXPECT_EQ(vmsect_guest_wait(ears.events, 0), -ETIMEDOUT);
	ears_close(&ears);
}

/* The others hear of it as well; the bed looks at what the server says. */
static void rings_the_server(void)
{
	struct ears ears;
	struct vmsect_event event;

	NEED_BELL();
	ears = ears_open(NOTIFIED);
	NEED_EQ(ears.events >= 0, 1);
	NEED_EQ(ivshmem_ring(ears.section, SERVER_PEER, subject.vectors - 1), 0);
	event = next(ears.events);
	expect_vector(&event, subject.vectors - 1);
	ears_close(&ears);
}

/* As many events wait as there is room for. */
static void every_vector_is_kept(void)
{
	bool seen[64] = { false };
	struct ears ears;
	uint32_t vector, count;

	NEED_BELL();
	ears = ears_open(NOTIFIED);
	NEED_EQ(ears.events >= 0, 1);
	for (vector = 0; vector < subject.vectors; vector++)
		NEED_EQ(ivshmem_ring(ears.section, subject.peer, vector), 0);
	for (count = 0; count < subject.vectors; count++) {
		struct vmsect_event event = next(ears.events);

		NEED_EQ(event.value < subject.vectors, 1);
		expect_vector(&event, event.value);
		EXPECT(!seen[event.value]);
		seen[event.value] = true;
	}
	ears_close(&ears);
}

static void masked_and_foreign(void)
{
	struct ears deaf, ears;
	struct vmsect_event event;

	NEED_BELL();
	deaf = ears_open(1U << VMSECT_EVENT_RESIZED);
	ears = ears_open(0);
	NEED_EQ(deaf.events >= 0, 1);
	NEED_EQ(ears.events >= 0, 1);
	/* A vector that this guest has not: nobody hears it. */
	NEED_EQ(ivshmem_ring(ears.section, subject.peer, subject.vectors), 0);
	NEED_EQ(ivshmem_ring(ears.section, subject.peer, 0), 0);
	event = next(ears.events);
	expect_vector(&event, 0);
	EXPECT_EQ(vmsect_guest_wait(deaf.events, 0), -ETIMEDOUT);
	ears_close(&deaf);
	ears_close(&ears);
}

static void two_programs_hear(void)
{
	struct ears one, two;
	struct vmsect_event event;

	NEED_BELL();
	one = ears_open(0);
	two = ears_open(0);
	NEED_EQ(one.events >= 0, 1);
	NEED_EQ(two.events >= 0, 1);
	NEED_EQ(ivshmem_ring(one.section, subject.peer, 0), 0);
	event = next(one.events);
	expect_vector(&event, 0);
	event = next(two.events);
	expect_vector(&event, 0);
	ears_close(&one);
	ears_close(&two);
}

static int child_waits(void *context)
{
	const struct ears *ears = context;
	struct vmsect_event event;

	/* A read that blocks, without poll. */
	return vmsect_guest_read_event(ears->events, &event) || event.value != 0;
}

static void a_read_that_waits(void)
{
	struct ears ears;
	pid_t pid;

	NEED_BELL();
	ears = ears_open(NOTIFIED);
	NEED_EQ(ears.events >= 0, 1);
	pid = child_start(child_waits, &ears);
	EXPECT_EQ(ivshmem_ring(ears.section, subject.peer, 0), 0);
	EXPECT_EQ(child_status(pid), 0);
	fcntl(ears.events, F_SETFL, O_NONBLOCK);
	EXPECT_EQ(vmsect_guest_read_event(ears.events, &(struct vmsect_event){ 0 }), -EAGAIN);
	ears_close(&ears);
}

/* Who does not read meanwhile has them all in one event. */
static void one_vector_is_merged(void)
{
	struct ears ears, late;
	struct vmsect_event event;
	uint32_t i;

	NEED_BELL();
	ears = ears_open(NOTIFIED);
	late = ears_open(NOTIFIED);
	NEED_EQ(ears.events >= 0, 1);
	NEED_EQ(late.events >= 0, 1);
	for (i = 0; i < 1000; i++)
		NEED_EQ(ivshmem_ring(ears.section, subject.peer, 0), 0);
	event = next(ears.events);
	expect_vector(&event, 0);
	i = (uint32_t)event.count;
	event = next(late.events);
	expect_vector(&event, 0);
	tap_note("1000 rings were %u and %llu interrupts", i, (unsigned long long)event.count);
	EXPECT(event.count >= i && event.count <= 1000);
	ears_close(&late);
	ears_close(&ears);
}

static const struct tap_case cases[] = {
	{ "each vector that is rung is heard as such", rings_itself },
	{ "the server is rung, and rings", rings_the_server },
	{ "every vector is kept while nobody reads", every_vector_is_kept },
	{ "what was not asked for is not heard", masked_and_foreign },
	{ "two programs hear one ring", two_programs_hear },
	{ "a read waits for it", a_read_that_waits },
	/* Last, as some of its rings may come late: interrupts have no order. */
	{ "rings of one vector are merged, not lost", one_vector_is_merged },
};

const struct tap_group group_ivshmem_bell = TAP_GROUP("bell", cases);
