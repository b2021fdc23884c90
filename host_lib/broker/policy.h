/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may do what with a section: the mode bits of its owner, its group and
 * the others, like a file's.  Read gives query, read and execute; write gives
 * write, extend and notify.  The owner may also grant; root may all.  Pure.
 */
#ifndef BROKER_POLICY_H
#define BROKER_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "broker/refusal.h"

/* Who asks: the kernel's word at connect time. */
struct subject {
	uid_t uid;
	gid_t gid;
	pid_t pid; /* for listings alone, as pids are reused */
	size_t group_count;
	gid_t *groups; /* supplementary groups; owned */
};

/* What is asked for. */
struct ownership {
	uid_t uid;
	gid_t gid;
	uint32_t mode; /* 0..0777 */
};

/* The rights that the subject can have. */
uint32_t policy_access(const struct subject *subject, const struct ownership *object);

/* May the subject open with this access?  -EACCES. */
int policy_check_open(const struct subject *subject, const struct ownership *object,
		      uint32_t access, struct refusal *refusal);

/* May the subject remove the section's name? */
bool policy_may_remove(const struct subject *subject, const struct ownership *object);

/* May the subject know that the section exists? */
bool policy_may_see(const struct subject *subject, const struct ownership *object);

/* May the subject see addresses inside the processes of `uid`? */
bool policy_may_see_address(const struct subject *subject, uid_t uid);

#endif
