/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See section_impl.h.  Handles of sections, and what can be asked of them. */
#include "dev/section_impl.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "base/parse.h"

_Static_assert(VMSECT_DEV_ACCESS_ALL == VMSECT_ACCESS_ALL, "one numbering of rights");
_Static_assert((int)VMSECT_DEV_PROT_WRITECOPY == (int)VMSECT_PROT_WRITECOPY,
	       "one numbering of protections");
_Static_assert((int)VMSECT_DEV_BACKING_DIRECTORY == (int)VMSECT_BACKING_DIRECTORY,
	       "one numbering of backings");

struct section_answer section_answer_of(struct section_dev *dev, int result)
{
	switch (-result) {
	case 0:
		return SECTION_OK;
	case EPERM:
		return section_refuse(VMSECT_S_EPERM, VMSECT_D_NONE);
	case ENOENT:
		return section_refuse(VMSECT_S_ENOENT, VMSECT_D_NONE);
	case ENOMEM:
	case EMFILE:
	case ENFILE:
		return section_refuse(VMSECT_S_ENOMEM, VMSECT_D_NONE);
	case EACCES:
		return section_refuse(VMSECT_S_EACCES, VMSECT_D_NONE);
	case EINVAL:
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_NONE);
	case EOPNOTSUPP:
		return section_refuse(VMSECT_S_EOPNOTSUPP, VMSECT_D_NONE);
	case EDQUOT:
		return section_refuse(VMSECT_S_EDQUOT, VMSECT_D_QUOTA);
	case EPIPE:
		dev->broker_gone = true;
		return section_refuse(VMSECT_S_EHOSTDOWN, VMSECT_D_NONE);
	case ETIMEDOUT:
		return section_refuse(VMSECT_S_EHOSTDOWN, VMSECT_D_NONE);
	default:
		return section_refuse(VMSECT_S_EIO, VMSECT_D_NONE);
	}
}

struct section_handle *section_handle_of(struct section_dev *dev, uint32_t id)
{
	if (id == 0 || id > SECTION_HANDLES_MAX || !dev->handles[id - 1].section)
		return NULL;
	return &dev->handles[id - 1];
}

uint32_t section_lowest_handle(const struct section_dev *dev, uint64_t section_id)
{
	for (uint32_t i = 0; i < SECTION_HANDLES_MAX; i++) {
		const struct vmsect_section *section = dev->handles[i].section;

		if (section && vmsect_section_info(section)->id == section_id)
			return i + 1;
	}
	return 0;
}

static uint32_t free_handle(const struct section_dev *dev)
{
	for (uint32_t i = 0; i < SECTION_HANDLES_MAX; i++)
		if (!dev->handles[i].section)
			return i + 1;
	return 0;
}

/* What the broker says now, or without it what it said at open. */
static void describe(struct section_dev *dev, struct vmsect_section *section,
		     struct vmsect_dev_section *ret_section)
{
	struct vmsect_section_info now;
	const struct vmsect_section_info *info = vmsect_section_info(section);
	uint32_t access = vmsect_section_access(section);

	if (access & VMSECT_ACCESS_QUERY && !dev->broker_gone) {
		int result = vmsect_section_query(section, &now);

		if (result == 0)
			info = &now;
		else
			(void)section_answer_of(dev, result);
	}
	*ret_section = (struct vmsect_dev_section){
		.section_id = htole64(info->id),
		.generation = htole64(info->generation),
		.size_bytes = htole64(info->size_bytes),
		.protection = htole32((uint32_t)info->protection),
		.backing = htole32((uint32_t)info->backing),
		.page_shift = htole32(info->page_shift),
		.access = htole32(access),
	};
	memcpy(ret_section->name, info->name, strnlen(info->name, VMSECT_DEV_NAME_MAX));
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

		describe(dev, dev->handles[cursor].section, &entry->section);
		section_view_describe(dev, cursor + 1, &entry->view);
		count++;
		cursor++;
	}
	reply->count = htole32(count);
	reply->next = htole32(cursor < dev->attachments ? cursor : 0);
	call->reply_bytes += count * (uint32_t)sizeof(reply->entries[0]);
	return SECTION_OK;
}

/* A terminated copy; false unless the field holds a legal name. */
static bool copy_name(const uint8_t *field, char name[VMSECT_DEV_NAME_MAX + 1])
{
	size_t length;

	memcpy(name, field, VMSECT_DEV_NAME_MAX + 1);
	return name_field_length(name, VMSECT_DEV_NAME_MAX + 1, &length) == 0 &&
	       name_is_legal(name, length);
}

struct section_answer section_open(struct section_dev *dev, struct section_call *call)
{
	const struct vmsect_req_open *request = call->request;
	struct vmsect_rsp_open *reply = (struct vmsect_rsp_open *)(void *)call->reply;
	uint32_t access = le32toh(request->access), id = free_handle(dev);
	char name[VMSECT_DEV_NAME_MAX + 1];
	int result;

	if (!copy_name(request->name, name))
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_NAME);
	if (access == 0 || access & ~(uint32_t)VMSECT_DEV_ACCESS_ALL)
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_ACCESS);
	if (access & VMSECT_DEV_ACCESS_EXECUTE)
		return section_refuse(VMSECT_S_EOPNOTSUPP, VMSECT_D_NONE);
	if (id == 0)
		return section_refuse(VMSECT_S_EDQUOT, VMSECT_D_HANDLES);
	if (dev->broker_gone)
		return section_refuse(VMSECT_S_EHOSTDOWN, VMSECT_D_NONE);
	result = vmsect_section_open(dev->env.client, name, access, &dev->handles[id - 1].section);
	if (result < 0)
		return section_answer_of(dev, result);
	reply->handle = htole32(id);
	describe(dev, dev->handles[id - 1].section, &reply->section);
	return SECTION_OK;
}

struct section_answer section_close(struct section_dev *dev, struct section_call *call)
{
	const struct vmsect_req_close *request = call->request;
	uint32_t id = le32toh(request->handle);
	struct section_handle *handle = section_handle_of(dev, id);

	if (!handle)
		return section_refuse(VMSECT_S_EBADF, VMSECT_D_NONE);
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
	struct section_handle *handle = section_handle_of(dev, le32toh(request->handle));

	if (!handle)
		return section_refuse(VMSECT_S_EBADF, VMSECT_D_NONE);
	if (!(vmsect_section_access(handle->section) & VMSECT_ACCESS_QUERY))
		return section_refuse(VMSECT_S_EPERM, VMSECT_D_NONE);
	describe(dev, handle->section, &reply->section);
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
