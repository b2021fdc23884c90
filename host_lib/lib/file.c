/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Data files as such: what sections they have, and changes that respect them.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "lib/client.h"
#include "lib/data_file.h"

static int file_call(struct vmsect_client *client, enum vmsect_file_action action, int fd,
		     uint64_t size_bytes, struct vmsect_rep_file *ret_file)
{
	struct vmsect_req_file file = { .action = action, .size_bytes = size_bytes };
	struct client_request request = { VMSECT_OP_FILE, &file.hdr, sizeof(file), &fd, 1 };
	struct client_reply reply = { .data = ret_file, .size = sizeof(*ret_file) };

	return client_call(client, &request, &reply);
}

int vmsect_file_query(struct vmsect_client *client, const char *path,
		      struct vmsect_file_info *ret_info)
{
	AUTO_FD int fd = data_file_open(client, path, O_RDONLY);
	struct vmsect_rep_file file;
	int r;

	if (fd < 0)
		return fd;
	r = file_call(client, VMSECT_FILE_QUERY, fd, 0, &file);
	if (r < 0)
		return r;
	*ret_info = (struct vmsect_file_info){
		.size_bytes = file.size_bytes,
		.sections = file.sections,
		.handles = file.handles,
		.views = file.views,
		.writers = file.writers,
	};
	return 0;
}

int vmsect_file_truncate(struct vmsect_client *client, const char *path, uint64_t size_bytes)
{
	AUTO_FD int fd = data_file_open(client, path, O_RDWR);
	struct vmsect_rep_file file;

	if (fd < 0)
		return fd;
	return file_call(client, VMSECT_FILE_TRUNCATE, fd, size_bytes, &file);
}

/* The folder of a path, and the name in it (in `path`, which is changed). */
static int open_folder(char path[static PATH_MAX], const char **ret_name)
{
	char copy[PATH_MAX];

	memcpy(copy, path, PATH_MAX);
	*ret_name = basename(path);
	return sys_retry(open(dirname(copy), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

/*
 * Unlinks the name if it still is of the file that the broker was asked about.
 * Between looking and unlinking another file can take the name, and a section
 * of the file can be made after the broker has agreed: Linux has no call that
 * would unlink by descriptor.  The second is harmless, as the inode lives on;
 * the first is as with every rm.
 */
static int unlink_same(const char *path, int fd)
{
	AUTO_FD int folder = -1;
	struct stat named, asked;
	char copy[PATH_MAX] = "";
	const char *name;
	int r;

	memcpy(copy, path, strlen(path) + 1);
	folder = open_folder(copy, &name);
	if (folder < 0)
		return folder;
	r = sys_result(fstat(fd, &asked));
	if (!r)
		r = sys_result(fstatat(folder, name, &named, AT_SYMLINK_NOFOLLOW));
	if (!r && S_ISLNK(named.st_mode))
		return -ELOOP;
	if (!r && (named.st_dev != asked.st_dev || named.st_ino != asked.st_ino))
		return -ENOENT;
	return r < 0 ? r : sys_result(unlinkat(folder, name, 0));
}

int vmsect_file_remove(struct vmsect_client *client, const char *path)
{
	AUTO_FD int fd = data_file_open(client, path, O_RDONLY);
	struct vmsect_rep_file file;
	int r;

	if (fd < 0)
		return fd;
	if (strlen(path) >= PATH_MAX)
		return client_fail(client, -ENAMETOOLONG, VMSECT_DETAIL_FILE,
				   "the path is too long");
	r = file_call(client, VMSECT_FILE_REMOVE, fd, 0, &file);
	if (r < 0)
		return r;
	r = unlink_same(path, fd);
	if (r < 0)
		return client_fail(client, r, VMSECT_DETAIL_FILE, "cannot remove '%s': %s", path,
				   r == -ELOOP ? "it is a link" : error_words(r));
	return 0;
}
