/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handles: create, open, close, look, remove.
 */
#include "lib/section.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "lib/data_file.h"
#include "lib/options.h"
#include "lib/wire.h"

#define DEFAULT_MODE 0600u
#define HUGE_PAGE_SHIFT 21u

/* The descriptors of a data file: read-only, and read-write if it is written. */
struct data_fds {
	int fds[VMSECT_MSG_FDS_MAX]; /* owned */
	unsigned int nfds;
};

static void data_fds_deinit(struct data_fds *data)
{
	while (data->nfds)
		fd_close(data->fds[--data->nfds]);
}

bool protection_writes(enum vmsect_protection protection)
{
	return protection == VMSECT_PROT_READWRITE || protection == VMSECT_PROT_EXECUTE_READWRITE;
}

static int data_fds_add(struct data_fds *data, struct vmsect_client *client, const char *path,
			int mode)
{
	int fd = data_file_open(client, path, mode);

	if (fd < 0)
		return fd;
	data->fds[data->nfds++] = fd;
	return 0;
}

static int data_fds_open(struct data_fds *data, struct vmsect_client *client,
			 const struct vmsect_create_options *options)
{
	int r = data_fds_add(data, client, options->path, O_RDONLY);

	if (!r && protection_writes(options->protection))
		r = data_fds_add(data, client, options->path, O_RDWR);
	return r;
}

/* Every right that a section of this protection can make use of; GRANT is asked for by name. */
static uint32_t protection_access(enum vmsect_protection protection)
{
	uint32_t access = VMSECT_ACCESS_QUERY | VMSECT_ACCESS_NOTIFY;

	if (protection != VMSECT_PROT_EXECUTE)
		access |= VMSECT_ACCESS_READ;
	if (protection >= VMSECT_PROT_EXECUTE)
		access |= VMSECT_ACCESS_EXECUTE;
	if (protection_writes(protection))
		access |= VMSECT_ACCESS_WRITE | VMSECT_ACCESS_EXTEND;
	return access;
}

/* The default is of the library: the broker wants one of COMMIT and RESERVE. */
static uint32_t create_flags(uint32_t flags)
{
	if (!(flags & (VMSECT_CREATE_EXACT | VMSECT_CREATE_RESERVE)))
		flags |= VMSECT_CREATE_COMMIT;
	return flags & ~VMSECT_CREATE_EXACT;
}

static int create_request(struct vmsect_client *client, const struct vmsect_create_options *options,
			  struct vmsect_req_create *create)
{
	bool wants_path = options->backing == VMSECT_BACKING_FILE;

	if (wants_path != (options->path != NULL))
		return client_fail(client, -EINVAL, VMSECT_DETAIL_ATTR,
				   wants_path ? "a section of a file needs its path"
					      : "only a section of a file has a path");
	create->size_bytes = options->size_bytes;
	create->max_bytes = options->max_bytes;
	create->backing = options->backing;
	create->protection = options->protection;
	create->flags = create_flags(options->flags);
	create->access = options->access ? options->access : protection_access(options->protection);
	create->mode = options->mode ? options->mode : DEFAULT_MODE;
	create->page_shift = options->page_shift;
	if (options->backing == VMSECT_BACKING_HUGETLB && !create->page_shift)
		create->page_shift = HUGE_PAGE_SHIFT;
	return options->name ? name_copy(client, create->name, options->name) : 0;
}

int vmsect_section_create(struct vmsect_client *client,
			  const struct vmsect_create_options *user_options,
			  struct vmsect_section **ret_section)
{
	AUTO(data_fds_deinit) struct data_fds data = { .nfds = 0 };
	struct vmsect_create_options options;
	struct vmsect_req_create create = { 0 };
	struct client_request request = { VMSECT_OP_CREATE, &create.hdr, sizeof(create), NULL, 0 };
	int r;

	if (options_copy(&options, sizeof(options), user_options) < 0)
		return client_fail(client, -EINVAL, VMSECT_DETAIL_FORMAT,
				   "the options have a size that is not theirs");
	r = create_request(client, &options, &create);
	if (!r && options.path)
		r = data_fds_open(&data, client, &options);
	if (r < 0)
		return r;
	request.fds = data.fds;
	request.nfds = data.nfds;
	return handle_call(client, NULL, &request, create.access, ret_section);
}

int vmsect_section_open(struct vmsect_client *client, const char *name, uint32_t access,
			struct vmsect_section **ret_section)
{
	struct vmsect_req_open open = { .access = access };
	struct client_request request = { VMSECT_OP_OPEN, &open.hdr, sizeof(open), NULL, 0 };
	int r;

	r = name_copy(client, open.name, name);
	if (r < 0)
		return r;
	if (!access)
		return client_fail(client, -EINVAL, VMSECT_DETAIL_ACCESS,
				   "the access mask is empty");
	r = handle_call(client, NULL, &request, access, ret_section);
	return r < 0 ? r : 0;
}

struct vmsect_section *vmsect_section_close(struct vmsect_section *section)
{
	struct vmsect_req_handle close = { 0 };
	struct client_request request = { VMSECT_OP_CLOSE, &close.hdr, sizeof(close), NULL, 0 };

	if (!section)
		return NULL;
	close.handle = (uint32_t)section->object.id;
	client_release(&section->object, &request);
	object_remove(&section->object);
	free(section);
	return NULL;
}

int vmsect_section_fd(const struct vmsect_section *section)
{
	return section->object.file ? section->object.file->fd : -1;
}

uint32_t vmsect_section_access(const struct vmsect_section *section)
{
	return section->access;
}

uint64_t vmsect_section_handle_id(const struct vmsect_section *section)
{
	return section->object.id;
}

int vmsect_section_query(struct vmsect_section *section, struct vmsect_section_info *ret_info)
{
	struct vmsect_req_handle query = { .handle = (uint32_t)section->object.id };
	struct client_request request = { VMSECT_OP_QUERY, &query.hdr, sizeof(query), NULL, 0 };
	struct vmsect_rep_section data;
	struct client_reply reply = { .data = &data, .size = sizeof(data) };
	struct vmsect_section_info info;
	int r;

	r = client_call_on(&section->object, &request, &reply);
	if (r < 0)
		return r;
	if (wire_to_section(&data.section, &info) < 0 || info.id != section->info.id)
		return client_break_protocol(section->object.client, "a section that is none");
	section->size_bytes = info.size_bytes;
	*ret_info = info;
	return 0;
}

const struct vmsect_section_info *vmsect_section_info(const struct vmsect_section *section)
{
	return &section->info;
}

int vmsect_section_remove(struct vmsect_client *client, const char *name)
{
	struct vmsect_req_remove remove = { 0 };
	struct client_request request = { VMSECT_OP_REMOVE, &remove.hdr, sizeof(remove), NULL, 0 };
	int r;

	r = name_copy(client, remove.name, name);
	return r < 0 ? r : client_call_simple(client, &request);
}
