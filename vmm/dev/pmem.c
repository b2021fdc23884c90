/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See pmem.h. */
#include "dev/pmem.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "dev/pmem_impl.h"
#include "dev/pmem_sync.h"

#define VIRTIO_ID 27
#define CLASS_OTHER 0xFF0000 /* no driver binds to that by class */

struct pmem_config {
	uint64_t start;
	uint64_t size;
};

static uint64_t whole(uint64_t bytes, uint64_t unit)
{
	uint64_t sum;

	return __builtin_add_overflow(bytes, unit - 1, &sum) ? 0 : sum & ~(unit - 1);
}

/* Linux: memremap_compat_align() and check_pfn_span() want whole subsections. */
uint64_t pmem_bytes(uint64_t bytes)
{
	return whole(bytes, PMEM_ALIGN);
}

/*
 * VIRTIO_PMEM_F_SHMEM_REGION is not offered: it would put the memory into a BAR,
 * where Linux 6.1 does not look for it.
 */
static void config_read(void *device, uint32_t offset, void *data, uint32_t bytes)
{
	const struct pmem *pmem = device;
	const struct pmem_config config = {
		.start = htole64(pmem->gpa),
		.size = htole64(pmem->bytes),
	};

	memcpy(data, (const uint8_t *)&config + offset, bytes);
}

static void activate(void *device, uint64_t features)
{
	(void)device;
	(void)features;
}

static void reset(void *device)
{
	pmem_flush_forget(device);
}

static int kick(void *device, uint32_t queue)
{
	(void)queue;
	return pmem_flush_kick(device);
}

static const struct virtio_device_ops device_ops = {
	.config_read = config_read,
	.activate = activate,
	.reset = reset,
	.kick = kick,
};

static void on_synced(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	pmem_flush_synced(argument);
}

static int add_sync(struct pmem *pmem, const struct pmem_info *info)
{
	int result;

	if (info->fd < 0 || info->mode != WINDOW_READWRITE)
		return 0;
	result = pmem_sync_new(info->fd, info->bytes, info->calls ? info->calls : &pmem_sync_system,
			       &pmem->sync);
	if (result < 0 || !pmem->env.events)
		return result;
	pmem->sync_event = event_new(pmem->env.events, pmem_sync_fd(pmem->sync),
				     EV_READ | EV_PERSIST, on_synced, pmem);
	return pmem->sync_event && event_add(pmem->sync_event, NULL) == 0 ? 0 : -ENOMEM;
}

/* The section and, behind its last page, the padding. */
static int add_memory(struct pmem *pmem, const struct pmem_info *info)
{
	uint64_t view_bytes = whole(info->bytes, WINDOW_PAGE_BYTES);
	int result = window_set_base(pmem->window, pmem->gpa);

	if (result < 0)
		return result;
	return pmem_pad_init(&pmem->pad, pmem->env.vm, pmem->gpa + view_bytes,
			     pmem->bytes - view_bytes);
}

static int add_to_bus(struct pmem *pmem)
{
	const struct virtio_device_info info = {
		.device_id = VIRTIO_ID,
		.queues = 1,
		.queue_size = PMEM_QUEUE_SIZE,
		.class_code = CLASS_OTHER,
		.config_bytes = sizeof(struct pmem_config),
		.ops = &device_ops,
		.device = pmem,
	};

	return virtio_pci_new(&pmem->env, &info, NULL, &pmem->transport);
}

static bool info_is_good(const struct pmem_info *info)
{
	uint64_t bytes = pmem_bytes(info->bytes), end;

	return bytes > 0 && info->gpa % PMEM_ALIGN == 0 && info->mode != WINDOW_NOACCESS &&
	       !__builtin_add_overflow(info->gpa, bytes, &end) &&
	       window_bytes(info->window) >= bytes;
}

static int setup(struct pmem *pmem, const struct pmem_info *info)
{
	int result;

	pmem->name = strdup(info->name);
	if (!pmem->name)
		return -ENOMEM;
	result = add_sync(pmem, info);
	if (result == 0)
		result = add_memory(pmem, info);
	return result < 0 ? result : add_to_bus(pmem);
}

int pmem_new(const struct virtio_pci_env *env, const struct pmem_info *info, struct pmem **ret_pmem)
{
	struct pmem *pmem;
	int result;

	if (!info_is_good(info))
		return -EINVAL;
	pmem = calloc(1, sizeof(*pmem));
	if (!pmem)
		return -ENOMEM;
	pmem->env = *env;
	pmem->window = info->window;
	pmem->gpa = info->gpa;
	pmem->bytes = pmem_bytes(info->bytes);
	result = setup(pmem, info);
	if (result < 0) {
		(void)pmem_free(pmem);
		return result;
	}
	if (info->io_error)
		pmem_flush_fail(pmem, info->io_error, strerror(-info->io_error));
	*ret_pmem = pmem;
	return 0;
}

struct pmem *pmem_free(struct pmem *pmem)
{
	if (!pmem)
		return NULL;
	pmem->transport = virtio_pci_free(pmem->transport);
	if (pmem->sync_event)
		event_free(pmem->sync_event);
	pmem->sync = pmem_sync_free(pmem->sync);
	pmem_pad_deinit(&pmem->pad, pmem->env.vm);
	(void)window_set_base(pmem->window, WINDOW_NOWHERE);
	free(pmem->name);
	free(pmem);
	return NULL;
}

void pmem_revoked(struct pmem *pmem)
{
	pmem_flush_fail(pmem, -ENXIO, "it was taken away");
}

void pmem_counters(const struct pmem *pmem, struct pmem_counters *ret_counters)
{
	*ret_counters = pmem->counters;
	ret_counters->breaks = virtio_pci_breaks(pmem->transport);
}
