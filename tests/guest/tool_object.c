// SPDX-License-Identifier: GPL-2.0-or-later
/* vmsect-tool's commands about descriptors: events, notifications, further views. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "guest/tool.h"

#define PAGE 4096
#define VIEWS_MAX 2048
#define SECONDS_MAX 3600

static int usage_number(const char *text)
{
	fprintf(stderr, "vmsect-tool: %s: not such a number\n", text);
	return EXIT_FAILURE;
}

/* One byte by pread(2), or the error in words, which is an answer too. */
int cmd_pread(struct target *t)
{
	uint64_t offset;
	uint8_t byte;
	ssize_t got;

	if (!parse_number(t->args[0], &offset))
		return usage_number(t->args[0]);
	got = pread(t->fd, &byte, 1, (off_t)offset);
	if (got < 0)
		puts(strerror(errno));
	else if (got == 0)
		puts("end");
	else
		printf("%02x\n", byte);
	return EXIT_SUCCESS;
}

static int notify(int fd, uint64_t peer, uint64_t value)
{
	struct vmsect_notify arg = { .value = value, .peer = (uint32_t)peer };

	return ioctl(fd, VMSECT_IOC_NOTIFY, &arg) < 0 ? -errno : 0;
}

int cmd_notify(struct target *t)
{
	uint64_t peer, value;
	int err;

	if (!parse_number(t->args[0], &peer) || peer > UINT32_MAX)
		return usage_number(t->args[0]);
	if (!parse_number(t->args[1], &value))
		return usage_number(t->args[1]);
	err = notify(t->fd, peer, value);
	return err ? failed(t->name, "notify", err) : EXIT_SUCCESS;
}

/* Notifies as fast as it can, values from 1 on; prints how many the host took. */
int cmd_ring(struct target *t)
{
	uint64_t peer, count, taken = 0, last = 0, i;

	if (!parse_number(t->args[0], &peer) || peer > UINT32_MAX)
		return usage_number(t->args[0]);
	if (!parse_number(t->args[1], &count))
		return usage_number(t->args[1]);
	for (i = 1; i <= count; i++) {
		int err = notify(t->fd, peer, i);

		if (err && err != -EAGAIN)
			return failed(t->name, "notify", err);
		if (err)
			continue;
		taken++;
		last = i;
	}
	printf("taken %llu last %llu\n", (unsigned long long)taken, (unsigned long long)last);
	return EXIT_SUCCESS;
}

static void event_print(const struct vmsect_event *event)
{
	static const char *const names[] = {
		[VMSECT_EVENT_NONE] = "none",
		[VMSECT_EVENT_PEER_JOINED] = "joined",
		[VMSECT_EVENT_PEER_LEFT] = "left",
		[VMSECT_EVENT_NOTIFIED] = "notified",
		[VMSECT_EVENT_REVOKED] = "revoked",
		[VMSECT_EVENT_RESIZED] = "resized",
		[VMSECT_EVENT_IN_PAGE_ERROR] = "page-error",
		[VMSECT_EVENT_QUOTA] = "quota",
		[VMSECT_EVENT_COMMITTED] = "committed",
		[VMSECT_EVENT_GONE] = "gone",
	};
	const char *name = event->type < sizeof(names) / sizeof(names[0]) ? names[event->type]
									  : "unknown";

	printf("%s peer=%u value=%llu count=%llu offset=%llu length=%llu%s\n", name, event->peer,
	       (unsigned long long)event->value, (unsigned long long)event->count,
	       (unsigned long long)event->offset, (unsigned long long)event->length,
	       event->flags & VMSECT_EVENT_F_LOST ? " lost" : "");
	fflush(stdout);
}

/* Waits in poll(2), then reads all there is: 1, 0 at the end, or -errno. */
static int events_take(int fd, int64_t limit, uint64_t *left)
{
	struct vmsect_event events[4];
	struct pollfd entry = { .fd = fd, .events = POLLIN };
	int64_t now = now_ms();
	ssize_t got, i;

	if (poll(&entry, 1, limit > now ? (int)(limit - now) : 0) == 0)
		return -ETIMEDOUT;
	got = read(fd, events, sizeof(events));
	if (got < 0)
		return -errno;
	for (i = 0; i < got / (ssize_t)sizeof(events[0]); i++) {
		event_print(&events[i]);
		*left -= *left > 0;
	}
	return got > 0;
}

/* Prints so many events of a section (0: until it is gone), a line each. */
int cmd_events(struct target *t)
{
	struct vmsect_events_request request = { 0 };
	uint64_t count, seconds, left;
	int64_t limit;
	int fd, more = 1;

	if (!parse_number(t->args[0], &count))
		return usage_number(t->args[0]);
	if (!parse_number(t->args[1], &seconds) || seconds > SECONDS_MAX)
		return usage_number(t->args[1]);
	fd = ioctl(t->fd, VMSECT_IOC_EVENTS, &request);
	if (fd < 0)
		return failed(t->name, "events", -errno);
	puts("listening");
	fflush(stdout);
	limit = now_ms() + (int64_t)seconds * 1000;
	for (left = count; more > 0 && (left || !count);)
		more = events_take(fd, limit, &left);
	if (more == 0)
		puts("end");
	close(fd);
	return more < 0 ? failed(t->name, "events", more) : EXIT_SUCCESS;
}

static int view_open(int fd, uint64_t offset, uint64_t length, uint64_t protection)
{
	struct vmsect_view_request arg = {
		.offset = offset,
		.length = length,
		.protection = (uint32_t)protection,
	};
	int view = ioctl(fd, VMSECT_IOC_VIEW, &arg);

	return view < 0 ? -errno : view;
}

/* What is left of an object that poll has said is no more. */
static void loss_print(const char *what, int fd)
{
	uint8_t byte;
	ssize_t got = pread(fd, &byte, 1, 0);
	void *map;

	printf("%s: pread: %s\n", what, got < 0 ? strerror(errno) : "done");
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	printf("%s: mmap: %s\n", what, map == MAP_FAILED ? strerror(errno) : "done");
	if (map != MAP_FAILED)
		munmap(map, PAGE);
}

/* Waits for POLLHUP of a section and of a view; then what both say. */
int cmd_poll(struct target *t)
{
	uint64_t seconds;
	int view, i, fds[2];

	if (!parse_number(t->args[0], &seconds) || seconds > SECONDS_MAX)
		return usage_number(t->args[0]);
	view = view_open(t->fd, 0, PAGE, VMSECT_GUEST_PROT_READWRITE);
	if (view < 0)
		return failed(t->name, "view", view);
	fds[0] = t->fd;
	fds[1] = view;
	puts("polling");
	fflush(stdout);
	for (i = 0; i < 2; i++) {
		struct pollfd entry = { .fd = fds[i] };

		if (poll(&entry, 1, (int)seconds * 1000) != 1 || !(entry.revents & POLLHUP))
			return failed(t->name, "poll", -ETIMEDOUT);
	}
	loss_print("section", t->fd);
	loss_print("view", view);
	close(view);
	return EXIT_SUCCESS;
}

/* Holds the first page by a pipe that vmsplice has filled, as a transfer would. */
int cmd_pin(struct target *t)
{
	struct iovec vec = { .iov_base = t->map.addr, .iov_len = PAGE };
	int pipes[2];

	if (pipe(pipes) < 0 || vmsplice(pipes[1], &vec, 1, 0) != PAGE)
		return failed(t->name, "vmsplice", -errno);
	puts("pinned");
	fflush(stdout);
	hold_until_told();
	puts("released");
	return EXIT_SUCCESS;
}

/* Stores bytes through a view of its own; what the view has there, and holds it. */
int cmd_view_write(struct target *t)
{
	size_t length = strlen(t->args[2]) / 2, i;
	uint64_t protection, offset;
	volatile uint8_t *map;
	int view;

	if (!parse_number(t->args[0], &protection) || !parse_number(t->args[1], &offset))
		return usage_number(t->args[0]);
	if (!length || length > PAGE)
		return usage_number(t->args[2]);
	view = view_open(t->fd, offset, PAGE, protection);
	if (view < 0)
		return failed(t->name, "view", view);
	map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, view, 0);
	if (map == MAP_FAILED)
		return failed(t->name, "mmap", -errno);
	for (i = 0; i < length; i++) {
		char pair[3] = { t->args[2][2 * i], t->args[2][2 * i + 1], '\0' };

		map[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	for (i = 0; i < length; i++)
		printf("%02x", map[i]);
	putchar('\n');
	fflush(stdout);
	hold_until_told();
	munmap((void *)(uintptr_t)map, PAGE);
	close(view);
	return EXIT_SUCCESS;
}

/* Each view has its number on its own page: seen through the section, all differ. */
static bool views_are_right(int fd, uint64_t count)
{
	uint64_t i, number;

	for (i = 0; i < count; i++)
		if (pread(fd, &number, sizeof(number), (off_t)i * PAGE) != sizeof(number) ||
		    number != i)
			return false;
	return true;
}

/* Holds so many views of the section, page by page, or as many as it gets. */
int cmd_views(struct target *t)
{
	uint64_t count, i;
	int view = 0;

	if (!parse_number(t->args[0], &count) || count > VIEWS_MAX)
		return usage_number(t->args[0]);
	for (i = 0; i < count; i++) {
		view = view_open(t->fd, i * PAGE, PAGE, VMSECT_GUEST_PROT_READWRITE);
		if (view < 0)
			break;
		if (pwrite(view, &i, sizeof(i), 0) != sizeof(i))
			return failed(t->name, "pwrite", -errno);
	}
	if (!views_are_right(t->fd, i))
		return failed(t->name, "views", -EIO);
	printf("views %llu: %s\n", (unsigned long long)i, view < 0 ? strerror(-view) : "all");
	fflush(stdout);
	hold_until_told();
	return EXIT_SUCCESS;
}
