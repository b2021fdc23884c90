/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The windows of a VM: the section device's, and one for each section that has
 * a PCI device of its own.
 *
 * Owner: struct machine.  Windows are added before the first vCPU runs and stay
 * to the end; from then on any thread may call.  Each window has its own lock,
 * and no call holds two of them.
 */
#ifndef MEM_WINDOWS_H
#define MEM_WINDOWS_H

#include <stddef.h>
#include <stdint.h>

#include "mem/window.h"

struct windows;

/* vm may be NULL in tests.  0 or -ENOMEM. */
int windows_new(struct vm *vm, struct windows **ret_windows);
/* And all of its windows.  NULL is fine; returns NULL. */
struct windows *windows_free(struct windows *windows);

/* One more, which stays the set's.  As window_new(). */
int windows_add(struct windows *windows, uint64_t bytes, struct window **ret_window);

/* In the order in which they were added; NULL past the end. */
struct window *windows_get(const struct windows *windows, size_t index);

/* The one that the guest sees at this address, or NULL. */
struct window *windows_at(const struct windows *windows, uint64_t gpa);

/* All of window_sweep(), window_sweep_sizes(), and the sums of window_counters(). */
uint32_t windows_sweep(const struct windows *windows);
uint32_t windows_sweep_sizes(const struct windows *windows);
void windows_counters(const struct windows *windows, struct window_counters *ret_counters);

/* A store that KVM could not emulate, and of which it does not tell the address. */
void windows_count_undecodable(const struct windows *windows);

#endif
