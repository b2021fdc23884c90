/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See section_impl.h.  Sections that the driver makes, where the VM may.
 *
 * What it has made counts against the configuration's sum of sizes, with the
 * most that it can be extended to, as long as this VM has a handle or a view
 * of it.
 */
#include "dev/section_impl.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "base/parse.h"

#define FLAGS_ALL                                                                                  \
	(VMSECT_CREATE_F_OPEN_IF | VMSECT_CREATE_F_COMMIT | VMSECT_CREATE_F_RESERVE |              \
	 VMSECT_CREATE_F_ALLOCATE | VMSECT_CREATE_F_EXACT)

_Static_assert(VMSECT_CREATE_F_OPEN_IF == VMSECT_CREATE_OPEN_IF &&
		       VMSECT_CREATE_F_COMMIT == VMSECT_CREATE_COMMIT &&
		       VMSECT_CREATE_F_RESERVE == VMSECT_CREATE_RESERVE &&
		       VMSECT_CREATE_F_ALLOCATE == VMSECT_CREATE_ALLOCATE &&
		       VMSECT_CREATE_F_EXACT == VMSECT_CREATE_EXACT,
	       "one numbering of creation flags");

static bool is_held(const struct section_dev *dev, uint64_t section_id)
{
	for (uint32_t i = 0; i < SECTION_HANDLES_MAX; i++)
		if (dev->handles[i].section && dev->handles[i].section_id == section_id)
			return true;
	for (uint32_t i = 0; i < SECTION_VIEWS_MAX; i++)
		if (dev->views[i].is_used && dev->views[i].section_id == section_id)
			return true;
	return false;
}

/* The sum of what still counts; *ret_free has a free entry, or NULL. */
static uint64_t count_created(struct section_dev *dev, struct section_created **ret_free)
{
	uint64_t sum = 0;

	*ret_free = NULL;
	for (uint32_t i = 0; i < SECTION_CREATED_MAX; i++) {
		struct section_created *created = &dev->created[i];

		if (created->bytes && !is_held(dev, created->section_id))
			created->bytes = 0;
		if (!created->bytes)
			*ret_free = created;
		sum += created->bytes; /* each is bounded by create_bytes, or by the host */
	}
	return sum;
}

static struct section_answer check_budget(struct section_dev *dev, uint64_t bytes,
					  struct section_created **ret_created)
{
	uint64_t sum = count_created(dev, ret_created), most = dev->env.policy.create_bytes;

	if (!*ret_created || (most && (sum > most || bytes > most - sum)))
		return section_refuse(VMSECT_S_EDQUOT, VMSECT_D_QUOTA);
	return SECTION_OK;
}

/* No name is legal: the section is anonymous. */
static bool name_is_good(const struct vmsect_req_create *request)
{
	char name[sizeof(request->name)];
	size_t length;

	memcpy(name, request->name, sizeof(name));
	return name_field_length(name, sizeof(name), &length) == 0 &&
	       (length == 0 || name_is_legal(name, length));
}

static struct section_answer check(const struct vmsect_req_create *request)
{
	uint32_t backing = le32toh(request->backing);
	uint32_t access = le32toh(request->access);

	if (le32toh(request->create_flags) & ~(uint32_t)FLAGS_ALL)
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_ATTR);
	if (backing < VMSECT_DEV_BACKING_SHMEM || backing > VMSECT_DEV_BACKING_DIRECTORY)
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_ATTR);
	if (!section_protection_is_legal(le32toh(request->protection)))
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_PROTECTION);
	if (!name_is_good(request))
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_NAME);
	if (access & ~(uint32_t)VMSECT_DEV_ACCESS_ALL)
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_ACCESS);
	if (!request->size_bytes)
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_SIZE);
	return SECTION_OK;
}

/* 1: OPEN_IF has found it; 0; -errno. */
static int create(struct section_dev *dev, const struct vmsect_req_create *request,
		  struct vmsect_section **ret_section)
{
	char name[sizeof(request->name)];
	const struct vmsect_create_options options = {
		.size = sizeof(options),
		.name = request->name[0] ? name : NULL,
		.backing = (enum vmsect_backing)le32toh(request->backing),
		.protection = (enum vmsect_protection)le32toh(request->protection),
		.size_bytes = le64toh(request->size_bytes),
		.flags = le32toh(request->create_flags),
		.access = le32toh(request->access),
		.mode = le32toh(request->mode),
		.page_shift = le32toh(request->page_shift),
		.max_bytes = le64toh(request->max_bytes),
	};

	memcpy(name, request->name, sizeof(name));
	return vmsect_section_create(dev->env.client, &options, ret_section);
}

/* The request is good, and there is room for one more. */
static struct section_answer create_as(struct section_dev *dev, struct section_call *call,
				       uint32_t id, struct section_created *created)
{
	struct vmsect_section *section = NULL;
	int result = create(dev, call->request, &section);
	const struct vmsect_section_info *info;

	if (result < 0)
		return section_answer_of(dev, result);
	section_handle_set(dev, id, section);
	info = vmsect_section_info(section);
	if (result == 0)
		*created = (struct section_created){
			.section_id = info->id,
			.bytes = info->max_bytes > info->size_bytes ? info->max_bytes
								    : info->size_bytes,
		};
	section_handle_reply(dev, id, (struct vmsect_rsp_open *)(void *)call->reply);
	return section_refuse(VMSECT_S_OK, result == 1 ? VMSECT_D_EXISTED : VMSECT_D_NONE);
}

struct section_answer section_create(struct section_dev *dev, struct section_call *call)
{
	const struct vmsect_req_create *request = call->request;
	uint64_t size = le64toh(request->size_bytes), most = le64toh(request->max_bytes);
	struct section_created *created;
	struct section_answer answer;
	uint32_t id = section_handle_free(dev);

	if (!dev->env.policy.allow_create)
		return section_refuse(VMSECT_S_EPERM, VMSECT_D_NONE);
	answer = check(request);
	if (answer.status != VMSECT_S_OK)
		return answer;
	if (id == 0)
		return section_refuse(VMSECT_S_EDQUOT, VMSECT_D_HANDLES);
	answer = check_budget(dev, size > most ? size : most, &created);
	if (answer.status != VMSECT_S_OK)
		return answer;
	if (dev->broker_gone)
		return section_refuse(VMSECT_S_EHOSTDOWN, VMSECT_D_NONE);
	return create_as(dev, call, id, created);
}
