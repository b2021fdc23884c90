/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waiting for a guest that lets go of a device.
 *
 * Events are subscribed to before the device is asked for, so that none is
 * missed.  One thread; runs libvirt's event loop while it waits.
 */
#ifndef VMSECT_LIBVIRT_REMOVAL_H
#define VMSECT_LIBVIRT_REMOVAL_H

#include <stdbool.h>
#include <stdint.h>

struct domain;

enum removal_state {
	REMOVAL_WAITING,
	REMOVAL_DONE, /* the device has gone */
	REMOVAL_REFUSED, /* the guest has said no */
	REMOVAL_STOPPED, /* the domain ended, and the device with it */
	REMOVAL_LATE,
};

struct removal {
	const struct domain *domain; /* borrowed */
	const char *device; /* borrowed; id or alias */
	int (*ask)(const struct domain *domain, const char *device); /* lets the guest be asked */
	enum removal_state state;
	bool is_ask_due;
	int callbacks[3]; /* of libvirt, -1: none; the last is of QEMU's events */
	int timers[2]; /* the end, and to ask again; -1: none */
};

/*
 * Subscribes.  `ask` is what starts the removal: the caller calls it once, and
 * removal_wait() again from time to time.  0, or -EIO after a message.
 */
int removal_init(struct removal *removal, const struct domain *domain, const char *device,
		 int (*ask)(const struct domain *domain, const char *device));

/* Waits.  0 if the device has gone, else -errno after a message. */
int removal_wait(struct removal *removal, uint32_t timeout_s);

/* Cleanup attribute of a removal; fine for one that is all zero. */
void removal_deinit(struct removal *removal);

#endif
