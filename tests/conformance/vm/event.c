// SPDX-License-Identifier: GPL-2.0-or-later
/* Events of the device, and the number of the VM. */
#include <stdio.h>
#include <string.h>

#include "conformance/actor/clock.h"
#include "conformance/actor/names.h"
#include "conformance/vm/vm.h"

#define WAIT_MS 9000 /* the interpreter waits 10 s */

static const struct name_row events[] = {
	{ "peer_joined", VMSECT_EV_PEER_JOINED },
	{ "peer_left", VMSECT_EV_PEER_LEFT },
	{ "notified", VMSECT_EV_NOTIFIED },
	{ "view_revoked", VMSECT_EV_REVOKED },
	{ "resized", VMSECT_EV_RESIZED },
	{ "in_page_error", VMSECT_EV_IN_PAGE_ERROR },
	{ "quota", VMSECT_EV_QUOTA },
	{ "committed", VMSECT_EV_COMMITTED },
	{ NULL, 0 },
};

static uint64_t field(const char *answer, const char *key)
{
	uint64_t value = 0;

	(void)vm_find_number(answer, key, &value);
	return value;
}

static void answer_event(const char *answer, struct reply *reply)
{
	reply_ok(reply, "value=%llu peer=%llu offset=%llu length=%llu",
		 (unsigned long long)field(answer, "value"),
		 (unsigned long long)field(answer, "peer"),
		 (unsigned long long)field(answer, "offset"),
		 (unsigned long long)field(answer, "length"));
}

static void wait_for(struct vm_actor *actor, uint32_t type, uint32_t view, struct reply *reply)
{
	int64_t until = clock_ms() + WAIT_MS;
	const char *answer;
	int64_t left;

	while ((left = until - clock_ms()) > 0) {
		answer = vm_ask(actor->vm, "event %lld", (long long)left);
		if (strncmp(answer, "ok", 2) != 0)
			break;
		if (field(answer, "type") == type && (!view || field(answer, "view") == view)) {
			answer_event(answer, reply);
			return;
		}
	}
	reply_bad(reply, "the event has not come");
}

static void do_wait(struct vm_actor *actor, struct args *args, struct reply *reply)
{
	const char *view = args_text(args, "view");
	const struct variable *variable = NULL;
	uint32_t type;

	if (!name_to_number(events, args_word(args, 0), &type)) {
		reply_bad(reply, "no such event in a VM");
		return;
	}
	if (view)
		variable = vm_find_view(actor, view, reply);
	if (!view || variable)
		wait_for(actor, type, variable ? variable->view : 0, reply);
}

static void do_peer(struct vm_actor *actor, struct args *args, struct reply *reply)
{
	(void)args;
	reply_ok(reply, "peer=%llu", (unsigned long long)vm_number(actor->vm, "peer", "device"));
}

const struct vm_op event_ops[] = {
	{ "wait", do_wait },
	{ "peer", do_peer },
	{ 0 },
};
