/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See virtio_pci.h.  This file is the object and its io thread side; the
 * registers are virtio_pci_regs.c, the PCI function virtio_pci_func.c.
 */
#include "virtio/virtio_pci.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/sys.h"
#include "bus/msix.h"
#include "virtio/virtio_pci_impl.h"

#define LOG_BURST 3

#define ISR_QUEUE 1
#define ISR_CONFIG 2

/* Takes what the eventfd counted; false if there was nothing. */
static bool signal_take(int fd)
{
	uint64_t count;

	return sys_retry(read(fd, &count, sizeof(count))) == (ssize_t)sizeof(count);
}

void virtio_pci_signal_fd(int fd)
{
	/* A full counter is signalled already. */
	(void)eventfd_write(fd, 1);
}

static void interrupt(struct virtio_pci *transport, uint16_t vector, uint8_t isr)
{
	if (transport->msix && msix_is_enabled(transport->msix)) {
		msix_fire(transport->msix, vector);
		return;
	}
	/* No INTx line: a driver without MSI-X polls the ISR or the rings. */
	pthread_mutex_lock(&transport->lock);
	transport->regs.isr |= isr;
	pthread_mutex_unlock(&transport->lock);
}

/* Logs a break and tells the driver, once for each. */
static void report_break(struct virtio_pci *transport)
{
	uint64_t dropped;
	const char *why;
	uint16_t vector;
	bool is_running;

	pthread_mutex_lock(&transport->lock);
	why = transport->regs.break_reason;
	transport->regs.break_reason = NULL;
	vector = transport->regs.config_vector;
	is_running = transport->regs.status & VIRTIO_STATUS_DRIVER_OK;
	pthread_mutex_unlock(&transport->lock);
	if (!why)
		return;
	transport->is_broken = true;
	if (log_allowed(&transport->log_limit, &dropped))
		log_warning("virtio device %u needs a reset: %s (%llu such lines left out before)",
			    (unsigned int)transport->info.device_id, why,
			    (unsigned long long)dropped);
	if (is_running)
		interrupt(transport, vector, ISR_CONFIG);
}

void virtio_pci_break(struct virtio_pci *transport, const char *why)
{
	pthread_mutex_lock(&transport->lock);
	virtio_pci_regs_break(&transport->regs, why);
	pthread_mutex_unlock(&transport->lock);
	report_break(transport);
}

uint64_t virtio_pci_breaks(struct virtio_pci *transport)
{
	uint64_t breaks;

	pthread_mutex_lock(&transport->lock);
	breaks = transport->regs.breaks;
	pthread_mutex_unlock(&transport->lock);
	return breaks;
}

static bool is_usable(const struct virtio_pci *transport, uint32_t index)
{
	return transport->is_active && !transport->is_broken && index < transport->info.queues &&
	       transport->queues[index].queue.mem;
}

struct queue *virtio_pci_queue(struct virtio_pci *transport, uint32_t index)
{
	return is_usable(transport, index) ? &transport->queues[index].queue : NULL;
}

void virtio_pci_signal(struct virtio_pci *transport, uint32_t index)
{
	uint16_t vector;

	if (!is_usable(transport, index) || !queue_wants_interrupt(&transport->queues[index].queue))
		return;
	pthread_mutex_lock(&transport->lock);
	vector = transport->regs.queue[index].vector;
	pthread_mutex_unlock(&transport->lock);
	interrupt(transport, vector, ISR_QUEUE);
}

static void kick(struct virtio_pci *transport, uint32_t index)
{
	const struct virtio_device_info *info = &transport->info;

	if (is_usable(transport, index) && info->ops->kick(info->device, index) == 1)
		virtio_pci_signal_fd(transport->queues[index].kick_fd);
}

static void do_reset(struct virtio_pci *transport)
{
	transport->info.ops->reset(transport->info.device);
	transport->is_active = transport->is_broken = false;
	for (uint32_t i = 0; i < transport->info.queues; i++)
		queue_deinit(&transport->queues[i].queue);
	/* Only now the driver reads 0 and may set the device up again. */
	pthread_mutex_lock(&transport->lock);
	virtio_pci_regs_reset(&transport->regs);
	pthread_mutex_unlock(&transport->lock);
}

/* The rings are frozen since they were enabled, so no lock is needed to use them. */
static int start_queues(struct virtio_pci *transport, const struct virtio_pci_regs *regs)
{
	for (uint32_t i = 0; i < transport->info.queues; i++) {
		int result;

		if (!regs->queue[i].is_enabled)
			continue;
		result = queue_init(&transport->queues[i].queue, transport->env.mem,
				    &regs->queue[i].setup, regs->driver_features);
		if (result < 0)
			return result;
	}
	return 0;
}

static void do_activate(struct virtio_pci *transport, const struct virtio_pci_regs *regs)
{
	if (regs->status & VIRTIO_STATUS_NEEDS_RESET)
		return;
	if (start_queues(transport, regs) < 0) {
		virtio_pci_break(transport, "a virtqueue is misaligned or not in RAM");
		return;
	}
	transport->is_active = true;
	transport->info.ops->activate(transport->info.device, regs->driver_features);
	/* Kicks from before DRIVER_OK were dropped. */
	for (uint32_t i = 0; i < transport->info.queues; i++)
		kick(transport, i);
}

/* What the vCPUs left to do.  A copy is taken, so that the lock is held briefly. */
static void do_work(struct virtio_pci *transport)
{
	struct virtio_pci_regs regs;

	pthread_mutex_lock(&transport->lock);
	regs = transport->regs;
	transport->regs.activate_pending = false;
	pthread_mutex_unlock(&transport->lock);
	report_break(transport);
	if (regs.reset_pending)
		do_reset(transport);
	else if (regs.activate_pending)
		do_activate(transport, &regs);
}

static void on_work(evutil_socket_t fd, short what, void *argument)
{
	(void)what;
	if (signal_take(fd))
		do_work(argument);
}

static void on_kick(evutil_socket_t fd, short what, void *argument)
{
	struct virtio_pci_queue *queue = argument;

	(void)what;
	if (signal_take(fd))
		kick(queue->transport, queue->index);
}

void virtio_pci_run(struct virtio_pci *transport)
{
	on_work(transport->work_fd, 0, transport);
	for (uint32_t i = 0; i < transport->info.queues; i++)
		on_kick(transport->queues[i].kick_fd, 0, &transport->queues[i]);
}

static int watch(struct event_base *base, int *fd, event_callback_fn callback, void *argument,
		 struct event **ret_event)
{
	struct event *event;

	*fd = sys_result(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	if (*fd < 0 || !base)
		return *fd < 0 ? *fd : 0;
	event = event_new(base, *fd, EV_READ | EV_PERSIST, callback, argument);
	if (!event || event_add(event, NULL) < 0) {
		if (event)
			event_free(event);
		return -ENOMEM;
	}
	*ret_event = event;
	return 0;
}

static void unwatch(struct event **event, int *fd)
{
	if (*event)
		event_free(*event);
	*event = NULL;
	*fd = fd_close(*fd);
}

static int watch_all(struct virtio_pci *transport)
{
	struct event_base *base = transport->env.events;
	int result = watch(base, &transport->work_fd, on_work, transport, &transport->work_event);

	for (uint32_t i = 0; i < transport->info.queues && result == 0; i++) {
		struct virtio_pci_queue *queue = &transport->queues[i];

		result = watch(base, &queue->kick_fd, on_kick, queue, &queue->kick_event);
	}
	return result;
}

static void init_state(struct virtio_pci *transport, const struct virtio_pci_env *env,
		       const struct virtio_device_info *info)
{
	transport->env = *env;
	transport->info = *info;
	transport->work_fd = -1;
	transport->notify_gpa = PCI_NOWHERE;
	transport->log_limit.burst = LOG_BURST;
	for (uint32_t i = 0; i < VIRTIO_PCI_QUEUES_MAX; i++) {
		transport->queues[i].transport = transport;
		transport->queues[i].index = i;
		transport->queues[i].kick_fd = -1;
	}
	transport->regs = (struct virtio_pci_regs){
		.mem = env->mem,
		.device_features = info->features | UINT64_C(1) << VIRTIO_FEATURE_VERSION_1 |
				   UINT64_C(1) << VIRTIO_FEATURE_INDIRECT_DESC |
				   UINT64_C(1) << VIRTIO_FEATURE_EVENT_IDX,
		.queues = info->queues,
		.queue_size = info->queue_size,
		.vectors = env->irq ? (uint16_t)(info->queues + 1) : 0,
	};
	virtio_pci_regs_reset(&transport->regs);
}

int virtio_pci_new(const struct virtio_pci_env *env, const struct virtio_device_info *info,
		   const struct virtio_pci_shm *shm, struct virtio_pci **ret_transport)
{
	struct virtio_pci *transport;
	int result;

	if (info->queues > VIRTIO_PCI_QUEUES_MAX || info->queue_size > QUEUE_SIZE_MAX ||
	    info->config_bytes > VIRTIO_PCI_REGION_BYTES)
		return -EINVAL;
	transport = calloc(1, sizeof(*transport));
	if (!transport)
		return -ENOMEM;
	init_state(transport, env, info);
	result = -pthread_mutex_init(&transport->lock, NULL);
	if (result < 0) {
		free(transport);
		return result;
	}
	result = watch_all(transport);
	if (result == 0)
		result = virtio_pci_func_init(transport, shm);
	if (result < 0) {
		virtio_pci_free(transport);
		return result;
	}
	*ret_transport = transport;
	return 0;
}

struct virtio_pci *virtio_pci_free(struct virtio_pci *transport)
{
	if (!transport)
		return NULL;
	virtio_pci_func_deinit(transport);
	for (uint32_t i = 0; i < transport->info.queues; i++)
		unwatch(&transport->queues[i].kick_event, &transport->queues[i].kick_fd);
	unwatch(&transport->work_event, &transport->work_fd);
	pthread_mutex_destroy(&transport->lock);
	free(transport);
	return NULL;
}
