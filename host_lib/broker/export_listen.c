/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See export_listen.h. */
#include "broker/export_listen.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/event.h"
#include "base/log.h"
#include "base/sys.h"
#include "broker/doorbell.h"
#include "broker/export_owner.h"

#define FOLDER "doorbell"
#define FOLDER_MODE 0711 /* others pass through, and need the name */
#define BACKLOG 64
#define ACCEPT_AGAIN_MS 200u /* after an accept that failed */

struct export_listener {
	struct doorbells *doorbells; /* borrowed, as is the next */
	struct section *section;
	uint64_t section_id;
	int fd; /* owned, or -1 */
	struct event *acceptable; /* owned */
	struct event *again; /* owned; timer */
	bool is_held; /* the doorbells' vectors */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* empty: not bound */
};

/* Ours, and nobody else's to change. */
static int make_folder(const char *path)
{
	struct stat st;

	if (mkdir(path, FOLDER_MODE) < 0 && errno != EEXIST)
		return -errno;
	if (lstat(path, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH))
		return -EPERM;
	return sys_result(chmod(path, FOLDER_MODE)); /* whatever the umask was */
}

static int find_place(const struct export_host *host, const struct section *section, char *path,
		      size_t room)
{
	char folder[sizeof(((struct export_listener *)0)->path)];
	int length;

	if (!host->runtime_dir)
		return -EOPNOTSUPP;
	length = snprintf(folder, sizeof(folder), "%s/" FOLDER, host->runtime_dir);
	if (length < 0 || (size_t)length >= sizeof(folder))
		return -ENAMETOOLONG;
	length = snprintf(path, room, "%s/%s", folder, section->name);
	if (length < 0 || (size_t)length >= room)
		return -ENAMETOOLONG;
	return make_folder(folder);
}

static int refuse_place(const struct export_host *host, int status, struct refusal *refusal)
{
	switch (status) {
	case -EOPNOTSUPP:
		return refuse(refusal, status, VMSECT_DETAIL_ATTR,
			      "this broker has no folder for sockets");
	case -ENAMETOOLONG:
		return refuse(refusal, status, VMSECT_DETAIL_NAME,
			      "a socket in %s/" FOLDER " with the section's name has more than "
			      "%zu bytes",
			      host->runtime_dir, sizeof(((struct export_listener *)0)->path) - 1);
	default:
		return refuse(refusal, status, VMSECT_DETAIL_FILE, "%s/" FOLDER ": %s",
			      host->runtime_dir, strerror(-status));
	}
}

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	memcpy(address.sun_path, path, strlen(path));
	return address;
}

static int new_socket(void)
{
	return sys_result(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

/* What a broker that was killed has left; anything else is left alone.  -EEXIST. */
static int remove_stale(const char *path)
{
	const struct sockaddr_un address = address_of(path);
	AUTO_FD int fd = -1;
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = new_socket();
	if (fd < 0)
		return fd;
	if (sys_result(connect(fd, (const struct sockaddr *)&address, sizeof(address))) !=
	    -ECONNREFUSED)
		return -EEXIST;
	return sys_result(unlink(path));
}

/* Not connectable before listen(), by which time owner and mode are right. */
static int bind_it(struct export_listener *listener, const char *path)
{
	const struct sockaddr_un address = address_of(path);
	mode_t mask;
	int r = remove_stale(path);

	if (r < 0)
		return r;
	listener->fd = new_socket();
	if (listener->fd < 0)
		return listener->fd;
	mask = umask(0177);
	r = sys_result(bind(listener->fd, (const struct sockaddr *)&address, sizeof(address)));
	(void)umask(mask);
	if (!r)
		memcpy(listener->path, path, strlen(path) + 1);
	return r;
}

static void accept_later(struct export_listener *listener, int error)
{
	struct timeval period = loop_ms(ACCEPT_AGAIN_MS);

	log_warning("%s: accept: %s", listener->path, strerror(-error));
	(void)event_del(listener->acceptable);
	(void)event_add(listener->again, &period);
}

/* One a turn: what it causes may end the section's name, and with it the listener. */
static void on_acceptable(evutil_socket_t fd, short what, void *arg)
{
	struct export_listener *listener = arg;
	int connection = sys_retry(accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));

	(void)what;
	if (connection >= 0)
		(void)doorbell_accept_take_fd(listener->doorbells, listener->section, connection);
	else if (connection != -EAGAIN && connection != -ECONNABORTED)
		accept_later(listener, connection);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	struct export_listener *listener = arg;

	(void)fd;
	(void)what;
	if (event_add(listener->acceptable, NULL) < 0)
		accept_later(listener, -ENOMEM);
}

static int watch(struct export_listener *listener, struct event_base *base)
{
	listener->acceptable =
		event_new(base, listener->fd, EV_READ | EV_PERSIST, on_acceptable, listener);
	listener->again = event_new(base, -1, 0, on_again, listener);
	if (!listener->acceptable || !listener->again || event_add(listener->acceptable, NULL) < 0)
		return -ENOMEM;
	return sys_result(listen(listener->fd, BACKLOG));
}

/* Everything but the memory for it. */
static int open_at(struct export_listener *listener, const struct export_host *host,
		   const struct export_spec *spec, struct export *export, struct refusal *refusal)
{
	char path[sizeof(listener->path)];
	int r = doorbells_hold(host->doorbells, listener->section, spec->vectors, refusal);

	if (r < 0)
		return r;
	listener->is_held = true;
	r = find_place(host, listener->section, path, sizeof(path));
	if (r < 0)
		return refuse_place(host, r, refusal);
	r = bind_it(listener, path);
	if (r == -EEXIST)
		return refuse(refusal, r, VMSECT_DETAIL_NAME, "%s is there already and is in use",
			      path);
	if (r < 0)
		return refuse(refusal, r, VMSECT_DETAIL_FILE, "%s: %s", path, strerror(-r));
	r = export_owner_give(path, listener->section, spec, export, refusal);
	if (r < 0)
		return r;
	r = watch(listener, host->base);
	return r < 0 ? refuse(refusal, r, VMSECT_DETAIL_NONE, "%s: %s", path, strerror(-r)) : 0;
}

int export_listen_open(const struct export_host *host, struct section *section,
		       const struct export_spec *spec, struct export *export,
		       struct refusal *refusal)
{
	struct export_listener *listener = calloc(1, sizeof(*listener));
	int r;

	if (!listener)
		return refuse_memory(refusal);
	listener->fd = -1;
	listener->section = section;
	listener->section_id = section->id;
	listener->doorbells = host->doorbells;
	r = open_at(listener, host, spec, export, refusal);
	if (r < 0) {
		export_listen_close(listener);
		return r;
	}
	memset(export->path, 0, sizeof(export->path));
	memcpy(export->path, listener->path, strlen(listener->path));
	export->listener = listener;
	return 0;
}

/* The folder goes with the last socket in it. */
static void remove_names(char *path)
{
	char *slash = strrchr(path, '/');

	(void)unlink(path);
	*slash = '\0';
	(void)rmdir(path);
}

struct export_listener *export_listen_close(struct export_listener *listener)
{
	if (!listener)
		return NULL;
	if (listener->acceptable)
		event_free(listener->acceptable);
	if (listener->again)
		event_free(listener->again);
	if (listener->path[0])
		remove_names(listener->path);
	fd_close(listener->fd);
	if (listener->is_held)
		doorbells_release(listener->doorbells, listener->section_id);
	free(listener);
	return NULL;
}
