// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmsect-selftest: the driver's interface, case by case, inside a guest.
 *
 * Uses the first section of each mode that the VM has; a mode that it has not
 * is skipped.  What it writes to shared views, in their last page, it restores.
 */
#include "guest/selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define TIME_LIMIT_S 120

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

static void subjects_find(int ctl)
{
	struct vmsect_section section;
	uint32_t i;

	for (i = 0; !vmsect_guest_list(ctl, i, &section); i++)
		if (section.mode < 4 && !subjects[section.mode].name[0])
			subjects[section.mode] = section;
}

static const struct tap_case cases[] = {
	{ "an unknown ioctl is ENOTTY", refused_ioctl_unknown },
	{ "the other node's ioctl is ENOTTY", refused_ioctl_wrong_node },
	{ "LIST with a reserved field is EINVAL", refused_list_reserved },
	{ "LIST past the last is ENOENT", refused_list_past_end },
	{ "a bad pointer is EFAULT", refused_ioctl_bad_pointer },
	{ "an unknown name is ENOENT, a bad one EINVAL", refused_open_unknown_name },
	{ "ro does not open for writing", refused_open_ro_for_writing },
	{ "ro refuses PROT_WRITE with MAP_SHARED", refused_shared_write_of_ro },
	{ "mprotect cannot lift that", refused_mprotect_of_ro },
	{ "an O_RDONLY fd does not map shared for writing", refused_shared_write_of_readonly_fd },
	{ "PROT_EXEC is EACCES", refused_exec },
	{ "offsets past the end, unaligned, at the top", refused_map_offsets },
	{ "the control node does not map", refused_map_of_ctl },
	{ "write to what is open to read, offsets, pointers", refused_read_write },
	{ "access past the end is SIGBUS", refused_access_past_end },
	{ "mremap does not grow a mapping", refused_mremap_growth },
	{ "INFO", described_info },
	{ "LIST", described_list },
	{ "QUERY agrees with LIST", described_query },
	{ "sysfs agrees with LIST", described_sysfs },
	{ "mode bits follow the attachment", described_node_modes },
	{ "two mappings show the same bytes", mapped_twice_equal },
	{ "rw: a store in one mapping is seen in another", mapped_rw_shared },
	{ "cow: a store is seen by the VM's other mappings", mapped_cow_shared_in_vm },
	{ "ro: MAP_PRIVATE copies on write", mapped_private_of_ro },
	{ "rw: MAP_PRIVATE copies on write", mapped_private_of_rw },
	{ "cow: MAP_PRIVATE copies on write", mapped_private_of_cow },
	{ "fork: private pages part", mapped_fork_private },
	{ "fork: shared pages do not", mapped_fork_shared },
	{ "MADV_DONTNEED drops private copies", mapped_private_dropped },
	{ "a mapping outlives its fd", mapped_after_close },
	{ "a hole in the middle of a mapping", mapped_partial_unmap },
	{ "mremap moves and shrinks", mapped_mremap_move },
	{ "mprotect of a writable section", mapped_mprotect },
	{ "the kernel reads a view through its pages", mapped_pinned },
	{ "mlock has no effect", mapped_mlock },
	{ "fsync, fdatasync and msync of each mode", durable_synced },
	{ "msync past the end", durable_past_end },
	{ "RESET past the end is EINVAL, a bad pointer EFAULT", reset_refused_ranges },
	{ "RESET of ctl is ENOTTY, of what is open to read EBADF", reset_refused_nodes },
	{ "RESET of a shared view changes nothing", reset_of_shared },
	{ "RESET drops one private page", reset_of_page },
};

int main(void)
{
	int ctl;
	int err = vmsect_guest_open(VMSECT_GUEST_CTL, O_RDONLY, &ctl);

	alarm(TIME_LIMIT_S);
	if (err) {
		printf("Bail out! /dev/vmsect/ctl: %d\n", err);
		return EXIT_FAILURE;
	}
	subjects_find(ctl);
	close(ctl);
	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}
