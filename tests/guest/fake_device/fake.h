/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The software device: its state and who touches what.  transport.c owns rings
 * and registers; requests.c owns handles and views, under the lock of the control
 * queue.
 */
#ifndef VMSECT_FAKE_H
#define VMSECT_FAKE_H

#include <linux/mutex.h>
#include <linux/virtio.h>
#include <linux/workqueue.h>

#include "vmsect_dev.h"

#define FAKE_ALIGN_SHIFT 21
#define FAKE_UNIT (1UL << FAKE_ALIGN_SHIFT)
/* Handles and views that the driver makes. */
#define FAKE_HANDLES 16
#define FAKE_VIEWS 16

struct fake_queue {
	struct virtqueue *vq; /* NULL until found */
	u16 next; /* of the available ring */
	u16 used;
	struct mutex lock;
};

struct fake_handle {
	bool open;
	u32 attachment; /* whose section it is */
};

struct fake_view {
	bool open;
	u32 attachment;
	u32 handle;
	u32 protection;
	u64 offset;
	u64 length;
};

struct fake {
	struct virtio_device vdev;
	unsigned int number;
	u64 window_start;
	u8 status;
	bool held; /* the next reset keeps what follows */
	struct fake_handle handles[FAKE_HANDLES];
	struct fake_view views[FAKE_VIEWS];
	struct fake_queue queues[VMSECT_VQ_COUNT];
	struct work_struct work;
};

u32 fake_attachments(void);
/* fake_reply - answer a request: bytes written, or -1: never */
int fake_reply(struct fake *fake, const void *in, void *out, u32 room);
/* fake_forget - what a reset does to handles and views */
void fake_forget(struct fake *fake);

#endif
