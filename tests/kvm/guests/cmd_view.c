// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands: what can be done with a view that is mapped.
 */
#include "agent.h"
#include "print.h"

#define DIFF_AT_ONCE 64

/* OP V OFFSET LEN; its value in *ret_value. */
static bool ask_range(uint32_t op, const struct agent_args *args, uint32_t protection,
		      struct vmsect_rsp_value *ret_rsp)
{
	struct vmsect_req_range req = {
		.hdr.op = op,
		.view = (uint32_t)args->number[0],
		.protection = protection,
		.offset = args->number[1],
		.length = args->number[2],
	};

	return agent_answer_status(section_ask(&req, sizeof(req), ret_rsp, sizeof(*ret_rsp)));
}

/* protect V OFFSET LEN PROT */
static void run_protect(const struct agent_args *args)
{
	struct vmsect_rsp_value rsp;

	if (ask_range(VMSECT_REQ_PROTECT, args, (uint32_t)args->number[3], &rsp))
		print("ok old=%lu\n", (uint64_t)rsp.value);
}

/* commit V OFFSET LEN [PROT] */
static void run_commit(const struct agent_args *args)
{
	struct vmsect_rsp_value rsp;

	if (ask_range(VMSECT_REQ_COMMIT, args, (uint32_t)args->number[3], &rsp))
		print("ok\n");
}

/* The request RESET; "reset" is the device's. */
static void run_drop(const struct agent_args *args)
{
	struct vmsect_rsp_value rsp;

	if (ask_range(VMSECT_REQ_RESET, args, 0, &rsp))
		print("ok\n");
}

static void run_remap(const struct agent_args *args)
{
	struct vmsect_rsp_value rsp;

	if (ask_range(VMSECT_REQ_REMAP, args, 0, &rsp))
		print("ok lost=%lu\n", (uint64_t)rsp.value);
}

/* pages V OFFSET: the run of like pages there */
static void run_pages(const struct agent_args *args)
{
	struct vmsect_req_range req = {
		.hdr.op = VMSECT_REQ_QUERY_PAGES,
		.view = (uint32_t)args->number[0],
		.offset = args->number[1],
	};
	struct vmsect_rsp_query_pages rsp;

	if (!agent_answer_status(section_ask(&req, sizeof(req), &rsp, sizeof(rsp))))
		return;
	print("ok offset=0x%lx length=0x%lx protection=%u committed=%u private=%u lost=%u\n",
	      (uint64_t)rsp.offset, (uint64_t)rsp.length, rsp.protection,
	      !!(rsp.pages & VMSECT_PAGES_F_COMMITTED), !!(rsp.pages & VMSECT_PAGES_F_PRIVATE),
	      !!(rsp.pages & VMSECT_PAGES_F_LOST));
}

/* flush V OFFSET LEN [FLAGS] */
static void run_flush(const struct agent_args *args)
{
	struct vmsect_req_flush req = {
		.hdr.op = VMSECT_REQ_FLUSH,
		.view = (uint32_t)args->number[0],
		.flush_flags = (uint32_t)args->number[3],
		.offset = args->number[1],
		.length = args->number[2],
	};
	struct vmsect_rsp_hdr rsp;

	if (agent_answer_status(section_ask(&req, sizeof(req), &rsp, sizeof(rsp))))
		print("ok\n");
}

static void run_publish(const struct agent_args *args)
{
	struct vmsect_req_publish req = {
		.hdr.op = VMSECT_REQ_PUBLISH,
		.view = (uint32_t)args->number[0],
		.handle = (uint32_t)args->number[1],
	};
	struct vmsect_rsp_hdr rsp;

	if (agent_answer_status(section_ask(&req, sizeof(req), &rsp, sizeof(rsp))))
		print("ok\n");
}

/* The reply has as many ranges as its length says. */
static struct section_result ask_diff(const struct vmsect_req_diff *req,
				      struct vmsect_rsp_diff *rsp)
{
	struct section_result result = { SECTION_TIMEOUT, 0 };
	uint32_t room = sizeof(*rsp) + DIFF_AT_ONCE * (uint32_t)sizeof(rsp->ranges[0]);
	uint32_t length;

	if (!section_request(req, sizeof(*req), rsp, room, &length))
		return result;
	result.status = rsp->hdr.status;
	result.detail = rsp->hdr.detail;
	if (result.status == VMSECT_S_OK &&
	    (rsp->count > DIFF_AT_ONCE ||
	     length != sizeof(*rsp) + rsp->count * sizeof(rsp->ranges[0])))
		result.status = SECTION_MALFORMED;
	return result;
}

/* diff V [AFTER] */
static void run_diff(const struct agent_args *args)
{
	static union {
		struct vmsect_rsp_diff rsp;
		uint8_t bytes[sizeof(struct vmsect_rsp_diff) +
			      DIFF_AT_ONCE * sizeof(struct vmsect_dev_range)];
	} reply;
	struct vmsect_req_diff req = {
		.hdr.op = VMSECT_REQ_DIFF,
		.view = (uint32_t)args->number[0],
		.after = args->number[1],
	};

	if (!agent_answer_status(ask_diff(&req, &reply.rsp)))
		return;
	print("ok count=%u more=%u ranges=", reply.rsp.count, reply.rsp.more);
	for (uint32_t i = 0; i < reply.rsp.count; i++)
		print("%s0x%lx+0x%lx", i ? "," : "", (uint64_t)reply.rsp.ranges[i].offset,
		      (uint64_t)reply.rsp.ranges[i].length);
	print("\n");
}

const struct agent_command view_commands[] = {
	{ "protect", "nnnn", run_protect },
	{ "pages", "nn", run_pages },
	{ "commit", "nnnN", run_commit },
	{ "flush", "nnnN", run_flush },
	{ "drop", "nnn", run_drop },
	{ "diff", "nN", run_diff },
	{ "publish", "nn", run_publish },
	{ "remap", "nnn", run_remap },
	{ 0 },
};
