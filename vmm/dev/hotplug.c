/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See hotplug.h. */
#include "dev/hotplug.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include <event2/event.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "bus/bus.h"
#include "kvm/irq.h"
#include "mem/layout.h"

#define REGISTER_BYTES 4
#define DOWN 0
#define EJECT 4

struct hotplug {
	struct hotplug_env env;
	atomic_uint allowed; /* slots, as are the next two */
	atomic_uint down;
	atomic_uint ejected; /* and not taken out yet */
	int fd; /* owned eventfd: vCPU threads to the io thread */
	struct event *event; /* owned */
};

static void registers_read(void *device, uint64_t offset, void *data, uint32_t bytes)
{
	struct hotplug *hotplug = device;
	uint32_t down = atomic_load(&hotplug->down);

	memset(data, 0, bytes);
	if (offset == DOWN && bytes == REGISTER_BYTES)
		memcpy(data, &down, sizeof(down));
}

static void registers_write(void *device, uint64_t offset, const void *data, uint32_t bytes)
{
	struct hotplug *hotplug = device;
	uint32_t slots;

	if (offset != EJECT || bytes != REGISTER_BYTES)
		return;
	memcpy(&slots, data, sizeof(slots));
	slots &= atomic_load(&hotplug->allowed);
	atomic_fetch_or(&hotplug->ejected, slots);
	(void)eventfd_write(hotplug->fd, 1);
}

static const struct bus_ops register_ops = { registers_read, registers_write };

static void on_ejected(evutil_socket_t fd, short what, void *argument)
{
	struct hotplug *hotplug = argument;
	uint32_t slots;
	eventfd_t count;

	(void)what;
	(void)eventfd_read(fd, &count);
	slots = atomic_exchange(&hotplug->ejected, 0) & atomic_load(&hotplug->allowed);
	atomic_fetch_and(&hotplug->allowed, ~slots);
	atomic_fetch_and(&hotplug->down, ~slots);
	for (; slots; slots &= slots - 1)
		hotplug->env.ejected(hotplug->env.owner, (uint32_t)__builtin_ctz(slots));
}

static int fill(struct hotplug *hotplug)
{
	hotplug->fd = sys_result(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	if (hotplug->fd < 0)
		return hotplug->fd;
	hotplug->event = event_new(hotplug->env.events, hotplug->fd, EV_READ | EV_PERSIST,
				   on_ejected, hotplug);
	if (!hotplug->event || event_add(hotplug->event, NULL) < 0)
		return -ENOMEM;
	return bus_add(hotplug->env.pio, LAYOUT_HOTPLUG_PORT, LAYOUT_HOTPLUG_PORTS, &register_ops,
		       hotplug);
}

int hotplug_new(const struct hotplug_env *env, struct hotplug **ret_hotplug)
{
	struct hotplug *hotplug = calloc(1, sizeof(*hotplug));
	int result;

	if (!hotplug)
		return -ENOMEM;
	hotplug->env = *env;
	result = fill(hotplug);
	if (result < 0)
		(void)hotplug_free(hotplug);
	else
		*ret_hotplug = hotplug;
	return result;
}

struct hotplug *hotplug_free(struct hotplug *hotplug)
{
	if (!hotplug)
		return NULL;
	bus_remove(hotplug->env.pio, LAYOUT_HOTPLUG_PORT);
	if (hotplug->event)
		event_free(hotplug->event);
	fd_cleanup(&hotplug->fd);
	free(hotplug);
	return NULL;
}

void hotplug_allow(struct hotplug *hotplug, uint32_t slot)
{
	atomic_fetch_or(&hotplug->allowed, UINT32_C(1) << slot);
}

void hotplug_ask(struct hotplug *hotplug, uint32_t slot)
{
	uint32_t bit = UINT32_C(1) << slot;

	if (!(atomic_load(&hotplug->allowed) & bit) || atomic_fetch_or(&hotplug->down, bit) & bit)
		return;
	/* A line that KVM has accepted once cannot fail later. */
	if (hotplug->env.irq)
		(void)irq_pulse(hotplug->env.irq, LAYOUT_HOTPLUG_GSI);
}
