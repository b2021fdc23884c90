// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A section device in software, inside the guest itself: for tests of the
 * driver that need no VMM, and for devices that no honest VMM would be.
 *
 * Its window is RAM that the kernel was told not to use (mem=).  LIST returns
 * three good attachments between many bad ones.  Parameters, writable at any
 * time, make the device misbehave:
 *     hang=1       QUERY_VIEW is never answered
 *     status=N     status of QUERY replies
 *     written=N    used length of QUERY replies, -1 = the right one
 *     grown=N      length that QUERY_VIEW says, 0 = the right one
 *     gone=1       views that QUERY_VIEW is asked about were revoked
 *     lost=N       pages that REMAP says are lost still
 *     event=T,F,S,V,O,L  send an event: type, flags, section, view, offset, length
 * Both sides of the rings are in this kernel; rings are split, not indirect.
 */
#include <linux/io.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <linux/workqueue.h>

#include "vmsect_dev.h"

#define QUEUE_SIZE 16
#define PAGE_ALIGN_SHIFT 21

static ulong window_start;
module_param(window_start, ulong, 0444);
static ulong window_bytes = 64UL << 20;
module_param(window_bytes, ulong, 0444);
static bool no_window;
module_param(no_window, bool, 0444);
static bool hang;
module_param(hang, bool, 0644);
static uint status;
module_param(status, uint, 0644);
static int written = -1;
module_param(written, int, 0644);
static ulong grown;
module_param(grown, ulong, 0644);
static bool gone;
module_param(gone, bool, 0644);
static uint lost;
module_param(lost, uint, 0644);

struct fake_queue {
	struct virtqueue *vq; /* NULL until found */
	u16 next; /* of the available ring */
	u16 used;
	struct mutex lock;
};

static struct fake {
	struct virtio_device vdev;
	struct device *root;
	u8 status;
	struct fake_queue queues[VMSECT_VQ_COUNT];
	struct work_struct work;
} * fake;

struct fake_attachment {
	const char *name;
	u64 window_offset;
	u64 length;
	u32 protection;
	u64 room;
};

#define RO VMSECT_DEV_PROT_READONLY
#define RW VMSECT_DEV_PROT_READWRITE
#define COW VMSECT_DEV_PROT_WRITECOPY

/* The good ones are 1, 6 and 11. */
static const struct fake_attachment attachments[] = {
	{ "ctl", 0x1000000, 0x1000, RO },
	{ "good.ro", 0, 0x2ff000, RO, 0x380000 },
	{ ".hidden", 0x1000000, 0x1000, RO },
	{ "a/b", 0x1000000, 0x1000, RO },
	{ "", 0x1000000, 0x1000, RO },
	{ "good.ro", 0x1000000, 0x1000, RO },
	{ "good-rw", 0x400000, 0x400000, RW },
	{ "overlaps-rw", 0x600000, 0x1000, RW },
	{ "in-a-unit-of-ro", 0x3ff000, 0x1000, RW },
	{ "past-the-window", 0x4000000, 0x1000, RW },
	{ "wraps", 0x1000000, 0xfffffffffffff000, RW },
	{ "cow@1:2+3", 0x800000, 0x5000, COW },
	{ "empty", 0x1000000, 0, RW },
	{ "odd-length", 0x1000000, 0x1001, RW },
	{ "odd-place", 0x1000001, 0x1000, RW },
	{ "at-the-top", 0xfffffffffffff000, 0x1000, RW },
	{ "reaches-past", 0x3fff000, 0x2000, RW },
	{ "noaccess", 0x1000000, 0x1000, VMSECT_DEV_PROT_NOACCESS },
	{ "unknown-protection", 0x1000000, 0x1000, 99 },
	{ "ctl17", 0x1000000, 0x1000, RO },
	{ "-dash", 0x1000000, 0x1000, RO },
	{ "sp ace", 0x1000000, 0x1000, RO },
	{ "esc\033", 0x1000000, 0x1000, RO },
	{ "room-past", 0x3e00000, 0x1000, RW, 0x201000 },
	{ "room-over-rw", 0xa00000, 0x1000, RW, 0xfffffffffffff000 },
	{ "room-odd", 0x1000000, 0x1000, RW, 0x1800 },
	{ "room-over-cow", 0xc00000, 0x1000, RW, 0x4000000 },
	{ NULL, 0x1000000, 0x1000, RO }, /* 128 bytes without an end */
};

static void section_describe(u32 i, struct vmsect_dev_section *s)
{
	const struct fake_attachment *a = &attachments[i];

	memset(s, 0, sizeof(*s));
	s->section_id = cpu_to_le64(100 + i);
	s->generation = cpu_to_le64(1);
	s->size_bytes = cpu_to_le64(a->length - 7);
	s->protection = cpu_to_le32(a->protection);
	s->backing = cpu_to_le32(VMSECT_DEV_BACKING_FILE);
	s->page_shift = cpu_to_le32(12);
	s->access = cpu_to_le32(VMSECT_DEV_ACCESS_READ);
	if (a->name)
		memcpy(s->name, a->name, strlen(a->name));
	else
		memset(s->name, 'x', sizeof(s->name));
}

static void view_describe(u32 i, struct vmsect_dev_view *v)
{
	const struct fake_attachment *a = &attachments[i];

	memset(v, 0, sizeof(*v));
	v->view = cpu_to_le32(200 + i);
	v->handle = cpu_to_le32(300 + i);
	v->protection = cpu_to_le32(a->protection);
	v->cache = cpu_to_le32(VMSECT_DEV_CACHE_WRITE_BACK);
	v->window_offset = cpu_to_le64(a->window_offset);
	v->length = cpu_to_le64(a->length);
	v->room = cpu_to_le64(a->room);
}

static u32 reply_list(const struct vmsect_req_list *req, struct vmsect_rsp_list *rsp, u32 room)
{
	u32 i = le32_to_cpu(req->cursor), count = 0;
	u32 fits = (room - sizeof(*rsp)) / sizeof(rsp->entries[0]);

	memset(rsp, 0, sizeof(*rsp));
	for (; i < ARRAY_SIZE(attachments) && count < fits; i++, count++) {
		section_describe(i, &rsp->entries[count].section);
		view_describe(i, &rsp->entries[count].view);
	}
	rsp->count = cpu_to_le32(count);
	rsp->next = cpu_to_le32(i < ARRAY_SIZE(attachments) ? i : 0);
	return struct_size(rsp, entries, count);
}

static u32 reply_query(u32 op, u32 id, void *out)
{
	struct vmsect_rsp_query_section *section = out;
	struct vmsect_rsp_query_view *view = out;

	if (op == VMSECT_REQ_QUERY_SECTION) {
		section_describe(id - 300, &section->section);
		section->hdr.status = cpu_to_le32(status);
		section->hdr.detail = 0;
		return written >= 0 ? written : sizeof(*section);
	}
	view_describe(id - 200, &view->view);
	if (grown)
		view->view.length = cpu_to_le64(grown);
	if (gone)
		view->view.view_flags = cpu_to_le32(VMSECT_VIEW_F_REVOKED);
	view->hdr.status = cpu_to_le32(status);
	view->hdr.detail = 0;
	return written >= 0 ? written : sizeof(*view);
}

/* RESET and REMAP; what is lost is said of REMAP alone. */
static u32 reply_value(u32 op, struct vmsect_rsp_value *rsp)
{
	memset(rsp, 0, sizeof(*rsp));
	rsp->value = cpu_to_le64(op == VMSECT_REQ_REMAP ? lost : 0);
	return sizeof(*rsp);
}

/* -1: keep the buffers. */
static int reply(const void *in, void *out, u32 room)
{
	const struct vmsect_req_query_view *query = in;
	u32 op = le32_to_cpu(query->hdr.op);

	switch (op) {
	case VMSECT_REQ_LIST:
		return reply_list(in, out, room);
	case VMSECT_REQ_QUERY_VIEW:
		if (hang)
			return -1;
		fallthrough;
	case VMSECT_REQ_QUERY_SECTION:
		return reply_query(op, le32_to_cpu(query->view), out);
	case VMSECT_REQ_REMAP:
		return reply_value(op, out);
	default:
		((struct vmsect_rsp_hdr *)out)->status = cpu_to_le32(VMSECT_S_EOPNOTSUPP);
		return sizeof(struct vmsect_rsp_hdr);
	}
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
	struct fake_queue *q = &fake->queues[VMSECT_VQ_CONTROL];
	const struct vring *ring;
	int head, bytes;

	mutex_lock(&q->lock);
	while (q->vq && (ring = virtqueue_get_vring(q->vq)) && (head = queue_pop(q, ring)) >= 0) {
		u16 out = desc_next(ring, head);

		bytes = reply(desc_memory(ring, head), desc_memory(ring, out),
			      desc_bytes(ring, out));
		if (bytes < 0)
			continue;
		queue_push(q, ring, head, bytes);
		vring_interrupt(0, q->vq);
	}
	mutex_unlock(&q->lock);
}

static int event_set(const char *text, const struct kernel_param *param)
{
	struct fake_queue *q = fake ? &fake->queues[VMSECT_VQ_EVENT] : NULL;
	u32 type, flags, section, view = 0;
	u64 offset = 0, length = 0;
	int head, err = -ENOBUFS;

	if (!q || sscanf(text, "%u,%u,%u,%u,%lli,%lli", &type, &flags, &section, &view, &offset,
			 &length) < 3)
		return -EINVAL;
	mutex_lock(&q->lock);
	head = q->vq ? queue_pop(q, virtqueue_get_vring(q->vq)) : -1;
	if (head >= 0) {
		const struct vring *ring = virtqueue_get_vring(q->vq);
		struct vmsect_dev_event *ev = desc_memory(ring, head);

		memset(ev, 0, sizeof(*ev));
		ev->type = cpu_to_le32(type);
		ev->flags = cpu_to_le32(flags);
		ev->section_id = cpu_to_le64(section);
		ev->view = cpu_to_le32(view);
		ev->offset = cpu_to_le64(offset);
		ev->length = cpu_to_le64(length);
		queue_push(q, ring, head, sizeof(*ev));
		vring_interrupt(0, q->vq);
		err = 0;
	}
	mutex_unlock(&q->lock);
	return err;
}

static const struct kernel_param_ops event_ops = { .set = event_set };
module_param_cb(event, &event_ops, NULL, 0200);

static bool fake_notify(struct virtqueue *vq)
{
	if (vq->index == VMSECT_VQ_CONTROL)
		schedule_work(&fake->work);
	return true;
}

static void fake_get(struct virtio_device *vdev, unsigned int offset, void *buf, unsigned int len)
{
	struct vmsect_dev_config config = {
		.window_bytes = cpu_to_le64(window_bytes),
		.align_shift = cpu_to_le32(PAGE_ALIGN_SHIFT),
		.max_views = cpu_to_le32(64),
		.max_handles = cpu_to_le32(64),
		.attachments = cpu_to_le32(ARRAY_SIZE(attachments)),
		.peer_id = cpu_to_le32(7),
	};

	memset(buf, 0, len);
	if (offset <= sizeof(config) && len <= sizeof(config) - offset)
		memcpy(buf, (u8 *)&config + offset, len);
}

static u8 fake_get_status(struct virtio_device *vdev)
{
	return fake->status;
}

static void fake_set_status(struct virtio_device *vdev, u8 value)
{
	fake->status = value;
}

static void fake_reset(struct virtio_device *vdev)
{
	unsigned int i;

	fake->status = 0;
	for (i = 0; i < VMSECT_VQ_COUNT; i++) {
		mutex_lock(&fake->queues[i].lock);
		fake->queues[i].vq = NULL;
		mutex_unlock(&fake->queues[i].lock);
	}
}

static int fake_find_vqs(struct virtio_device *vdev, unsigned int count, struct virtqueue *vqs[],
			 vq_callback_t *callbacks[], const char *const names[], const bool *ctx,
			 struct irq_affinity *desc)
{
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

	fake_reset(vdev);
	while ((vq = list_first_entry_or_null(&vdev->vqs, struct virtqueue, list)))
		vring_del_virtqueue(vq);
}

static u64 fake_get_features(struct virtio_device *vdev)
{
	return BIT_ULL(VIRTIO_F_VERSION_1) | BIT_ULL(VMSECT_F_EXTEND) | BIT_ULL(VMSECT_F_PROTECT) |
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
	region->addr = window_start;
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

static int __init fake_init(void)
{
	unsigned int i;
	int err;

	fake = kzalloc(sizeof(*fake), GFP_KERNEL);
	if (!fake)
		return -ENOMEM;
	INIT_WORK(&fake->work, control_work);
	for (i = 0; i < VMSECT_VQ_COUNT; i++)
		mutex_init(&fake->queues[i].lock);
	fake->root = root_device_register("vmsect-fake");
	if (IS_ERR(fake->root)) {
		err = PTR_ERR(fake->root);
		goto err_free;
	}
	fake->vdev.id.device = VMSECT_VIRTIO_ID;
	fake->vdev.id.vendor = 0x1af4;
	fake->vdev.config = &fake_ops;
	fake->vdev.dev.parent = fake->root;
	fake->vdev.dev.release = fake_release;
	err = register_virtio_device(&fake->vdev);
	if (err)
		goto err_root;
	return 0;

err_root:
	root_device_unregister(fake->root);
err_free:
	kfree(fake);
	return err;
}
module_init(fake_init);

static void __exit fake_exit(void)
{
	unregister_virtio_device(&fake->vdev);
	cancel_work_sync(&fake->work);
	root_device_unregister(fake->root);
	kfree(fake);
}
module_exit(fake_exit);

MODULE_DESCRIPTION("A vmsect section device in software, for tests");
MODULE_LICENSE("GPL");
