// SPDX-License-Identifier: GPL-2.0-or-later
#include "guest/fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "vmsect_ioctl.h"

static atomic_int fds[FUZZ_FDS];
static const char *const *names;
static size_t name_count;

const char *fuzz_name_any(struct chance *chance)
{
	static const char *const strange[] = {
		"", "ctl", "ctl1", "..", ".", "no-such-section", "fuzz0", "fuzz1", "a/b", "-x",
	};
	const uint32_t count = sizeof(strange) / sizeof(strange[0]);

	if (name_count && chance_below(chance, 4))
		return names[chance_below(chance, (uint32_t)name_count)];
	return strange[chance_below(chance, count)];
}

int fuzz_node_open(const char *name, int flags)
{
	char path[VMSECT_GUEST_NAME_MAX + sizeof("/dev/vmsect/")];

	snprintf(path, sizeof(path), "/dev/vmsect/%s", name);
	return open(path, flags | O_CLOEXEC | O_NONBLOCK);
}

int fuzz_fd_any(struct chance *chance)
{
	return atomic_load(&fds[chance_below(chance, FUZZ_FDS)]);
}

/* Standard descriptors are never here, so nothing closes them. */
static void fds_set(uint32_t place, int fd)
{
	int old = atomic_exchange(&fds[place], fd);

	if (old >= 0)
		close(old);
}

void fuzz_fd_put(struct chance *chance, int fd)
{
	if (fd < 0)
		return;
	/* A read of events must not wait for one. */
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	fds_set(chance_below(chance, FUZZ_FDS), fd);
}

void fuzz_fds_close_some(struct chance *chance, uint32_t count)
{
	while (count--)
		fds_set(chance_below(chance, FUZZ_FDS), -1);
}

void fuzz_fds_close_all(void)
{
	uint32_t i;

	for (i = 0; i < FUZZ_FDS; i++)
		fds_set(i, -1);
}

void fuzz_fds_init(const char *const *section_names, size_t count)
{
	uint32_t at = 0, i;
	int ends[2];

	names = section_names;
	name_count = count;
	for (i = 0; i < FUZZ_FDS; i++)
		atomic_init(&fds[i], -1);
	for (i = 0; i < 4; i++)
		fds_set(at++, fuzz_node_open("ctl", i % 2 ? O_RDONLY : O_RDWR));
	for (i = 0; i < count; i++) {
		fds_set(at++, fuzz_node_open(names[i], O_RDWR));
		fds_set(at++, fuzz_node_open(names[i], O_RDONLY));
	}
	if (!pipe2(ends, O_NONBLOCK | O_CLOEXEC)) {
		fds_set(at++, ends[0]);
		fds_set(at++, ends[1]);
	}
	fds_set(at++, open("/dev/null", O_RDWR | O_CLOEXEC));
	fds_set(at++, open("/dev/zero", O_RDWR | O_CLOEXEC));
	fds_set(at, eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
}
