/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bus routes guest accesses (one bus for I/O ports, one for MMIO) to
 * devices.  A device sees an offset in its own range and never its address.
 *
 * Owner: struct machine.  vCPU threads call bus_read() and bus_write() in
 * parallel; ranges change under the write side of `lock` (a PCI BAR moves).
 * A device has its own lock; lock order: device, then bus.  bus_read() and
 * bus_write() call the device with no bus lock held, so a range is removed
 * only by its device, which stays alive as long as the machine.
 */
#ifndef BUS_BUS_H
#define BUS_BUS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * offset + bytes never reaches past the range; bytes is 1 to 8.  read() fills
 * all of `data`; an unknown register reads as zero unless specified.
 */
struct bus_ops {
	void (*read)(void *device, uint64_t offset, void *data, uint32_t bytes);
	void (*write)(void *device, uint64_t offset, const void *data, uint32_t bytes);
};

struct bus;

int bus_new(struct bus **ret_bus);
struct bus *bus_free(struct bus *bus);

/*
 * A range may lie inside another one (port 0xCF9 inside 0xCF8 to 0xCFF): the
 * innermost that has all of an access gets it.  0, -EEXIST (the same start, or
 * a part of another range), -EINVAL (empty or wraps), -ENOMEM.
 */
int bus_add(struct bus *bus, uint64_t start, uint64_t bytes, const struct bus_ops *ops,
	    void *device);
/* Takes out the range that starts at `start`, if there is one. */
void bus_remove(struct bus *bus, uint64_t start);

/*
 * False if no device has the whole access; then `data` is all ones for a
 * read, and a write did nothing.
 */
bool bus_read(struct bus *bus, uint64_t address, void *data, uint32_t bytes);
bool bus_write(struct bus *bus, uint64_t address, const void *data, uint32_t bytes);

#endif
