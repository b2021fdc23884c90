/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The public life of a client: connect, look at it, free it.
 *
 * There is no client before the broker has said who it is; link.h makes the
 * connection and keeps it.
 */
#include "lib/client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "lib/options.h"

#define RECONNECT_MS 5000

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

int client_break_protocol(struct vmsect_client *client, const char *what)
{
	link_close(client);
	return client_fail(client, -EPROTO, VMSECT_DETAIL_NONE,
			   "the broker broke the protocol: %s; the connection is over", what);
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

/* Who we are, for HELLO. */
static void hello_fill(struct vmsect_req_hello *hello, const struct vmsect_connect_options *options)
{
	hello->version = VMSECT_PROTO_VERSION;
	hello->kind = options->is_vm ? VMSECT_PEER_VM : VMSECT_PEER_PROCESS;
	hello->memory_bytes = options->is_vm ? options->memory_bytes : 0;
	hello->cpus = options->is_vm ? options->cpus : 0;
	if (options->name)
		memcpy(hello->name, options->name, strlen(options->name));
	else
		default_name(hello->name, sizeof(hello->name));
}

static int options_check(struct vmsect_client *client, const struct vmsect_connect_options *options)
{
	if (options->name && !name_is_legal(options->name, strlen(options->name)))
		return client_fail(
			client, -EINVAL, VMSECT_DETAIL_NAME,
			"that is no name for a client: it has 1 to %u letters, digits or "
			"._+@:- and does not begin with . or -",
			VMSECT_NAME_MAX);
	if (options->socket_path && !*options->socket_path)
		return client_fail(client, -EINVAL, VMSECT_DETAIL_NONE,
				   "the path of the broker's socket is empty");
	if (options->reconnect_ms < -1)
		return client_fail(client, -EINVAL, VMSECT_DETAIL_NONE,
				   "that is no time to wait for a new broker");
	return 0;
}

static int client_init(struct vmsect_client *client, const struct vmsect_connect_options *options)
{
	int r = options_check(client, options);

	if (r < 0)
		return r;
	client->reconnect_ms = options->reconnect_ms ? options->reconnect_ms : RECONNECT_MS;
	if (options->reconnect_ms < 0)
		client->reconnect_ms = 0;
	hello_fill(&client->link.hello, options);
	return link_init(client, options);
}

/* A client without a connection, which can be freed. */
static struct vmsect_client *client_new(void)
{
	struct vmsect_client *client = calloc(1, sizeof(*client));

	if (!client)
		return NULL;
	TAILQ_INIT(&client->objects);
	pending_init(client);
	link_prepare(&client->link);
	return client;
}

/* The sentence for a caller who gets no client. */
static void tell_error(const struct vmsect_connect_options *options, const char *error)
{
	if (options->error && options->error_room)
		(void)snprintf(options->error, options->error_room, "%s", error);
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
	client = client_new();
	if (!client) {
		tell_error(&options, "no memory");
		return -ENOMEM;
	}
	r = client_init(client, &options);
	if (r < 0) {
		tell_error(&options, client->error);
		vmsect_client_free(client);
		return r;
	}
	*ret_client = client;
	return 0;
}

struct vmsect_client *vmsect_client_free(struct vmsect_client *client)
{
	if (client) {
		link_deinit(client);
		pending_deinit(client);
		explicit_bzero(client->link.token, sizeof(client->link.token));
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
	return client->link.poller.epoll_fd;
}
