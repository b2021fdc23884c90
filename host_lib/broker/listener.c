/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See listener.h. */
#include "broker/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/sys.h"

#define BACKLOG 1024
#define SYSTEM_GROUP "kvm" /* may use the system's broker */

enum lock_byte {
	LOCK_LIFE = 0,
	LOCK_CHANGE = 1, /* starting or ending */
};

_Static_assert(sizeof(((struct listener *)0)->path) == sizeof(((struct sockaddr_un *)0)->sun_path),
	       "a path that fits one fits the other");

void listener_clear(struct listener *listener)
{
	*listener = (struct listener){ .fd = -1, .lock_fd = -1 };
}

static int set_lock(int fd, int command, short type, enum lock_byte byte)
{
	struct flock lock = {
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = byte,
		.l_len = 1,
	};

	return sys_retry(fcntl(fd, command, &lock));
}

static int lock_open(const char *path)
{
	char lock_path[sizeof(((struct listener *)0)->path) + sizeof(".lock")];

	(void)snprintf(lock_path, sizeof(lock_path), "%s.lock", path);
	return sys_result(
		open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
}

/* Takes both bytes.  LISTENER_E_LIVE: another broker serves the path. */
static int lock_take(int fd)
{
	int r = set_lock(fd, F_OFD_SETLKW, F_WRLCK, LOCK_CHANGE);

	if (r < 0)
		return r;
	r = set_lock(fd, F_OFD_SETLK, F_WRLCK, LOCK_LIFE);
	return r == -EAGAIN || r == -EACCES ? LISTENER_E_LIVE : r;
}

static int address_of(const char *path, struct sockaddr_un *ret_address)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path)) {
		log_error("%s: a socket path has at most %zu bytes", path,
			  sizeof(address.sun_path) - 1);
		return -ENAMETOOLONG;
	}
	memcpy(address.sun_path, path, strlen(path));
	*ret_address = address;
	return 0;
}

static int new_socket(void)
{
	return sys_result(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

/* Removes a socket file that no one serves; anything else is left alone. */
static int remove_stale(const struct sockaddr_un *address)
{
	AUTO_FD int fd = -1;
	struct stat st;
	int r;

	if (lstat(address->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode)) {
		log_error("%s: exists and is no socket", address->sun_path);
		return -EEXIST;
	}
	fd = new_socket();
	if (fd < 0)
		return fd;
	r = sys_result(connect(fd, (const struct sockaddr *)address, sizeof(*address)));
	if (r == -ECONNREFUSED)
		return sys_result(unlink(address->sun_path));
	log_error("%s: served by another program", address->sun_path);
	return -EADDRINUSE;
}

/* The system's broker is for the group of those who may use KVM. */
static int open_to_group(const char *path)
{
	const struct group *group = getgrnam(SYSTEM_GROUP);
	int r;

	if (!group) {
		log_info("no group '%s': only root may connect", SYSTEM_GROUP);
		return 0;
	}
	r = sys_result(chown(path, 0, group->gr_gid));
	return r < 0 ? r : sys_result(chmod(path, 0660));
}

/* Bound with mode 0600 and not connectable before listen(). */
static int bind_and_listen(int fd, const struct sockaddr_un *address)
{
	mode_t mask = umask(0177);
	int r = sys_result(bind(fd, (const struct sockaddr *)address, sizeof(*address)));

	(void)umask(mask);
	if (r < 0)
		return r;
	if (geteuid() == 0)
		r = open_to_group(address->sun_path);
	if (r >= 0)
		r = sys_result(listen(fd, BACKLOG));
	if (r < 0)
		(void)unlink(address->sun_path);
	return r;
}

static int listen_at(const struct sockaddr_un *address)
{
	AUTO_FD int fd = -1;
	int r = remove_stale(address);

	if (r < 0)
		return r;
	fd = new_socket();
	if (fd < 0)
		return fd;
	r = bind_and_listen(fd, address);
	return r < 0 ? r : steal_fd(&fd);
}

int listener_init(struct listener *listener, const char *path)
{
	AUTO_FD int lock_fd = -1;
	struct sockaddr_un address;
	int fd, r;

	r = address_of(path, &address);
	if (r < 0)
		return r;
	lock_fd = lock_open(path);
	r = lock_fd < 0 ? lock_fd : lock_take(lock_fd);
	if (r < 0)
		log_error("%s.lock: %s", path, strerror(-r));
	if (r)
		return r;
	fd = listen_at(&address);
	if (fd < 0) {
		log_error("%s: %s", path, strerror(-fd));
		return fd;
	}
	(void)set_lock(lock_fd, F_OFD_SETLK, F_UNLCK, LOCK_CHANGE);
	listener->fd = fd;
	listener->lock_fd = steal_fd(&lock_fd);
	memcpy(listener->path, address.sun_path, sizeof(listener->path));
	return 0;
}

static int socket_option(int fd, int option)
{
	socklen_t size = sizeof(int);
	int value = -1;

	return getsockopt(fd, SOL_SOCKET, option, &value, &size) < 0 ? -1 : value;
}

int listener_init_take_fd(struct listener *listener, int fd)
{
	int flags;

	if (socket_option(fd, SO_DOMAIN) != AF_UNIX ||
	    socket_option(fd, SO_TYPE) != SOCK_SEQPACKET || socket_option(fd, SO_ACCEPTCONN) != 1) {
		log_error("the socket that was passed does not listen for AF_UNIX SOCK_SEQPACKET");
		return -EINVAL;
	}
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	listener_clear(listener);
	listener->fd = fd;
	return 0;
}

int listener_path(const struct listener *listener, char *path, size_t room)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t size = sizeof(address);
	int r = sys_result(getsockname(listener->fd, (struct sockaddr *)&address, &size));

	if (r < 0)
		return r;
	/* An abstract address begins with a zero, and is empty here. */
	(void)snprintf(path, room, "%.*s", (int)sizeof(address.sun_path), address.sun_path);
	return 0;
}

int listener_accept(const struct listener *listener)
{
	return sys_retry(accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
}

/*
 * The change lock keeps a new broker from starting while it is decided.  A
 * client that connects between the look and the end of the socket sees its
 * connection end before HELLO is answered, and tries again.
 */
bool listener_retire(struct listener *listener)
{
	struct pollfd pending = { .fd = listener->fd, .events = POLLIN };

	if (listener->lock_fd >= 0 &&
	    set_lock(listener->lock_fd, F_OFD_SETLKW, F_WRLCK, LOCK_CHANGE) < 0)
		return false;
	if (sys_retry(poll(&pending, 1, 0)) == 0) {
		listener_deinit(listener);
		return true;
	}
	if (listener->lock_fd >= 0)
		(void)set_lock(listener->lock_fd, F_OFD_SETLK, F_UNLCK, LOCK_CHANGE);
	return false;
}

void listener_deinit(struct listener *listener)
{
	/* Whoever starts now finds this broker gone, not going. */
	if (listener->lock_fd >= 0)
		(void)set_lock(listener->lock_fd, F_OFD_SETLKW, F_WRLCK, LOCK_CHANGE);
	if (listener->path[0])
		(void)unlink(listener->path);
	fd_close(listener->fd);
	fd_close(listener->lock_fd); /* both locks end here */
	listener_clear(listener);
}
