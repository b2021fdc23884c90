// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands: processors, ports, model-specific registers, ways to end.
 */
#include "agent.h"
#include "cpu.h"
#include "io.h"
#include "print.h"

static void run_smp(const struct agent_args *args)
{
	print("ok cpus=%u\n", cpu_start_others((uint32_t)args->number[0]));
}

static void run_ping(const struct agent_args *args)
{
	(void)args;
	print("ok\n");
}

static void run_irqs(const struct agent_args *args)
{
	(void)args;
	print("ok config=%u control=%u event=%u serial=%u timer=%u\n", irq_counts[VECTOR_MSIX],
	      irq_counts[VECTOR_MSIX + 1], irq_counts[VECTOR_MSIX + 2], irq_counts[VECTOR_SERIAL],
	      irq_counts[VECTOR_TIMER]);
}

static void read_msr(void *argument)
{
	*(uint64_t *)argument = cpu_rdmsr(*(uint32_t *)argument);
}

static void run_rdmsr(const struct agent_args *args)
{
	uint64_t value = args->number[0];

	read_msr(&value);
	print("ok value=0x%lx\n", value);
}

static void run_cpuid(const struct agent_args *args)
{
	uint32_t a = (uint32_t)args->number[0];
	uint32_t b;
	uint32_t c = (uint32_t)args->number[1];
	uint32_t d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	print("ok eax=0x%x ebx=0x%x ecx=0x%x edx=0x%x\n", a, b, c, d);
}

static void run_in(const struct agent_args *args)
{
	uint16_t port = (uint16_t)args->number[1];
	uint32_t value;

	if (args->number[0] == 1)
		value = in8(port);
	else if (args->number[0] == 2)
		value = in16(port);
	else
		value = in32(port);
	print("ok value=0x%x\n", value);
}

static void run_out(const struct agent_args *args)
{
	uint16_t port = (uint16_t)args->number[1];

	if (args->number[0] == 1)
		out8(port, (uint8_t)args->number[2]);
	else if (args->number[0] == 2)
		out16(port, (uint16_t)args->number[2]);
	else
		out32(port, (uint32_t)args->number[2]);
	print("ok\n");
}

static void run_poweroff(const struct agent_args *args)
{
	(void)args;
	power_off();
	print("err still here\n");
}

static void run_reboot(const struct agent_args *args)
{
	(void)args;
	out8(LAYOUT_RESET_PORT, 0x02);
	out8(LAYOUT_RESET_PORT, 0x06);
	print("err still here\n");
}

static void run_triplefault(const struct agent_args *args)
{
	(void)args;
	cpu_triple_fault();
}

static void run_exit(const struct agent_args *args)
{
	debug_exit((uint8_t)args->number[0]);
	print("err still here\n");
}

const struct agent_command cpu_commands[] = {
	{ "ping", "", run_ping },	{ "smp", "n", run_smp },
	{ "irqs", "", run_irqs },	{ "rdmsr", "n", run_rdmsr },
	{ "cpuid", "nN", run_cpuid },	{ "in", "nn", run_in },
	{ "out", "nnn", run_out },	{ "poweroff", "", run_poweroff },
	{ "reboot", "", run_reboot },	{ "triplefault", "", run_triplefault },
	{ "debugexit", "n", run_exit }, { 0 },
};
