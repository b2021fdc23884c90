// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands: notifications, and a reset that keeps what there is.
 */
#include "agent.h"
#include "print.h"

static struct section_result notify(uint64_t handle, uint64_t peer, uint64_t value)
{
	struct vmsect_req_notify req = {
		.hdr.op = VMSECT_REQ_NOTIFY,
		.handle = (uint32_t)handle,
		.peer = (uint32_t)peer,
		.value = value,
	};
	struct vmsect_rsp_hdr rsp;

	return section_ask(&req, sizeof(req), &rsp, sizeof(rsp));
}

/* notify H PEER VALUE */
static void run_notify(const struct agent_args *args)
{
	if (agent_answer_status(notify(args->number[0], args->number[1], args->number[2])))
		print("ok\n");
}

/* flood H PEER COUNT: the values 1 to COUNT, one behind the other */
static void run_flood(const struct agent_args *args)
{
	uint64_t sent = 0, limited = 0, last = 0;

	for (uint64_t value = 1; value <= args->number[2]; value++) {
		struct section_result result = notify(args->number[0], args->number[1], value);

		if (result.status == VMSECT_S_EAGAIN) {
			limited++;
			continue;
		}
		if (!agent_answer_status(result))
			return;
		sent++;
		last = value;
	}
	print("ok sent=%lu limited=%lu last=%lu\n", sent, limited, last);
}

static void run_hold(const struct agent_args *args)
{
	struct vmsect_req_hold req = { .hdr.op = VMSECT_REQ_HOLD };
	struct vmsect_rsp_hdr rsp;

	(void)args;
	if (agent_answer_status(section_ask(&req, sizeof(req), &rsp, sizeof(rsp))))
		print("ok\n");
}

const struct agent_command notify_commands[] = {
	{ "notify", "nnn", run_notify },
	{ "flood", "nnn", run_flood },
	{ "hold", "", run_hold },
	{ 0 },
};
