/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See bells.h. */
#include "broker/bells.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"

#define RINGS_AT_ONCE 64u /* completions that are kept until they are looked at */

int bells_init(struct bells *bells, uint32_t count)
{
	int fd;

	*bells = (struct bells){ 0 };
	while (bells->count < count) {
		fd = sys_result(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
		if (fd < 0) {
			bells_deinit(bells);
			return fd;
		}
		bells->fds[bells->count++] = fd;
	}
	return 0;
}

void bells_deinit(struct bells *bells)
{
	while (bells->count)
		fd_close(bells->fds[--bells->count]);
}

uint64_t bell_read(int fd)
{
	uint64_t count = 0;
	struct iovec iov = { .iov_base = &count, .iov_len = sizeof(count) };

	return sys_retry(preadv2(fd, &iov, 1, -1, RWF_NOWAIT)) == sizeof(count) ? count : 0;
}

void ringer_clear(struct ringer *ringer)
{
	*ringer = (struct ringer){ .null_fd = -1 };
}

int ringer_prepare(struct ringer *ringer)
{
	aio_context_t context = 0;
	int r;

	if (ringer->context)
		return 0;
	if (ringer->null_fd < 0)
		ringer->null_fd = sys_retry(open("/dev/null", O_RDONLY | O_CLOEXEC));
	if (ringer->null_fd < 0)
		return ringer->null_fd;
	r = (int)sys_result(syscall(SYS_io_setup, RINGS_AT_ONCE, &context));
	if (!r)
		ringer->context = context;
	return r;
}

void ringer_deinit(struct ringer *ringer)
{
	if (ringer->context)
		(void)syscall(SYS_io_destroy, (aio_context_t)ringer->context);
	fd_close(ringer->null_fd);
	ringer_clear(ringer);
}

/* Completions are of no interest, but their room is. */
static void forget_completions(struct ringer *ringer)
{
	struct io_event events[RINGS_AT_ONCE];
	struct timespec now = { 0 };

	(void)sys_retry(syscall(SYS_io_getevents, (aio_context_t)ringer->context, 0L,
				(long)RINGS_AT_ONCE, events, &now));
}

/* 1 or -errno. */
static long submit(struct ringer *ringer, int fd)
{
	char nothing;
	struct iocb read = {
		.aio_lio_opcode = IOCB_CMD_PREAD,
		.aio_fildes = (uint32_t)ringer->null_fd,
		.aio_buf = (uintptr_t)&nothing,
		.aio_nbytes = sizeof(nothing),
		.aio_flags = IOCB_FLAG_RESFD,
		.aio_resfd = (uint32_t)fd,
	};
	struct iocb *reads[] = { &read };

	return sys_retry(syscall(SYS_io_submit, (aio_context_t)ringer->context, 1L, reads));
}

int ringer_ring(struct ringer *ringer, int fd)
{
	long r = ringer_prepare(ringer);

	if (r < 0)
		return (int)r;
	r = submit(ringer, fd);
	if (r == -EAGAIN) {
		forget_completions(ringer);
		r = submit(ringer, fd);
	}
	return r < 0 ? (int)r : 0;
}
