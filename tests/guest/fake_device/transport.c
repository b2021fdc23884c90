// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A section device in software, inside the guest itself: for tests of the
 * driver that need no VMM, and for devices that no honest VMM would be.  This
 * file is what virtio sees; requests.c answers.
 *
 * Its window is RAM that the kernel was told not to use (mem=).  With devices=2
 * there are two, each with a window of its own.  Parameters, writable at any
 * time, make the devices misbehave:
 *     hang=1       QUERY_VIEW is never answered
 *     status=N     status of QUERY replies
 *     written=N    used length of QUERY replies, -1 = the right one
 *     grown=N      length that QUERY_VIEW says, 0 = the right one
 *     gone=1       views that QUERY_VIEW is asked about were revoked
 *     lost=N       pages that REMAP says are lost still
 *     poke=OP,OFFSET,BYTES,VALUE  replies to OP have VALUE there; 0: none has
 *     event=T,F,S,V,O,L,P,X  send an event: type, flags, section, view, offset,
 *                  length, peer, value
 *     broken=1     the device needs a reset
 *     made         read: how many handles and views the driver has made
 * Events, broken and made are the first device's.
 * Both sides of the rings are in this kernel; rings are split, not indirect.
 */
#include <linux/io.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "fake.h"

#define QUEUE_SIZE 16
#define DEVICES_MAX 2

static ulong window_start;
module_param(window_start, ulong, 0444);
static ulong window_bytes = 64UL << 20;
module_param(window_bytes, ulong, 0444);
static bool no_window;
module_param(no_window, bool, 0444);
static uint devices = 1;
module_param(devices, uint, 0444);

static struct device *root;
static struct fake *fakes[DEVICES_MAX];

static struct fake *fake_of(struct virtio_device *vdev)
{
	return container_of(vdev, struct fake, vdev);
}

static void *desc_memory(const struct vring *ring, u16 index)
{
	return phys_to_virt(le64_to_cpu((__force __le64)ring->desc[index].addr));
}

static u16 desc_next(const struct vring *ring, u16 index)
{
	return le16_to_cpu((__force __le16)ring->desc[index].next);
}

static u32 desc_bytes(const struct vring *ring, u16 index)
{
	return le32_to_cpu((__force __le32)ring->desc[index].len);
}

/* The head of the next chain, or -1. */
static int queue_pop(struct fake_queue *q, const struct vring *ring)
{
	u16 head;

	if (q->next == le16_to_cpu((__force __le16)READ_ONCE(ring->avail->idx)))
		return -1;
	smp_rmb();
	head = le16_to_cpu((__force __le16)ring->avail->ring[q->next % QUEUE_SIZE]);
	q->next++;
	return head;
}

static void queue_push(struct fake_queue *q, const struct vring *ring, u16 head, u32 bytes)
{
	ring->used->ring[q->used % QUEUE_SIZE].id = (__force __virtio32)cpu_to_le32(head);
	ring->used->ring[q->used % QUEUE_SIZE].len = (__force __virtio32)cpu_to_le32(bytes);
	smp_wmb();
	q->used++;
	WRITE_ONCE(ring->used->idx, (__force __virtio16)cpu_to_le16(q->used));
}

static void control_work(struct work_struct *work)
{
	struct fake *fake = container_of(work, struct fake, work);
	struct fake_queue *q = &fake->queues[VMSECT_VQ_CONTROL];
	const struct vring *ring;
	int head, bytes;

	mutex_lock(&q->lock);
	while (q->vq && (ring = virtqueue_get_vring(q->vq)) && (head = queue_pop(q, ring)) >= 0) {
		u16 out = desc_next(ring, head);

		bytes = fake_reply(fake, desc_memory(ring, head), desc_memory(ring, out),
				   desc_bytes(ring, out));
		if (bytes < 0)
			continue;
		queue_push(q, ring, head, bytes);
		vring_interrupt(0, q->vq);
	}
	mutex_unlock(&q->lock);
}

/* What the numbers of `event' are, in their order. */
struct fake_event {
	u32 type, flags, section, view;
	u64 offset, length;
	u32 peer;
	u64 value;
};

static bool event_parse(const char *text, struct fake_event *ret_event)
{
	struct fake_event e = { 0 };

	if (sscanf(text, "%u,%u,%u,%u,%lli,%lli,%u,%lli", &e.type, &e.flags, &e.section, &e.view,
		   &e.offset, &e.length, &e.peer, &e.value) < 3)
		return false;
	*ret_event = e;
	return true;
}

static void event_fill(struct vmsect_dev_event *ev, const struct fake_event *e)
{
	memset(ev, 0, sizeof(*ev));
	ev->type = cpu_to_le32(e->type);
	ev->flags = cpu_to_le32(e->flags);
	ev->section_id = cpu_to_le64(e->section);
	ev->view = cpu_to_le32(e->view);
	ev->offset = cpu_to_le64(e->offset);
	ev->length = cpu_to_le64(e->length);
	ev->peer = cpu_to_le32(e->peer);
	ev->value = cpu_to_le64(e->value);
}

static int event_set(const char *text, const struct kernel_param *param)
{
	struct fake_queue *q = fakes[0] ? &fakes[0]->queues[VMSECT_VQ_EVENT] : NULL;
	int head, err = -ENOBUFS;
	struct fake_event event;

	if (!q || !event_parse(text, &event))
		return -EINVAL;
	mutex_lock(&q->lock);
	head = q->vq ? queue_pop(q, virtqueue_get_vring(q->vq)) : -1;
	if (head >= 0) {
		const struct vring *ring = virtqueue_get_vring(q->vq);

		event_fill(desc_memory(ring, head), &event);
		queue_push(q, ring, head, sizeof(struct vmsect_dev_event));
		vring_interrupt(0, q->vq);
		err = 0;
	}
	mutex_unlock(&q->lock);
	return err;
}

static const struct kernel_param_ops event_ops = { .set = event_set };
module_param_cb(event, &event_ops, NULL, 0200);

static int broken_set(const char *text, const struct kernel_param *param)
{
	if (!fakes[0])
		return -EINVAL;
	fakes[0]->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	virtio_config_changed(&fakes[0]->vdev);
	return 0;
}

static const struct kernel_param_ops broken_ops = { .set = broken_set };
module_param_cb(broken, &broken_ops, NULL, 0200);

static int made_get(char *text, const struct kernel_param *param)
{
	u32 handles = 0, views = 0, i;

	for (i = 0; fakes[0] && i < FAKE_HANDLES; i++)
		handles += fakes[0]->handles[i].open;
	for (i = 0; fakes[0] && i < FAKE_VIEWS; i++)
		views += fakes[0]->views[i].open;
	return sysfs_emit(text, "%u %u\n", handles, views);
}

static const struct kernel_param_ops made_ops = { .get = made_get };
module_param_cb(made, &made_ops, NULL, 0444);

static bool fake_notify(struct virtqueue *vq)
{
	if (vq->index == VMSECT_VQ_CONTROL)
		schedule_work(&fake_of(vq->vdev)->work);
	return true;
}

static void fake_get(struct virtio_device *vdev, unsigned int offset, void *buf, unsigned int len)
{
	struct vmsect_dev_config config = {
		.window_bytes = cpu_to_le64(window_bytes),
		.align_shift = cpu_to_le32(FAKE_ALIGN_SHIFT),
		.max_views = cpu_to_le32(64),
		.max_handles = cpu_to_le32(64),
		.attachments = cpu_to_le32(fake_attachments()),
		.peer_id = cpu_to_le32(7),
	};

	memset(buf, 0, len);
	if (offset <= sizeof(config) && len <= sizeof(config) - offset)
		memcpy(buf, (u8 *)&config + offset, len);
}

static u8 fake_get_status(struct virtio_device *vdev)
{
	return fake_of(vdev)->status;
}

static void fake_set_status(struct virtio_device *vdev, u8 value)
{
	fake_of(vdev)->status = value;
}

static void queues_forget(struct fake *fake)
{
	unsigned int i;

	for (i = 0; i < VMSECT_VQ_COUNT; i++) {
		mutex_lock(&fake->queues[i].lock);
		fake->queues[i].vq = NULL;
		mutex_unlock(&fake->queues[i].lock);
	}
}

static void fake_reset(struct virtio_device *vdev)
{
	struct fake *fake = fake_of(vdev);

	queues_forget(fake);
	fake->status = 0;
	fake_forget(fake);
}

static int fake_find_vqs(struct virtio_device *vdev, unsigned int count, struct virtqueue *vqs[],
			 vq_callback_t *callbacks[], const char *const names[], const bool *ctx,
			 struct irq_affinity *desc)
{
	struct fake *fake = fake_of(vdev);
	unsigned int i;

	for (i = 0; i < count; i++) {
		vqs[i] = vring_create_virtqueue(i, QUEUE_SIZE, SMP_CACHE_BYTES, vdev, true, false,
						false, fake_notify, callbacks[i], names[i]);
		if (!vqs[i])
			return -ENOMEM;
		fake->queues[i].next = 0;
		fake->queues[i].used = 0;
		fake->queues[i].vq = vqs[i];
	}
	return 0;
}

static void fake_del_vqs(struct virtio_device *vdev)
{
	struct virtqueue *vq;

	queues_forget(fake_of(vdev));
	while ((vq = list_first_entry_or_null(&vdev->vqs, struct virtqueue, list)))
		vring_del_virtqueue(vq);
}

static u64 fake_get_features(struct virtio_device *vdev)
{
	return BIT_ULL(VIRTIO_F_VERSION_1) | BIT_ULL(VMSECT_F_EXTEND) | BIT_ULL(VMSECT_F_PROTECT) |
	       BIT_ULL(VMSECT_F_COW) | BIT_ULL(VMSECT_F_NOTIFY) | BIT_ULL(VMSECT_F_HOLD) |
	       BIT_ULL(VMSECT_F_IN_PAGE_ERROR);
}

static int fake_finalize_features(struct virtio_device *vdev)
{
	vring_transport_features(vdev);
	return 0;
}

static bool fake_get_shm_region(struct virtio_device *vdev, struct virtio_shm_region *region, u8 id)
{
	if (id != VMSECT_SHM_WINDOW || no_window)
		return false;
	region->addr = fake_of(vdev)->window_start;
	region->len = window_bytes;
	return true;
}

static const struct virtio_config_ops fake_ops = {
	.get = fake_get,
	.get_status = fake_get_status,
	.set_status = fake_set_status,
	.reset = fake_reset,
	.find_vqs = fake_find_vqs,
	.del_vqs = fake_del_vqs,
	.get_features = fake_get_features,
	.finalize_features = fake_finalize_features,
	.get_shm_region = fake_get_shm_region,
};

static void fake_release(struct device *dev)
{
}

static int fake_add(unsigned int number)
{
	struct fake *fake = kzalloc(sizeof(*fake), GFP_KERNEL);
	unsigned int i;
	int err;

	if (!fake)
		return -ENOMEM;
	INIT_WORK(&fake->work, control_work);
	for (i = 0; i < VMSECT_VQ_COUNT; i++)
		mutex_init(&fake->queues[i].lock);
	fake->number = number;
	fake->window_start = window_start + number * window_bytes;
	fake->vdev.id.device = VMSECT_VIRTIO_ID;
	fake->vdev.id.vendor = 0x1af4;
	fake->vdev.config = &fake_ops;
	fake->vdev.dev.parent = root;
	fake->vdev.dev.release = fake_release;
	fakes[number] = fake;
	err = register_virtio_device(&fake->vdev);
	if (err) {
		fakes[number] = NULL;
		kfree(fake);
	}
	return err;
}

static void fakes_remove(void)
{
	unsigned int i;

	for (i = 0; i < DEVICES_MAX; i++) {
		if (!fakes[i])
			continue;
		unregister_virtio_device(&fakes[i]->vdev);
		cancel_work_sync(&fakes[i]->work);
		kfree(fakes[i]);
		fakes[i] = NULL;
	}
}

static int __init fake_init(void)
{
	unsigned int i;
	int err = 0;

	if (!devices || devices > DEVICES_MAX)
		return -EINVAL;
	root = root_device_register("vmsect-fake");
	if (IS_ERR(root))
		return PTR_ERR(root);
	for (i = 0; !err && i < devices; i++)
		err = fake_add(i);
	if (err) {
		fakes_remove();
		root_device_unregister(root);
	}
	return err;
}
module_init(fake_init);

static void __exit fake_exit(void)
{
	fakes_remove();
	root_device_unregister(root);
}
module_exit(fake_exit);

MODULE_DESCRIPTION("A vmsect section device in software, for tests");
MODULE_LICENSE("GPL");
