/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handles: create, open, close, look, remove.
 *
 * The data file of a section is opened here, with the rights of the program,
 * and passed to the broker; the broker opens no path for anyone.  A path that
 * is not a regular file is never opened: opening a device or a FIFO can block
 * or do something.
 */
#include "lib/section.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/sys.h"
#include "lib/options.h"
#include "lib/wire.h"

#define DATA_ACCESS (VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE | VMSECT_ACCESS_EXECUTE)
#define DEFAULT_MODE 0600u
#define HUGE_PAGE_SHIFT 21u

/* The descriptors of a data file: read-only, and read-write if it is written. */
struct data_file {
	int fds[VMSECT_MSG_FDS_MAX]; /* owned */
	unsigned int nfds;
};

static void data_file_deinit(struct data_file *file)
{
	while (file->nfds)
		fd_close(file->fds[--file->nfds]);
}

static bool protection_writes(enum vmsect_protection protection)
{
	return protection == VMSECT_PROT_READWRITE || protection == VMSECT_PROT_EXECUTE_READWRITE;
}

static int check_regular(int r, const struct stat *status)
{
	if (r < 0)
		return r;
	return S_ISREG(status->st_mode) ? 0 : -ENODEV;
}

/* Opens one descriptor of the file; a new one or -errno. */
static int open_regular(const char *path, int mode)
{
	AUTO_FD int fd = -1;
	struct stat status;
	int r;

	r = check_regular(sys_result(stat(path, &status)), &status);
	if (r < 0)
		return r;
	fd = sys_retry(open(path, mode | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
	if (fd < 0)
		return fd;
	r = check_regular(sys_result(fstat(fd, &status)), &status);
	return r < 0 ? r : steal_fd(&fd);
}

static int data_file_add(struct data_file *file, const char *path, int mode)
{
	int fd = open_regular(path, mode);

	if (fd < 0)
		return fd;
	file->fds[file->nfds++] = fd;
	return 0;
}

static int data_file_open(struct vmsect_client *client, const struct vmsect_create_options *options,
			  struct data_file *file)
{
	int r = data_file_add(file, options->path, O_RDONLY);

	if (!r && protection_writes(options->protection))
		r = data_file_add(file, options->path, O_RDWR);
	if (r < 0)
		return client_fail(client, r, VMSECT_DETAIL_FILE, "cannot use the file '%s': %s",
				   options->path,
				   r == -ENODEV ? "it is not a regular file" : error_words(r));
	return 0;
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

static int name_copy(struct vmsect_client *client, char field[static VMSECT_NAME_MAX + 1],
		     const char *name)
{
	if (!name || !name_is_legal(name, strnlen(name, VMSECT_NAME_MAX + 1)))
		return client_fail(client, -EINVAL, VMSECT_DETAIL_NAME,
				   "that is no section name: it has 1 to %u letters, digits or "
				   "._+@:- and does not begin with . or -",
				   VMSECT_NAME_MAX);
	memcpy(field, name, strlen(name) + 1);
	return 0;
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
	create->backing = options->backing;
	create->protection = options->protection;
	create->flags = options->flags;
	create->access = options->access ? options->access : protection_access(options->protection);
	create->mode = options->mode ? options->mode : DEFAULT_MODE;
	create->page_shift = options->page_shift;
	if (options->backing == VMSECT_BACKING_HUGETLB && !create->page_shift)
		create->page_shift = HUGE_PAGE_SHIFT;
	return options->name ? name_copy(client, create->name, options->name) : 0;
}

/* The descriptor that came must fit the access, no more and no less. */
static bool handle_fd_is_right(int fd, uint32_t access)
{
	int wanted = access & VMSECT_ACCESS_WRITE ? O_RDWR : O_RDONLY;
	int flags;

	if (!(access & DATA_ACCESS))
		return fd < 0;
	if (fd < 0)
		return false;
	flags = fcntl(fd, F_GETFL);
	return flags >= 0 && (flags & O_ACCMODE) == wanted;
}

/* Turns the reply to CREATE or OPEN into a handle; takes its descriptor. */
static int handle_from_reply(struct vmsect_section *section, const struct vmsect_rep_handle *reply,
			     int fd)
{
	section->fd = fd;
	if (!reply->handle || reply->existed > 1 || !handle_fd_is_right(fd, section->access) ||
	    wire_to_section(&reply->section, &section->info) < 0)
		return client_break_protocol(section->client, "a handle that is none");
	section->handle = reply->handle;
	return (int)reply->existed;
}

/* Asks for a handle.  Returns what the call returns, or 1 if the section existed. */
static int handle_call(struct vmsect_client *client, const struct client_request *request,
		       uint32_t access, struct vmsect_section **ret_section)
{
	struct vmsect_rep_handle data;
	struct client_reply reply = { .data = &data, .size = sizeof(data), .wants_fd = true };
	struct vmsect_section *section;
	int r;

	section = calloc(1, sizeof(*section));
	if (!section)
		return client_fail(client, -ENOMEM, VMSECT_DETAIL_NONE, "no memory");
	section->client = client;
	section->access = access;
	section->fd = -1;
	r = client_call(client, request, &reply);
	if (!r)
		r = handle_from_reply(section, &data, reply.fd);
	if (r < 0) {
		fd_close(section->fd);
		free(section);
		return r;
	}
	*ret_section = section;
	return r;
}

int vmsect_section_create(struct vmsect_client *client,
			  const struct vmsect_create_options *user_options,
			  struct vmsect_section **ret_section)
{
	AUTO(data_file_deinit) struct data_file file = { .nfds = 0 };
	struct vmsect_create_options options;
	struct vmsect_req_create create = { 0 };
	struct client_request request = { VMSECT_OP_CREATE, &create.hdr, sizeof(create), NULL, 0 };
	int r;

	if (options_copy(&options, sizeof(options), user_options) < 0)
		return client_fail(client, -EINVAL, VMSECT_DETAIL_FORMAT,
				   "the options have a size that is not theirs");
	r = create_request(client, &options, &create);
	if (!r && options.path)
		r = data_file_open(client, &options, &file);
	if (r < 0)
		return r;
	request.fds = file.fds;
	request.nfds = file.nfds;
	return handle_call(client, &request, create.access, ret_section);
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
	r = handle_call(client, &request, access, ret_section);
	return r < 0 ? r : 0;
}

struct vmsect_section *vmsect_section_close(struct vmsect_section *section)
{
	struct vmsect_req_handle close = { 0 };
	struct client_request request = { VMSECT_OP_CLOSE, &close.hdr, sizeof(close), NULL, 0 };

	if (!section)
		return NULL;
	close.handle = section->handle;
	/* If the broker has gone, so has the handle. */
	if (!section->client->broken)
		(void)client_call_simple(section->client, &request);
	fd_close(section->fd);
	free(section);
	return NULL;
}

int vmsect_section_fd(const struct vmsect_section *section)
{
	return section->fd;
}

uint32_t vmsect_section_access(const struct vmsect_section *section)
{
	return section->access;
}

int vmsect_section_query(struct vmsect_section *section, struct vmsect_section_info *ret_info)
{
	struct vmsect_req_handle query = { .handle = section->handle };
	struct client_request request = { VMSECT_OP_QUERY, &query.hdr, sizeof(query), NULL, 0 };
	struct vmsect_rep_section data;
	struct client_reply reply = { .data = &data, .size = sizeof(data) };
	struct vmsect_section_info info;
	int r;

	r = client_call(section->client, &request, &reply);
	if (r < 0)
		return r;
	if (wire_to_section(&data.section, &info) < 0 || info.id != section->info.id)
		return client_break_protocol(section->client, "a section that is none");
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
