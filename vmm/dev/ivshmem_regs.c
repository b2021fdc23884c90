/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See ivshmem_impl.h.  The registers in BAR 0: 32 bits each, little endian.  An
 * access of 8 bytes is two of 4, a narrower one counts as one of 4 whose other
 * bytes are zero, and one between two registers reaches none, as with QEMU.  It
 * differs in one thing: of a vector in the doorbell all 16 bits count, where
 * QEMU takes 8 of them if the store was not for KVM to handle.
 */
#include <errno.h>
#include <string.h>

#include "dev/ivshmem_impl.h"

enum ivshmem_register {
	REGISTER_MASK = 0x00,
	REGISTER_STATUS = 0x04,
	REGISTER_POSITION = 0x08,
	REGISTER_DOORBELL = IVSHMEM_DOORBELL,
};

static uint32_t read_one(struct ivshmem *ivshmem, uint64_t offset)
{
	uint32_t value = 0;

	switch (offset) {
	case REGISTER_MASK:
		return ivshmem->mask;
	case REGISTER_STATUS:
		value = ivshmem->status;
		ivshmem->status = 0;
		return value;
	case REGISTER_POSITION:
		return ivshmem->info.vectors ? ivshmem->info.id : 0;
	default:
		return 0;
	}
}

static void ring(struct ivshmem *ivshmem, uint32_t value)
{
	switch (ivshmem_peers_ring(&ivshmem->peers, (uint16_t)(value >> 16), (uint16_t)value)) {
	case 0:
		ivshmem->counters.rung++;
		break;
	case -ENXIO:
		ivshmem->counters.no_peer++;
		break;
	default:
		ivshmem->counters.no_vector++;
	}
}

static void write_one(struct ivshmem *ivshmem, uint64_t offset, uint32_t value)
{
	switch (offset) {
	case REGISTER_MASK:
		ivshmem->mask = value;
		break;
	case REGISTER_STATUS:
		ivshmem->status = value;
		break;
	case REGISTER_DOORBELL:
		ring(ivshmem, value);
		break;
	default:
		break;
	}
}

static void registers_read(void *device, uint64_t offset, void *data, uint32_t bytes)
{
	struct ivshmem *ivshmem = device;
	uint32_t values[2] = { 0 };

	pthread_mutex_lock(&ivshmem->lock);
	values[0] = read_one(ivshmem, offset);
	if (bytes > sizeof(values[0]))
		values[1] = read_one(ivshmem, offset + sizeof(values[0]));
	pthread_mutex_unlock(&ivshmem->lock);
	memcpy(data, values, bytes);
}

static void registers_write(void *device, uint64_t offset, const void *data, uint32_t bytes)
{
	struct ivshmem *ivshmem = device;
	uint32_t values[2] = { 0 };

	memcpy(values, data, bytes);
	pthread_mutex_lock(&ivshmem->lock);
	write_one(ivshmem, offset, values[0]);
	if (bytes > sizeof(values[0]))
		write_one(ivshmem, offset + sizeof(values[0]), values[1]);
	pthread_mutex_unlock(&ivshmem->lock);
}

const struct bus_ops ivshmem_register_ops = { registers_read, registers_write };
