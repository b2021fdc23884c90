// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CPUs of a flat guest: local APIC, IPIs, page tables, sleeping.
 */
#include "cpu.h"

#include "io.h"
#include "print.h"
#include "text.h"

#define APIC 0xfee00000ul
#define APIC_ID 0x20
#define APIC_SVR 0xf0
#define APIC_ICR 0x300
#define APIC_ICR_HIGH 0x310
#define APIC_LVT_TIMER 0x320
#define APIC_TIMER_COUNT 0x380
#define APIC_TIMER_NOW 0x390
#define APIC_TIMER_DIVIDE 0x3e0
/* KVM's local APIC timer counts nanoseconds. */
#define APIC_TICKS_PER_MS 1000000u

#define PAGE_FLAGS 0x7ul /* present, writable, user */
#define PAGE_LARGE 0x80ul
#define PAGE_2M (1ul << 21)
#define TABLE_POOL 96

extern uint8_t user_stacks[];
extern const uint8_t ap_start[];
extern const uint8_t ap_start_end[];

volatile uint32_t irq_counts[256];
static volatile uint32_t online = 1;
static uint64_t table_pool[TABLE_POOL][512] __attribute__((aligned(4096)));
static uint32_t tables_used;

static void apic_write(uint32_t reg, uint32_t value)
{
	mmio_write32(APIC + reg, value);
}

struct cpu *cpu_at(uint32_t index)
{
	return (struct cpu *)(GUEST_KSTACKS + 0x1000ul * index);
}

uint32_t cpu_index(void)
{
	uint64_t rsp = (uint64_t)__builtin_frame_address(0);

	return (uint32_t)((rsp - (uint64_t)user_stacks) >> GUEST_USTACK_SHIFT);
}

struct cpu *cpu_self(void)
{
	return cpu_at(cpu_index());
}

uint32_t cpu_count(void)
{
	return online;
}

static uint64_t ring0(uint64_t what, uint64_t rdi, uint64_t rsi, uint64_t rcx, uint64_t rdx)
{
	__asm__ volatile("int3"
			 : "+a"(what), "+d"(rdx)
			 : "D"(rdi), "S"(rsi), "c"(rcx)
			 : "memory", "cc");
	return (rdx << 32) | (uint32_t)what;
}

void cpu_flush_tlb(void)
{
	ring0(RING0_FLUSH_TLB, 0, 0, 0, 0);
}

void cpu_triple_fault(void)
{
	for (;;)
		ring0(RING0_TRIPLE_FAULT, 0, 0, 0, 0);
}

uint64_t cpu_rdmsr(uint32_t number)
{
	return ring0(RING0_RDMSR, 0, 0, number, 0);
}

void cpu_wrmsr(uint32_t number, uint64_t value)
{
	ring0(RING0_WRMSR, (uint32_t)value, 0, number, value >> 32);
}

void cpu_init(void)
{
	apic_write(APIC_SVR, 0x100 | VECTOR_SPURIOUS);
	apic_write(APIC_TIMER_DIVIDE, 0xb); /* by 1 */
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER); /* one shot */
}

void cpu_wait(uint32_t vector, uint32_t seen, uint32_t limit_ms)
{
	if (limit_ms > 4000)
		limit_ms = 4000;
	if (limit_ms)
		apic_write(APIC_TIMER_COUNT, limit_ms * APIC_TICKS_PER_MS);
	ring0(RING0_WAIT, (uint64_t)&irq_counts[vector], seen, 0, 0);
	if (limit_ms)
		apic_write(APIC_TIMER_COUNT, 0);
}

uint64_t cpu_tsc(void)
{
	return __builtin_ia32_rdtsc();
}

uint64_t cpu_tsc_per_ms(void)
{
	static uint64_t counts;
	uint64_t start;

	if (counts)
		return counts;
	apic_write(APIC_LVT_TIMER, 0x10000 | VECTOR_TIMER);
	apic_write(APIC_TIMER_COUNT, 10 * APIC_TICKS_PER_MS);
	start = cpu_tsc();
	while (mmio_read32(APIC + APIC_TIMER_NOW) > 8 * APIC_TICKS_PER_MS)
		cpu_pause();
	counts = (cpu_tsc() - start) / 2;
	apic_write(APIC_TIMER_COUNT, 0);
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER);
	return counts;
}

static void ipi(uint32_t apic_id, uint32_t command)
{
	apic_write(APIC_ICR_HIGH, apic_id << 24);
	apic_write(APIC_ICR, command);
}

uint32_t cpu_start_others(uint32_t cpus)
{
	uint64_t until = cpu_tsc() + 5000 * cpu_tsc_per_ms();

	if (online > 1)
		return online;
	memcpy((void *)GUEST_AP_START, ap_start, (uint64_t)ap_start_end - (uint64_t)ap_start);
	ipi(0, 0xc4500); /* INIT to all but this one */
	ipi(0, 0xc4600 | (GUEST_AP_START >> 12)); /* SIPI */
	while (online < cpus && cpu_tsc() < until)
		cpu_pause();
	return online;
}

bool cpu_run(uint32_t index, void (*job)(void *argument), void *argument)
{
	struct cpu *cpu = cpu_at(index);

	if (!index || index >= GUEST_MAX_CPUS || !cpu->online || cpu->job)
		return false;
	cpu->job_argument = argument;
	__atomic_store_n(&cpu->job, job, __ATOMIC_RELEASE);
	/* APIC ids are the order in which the VMM made the CPUs; wake them all. */
	ipi(0, 0xc4000 | VECTOR_WAKE);
	return true;
}

bool cpu_idle(uint32_t index)
{
	return !__atomic_load_n(&cpu_at(index)->job, __ATOMIC_ACQUIRE);
}

static void ap_main(struct cpu *cpu)
{
	cpu_init();
	cpu->online = 1;
	__atomic_add_fetch(&online, 1, __ATOMIC_RELEASE);
	for (;;) {
		uint32_t seen = irq_counts[VECTOR_WAKE];
		void (*job)(void *) = __atomic_load_n(&cpu->job, __ATOMIC_ACQUIRE);

		if (job) {
			job(cpu->job_argument);
			__atomic_store_n(&cpu->job, NULL, __ATOMIC_RELEASE);
		}
		cpu_wait(VECTOR_WAKE, seen, 0);
	}
}

void guest_start(uint32_t index);
void guest_start(uint32_t index)
{
	if (index)
		ap_main(cpu_at(index));
	cpu_init();
	out8(0x21, 0xff); /* the IOAPIC is used, not the 8259s */
	out8(0xa1, 0xff);
	guest_main();
	power_off();
}

void guest_panic(const struct cpu *cpu);
void guest_panic(const struct cpu *cpu)
{
	static volatile uint32_t taken;

	while (__atomic_exchange_n(&taken, 1, __ATOMIC_ACQUIRE))
		cpu_pause();
	print("panic cpu=%u vector=%lu error=0x%lx rip=0x%lx cr2=0x%lx rsp=0x%lx\n", cpu_index(),
	      cpu->vector, cpu->error, cpu->rip, cpu->cr2, cpu->rsp);
	debug_exit(0x7f);
	for (;;)
		cpu_pause();
}

static uint64_t *table_new(void)
{
	if (tables_used >= TABLE_POOL) {
		print("panic: no page for a page table\n");
		debug_exit(0x7e);
	}
	return table_pool[tables_used++];
}

/* The entry of a page directory for this address. */
static uint64_t *directory_entry(uint64_t address)
{
	uint64_t *pdpt = (uint64_t *)GUEST_PDPT;
	uint64_t *entry = &pdpt[(address >> 30) & 511];

	if (!*entry)
		*entry = (uint64_t)table_new() | PAGE_FLAGS;
	return (uint64_t *)(*entry & ~0xffful) + ((address >> 21) & 511);
}

void cpu_map(uint64_t address, uint64_t bytes)
{
	for (uint64_t at = address & ~(PAGE_2M - 1); at < address + bytes; at += PAGE_2M) {
		uint64_t *entry = directory_entry(at);

		if (!*entry)
			*entry = at | PAGE_FLAGS | PAGE_LARGE;
	}
}

bool cpu_map_small(uint64_t address)
{
	uint64_t *entry = directory_entry(address);
	uint64_t start = address & ~(PAGE_2M - 1);
	uint64_t *table;

	if (!(*entry & PAGE_LARGE) || tables_used >= TABLE_POOL)
		return false;
	table = table_new();
	for (uint32_t i = 0; i < 512; i++)
		table[i] = (start + 4096ul * i) | PAGE_FLAGS;
	*entry = (uint64_t)table | PAGE_FLAGS;
	cpu_flush_tlb();
	return true;
}

void cpu_route(uint32_t gsi, uint32_t vector)
{
	const uint64_t ioapic = 0xfec00000ul;

	mmio_write32(ioapic, 0x11 + 2 * gsi);
	mmio_write32(ioapic + 0x10, 0);
	mmio_write32(ioapic, 0x10 + 2 * gsi);
	mmio_write32(ioapic + 0x10, vector);
}
