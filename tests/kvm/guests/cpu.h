/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The CPUs of a flat guest, seen from ring 3: who am I, wait for an interrupt,
 * start the others, run code that may fault.
 *
 * Each CPU has one struct cpu, at the bottom of its ring-0 stack, where the
 * exception stub finds it.
 */
#ifndef GUEST_CPU_H
#define GUEST_CPU_H

#include <stdbool.h>
#include <stdint.h>

#include "machine.h"

struct cpu {
	/* The last exception; written by ring 0. */
	uint64_t vector;
	uint64_t error;
	uint64_t rip;
	uint64_t cr2;
	uint64_t rsp;
	/* Where to go on after one; 0: guest_panic(). */
	uint64_t recover_rip;
	uint64_t recover_rsp;

	/* What an AP is to do (cpu_run); taken when `job` is not NULL. */
	void (*volatile job)(void *argument);
	void *job_argument;
	volatile uint32_t online;
};

_Static_assert(__builtin_offsetof(struct cpu, vector) == CPU_VECTOR, "");
_Static_assert(__builtin_offsetof(struct cpu, error) == CPU_ERROR, "");
_Static_assert(__builtin_offsetof(struct cpu, rip) == CPU_RIP, "");
_Static_assert(__builtin_offsetof(struct cpu, cr2) == CPU_CR2, "");
_Static_assert(__builtin_offsetof(struct cpu, rsp) == CPU_RSP, "");
_Static_assert(__builtin_offsetof(struct cpu, recover_rip) == CPU_RECOVER_RIP, "");
_Static_assert(__builtin_offsetof(struct cpu, recover_rsp) == CPU_RECOVER_RSP, "");

/* Interrupts counted by vector. */
extern volatile uint32_t irq_counts[256];

struct cpu *cpu_at(uint32_t index);
uint32_t cpu_index(void);
struct cpu *cpu_self(void);
uint32_t cpu_count(void);

/* Turns this CPU's local APIC on. */
void cpu_init(void);

/* Starts the other CPUs and waits until `cpus` run; how many do. */
uint32_t cpu_start_others(uint32_t cpus);

/* Gives an idle AP something to do; false if it is busy or not there. */
bool cpu_run(uint32_t index, void (*job)(void *argument), void *argument);
bool cpu_idle(uint32_t index);

/* Runs function(argument): 0, or 1 after an exception (see cpu_self()). */
long try_call(void (*function)(void *argument), void *argument, struct cpu *cpu);

/*
 * Sleeps until the interrupt count at `vector` is not `seen`, or, with
 * limit_ms, at most that long.  May return early.
 */
void cpu_wait(uint32_t vector, uint32_t seen, uint32_t limit_ms);

uint64_t cpu_tsc(void);
/* Time stamp counts of a millisecond, by the local APIC's timer. */
uint64_t cpu_tsc_per_ms(void);

void cpu_flush_tlb(void);
_Noreturn void cpu_triple_fault(void);
uint64_t cpu_rdmsr(uint32_t number);
void cpu_wrmsr(uint32_t number, uint64_t value);

/* Maps [address, address + bytes) of physical space, one to one. */
void cpu_map(uint64_t address, uint64_t bytes);
/* Makes the 2 MiB around address of 4 KiB pages. */
bool cpu_map_small(uint64_t address);

/* Routes a line of the IOAPIC to a vector of CPU 0, edge-triggered. */
void cpu_route(uint32_t gsi, uint32_t vector);

/* Given by the guest's main file. */
void guest_main(void);

#endif
