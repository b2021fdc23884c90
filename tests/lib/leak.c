/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See leak.h. */
#include "lib/leak.h"

#include "lib/check.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FDS_MAX 1024

struct leak_guard {
	unsigned char open[FDS_MAX];
	size_t threads;
};

/* Calls `entry` for each number that names an entry of the folder; returns how many. */
static size_t for_numbers(const char *path, void (*entry)(long number, void *arg), void *arg)
{
	DIR *dir = opendir(path);
	const struct dirent *item;
	size_t count = 0;

	assert_non_null(dir);
	while ((item = readdir(dir))) {
		char *end;
		long number = strtol(item->d_name, &end, 10);

		if (*end || end == item->d_name)
			continue;
		count++;
		if (entry)
			entry(number, arg);
	}
	(void)closedir(dir);
	return count;
}

static void note(long fd, void *arg)
{
	struct leak_guard *guard = arg;

	if (fd < FDS_MAX)
		guard->open[fd] = 1;
}

/* The descriptor that was used for looking is gone by now. */
static void forget_closed(struct leak_guard *guard)
{
	int fd;

	for (fd = 0; fd < FDS_MAX; fd++) {
		if (guard->open[fd] && fcntl(fd, F_GETFD) < 0)
			guard->open[fd] = 0;
	}
}

static void take(struct leak_guard *guard)
{
	memset(guard, 0, sizeof(*guard));
	(void)for_numbers("/proc/self/fd", note, guard);
	forget_closed(guard);
	guard->threads = leak_count_threads(getpid());
}

struct leak_guard *leak_guard_new(void)
{
	struct leak_guard *guard = malloc(sizeof(*guard));

	assert_non_null(guard);
	take(guard);
	return guard;
}

static void print_fd(int fd)
{
	char link[64], target[PATH_MAX];
	ssize_t length;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, target, sizeof(target) - 1);
	target[length < 0 ? 0 : length] = '\0';
	print_error("descriptor %d is open: %s\n", fd, target);
}

void leak_guard_check(struct leak_guard *guard)
{
	struct leak_guard now;
	size_t threads;
	int fd, differences = 0;

	if (!guard)
		return;
	take(&now);
	for (fd = 0; fd < FDS_MAX; fd++) {
		if (now.open[fd] == guard->open[fd])
			continue;
		differences++;
		if (now.open[fd])
			print_fd(fd);
		else
			print_error("descriptor %d is not open any more\n", fd);
	}
	threads = guard->threads;
	free(guard);
	assert_int_equal(differences, 0);
	assert_int_equal(now.threads, threads);
}

int leak_setup(void **state)
{
	*state = leak_guard_new();
	return 0;
}

int leak_teardown(void **state)
{
	leak_guard_check(*state);
	*state = NULL;
	return 0;
}

size_t leak_count_fds(pid_t pid)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	return for_numbers(path, NULL, NULL);
}

size_t leak_count_threads(pid_t pid)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/task", pid);
	return for_numbers(path, NULL, NULL);
}
