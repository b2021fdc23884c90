// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands: an ivshmem device, whoever emulates it.
 */
#include <linux/pci_regs.h>

#include "agent.h"
#include "cpu.h"
#include "io.h"
#include "pci.h"
#include "print.h"

#define ID 0x11101af4u
#define SLOTS 32u
#define BARS 3
#define DOORBELL 0x0c
#define BELLS 4u /* vectors that are looked at */
#define MSIX_ENTRY_BYTES 16u
#define BELLS_MS 4000u
/* Longer than cpu_wait() waits at once: a guest that slept through its interrupt goes on. */
#define ROUND_MS 20000u

/* The one that `ivshmem` has chosen. */
static struct {
	uint32_t bdf;
	uint64_t bar[BARS];
	uint64_t bytes[BARS];
} chosen;

static bool find(uint64_t index)
{
	for (uint32_t slot = 0; slot < SLOTS; slot++) {
		if (pci_read(slot << 3, PCI_VENDOR_ID, 4) != ID || index-- > 0)
			continue;
		chosen.bdf = slot << 3;
		return true;
	}
	return false;
}

/* Sizes with decoding off, then all of them on and within reach. */
static void open_bars(void)
{
	uint32_t command = pci_read(chosen.bdf, PCI_COMMAND, 2);

	pci_write(chosen.bdf, PCI_COMMAND, 2, command & ~(uint32_t)PCI_COMMAND_MEMORY);
	for (uint32_t i = 0; i < BARS; i++) {
		chosen.bytes[i] = pci_bar_bytes(chosen.bdf, i);
		chosen.bar[i] = pci_bar(chosen.bdf, i);
	}
	pci_write(chosen.bdf, PCI_COMMAND, 2, command | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	for (uint32_t i = 0; i < BARS; i++)
		if (chosen.bytes[i] && chosen.bar[i] != PCI_NOWHERE)
			cpu_map(chosen.bar[i], chosen.bytes[i]);
}

/* ivshmem [N] */
static void run_ivshmem(const struct agent_args *args)
{
	if (!find(args->number[0])) {
		print("err no device\n");
		return;
	}
	open_bars();
	print("ok bytes0=0x%lx bytes1=0x%lx bytes2=0x%lx memory=0x%lx\n", chosen.bytes[0],
	      chosen.bytes[1], chosen.bytes[2], chosen.bar[2]);
}

/* icfg SIZE OFFSET */
static void run_config(const struct agent_args *args)
{
	print("ok value=0x%x\n",
	      pci_read(chosen.bdf, (uint32_t)args->number[1], (uint32_t)args->number[0]));
}

static uint64_t load(uint64_t address, uint64_t bytes)
{
	return bytes == 1   ? mmio_read8(address)
	       : bytes == 2 ? mmio_read16(address)
	       : bytes == 4 ? mmio_read32(address)
			    : mmio_read64(address);
}

static void store(uint64_t address, uint64_t bytes, uint64_t value)
{
	if (bytes == 1)
		mmio_write8(address, (uint8_t)value);
	else if (bytes == 2)
		mmio_write16(address, (uint16_t)value);
	else if (bytes == 4)
		mmio_write32(address, (uint32_t)value);
	else
		mmio_write64(address, value);
}

/* ireg SIZE OFFSET [VALUE] */
static void run_register(const struct agent_args *args)
{
	uint64_t address = chosen.bar[0] + args->number[1];

	if (args->count > 2) {
		store(address, args->number[0], args->number[2]);
		print("ok\n");
	} else {
		print("ok value=0x%lx\n", load(address, args->number[0]));
	}
}

/* imsix VECTORS: each of them interrupts us */
static void run_msix(const struct agent_args *args)
{
	uint32_t cap = pci_capability(chosen.bdf, 0, PCI_CAP_ID_MSIX);

	if (!cap || !chosen.bytes[1]) {
		print("err no capability\n");
		return;
	}
	for (uint32_t i = 0; i < args->number[0]; i++) {
		uint64_t entry = chosen.bar[1] + MSIX_ENTRY_BYTES * i;

		mmio_write32(entry, 0xfee00000u);
		mmio_write32(entry + 4, 0);
		mmio_write32(entry + 8, VECTOR_BELL + i);
		mmio_write32(entry + 12, 0);
	}
	pci_write(chosen.bdf, cap + PCI_MSIX_FLAGS, 2,
		  (pci_read(chosen.bdf, cap + PCI_MSIX_FLAGS, 2) &
		   ~(uint32_t)PCI_MSIX_FLAGS_MASKALL) |
			  PCI_MSIX_FLAGS_ENABLE);
	print("ok capability=0x%x vectors=%u\n", cap,
	      (pci_read(chosen.bdf, cap + PCI_MSIX_FLAGS, 2) & PCI_MSIX_FLAGS_QSIZE) + 1);
}

static void print_bells(void)
{
	print("ok v0=%u v1=%u v2=%u v3=%u\n", irq_counts[VECTOR_BELL], irq_counts[VECTOR_BELL + 1],
	      irq_counts[VECTOR_BELL + 2], irq_counts[VECTOR_BELL + 3]);
}

/* bells [VECTOR COUNT]: interrupts by vector, once there are so many or time is up */
static void run_bells(const struct agent_args *args)
{
	uint64_t until = cpu_tsc() + BELLS_MS * cpu_tsc_per_ms();
	uint32_t vector = VECTOR_BELL + (uint32_t)args->number[0] % BELLS, seen;

	for (seen = irq_counts[vector]; seen < args->number[1] && cpu_tsc() < until;
	     seen = irq_counts[vector])
		cpu_wait(vector, seen, BELLS_MS);
	print_bells();
}

/* bell PEER VECTOR [TIMES] */
static void run_bell(const struct agent_args *args)
{
	uint64_t times = args->count > 2 ? args->number[2] : 1;

	while (times-- > 0)
		mmio_write32(chosen.bar[0] + DOORBELL,
			     (uint32_t)(args->number[0] << 16 | args->number[1]));
	print("ok\n");
}

/* An interrupt more than before within the time limit. */
static bool next_interrupt(uint32_t wanted)
{
	uint64_t until = cpu_tsc() + ROUND_MS * cpu_tsc_per_ms();
	uint32_t seen;

	for (seen = irq_counts[VECTOR_BELL]; seen < wanted; seen = irq_counts[VECTOR_BELL]) {
		if (cpu_tsc() > until)
			return false;
		cpu_wait(VECTOR_BELL, seen, ROUND_MS);
	}
	return true;
}

/* The ring of a round, and the other's number with it.  A ring too many is counted. */
static bool hear(uint64_t other, uint64_t round, uint32_t wanted, uint32_t *surplus)
{
	while (next_interrupt(wanted + *surplus)) {
		if (mmio_read64(other) == round)
			return true;
		++*surplus;
	}
	return false;
}

/*
 * pingpong PEER ROUNDS FIRST SEEN: a number in the shared memory (word 0 is the
 * first's, word 1 the other's), a ring, and an interrupt for each ring of the
 * other, whose number has then arrived.  SEEN interrupts came before the first
 * ring, which may have come by now.
 */
static void run_ping_pong(const struct agent_args *args)
{
	uint32_t value = (uint32_t)args->number[0] << 16, before = (uint32_t)args->number[3];
	bool is_first = args->number[2];
	uint64_t mine = chosen.bar[2] + (is_first ? 0 : 8);
	uint64_t other = chosen.bar[2] + (is_first ? 8 : 0);
	uint32_t surplus = 0;

	for (uint64_t round = 1; round <= args->number[1]; round++) {
		if (is_first) {
			mmio_write64(mine, round);
			mmio_write32(chosen.bar[0] + DOORBELL, value);
		}
		if (!hear(other, round, before + (uint32_t)round, &surplus)) {
			print("err round=%lu other=%lu interrupts=%u\n", round, mmio_read64(other),
			      irq_counts[VECTOR_BELL] - before);
			return;
		}
		if (!is_first) {
			mmio_write64(mine, round);
			mmio_write32(chosen.bar[0] + DOORBELL, value);
		}
	}
	print("ok rounds=%lu interrupts=%u\n", args->number[1], irq_counts[VECTOR_BELL] - before);
}

const struct agent_command ivshmem_commands[] = {
	{ "ivshmem", "N", run_ivshmem },       { "icfg", "nn", run_config },
	{ "ireg", "nnN", run_register },       { "imsix", "n", run_msix },
	{ "bells", "NN", run_bells },	       { "bell", "nnN", run_bell },
	{ "pingpong", "nnnn", run_ping_pong }, { 0 },
};
