// SPDX-License-Identifier: GPL-2.0-or-later
/* Events: all are kept until somebody waits for one. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "conformance/actor/names.h"
#include "conformance/host/host.h"

#define WAIT_MS 9000 /* the interpreter waits 10 s */
#define SLICE_MS 100

static void keep(struct host *host, const struct vmsect_event *event)
{
	if (host->events == EVENTS_MAX)
		memmove(host->event, host->event + 1, --host->events * sizeof(*event));
	host->event[host->events++] = *event;
}

void host_pump(struct host *host)
{
	struct vmsect_event event;

	if (!host->client)
		return;
	while (vmsect_client_next_event(host->client, &event) == 1)
		keep(host, &event);
}

struct wanted {
	uint32_t type;
	uint64_t view; /* 0: any */
	uint64_t handle;
};

/* Those before it are dropped. */
static bool take(struct host *host, const struct wanted *wanted, struct vmsect_event *ret_event)
{
	for (size_t i = 0; i < host->events; i++) {
		const struct vmsect_event *event = &host->event[i];

		if (event->type != wanted->type ||
		    (wanted->view && event->view_id != wanted->view) ||
		    (wanted->handle && event->value != wanted->handle))
			continue;
		*ret_event = *event;
		host->events -= i + 1;
		memmove(host->event, host->event + i + 1, host->events * sizeof(*event));
		return true;
	}
	return false;
}

static bool wait_for(struct host *host, const struct wanted *wanted, struct vmsect_event *ret_event)
{
	struct pollfd fd = { .fd = vmsect_client_fd(host->client), .events = POLLIN };

	for (int left = WAIT_MS; left > 0; left -= SLICE_MS) {
		host_pump(host);
		if (take(host, wanted, ret_event))
			return true;
		fd.fd = vmsect_client_fd(host->client);
		(void)poll(&fd, 1, SLICE_MS);
	}
	return false;
}

static bool take_wanted(struct host *host, const struct args *args, struct reply *reply,
			struct wanted *wanted)
{
	const char *view = args_text(args, "view");
	const char *handle = args_text(args, "handle");
	const struct variable *variable;

	*wanted = (struct wanted){ 0 };
	if (!name_to_number(name_events, args_word(args, 0), &wanted->type)) {
		reply_bad(reply, "no such event in a process");
		return false;
	}
	variable = view ? host_find_view(host, view, reply) : NULL;
	if (view && !variable)
		return false;
	if (variable)
		wanted->view = vmsect_view_id(variable->view);
	variable = handle ? host_find_handle(host, handle, reply) : NULL;
	if (handle && !variable)
		return false;
	if (variable)
		wanted->handle = vmsect_section_handle_id(variable->section);
	return true;
}

static void do_wait(struct host *host, struct args *args, struct reply *reply)
{
	struct vmsect_event event;
	struct wanted wanted;

	if (!take_wanted(host, args, reply, &wanted))
		return;
	if (!wait_for(host, &wanted, &event)) {
		reply_bad(reply, "the event has not come");
		return;
	}
	reply_ok(reply, "value=%llu offset=%llu length=%llu peer=%u status=%s",
		 (unsigned long long)event.value, (unsigned long long)event.offset,
		 (unsigned long long)event.length, event.peer_id,
		 event.status ? errno_to_name(-event.status) : "0");
}

static void do_peer(struct host *host, struct args *args, struct reply *reply)
{
	(void)args;
	reply_ok(reply, "peer=%u", vmsect_client_peer_id(host->client));
}

const struct host_op event_ops[] = {
	{ "wait", do_wait },
	{ "peer", do_peer },
	{ 0 },
};
