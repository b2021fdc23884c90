/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See section_patch.h, and PUBLISH in vmsect_proto.h for the format. */
#include "lib/section_patch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "lib/section.h"

#define PATCH_ALIGN UINT64_C(4096) /* where the bytes begin */
#define PATCH_SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

int patch_init(struct patch *patch, size_t room)
{
	uint64_t header;

	*patch = (struct patch){ .fd = -1, .room = room };
	if (!room || room > UINT32_MAX)
		return -EINVAL;
	header = room * sizeof(struct vmsect_wire_range);
	patch->bytes_at = (header + PATCH_ALIGN - 1) & ~(PATCH_ALIGN - 1);
	patch->fd = sys_result(memfd_create("vmsect-patch", MFD_CLOEXEC | MFD_ALLOW_SEALING));
	return patch->fd < 0 ? patch->fd : 0;
}

static int write_all(int fd, const void *bytes, uint64_t length, uint64_t at)
{
	const unsigned char *from = bytes;

	while (length) {
		ssize_t size = sys_retry(pwrite(fd, from, length, (off_t)at));

		if (size <= 0)
			return size < 0 ? (int)size : -EIO;
		from += size;
		length -= (uint64_t)size;
		at += (uint64_t)size;
	}
	return 0;
}

int patch_add(struct patch *patch, uint64_t offset, uint64_t length, const void *bytes)
{
	const struct vmsect_wire_range range = { .offset = offset, .length = length };
	uint64_t end;
	int r;

	if (patch->count == patch->room || __builtin_add_overflow(patch->bytes_at, length, &end) ||
	    end > INT64_MAX)
		return -EINVAL;
	r = write_all(patch->fd, &range, sizeof(range), patch->count * sizeof(range));
	if (!r)
		r = write_all(patch->fd, bytes, length, patch->bytes_at);
	if (r < 0)
		return r;
	patch->count++;
	patch->bytes_at = end;
	return 0;
}

void patch_deinit(struct patch *patch)
{
	patch->fd = fd_close(patch->fd);
}

int patch_publish(struct patch *patch, struct vmsect_section *section, uint64_t *ret_ticket)
{
	struct vmsect_req_publish publish = {
		.handle = (uint32_t)section->object.id,
		.count = (uint32_t)patch->count,
	};
	struct client_request request = { VMSECT_OP_PUBLISH, &publish.hdr, sizeof(publish),
					  &patch->fd, 1 };
	int r = sys_result(fcntl(patch->fd, F_ADD_SEALS, PATCH_SEALS));

	if (r < 0)
		return client_fail(section->object.client, r, VMSECT_DETAIL_NONE,
				   "cannot seal the patch: %s", error_words(r));
	if (ret_ticket)
		return client_call_async(&section->object, &request, ret_ticket);
	return client_call_simple_on(&section->object, &request);
}

static int patch_fill(struct patch *patch, const struct vmsect_patch *patches, size_t count)
{
	size_t i;
	int r = patch_init(patch, count);

	for (i = 0; i < count && !r; i++)
		r = patch_add(patch, patches[i].offset, patches[i].length, patches[i].bytes);
	return r;
}

int vmsect_section_publish(struct vmsect_section *section, const struct vmsect_patch *patches,
			   size_t count, uint64_t *ret_ticket)
{
	AUTO(patch_deinit) struct patch patch = { .fd = -1 };
	struct vmsect_client *client = section->object.client;
	int r = object_check(&section->object);

	if (r < 0)
		return r;
	/* Not worth copying anything for. */
	if (!(section->access & VMSECT_ACCESS_WRITE))
		return client_fail(client, -EPERM, VMSECT_DETAIL_ACCESS,
				   "the handle has no write access");
	r = patch_fill(&patch, patches, count);
	if (r == -EINVAL)
		return client_fail(client, r, VMSECT_DETAIL_RANGE,
				   "the number of patches or their size is not one");
	if (r < 0)
		return client_fail(client, r, VMSECT_DETAIL_NONE, "cannot copy the patches: %s",
				   error_words(r));
	return patch_publish(&patch, section, ret_ticket);
}
