// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The steps of vmsect-ioctl-fuzz.  None of them can be expected to succeed, and
 * none may wait: descriptors do not block, poll has no time.
 */
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest/fuzz.h"

#define CHILD_STEPS 20

static void step_open(struct fuzz_thread *t)
{
	static const int flags[] = { O_RDONLY,		O_RDWR,
				     O_WRONLY,		O_RDWR | O_TRUNC,
				     O_RDONLY | O_PATH, O_RDWR | O_APPEND };
	int how = flags[chance_below(&t->chance, 6)];

	fuzz_fd_put(&t->chance, fuzz_node_open(fuzz_name_any(&t->chance), how));
}

static void step_command(struct fuzz_thread *t)
{
	const struct fuzz_command *command =
		&fuzz_commands[chance_below(&t->chance, (uint32_t)fuzz_command_count)];
	void *argument = fuzz_argument(t, command);
	int got;

	atomic_store(&t->doing, command->name);
	got = ioctl(fuzz_fd_any(&t->chance), command->number, argument);
	if (command->gives_fd)
		fuzz_fd_put(&t->chance, got);
}

/* A command that is one but for its number, its size or its direction. */
static void step_strange_command(struct fuzz_thread *t)
{
	const struct fuzz_command *command =
		&fuzz_commands[chance_below(&t->chance, (uint32_t)fuzz_command_count)];
	unsigned long number = command->number ^ 1ul << chance_below(&t->chance, 32);
	void *argument = fuzz_argument(t, command);

	/* What a flipped bit makes of a command is none that returns a descriptor: sizes differ. */
	ioctl(fuzz_fd_any(&t->chance), number, argument);
}

static void step_duplicate(struct fuzz_thread *t)
{
	fuzz_fd_put(&t->chance, fcntl(fuzz_fd_any(&t->chance), F_DUPFD_CLOEXEC, 3));
}

static void step_close(struct fuzz_thread *t)
{
	fuzz_fds_close_some(&t->chance, 1 + chance_below(&t->chance, 3));
}

/* Memory for transfers: our own, or a mapping of a section. */
static struct iovec buffer_any(struct fuzz_thread *t)
{
	const struct fuzz_map *map = chance_below(&t->chance, 2) ? fuzz_map_any(t) : NULL;

	if (!map)
		return (struct iovec){ t->argument, chance_below(&t->chance, FUZZ_ARGUMENT_MAX) };
	return (struct iovec){ map->addr, chance_below(&t->chance, (uint32_t)map->length) };
}

static ssize_t transfer(struct fuzz_thread *t, const struct iovec *vec)
{
	int fd = fuzz_fd_any(&t->chance);
	off_t offset = (off_t)fuzz_number(&t->chance);

	switch (chance_below(&t->chance, 4)) {
	case 0:
		return preadv2(fd, vec, 1, offset, 0);
	case 1:
		return pwritev2(fd, vec, 1, offset, 0);
	case 2:
		return readv(fd, vec, 1);
	default:
		return writev(fd, vec, 1);
	}
}

static void step_transfer(struct fuzz_thread *t)
{
	struct iovec vec = buffer_any(t);

	transfer(t, &vec);
}

static void step_splice(struct fuzz_thread *t)
{
	size_t length = chance_below(&t->chance, 1 << 16);

	splice(fuzz_fd_any(&t->chance), NULL, fuzz_fd_any(&t->chance), NULL, length,
	       SPLICE_F_NONBLOCK);
}

static void step_file(struct fuzz_thread *t)
{
	off_t offset = (off_t)fuzz_number(&t->chance);
	int fd = fuzz_fd_any(&t->chance);

	switch (chance_below(&t->chance, 5)) {
	case 0:
		lseek(fd, offset, (int)chance_below(&t->chance, 6));
		break;
	case 1:
		chance_below(&t->chance, 2) ? fsync(fd) : fdatasync(fd);
		break;
	case 2:
		fallocate(fd, (int)chance_below(&t->chance, 4), offset,
			  (off_t)fuzz_number(&t->chance));
		break;
	case 3:
		posix_fadvise(fd, offset, 0, (int)chance_below(&t->chance, 6));
		break;
	default:
		poll(&(struct pollfd){ .fd = fd, .events = POLLIN | POLLOUT }, 1, 0);
	}
}

/* A child has all descriptors and mappings once more, uses them and dies. */
static void step_fork(struct fuzz_thread *t)
{
	pid_t child;
	int i;

	if (chance_below(&t->chance, 8))
		return;
	child = fork();
	if (!child) {
		for (i = 0; i < CHILD_STEPS; i++)
			fuzz_step(t);
		_exit(0);
	}
	if (child > 0)
		waitpid(child, NULL, 0);
}

static const struct {
	const char *name;
	void (*step)(struct fuzz_thread *t);
	uint32_t weight;
} steps[] = {
	{ "open", step_open, 2 },
	{ "ioctl", step_command, 16 },
	{ "strange ioctl", step_strange_command, 1 },
	{ "mmap", fuzz_step_map, 4 },
	{ "touch", fuzz_step_touch, 4 },
	{ "reshape", fuzz_step_reshape, 2 },
	{ "munmap", fuzz_step_unmap, 1 },
	{ "dup", step_duplicate, 1 },
	{ "close", step_close, 2 },
	{ "read or write", step_transfer, 3 },
	{ "splice", step_splice, 1 },
	{ "file operation", step_file, 2 },
	{ "fork", step_fork, 1 },
};
#define WEIGHT 40

void fuzz_step(struct fuzz_thread *t)
{
	uint32_t at = chance_below(&t->chance, WEIGHT), i;

	for (i = 0; at >= steps[i].weight; i++)
		at -= steps[i].weight;
	atomic_store(&t->doing, steps[i].name);
	steps[i].step(t);
	atomic_fetch_add(&t->steps, 1);
}
