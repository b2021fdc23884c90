/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmsect-lies-test: what its files share.  The device is tests/guest/fake_device. */
#ifndef TESTS_GUEST_LIES_H
#define TESTS_GUEST_LIES_H

#include <stdbool.h>
#include <stdint.h>

/* Of the three good sections: 4 MiB, readwrite; its number at the device. */
#define RW_NAME "good-rw"
#define RW_SECTION 106
#define RW_VIEW 206
#define RW_BYTES 0x400000

/* Replies to op have a value of so many bytes there; lies_end(): none has. */
void lie(unsigned int op, unsigned int offset, unsigned int bytes, uint64_t value);
void lies_end(void);
/* A parameter of the device; false if it refuses. */
bool device_set(const char *parameter, const char *value);
/* An event, in the device's order; waits until there is a buffer for it. */
void event_send(const char *event);
/* Handles and views that the driver has made become so many. */
bool made_becomes(const char *wanted);
/* OPEN of RW_NAME, with all rights: a section descriptor or -errno. */
int section_open(void);

extern const struct tap_group group_lies_events;

#endif
