/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See reach.h. */
#include "lib/reach.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <vmsect/vmsect.h>
#include "base/cleanup.h"
#include "base/sys.h"
#include "lib/start.h"

bool reach_is_nobody(int r)
{
	return r == -ENOENT || r == -ECONNREFUSED;
}

/*
 * Connects to one socket.  A full backlog makes connect() wait: no longer than
 * the send timeout.  Returns a new descriptor or -errno.
 */
static int socket_connect(const char *path, int flags)
{
	static const struct timeval timeout = { .tv_sec = REACH_TIMEOUT_MS / 1000 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	AUTO_FD int fd = -1;
	int r;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	fd = sys_result(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0));
	if (fd < 0)
		return fd;
	r = sys_result(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)));
	if (r < 0)
		return r;
	r = sys_retry(connect(fd, (const struct sockaddr *)&address, sizeof(address)));
	if (r < 0)
		return r == -EAGAIN ? -ETIMEDOUT : r;
	return steal_fd(&fd);
}

int reach_again(const struct place *place)
{
	int r = place_check(place);

	return r < 0 ? r : socket_connect(place->path, SOCK_NONBLOCK);
}

/* What an errno of one place means, as a sentence. */
static void say(char *error, size_t room, const struct place *place, int r)
{
	const char *words = strerrordesc_np(-r);

	if (reach_is_nobody(r))
		(void)snprintf(error, room, "no broker listens at '%s'", place->path);
	else if (r == -ETIMEDOUT)
		(void)snprintf(error, room, "the broker at '%s' takes no connection", place->path);
	else if (r == -EACCES && place->kind == PLACE_USER)
		(void)snprintf(error, room,
			       "the folder of '%s' is another user's, or others may write in it",
			       place->path);
	else
		(void)snprintf(error, room, "cannot connect to the broker at '%s': %s", place->path,
			       words ? words : "unknown error");
}

/* There is no broker for us at the place: none at all, or the system's, for others. */
static bool place_is_empty(const struct place *place, int r)
{
	return reach_is_nobody(r) || (place->kind == PLACE_SYSTEM && r == -EACCES);
}

static int place_try(const struct place *place)
{
	int r = place_check(place);

	if (!r)
		r = socket_connect(place->path, 0);
	return r < 0 && place_is_empty(place, r) && !reach_is_nobody(r) ? -ENOENT : r;
}

/*
 * The first place that answers.  If none does, the result is the first error,
 * or the first that is more than that nobody listens there.
 */
static int places_connect(const struct place_list *places, struct place *ret_place, char *error,
			  size_t room)
{
	int result = 0;
	size_t i;

	for (i = 0; i < places->count; i++) {
		int r = place_try(&places->places[i]);

		if (r >= 0) {
			*ret_place = places->places[i];
			return r;
		}
		if (result && !(reach_is_nobody(result) && !reach_is_nobody(r)))
			continue;
		result = r;
		say(error, room, &places->places[i], r);
	}
	return result;
}

/* Starts a broker where this user's belongs, and connects to it. */
static int start_and_connect(const struct place *place, char *error, size_t room)
{
	int r, started;

	r = place_prepare(place);
	if (r < 0) {
		say(error, room, place, r);
		return r;
	}
	started = broker_start(place->path);
	r = socket_connect(place->path, 0);
	if (r < 0)
		say(error, room, place, r);
	if (r < 0 && reach_is_nobody(r) && started < 0) {
		(void)snprintf(error, room, "no broker listens at '%s', and %s", place->path,
			       started == -ENOENT ? "there is no vmsectd to start"
						  : "vmsectd could not be started");
		return started;
	}
	return r;
}

int reach_broker(const struct vmsect_connect_options *options, struct reached *ret_reached,
		 char *error, size_t room)
{
	struct place place;
	struct place_list places;
	bool may_start;
	int r;

	r = places_find(options->socket_path, &places);
	if (r < 0) {
		(void)snprintf(error, room, "the path of the broker's socket is too long");
		return r;
	}
	may_start = !options->no_start && !places.from_environment;
	r = places_connect(&places, &place, error, room);
	if (r < 0 && reach_is_nobody(r) && may_start) {
		place = *place_to_start(&places);
		r = start_and_connect(&place, error, room);
	}
	if (r < 0)
		return r;
	ret_reached->place = place;
	ret_reached->may_start = may_start && !strcmp(place.path, place_to_start(&places)->path);
	return r;
}
