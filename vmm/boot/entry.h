/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registers of the boot CPU at the kernel's first instruction, and the
 * descriptor and page tables that they need.  The other CPUs wait for their
 * start-up message, as after a reset.
 *
 * Also the code at the reset vector of the first MiB, which resets the VM:
 * Linux jumps there to reboot a machine that is hardware-reduced and has no
 * EFI.
 */
#ifndef BOOT_ENTRY_H
#define BOOT_ENTRY_H

#include <stdint.h>

#include "boot/kernel.h"

struct guest_mem;
struct kvm_regs;
struct kvm_sregs;

struct entry {
	enum kernel_protocol protocol;
	uint64_t rip;
	uint64_t info_gpa; /* hvm_start_info or boot_params */
};

/* Writes GDT, page tables and reset code; 0 or -ENOSPC. */
int entry_write_tables(const struct guest_mem *mem);

/* Changes reset-state sregs; fills regs. */
void entry_registers(const struct entry *entry, struct kvm_sregs *sregs, struct kvm_regs *ret_regs);

#endif
