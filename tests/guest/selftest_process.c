// SPDX-License-Identifier: GPL-2.0-or-later
/* Descriptors and mappings over fork, exec, SCM_RIGHTS and the death of processes. */
#include "guest/selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define RW VMSECT_GUEST_PROT_READWRITE
#define MAP_RW (PROT_READ | PROT_WRITE)

static int child_writes(void *context)
{
	return pwrite(*(int *)context, "child", 5, 0) == 5 ? 0 : 1;
}

static void descriptors_over_fork(void)
{
	int section = scratch_open(&(struct scratch){ 0 }), view;
	char text[6] = { 0 };

	NEED_FD(section);
	view = view_open(section, PAGE, 0, RW);
	NEED_FD(view);
	EXPECT_EQ(in_child(child_writes, &view), 0);
	EXPECT_EQ(pread(section, text, 5, PAGE), 5);
	EXPECT(!strcmp(text, "child"));
	close(view);
	close(section);
}

struct hand_over {
	int section;
	int ready[2], go[2];
};

/* Keeps a mapping after the parent has closed all; then proves that it is whole. */
static int child_keeps(void *context)
{
	struct hand_over *over = context;
	uint8_t *map = shared_map(over->section, 0, PAGE, MAP_RW);
	char byte = 0;

	if (!map)
		return 1;
	close(over->section);
	map[0] = 'k';
	if (write(over->ready[1], "r", 1) != 1 || read(over->go[0], &byte, 1) != 1)
		return 2;
	return map[0] == 'k' ? 0 : 3;
}

static void mapping_in_child_alone(void)
{
	struct hand_over over = { .section = scratch_open(&(struct scratch){ 0 }) };
	char byte;
	pid_t pid;

	NEED_FD(over.section);
	NEED_EQ(pipe(over.ready), 0);
	NEED_EQ(pipe(over.go), 0);
	pid = child_start(child_keeps, &over);
	EXPECT_EQ(read(over.ready[0], &byte, 1), 1);
	close(over.section);
	EXPECT_EQ(write(over.go[1], "g", 1), 1);
	EXPECT_EQ(child_status(pid), 0);
	close(over.ready[0]);
	close(over.ready[1]);
	close(over.go[0]);
	close(over.go[1]);
}

/* Dies with a view, a mapping and an event descriptor in hand. */
static int child_dies(void *context)
{
	struct vmsect_events_request events = { 0 };
	int section = *(int *)context;
	int view = view_open(section, 0, 0, RW);
	uint8_t *map = view < 0 ? NULL : shared_map(view, 0, PAGE, MAP_RW);

	if (!map || call(section, VMSECT_IOC_EVENTS, &events) < 0)
		return 1;
	map[1] = 'd';
	return raise(SIGKILL);
}

static void killed_processes(void)
{
	int section = scratch_open(&(struct scratch){ 0 }), i;
	uint8_t byte = 0;

	NEED_FD(section);
	for (i = 0; i < 20; i++)
		EXPECT_EQ(in_child(child_dies, &section), -SIGKILL);
	EXPECT_EQ(pread(section, &byte, 1, 1), 1);
	EXPECT_EQ(byte, 'd');
	close(section);
}

static int fd_send(int socket, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 'f';
	struct iovec vec = { &byte, 1 };
	struct msghdr message = { .msg_iov = &vec,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return sendmsg(socket, &message, 0) == 1 ? 0 : -errno;
}

static int fd_receive(int socket)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte;
	struct iovec vec = { &byte, 1 };
	struct msghdr message = { .msg_iov = &vec,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	const struct cmsghdr *header;
	int fd;

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1)
		return -errno;
	header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_type != SCM_RIGHTS)
		return -ENOMSG;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

/* An anonymous section is handed on so; in flight it is nobody's but the socket's. */
static void passed_in_a_socket(void)
{
	int section = scratch_open(&(struct scratch){ 0 }), sockets[2], got;
	uint8_t byte = 0;

	NEED_FD(section);
	NEED_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	EXPECT_EQ(pwrite(section, "f", 1, 7), 1);
	NEED_EQ(fd_send(sockets[0], section), 0);
	close(section);
	got = fd_receive(sockets[1]);
	NEED_FD(got);
	EXPECT_EQ(pread(got, &byte, 1, 7), 1);
	EXPECT_EQ(byte, 'f');
	close(got);
	close(sockets[0]);
	close(sockets[1]);
}

/* What is closed by nobody's hand: a socket that dies with a descriptor in it. */
static void lost_in_a_socket(void)
{
	int section = scratch_open(&(struct scratch){ 0 }), sockets[2];

	NEED_FD(section);
	NEED_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	NEED_EQ(fd_send(sockets[0], section), 0);
	close(section);
	close(sockets[0]);
	close(sockets[1]);
	/* The driver still answers. */
	section = scratch_open(&(struct scratch){ 0 });
	NEED_FD(section);
	close(section);
}

static int child_uses_one(void *context)
{
	int section = *(int *)context, i;

	for (i = 0; i < 5; i++) {
		int view = view_open(section, (uint64_t)(i % 8) * PAGE, PAGE, RW);
		uint8_t *map;

		if (view < 0)
			return 1;
		map = shared_map(view, 0, PAGE, MAP_RW);
		close(view);
		if (!map)
			return 2;
		map[getpid() % PAGE] = 1;
		munmap(map, PAGE);
	}
	return 0;
}

static void many_processes(void)
{
	enum { PROCESSES = 24 };
	int section = scratch_open(&(struct scratch){ 0 }), i;
	pid_t pids[PROCESSES];

	NEED_FD(section);
	for (i = 0; i < PROCESSES; i++)
		pids[i] = child_start(child_uses_one, &section);
	for (i = 0; i < PROCESSES; i++)
		EXPECT_EQ(child_status(pids[i]), 0);
	close(section);
}

static const struct tap_case cases[] = {
	{ "descriptors over fork", descriptors_over_fork },
	{ "a child's mapping keeps the section", mapping_in_child_alone },
	{ "processes that are killed", killed_processes },
	{ "a section that is passed in a socket", passed_in_a_socket },
	{ "a section that is lost in a socket", lost_in_a_socket },
	{ "many processes", many_processes },
};

const struct tap_group group_process = TAP_GROUP("process", cases);
