/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See bed.h.
 */
#include "kvm/bed.h"

#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kvm/vm_fixture.h"

#define SKIPPED 77
#define COUNTERS_MS 3000 /* a VMM reports once a second */
#define ASK_MS 20
#define CLI_BYTES 65536u
#define CLI_WORDS_MAX 12

int bed_begin(unsigned int seconds)
{
	AUTO_FD int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		(void)printf("1..0 # SKIP /dev/kvm: %s\n", strerror(errno));
		return SKIPPED;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	(void)alarm(seconds);
	return 0;
}

void bed_need_huge_pages(struct bed *bed, long pages)
{
	if (!huge_pages_take(&bed->huge, pages))
		skip();
}

size_t bed_count_views(struct bed *bed, const char *vm_name)
{
	AUTO_FREE struct vmsect_view_info *list = NULL;
	size_t count = 0;
	size_t found = 0;
	int r = vmsect_list_views(bed->client, 0, &list, &count);

	if (r < 0)
		fail_msg("list views: %s", vmsect_client_error(bed->client));
	for (size_t i = 0; i < count; i++)
		if (list[i].peer_is_vm && (!vm_name || !strcmp(list[i].peer_name, vm_name)))
			found++;
	return found;
}

static int connect_client(struct bed *bed)
{
	const struct vmsect_connect_options options = {
		.size = sizeof(options),
		.socket_path = bed->broker.socket_path,
		.name = "kvm-bed",
		.no_start = 1,
	};

	return vmsect_connect(&options, &bed->client);
}

int bed_setup(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	assert_non_null(bed);
	*state = bed;
	bed->huge = (struct huge_pages)HUGE_PAGES_NONE;
	broker_fixture_init(&bed->broker);
	broker_fixture_start(&bed->broker, NULL);
	fixture_program("vmsect-vmm", bed->vmm_path, sizeof(bed->vmm_path));
	fixture_program("../kvm/agent.elf", bed->agent_path, sizeof(bed->agent_path));
	assert_int_equal(connect_client(bed), 0);
	return 0;
}

static void show_broker_log(const struct bed *bed)
{
	AUTO_FREE char *log = broker_fixture_log(&bed->broker);

	print_message("log of vmsectd:\n%s\n", log);
}

int bed_teardown(void **state)
{
	struct bed *bed = *state;

	if (getenv("KVM_SHOW_LOG"))
		show_broker_log(bed);
	while (bed->vms) {
		struct vm_fixture *vm = bed->vms;

		bed->vms = vm->next;
		vm_free(vm);
	}
	for (size_t i = 0; i < bed->sections; i++)
		bed_section_deinit(&bed->section[i]);
	vmsect_client_free(bed->client);
	/* Pages that are still in use leave the pool when they are freed. */
	huge_pages_give_back(&bed->huge);
	broker_fixture_deinit(&bed->broker);
	free(bed);
	*state = NULL;
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool bed_wait_event(struct bed *bed, enum vmsect_event_type type, int limit_ms)
{
	struct pollfd poll_fd = { .fd = vmsect_client_fd(bed->client), .events = POLLIN };
	int64_t until = now_ms() + limit_ms;
	struct vmsect_event event;

	for (;;) {
		int64_t left = until - now_ms();

		while (vmsect_client_next_event(bed->client, &event) == 1)
			if (event.type == type)
				return true;
		if (left <= 0)
			return false;
		(void)poll(&poll_fd, 1, (int)left);
	}
}

/* Also false if there is no such VM. */
static bool find_vm(struct bed *bed, const char *name, struct vmsect_peer_info *ret_peer)
{
	AUTO_FREE struct vmsect_peer_info *list = NULL;
	size_t count = 0;

	assert_int_equal(vmsect_list_peers(bed->client, &list, &count), 0);
	for (size_t i = 0; i < count; i++) {
		if (list[i].is_vm && !strcmp(list[i].name, name)) {
			*ret_peer = list[i];
			return true;
		}
	}
	return false;
}

bool bed_wait_counters(struct bed *bed, const char *vm_name, const struct vmsect_vm_counters *least,
		       struct vmsect_peer_info *ret_peer)
{
	struct pollfd poll_fd = { .fd = vmsect_client_fd(bed->client), .events = POLLIN };
	int64_t until = now_ms() + COUNTERS_MS;

	/* The broker has no event for this: its list is asked again and again. */
	do {
		if (!find_vm(bed, vm_name, ret_peer))
			return false;
		if (ret_peer->denied_writes >= least->denied_writes &&
		    ret_peer->hole_accesses >= least->hole_accesses &&
		    ret_peer->undecodable_stores >= least->undecodable_stores &&
		    ret_peer->lost_pages >= least->lost_pages)
			return true;
		(void)poll(&poll_fd, 1, ASK_MS);
	} while (now_ms() < until);
	return false;
}

/* In the child: never returns. */
static void run_cli(const struct bed *bed, const char *const *words, int out_fd)
{
	const char *argv[CLI_WORDS_MAX + 4] = { "vmsect", "--socket", bed->broker.socket_path };
	union {
		const char **in;
		char **out;
	} arguments = { .in = argv };
	char program[256];

	fixture_program("vmsect", program, sizeof(program));
	for (size_t i = 0; i < CLI_WORDS_MAX && words[i]; i++)
		argv[3 + i] = words[i];
	if (dup2(out_fd, STDOUT_FILENO) >= 0)
		(void)execv(program, arguments.out);
	_exit(127);
}

char *bed_run_cli(struct bed *bed, const char *const *words)
{
	char *text = calloc(1, CLI_BYTES + 1);
	size_t used = 0;
	int pipe_fd[2];
	ssize_t got;
	pid_t pid;

	assert_non_null(text);
	assert_int_equal(pipe2(pipe_fd, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0)
		run_cli(bed, words, pipe_fd[1]);
	(void)close(pipe_fd[1]);
	while (used < CLI_BYTES && (got = read(pipe_fd[0], text + used, CLI_BYTES - used)) > 0)
		used += (size_t)got;
	(void)close(pipe_fd[0]);
	assert_true(pid > 0);
	assert_int_equal(fixture_wait(pid), 0);
	return text;
}
