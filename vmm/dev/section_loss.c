/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See section_impl.h.  Pages whose backing has gone.  Whoever finds a loss (a
 * vCPU, the timers, the watch) leaves it with the window; an eventfd tells the
 * io thread, which tells the driver.
 */
#include "dev/section_impl.h"

#include <endian.h>
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/cleanup.h"
#include "base/sys.h"

/* Any thread, with window.lock: a full counter is signalled already. */
static void on_found(void *argument)
{
	const struct section_dev *dev = argument;

	(void)eventfd_write(dev->loss_fd, 1);
}

static void tell(struct section_dev *dev, const struct window *window,
		 const struct window_loss *loss)
{
	const struct section_view *view = &dev->views[loss->id - 1];
	struct vmsect_dev_event event = {
		.type = htole32(VMSECT_EV_IN_PAGE_ERROR),
		.view = htole32(loss->id),
		.value = htole64(section_answer_errno(-loss->error).status),
		.offset = htole64(loss->range.offset),
		.length = htole64(loss->range.bytes),
	};

	/* The view may have gone since, and its number may be another's. */
	if (!view->is_used || view->is_revoked || view->window != window ||
	    view->place != loss->place)
		return;
	event.section_id = htole64(view->section_id);
	event.handle = htole32(section_lowest_handle(dev, view->section_id, 0));
	section_event_add(dev, &event);
}

static void on_losses(evutil_socket_t fd, short what, void *argument)
{
	struct section_dev *dev = argument;
	struct window *window;
	struct window_loss loss;
	bool missed = false;
	eventfd_t count;

	(void)what;
	(void)eventfd_read(fd, &count);
	for (size_t i = 0; (window = windows_get(dev->env.windows, i)); i++)
		while (window_next_loss(window, &loss, &missed) == 1)
			tell(dev, window, &loss);
	if (missed)
		section_event_missed(dev);
	section_event_deliver(dev);
}

static void call_on_loss(struct section_dev *dev, void (*call)(void *argument))
{
	struct window *window;

	for (size_t i = 0; (window = windows_get(dev->env.windows, i)); i++)
		window_set_loss_call(window, call, dev);
}

int section_loss_init(struct section_dev *dev)
{
	dev->loss_fd = sys_result(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	if (dev->loss_fd < 0)
		return dev->loss_fd;
	dev->loss_event =
		event_new(dev->env.events, dev->loss_fd, EV_READ | EV_PERSIST, on_losses, dev);
	if (!dev->loss_event || event_add(dev->loss_event, NULL) < 0)
		return -ENOMEM;
	call_on_loss(dev, on_found);
	return 0;
}

void section_loss_deinit(struct section_dev *dev)
{
	call_on_loss(dev, NULL);
	if (dev->loss_event)
		event_free(dev->loss_event);
	dev->loss_event = NULL;
	fd_cleanup(&dev->loss_fd);
	dev->loss_fd = -1;
}

struct section_answer section_remap(struct section_dev *dev, struct section_call *call)
{
	const struct vmsect_req_range *request = call->request;
	struct vmsect_rsp_value *reply = (struct vmsect_rsp_value *)(void *)call->reply;
	struct section_answer answer;
	struct window_range range;
	struct section_view *view;
	int64_t lost;

	if (request->protection)
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_RESERVED);
	view = section_view_of(dev, le32toh(request->view), &answer);
	if (!view)
		return answer;
	if (!section_view_range(view, le64toh(request->offset), le64toh(request->length), &range))
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_RANGE);
	lost = window_restore(view->window, view->place, &range);
	if (lost < 0)
		return section_answer_window((int)lost);
	reply->value = htole64((uint64_t)lost);
	return SECTION_OK;
}
