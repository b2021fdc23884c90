/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The public life of a client: connect, look at it, free it.
 *
 * vmsect_connect() tries the places where a broker may listen, in order (see
 * place.h), starts one at the place of the user if it may, and says HELLO.
 * There is no client before the broker has said who it is.
 */
#include "lib/client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/sys.h"
#include "lib/options.h"
#include "lib/place.h"
#include "lib/start.h"

_Static_assert(NAME_LENGTH_MAX == VMSECT_NAME_MAX, "names of base and of the protocol");

const char *error_words(int r)
{
	const char *words = strerrordesc_np(r < 0 ? -r : r);

	return words ? words : "unknown error";
}

int client_fail(struct vmsect_client *client, int r, uint32_t detail, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(client->error, sizeof(client->error), format, args);
	va_end(args);
	client->detail = detail;
	return r;
}

int client_break(struct vmsect_client *client, int r, const char *reason)
{
	client->broken = true;
	(void)shutdown(client->fd, SHUT_RDWR);
	return client_fail(client, r, VMSECT_DETAIL_NONE, "%s", reason);
}

int client_break_protocol(struct vmsect_client *client, const char *what)
{
	client_break(client, -EPROTO, what);
	return client_fail(client, -EPROTO, VMSECT_DETAIL_NONE,
			   "the broker broke the protocol: %s; the connection is over", what);
}

/*
 * Connects to one socket.  A full backlog makes connect() wait: no longer than
 * the send timeout.  Returns a new descriptor or -errno.
 */
static int socket_connect(const char *path)
{
	static const struct timeval timeout = { .tv_sec = CLIENT_TIMEOUT_MS / 1000 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	AUTO_FD int fd = -1;
	int r;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	fd = sys_result(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
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

static bool nobody_listens(int r)
{
	return r == -ENOENT || r == -ECONNREFUSED;
}

/* There is no broker for us at the place: none at all, or the system's, for others. */
static bool place_is_empty(const struct place *place, int r)
{
	return nobody_listens(r) || (place->kind == PLACE_SYSTEM && r == -EACCES);
}

/*
 * The first place that answers.  If none does, the result is the first error,
 * or the first that is more than that nobody listens there.
 */
static int places_connect(const struct place_list *places)
{
	int result = 0;
	size_t i;

	for (i = 0; i < places->count; i++) {
		const struct place *place = &places->places[i];
		int r = place_check(place);

		if (!r)
			r = socket_connect(place->path);
		if (r >= 0)
			return r;
		if (place_is_empty(place, r) && !nobody_listens(r))
			r = -ENOENT;
		if (!result || (nobody_listens(result) && !nobody_listens(r)))
			result = r;
	}
	return result;
}

/* Starts a broker where this user's belongs, and connects to it. */
static int start_and_connect(const struct place_list *places)
{
	const struct place *place = place_to_start(places);
	int r, started;

	r = place_prepare(place);
	if (r < 0)
		return r;
	started = broker_start(place->path);
	r = socket_connect(place->path);
	if (r < 0 && nobody_listens(r) && started < 0)
		return started;
	return r;
}

/* The program's name in the letters that names may have. */
static void default_name(char *name, size_t size)
{
	const char *from = program_invocation_short_name;
	size_t length = strnlen(from, size - 1);
	size_t i;

	memcpy(name, from, length);
	for (i = 0; i < length; i++) {
		if (!name_is_legal((const char[]){ 'n', name[i] }, 2))
			name[i] = '_';
	}
	if (name_is_legal(name, length))
		return;
	memset(name, 0, size);
	memcpy(name, "program", sizeof("program"));
}

static int client_hello(struct vmsect_client *client, const struct vmsect_connect_options *options)
{
	struct vmsect_rep_hello reply = { 0 };
	struct vmsect_req_hello hello = {
		.version = VMSECT_PROTO_VERSION,
		.kind = options->is_vm ? VMSECT_PEER_VM : VMSECT_PEER_PROCESS,
		.memory_bytes = options->is_vm ? options->memory_bytes : 0,
		.cpus = options->is_vm ? options->cpus : 0,
	};
	struct client_request request = { VMSECT_OP_HELLO, &hello.hdr, sizeof(hello), NULL, 0 };
	struct client_reply wanted = { .data = &reply, .size = sizeof(reply) };
	int r;

	if (options->name)
		memcpy(hello.name, options->name, strlen(options->name));
	else
		default_name(hello.name, sizeof(hello.name));
	r = client_call(client, &request, &wanted);
	if (r < 0)
		return r;
	if (reply.version != VMSECT_PROTO_VERSION)
		return -EPROTONOSUPPORT;
	if (!reply.peer)
		return -EPROTO;
	client->peer_id = reply.peer;
	return 0;
}

static int options_check(const struct vmsect_connect_options *options)
{
	if (options->name && !name_is_legal(options->name, strlen(options->name)))
		return -EINVAL;
	if (options->socket_path && !*options->socket_path)
		return -EINVAL;
	return 0;
}

/* A socket with a broker behind it, as the options want it. */
static int broker_reach(const struct vmsect_connect_options *options)
{
	struct place_list places;
	int r;

	r = places_find(options->socket_path, &places);
	if (r < 0)
		return r;
	r = places_connect(&places);
	if (r >= 0 || !nobody_listens(r) || options->no_start || places.from_environment)
		return r;
	return start_and_connect(&places);
}

int vmsect_connect(const struct vmsect_connect_options *user_options,
		   struct vmsect_client **ret_client)
{
	struct vmsect_connect_options options = { 0 };
	struct vmsect_client *client;
	int r;

	if (user_options) {
		r = options_copy(&options, sizeof(options), user_options);
		if (r < 0)
			return r;
	}
	r = options_check(&options);
	if (r < 0)
		return r;
	client = calloc(1, sizeof(*client));
	if (!client)
		return -ENOMEM;
	r = client->fd = broker_reach(&options);
	if (r >= 0)
		r = client_hello(client, &options);
	if (r < 0) {
		vmsect_client_free(client);
		return r;
	}
	*ret_client = client;
	return 0;
}

struct vmsect_client *vmsect_client_free(struct vmsect_client *client)
{
	if (client) {
		fd_close(client->fd);
		free(client);
	}
	return NULL;
}

int vmsect_client_report(struct vmsect_client *client,
			 const struct vmsect_vm_counters *user_counters)
{
	struct vmsect_vm_counters counters;
	struct vmsect_req_peer_stats stats = { .hdr = { 0 } };
	struct client_request request = { VMSECT_OP_PEER_STATS, &stats.hdr, sizeof(stats), NULL,
					  0 };
	int r = options_copy(&counters, sizeof(counters), user_counters);

	if (r < 0)
		return client_fail(client, r, VMSECT_DETAIL_FORMAT,
				   "the size of the counters is not one");
	stats.denied_writes = counters.denied_writes;
	stats.hole_accesses = counters.hole_accesses;
	stats.undecodable_stores = counters.undecodable_stores;
	stats.lost_pages = counters.lost_pages;
	return client_call_simple(client, &request);
}

const char *vmsect_client_error(const struct vmsect_client *client)
{
	return client->error;
}

uint32_t vmsect_client_detail(const struct vmsect_client *client)
{
	return client->detail;
}

uint32_t vmsect_client_peer_id(const struct vmsect_client *client)
{
	return client->peer_id;
}

int vmsect_client_fd(const struct vmsect_client *client)
{
	return client->fd;
}
