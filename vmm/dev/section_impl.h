/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The section device, shared by the section_*.c files:
 *
 *   section_dev.c      life, virtio operations
 *   section_ctl.c      control queue: requests to operations and back
 *   section_answer.c   errors of the library and the window as a driver sees them
 *   section_handle.c   handles: LIST, OPEN, DUPLICATE, CLOSE, QUERY_SECTION
 *   section_create.c   CREATE, and how much of it the VM may
 *   section_view.c     views: MAP, UNMAP, QUERY_VIEW
 *   section_map.c      a new view: checks, room, consent, mapping
 *   section_protect.c  pages of a view: PROTECT, QUERY_PAGES
 *   section_size.c     EXTEND, COMMIT, and what they change in views
 *   section_overlay.c  private pages: RESET, DIFF, quotas
 *   section_publish.c  PUBLISH
 *   section_pending.c  requests that wait for a disk; FLUSH
 *   section_notify.c   NOTIFY, and those on their way
 *   section_hold.c     HOLD: a reset that keeps what the driver has
 *   section_loss.c     lost pages: IN_PAGE_ERROR, REMAP
 *   section_broker.c   the broker's events and what follows from them
 *   section_resync.c   what follows from those that were lost
 *   section_event.c    event queue
 *   section_attach.c   attachments
 *   section_device.c   those that have a PCI device of their own
 *   section_report.c   timers: what was counted, to the broker; overlays
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
#include "base/token_bucket.h"
#include "dev/section_dev.h"
#include "dev/section_protection.h"
#include "dev/section_runs.h"
#include "virtio/queue.h"
#include "vmsect_dev.h"

#define SECTION_VIEWS_MAX 1024
#define SECTION_HANDLES_MAX 256
#define SECTION_EVENTS_MAX 256
#define SECTION_CREATED_MAX 256
#define SECTION_NOTIFICATIONS_MAX 32 /* on their way; with what waits for disks, tickets */
#define SECTION_DIFF_MAX 256 /* ranges of one reply */
#define SECTION_QUEUE_SIZE 128
#define SECTION_KICK_BUDGET 64 /* chains handled before other work gets its turn */

/* A handle; its id is its index + 1.  NULL section: free. */
struct section_handle {
	struct vmsect_section *section; /* owned */
	bool is_attachment;
	bool has_device; /* of its own: the driver does not know of it */
	bool is_revoked; /* it only closes */
	uint64_t section_id;
	uint64_t size_bytes; /* of the section, as we last heard */
};

/* A view; its id is its index + 1. */
struct section_view {
	bool is_used;
	bool is_attachment;
	bool has_device; /* of its own: the driver does not know of it */
	bool is_revoked; /* a hole */
	bool is_reserve; /* of a RESERVE section */
	bool is_copying; /* pages of it are or were writecopy: it may have private ones */
	bool is_over_quota;
	uint32_t handle; /* 0 once it is closed */
	uint32_t protection; /* with which it was mapped */
	uint32_t flags; /* VMSECT_VIEW_F_GROWABLE, _NO_CHANGE */
	uint64_t serial; /* of this view alone, for ever */
	uint64_t section_id;
	uint64_t page_bytes;
	struct window *window; /* borrowed: ours, or that of a device of its own */
	uint64_t place;
	uint64_t offset;
	uint64_t bytes;
	uint64_t room; /* in the window: at least bytes */
	uint64_t cow_quota; /* 0: none */
	uint64_t private_pages; /* when last looked */
	uint64_t reported_writes; /* denied ones that the broker knows of */
	uint64_t reported_pages; /* private ones that it knows of */
	struct section_runs runs; /* protections now; owned */
	struct vmsect_view *registered; /* owned */
};

struct section_publish;

/* A request whose reply comes later. */
struct section_pending {
	bool is_used;
	uint64_t ticket;
	struct queue_chain chain; /* kept from the control queue */
	struct section_publish *publish; /* owned; NULL: a FLUSH */
};

/* A notification whose reply comes later. */
struct section_notification {
	bool is_used;
	uint64_t ticket;
	struct queue_chain chain; /* kept from the control queue */
};

/* A section that another device shows, and who is told what becomes of it. */
struct section_device {
	const struct section_attach *attach; /* borrowed */
	const struct section_device_ops *ops; /* NULL: nobody is told */
	void *owner;
};

/* See section_hold.c. */
enum section_hold_state {
	SECTION_HOLD_NONE,
	SECTION_HOLD_ASKED,
	SECTION_HOLD_HELD,
};

/* A section that the driver has made; bytes 0: free. */
struct section_created {
	uint64_t section_id;
	uint64_t bytes;
};

struct section_dev {
	struct section_dev_env env;
	struct virtio_pci *transport; /* owned */
	struct event *client_event; /* owned; NULL without a broker */
	struct event *report_event; /* owned */
	struct event *sweep_event; /* owned */
	struct event *loss_event; /* owned */
	int loss_fd; /* owned eventfd: any thread that finds a loss */
	struct log_limit sweep_limit; /* whoever truncates a file can cause lines */
	struct log_limit broker_limit; /* whoever revokes or fails a write-back, too */
	struct log_limit quota_limit; /* the guest */
	struct log_limit notify_limit; /* the guest */
	uint64_t features; /* that the driver took; 0 without one, held: of the last */
	bool is_active; /* a driver is there */
	enum section_hold_state hold;
	bool broker_gone; /* there is none that knows us */
	bool is_forgotten; /* and there will be none */
	uint32_t peer_id; /* constant */

	struct section_handle handles[SECTION_HANDLES_MAX];
	struct section_view views[SECTION_VIEWS_MAX];
	uint32_t attachments; /* handles and views [0, attachments) */
	uint32_t devices; /* handles and views [attachments, attachments + devices) */
	struct section_device shown[SECTION_DEVICES_MAX]; /* [0, devices) */
	uint64_t views_made; /* serial of the last */
	struct section_created created[SECTION_CREATED_MAX];
	struct section_pending pending[VMSECT_PENDING_MAX];
	struct section_notification notifications[SECTION_NOTIFICATIONS_MAX];
	struct token_bucket notify_bucket; /* of the whole VM */
	uint64_t publish_bytes; /* copied for what is pending */
	bool is_over_quota; /* all views together */
	uint32_t overlay_pause; /* rounds in which overlays are not looked at */

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

/* A request in work. */
struct section_call {
	const void *request; /* private copy, exactly its structure */
	uint8_t *reply; /* zeroed; the header is filled in later */
	uint32_t reply_room; /* LIST, DIFF: may be more than the header */
	uint32_t reply_bytes; /* preset to the structure; LIST and DIFF add their entries */
	bool is_pending; /* the chain was kept: the reply comes later */
};

/* section_answer.c: for the -errno of the library's last call, with its detail ... */
struct section_answer section_answer_of(struct section_dev *dev, int result);
/* ... for a -errno alone ... */
struct section_answer section_answer_errno(int result);
/* ... and for one of the window. */
struct section_answer section_answer_window(int result);

/* section_ctl.c; returns 1 if more requests may be waiting. */
int section_ctl_kick(struct section_dev *dev);
/* Answers a chain of the control queue; `bytes` of dev->reply. */
void section_ctl_answer(struct section_dev *dev, const struct queue_chain *chain,
			struct section_answer answer, uint32_t bytes);

/* section_handle.c */
struct section_answer section_list(struct section_dev *dev, struct section_call *call);
struct section_answer section_open(struct section_dev *dev, struct section_call *call);
struct section_answer section_duplicate(struct section_dev *dev, struct section_call *call);
struct section_answer section_close(struct section_dev *dev, struct section_call *call);
struct section_answer section_query_section(struct section_dev *dev, struct section_call *call);
/* The live handle of this id, or NULL and why not. */
struct section_handle *section_handle_of(struct section_dev *dev, uint32_t id,
					 struct section_answer *ret_why);
/* A handle's place that is free, 0: none. */
uint32_t section_handle_free(const struct section_dev *dev);
/* Takes the section over as handle `id`. */
void section_handle_set(struct section_dev *dev, uint32_t id, struct vmsect_section *section);
void section_handle_reply(struct section_dev *dev, uint32_t id, struct vmsect_rsp_open *reply);
/* The lowest live handle of a section that has one of these rights (0: any); 0: none. */
uint32_t section_lowest_handle(const struct section_dev *dev, uint64_t section_id, uint32_t rights);
/* Gives back those of the driver, or all. */
void section_handles_drop(struct section_dev *dev, bool all);

/* section_create.c */
struct section_answer section_create(struct section_dev *dev, struct section_call *call);

/* section_map.c: the first free view gets it. */
struct section_place {
	uint32_t protection;
	uint32_t flags; /* VMSECT_VIEW_F_ */
	uint64_t offset;
	uint64_t length; /* 0: to the end */
	struct window *window; /* NULL: the section device's */
	uint64_t window_offset; /* or WINDOW_ANY */
	uint64_t room; /* GROWABLE: in the window; 0: for the section's most */
	uint64_t commit;
};
struct section_answer section_view_place(struct section_dev *dev, uint32_t handle,
					 const struct section_place *place, uint32_t *ret_view);

/* section_view.c */
struct section_answer section_map(struct section_dev *dev, struct section_call *call);
struct section_answer section_unmap(struct section_dev *dev, struct section_call *call);
struct section_answer section_query_view(struct section_dev *dev, struct section_call *call);
uint32_t section_view_id(const struct section_dev *dev, const struct section_view *view);
/* The view of this id that was not revoked, or NULL and why not. */
struct section_view *section_view_of(struct section_dev *dev, uint32_t id,
				     struct section_answer *ret_why);
/* Rounds a range of the view out to pages, length 0: to its end.  False: it has no such pages. */
bool section_view_range(const struct section_view *view, uint64_t offset, uint64_t length,
			struct window_range *ret_range);
void section_view_describe(struct section_dev *dev, uint32_t id, struct vmsect_dev_view *ret_view);
/* Views of a handle that is closed stay, without it. */
void section_views_orphan(struct section_dev *dev, uint32_t handle);
void section_view_drop(struct section_dev *dev, struct section_view *view);
void section_views_drop(struct section_dev *dev, bool all);

/* section_protect.c */
struct section_answer section_protect(struct section_dev *dev, struct section_call *call);
struct section_answer section_query_pages(struct section_dev *dev, struct section_call *call);
/* What may be asked of this view without the broker. */
struct section_answer section_protect_allowed(const struct section_view *view, uint32_t protection);
/* With the broker's consent, all or nothing. */
struct section_answer section_protect_range(struct section_dev *dev, struct section_view *view,
					    const struct window_range *range, uint32_t protection);

/* section_size.c */
struct section_answer section_extend(struct section_dev *dev, struct section_call *call);
struct section_answer section_commit(struct section_dev *dev, struct section_call *call);
void section_resized(struct section_dev *dev, uint64_t section_id, uint64_t size_bytes);
void section_committed(struct section_dev *dev, uint64_t section_id,
		       const struct window_range *range);

/* section_overlay.c */
struct section_answer section_reset(struct section_dev *dev, struct section_call *call);
struct section_answer section_diff(struct section_dev *dev, struct section_call *call);
/* Counts private pages and does what the quotas ask for. */
void section_overlay_check(struct section_dev *dev);

/* section_publish.c */
struct section_answer section_publish(struct section_dev *dev, struct section_call *call);
/* The broker has written it: its pages are no longer private. */
void section_publish_done(struct section_dev *dev, const struct section_publish *publish);
void section_publish_free(struct section_dev *dev, struct section_publish *publish);

/* section_pending.c */
struct section_answer section_flush(struct section_dev *dev, struct section_call *call);
bool section_pending_has_room(const struct section_dev *dev);
/* Keeps the chain in work; there is room.  Takes `publish`. */
void section_pending_add(struct section_dev *dev, struct section_call *call, uint64_t ticket,
			 struct section_publish *publish);
void section_pending_done(struct section_dev *dev, uint64_t ticket, int status);
/* Answers all that wait, or (without a driver) forgets them. */
void section_pending_fail(struct section_dev *dev, struct section_answer answer);
void section_pending_forget(struct section_dev *dev);

/* section_notify.c */
struct section_answer section_notify(struct section_dev *dev, struct section_call *call);
void section_notify_init(struct section_dev *dev);
/* False: the ticket is of none. */
bool section_notify_done(struct section_dev *dev, uint64_t ticket, int status);
/* Answers all that are on their way, or (without a driver) forgets them. */
void section_notify_fail(struct section_dev *dev, struct section_answer answer);
void section_notify_forget(struct section_dev *dev);

/* section_hold.c */
struct section_answer section_hold(struct section_dev *dev, struct section_call *call);
/* The device is reset: true if what the driver has is kept this time. */
bool section_hold_reset(struct section_dev *dev);

/* section_loss.c */
int section_loss_init(struct section_dev *dev);
void section_loss_deinit(struct section_dev *dev);
struct section_answer section_remap(struct section_dev *dev, struct section_call *call);

/* section_resync.c: events were lost; the broker is asked for what they may have said. */
void section_resync(struct section_dev *dev);

/* section_broker.c: does what the broker's events ask for; delivers nothing. */
void section_broker_take(struct section_dev *dev);
/* The view of the broker's number, or NULL. */
struct section_view *section_view_by_broker(struct section_dev *dev, uint64_t view_id);
/* Takes it away from the guest and says so; NULL, or one that is away, is fine. */
void section_view_revoke(struct section_dev *dev, struct section_view *view);
int section_broker_init(struct section_dev *dev);
void section_broker_deinit(struct section_dev *dev);

/* section_report.c */
int section_report_init(struct section_dev *dev);
void section_report_deinit(struct section_dev *dev);
/* A view goes: what was counted on it, while the broker still knows it. */
void section_report_view(struct section_dev *dev, struct section_view *view);

/* section_event.c */
/* Takes the broker's events and gives the driver what it has room for. */
void section_event_drain(struct section_dev *dev);
void section_event_deliver(struct section_dev *dev);
void section_event_forget(struct section_dev *dev);
/* A driver is back that may have taken other features: what it does not know is dropped. */
void section_event_filter(struct section_dev *dev);
/* Queues an event that the driver wants; all fields are set by the caller, little endian. */
void section_event_add(struct section_dev *dev, const struct vmsect_dev_event *event);
/* Events were lost before they came here. */
void section_event_missed(struct section_dev *dev);
/* A timer on the loop; 0 or -ENOMEM. */
int section_event_timer(struct section_dev *dev, void (*call)(int fd, short what, void *arg),
			uint32_t milliseconds, struct event **ret_event);

/* section_device.c: opens its window; 0 or -errno. */
int section_device_window(struct section_dev *dev, const struct section_attach *attach,
			  uint64_t bytes, struct window **ret_window);
/* The handle or the view at this index is gone for good, or the broker is back. */
void section_device_revoked(struct section_dev *dev, uint32_t index);
void section_devices_reconnected(struct section_dev *dev);

/* section_attach.c; 0 or -errno with a sentence in `error`. */
int section_attach_all(struct section_dev *dev, const struct section_attach *attach, size_t count,
		       const struct section_error *error);

#endif
