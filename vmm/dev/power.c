/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See power.h. */
#include "dev/power.h"

#include <stddef.h>
#include <string.h>

#include "bus/bus.h"
#include "mem/layout.h"

#define SLEEP_ENABLE 0x20u
#define SLEEP_TYPE_SHIFT 2
#define SLEEP_TYPE_MASK 0x7u
#define RESET_CPU 0x04u
#define I8042_RESET 0xfeu
/* QEMU's width of the debug port. */
#define DEBUG_EXIT_BYTES 4u

static void read_zero(void *device, uint64_t offset, void *data, uint32_t bytes)
{
	(void)device;
	(void)offset;
	memset(data, 0, bytes);
}

/* Offset 1 is the status register, whose only use is to be cleared. */
static void write_sleep(void *device, uint64_t offset, const void *data, uint32_t bytes)
{
	struct power *power = device;
	uint8_t value = *(const uint8_t *)data;
	uint32_t type = (value >> SLEEP_TYPE_SHIFT) & SLEEP_TYPE_MASK;

	(void)bytes;
	if (offset == 0 && (value & SLEEP_ENABLE) && type == LAYOUT_SLEEP_TYPE_S5)
		power->ended(power->owner, POWER_END_OFF, 0);
}

static void write_reset(void *device, uint64_t offset, const void *data, uint32_t bytes)
{
	struct power *power = device;

	(void)offset;
	(void)bytes;
	if (*(const uint8_t *)data & RESET_CPU)
		power->ended(power->owner, POWER_END_RESET, 0);
}

static void write_i8042(void *device, uint64_t offset, const void *data, uint32_t bytes)
{
	struct power *power = device;

	(void)offset;
	(void)bytes;
	if (*(const uint8_t *)data == I8042_RESET)
		power->ended(power->owner, POWER_END_RESET, 0);
}

static void write_debug(void *device, uint64_t offset, const void *data, uint32_t bytes)
{
	struct power *power = device;
	uint32_t value = 0;

	(void)offset;
	memcpy(&value, data, bytes < sizeof(value) ? bytes : sizeof(value));
	power->ended(power->owner, POWER_END_DEBUG, power_debug_code(value));
}

static const struct bus_ops sleep_ops = { .read = read_zero, .write = write_sleep };
static const struct bus_ops reset_ops = { .read = read_zero, .write = write_reset };
static const struct bus_ops i8042_ops = { .read = read_zero, .write = write_i8042 };
static const struct bus_ops debug_ops = { .read = read_zero, .write = write_debug };

static const struct {
	const struct bus_ops *ops;
	uint16_t port;
	uint16_t bytes;
	bool debug;
} ports[] = {
	{ &sleep_ops, LAYOUT_SLEEP_PORT, LAYOUT_SLEEP_STATUS_PORT - LAYOUT_SLEEP_PORT + 1, false },
	{ &reset_ops, LAYOUT_RESET_PORT, 1, false },
	{ &i8042_ops, LAYOUT_I8042_COMMAND, 1, false },
	{ &debug_ops, LAYOUT_DEBUG_EXIT, DEBUG_EXIT_BYTES, true },
};

int power_add(struct bus *pio, struct power *power, bool debug_exit)
{
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		int result;

		if (ports[i].debug && !debug_exit)
			continue;
		result = bus_add(pio, ports[i].port, ports[i].bytes, ports[i].ops, power);
		if (result < 0)
			return result;
	}
	return 0;
}
