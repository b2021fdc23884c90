/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See section_impl.h.  Handles of sections, and what can be asked of them. */
#include "dev/section_impl.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "base/parse.h"

/* Those of the guest's interface: that others reach a section by a path is the host's. */
#define SECTION_FLAGS                                                                              \
	(VMSECT_SECTION_F_PERMANENT | VMSECT_SECTION_F_RESERVE | VMSECT_SECTION_F_SEALABLE |       \
	 VMSECT_SECTION_F_SEALED)

_Static_assert(VMSECT_DEV_ACCESS_ALL == VMSECT_ACCESS_ALL, "one numbering of rights");
_Static_assert((int)VMSECT_DEV_PROT_EXECUTE_WRITECOPY == (int)VMSECT_PROT_EXECUTE_WRITECOPY,
	       "one numbering of protections");
_Static_assert((int)VMSECT_DEV_BACKING_DIRECTORY == (int)VMSECT_BACKING_DIRECTORY,
	       "one numbering of backings");
_Static_assert(VMSECT_SECTION_F_SEALED == VMSECT_SECTION_SEALED &&
		       VMSECT_SECTION_F_RESERVE == VMSECT_SECTION_RESERVE,
	       "one numbering of a section's flags");

/* That of another device is none of the driver's. */
static bool is_used(const struct section_dev *dev, uint32_t id)
{
	return id > 0 && id <= SECTION_HANDLES_MAX && dev->handles[id - 1].section &&
	       !dev->handles[id - 1].has_device;
}

struct section_handle *section_handle_of(struct section_dev *dev, uint32_t id,
					 struct section_answer *ret_why)
{
	struct section_handle *handle;

	*ret_why = section_refuse(VMSECT_S_EBADF, VMSECT_D_NONE);
	if (!is_used(dev, id))
		return NULL;
	handle = &dev->handles[id - 1];
	ret_why->detail = VMSECT_D_REVOKED;
	return handle->is_revoked ? NULL : handle;
}

uint32_t section_lowest_handle(const struct section_dev *dev, uint64_t section_id, uint32_t rights)
{
	for (uint32_t i = 0; i < SECTION_HANDLES_MAX; i++) {
		const struct section_handle *handle = &dev->handles[i];

		if (!is_used(dev, i + 1) || handle->is_revoked || handle->section_id != section_id)
			continue;
		if (!rights || vmsect_section_access(handle->section) & rights)
			return i + 1;
	}
	return 0;
}

uint32_t section_handle_free(const struct section_dev *dev)
{
	for (uint32_t i = 0; i < SECTION_HANDLES_MAX; i++)
		if (!dev->handles[i].section)
			return i + 1;
	return 0;
}

void section_handle_set(struct section_dev *dev, uint32_t id, struct vmsect_section *section)
{
	const struct vmsect_section_info *info = vmsect_section_info(section);

	dev->handles[id - 1] = (struct section_handle){
		.section = section,
		.section_id = info->id,
		.size_bytes = info->size_bytes,
	};
}

/* As it is now; what needs a broker or a right is as it was at open. */
static void inform(struct section_dev *dev, struct section_handle *handle,
		   struct vmsect_section_info *ret_info)
{
	*ret_info = *vmsect_section_info(handle->section);
	ret_info->size_bytes = handle->size_bytes;
	if (dev->broker_gone || handle->is_revoked ||
	    !(vmsect_section_access(handle->section) & VMSECT_ACCESS_QUERY))
		return;
	if (vmsect_section_query(handle->section, ret_info) == 0)
		handle->size_bytes = ret_info->size_bytes;
}

static void describe(struct section_dev *dev, struct section_handle *handle,
		     struct vmsect_dev_section *ret_section)
{
	struct vmsect_section_info info;

	inform(dev, handle, &info);
	*ret_section = (struct vmsect_dev_section){
		.section_id = htole64(info.id),
		.generation = htole64(info.generation),
		.size_bytes = htole64(info.size_bytes),
		.protection = htole32(info.protection),
		.backing = htole32(info.backing),
		.page_shift = htole32(info.page_shift),
		.access = htole32(vmsect_section_access(handle->section)),
		.max_bytes = htole64(info.max_bytes),
		.committed_bytes = htole64(info.committed_bytes),
		.section_flags = htole32(info.flags & SECTION_FLAGS),
		.io_error = htole32(section_answer_errno(-(int)info.io_error).status),
	};
	/* Both have room for the longest name and its end. */
	memcpy(ret_section->name, info.name, sizeof(ret_section->name) - 1);
}

struct section_answer section_list(struct section_dev *dev, struct section_call *call)
{
	const struct vmsect_req_list *request = call->request;
	struct vmsect_rsp_list *reply = (struct vmsect_rsp_list *)(void *)call->reply;
	uint32_t cursor = le32toh(request->cursor), count = 0;
	uint32_t room =
		(call->reply_room - (uint32_t)sizeof(*reply)) / (uint32_t)sizeof(reply->entries[0]);

	if (cursor > 0 && cursor >= dev->attachments)
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_CURSOR);
	while (count < room && cursor < dev->attachments) {
		struct vmsect_attachment *entry = &reply->entries[count];

		describe(dev, &dev->handles[cursor], &entry->section);
		section_view_describe(dev, cursor + 1, &entry->view);
		count++;
		cursor++;
	}
	reply->count = htole32(count);
	reply->next = htole32(cursor < dev->attachments ? cursor : 0);
	call->reply_bytes += count * (uint32_t)sizeof(reply->entries[0]);
	return SECTION_OK;
}

void section_handle_reply(struct section_dev *dev, uint32_t id, struct vmsect_rsp_open *reply)
{
	reply->handle = htole32(id);
	describe(dev, &dev->handles[id - 1], &reply->section);
}

/* A terminated copy; false unless the field holds a legal name. */
static bool copy_name(const uint8_t *field, char name[VMSECT_DEV_NAME_MAX + 1])
{
	size_t length;

	memcpy(name, field, VMSECT_DEV_NAME_MAX + 1);
	return name_field_length(name, VMSECT_DEV_NAME_MAX + 1, &length) == 0 &&
	       name_is_legal(name, length);
}

/* A free place, if there is a broker to fill it. */
static struct section_answer need_handle(const struct section_dev *dev, uint32_t *ret_id)
{
	*ret_id = section_handle_free(dev);
	if (*ret_id == 0)
		return section_refuse(VMSECT_S_EDQUOT, VMSECT_D_HANDLES);
	if (dev->broker_gone)
		return section_refuse(VMSECT_S_EHOSTDOWN, VMSECT_D_NONE);
	return SECTION_OK;
}

struct section_answer section_open(struct section_dev *dev, struct section_call *call)
{
	const struct vmsect_req_open *request = call->request;
	uint32_t access = le32toh(request->access), id;
	struct vmsect_section *section = NULL;
	char name[VMSECT_DEV_NAME_MAX + 1];
	struct section_answer answer;
	int result;

	if (!copy_name(request->name, name))
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_NAME);
	if (access == 0 || access & ~(uint32_t)VMSECT_DEV_ACCESS_ALL)
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_ACCESS);
	answer = need_handle(dev, &id);
	if (answer.status != VMSECT_S_OK)
		return answer;
	result = vmsect_section_open(dev->env.client, name, access, &section);
	if (result < 0)
		return section_answer_of(dev, result);
	section_handle_set(dev, id, section);
	section_handle_reply(dev, id, (struct vmsect_rsp_open *)(void *)call->reply);
	return SECTION_OK;
}

struct section_answer section_duplicate(struct section_dev *dev, struct section_call *call)
{
	const struct vmsect_req_duplicate *request = call->request;
	uint32_t access = le32toh(request->access), id;
	struct vmsect_section *section = NULL;
	struct section_answer answer;
	struct section_handle *handle;
	int result;

	if (access & ~(uint32_t)VMSECT_DEV_ACCESS_ALL)
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_ACCESS);
	handle = section_handle_of(dev, le32toh(request->handle), &answer);
	if (!handle)
		return answer;
	if (access & ~vmsect_section_access(handle->section))
		return section_refuse(VMSECT_S_EPERM, VMSECT_D_NONE);
	answer = need_handle(dev, &id);
	if (answer.status != VMSECT_S_OK)
		return answer;
	result = vmsect_section_duplicate(handle->section, access, &section);
	if (result < 0)
		return section_answer_of(dev, result);
	section_handle_set(dev, id, section);
	section_handle_reply(dev, id, (struct vmsect_rsp_open *)(void *)call->reply);
	return SECTION_OK;
}

struct section_answer section_close(struct section_dev *dev, struct section_call *call)
{
	const struct vmsect_req_close *request = call->request;
	uint32_t id = le32toh(request->handle);
	struct section_handle *handle;

	/* A revoked one is closed like any other. */
	if (!is_used(dev, id))
		return section_refuse(VMSECT_S_EBADF, VMSECT_D_NONE);
	handle = &dev->handles[id - 1];
	if (handle->is_attachment)
		return section_refuse(VMSECT_S_EPERM, VMSECT_D_ATTACHMENT);
	section_views_orphan(dev, id);
	handle->section = vmsect_section_close(handle->section);
	return SECTION_OK;
}

struct section_answer section_query_section(struct section_dev *dev, struct section_call *call)
{
	const struct vmsect_req_query_section *request = call->request;
	struct vmsect_rsp_query_section *reply =
		(struct vmsect_rsp_query_section *)(void *)call->reply;
	struct section_answer answer;
	struct section_handle *handle = section_handle_of(dev, le32toh(request->handle), &answer);

	if (!handle)
		return answer;
	if (!(vmsect_section_access(handle->section) & VMSECT_ACCESS_QUERY))
		return section_refuse(VMSECT_S_EPERM, VMSECT_D_NONE);
	describe(dev, handle, &reply->section);
	return SECTION_OK;
}

void section_handles_drop(struct section_dev *dev, bool all)
{
	for (uint32_t i = 0; i < SECTION_HANDLES_MAX; i++) {
		struct section_handle *handle = &dev->handles[i];

		if (handle->section && (all || !handle->is_attachment))
			handle->section = vmsect_section_close(handle->section);
	}
}
