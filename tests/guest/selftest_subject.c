// SPDX-License-Identifier: GPL-2.0-or-later
/* What cases work on: the VM's sections, sections of their own, children. */
#include "guest/selftest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NODE_CLASS "/sys/class/vmsect/"
#define CONTROL_CLASS "/sys/class/misc/vmsect-ctl0/"

struct vmsect_section subjects[4];

int subject_open(uint32_t mode, int flags, int *ret_fd)
{
	return vmsect_guest_open(subjects[mode].name, flags, ret_fd);
}

int map_try(int fd, int prot, int flags, uint64_t offset)
{
	void *addr = mmap(NULL, PAGE, prot, flags, fd, (off_t)offset);

	if (addr == MAP_FAILED)
		return -errno;
	munmap(addr, PAGE);
	return 0;
}

int call(int fd, unsigned long command, void *arg)
{
	int result = ioctl(fd, command, arg);

	return result < 0 ? -errno : result;
}

int ctl_open(int flags)
{
	int fd;
	int err = vmsect_guest_open(VMSECT_GUEST_CTL, flags, &fd);

	return err ? err : fd;
}

int scratch_open(const struct scratch *want)
{
	struct vmsect_create create = {
		.size_bytes = want->bytes ? want->bytes : SCRATCH_BYTES,
		.max_bytes = want->max_bytes,
		.backing = want->backing ? want->backing : VMSECT_BACKING_SHMEM,
		.protection = want->protection ? want->protection : VMSECT_GUEST_PROT_READWRITE,
		.flags = want->flags,
		.access = want->access,
	};
	int ctl = ctl_open(O_RDWR), fd;

	if (ctl < 0)
		return ctl;
	if (want->name)
		snprintf(create.name, sizeof(create.name), "%s", want->name);
	fd = call(ctl, VMSECT_IOC_CREATE, &create);
	close(ctl);
	return fd == -EPERM ? -EOPNOTSUPP : fd;
}

int duplicate(int section, uint32_t access)
{
	struct vmsect_duplicate arg = { .access = access };

	return call(section, VMSECT_IOC_DUPLICATE, &arg);
}

int view_open(int section, uint64_t offset, uint64_t length, uint32_t protection)
{
	struct vmsect_view_request arg = {
		.offset = offset,
		.length = length,
		.protection = protection,
	};

	return call(section, VMSECT_IOC_VIEW, &arg);
}

int protect(int fd, uint64_t offset, uint64_t length, uint32_t protection)
{
	struct vmsect_protect arg = {
		.offset = offset,
		.length = length,
		.protection = protection,
	};

	return call(fd, VMSECT_IOC_PROTECT, &arg);
}

uint8_t *shared_map(int fd, uint64_t offset, size_t length, int prot)
{
	void *addr = mmap(NULL, length, prot, MAP_SHARED, fd, (off_t)offset);

	return addr == MAP_FAILED ? NULL : addr;
}

long long attribute_number(const char *node, const char *attribute)
{
	char path[256], text[64];
	FILE *file;
	bool got;

	snprintf(path, sizeof(path), "%s%s/%s", node ? NODE_CLASS : CONTROL_CLASS, node ? node : "",
		 attribute);
	file = fopen(path, "re");
	if (!file)
		return -1;
	got = fgets(text, sizeof(text), file) != NULL;
	fclose(file);
	return got ? strtoll(text, NULL, 10) : -1;
}

pid_t child_start(int (*step)(void *), void *context)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(step(context));
	return pid;
}

int child_status(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int in_child(int (*step)(void *), void *context)
{
	return child_status(child_start(step, context));
}

int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int descriptors_open(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	if (!dir)
		return -errno;
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}
