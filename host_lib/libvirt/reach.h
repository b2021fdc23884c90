/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a domain's QEMU finds the section's file under its path.
 *
 * libvirt gives each QEMU a /dev of its own, made when the domain started.  A
 * QEMU that does not find the file of a memory-backend-file makes one: the
 * guest would get memory that nobody shares, without an error.
 */
#ifndef VMSECT_LIBVIRT_REACH_H
#define VMSECT_LIBVIRT_REACH_H

struct domain;
struct source;

/*
 * 0, also if it cannot be told (another user's QEMU), or -ENOENT after a message.
 */
int reach_check(const struct domain *domain, const struct source *source);

#endif
