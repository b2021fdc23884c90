/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See pci.h.  Configuration mechanism 1 (PCI Local Bus Specification 3.0,
 * section 3.2.2.3.2): the doubleword at 0xCF8 chooses the register, the four
 * ports from 0xCFC are its bytes.
 */
#include "bus/pci.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus/pci_bar.h"

#define MECHANISM_PORT 0xCF8
#define MECHANISM_BYTES 8
#define MECHANISM_DATA 4 /* offset of 0xCFC */

#define ADDRESS_ENABLE UINT32_C(0x80000000)
#define ADDRESS_WRITABLE UINT32_C(0x80FFFFFC)

#define BRIDGE_VENDOR 0x8086
#define BRIDGE_DEVICE 0x0D57 /* what other VMMs show; no driver, no quirk */
#define BRIDGE_CLASS 0x060000

/* The function that the address register chooses, or NULL.  Bus lock. */
static struct pci_device *selected(const struct pci_bus *bus)
{
	uint32_t bus_number = bus->address >> 16 & 0xFF, function = bus->address >> 8 & 7;

	if (!(bus->address & ADDRESS_ENABLE) || bus_number != 0 || function != 0)
		return NULL;
	return bus->devices[bus->address >> 11 & (PCI_SLOTS - 1)];
}

static uint32_t data_read(struct pci_bus *bus, uint32_t offset, uint32_t bytes)
{
	struct pci_device *device = selected(bus);

	if (!device)
		return UINT32_MAX;
	offset += bus->address & 0xFC;
	if (device->ops && device->ops->config_read)
		device->ops->config_read(device->owner, offset, bytes);
	return pci_cfg_read(&device->cfg, offset, bytes);
}

static void data_write(struct pci_bus *bus, uint32_t offset, uint32_t bytes, uint32_t value)
{
	struct pci_device *device = selected(bus);

	if (!device)
		return;
	offset += bus->address & 0xFC;
	pci_cfg_write(&device->cfg, offset, bytes, value);
	if (offset < PCI_CFG_BAR(PCI_BARS))
		pci_bar_update(bus);
	if (device->ops && device->ops->config_written)
		device->ops->config_written(device->owner, offset, bytes);
}

/* A legal width that stays inside the data ports. */
static bool is_data(uint64_t offset, uint32_t bytes)
{
	return offset >= MECHANISM_DATA && (bytes == 1 || bytes == 2 || bytes == 4) &&
	       offset + bytes <= MECHANISM_BYTES;
}

static void mechanism_read(void *device, uint64_t offset, void *data, uint32_t bytes)
{
	struct pci_bus *bus = device;
	uint32_t value;

	memset(data, 0xFF, bytes);
	pthread_mutex_lock(&bus->lock);
	if (offset == 0 && bytes == 4) {
		memcpy(data, &bus->address, 4);
	} else if (is_data(offset, bytes)) {
		value = data_read(bus, (uint32_t)offset - MECHANISM_DATA, bytes);
		memcpy(data, &value, bytes);
	}
	pthread_mutex_unlock(&bus->lock);
}

static void mechanism_write(void *device, uint64_t offset, const void *data, uint32_t bytes)
{
	struct pci_bus *bus = device;
	uint32_t value = 0;

	if (bytes > sizeof(value))
		return;
	memcpy(&value, data, bytes);
	pthread_mutex_lock(&bus->lock);
	if (offset == 0 && bytes == 4)
		bus->address = value & ADDRESS_WRITABLE;
	else if (is_data(offset, bytes))
		data_write(bus, (uint32_t)offset - MECHANISM_DATA, bytes, value);
	pthread_mutex_unlock(&bus->lock);
}

static const struct bus_ops mechanism_ops = { mechanism_read, mechanism_write };

int pci_device_new(struct pci_bus *bus, const struct pci_identity *identity,
		   const struct pci_device_ops *ops, void *owner, struct pci_device **ret_device)
{
	struct pci_device *device = calloc(1, sizeof(*device));
	int result = -ENOSPC;

	if (!device)
		return -ENOMEM;
	device->bus = bus;
	device->ops = ops;
	device->owner = owner;
	pci_cfg_init(&device->cfg, identity);
	pci_cfg_set(&device->cfg, PCI_CFG_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	pthread_mutex_lock(&bus->lock);
	for (uint32_t slot = 0; slot < PCI_SLOTS && result < 0; slot++) {
		if (bus->devices[slot])
			continue;
		device->slot = slot;
		bus->devices[slot] = device;
		result = 0;
	}
	pthread_mutex_unlock(&bus->lock);
	if (result < 0)
		free(device);
	else
		*ret_device = device;
	return result;
}

struct pci_device *pci_device_free(struct pci_device *device)
{
	struct pci_bus *bus;

	if (!device)
		return NULL;
	bus = device->bus;
	pthread_mutex_lock(&bus->lock);
	pci_bar_unmap_all(device);
	bus->devices[device->slot] = NULL;
	pthread_mutex_unlock(&bus->lock);
	free(device);
	return NULL;
}

uint32_t pci_device_slot(const struct pci_device *device)
{
	return device->slot;
}

struct pci_cfg *pci_device_cfg(struct pci_device *device)
{
	return &device->cfg;
}

static bool bar_is_good(const struct pci_device *device, const struct pci_bar *bar)
{
	uint32_t registers = bar->kind == PCI_BAR_MEM64 ? 2 : 1;

	return bar->bytes >= PCI_BAR_BYTES_MIN && (bar->bytes & (bar->bytes - 1)) == 0 &&
	       bar->index <= PCI_BARS - registers && device->bars[bar->index].bar.bytes == 0;
}

int pci_device_add_bar(struct pci_device *device, const struct pci_bar *bar)
{
	struct pci_bus *bus = device->bus;
	uint64_t gpa;
	int result;

	if (!bar_is_good(device, bar))
		return -EINVAL;
	pthread_mutex_lock(&bus->lock);
	result = pci_bar_place(bus, bar, &gpa);
	if (result == 0) {
		pci_bar_init(device, bar, gpa);
		pci_bar_update(bus);
		if (device->bars[bar->index].mapped_gpa == PCI_NOWHERE)
			result = -EIO; /* its hook refused */
	}
	pthread_mutex_unlock(&bus->lock);
	return result;
}

uint64_t pci_device_bar_gpa(struct pci_device *device, uint32_t index)
{
	uint64_t gpa = PCI_NOWHERE;

	pthread_mutex_lock(&device->bus->lock);
	if (index < PCI_BARS && device->bars[index].bar.bytes)
		gpa = device->bars[index].mapped_gpa;
	pthread_mutex_unlock(&device->bus->lock);
	return gpa;
}

uint64_t pci_bus_refused_bars(struct pci_bus *bus)
{
	uint64_t refused;

	pthread_mutex_lock(&bus->lock);
	refused = bus->refused_bars;
	pthread_mutex_unlock(&bus->lock);
	return refused;
}

static int bus_fill(struct pci_bus *bus)
{
	static const struct pci_identity bridge = {
		.vendor = BRIDGE_VENDOR,
		.device = BRIDGE_DEVICE,
		.class_code = BRIDGE_CLASS,
	};
	int result = pci_device_new(bus, &bridge, NULL, NULL, &bus->bridge);

	if (result < 0)
		return result;
	return bus_add(bus->pio, MECHANISM_PORT, MECHANISM_BYTES, &mechanism_ops, bus);
}

int pci_bus_new(struct bus *pio, struct bus *mmio, struct pci_bus **ret_bus)
{
	struct pci_bus *bus = calloc(1, sizeof(*bus));
	int result;

	if (!bus)
		return -ENOMEM;
	bus->pio = pio;
	bus->mmio = mmio;
	result = -pthread_mutex_init(&bus->lock, NULL);
	if (result < 0) {
		free(bus);
		return result;
	}
	result = bus_fill(bus);
	if (result < 0) {
		bus->bridge = pci_device_free(bus->bridge);
		pthread_mutex_destroy(&bus->lock);
		free(bus);
		return result;
	}
	*ret_bus = bus;
	return 0;
}

struct pci_bus *pci_bus_free(struct pci_bus *bus)
{
	if (!bus)
		return NULL;
	bus_remove(bus->pio, MECHANISM_PORT);
	bus->bridge = pci_device_free(bus->bridge);
	pthread_mutex_destroy(&bus->lock);
	free(bus);
	return NULL;
}
