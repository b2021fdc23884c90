/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See removal.h. */
#include "libvirt/removal.h"

#include <errno.h>
#include <jansson.h>
#include <libvirt/libvirt-qemu.h>
#include <string.h>

#include "base/cleanup.h"
#include "libvirt/domain.h"
#include "libvirt/qmp.h"
#include "libvirt/say.h"

#define QEMU_CALLBACK 2u
#define ASK_AGAIN_MS 6000 /* QEMU refuses a second request within 5 s */

static void removal_end(struct removal *removal, enum removal_state state)
{
	if (removal->state == REMOVAL_WAITING)
		removal->state = state;
}

/* Of a device that the monitor plugged libvirt tells only this. */
/* NOLINTNEXTLINE(readability-function-size): the parameters are libvirt's */
static void on_qemu_event(virConnectPtr connection, virDomainPtr handle, const char *event,
			  long long seconds, unsigned int micros, const char *details, void *opaque)
{
	struct removal *removal = opaque;
	AUTO(json_cleanup) json_t *what = details ? json_loads(details, 0, NULL) : NULL;
	const char *device = json_string_value(json_object_get(what, "device"));

	(void)connection;
	(void)handle;
	(void)seconds;
	(void)micros;
	if (!device || strcmp(device, removal->device) != 0)
		return;
	if (!strcmp(event, "DEVICE_DELETED"))
		removal_end(removal, REMOVAL_DONE);
	else if (!strcmp(event, "DEVICE_UNPLUG_GUEST_ERROR"))
		removal_end(removal, REMOVAL_REFUSED);
}

static void on_lifecycle(virConnectPtr connection, virDomainPtr handle, int event, int detail,
			 void *opaque)
{
	(void)connection;
	(void)handle;
	(void)detail;
	if (event == VIR_DOMAIN_EVENT_STOPPED || event == VIR_DOMAIN_EVENT_CRASHED)
		removal_end(opaque, REMOVAL_STOPPED);
}

static void on_removed(virConnectPtr connection, virDomainPtr handle, const char *alias,
		       void *opaque)
{
	struct removal *removal = opaque;

	(void)connection;
	(void)handle;
	if (!strcmp(alias, removal->device))
		removal_end(removal, REMOVAL_DONE);
}

static void on_timer(int timer, void *opaque)
{
	(void)timer;
	removal_end(opaque, REMOVAL_LATE);
}

static int subscribe(struct removal *removal)
{
	const struct domain *domain = removal->domain;

	removal->callbacks[0] = virConnectDomainEventRegisterAny(
		domain->connection, domain->handle, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
		VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle), removal, NULL);
	removal->callbacks[1] = virConnectDomainEventRegisterAny(
		domain->connection, domain->handle, VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED,
		VIR_DOMAIN_EVENT_CALLBACK(on_removed), removal, NULL);
	removal->callbacks[QEMU_CALLBACK] = virConnectDomainQemuMonitorEventRegister(
		domain->connection, domain->handle, "^DEVICE_(DELETED|UNPLUG_GUEST_ERROR)$",
		on_qemu_event, removal, NULL, VIR_CONNECT_DOMAIN_QEMU_MONITOR_EVENT_REGISTER_REGEX);
	if (removal->callbacks[0] >= 0 && removal->callbacks[1] >= 0 &&
	    removal->callbacks[QEMU_CALLBACK] >= 0)
		return 0;
	say_error("cannot hear what happens in domain '%s': %s", domain->name, libvirt_error());
	return -EIO;
}

int removal_init(struct removal *removal, const struct domain *domain, const char *device,
		 int (*ask)(const struct domain *domain, const char *device))
{
	*removal = (struct removal){ .domain = domain,
				     .device = device,
				     .ask = ask,
				     .callbacks = { -1, -1, -1 },
				     .timers = { -1, -1 } };
	return subscribe(removal);
}

static void on_again(int timer, void *opaque)
{
	struct removal *removal = opaque;

	(void)timer;
	removal->is_ask_due = true;
}

static int removal_result(const struct removal *removal, uint32_t timeout_s)
{
	const char *name = removal->domain->name;

	switch (removal->state) {
	case REMOVAL_DONE:
		return 0;
	case REMOVAL_STOPPED:
		say_error("domain '%s' ended while its guest let go of the device", name);
		return -ECONNRESET;
	case REMOVAL_REFUSED:
		say_error("the guest in domain '%s' refuses to let go of the device", name);
		return -EBUSY;
	case REMOVAL_LATE:
		say_error("the guest in domain '%s' has not let go of the device in %u s: it is "
			  "not up yet, or does not do hot-unplug; detach may be given again",
			  name, timeout_s);
		return -ETIMEDOUT;
	default:
		say_error("the connection to libvirt broke: %s", libvirt_error());
		return -EIO;
	}
}

/* Guests lose requests that come while they start or still take the device in. */
static void ask_again(struct removal *removal)
{
	if (!removal->is_ask_due)
		return;
	removal->is_ask_due = false;
	(void)removal->ask(removal->domain, removal->device);
}

int removal_wait(struct removal *removal, uint32_t timeout_s)
{
	removal->timers[0] = virEventAddTimeout((int)(timeout_s * 1000u), on_timer, removal, NULL);
	removal->timers[1] = virEventAddTimeout(ASK_AGAIN_MS, on_again, removal, NULL);
	if (removal->timers[0] >= 0 && removal->timers[1] >= 0) {
		while (removal->state == REMOVAL_WAITING &&
		       virConnectIsAlive(removal->domain->connection) == 1 &&
		       virEventRunDefaultImpl() == 0)
			ask_again(removal);
	}
	return removal_result(removal, timeout_s);
}

void removal_deinit(struct removal *removal)
{
	virConnectPtr connection = removal->domain ? removal->domain->connection : NULL;
	unsigned int i;

	if (!connection)
		return;
	for (i = 0; i < 2; i++) {
		if (removal->timers[i] >= 0)
			(void)virEventRemoveTimeout(removal->timers[i]);
	}
	for (i = 0; i < QEMU_CALLBACK; i++) {
		if (removal->callbacks[i] >= 0)
			(void)virConnectDomainEventDeregisterAny(connection, removal->callbacks[i]);
	}
	if (removal->callbacks[QEMU_CALLBACK] >= 0)
		(void)virConnectDomainQemuMonitorEventDeregister(connection,
								 removal->callbacks[QEMU_CALLBACK]);
}
