/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See wire_disk.h. */
#include "lib/wire_disk.h"

#include "lib/check.h"

#include <fcntl.h>
#include <unistd.h>

int wire_extend(struct wire_client *client, uint32_t handle, uint64_t size_bytes)
{
	struct vmsect_req_extend request = { .handle = handle, .size_bytes = size_bytes };

	return wire_call(client, VMSECT_OP_EXTEND, &request, sizeof(request));
}

int wire_commit(struct wire_client *client, uint64_t view, uint64_t offset, uint64_t length)
{
	struct vmsect_req_commit request = { .view = view, .offset = offset, .length = length };

	return wire_call(client, VMSECT_OP_COMMIT, &request, sizeof(request));
}

int wire_flush(struct wire_client *client, uint32_t handle, uint64_t view,
	       const struct vmsect_wire_range *range, uint32_t flags)
{
	struct vmsect_req_flush request = {
		.handle = handle,
		.flags = flags,
		.view = view,
		.offset = range ? range->offset : 0,
		.length = range ? range->length : 0,
	};

	return wire_call(client, VMSECT_OP_FLUSH, &request, sizeof(request));
}

/* Sends a request with at most one descriptor. */
static int call_with_fd(struct wire_client *client, struct vmsect_msg_hdr *hdr, size_t size,
			uint16_t op, int fd)
{
	*hdr = (struct vmsect_msg_hdr){
		.size = (uint32_t)size, .op = op, .cookie = ++client->cookie, .fds = fd >= 0
	};
	wire_send(client, hdr, size, &fd, fd >= 0);
	return wire_receive(client);
}

int wire_publish(struct wire_client *client, uint32_t handle, uint32_t count, int patch)
{
	struct vmsect_req_publish request = { .handle = handle, .count = count };

	return call_with_fd(client, &request.hdr, sizeof(request), VMSECT_OP_PUBLISH, patch);
}

int wire_file(struct wire_client *client, uint32_t action, uint64_t size_bytes, int fd)
{
	struct vmsect_req_file request = { .action = action, .size_bytes = size_bytes };

	return call_with_fd(client, &request.hdr, sizeof(request), VMSECT_OP_FILE, fd);
}

int wire_map_as(struct wire_client *client, const struct vmsect_req_map *map)
{
	struct vmsect_req_map request = *map;

	return wire_call(client, VMSECT_OP_MAP, &request, sizeof(request));
}

int wire_create_file(struct wire_client *client, const struct wire_create *create, const char *path)
{
	bool writable = create->protection == VMSECT_PROT_READWRITE ||
			create->protection == VMSECT_PROT_EXECUTE_READWRITE;
	struct wire_create request = *create;
	int fds[2] = { open(path, O_RDONLY | O_CLOEXEC), -1 };
	int r;

	assert_true(fds[0] >= 0);
	if (writable)
		fds[1] = open(path, O_RDWR | O_CLOEXEC);
	request.backing = VMSECT_BACKING_FILE;
	request.fds = fds;
	request.nfds = writable ? 2 : 1;
	r = wire_create(client, &request);
	(void)close(fds[0]);
	if (writable)
		(void)close(fds[1]);
	return r;
}
