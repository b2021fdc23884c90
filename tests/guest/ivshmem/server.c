// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ivshmem-server: a server of the ivshmem protocol, version 0, for the bed that has
 * QEMU's own devices and nothing of ours on the host.
 *
 *     ivshmem-server SOCKET FILE VECTORS
 *
 * It gives FILE to each client, and numbers them from 1.  It is a peer itself, number
 * 4000: whoever rings it has all clients rung on the same vector.  It says
 * "listening", "joined ID", "left ID" and "rung VECTOR COUNT", a line each, and ends
 * with its standard input.  One thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS_MAX 8
#define VECTORS_MAX 64
#define OWN_ID 4000
#define MEMORY (-1)

/* A peer's eventfds, which ring it. */
struct bells {
	int fd[VECTORS_MAX];
};

struct client {
	int64_t id; /* 0: no client */
	int socket;
	struct bells bells;
};

static struct server {
	int listener;
	int memory;
	unsigned int vectors;
	int64_t last_id;
	struct bells bells;
	struct client clients[CLIENTS_MAX];
} server;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* One message: eight bytes, little endian, and a descriptor or none (-1). */
static bool message_send(int socket, int64_t value, int fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec data = { .iov_base = &value, .iov_len = sizeof(value) };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };

	if (fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	return sendmsg(socket, &message, MSG_NOSIGNAL) == sizeof(value);
}

static bool bells_send(int socket, int64_t id, const struct bells *bells)
{
	bool sent = true;

	for (unsigned int i = 0; sent && i < server.vectors; i++)
		sent = message_send(socket, id, bells->fd[i]);
	return sent;
}

static void bells_make(struct bells *bells)
{
	for (unsigned int i = 0; i < server.vectors; i++) {
		bells->fd[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (bells->fd[i] < 0)
			die("eventfd");
	}
}

static void bell_ring(const struct bells *bells, unsigned int vector)
{
	const uint64_t one = 1;

	if (write(bells->fd[vector], &one, sizeof(one)) != sizeof(one))
		die("ring");
}

static void client_leave(struct client *client)
{
	const int64_t id = client->id;

	for (unsigned int i = 0; i < server.vectors; i++)
		close(client->bells.fd[i]);
	close(client->socket);
	client->id = 0;
	printf("left %" PRId64 "\n", id);
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (server.clients[i].id)
			(void)message_send(server.clients[i].socket, id, -1);
}

/* In the protocol's order: version, ID, memory, the others, itself. */
static bool client_greet(struct client *client)
{
	bool sent = message_send(client->socket, 0, -1) &&
		    message_send(client->socket, client->id, -1) &&
		    message_send(client->socket, MEMORY, server.memory) &&
		    bells_send(client->socket, OWN_ID, &server.bells);

	for (size_t i = 0; sent && i < CLIENTS_MAX; i++) {
		struct client *other = &server.clients[i];

		if (!other->id || other == client)
			continue;
		sent = bells_send(client->socket, other->id, &other->bells);
		(void)bells_send(other->socket, client->id, &client->bells);
	}
	return sent && bells_send(client->socket, client->id, &client->bells);
}

static void client_join(int socket)
{
	struct client *client = server.clients;

	while (client < server.clients + CLIENTS_MAX && client->id)
		client++;
	if (client == server.clients + CLIENTS_MAX) {
		close(socket);
		return;
	}
	client->socket = socket;
	client->id = ++server.last_id;
	bells_make(&client->bells);
	printf("joined %" PRId64 "\n", client->id);
	if (!client_greet(client))
		client_leave(client);
}

static void server_rung(unsigned int vector)
{
	uint64_t count;

	if (read(server.bells.fd[vector], &count, sizeof(count)) != sizeof(count))
		die("read a bell");
	printf("rung %u %" PRIu64 "\n", vector, count);
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (server.clients[i].id)
			bell_ring(&server.clients[i].bells, vector);
}

static void server_listen(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		die(path);
	}
	memcpy(address.sun_path, path, strlen(path));
	server.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (server.listener < 0 ||
	    bind(server.listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(server.listener, CLIENTS_MAX) < 0)
		die(path);
	printf("listening\n");
}

/* Standard input, listener, clients, bells; unused places are ignored by poll. */
#define POLL_LISTENER 1
#define POLL_CLIENTS 2
#define POLL_BELLS (POLL_CLIENTS + CLIENTS_MAX)
#define POLL_COUNT (POLL_BELLS + VECTORS_MAX)

static void polls_fill(struct pollfd *polls)
{
	for (size_t i = 0; i < POLL_COUNT; i++)
		polls[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
	polls[0].fd = STDIN_FILENO;
	polls[POLL_LISTENER].fd = server.listener;
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (server.clients[i].id)
			polls[POLL_CLIENTS + i].fd = server.clients[i].socket;
	for (unsigned int i = 0; i < server.vectors; i++)
		polls[POLL_BELLS + i].fd = server.bells.fd[i];
}

static void server_turn(const struct pollfd *polls)
{
	/* A client has nothing to say: a byte or an end are the end. */
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (polls[POLL_CLIENTS + i].revents)
			client_leave(&server.clients[i]);
	for (unsigned int i = 0; i < server.vectors; i++)
		if (polls[POLL_BELLS + i].revents)
			server_rung(i);
	if (polls[POLL_LISTENER].revents) {
		int socket = accept4(server.listener, NULL, NULL, SOCK_CLOEXEC);

		if (socket >= 0)
			client_join(socket);
	}
}

int main(int argc, char **argv)
{
	struct pollfd polls[POLL_COUNT];

	server.vectors = argc == 4 ? (unsigned int)strtoul(argv[3], NULL, 10) : 0;
	if (!server.vectors || server.vectors > VECTORS_MAX) {
		(void)fputs("usage: ivshmem-server SOCKET FILE VECTORS\n", stderr);
		return 2;
	}
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	server.memory = open(argv[2], O_RDWR | O_CLOEXEC);
	if (server.memory < 0)
		die(argv[2]);
	bells_make(&server.bells);
	server_listen(argv[1]);
	for (;;) {
		polls_fill(polls);
		if (poll(polls, POLL_COUNT, -1) < 0)
			die("poll");
		if (polls[0].revents)
			return 0;
		server_turn(polls);
	}
}
