/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See pmem_sync.h. */
#include "dev/pmem_sync.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"

struct pmem_sync {
	/* Constant. */
	const struct pmem_sync_calls *calls;
	int fd; /* owned */
	int done_fd; /* owned eventfd */
	uint64_t bytes;
	pthread_t thread;
	bool started; /* the thread */

	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t wake;
	bool stop;
	bool wanted; /* not begun yet */
	bool done; /* and not taken yet */
	int result;
};

const struct pmem_sync_calls pmem_sync_system = {
	.fdatasync = fdatasync,
	.fstat = fstat,
};

/*
 * A file that was truncated has lost what lay behind its end, even if all that
 * is left could be written.
 */
static int sync_file(const struct pmem_sync *sync)
{
	struct stat status;
	int result = sys_retry(sync->calls->fdatasync(sync->fd));

	if (result < 0)
		return result;
	result = sys_result(sync->calls->fstat(sync->fd, &status));
	if (result < 0)
		return result;
	return (uint64_t)status.st_size < sync->bytes ? -ENXIO : 0;
}

static void *work(void *argument)
{
	struct pmem_sync *sync = argument;

	(void)pthread_mutex_lock(&sync->lock);
	while (!sync->stop) {
		int result;

		if (!sync->wanted) {
			(void)pthread_cond_wait(&sync->wake, &sync->lock);
			continue;
		}
		sync->wanted = false;
		(void)pthread_mutex_unlock(&sync->lock);
		result = sync_file(sync);
		(void)pthread_mutex_lock(&sync->lock);
		sync->result = result;
		sync->done = true;
		(void)eventfd_write(sync->done_fd, 1);
	}
	(void)pthread_mutex_unlock(&sync->lock);
	return NULL;
}

/* fsync(2) asks for no right to write, so reading is enough. */
static int open_again(int fd)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return sys_retry(open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY));
}

static int setup(struct pmem_sync *sync, int fd)
{
	int result;

	sync->fd = open_again(fd);
	if (sync->fd < 0)
		return sync->fd;
	sync->done_fd = sys_result(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	if (sync->done_fd < 0)
		return sync->done_fd;
	result = -pthread_create(&sync->thread, NULL, work, sync);
	if (result < 0)
		return result;
	sync->started = true;
	(void)pthread_setname_np(sync->thread, "pmem-sync");
	return 0;
}

int pmem_sync_new(int fd, uint64_t bytes, const struct pmem_sync_calls *calls,
		  struct pmem_sync **ret_sync)
{
	struct pmem_sync *sync = calloc(1, sizeof(*sync));
	int result;

	if (!sync)
		return -ENOMEM;
	sync->calls = calls;
	sync->bytes = bytes;
	sync->fd = sync->done_fd = -1;
	/* Of glibc, with default attributes, these two cannot fail. */
	(void)pthread_mutex_init(&sync->lock, NULL);
	(void)pthread_cond_init(&sync->wake, NULL);
	result = setup(sync, fd);
	if (result < 0) {
		(void)pmem_sync_free(sync);
		return result;
	}
	*ret_sync = sync;
	return 0;
}

struct pmem_sync *pmem_sync_free(struct pmem_sync *sync)
{
	if (!sync)
		return NULL;
	if (sync->started) {
		(void)pthread_mutex_lock(&sync->lock);
		sync->stop = true;
		(void)pthread_cond_signal(&sync->wake);
		(void)pthread_mutex_unlock(&sync->lock);
		(void)pthread_join(sync->thread, NULL);
	}
	(void)pthread_cond_destroy(&sync->wake);
	(void)pthread_mutex_destroy(&sync->lock);
	(void)fd_close(sync->done_fd);
	(void)fd_close(sync->fd);
	free(sync);
	return NULL;
}

int pmem_sync_fd(const struct pmem_sync *sync)
{
	return sync->done_fd;
}

void pmem_sync_start(struct pmem_sync *sync)
{
	(void)pthread_mutex_lock(&sync->lock);
	sync->wanted = true;
	(void)pthread_cond_signal(&sync->wake);
	(void)pthread_mutex_unlock(&sync->lock);
}

bool pmem_sync_take(struct pmem_sync *sync, int *ret_result)
{
	eventfd_t count;
	bool done;

	/* The note goes first: what ends from here on makes a new one. */
	(void)eventfd_read(sync->done_fd, &count);
	(void)pthread_mutex_lock(&sync->lock);
	done = sync->done;
	sync->done = false;
	if (done)
		*ret_result = sync->result;
	(void)pthread_mutex_unlock(&sync->lock);
	return done;
}
