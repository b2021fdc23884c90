/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See script.h. */
#include "script.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vmsect/vmsect.h>

#define PAGE 4096u
#define CONNECT_MS 10000
#define CONNECT_AGAIN_MS 20
#define RW (VMSECT_ACCESS_QUERY | VMSECT_ACCESS_READ | VMSECT_ACCESS_WRITE)

/* All that a run holds; whatever is there is given back at its end. */
struct script {
	const char *folder;
	char path[128];
	struct vmsect_client *client;
	struct vmsect_section *memory;
	struct vmsect_section *copy; /* a duplicate */
	struct vmsect_section *file;
	struct vmsect_section *reserve;
	struct vmsect_view *writer;
	struct vmsect_view *copier;
	struct vmsect_view *filed;
	struct vmsect_view *reserved;
	enum script_end end;
};

/* Says which step it was; 0: go on. */
static int step(struct script *script, const char *what, int r)
{
	if (r >= 0)
		return 0;
	(void)fprintf(stderr, "script: %s: %s (%s)\n", what, strerror(-r),
		      script->client ? vmsect_client_error(script->client) : "no client");
	script->end = SCRIPT_REFUSED;
	return -1;
}

static int wrong(struct script *script, const char *what)
{
	(void)fprintf(stderr, "script: %s\n", what);
	script->end = SCRIPT_WRONG;
	return -1;
}

static int begin(struct script *script, const char *socket_path)
{
	const struct vmsect_connect_options options = {
		.size = sizeof(options),
		.socket_path = socket_path,
		.name = "script",
		.no_start = 1,
		.reconnect_ms = 10000,
	};

	int tries = CONNECT_MS / CONNECT_AGAIN_MS, r;

	/* To begin with there is nobody yet to be reconnected. */
	do
		r = vmsect_connect(&options, &script->client);
	while ((r == -ECONNREFUSED || r == -ENOENT || r == -EPIPE) && tries-- &&
	       !poll(NULL, 0, CONNECT_AGAIN_MS));
	return step(script, "connect", r);
}

static int make_file(struct script *script)
{
	int fd;

	(void)snprintf(script->path, sizeof(script->path), "%s/data", script->folder);
	fd = open(script->path, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return step(script, "make a file", -errno);
	(void)close(fd);
	return 0;
}

static int make_memory(struct script *script)
{
	struct vmsect_create_options options = {
		.size = sizeof(options),
		.name = "memory",
		.backing = VMSECT_BACKING_SHMEM,
		.protection = VMSECT_PROT_READWRITE,
		.size_bytes = 2 * PAGE,
		.max_bytes = 4 * PAGE,
		.access = RW | VMSECT_ACCESS_EXTEND | VMSECT_ACCESS_GRANT,
	};

	if (step(script, "create memory",
		 vmsect_section_create(script->client, &options, &script->memory)))
		return -1;
	options.name = "reserve";
	options.flags = VMSECT_CREATE_RESERVE;
	if (step(script, "create a reserve",
		 vmsect_section_create(script->client, &options, &script->reserve)))
		return -1;
	return step(script, "duplicate",
		    vmsect_section_duplicate(script->memory, RW, &script->copy));
}

static int make_file_section(struct script *script)
{
	const struct vmsect_create_options options = {
		.size = sizeof(options),
		.name = "file",
		.backing = VMSECT_BACKING_FILE,
		.protection = VMSECT_PROT_READWRITE,
		.size_bytes = 2 * PAGE,
		.path = script->path,
	};

	if (make_file(script))
		return -1;
	return step(script, "create of a file",
		    vmsect_section_create(script->client, &options, &script->file));
}

static int map(struct script *script, struct vmsect_section *section,
	       enum vmsect_protection protection, struct vmsect_view **ret_view)
{
	const struct vmsect_map_options options = {
		.size = sizeof(options),
		.protection = protection,
	};

	return step(script, "map", vmsect_view_map(section, &options, ret_view));
}

static int map_all(struct script *script)
{
	return map(script, script->memory, VMSECT_PROT_READWRITE, &script->writer) ||
	       map(script, script->memory, VMSECT_PROT_WRITECOPY, &script->copier) ||
	       map(script, script->file, VMSECT_PROT_READWRITE, &script->filed) ||
	       map(script, script->reserve, VMSECT_PROT_READWRITE, &script->reserved);
}

static char *bytes_of(struct vmsect_view *view)
{
	return vmsect_view_address(view);
}

static int shows(struct script *script, struct vmsect_view *view, const char *text)
{
	return memcmp(bytes_of(view), text, strlen(text)) ? wrong(script, "other bytes") : 0;
}

static int use_memory(struct script *script)
{
	uint64_t bytes = 0;

	memcpy(bytes_of(script->writer), "memory", 6);
	if (shows(script, script->copier, "memory"))
		return -1;
	memcpy(bytes_of(script->copier), "copies", 6);
	if (shows(script, script->writer, "memory"))
		return -1;
	if (step(script, "extend", vmsect_section_extend(script->memory, 3 * PAGE, &bytes)))
		return -1;
	if (bytes != 3 * PAGE)
		return wrong(script, "another size");
	if (step(script, "protect",
		 vmsect_view_protect(script->writer, 0, PAGE, VMSECT_PROT_READONLY, NULL)))
		return -1;
	if (shows(script, script->writer, "memory"))
		return -1;
	if (step(script, "publish", vmsect_view_publish(script->copier, script->copy)))
		return -1;
	return shows(script, script->writer, "copies");
}

static int use_reserve(struct script *script)
{
	if (step(script, "commit", vmsect_view_commit(script->reserved, 0, PAGE, 0)))
		return -1;
	memcpy(bytes_of(script->reserved), "here", 4);
	return shows(script, script->reserved, "here");
}

static int use_file(struct script *script)
{
	char text[5] = "";
	int fd;

	memcpy(bytes_of(script->filed), "filed", 5);
	if (step(script, "flush",
		 vmsect_section_flush(script->file, 0, 0, VMSECT_FLUSH_TO_DISK, NULL)))
		return -1;
	fd = open(script->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return step(script, "open the file", -errno);
	if (read(fd, text, sizeof(text)) != (ssize_t)sizeof(text)) {
		(void)close(fd);
		return step(script, "read the file", -EIO);
	}
	(void)close(fd);
	return memcmp(text, "filed", 5) ? wrong(script, "the file has other bytes") : 0;
}

static int give_rights(struct script *script)
{
	struct vmsect_grant grant = { .to = VMSECT_GRANT_UID,
				      .id = 12345,
				      .access = VMSECT_ACCESS_READ };
	struct vmsect_section_info info;

	if (step(script, "grant", vmsect_section_grant(script->memory, &grant, 0, NULL)))
		return -1;
	if (step(script, "query", vmsect_section_query(script->memory, &info)))
		return -1;
	if (info.grants != 1 || info.size_bytes != 3 * PAGE)
		return wrong(script, "the section is another one");
	return step(
		script, "take back",
		vmsect_section_take_back(script->memory, &grant, VMSECT_GRANT_REVOKE_LIVE, NULL));
}

static int look(struct script *script)
{
	struct vmsect_view_info *views = NULL;
	size_t count = 0;

	if (step(script, "list views", vmsect_list_views(script->client, 0, &views, &count)))
		return -1;
	free(views);
	return count == 4 ? 0 : wrong(script, "not four views");
}

static int close_early(struct script *script)
{
	script->memory = vmsect_section_close(script->memory);
	script->copy = vmsect_section_close(script->copy);
	script->copier = vmsect_view_unmap(script->copier);
	return shows(script, script->writer, "copies") || shows(script, script->reserved, "here");
}

static void give_back(struct script *script)
{
	script->reserved = vmsect_view_unmap(script->reserved);
	script->filed = vmsect_view_unmap(script->filed);
	script->copier = vmsect_view_unmap(script->copier);
	script->writer = vmsect_view_unmap(script->writer);
	script->reserve = vmsect_section_close(script->reserve);
	script->file = vmsect_section_close(script->file);
	script->copy = vmsect_section_close(script->copy);
	script->memory = vmsect_section_close(script->memory);
	script->client = vmsect_client_free(script->client);
	if (script->path[0])
		(void)unlink(script->path);
}

enum script_end script_run(const char *socket_path, const char *folder)
{
	struct script script = { .folder = folder, .end = SCRIPT_OK };

	(void)(begin(&script, socket_path) || make_memory(&script) || make_file_section(&script) ||
	       map_all(&script) || use_memory(&script) || use_reserve(&script) ||
	       use_file(&script) || give_rights(&script) || look(&script) || close_early(&script));
	give_back(&script);
	return script.end;
}
