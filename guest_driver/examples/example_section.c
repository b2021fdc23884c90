// SPDX-License-Identifier: LGPL-2.1-or-later
/* See example_section.h. */
#include "example_section.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Between looks where notifications cannot be heard. */
#define LOOK_MS 5

int example_section_open(struct example_section *ret_section, const char *name, bool writable)
{
	struct example_section section = { .events_fd = -1 };
	int how = VMSECT_GUEST_READ | (writable ? VMSECT_GUEST_WRITE : 0);
	int err = vmsect_guest_open(name, writable ? O_RDWR : O_RDONLY, &section.fd);

	if (err) {
		(void)fprintf(stderr, "cannot open %s: %s\n", name, strerror(-err));
		return err;
	}
	err = vmsect_guest_map(section.fd, how, 0, 0, &section.map);
	if (err) {
		(void)fprintf(stderr, "cannot map %s: %s\n", name, strerror(-err));
		(void)close(section.fd);
		return err;
	}
	if (vmsect_guest_events(section.fd, 1u << VMSECT_EVENT_NOTIFIED, &section.events_fd))
		section.events_fd = -1;
	*ret_section = section;
	return 0;
}

void example_section_close(struct example_section *section)
{
	vmsect_guest_unmap(&section->map);
	if (section->events_fd >= 0)
		(void)close(section->events_fd);
	(void)close(section->fd);
}

void example_section_notify(const struct example_section *section, uint64_t value)
{
	(void)vmsect_guest_notify(section->fd, 0, value);
}

int example_section_wait(const struct example_section *section, int timeout_ms)
{
	struct vmsect_event event;
	int err;

	if (section->events_fd < 0) {
		(void)poll(NULL, 0, timeout_ms < LOOK_MS ? timeout_ms : LOOK_MS);
		return 0;
	}
	err = vmsect_guest_wait(section->events_fd, timeout_ms);
	if (!err)
		err = vmsect_guest_read_event(section->events_fd, &event);
	if (err)
		return err == -ETIMEDOUT || err == -EINTR ? 0 : err;
	return event.type == VMSECT_EVENT_GONE ? -ENODEV : 0;
}

uint64_t example_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

bool example_number(const char *text, uint64_t max, uint64_t *ret_number)
{
	unsigned long long number;
	char *end;

	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || number > max)
		return false;
	*ret_number = number;
	return true;
}
