/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Real QEMUs, with their guests stopped, as members of doorbells: they take what
 * they are told, are listed, are rung, and are gone when they are killed.  The
 * server is here in the test; the broker's sockets have tests of their own.
 */
#include "unit/broker/doorbell_bed.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/un.h>
#include <sys/wait.h>

#define QEMU "/usr/bin/qemu-system-x86_64"
#define BYTES (1u << 20)
#define VECTORS 2u

struct server {
	struct bed *bed;
	struct section *section;
	struct event *acceptable;
	char path[64];
	int fd;
};

static void on_acceptable(evutil_socket_t fd, short what, void *arg)
{
	struct server *server = arg;
	int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)what;
	assert_true(client >= 0);
	assert_int_equal(doorbell_accept_take_fd(server->bed->doorbells, server->section, client),
			 0);
}

static void server_init(struct server *server, struct bed *bed)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	*server = (struct server){ .bed = bed, .section = bed_section(bed, "q", BYTES) };
	assert_int_equal(doorbells_hold(bed->doorbells, server->section, VECTORS, &bed->refusal),
			 0);
	(void)snprintf(server->path, sizeof(server->path), "/tmp/vmsect-doorbell-%d", getpid());
	memcpy(address.sun_path, server->path, sizeof(server->path));
	server->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(
		sys_result(bind(server->fd, (const struct sockaddr *)&address, sizeof(address))),
		0);
	assert_int_equal(listen(server->fd, 8), 0);
	server->acceptable =
		event_new(bed->base, server->fd, EV_READ | EV_PERSIST, on_acceptable, server);
	assert_int_equal(event_add(server->acceptable, NULL), 0);
}

static void server_deinit(struct server *server)
{
	event_free(server->acceptable);
	fd_close(server->fd);
	(void)unlink(server->path);
}

static pid_t start_qemu(const struct server *server)
{
	char chardev[128];
	pid_t pid;

	(void)snprintf(chardev, sizeof(chardev), "socket,id=c0,path=%s", server->path);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		execl(QEMU, QEMU, "-accel", "tcg", "-M", "pc", "-nodefaults", "-display", "none",
		      "-monitor", "none", "-S", "-m", "32", "-chardev", chardev, "-device",
		      "ivshmem-doorbell,chardev=c0,vectors=2", (char *)NULL);
		_exit(127);
	}
	return pid;
}

/* Until all streams are empty on our side and QEMU's: it has taken all. */
static void wait_for_members(struct bed *bed, uint64_t joined)
{
	while (bed->stats.joined < joined ||
	       account_used(&bed->registry.account, BED_OWNER, RESOURCE_QUEUE))
		assert_true(event_base_loop(bed->base, EVLOOP_ONCE) >= 0);
}

static void notify(struct bed *bed, const struct section *section)
{
	struct registry_event event = {
		.type = VMSECT_WIRE_EVENT_NOTIFIED,
		.section = section->id,
		.value = 1,
		.length = 1,
	};
	struct attachment *to;

	TAILQ_FOREACH (to, &section->attachments, of_section)
		bed->registry.tell(bed, to->party, &event);
}

static void test_come_and_go(void **state)
{
	struct bed *bed = bed_new(1, 600000);
	struct handle *handle = NULL;
	struct server server;
	struct party *party;
	pid_t first, second;

	(void)state;
	if (access(QEMU, X_OK) < 0) {
		bed_free(bed);
		skip();
		return;
	}
	server_init(&server, bed);
	first = start_qemu(&server);
	wait_for_members(bed, 1);
	party = registry_find_party(&bed->registry, 2);
	assert_int_equal(party->subject.pid, first);
	assert_memory_equal(party->name, "qemu-system-x86", 15);
	assert_int_equal(TAILQ_FIRST(&server.section->views)->length, BYTES);
	second = start_qemu(&server);
	wait_for_members(bed, 2);
	/* A native peer comes, rings all, and goes. */
	assert_int_equal(
		party_open(&bed->owner, server.section, ACCESS_ALL, &handle, &bed->refusal), 0);
	bed_on_unit(bed);
	notify(bed, server.section);
	assert_int_equal(bed->stats.to_members, 2);
	wait_for_members(bed, 2);
	registry_close(&bed->registry, handle);
	bed_on_unit(bed);
	wait_for_members(bed, 2);
	assert_int_equal(kill(first, SIGKILL), 0);
	while (!bed->stats.ended[DOORBELL_END_CLOSED])
		assert_true(event_base_loop(bed->base, EVLOOP_ONCE) >= 0);
	assert_null(registry_find_party(&bed->registry, 2));
	wait_for_members(bed, 2);
	/* The other lives, and nothing that it was told has driven it away. */
	assert_int_equal(waitpid(second, NULL, WNOHANG), 0);
	assert_int_equal(server.section->view_count, 1);
	assert_int_equal(kill(second, SIGKILL), 0);
	while (bed->stats.ended[DOORBELL_END_CLOSED] < 2)
		assert_true(event_base_loop(bed->base, EVLOOP_ONCE) >= 0);
	assert_int_equal(waitpid(first, NULL, 0), first);
	assert_int_equal(waitpid(second, NULL, 0), second);
	assert_int_equal(server.section->handle_count, 0);
	server_deinit(&server);
	bed_free(bed);
}

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(test_come_and_go) };

	(void)alarm(120);
	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests_name("doorbell_qemu", tests, NULL, NULL);
}
