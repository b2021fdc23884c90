/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The driver's self-test: what its files share.  Cases are functions without
 * arguments; they find the sections of this VM, by mode, in `subjects`.
 */
#ifndef TESTS_GUEST_SELFTEST_H
#define TESTS_GUEST_SELFTEST_H

#include "guest/tap.h"
#include "vmsect_guest.h"

/* Indexed by VMSECT_MODE_; a section whose name is empty is not there. */
extern struct vmsect_section subjects[4];

#define SKIP_UNLESS_HAVE(mode)                                                                     \
	SKIP_UNLESS(subjects[mode].name[0] && subjects[mode].length >= 4 * PAGE,                   \
		    "no section of that mode with four pages")

#define PAGE 4096

/* Opens the subject of a mode; -errno. */
int subject_open(uint32_t mode, int flags, int *ret_fd);
/* mmap with plain arguments; 0 or -errno, and unmaps at once. */
int map_try(int fd, int prot, int flags, uint64_t offset);

/* refused: everything that must give an error. */
void refused_ioctl_unknown(void);
void refused_ioctl_wrong_node(void);
void refused_list_reserved(void);
void refused_list_past_end(void);
void refused_ioctl_bad_pointer(void);
void refused_open_unknown_name(void);
void refused_open_ro_for_writing(void);
void refused_shared_write_of_ro(void);
void refused_mprotect_of_ro(void);
void refused_shared_write_of_readonly_fd(void);
void refused_exec(void);
void refused_map_offsets(void);
void refused_map_of_ctl(void);
void refused_read_write(void);
void refused_access_past_end(void);
void refused_mremap_growth(void);

/* described: what INFO, LIST, QUERY and sysfs say. */
void described_info(void);
void described_list(void);
void described_query(void);
void described_sysfs(void);
void described_node_modes(void);

/* durable, reset: write-back and private pages. */
void durable_synced(void);
void durable_past_end(void);
void reset_refused_ranges(void);
void reset_refused_nodes(void);
void reset_of_shared(void);
void reset_of_page(void);

/* mapped: what mappings do. */
void mapped_twice_equal(void);
void mapped_rw_shared(void);
void mapped_cow_shared_in_vm(void);
void mapped_private_of_ro(void);
void mapped_private_of_rw(void);
void mapped_private_of_cow(void);
void mapped_fork_private(void);
void mapped_fork_shared(void);
void mapped_private_dropped(void);
void mapped_after_close(void);
void mapped_partial_unmap(void);
void mapped_mremap_move(void);
void mapped_mprotect(void);
void mapped_pinned(void);
void mapped_mlock(void);

#endif
