/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See section_dev.h. */
#include "dev/section_dev.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dev/section_impl.h"
#include "virtio/virtio_pci.h"

/*
 * "Does not fit any defined class": no driver binds to that by class.  The
 * alternative, a RAM controller (05 00), invites software to treat the window
 * as memory that is there, while most of it is holes.
 */
#define CLASS_OTHER 0xFF0000

#define LINES_BURST 4u

#define FEATURES                                                                                   \
	(1u << VMSECT_F_PROTECT | 1u << VMSECT_F_EXTEND | 1u << VMSECT_F_FLUSH |                   \
	 1u << VMSECT_F_COW | 1u << VMSECT_F_NOTIFY | 1u << VMSECT_F_CREATE |                      \
	 1u << VMSECT_F_IN_PAGE_ERROR | 1u << VMSECT_F_HOLD)

static void config_read(void *device, uint32_t offset, void *data, uint32_t bytes)
{
	const struct section_dev *dev = device;
	const struct vmsect_dev_config config = {
		.window_bytes = htole64(window_bytes(dev->env.window)),
		.align_shift = htole32(WINDOW_UNIT_SHIFT),
		.max_views = htole32(SECTION_VIEWS_MAX),
		.max_handles = htole32(SECTION_HANDLES_MAX),
		.attachments = htole32(dev->attachments),
		.peer_id = htole32(dev->peer_id),
	};

	memcpy(data, (const uint8_t *)&config + offset, bytes);
}

static void activate(void *device, uint64_t features)
{
	struct section_dev *dev = device;

	dev->features = features & FEATURES;
	dev->is_active = true;
	if (dev->hold == SECTION_HOLD_HELD) {
		dev->hold = SECTION_HOLD_NONE;
		section_event_filter(dev);
	}
}

static void reset(void *device)
{
	struct section_dev *dev = device;

	dev->is_active = false;
	section_pending_forget(dev);
	section_notify_forget(dev);
	if (section_hold_reset(dev))
		return;
	dev->features = 0;
	section_event_forget(dev);
	section_views_drop(dev, false);
	section_handles_drop(dev, false);
}

static int kick(void *device, uint32_t queue)
{
	struct section_dev *dev = device;

	if (queue == VMSECT_VQ_CONTROL)
		return section_ctl_kick(dev);
	section_event_deliver(dev);
	return 0;
}

static const struct virtio_device_ops device_ops = {
	.config_read = config_read,
	.activate = activate,
	.reset = reset,
	.kick = kick,
};

/* The window is the shared-memory region: its BAR says where the guest sees it. */
static int window_moved(void *owner, uint64_t gpa)
{
	return window_set_base(owner, gpa);
}

static int add_to_bus(struct section_dev *dev)
{
	const struct virtio_pci_env env = {
		.vm = dev->env.vm,
		.mem = dev->env.mem,
		.irq = dev->env.irq,
		.pci = dev->env.pci,
		.events = dev->env.events,
	};
	const struct virtio_device_info info = {
		.device_id = VMSECT_VIRTIO_ID,
		.queues = VMSECT_VQ_COUNT,
		.queue_size = SECTION_QUEUE_SIZE,
		.class_code = CLASS_OTHER,
		.config_bytes = sizeof(struct vmsect_dev_config),
		.features = FEATURES,
		.ops = &device_ops,
		.device = dev,
	};
	const struct virtio_pci_shm shm = {
		.id = VMSECT_SHM_WINDOW,
		.bytes = window_bytes(dev->env.window),
		.owner = dev->env.window,
		.on_map = window_moved,
	};

	return virtio_pci_new(&env, &info, &shm, &dev->transport);
}

static size_t greater(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* Room for the longest reply: every attachment at once, a diff, or a section. */
static int alloc_reply(struct section_dev *dev, size_t attachments)
{
	size_t list =
		sizeof(struct vmsect_rsp_list) + attachments * sizeof(struct vmsect_attachment);
	size_t diff =
		sizeof(struct vmsect_rsp_diff) + SECTION_DIFF_MAX * sizeof(struct vmsect_dev_range);

	dev->reply_room = greater(greater(list, diff), sizeof(struct vmsect_rsp_open));
	dev->reply = calloc(1, dev->reply_room);
	return dev->reply ? 0 : -ENOMEM;
}

/* What wakes the io thread. */
static int init_events(struct section_dev *dev)
{
	int result = section_report_init(dev);

	if (result == 0)
		result = section_loss_init(dev);
	return result < 0 ? result : section_broker_init(dev);
}

static int start(struct section_dev *dev, const struct section_error *error)
{
	int result = alloc_reply(dev, dev->attachments);
	const char *what = "cannot answer requests";

	if (result == 0) {
		what = "cannot listen for events";
		result = init_events(dev);
	}
	if (result == 0) {
		what = "cannot be put on the PCI bus";
		result = add_to_bus(dev);
	}
	if (result < 0)
		(void)snprintf(error->text, error->room, "the section device %s: %s", what,
			       strerror(-result));
	return result;
}

int section_dev_new(const struct section_dev_env *env, const struct section_attach_list *attach,
		    const struct section_error *error, struct section_dev **ret_dev)
{
	struct section_dev *dev = calloc(1, sizeof(*dev));
	int result;

	if (!dev) {
		(void)snprintf(error->text, error->room, "no memory for the section device");
		return -ENOMEM;
	}
	dev->env = *env;
	dev->loss_fd = -1;
	dev->sweep_limit.burst = dev->broker_limit.burst = dev->quota_limit.burst = LINES_BURST;
	dev->notify_limit.burst = LINES_BURST;
	section_notify_init(dev);
	dev->broker_gone = !env->client;
	dev->peer_id = env->client ? vmsect_client_peer_id(env->client) : 0;
	result = section_attach_all(dev, attach->items, attach->count, error);
	if (result == 0)
		result = start(dev, error);
	if (result < 0) {
		section_dev_free(dev);
		return result;
	}
	*ret_dev = dev;
	return 0;
}

struct section_dev *section_dev_free(struct section_dev *dev)
{
	if (!dev)
		return NULL;
	dev->transport = virtio_pci_free(dev->transport);
	section_broker_deinit(dev);
	section_loss_deinit(dev);
	section_report_deinit(dev);
	section_pending_forget(dev);
	section_views_drop(dev, true);
	section_handles_drop(dev, true);
	free(dev->reply);
	free(dev);
	return NULL;
}

void section_dev_counters(const struct section_dev *dev, struct section_dev_counters *ret_counters)
{
	*ret_counters = dev->counters;
	ret_counters->breaks = virtio_pci_breaks(dev->transport);
}
