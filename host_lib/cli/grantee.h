/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Grants as people write them: uid:1000, uid:alice, gid:kvm, vm:web1 (run by
 * this user), vm:web1@alice; and rights as letters: q query, r read, w write,
 * x execute, e extend, n notify, g grant, or a word: none, ro, rw, all.
 */
#ifndef CLI_GRANTEE_H
#define CLI_GRANTEE_H

#include <stdbool.h>

#include <vmsect/vmsect.h>

struct invocation;

/* A name or a number; false: there is none such. */
bool user_parse(const char *text, uint32_t *ret_uid);
bool group_parse(const char *text, uint32_t *ret_gid);

/* Who; to, id and name are set.  0 or CLI_USAGE after a message. */
int grantee_parse(const struct invocation *invocation, const char *text,
		  struct vmsect_grant *ret_grant);

/* What.  0 or CLI_USAGE after a message. */
int access_parse(const struct invocation *invocation, const char *text, uint32_t *ret_access);

/* Texts that access_parse() takes; malloc()ed in *ret_text.  0 or -ENOMEM. */
int grantee_format(const struct vmsect_grant *grant, char **ret_text);
int access_format(uint32_t access, char **ret_text);

#endif
