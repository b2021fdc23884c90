// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sections under stress.  One that the host takes (revoke) goes through a short
 * time in which its pages read as all ones and the driver does not know it yet;
 * then opening the node is EACCES and its pages are SIGBUS.  So whoever finds a
 * page to be wrong asks here and waits until the driver knows, or does not.
 */
#include "guest/stress.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmsect_ioctl.h"

/* The longest time from the host's revocation to the driver's. */
#define GONE_LIMIT_MS 20000

static int node_open(const char *name, int flags)
{
	char path[VMSECT_GUEST_NAME_MAX + sizeof("/dev/vmsect/")];
	int fd;

	snprintf(path, sizeof(path), "/dev/vmsect/%s", name);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int stress_section_open(struct stress_section *section)
{
	struct vmsect_section info;
	int prot = PROT_READ;

	section->writable = true;
	section->fd = node_open(section->name, O_RDWR);
	if (section->fd == -EACCES) {
		section->writable = false;
		section->fd = node_open(section->name, O_RDONLY);
	}
	if (section->fd < 0)
		return section->fd;
	if (ioctl(section->fd, VMSECT_IOC_QUERY, &info) < 0)
		return -errno;
	section->id = info.section_id;
	section->pages = (uint32_t)(info.size_bytes / PAGE);
	if (section->pages > STRESS_PAGES_MAX)
		section->pages = STRESS_PAGES_MAX;
	if (section->writable)
		prot |= PROT_WRITE;
	section->base = mmap(NULL, (size_t)section->pages * PAGE, prot, MAP_SHARED, section->fd, 0);
	return section->base == MAP_FAILED ? -errno : 0;
}

static bool node_is_refused(const struct stress_section *section)
{
	int fd = node_open(section->name, O_RDONLY);

	if (fd >= 0)
		close(fd);
	return fd == -EACCES;
}

bool stress_section_has_gone(struct stress_section *section)
{
	int waited;

	if (!section->may_go)
		return false;
	for (waited = 0; waited < GONE_LIMIT_MS && !atomic_load(&section->gone); waited += 10) {
		if (node_is_refused(section))
			atomic_store(&section->gone, true);
		else
			poll(NULL, 0, 10);
	}
	return atomic_load(&section->gone);
}

bool stress_section_stays_gone(const struct stress_section *section)
{
	uint64_t words[PAGE_WORDS];

	if (!node_is_refused(section) || stress_page_load(section->base, words) != SIGBUS)
		return false;
	stress_page_make(&(struct stress_stamp){ .sequence = 1 }, words);
	return !section->writable || stress_page_store(section->base, words) == SIGBUS;
}
