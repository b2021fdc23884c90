// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmsect-unbind-test: the device goes while programs have it mapped.
 *
 * Takes the driver off the virtio device through sysfs with mappings, open
 * files and a pinned page in place, and binds it again.  The kernel log is for
 * the caller to look at.  Needs root and at least one section.
 */
#include "guest/tap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmsect_guest.h"

#define PAGE 4096
#define TIME_LIMIT_S 120
#define DRIVER "/sys/bus/virtio/drivers/vmsect"

/* What the test holds while the device goes. */
static struct {
	char device[64]; /* virtioN */
	struct vmsect_section section;
	int ctl;
	int fd;
	struct vmsect_guest_mapping shared;
	struct vmsect_guest_mapping copy; /* private, with a page of its own */
} held = { .ctl = -1, .fd = -1 };

static int file_write(const char *path, const char *text)
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

static int device_find(void)
{
	DIR *dir = opendir(DRIVER);
	struct dirent *entry;
	int err = -ENODEV;

	if (!dir)
		return -errno;
	while (err && (entry = readdir(dir)))
		if (!strncmp(entry->d_name, "virtio", 6)) {
			snprintf(held.device, sizeof(held.device), "%.63s", entry->d_name);
			err = 0;
		}
	closedir(dir);
	return err;
}

static int hold_mappings(void)
{
	uint8_t *copy;
	int err =
		vmsect_guest_map(held.fd, VMSECT_GUEST_READ, 0, held.section.length, &held.shared);

	if (err)
		return err;
	err = vmsect_guest_map(held.fd,
			       VMSECT_GUEST_READ | VMSECT_GUEST_WRITE | VMSECT_GUEST_PRIVATE, 0,
			       PAGE, &held.copy);
	if (err)
		return err;
	copy = held.copy.addr;
	copy[0] = (uint8_t)~copy[0];
	return 0;
}

static int hold_all(void)
{
	int err = vmsect_guest_open(VMSECT_GUEST_CTL, O_RDONLY, &held.ctl);

	if (err)
		return err;
	err = vmsect_guest_list(held.ctl, 0, &held.section);
	if (err)
		return err;
	err = vmsect_guest_open(held.section.name, O_RDONLY, &held.fd);
	return err ? err : hold_mappings();
}

static void let_go(void)
{
	vmsect_guest_unmap(&held.shared);
	vmsect_guest_unmap(&held.copy);
	if (held.fd >= 0)
		close(held.fd);
	if (held.ctl >= 0)
		close(held.ctl);
	held.fd = -1;
	held.ctl = -1;
}

static int in_child(int (*step)(void))
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return -1;
	if (!pid)
		_exit(step());
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static int child_unbinds(void)
{
	return -file_write(DRIVER "/unbind", held.device);
}

static int child_unloads(void)
{
	return syscall(SYS_delete_module, "vmsect", O_NONBLOCK) < 0 ? errno : 0;
}

static void unload_refused_while_open(void)
{
	uint8_t value;

	EXPECT_EQ(in_child(child_unloads), EAGAIN);
	EXPECT_EQ(tap_load(held.shared.addr, &value), 0);
}

static void unbind_while_mapped(void)
{
	EXPECT_EQ(in_child(child_unbinds), 0);
}

static void mappings_give_sigbus(void)
{
	uint8_t *last = (uint8_t *)held.shared.addr + held.section.length - 1;
	uint8_t value = 0x5a;

	EXPECT_EQ(tap_load(held.shared.addr, &value), SIGBUS);
	EXPECT_EQ(tap_load(last, &value), SIGBUS);
	EXPECT_EQ(tap_load(held.copy.addr, &value), SIGBUS);
	EXPECT_EQ(tap_store(held.copy.addr, 1), SIGBUS);
	EXPECT_EQ(value, 0x5a);
}

static void commands_give_enodev(void)
{
	struct vmsect_guest_mapping map;
	struct vmsect_section section;
	struct vmsect_info info;

	EXPECT_EQ(vmsect_guest_query(held.fd, &section), -ENODEV);
	EXPECT_EQ(vmsect_guest_info(held.ctl, &info), -ENODEV);
	EXPECT_EQ(vmsect_guest_list(held.ctl, 0, &section), -ENODEV);
	EXPECT_EQ(vmsect_guest_map(held.fd, VMSECT_GUEST_READ, 0, PAGE, &map), -ENODEV);
}

static void nodes_are_gone(void)
{
	int fd = -77;

	EXPECT_EQ(vmsect_guest_open(held.section.name, O_RDONLY, &fd), -ENOENT);
	EXPECT_EQ(vmsect_guest_open(VMSECT_GUEST_CTL, O_RDONLY, &fd), -ENOENT);
	EXPECT_EQ(fd, -77);
}

static void rebind_beside_open_files(void)
{
	struct vmsect_section section;
	uint8_t value;
	int fd;

	NEED_EQ(file_write(DRIVER "/bind", held.device), 0);
	NEED_EQ(vmsect_guest_open(held.section.name, O_RDONLY, &fd), 0);
	EXPECT_EQ(vmsect_guest_query(fd, &section), 0);
	EXPECT_EQ(section.section_id, held.section.section_id);
	close(fd);
	/* What was opened before stays dead. */
	EXPECT_EQ(vmsect_guest_query(held.fd, &section), -ENODEV);
	EXPECT_EQ(tap_load(held.shared.addr, &value), SIGBUS);
	let_go();
}

static void new_mappings_work(void)
{
	uint8_t value;

	NEED_EQ(hold_all(), 0);
	EXPECT_EQ(tap_load(held.shared.addr, &value), 0);
	EXPECT_EQ(tap_load((uint8_t *)held.shared.addr + held.section.length - 1, &value), 0);
	let_go();
}

/* Waits until the node is gone, which is before the wait for pins; bounded by alarm. */
static void node_wait_gone(void)
{
	char path[256];

	snprintf(path, sizeof(path), "/dev/vmsect/%s", held.section.name);
	while (!access(path, F_OK))
		poll(NULL, 0, 1);
}

/* A pipe that vmsplice filled holds a reference on the page, as DMA would. */
static int pin_page(int pipe_fds[2])
{
	struct iovec vec = { .iov_base = held.shared.addr, .iov_len = PAGE };

	if (pipe(pipe_fds) < 0)
		return -errno;
	return vmsplice(pipe_fds[1], &vec, 1, 0) == PAGE ? 0 : -errno;
}

static void unbind_waits_for_pins(void)
{
	int pipe_fds[2], status = -1;
	pid_t pid;

	NEED_EQ(hold_all(), 0);
	SKIP_UNLESS(held.section.has_pages, "no struct pages, nothing can be pinned");
	NEED_EQ(pin_page(pipe_fds), 0);
	pid = fork();
	if (!pid) {
		close(pipe_fds[0]);
		close(pipe_fds[1]);
		_exit(child_unbinds());
	}
	node_wait_gone();
	poll(NULL, 0, 100);
	EXPECT_EQ(waitpid(pid, &status, WNOHANG), 0);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	let_go();
	EXPECT_EQ(file_write(DRIVER "/bind", held.device), 0);
}

static int rebind_once(void)
{
	int err = hold_all();

	if (!err)
		err = file_write(DRIVER "/unbind", held.device);
	let_go();
	return err ? err : file_write(DRIVER "/bind", held.device);
}

static void rebind_many_times(void)
{
	int i, err = 0;

	for (i = 0; !err && i < 20; i++)
		err = rebind_once();
	EXPECT_EQ(err, 0);
}

static const struct tap_case cases[] = {
	{ "unloading is refused while files are open", unload_refused_while_open },
	{ "unbind while mapped", unbind_while_mapped },
	{ "mappings give SIGBUS afterwards", mappings_give_sigbus },
	{ "commands give ENODEV", commands_give_enodev },
	{ "the nodes are gone", nodes_are_gone },
	{ "bind again while the old files are open", rebind_beside_open_files },
	{ "mappings work as before", new_mappings_work },
	{ "unbind waits for a pinned page", unbind_waits_for_pins },
	{ "unbind and bind, twenty times", rebind_many_times },
};

int main(void)
{
	int err = device_find();

	alarm(TIME_LIMIT_S);
	if (!err)
		err = hold_all();
	if (err) {
		printf("Bail out! no bound device with a section: %d\n", err);
		return EXIT_FAILURE;
	}
	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
