/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See client_fixture.h. */
#include "lib/client_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

#define TEST_SECONDS 60
#define ARGUMENTS_MAX 32

const char *box_path(const struct box *box, const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", box->broker.folder, name);
	return path;
}

int box_setup_without_broker(void **state)
{
	struct box *box = calloc(1, sizeof(*box));

	assert_non_null(box);
	alarm(TEST_SECONDS);
	broker_fixture_init(&box->broker);
	*state = box;
	return 0;
}

int box_setup(void **state)
{
	struct box *box;

	box_setup_without_broker(state);
	box = *state;
	broker_fixture_start(&box->broker, NULL);
	return 0;
}

int box_teardown(void **state)
{
	struct box *box = *state;

	broker_fixture_deinit(&box->broker);
	free(box);
	alarm(0);
	return 0;
}

struct vmsect_client *box_connect(struct box *box, const char *name)
{
	struct vmsect_connect_options options = {
		.size = sizeof(options),
		.socket_path = box->broker.socket_path,
		.name = name,
		.no_start = 1,
	};
	struct vmsect_client *client = NULL;

	assert_int_equal(vmsect_connect(&options, &client), 0);
	assert_non_null(client);
	return client;
}

struct vmsect_section *box_create(struct vmsect_client *client,
				  const struct vmsect_create_options *options)
{
	struct vmsect_section *section = NULL;
	int r = vmsect_section_create(client, options, &section);

	if (r < 0)
		fail_msg("create: %s", vmsect_client_error(client));
	assert_non_null(section);
	return section;
}

struct vmsect_section *box_section(struct vmsect_client *client, const char *name, uint64_t bytes)
{
	struct vmsect_create_options options = {
		.size = sizeof(options),
		.name = name,
		.backing = VMSECT_BACKING_SHMEM,
		.protection = VMSECT_PROT_READWRITE,
		.size_bytes = bytes,
	};

	return box_create(client, &options);
}

struct vmsect_section *box_file_section(struct box *box, struct vmsect_client *client,
					const char *name, uint64_t bytes)
{
	struct vmsect_create_options options = {
		.size = sizeof(options),
		.name = name,
		.backing = VMSECT_BACKING_FILE,
		.protection = VMSECT_PROT_READWRITE,
		.path = box_path(box, name),
	};

	box_write_file(box, name, bytes);
	return box_create(client, &options);
}

struct vmsect_view *box_map(struct vmsect_section *section, enum vmsect_protection protection)
{
	struct vmsect_map_options options = { .size = sizeof(options), .protection = protection };
	struct vmsect_view *view = NULL;

	assert_int_equal(vmsect_view_map(section, &options, &view), 0);
	assert_non_null(view);
	return view;
}

int box_try_map(struct vmsect_section *section, enum vmsect_protection protection)
{
	struct vmsect_map_options options = { .size = sizeof(options), .protection = protection };
	struct vmsect_view *poison = (void *)&options;
	struct vmsect_view *view = poison;
	int r = vmsect_view_map(section, &options, &view);

	if (r < 0)
		assert_ptr_equal(view, poison);
	else
		vmsect_view_unmap(view);
	return r;
}

unsigned char box_byte(uint64_t offset)
{
	return (unsigned char)((offset / 4096 + offset) % 251);
}

void box_write_file(const struct box *box, const char *name, uint64_t bytes)
{
	FILE *file = fopen(box_path(box, name), "we");
	uint64_t i;

	assert_non_null(file);
	for (i = 0; i < bytes; i++)
		(void)fputc(box_byte(i), file);
	assert_int_equal(fclose(file), 0);
}

/* One pipe of a program, and where its text goes. */
struct stream {
	int fd; /* owned; -1: at its end */
	char *text;
	size_t length;
};

/* Takes what there is; false at the end. */
static bool stream_read(struct stream *stream)
{
	ssize_t got = read(stream->fd, stream->text + stream->length,
			   BOX_OUTPUT_MAX - 1 - stream->length);

	assert_true(got >= 0);
	stream->length += (size_t)got;
	stream->text[stream->length] = 0;
	if (got)
		return true;
	stream->fd = fd_close(stream->fd);
	return false;
}

/* Reads both until they end. */
static void drain(struct stream streams[2])
{
	int open = 2, i;

	while (open) {
		struct pollfd polls[2] = { { streams[0].fd, POLLIN, 0 },
					   { streams[1].fd, POLLIN, 0 } };

		assert_true(poll(polls, 2, -1) > 0 || errno == EINTR);
		for (i = 0; i < 2; i++) {
			if (polls[i].revents && !stream_read(&streams[i]))
				open--;
		}
	}
}

/* In the child: becomes the program. */
static _Noreturn void run_program(const struct box *box, char **argv, int out, int err)
{
	if (dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0 ||
	    setenv("VMSECT_SOCKET", box->broker.socket_path, 0) < 0)
		_exit(126);
	(void)execv(argv[0], argv);
	_exit(127);
}

int box_run_words(struct box *box, const char *const *words)
{
	struct stream streams[2] = { { -1, box->out, 0 }, { -1, box->err, 0 } };
	char *argv[ARGUMENTS_MAX] = { NULL };
	int out[2], err[2], status, i;
	char path[PATH_MAX];
	pid_t pid;

	if (**words == '/')
		(void)snprintf(path, sizeof(path), "%s", *words);
	else
		fixture_program(*words, path, sizeof(path));
	assert_return_code(pipe2(out, O_CLOEXEC), errno);
	assert_return_code(pipe2(err, O_CLOEXEC), errno);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		argv[0] = path;
		for (i = 1; i < ARGUMENTS_MAX - 1 && words[i]; i++)
			argv[i] = strdup(words[i]);
		run_program(box, argv, out[1], err[1]);
	}
	close(out[1]);
	close(err[1]);
	streams[0].fd = out[0];
	streams[1].fd = err[0];
	drain(streams);
	status = fixture_wait(pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

int box_load(const volatile unsigned char *address)
{
	unsigned char byte = 0;
	struct iovec to = { &byte, 1 };
	struct iovec from = { (void *)(uintptr_t)address, 1 };

	return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == 1 ? byte : -errno;
}

int box_store(volatile unsigned char *address, unsigned char byte)
{
	struct iovec from = { &byte, 1 };
	struct iovec to = { (void *)(uintptr_t)address, 1 };

	return process_vm_writev(getpid(), &from, 1, &to, 1, 0) == 1 ? 0 : -errno;
}

struct vmsect_event box_wait_event_of(struct vmsect_client *client, enum vmsect_event_type type)
{
	struct vmsect_event event;

	do
		event = box_wait_event(client);
	while (event.type != type);
	return event;
}

struct vmsect_event box_wait_event(struct vmsect_client *client)
{
	struct pollfd poll_fd = { .fd = vmsect_client_fd(client), .events = POLLIN };
	struct vmsect_event event;
	int r;

	while (!(r = vmsect_client_next_event(client, &event)))
		assert_true(poll(&poll_fd, 1, -1) > 0 || errno == EINTR);
	assert_int_equal(r, 1);
	return event;
}
