// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * EVENTS, NOTIFY and poll, as far as one VM alone shows them; the stories have
 * the rest.  Nothing here waits for a time: what must come is waited for, what
 * must not come is asked for after something that did come.
 */
#include "guest/selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#define LIMIT_MS 20000
#define MASK(type) (1U << VMSECT_EVENT_##type)

static int events_open(int section, uint32_t mask)
{
	struct vmsect_events_request arg = { .mask = mask };

	return call(section, VMSECT_IOC_EVENTS, &arg);
}

static int notify(int section, uint32_t peer, uint64_t value)
{
	struct vmsect_notify arg = { .value = value, .peer = peer };

	return call(section, VMSECT_IOC_NOTIFY, &arg);
}

static int extend_to(int section, uint64_t bytes)
{
	struct vmsect_extend arg = { .size_bytes = bytes };

	return call(section, VMSECT_IOC_EXTEND, &arg);
}

static short polled(int fd, short what, int limit_ms)
{
	struct pollfd entry = { .fd = fd, .events = what };

	return poll(&entry, 1, limit_ms) < 0 ? -1 : entry.revents;
}

/* The next event, which must come; type 0 if it does not. */
static struct vmsect_event next(int fd)
{
	struct vmsect_event event = { 0 };

	if (polled(fd, POLLIN, LIMIT_MS) & POLLIN)
		EXPECT_EQ(read(fd, &event, sizeof(event)), (long long)sizeof(event));
	return event;
}

static int growing_section(void)
{
	return scratch_open(&(struct scratch){ .max_bytes = 64 * SCRATCH_BYTES });
}

static void refused(void)
{
	int section = growing_section(), events;
	uint8_t small[sizeof(struct vmsect_event)];

	NEED_FD(section);
	EXPECT_EQ(events_open(section, 1U << (VMSECT_EVENT_GONE + 1)), -EINVAL);
	EXPECT_EQ(events_open(section, 1U << 31), -EINVAL);
	events = events_open(section, 0);
	NEED_FD(events);
	EXPECT_EQ(fcntl(events, F_GETFD), FD_CLOEXEC);
	EXPECT(read(events, small, sizeof(small) - 1) < 0 && errno == EINVAL);
	EXPECT(read(events, small, 0) < 0 && errno == EINVAL);
	EXPECT(write(events, small, sizeof(small)) < 0);
	EXPECT_EQ(map_try(events, PROT_READ, MAP_SHARED, 0), -ENODEV);
	EXPECT_EQ(fcntl(events, F_SETFL, O_NONBLOCK), 0);
	EXPECT(read(events, small, sizeof(small)) < 0 && errno == EAGAIN);
	EXPECT_EQ(polled(events, POLLIN, 0), 0);
	close(events);
	close(section);
}

static void on_alarm(int number)
{
	(void)number;
}

/* A read that waits ends by a signal. */
static void read_interrupted(void)
{
	struct sigaction action = { .sa_handler = on_alarm }, before;
	struct itimerval soon = { .it_value = { .tv_usec = 50000 },
				  .it_interval = { .tv_usec = 50000 } };
	const struct itimerval never = { 0 };
	int section = growing_section(), events;
	struct vmsect_event event;

	NEED_FD(section);
	events = events_open(section, 0);
	NEED_FD(events);
	sigaction(SIGALRM, &action, &before);
	setitimer(ITIMER_REAL, &soon, NULL);
	EXPECT(read(events, &event, sizeof(event)) < 0 && errno == EINTR);
	setitimer(ITIMER_REAL, &never, NULL);
	sigaction(SIGALRM, &before, NULL);
	close(events);
	close(section);
}

static void resized(void)
{
	int section = growing_section(), events;
	struct vmsect_section info;
	struct vmsect_event event;

	NEED_FD(section);
	NEED_EQ(vmsect_guest_query(section, &info), 0);
	events = events_open(section, 0);
	NEED_FD(events);
	NEED_EQ(extend_to(section, 2 * SCRATCH_BYTES), 0);
	event = next(events);
	EXPECT_EQ(event.type, VMSECT_EVENT_RESIZED);
	EXPECT_EQ(event.value, 2 * SCRATCH_BYTES);
	EXPECT_EQ(event.section_id, info.section_id);
	EXPECT_EQ(event.flags, 0);
	EXPECT_EQ(event.reserved, 0);
	EXPECT_EQ(event.reserved2, 0);
	close(events);
	close(section);
}

/* Unread ones become one, with the newest size. */
static void resized_coalesced(void)
{
	int section = growing_section(), events, i;
	struct vmsect_event got[8];
	ssize_t bytes;

	NEED_FD(section);
	events = events_open(section, MASK(RESIZED));
	NEED_FD(events);
	for (i = 2; i <= 40; i++)
		NEED_EQ(extend_to(section, (uint64_t)i * SCRATCH_BYTES), 0);
	do {
		NEED_EQ(polled(events, POLLIN, LIMIT_MS) & POLLIN, POLLIN);
		bytes = read(events, got, sizeof(got));
		NEED_EQ(bytes > 0 && bytes % (ssize_t)sizeof(got[0]) == 0, 1);
		EXPECT_EQ(bytes, (long long)sizeof(got[0]));
		EXPECT_EQ(got[0].flags, 0);
	} while (got[0].value < 40 * SCRATCH_BYTES);
	EXPECT_EQ(got[0].value, 40 * SCRATCH_BYTES);
	close(events);
	close(section);
}

/* Each descriptor hears what it asked for, from then on. */
static void masks(void)
{
	int section = growing_section(), some, all, late;

	NEED_FD(section);
	some = events_open(section, MASK(COMMITTED) | MASK(NOTIFIED));
	all = events_open(section, 0);
	NEED_FD(some);
	NEED_FD(all);
	NEED_EQ(extend_to(section, 2 * SCRATCH_BYTES), 0);
	EXPECT_EQ(next(all).type, VMSECT_EVENT_RESIZED);
	EXPECT_EQ(polled(some, POLLIN, 0), 0);
	late = events_open(section, 0);
	NEED_FD(late);
	EXPECT_EQ(polled(late, POLLIN, 0), 0);
	NEED_EQ(extend_to(section, 3 * SCRATCH_BYTES), 0);
	EXPECT_EQ(next(late).value, 3 * SCRATCH_BYTES);
	EXPECT_EQ(next(all).value, 3 * SCRATCH_BYTES);
	EXPECT_EQ(polled(some, POLLIN, 0), 0);
	close(late);
	close(all);
	close(some);
	close(section);
}

static int reserve_section(uint64_t pages)
{
	return scratch_open(
		&(struct scratch){ .bytes = pages * PAGE, .flags = VMSECT_GUEST_CREATE_F_RESERVE });
}

static int commit_page(int section, uint64_t page)
{
	struct vmsect_protect arg = { .offset = page * PAGE, .length = PAGE };

	return call(section, VMSECT_IOC_COMMIT, &arg);
}

static void committed(void)
{
	int section = reserve_section(8), events;
	struct vmsect_event event;

	NEED_FD(section);
	events = events_open(section, MASK(COMMITTED));
	NEED_FD(events);
	NEED_EQ(commit_page(section, 3), 0);
	event = next(events);
	EXPECT_EQ(event.type, VMSECT_EVENT_COMMITTED);
	EXPECT_EQ(event.offset, 3 * PAGE);
	EXPECT_EQ(event.length, PAGE);
	close(events);
	close(section);
}

/* A section made with RESERVE, touched: the program hears which page. */
static void in_page_error(void)
{
	int section = reserve_section(8), events;
	struct vmsect_event event;
	uint8_t *map, value;

	NEED_FD(section);
	events = events_open(section, MASK(IN_PAGE_ERROR));
	NEED_FD(events);
	map = shared_map(section, 0, 8 * PAGE, PROT_READ);
	NEED_MAP(map);
	tap_load(map + 5 * PAGE, &value);
	event = next(events);
	EXPECT_EQ(event.type, VMSECT_EVENT_IN_PAGE_ERROR);
	EXPECT_EQ(event.value, EFAULT);
	EXPECT(event.offset <= 5 * PAGE && event.offset + event.length >= 6 * PAGE);
	munmap(map, 8 * PAGE);
	close(events);
	close(section);
}

/* The event descriptor is not the section's: it hears, and ends with its own close. */
static void outlives_section(void)
{
	int section = growing_section(), same, events;

	NEED_FD(section);
	same = duplicate(section, VMSECT_GUEST_ACCESS_WRITE | VMSECT_GUEST_ACCESS_EXTEND);
	NEED_FD(same);
	events = events_open(section, 0);
	NEED_FD(events);
	close(section);
	NEED_EQ(extend_to(same, 2 * SCRATCH_BYTES), 0);
	EXPECT_EQ(next(events).type, VMSECT_EVENT_RESIZED);
	close(same);
	EXPECT_EQ(polled(events, POLLIN, 0), 0);
	close(events);
}

static void poll_of_objects(void)
{
	int section = growing_section(), view;
	const short ready = POLLIN | POLLOUT;

	NEED_FD(section);
	view = view_open(section, 0, 0, VMSECT_GUEST_PROT_READWRITE);
	NEED_FD(view);
	EXPECT_EQ(polled(section, ready, 0) & (ready | POLLERR | POLLHUP), ready);
	EXPECT_EQ(polled(view, ready, 0) & (ready | POLLERR | POLLHUP), ready);
	close(view);
	close(section);
}

static void notify_refused(void)
{
	int section = growing_section(), reads, writes;

	NEED_FD(section);
	SKIP_UNLESS(notify(section, UINT32_MAX, 1) != -EOPNOTSUPP, "the device does not offer it");
	reads = duplicate(section, VMSECT_GUEST_ACCESS_READ | VMSECT_GUEST_ACCESS_NOTIFY);
	writes = duplicate(section, VMSECT_GUEST_ACCESS_WRITE);
	NEED_FD(reads);
	NEED_FD(writes);
	EXPECT_EQ(notify(reads, 0, 1), -EBADF);
	EXPECT_EQ(notify(writes, 0, 1), -EPERM);
	EXPECT_EQ(notify(section, UINT32_MAX, 1), -ENXIO);
	close(writes);
	close(reads);
	close(section);
}

static const struct tap_case cases[] = {
	{ "EVENTS: unknown types, small buffers, no event yet", refused },
	{ "EVENTS: a signal ends a read that waits", read_interrupted },
	{ "EVENTS: RESIZED", resized },
	{ "EVENTS: RESIZED that were not read become one", resized_coalesced },
	{ "EVENTS: masks, and what came before", masks },
	{ "EVENTS: COMMITTED", committed },
	{ "EVENTS: IN_PAGE_ERROR of a page that is not committed", in_page_error },
	{ "EVENTS: a life of their own", outlives_section },
	{ "poll of sections and views", poll_of_objects },
	{ "NOTIFY: EBADF, EPERM, ENXIO", notify_refused },
};

const struct tap_group group_events = TAP_GROUP("events", cases);
