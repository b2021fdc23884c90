// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands: the virtqueues as they lie in memory, to break and to mend them.
 */
#include "agent.h"
#include "cpu.h"
#include "io.h"
#include "print.h"

static struct virtio_queue *queue_of(const struct agent_args *args)
{
	if (args->number[0] < VIRTIO_QUEUES)
		return &section_device.queue[args->number[0]];
	print("err no such queue\n");
	return 0;
}

static void run_status(const struct agent_args *args)
{
	(void)args;
	print("ok status=0x%x\n", virtio_status(&section_device));
}

static void run_reset(const struct agent_args *args)
{
	(void)args;
	virtio_reset(&section_device);
	print("ok\n");
}

/* start [REFUSED]: feature bits that are not taken */
static void run_start(const struct agent_args *args)
{
	const char *why;

	section_device.refused = (uint32_t)args->number[0];
	if (section_start(&why))
		print("ok window=0x%lx bytes=0x%lx\n", section_device.window,
		      section_device.window_bytes);
	else
		print("err device=%s\n", why);
}

/* Without event buffers, so that a test can post its own. */
static void run_bare(const struct agent_args *args)
{
	const char *why;

	(void)args;
	if (section_start_bare(&why))
		print("ok\n");
	else
		print("err device=%s\n", why);
}

/* desc QUEUE INDEX ADDRESS LENGTH FLAGS NEXT */
static void run_desc(const struct agent_args *args)
{
	struct virtio_queue *queue = queue_of(args);
	struct vring_desc *desc;

	if (!queue)
		return;
	desc = &queue->desc[args->number[1] % VIRTIO_RING];
	desc->addr = args->number[2];
	desc->len = (uint32_t)args->number[3];
	desc->flags = (uint16_t)args->number[4];
	desc->next = (uint16_t)args->number[5];
	print("ok address=0x%lx\n", (uint64_t)desc);
}

static void run_push(const struct agent_args *args)
{
	if (!queue_of(args))
		return;
	virtio_push(&section_device, (uint32_t)args->number[0], (uint16_t)args->number[1]);
	print("ok\n");
}

static void run_kick(const struct agent_args *args)
{
	if (!queue_of(args))
		return;
	virtio_kick(&section_device, (uint32_t)args->number[0]);
	print("ok\n");
}

/* take QUEUE MS: a used entry */
static void run_take(const struct agent_args *args)
{
	struct vring_used_elem used;

	if (!queue_of(args))
		return;
	if (virtio_take(&section_device, (uint32_t)args->number[0], (uint32_t)args->number[1],
			&used))
		print("ok id=%u length=%u\n", used.id, used.len);
	else
		print("err none\n");
}

/* avail QUEUE [INDEX]: reads or sets the index that the device reads */
static void run_avail(const struct agent_args *args)
{
	struct virtio_queue *queue = queue_of(args);

	if (!queue)
		return;
	if (args->count > 1)
		queue->avail.idx = (uint16_t)args->number[1];
	print("ok idx=%u used=%u size=%u notify=0x%lx\n", queue->avail.idx, queue->used.idx,
	      queue->size, queue->notify);
}

/* waitstatus BIT MS: until the device sets a bit of its status */
static void run_wait_status(const struct agent_args *args)
{
	uint64_t until = cpu_tsc() + args->number[1] * cpu_tsc_per_ms();
	uint8_t status;

	do {
		status = virtio_status(&section_device);
	} while (!(status & args->number[0]) && cpu_tsc() < until);
	if (status & args->number[0])
		print("ok status=0x%x\n", status);
	else
		print("err status=0x%x\n", status);
}

static void run_scratch(const struct agent_args *args)
{
	static uint8_t scratch[8192] __attribute__((aligned(4096)));

	(void)args;
	print("ok address=0x%lx bytes=%u\n", (uint64_t)scratch, (uint32_t)sizeof(scratch));
}

const struct agent_command queue_commands[] = {
	{ "status", "", run_status },	{ "reset", "", run_reset },
	{ "start", "N", run_start },	{ "bare", "", run_bare },
	{ "desc", "nnnnnn", run_desc }, { "push", "nn", run_push },
	{ "kick", "n", run_kick },	{ "take", "nn", run_take },
	{ "avail", "nN", run_avail },	{ "waitstatus", "nn", run_wait_status },
	{ "scratch", "", run_scratch }, { 0 },
};
