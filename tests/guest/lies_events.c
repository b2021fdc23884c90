// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmsect-lies-test: events, floods of them, and a device that needs a reset,
 * which ends what programs have made and leaves the attachments.
 */
#include "guest/lies.h"
#include "guest/selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LIMIT_MS 20000
#define RW VMSECT_GUEST_PROT_READWRITE
/* More than any listener keeps. */
#define FLOOD 300

static int listen_to(int section)
{
	struct vmsect_events_request arg = { 0 };

	return call(section, VMSECT_IOC_EVENTS, &arg);
}

static int node_open(void)
{
	int fd;
	int err = vmsect_guest_open(RW_NAME, O_RDWR, &fd);

	return err ? err : fd;
}

/* The next event; type UINT32_MAX if none comes. */
static struct vmsect_event next(int fd)
{
	struct pollfd entry = { .fd = fd, .events = POLLIN };
	struct vmsect_event event = { .type = UINT32_MAX };

	if (poll(&entry, 1, LIMIT_MS) == 1 && read(fd, &event, sizeof(event)) != sizeof(event))
		event.type = UINT32_MAX;
	return event;
}

/* Of no section, of no peer, of a type that is not known; then one that is good. */
static void nonsense(void)
{
	int node = node_open(), events;
	struct vmsect_event event;

	NEED_FD(node);
	events = listen_to(node);
	NEED_FD(events);
	event_send("3,0,4711,0,0,1,9,5");
	event_send("77,0,106,0,0,1,9,5");
	event_send("0,0,106");
	event_send("3,0,106,0,0,1,9,42");
	event = next(events);
	EXPECT_EQ(event.type, VMSECT_EVENT_NOTIFIED);
	EXPECT_EQ(event.peer, 9);
	EXPECT_EQ(event.value, 42);
	EXPECT_EQ(event.count, 1);
	close(events);
	close(node);
}

/* Of one peer they become one, or are read apart, but none is lost. */
static void coalesced(void)
{
	struct vmsect_event event, last = { 0 };
	int node = node_open(), events;
	uint64_t count = 0;

	NEED_FD(node);
	events = listen_to(node);
	NEED_FD(events);
	event_send("3,0,106,0,0,3,9,1");
	event_send("3,0,106,0,0,1,8,7");
	event_send("3,0,106,0,0,4,9,2");
	/* What is sent last is heard last: then all has come. */
	event_send("1,0,106,0,0,0,5,0");
	for (event = next(events); event.type == VMSECT_EVENT_NOTIFIED; event = next(events)) {
		if (event.peer != 9)
			continue;
		count += event.count;
		last = event;
	}
	EXPECT_EQ(event.type, VMSECT_EVENT_PEER_JOINED);
	EXPECT_EQ(count, 7);
	EXPECT_EQ(last.value, 2);
	close(events);
	close(node);
}

/* A count that wraps would say that there was nothing. */
static void count_saturates(void)
{
	int node = node_open(), events;
	struct vmsect_event event;

	NEED_FD(node);
	events = listen_to(node);
	NEED_FD(events);
	event_send("3,0,106,0,0,-1,9,1");
	event_send("3,0,106,0,0,-1,9,2");
	event_send("1,0,106,0,0,0,5,0");
	event = next(events);
	EXPECT_EQ(event.type, VMSECT_EVENT_NOTIFIED);
	EXPECT(event.count >= UINT32_MAX);
	close(events);
	close(node);
}

/* A program that does not read loses events, hears that, and no notification. */
static void flood(void)
{
	int node = node_open(), events, i;
	struct vmsect_event event;
	uint64_t heard = 0;
	bool lost = false;
	char text[64];

	NEED_FD(node);
	events = listen_to(node);
	NEED_FD(events);
	for (i = 1; i <= FLOOD; i++) {
		snprintf(text, sizeof(text), "1,0,106,0,0,0,%d,0", i);
		event_send(text);
	}
	for (i = 1; i <= FLOOD; i++) {
		snprintf(text, sizeof(text), "3,0,106,0,0,1,%d,%d", i, i);
		event_send(text);
	}
	event_send("5,0,106,0,0,0,0,4194304");
	NEED_EQ(fcntl(events, F_SETFL, O_NONBLOCK), 0);
	do {
		event = next(events);
		lost |= event.flags & VMSECT_EVENT_F_LOST;
		heard += event.type == VMSECT_EVENT_NOTIFIED ? event.count : 0;
	} while (event.type != UINT32_MAX && heard < FLOOD);
	EXPECT_EQ(heard, FLOOD);
	EXPECT(lost);
	close(events);
	close(node);
}

/* What a program has open when the device breaks. */
struct held {
	int node, section, view, events;
	uint8_t *node_map, *view_map;
};

static int held_open(struct held *held)
{
	held->node = node_open();
	held->section = section_open();
	held->view = held->section < 0 ? -1 : view_open(held->section, 0, PAGE, RW);
	held->events = held->section < 0 ? -1 : listen_to(held->section);
	if (held->node < 0 || held->view < 0 || held->events < 0)
		return -EIO;
	held->node_map = shared_map(held->node, 0, PAGE, PROT_READ | PROT_WRITE);
	held->view_map = shared_map(held->view, 0, PAGE, PROT_READ | PROT_WRITE);
	return held->node_map && held->view_map ? 0 : -errno;
}

static void held_close(struct held *held)
{
	munmap(held->node_map, PAGE);
	munmap(held->view_map, PAGE);
	close(held->events);
	close(held->view);
	close(held->section);
	close(held->node);
}

static void expect_gone(const struct held *held)
{
	struct vmsect_section info;
	uint8_t value;

	EXPECT_EQ(tap_load(held->view_map, &value), SIGBUS);
	EXPECT(pread(held->view, &value, 1, 0) < 0 && errno == ENODEV);
	EXPECT_EQ(map_try(held->view, PROT_READ, MAP_SHARED, 0), -ENODEV);
	EXPECT_EQ(call(held->section, VMSECT_IOC_QUERY, &info), -ENODEV);
	EXPECT_EQ(view_open(held->section, 0, 0, RW), -ENODEV);
	EXPECT_EQ(duplicate(held->section, 0), -ENODEV);
	EXPECT_EQ(listen_to(held->section), -ENODEV);
	EXPECT_EQ(read(held->events, &info, sizeof(info)), 0);
}

static void needs_reset(void)
{
	long long before = attribute_number(NULL, "resets");
	struct vmsect_section info;
	struct held held;
	uint8_t value;

	NEED_EQ(held_open(&held), 0);
	held.node_map[9] = 'n';
	EXPECT_EQ(tap_load(held.view_map, &value), 0);
	EXPECT(device_set("broken", "1"));
	EXPECT_EQ(next(held.events).type, VMSECT_EVENT_GONE);
	while (attribute_number(NULL, "resets") == before)
		poll(NULL, 0, 5);
	expect_gone(&held);
	/* Attachments work on, as soon as the device is back. */
	EXPECT_EQ(call(held.node, VMSECT_IOC_QUERY, &info), 0);
	EXPECT_EQ(tap_load(held.node_map + 9, &value), 0);
	EXPECT_EQ(value, 'n');
	held_close(&held);
	NEED_EQ(held_open(&held), 0);
	held.view_map[0] = 1;
	held_close(&held);
	EXPECT(made_becomes("0 0"));
}

/* Again and again, with requests under way. */
static int child_asks(void *context)
{
	int node = *(int *)context, i;
	struct vmsect_section info;

	for (i = 0; i < 2000; i++) {
		int err = call(node, VMSECT_IOC_QUERY, &info);

		if (err && err != -EBUSY && err != -ENODEV && err != -EIO)
			return -err;
	}
	return 0;
}

static void needs_reset_under_load(void)
{
	int node = node_open(), i;
	struct vmsect_section info;
	pid_t pid;

	NEED_FD(node);
	pid = child_start(child_asks, &node);
	for (i = 0; i < 20; i++) {
		long long before = attribute_number(NULL, "resets");

		EXPECT(device_set("broken", "1"));
		while (attribute_number(NULL, "resets") == before)
			poll(NULL, 0, 1);
	}
	EXPECT_EQ(child_status(pid), 0);
	EXPECT_EQ(call(node, VMSECT_IOC_QUERY, &info), 0);
	close(node);
}

static const struct tap_case cases[] = {
	{ "events of nothing are nobody's", nonsense },
	{ "notifications become one", coalesced },
	{ "counts of notifications do not wrap", count_saturates },
	{ "a flood of events", flood },
	{ "a device that needs a reset", needs_reset },
	{ "one that needs it again and again", needs_reset_under_load },
};

const struct tap_group group_lies_events = TAP_GROUP("events", cases);
