// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands: the section device's requests and events.
 */
#include "agent.h"
#include "cpu.h"
#include "io.h"
#include "print.h"
#include "text.h"

#define ATTACHMENTS_MAX 64

static struct vmsect_attachment attachments[ATTACHMENTS_MAX];
static uint32_t attachment_count;

static void print_section(const struct vmsect_dev_section *section)
{
	print(" name=%s section=%lu generation=%lu size=0x%lx protection=%u backing=%u "
	      "page_shift=%u access=0x%x max=0x%lx committed=0x%lx section_flags=0x%x "
	      "io_error=%u",
	      (const char *)section->name, (uint64_t)section->section_id,
	      (uint64_t)section->generation, (uint64_t)section->size_bytes, section->protection,
	      section->backing, section->page_shift, section->access, (uint64_t)section->max_bytes,
	      (uint64_t)section->committed_bytes, section->section_flags, section->io_error);
}

static void print_view(const struct vmsect_dev_view *view)
{
	print(" view=%u handle=%u view_protection=%u cache=%u place=0x%lx offset=0x%lx "
	      "length=0x%lx denied=%lu room=0x%lx view_flags=0x%x protection_now=%u",
	      view->view, view->handle, view->protection, view->cache,
	      (uint64_t)view->window_offset, (uint64_t)view->offset, (uint64_t)view->length,
	      (uint64_t)view->denied_writes, (uint64_t)view->room, view->view_flags,
	      view->protection_now);
}

static void run_device(const struct agent_args *args)
{
	struct vmsect_dev_config config = { 0 };
	uint64_t at = section_device.device;

	(void)args;
	if (!section_device.found) {
		print("err no device\n");
		return;
	}
	for (uint32_t i = 0; i < sizeof(config); i += 4)
		*(uint32_t *)((uint8_t *)&config + i) = mmio_read32(at + i);
	print("ok window_bytes=0x%lx align_shift=%u max_views=%u max_handles=%u attachments=%u "
	      "peer=%u reserved=%u features=0x%lx\n",
	      (uint64_t)config.window_bytes, config.align_shift, config.max_views,
	      config.max_handles, config.attachments, config.peer_id, config.reserved,
	      section_device.features);
}

static void run_list(const struct agent_args *args)
{
	(void)args;
	if (agent_answer_status(section_list(attachments, ATTACHMENTS_MAX, &attachment_count)))
		print("ok count=%u\n", attachment_count);
}

static void run_entry(const struct agent_args *args)
{
	if (args->number[0] >= attachment_count) {
		print("err no such entry\n");
		return;
	}
	print("ok");
	print_section(&attachments[args->number[0]].section);
	print_view(&attachments[args->number[0]].view);
	print("\n");
}

static struct vmsect_rsp_open opened;

static void answer_opened(struct section_result result)
{
	if (!agent_answer_status(result))
		return;
	print("ok handle=%u existed=%u", opened.handle, result.detail == VMSECT_D_EXISTED);
	print_section(&opened.section);
	print("\n");
}

static void run_open(const struct agent_args *args)
{
	answer_opened(section_open(args->text[0], (uint32_t)args->number[1], &opened));
}

/* create NAME SIZE BACKING PROT [FLAGS [ACCESS [MAX [MODE [PAGE_SHIFT]]]]]; NAME "-": none */
static void run_create(const struct agent_args *args)
{
	struct vmsect_req_create req = {
		.hdr.op = VMSECT_REQ_CREATE,
		.size_bytes = args->number[1],
		.backing = (uint32_t)args->number[2],
		.protection = (uint32_t)args->number[3],
		.create_flags = (uint32_t)args->number[4],
		.access = (uint32_t)args->number[5],
		.max_bytes = args->number[6],
		.mode = (uint32_t)args->number[7],
		.page_shift = (uint32_t)args->number[8],
	};
	const char *name = args->text[0];

	for (uint32_t i = 0; strcmp(name, "-") && i < VMSECT_DEV_NAME_MAX && name[i]; i++)
		req.name[i] = (uint8_t)name[i];
	answer_opened(section_ask(&req, sizeof(req), &opened, sizeof(opened)));
}

static void run_dup(const struct agent_args *args)
{
	struct vmsect_req_duplicate req = {
		.hdr.op = VMSECT_REQ_DUPLICATE,
		.handle = (uint32_t)args->number[0],
		.access = (uint32_t)args->number[1],
	};

	answer_opened(section_ask(&req, sizeof(req), &opened, sizeof(opened)));
}

static void run_extend(const struct agent_args *args)
{
	struct vmsect_req_extend req = {
		.hdr.op = VMSECT_REQ_EXTEND,
		.handle = (uint32_t)args->number[0],
		.size_bytes = args->number[1],
	};
	struct vmsect_rsp_value rsp;

	if (agent_answer_status(section_ask(&req, sizeof(req), &rsp, sizeof(rsp))))
		print("ok size=0x%lx\n", (uint64_t)rsp.value);
}

static void run_close(const struct agent_args *args)
{
	if (agent_answer_status(section_close((uint32_t)args->number[0])))
		print("ok\n");
}

/* map H PROT OFFSET LEN [PLACE [FLAGS [ROOM [COMMIT]]]]; PLACE 0xffffffffffffffff: anywhere */
static void run_map(const struct agent_args *args)
{
	struct vmsect_req_map req = {
		.hdr.op = VMSECT_REQ_MAP,
		.handle = (uint32_t)args->number[0],
		.protection = (uint32_t)args->number[1],
		.offset = args->number[2],
		.length = args->number[3],
		.window_offset = args->count > 4 ? args->number[4] : VMSECT_WINDOW_ANY,
		.map_flags = (uint32_t)args->number[5],
		.room = args->number[6],
		.commit = args->number[7],
	};
	struct vmsect_dev_view view;

	if (!agent_answer_status(section_map(&req, &view)))
		return;
	print("ok");
	print_view(&view);
	print("\n");
}

static void run_unmap(const struct agent_args *args)
{
	if (agent_answer_status(section_unmap((uint32_t)args->number[0])))
		print("ok\n");
}

static void run_query(const struct agent_args *args)
{
	struct vmsect_dev_section section;

	if (!agent_answer_status(section_query((uint32_t)args->number[0], &section)))
		return;
	print("ok");
	print_section(&section);
	print("\n");
}

static void run_view(const struct agent_args *args)
{
	struct vmsect_dev_view view;

	if (!agent_answer_status(section_query_view((uint32_t)args->number[0], &view)))
		return;
	print("ok");
	print_view(&view);
	print("\n");
}

static void run_event(const struct agent_args *args)
{
	struct vmsect_dev_event event;

	if (!section_event((uint32_t)args->number[0], &event)) {
		print("err none\n");
		return;
	}
	print("ok type=%u flags=%u handle=%u peer=%u view=%u section=%lu value=%lu offset=0x%lx "
	      "length=0x%lx\n",
	      event.type, event.flags, event.handle, event.peer, event.view,
	      (uint64_t)event.section_id, (uint64_t)event.value, (uint64_t)event.offset,
	      (uint64_t)event.length);
}

/* Any bytes as a request, any room for the reply. */
static void run_raw(const struct agent_args *args)
{
	static uint8_t request[2048];
	static uint8_t reply[4096];
	const struct vmsect_rsp_hdr *hdr = (const struct vmsect_rsp_hdr *)reply;
	long bytes = text_bytes(args->text[0], request, sizeof(request));
	uint32_t length;

	if (bytes < 0 || args->number[1] > sizeof(reply)) {
		print("err usage\n");
		return;
	}
	if (!section_request(request, (uint32_t)bytes, reply, (uint32_t)args->number[1], &length)) {
		print("err status=%u detail=0\n", SECTION_TIMEOUT);
		return;
	}
	print("ok used=%u", length);
	if (length >= sizeof(*hdr))
		print(" status=%u detail=%u", hdr->status, hdr->detail);
	print(" bytes=");
	for (uint32_t i = 0; i < length && i < 256; i++)
		print("%x%x", reply[i] >> 4, reply[i] & 15u);
	print("\n");
}

const struct agent_command section_commands[] = {
	{ "device", "", run_device },
	{ "list", "", run_list },
	{ "entry", "n", run_entry },
	{ "open", "sn", run_open },
	{ "create", "snnnNNNNN", run_create },
	{ "dup", "nn", run_dup },
	{ "close", "n", run_close },
	{ "extend", "nn", run_extend },
	{ "map", "nnnnNNNN", run_map },
	{ "unmap", "n", run_unmap },
	{ "query", "n", run_query },
	{ "view", "n", run_view },
	{ "event", "n", run_event },
	{ "raw", "sn", run_raw },
	{ 0 },
};
