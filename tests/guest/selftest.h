/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The driver's self-test: what its files share.  A file is a group of cases;
 * cases are functions without arguments.  They use the sections that the VM was
 * given, found by mode in `subjects`, or make one of their own (scratch).
 */
#ifndef TESTS_GUEST_SELFTEST_H
#define TESTS_GUEST_SELFTEST_H

#include <sys/types.h>

#include "guest/tap.h"
#include "vmsect_guest.h"

#define PAGE 4096
#define POISON 0xa5

/* Indexed by VMSECT_MODE_; a section whose name is empty is not there. */
extern struct vmsect_section subjects[4];

#define SKIP_UNLESS_HAVE(mode)                                                                     \
	SKIP_UNLESS(subjects[mode].name[0] && subjects[mode].length >= 4 * PAGE,                   \
		    "no section of that mode with four pages")

/* Opens the subject of a mode; -errno. */
int subject_open(uint32_t mode, int flags, int *ret_fd);
/* mmap with plain arguments; 0 or -errno, and unmaps at once. */
int map_try(int fd, int prot, int flags, uint64_t offset);

/* ioctl(2): its result, or -errno. */
int call(int fd, unsigned long command, void *arg);
/* A new descriptor of the control node, or -errno. */
int ctl_open(int flags);

/* A section that a case makes for itself. */
struct scratch {
	uint64_t bytes; /* 0: eight pages */
	uint64_t max_bytes; /* 0: it does not grow */
	uint32_t protection; /* 0: readwrite */
	uint32_t backing; /* 0: shmem */
	uint32_t flags; /* VMSECT_GUEST_CREATE_F_ */
	uint32_t access; /* 0: all that protection allows */
	const char *name; /* NULL: none */
};

#define SCRATCH_BYTES (8 * PAGE)

/* A section descriptor, or -errno; -EOPNOTSUPP also if the VM may make none. */
int scratch_open(const struct scratch *want);
/* DUPLICATE, VIEW: a new descriptor, or -errno. */
int duplicate(int section, uint32_t access);
int view_open(int section, uint64_t offset, uint64_t length, uint32_t protection);
/* PROTECT: 0 or -errno. */
int protect(int fd, uint64_t offset, uint64_t length, uint32_t protection);

/*
 * A step that returns a descriptor, without which a case cannot go on; what the
 * device does not offer is skipped.
 */
#define NEED_FD(fd)                                                                                \
	do {                                                                                       \
		SKIP_UNLESS((fd) != -EOPNOTSUPP, "the device does not offer it");                  \
		if ((fd) < 0) {                                                                    \
			tap_fail(__FILE__, __LINE__, #fd, (fd), 0);                                \
			return;                                                                    \
		}                                                                                  \
	} while (0)

/* Maps bytes of a descriptor from offset on, shared; NULL on failure. */
uint8_t *shared_map(int fd, uint64_t offset, size_t length, int prot);

#define NEED_MAP(map)                                                                              \
	do {                                                                                       \
		if (!(map)) {                                                                      \
			tap_fail(__FILE__, __LINE__, #map, errno, 0);                              \
			return;                                                                    \
		}                                                                                  \
	} while (0)

/* A number out of a sysfs attribute of a node, or of the control node (NULL); -1. */
long long attribute_number(const char *node, const char *attribute);
/* Runs a step in a child; its exit status, or minus the signal that ended it. */
int in_child(int (*step)(void *), void *context);
/* The same in two parts: the child's number, then its status. */
pid_t child_start(int (*step)(void *), void *context);
int child_status(pid_t pid);
/* Milliseconds that never go back. */
int64_t now_ms(void);
/* Open descriptors of this process. */
int descriptors_open(void);

extern const struct tap_group group_refused, group_command, group_described, group_control,
	group_create, group_view, group_viewmap, group_mapped, group_io, group_splice,
	group_protect, group_durable, group_cow, group_publish, group_grow, group_commit,
	group_events, group_memory, group_huge, group_pins, group_process;
/* Only by name. */
extern const struct tap_group group_many, group_refusal, group_budget;

#endif
