/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ports, MMIO and the ends of a flat guest.
 */
#ifndef GUEST_IO_H
#define GUEST_IO_H

#include <stdint.h>

#include "mem/layout.h"

static inline uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint16_t in16(uint16_t port)
{
	uint16_t value;

	__asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint32_t in32(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void out16(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void out32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

/* Plain mov of one width, which the compiler neither splits nor joins. */
#define MMIO_ACCESS(bits, suffix)                                                                  \
	static inline uint##bits##_t mmio_read##bits(uint64_t address)                             \
	{                                                                                          \
		uint##bits##_t value;                                                              \
                                                                                                   \
		__asm__ volatile("mov" suffix " (%1), %0"                                          \
				 : "=r"(value)                                                     \
				 : "r"(address)                                                    \
				 : "memory");                                                      \
		return value;                                                                      \
	}                                                                                          \
                                                                                                   \
	static inline void mmio_write##bits(uint64_t address, uint##bits##_t value)                \
	{                                                                                          \
		__asm__ volatile("mov" suffix " %0, (%1)"                                          \
				 :                                                                 \
				 : "r"(value), "r"(address)                                        \
				 : "memory");                                                      \
	}
MMIO_ACCESS(8, "b")
MMIO_ACCESS(16, "w")
MMIO_ACCESS(32, "l")
MMIO_ACCESS(64, "q")

static inline void cpu_pause(void)
{
	__asm__ volatile("pause" ::: "memory");
}

/* ACPI sleep control: the type of S5, and enable. */
static inline void power_off(void)
{
	out8(LAYOUT_SLEEP_PORT, (LAYOUT_SLEEP_TYPE_S5 << 2) | (1 << 5));
}

static inline void debug_exit(uint8_t code)
{
	out8(LAYOUT_DEBUG_EXIT, code);
}

#endif
