/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registers by which a guest ends its VM, each a port of its own:
 *   sleep control and status (ACPI 6.4, section 4.8.3.7), power-off only;
 *   reset, at 0xCF9, and the reset command of the 8042;
 *   debug exit, as QEMU's isa-debug-exit, where the configuration asks for it.
 *
 * Owner: struct machine.  Stateless; ended() is called on vCPU threads.
 */
#ifndef DEV_POWER_H
#define DEV_POWER_H

#include <stdbool.h>
#include <stdint.h>

struct bus;

enum power_end {
	POWER_END_OFF,
	POWER_END_RESET,
	POWER_END_DEBUG, /* with an exit code */
};

struct power {
	void *owner;
	void (*ended)(void *owner, enum power_end end, int exit_code);
};

/* The exit code of a debug exit with this value: odd, 1 to 127. */
static inline int power_debug_code(uint32_t value)
{
	return (int)(((value << 1) | 1) & 0x7f);
}

/* Adds the ports; power is borrowed and outlives the bus.  0 or -errno. */
int power_add(struct bus *pio, struct power *power, bool debug_exit);

#endif
