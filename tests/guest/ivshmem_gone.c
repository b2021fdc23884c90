// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An ivshmem device that goes while programs have it mapped: its driver is unbound,
 * or the device is removed from its bus.
 */
#include "guest/ivshmem_test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define DRIVER "/sys/bus/pci/drivers/vmsect-ivshmem/"
#define BUS "/sys/bus/pci/"

/* What is held while the device goes. */
struct held {
	int fd;
	int events; /* negative: the device has no doorbell */
	uint8_t *shared;
	uint8_t *copy; /* private, with a page of its own */
};

static int sysfs_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static int unbind(void)
{
	return sysfs_write(DRIVER "unbind", subject.address);
}

static int bind(void)
{
	return sysfs_write(DRIVER "bind", subject.address);
}

static int pull(void)
{
	char path[128];

	snprintf(path, sizeof(path), BUS "devices/%s/remove", subject.address);
	return sysfs_write(path, "1");
}

static int rescan(void)
{
	return sysfs_write(BUS "rescan", "1");
}

static int hold(struct held *held)
{
	uint8_t last;

	*held = (struct held){ .fd = ivshmem_open(O_RDWR) };
	if (held->fd < 0)
		return held->fd;
	held->events = ivshmem_events(held->fd, 0);
	held->shared = shared_map(held->fd, 0, subject.bytes, PROT_READ | PROT_WRITE);
	held->copy = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, held->fd, 0);
	if (!held->shared || held->copy == MAP_FAILED)
		return -errno;
	held->copy[0] = (uint8_t)~held->copy[0];
	return tap_load(held->shared + subject.bytes - 1, &last) ? -EIO : 0;
}

static void let_go(const struct held *held)
{
	munmap(held->shared, subject.bytes);
	munmap(held->copy, PAGE);
	if (held->events >= 0)
		close(held->events);
	close(held->fd);
}

static void expect_dead_memory(const struct held *held)
{
	uint8_t value = POISON;

	EXPECT_EQ(tap_load(held->shared, &value), SIGBUS);
	EXPECT_EQ(tap_load(held->shared + subject.bytes - 1, &value), SIGBUS);
	EXPECT_EQ(tap_store(held->shared, 1), SIGBUS);
	EXPECT_EQ(tap_load(held->copy, &value), SIGBUS);
	EXPECT_EQ(value, POISON);
}

static void expect_dead_file(const struct held *held)
{
	struct pollfd polled = { .fd = held->fd, .events = POLLIN };
	struct vmsect_section info;
	uint8_t byte;

	EXPECT_EQ(vmsect_guest_query(held->fd, &info), -ENODEV);
	EXPECT_EQ(ivshmem_ring(held->fd, 1, 0), -ENODEV);
	EXPECT_EQ(ivshmem_events(held->fd, 0), -ENODEV);
	EXPECT_EQ(map_try(held->fd, PROT_READ, MAP_SHARED, 0), -ENODEV);
	EXPECT(pread(held->fd, &byte, 1, 0) < 0 && errno == ENODEV);
	EXPECT(pwrite(held->fd, &byte, 1, 0) < 0 && errno == ENODEV);
	EXPECT(fsync(held->fd) < 0 && errno == ENODEV);
	EXPECT_EQ(poll(&polled, 1, 0), 1);
	EXPECT_EQ(polled.revents, POLLERR | POLLHUP);
}

static void expect_dead_events(const struct held *held)
{
	struct vmsect_event event = { 0 };

	if (held->events < 0)
		return;
	/* A ring of an earlier case may have come before. */
	do
		NEED_EQ(vmsect_guest_read_event(held->events, &event), 0);
	while (event.type == VMSECT_EVENT_NOTIFIED);
	EXPECT_EQ(event.type, VMSECT_EVENT_GONE);
	EXPECT_EQ(vmsect_guest_read_event(held->events, &event), -ENODEV);
}

static void expect_alive(void)
{
	struct held held;

	NEED_EQ(hold(&held), 0);
	let_go(&held);
}

static void goes(int (*go)(void), int (*come)(void))
{
	struct held held;

	NEED_EQ(hold(&held), 0);
	EXPECT_EQ(held.events >= 0, subject.vectors > 0);
	NEED_EQ(go(), 0);
	EXPECT_EQ(ivshmem_open(O_RDONLY), -ENOENT);
	expect_dead_memory(&held);
	expect_dead_file(&held);
	expect_dead_events(&held);
	NEED_EQ(come(), 0);
	expect_alive();
	/* What was opened before stays dead. */
	expect_dead_memory(&held);
	expect_dead_file(&held);
	let_go(&held);
}

static void unbound(void)
{
	goes(unbind, bind);
}

static void removed(void)
{
	goes(pull, rescan);
}

static int child_unbinds(void *context)
{
	const int *ends = context;

	close(ends[0]);
	close(ends[1]);
	return -unbind();
}

/* A pipe that vmsplice filled holds a reference on the page, as DMA would. */
static void unbinding_waits_for_pins(void)
{
	struct iovec vec = { .iov_len = PAGE };
	struct vmsect_section info;
	struct held held;
	char path[128];
	int ends[2], status;
	pid_t pid;

	NEED_EQ(hold(&held), 0);
	NEED_EQ(vmsect_guest_query(held.fd, &info), 0);
	SKIP_UNLESS(info.has_pages, "no struct pages, nothing can be pinned");
	NEED_EQ(pipe2(ends, O_CLOEXEC), 0);
	vec.iov_base = held.shared;
	NEED_EQ(vmsplice(ends[1], &vec, 1, 0), PAGE);
	pid = child_start(child_unbinds, ends);
	snprintf(path, sizeof(path), "/dev/vmsect/%s", subject.name);
	while (!access(path, F_OK))
		poll(NULL, 0, 1);
	EXPECT_EQ(waitpid(pid, &status, WNOHANG), 0);
	close(ends[0]);
	close(ends[1]);
	EXPECT_EQ(child_status(pid), 0);
	let_go(&held);
	EXPECT_EQ(bind(), 0);
}

static int child_rings(void *context)
{
	const int fd = *(const int *)context;
	int err = 0;

	while (!err)
		err = ivshmem_ring(fd, subject.peer, 0);
	return -err;
}

/* The register goes while somebody writes it, interrupts while they come. */
static void unbound_while_rung(void)
{
	struct held held;
	pid_t pid;
	int i;

	SKIP_UNLESS(subject.vectors, "the device has no doorbell");
	for (i = 0; i < 5; i++) {
		NEED_EQ(hold(&held), 0);
		pid = child_start(child_rings, &held.fd);
		EXPECT_EQ(vmsect_guest_wait(held.events, 20000), 0);
		EXPECT_EQ(unbind(), 0);
		EXPECT_EQ(child_status(pid), ENODEV);
		let_go(&held);
		NEED_EQ(bind(), 0);
	}
}

static const struct tap_case cases[] = {
	{ "unbound while mapped", unbound },
	{ "removed from the bus while mapped", removed },
	{ "unbinding waits for a pinned page", unbinding_waits_for_pins },
	{ "unbound while it is rung", unbound_while_rung },
};

const struct tap_group group_ivshmem_gone = TAP_GROUP("gone", cases);
