/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as what a guest does to the PCI bus and to a virtio function on it:
 * port and MMIO accesses of every width, and turns of the io thread.  Wherever
 * the guest moves them, mapped BARs stay in the PCI windows and apart.
 */
#include <stdlib.h>
#include <string.h>

#include "bus/bus.h"
#include "bus/pci.h"
#include "mem/guest_mem.h"
#include "mem/layout.h"
#include "virtio/virtio_pci.h"

#define RAM_BYTES UINT64_C(0x200000)
#define REGISTER_BYTES 0x4000
#define SHM_BYTES (UINT64_C(1) << 30)
#define QUEUES 2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One access: 16 bytes of input. */
struct step {
	uint8_t what; /* bits 0-1: port, register BAR, anywhere, run; bit 2: write */
	uint8_t bytes; /* modulo 8, plus 1 */
	uint16_t offset;
	uint32_t high; /* anywhere: the address, in pages */
	uint64_t value;
};

struct machine {
	struct guest_mem mem;
	struct bus *pio;
	struct bus *mmio;
	struct pci_bus *pci;
	struct virtio_pci *transport;
	uint64_t shm_gpa;
};

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void config_read(void *device, uint32_t offset, void *data, uint32_t bytes)
{
	(void)device;
	require(offset < 16 && bytes <= 16 - offset);
	memset(data, 0, bytes);
}

static void activate(void *device, uint64_t features)
{
	(void)device;
	require(features >> VIRTIO_FEATURE_VERSION_1 & 1);
}

static void reset(void *device)
{
	(void)device;
}

/* Takes one chain and answers it, as far as it goes. */
static int kick(void *device, uint32_t index)
{
	static struct queue_chain chain;
	struct machine *machine = device;
	struct queue *queue = virtio_pci_queue(machine->transport, index);
	int result;

	require(queue != NULL);
	result = queue_pop(queue, &chain);
	if (result < 0)
		virtio_pci_break(machine->transport, "the fuzzer");
	if (result == 1)
		queue_push(queue, &chain, 0);
	virtio_pci_signal(machine->transport, index);
	return 0;
}

static const struct virtio_device_ops ops = { config_read, activate, reset, kick };

static int shm_moved(void *owner, uint64_t gpa)
{
	struct machine *machine = owner;

	machine->shm_gpa = gpa;
	require(gpa == PCI_NOWHERE ||
		(gpa >= LAYOUT_PCI32_START &&
		 gpa + SHM_BYTES <= LAYOUT_PCI64_START + LAYOUT_PCI64_SIZE &&
		 (gpa >= LAYOUT_PCI64_START ||
		  gpa + SHM_BYTES <= LAYOUT_PCI32_START + LAYOUT_PCI32_SIZE)));
	return 0;
}

static void build(struct machine *machine)
{
	const struct virtio_device_info info = {
		.device_id = 63,
		.queues = QUEUES,
		.queue_size = 64,
		.class_code = 0xFF0000,
		.config_bytes = 16,
		.ops = &ops,
		.device = machine,
	};
	const struct virtio_pci_shm shm = { 0, SHM_BYTES, machine, shm_moved };
	struct virtio_pci_env env = { .mem = &machine->mem };

	require(guest_mem_init(&machine->mem, NULL, RAM_BYTES) == 0);
	require(bus_new(&machine->pio) == 0 && bus_new(&machine->mmio) == 0);
	require(pci_bus_new(machine->pio, machine->mmio, &machine->pci) == 0);
	env.pci = machine->pci;
	require(virtio_pci_new(&env, &info, &shm, &machine->transport) == 0);
}

static void destroy(struct machine *machine)
{
	machine->transport = virtio_pci_free(machine->transport);
	require(machine->shm_gpa == PCI_NOWHERE);
	machine->pci = pci_bus_free(machine->pci);
	machine->mmio = bus_free(machine->mmio);
	machine->pio = bus_free(machine->pio);
	guest_mem_deinit(&machine->mem);
}

static void do_step(struct machine *machine, const struct step *step)
{
	uint32_t bytes = step->bytes % 8 + 1;
	uint64_t address = 0xCF0 + step->offset % 32, value = step->value;
	struct bus *bus = machine->pio;

	if ((step->what & 3) == 3) {
		virtio_pci_run(machine->transport);
		return;
	}
	if (step->what & 3) {
		bus = machine->mmio;
		address = LAYOUT_PCI32_START + step->offset % REGISTER_BYTES;
	}
	if ((step->what & 3) == 2)
		address = (uint64_t)step->high << 12 | (step->offset & 0xFFF);
	if (step->what & 4)
		(void)bus_write(bus, address, &value, bytes);
	else
		(void)bus_read(bus, address, &value, bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct machine machine = { .shm_gpa = PCI_NOWHERE };
	struct step step;

	build(&machine);
	for (; size >= sizeof(step); data += sizeof(step), size -= sizeof(step)) {
		memcpy(&step, data, sizeof(step));
		do_step(&machine, &step);
	}
	destroy(&machine);
	return 0;
}
