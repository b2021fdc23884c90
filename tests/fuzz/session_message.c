/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See session_message.h. */
#include "session_message.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <vmsect/vmsect_proto.h>

#define PAGE 4096u

/* One message that is being made. */
struct draft {
	const struct world *world;
	struct client *client;
	struct input *input;
	struct fdmsg *message;
};

uint64_t input_number(struct input *input)
{
	static const uint64_t numbers[] = {
		0,
		1,
		PAGE - 1,
		PAGE,
		PAGE + 1,
		2 * PAGE,
		3 * PAGE,
		4 * PAGE,
		5 * PAGE,
		16 * PAGE,
		64 * PAGE,
		UINT64_C(1) << 20,
		UINT64_C(1) << 46,
		UINT64_C(1) << 63,
		UINT64_MAX - PAGE,
		UINT64_MAX,
	};
	uint8_t byte = input_take(input);

	/* The others are pages. */
	return byte < 16 ? numbers[byte] : (uint64_t)(byte - 16) * PAGE;
}

static uint32_t take_handle(const struct draft *draft)
{
	uint8_t byte = input_take(draft->input);

	return byte < 0xf0 ? (uint32_t)known_get(&draft->client->handles, byte) : byte;
}

static uint64_t take_known(const struct draft *draft, const struct known *known)
{
	uint8_t byte = input_take(draft->input);

	return byte < 0xf0 ? known_get(known, byte) : byte;
}

static uint64_t take_view(const struct draft *draft)
{
	return take_known(draft, &draft->world->views);
}

static void take_name(const struct draft *draft, char *name)
{
	static const char *const names[] = { "", "a", "b", "c", "vm1", "-", "ctl", "a/b" };
	uint8_t byte = input_take(draft->input);

	(void)snprintf(name, VMSECT_NAME_MAX + 1, "%s", names[byte % 8]);
	if (byte == 0xff)
		memset(name, 'x', VMSECT_NAME_MAX + 1);
}

/* All rights in one of two forms, as fuzzers seldom draw them. */
static uint32_t take_access(const struct draft *draft)
{
	uint8_t byte = input_take(draft->input);

	return byte == 0xff ? 0x3f : byte == 0xfe ? 0x7f : byte;
}

static uint32_t take_party(const struct draft *draft)
{
	uint8_t byte = input_take(draft->input);

	return byte < 0xf0 ? draft->world->clients[byte % CLIENTS].party.id : byte;
}

static void add_fd(const struct draft *draft, int fd)
{
	require(fd >= 0 && draft->message->nfds < FDMSG_FDS_MAX);
	draft->message->fds[draft->message->nfds++] = fd;
}

/* The data file, with a description of its own. */
static void add_file(const struct draft *draft, int flags)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", draft->world->file);
	add_fd(draft, open(path, flags | O_CLOEXEC));
}

/* `count` ranges and their bytes; how it is sealed, and how many there are, is drawn. */
static void add_patch(const struct draft *draft)
{
	struct vmsect_wire_range ranges[2] = { { 0 } };
	const int seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK;
	int fd = (int)syscall(SYS_memfd_create, "patch", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	uint8_t how = input_take(draft->input);
	size_t i;

	for (i = 0; i < 2; i++) {
		ranges[i].offset = input_number(draft->input);
		ranges[i].length = input_number(draft->input);
	}
	require(fd >= 0 && !ftruncate(fd, (off_t)PAGE + (how & 15) * (off_t)PAGE));
	require(pwrite(fd, ranges, sizeof(ranges), 0) == (ssize_t)sizeof(ranges));
	require(!fcntl(fd, F_ADD_SEALS, how & 16 ? F_SEAL_GROW : seals));
	add_fd(draft, fd);
}

/* The memory of a section, as its clients have it, or something like it. */
static void add_memory(const struct draft *draft)
{
	const struct section *section = registry_find_section_id(
		&draft->world->registry, take_known(draft, &draft->world->sections));
	int fd = section && section->backing.rw_fd >= 0 ? section->backing.rw_fd
							: draft->world->file;

	add_fd(draft, fcntl(fd, F_DUPFD_CLOEXEC, 0));
}

static void add_fds(const struct draft *draft)
{
	uint8_t kind = input_take(draft->input);

	switch (kind % 12) {
	case 1:
		add_file(draft, O_RDONLY);
		break;
	case 2:
		add_file(draft, O_RDONLY);
		add_file(draft, O_RDWR);
		break;
	case 3:
		add_patch(draft);
		break;
	case 4:
		add_file(draft, O_RDWR);
		break;
	case 5:
		add_file(draft, O_PATH);
		break;
	case 6:
		add_fd(draft, open("/dev/null", O_RDWR | O_CLOEXEC));
		break;
	case 7:
		add_memory(draft);
		break;
	case 8:
		add_file(draft, O_RDONLY);
		add_memory(draft);
		break;
	case 9:
		add_file(draft, O_WRONLY);
		break;
	default:
		break;
	}
}

static size_t make_hello(const struct draft *draft, struct vmsect_req_hello *hello)
{
	uint8_t what = input_take(draft->input);

	hello->version = what == 0xff ? 1 : VMSECT_PROTO_VERSION;
	hello->kind = what & 1 ? VMSECT_PEER_VM : VMSECT_PEER_PROCESS;
	hello->cpus = what & 2 ? 1 : 0;
	take_name(draft, hello->name);
	return sizeof(*hello);
}

static size_t make_resume(const struct draft *draft, struct vmsect_req_resume *resume)
{
	resume->version = VMSECT_PROTO_VERSION;
	resume->peer = take_party(draft);
	resume->broker_generation = input_take(draft->input);
	memcpy(resume->token, draft->world->clients[resume->peer % CLIENTS].party.token,
	       sizeof(resume->token));
	return sizeof(*resume);
}

static size_t make_create(const struct draft *draft, struct vmsect_req_create *create)
{
	create->size_bytes = input_number(draft->input);
	create->max_bytes = input_number(draft->input);
	create->backing = input_take(draft->input);
	create->protection = input_take(draft->input);
	create->flags = input_take(draft->input);
	create->access = take_access(draft);
	create->mode = (input_take(draft->input) & 7u) * 0111u;
	take_name(draft, create->name);
	if (create->backing == BACKING_FILE)
		add_fds(draft);
	return sizeof(*create);
}

static size_t make_map(const struct draft *draft, struct vmsect_req_map *map)
{
	map->handle = take_handle(draft);
	map->protection = input_take(draft->input);
	map->offset = input_number(draft->input);
	map->length = input_number(draft->input);
	map->flags = input_take(draft->input);
	map->room = input_number(draft->input);
	map->commit = input_number(draft->input);
	return sizeof(*map);
}

static size_t make_view_stats(const struct draft *draft, struct vmsect_req_view_stats *stats)
{
	stats->view = take_view(draft);
	stats->denied_writes = input_number(draft->input);
	stats->private_pages = input_number(draft->input);
	return sizeof(*stats);
}

static size_t make_list(const struct draft *draft, uint8_t op, struct vmsect_req_list *list)
{
	list->after = input_take(draft->input);
	if (op == VMSECT_OP_LIST_SECTIONS)
		take_name(draft, list->name);
	else
		list->section = take_known(draft, &draft->world->sections);
	return sizeof(*list);
}

static size_t make_pass(const struct draft *draft, struct vmsect_req_pass *pass)
{
	pass->handle = take_handle(draft);
	pass->access = take_access(draft);
	pass->peer = take_party(draft);
	pass->expires_ms = input_number(draft->input);
	return sizeof(*pass);
}

static size_t make_grant(const struct draft *draft, struct vmsect_req_grant *grant)
{
	uint8_t id;

	grant->handle = take_handle(draft);
	grant->flags = input_take(draft->input);
	grant->grant.grantee = input_take(draft->input);
	id = input_take(draft->input);
	grant->grant.id = id < 0x80 ? 1000u + id % 4 : UINT32_MAX - (0xffu - id);
	grant->grant.access = take_access(draft);
	if (grant->grant.grantee == VMSECT_GRANTEE_VM)
		take_name(draft, grant->grant.name);
	return sizeof(*grant);
}

static size_t make_protect(const struct draft *draft, struct vmsect_req_protect *protect)
{
	protect->view = take_view(draft);
	protect->offset = input_number(draft->input);
	protect->length = input_number(draft->input);
	protect->protection = input_take(draft->input);
	return sizeof(*protect);
}

static size_t make_flush(const struct draft *draft, struct vmsect_req_flush *flush)
{
	flush->flags = input_take(draft->input);
	if (flush->flags & 2)
		flush->view = take_view(draft);
	else
		flush->handle = take_handle(draft);
	flush->flags &= ~2u;
	flush->offset = input_number(draft->input);
	flush->length = input_number(draft->input);
	return sizeof(*flush);
}

static size_t make_file(const struct draft *draft, struct vmsect_req_file *file)
{
	file->action = input_take(draft->input);
	if (file->action == VMSECT_FILE_TRUNCATE)
		file->size_bytes = input_number(draft->input) % (UINT64_C(1) << 22);
	add_fds(draft);
	return sizeof(*file);
}

/* Of the operations with few fields; 0: it is none of them. */
/* Two kinds and one that is none; what others may do, and vectors, are near the edge. */
static size_t make_export(const struct draft *draft, struct vmsect_req_export *export)
{
	uint8_t byte = input_take(draft->input);

	export->handle = take_handle(draft);
	export->kind = 1 + byte % 3u;
	export->mode = (byte & 0x10) ? 0666u : (uint32_t)input_take(draft->input) << 2;
	export->uid = (byte & 0x20) ? byte : VMSECT_EXPORT_SAME;
	export->gid = (byte & 0x40) ? byte : VMSECT_EXPORT_SAME;
	export->vectors = (byte & 0x80) ? 0 : input_take(draft->input) % 6u;
	return sizeof(*export);
}

static size_t make_small(const struct draft *draft, uint8_t op, struct request *request)
{
	switch (op) {
	case VMSECT_OP_OPEN:
		request->open.access = take_access(draft);
		take_name(draft, request->open.name);
		return sizeof(request->open);
	case VMSECT_OP_CLOSE:
	case VMSECT_OP_QUERY:
	case VMSECT_OP_LIST_GRANTS:
	case VMSECT_OP_SEAL:
		request->handle.handle = take_handle(draft);
		return sizeof(request->handle);
	case VMSECT_OP_REMOVE:
		take_name(draft, request->remove.name);
		return sizeof(request->remove);
	case VMSECT_OP_UNMAP:
	case VMSECT_OP_REVOKED:
		request->unmap.view = take_view(draft);
		return sizeof(request->unmap);
	case VMSECT_OP_DUPLICATE:
		request->duplicate.handle = take_handle(draft);
		request->duplicate.access = take_access(draft);
		return sizeof(request->duplicate);
	case VMSECT_OP_ACCEPT:
		request->accept.offer = take_known(draft, &draft->world->offers);
		return sizeof(request->accept);
	case VMSECT_OP_NOTIFY:
		request->notify.handle = take_handle(draft);
		request->notify.peer = take_party(draft);
		if (request->notify.peer == 0xff)
			request->notify.peer = 0; /* all others */
		request->notify.value = input_number(draft->input);
		return sizeof(request->notify);
	case VMSECT_OP_UNEXPORT:
		request->unexport.handle = take_handle(draft);
		request->unexport.kind = 1 + input_take(draft->input) % 3u;
		return sizeof(request->unexport);
	case VMSECT_OP_DOORBELL:
		request->doorbell.handle = take_handle(draft);
		request->doorbell.vectors = input_take(draft->input) % 6u;
		return sizeof(request->doorbell);
	case VMSECT_OP_PEER_STATS:
		request->peer_stats.denied_writes = input_number(draft->input);
		return sizeof(request->peer_stats);
	default:
		return 0;
	}
}

static size_t make_sized(const struct draft *draft, uint8_t op, struct request *request)
{
	switch (op) {
	case VMSECT_OP_EXTEND:
		request->extend.handle = take_handle(draft);
		request->extend.size_bytes = input_number(draft->input) % (UINT64_C(1) << 22);
		return sizeof(request->extend);
	case VMSECT_OP_COMMIT:
		request->commit.view = take_view(draft);
		request->commit.offset = input_number(draft->input);
		request->commit.length = input_number(draft->input);
		return sizeof(request->commit);
	case VMSECT_OP_PUBLISH:
		request->publish.handle = take_handle(draft);
		request->publish.count = input_take(draft->input);
		add_fds(draft);
		return sizeof(request->publish);
	case VMSECT_OP_HAND_BACK:
		request->hand_back.section = take_known(draft, &draft->world->sections);
		add_fds(draft);
		return sizeof(request->hand_back);
	case VMSECT_OP_FLUSH:
		return make_flush(draft, &request->flush);
	case VMSECT_OP_FILE:
		return make_file(draft, &request->file);
	default:
		return 0;
	}
}

static size_t make_other(const struct draft *draft, uint8_t op, struct request *request)
{
	switch (op) {
	case VMSECT_OP_HELLO:
		return make_hello(draft, &request->hello);
	case VMSECT_OP_RESUME:
		return make_resume(draft, &request->resume);
	case VMSECT_OP_CREATE:
		return make_create(draft, &request->create);
	case VMSECT_OP_MAP:
		return make_map(draft, &request->map);
	case VMSECT_OP_VIEW_STATS:
		return make_view_stats(draft, &request->view_stats);
	case VMSECT_OP_LIST_SECTIONS:
	case VMSECT_OP_LIST_VIEWS:
	case VMSECT_OP_LIST_PEERS:
	case VMSECT_OP_LIST_EXPORTS:
		return make_list(draft, op, &request->list);
	case VMSECT_OP_PASS:
		return make_pass(draft, &request->pass);
	case VMSECT_OP_EXPORT:
		return make_export(draft, &request->export);
	case VMSECT_OP_GRANT:
		return make_grant(draft, &request->grant);
	case VMSECT_OP_PROTECT:
		return make_protect(draft, &request->protect);
	default:
		return 0;
	}
}

/* The bytes as they are; the first says how many.  Only their number is made right. */
static size_t make_raw(const struct draft *draft, void *buffer)
{
	uint32_t size = input_take(draft->input);

	if (size > draft->input->size)
		size = (uint32_t)draft->input->size;
	memcpy(buffer, draft->input->bytes, size);
	if (size >= sizeof(struct vmsect_msg_hdr))
		memcpy(buffer, &size, sizeof(size));
	draft->input->bytes += size;
	draft->input->size -= size;
	return size;
}

static size_t make(const struct draft *draft, uint8_t op, void *buffer)
{
	struct request request = { 0 };
	size_t size;

	size = make_small(draft, op, &request);
	if (!size)
		size = make_sized(draft, op, &request);
	if (!size)
		size = make_other(draft, op, &request);
	if (!size)
		return make_raw(draft, buffer);
	request.hdr = (struct vmsect_msg_hdr){
		.size = (uint32_t)size,
		.op = op,
		.cookie = draft->client->cookie,
		.fds = draft->message->nfds,
	};
	memcpy(buffer, request.bytes, size);
	return size;
}

void message_make(const struct world *world, struct client *client, uint8_t op, struct input *input,
		  struct datagram *ret_datagram)
{
	const struct draft draft = { world, client, input, &ret_datagram->message };

	ret_datagram->message = (struct fdmsg){ .fds = { -1, -1 } };
	ret_datagram->message.size = make(&draft, op, ret_datagram->bytes);
}
