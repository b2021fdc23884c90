/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fixed numbers of a flat guest, for C and assembler: where the tables are,
 * selectors, interrupt vectors and the calls into ring 0.
 */
#ifndef GUEST_MACHINE_H
#define GUEST_MACHINE_H

#define GUEST_MAX_CPUS 16

/* Addresses; guest.lds places .stubs and .tables there. */
#define GUEST_STUBS 0x101000
#define GUEST_IDT 0x102000
#define GUEST_GDT 0x103000
#define GUEST_TSS 0x104000
#define GUEST_TSS_BYTES 1024
#define GUEST_PORTS 0x1000 /* I/O ports that ring 3 may use */
#define GUEST_PML4 0x108000
#define GUEST_PDPT 0x109000
#define GUEST_PD 0x10a000 /* four of them: 4 GiB in pages of 2 MiB */
#define GUEST_KSTACKS 0x10e000 /* one page a CPU; struct cpu at its bottom */
#define GUEST_USTACK_SHIFT 16

/* Below 1 MiB, free of what loaders place there: where an AP starts. */
#define GUEST_AP_START 0x70000

/* Selectors. */
#define GUEST_CS32 0x08
#define GUEST_DS 0x10
#define GUEST_CS64 0x18
#define GUEST_USER_DS 0x23
#define GUEST_USER_CS 0x2b
#define GUEST_TSS_SEL 0x30

/* Interrupt vectors. */
#define VECTOR_IRQ_FIRST 0x30
#define VECTOR_TIMER 0x41
#define VECTOR_WAKE 0x42
#define VECTOR_SERIAL 0x50
#define VECTOR_MSIX 0x58 /* and the next three */
#define VECTOR_BELL 0x60 /* of an ivshmem device, and those that follow */
#define VECTOR_RING0 3 /* int3: an INT n is not emulated everywhere */
#define VECTOR_SPURIOUS 0xff

/* Calls into ring 0 (cpu.h wraps them). */
#define RING0_WAIT 0
#define RING0_FLUSH_TLB 1
#define RING0_TRIPLE_FAULT 2
#define RING0_RDMSR 3
#define RING0_WRMSR 4

/* Offsets in struct cpu. */
#define CPU_VECTOR 0
#define CPU_ERROR 8
#define CPU_RIP 16
#define CPU_CR2 24
#define CPU_RSP 32
#define CPU_RECOVER_RIP 40
#define CPU_RECOVER_RSP 48

#endif
