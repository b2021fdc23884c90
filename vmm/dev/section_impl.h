/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The section device, shared by the section_*.c files:
 *
 *   section_dev.c      life, virtio operations, the one-second report
 *   section_ctl.c      control queue: requests to operations and back
 *   section_handle.c   handles: LIST, OPEN, CLOSE, QUERY_SECTION
 *   section_view.c     views: MAP, UNMAP, QUERY_VIEW
 *   section_event.c    event queue and the broker's events
 *   section_attach.c   attachments
 *   section_report.c   what was counted, to the broker
 *
 * Private to dev/section_*.c.  Everything belongs to the io thread.
 */
#ifndef DEV_SECTION_IMPL_H
#define DEV_SECTION_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vmsect/vmsect.h>

#include "base/log.h"
#include "dev/section_dev.h"
#include "virtio/queue.h"
#include "vmsect_dev.h"

#define SECTION_VIEWS_MAX 1024
#define SECTION_HANDLES_MAX 256
#define SECTION_EVENTS_MAX 256
#define SECTION_QUEUE_SIZE 128
#define SECTION_KICK_BUDGET 64 /* chains handled before other work gets its turn */

/* A handle; its id is its index + 1.  NULL section: free. */
struct section_handle {
	struct vmsect_section *section; /* owned */
	bool is_attachment;
};

/* A view; its id is its index + 1. */
struct section_view {
	bool is_used;
	bool is_attachment;
	uint32_t handle; /* 0 once it is closed */
	uint32_t protection;
	uint64_t place;
	uint64_t offset;
	uint64_t bytes;
	uint64_t reported_writes; /* denied ones that the broker knows of */
	struct vmsect_view *registered; /* owned */
};

struct section_dev {
	struct section_dev_env env;
	struct virtio_pci *transport; /* owned */
	struct event *client_event; /* owned; NULL without a broker */
	struct event *report_event; /* owned; NULL without a broker */
	struct event *sweep_event; /* owned */
	struct log_limit sweep_limit; /* whoever truncates a file can cause lines */
	bool is_active; /* a driver is there */
	bool broker_gone;
	uint32_t peer_id; /* constant */

	struct section_handle handles[SECTION_HANDLES_MAX];
	struct section_view views[SECTION_VIEWS_MAX];
	uint32_t attachments; /* handles and views [0, attachments) */

	struct vmsect_dev_event events[SECTION_EVENTS_MAX]; /* ring */
	uint32_t events_first;
	uint32_t events_count;
	bool events_lost;

	struct queue_chain chain; /* of the request or event in work */
	uint8_t *reply; /* owned */
	size_t reply_room;
	struct section_dev_counters counters;
	struct window_counters reported; /* that the broker knows of */
};

/* What a reply says. */
struct section_answer {
	uint32_t status; /* VMSECT_S_ */
	uint32_t detail; /* VMSECT_D_ */
};

#define SECTION_OK ((struct section_answer){ VMSECT_S_OK, VMSECT_D_NONE })

static inline struct section_answer section_refuse(uint32_t status, uint32_t detail)
{
	return (struct section_answer){ status, detail };
}

/* The answer for a -errno of libvmsect or of the window. */
struct section_answer section_answer_of(struct section_dev *dev, int result);

/* A request in work. */
struct section_call {
	const void *request; /* private copy, exactly its structure */
	uint8_t *reply; /* zeroed; the header is filled in later */
	uint32_t reply_room; /* LIST: may be more than the header */
	uint32_t reply_bytes; /* preset to the structure; LIST adds its entries */
};

/* section_ctl.c; returns 1 if more requests may be waiting. */
int section_ctl_kick(struct section_dev *dev);

/* section_handle.c */
struct section_answer section_list(struct section_dev *dev, struct section_call *call);
struct section_answer section_open(struct section_dev *dev, struct section_call *call);
struct section_answer section_close(struct section_dev *dev, struct section_call *call);
struct section_answer section_query_section(struct section_dev *dev, struct section_call *call);
/* The handle of this id, or NULL. */
struct section_handle *section_handle_of(struct section_dev *dev, uint32_t id);
/* The lowest handle of a section, 0 if there is none. */
uint32_t section_lowest_handle(const struct section_dev *dev, uint64_t section_id);
/* Gives back those of the driver, or all. */
void section_handles_drop(struct section_dev *dev, bool all);

/* section_view.c */
struct section_place {
	uint32_t protection;
	uint64_t offset;
	uint64_t length; /* 0: to the end */
	uint64_t window_offset; /* or WINDOW_ANY */
};
struct section_answer section_map(struct section_dev *dev, struct section_call *call);
struct section_answer section_unmap(struct section_dev *dev, struct section_call *call);
struct section_answer section_query_view(struct section_dev *dev, struct section_call *call);
/* The first free view gets it. */
struct section_answer section_view_place(struct section_dev *dev, uint32_t handle,
					 const struct section_place *place, uint32_t *ret_view);
void section_view_describe(struct section_dev *dev, uint32_t id, struct vmsect_dev_view *ret_view);
/* Views of a handle that is closed stay, without it. */
void section_views_orphan(struct section_dev *dev, uint32_t handle);
void section_views_drop(struct section_dev *dev, bool all);
/* Tells the broker what was counted on each view. */
void section_views_report(struct section_dev *dev);

/* section_report.c: tells the broker what has changed since the last time. */
void section_report(struct section_dev *dev);

/* section_event.c */
int section_event_init(struct section_dev *dev);
void section_event_deinit(struct section_dev *dev);
/* Takes the broker's events and gives the driver what it has room for. */
void section_event_drain(struct section_dev *dev);
void section_event_deliver(struct section_dev *dev);
void section_event_forget(struct section_dev *dev);
/* Queues an event; all fields are set by the caller, little endian. */
void section_event_add(struct section_dev *dev, const struct vmsect_dev_event *event);

/* section_attach.c; 0 or -errno with a sentence in `error`. */
int section_attach_all(struct section_dev *dev, const struct section_attach *attach, size_t count,
		       const struct section_error *error);

#endif
