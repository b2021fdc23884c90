/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pmem device on a PCI bus, without a VM, over a file, and its driver.  The
 * device's calls of the system are the bed's: each sync says that it has begun,
 * waits at a gate, which lets a number of them pass, and fails if it is told to.
 */
#ifndef TESTS_UNIT_VMM_PMEM_BED_H
#define TESTS_UNIT_VMM_PMEM_BED_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <event2/event.h>

#include "dev/pmem.h"
#include "dev/pmem_sync.h"
#include "mem/layout.h"
#include "unit/vmm/virtio_bed.h"

#define MIB (UINT64_C(1) << 20)
#define FILE_BYTES (3 * MIB)
#define PMEM_GPA ((uint64_t)LAYOUT_PMEM_START)
#define PMEM_RING 128
#define REQUEST_GPA 0x100000
#define REPLY_GPA 0x110000
#define NO_REPLY 0x5A5A5A5Au

/* What the device's thread does, which has no argument of ours. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint32_t begun;
	uint32_t pass; /* syncs that come through */
	int error;
	int flags; /* of the last descriptor */
} gate = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static inline int gate_fdatasync(int fd)
{
	uint32_t number;
	int error;

	(void)pthread_mutex_lock(&gate.lock);
	number = ++gate.begun;
	gate.flags = fcntl(fd, F_GETFL);
	(void)pthread_cond_broadcast(&gate.changed);
	while (number > gate.pass)
		(void)pthread_cond_wait(&gate.changed, &gate.lock);
	error = gate.error;
	(void)pthread_mutex_unlock(&gate.lock);
	if (!error)
		return fdatasync(fd);
	errno = error;
	return -1;
}

static const struct pmem_sync_calls gate_calls = { gate_fdatasync, fstat };

#define ALL UINT32_MAX
static inline void gate_set(uint32_t pass, int error)
{
	(void)pthread_mutex_lock(&gate.lock);
	gate.pass = pass;
	gate.error = error;
	(void)pthread_cond_broadcast(&gate.changed);
	(void)pthread_mutex_unlock(&gate.lock);
}

static inline void gate_wait(uint32_t begun)
{
	(void)pthread_mutex_lock(&gate.lock);
	while (gate.begun < begun)
		(void)pthread_cond_wait(&gate.changed, &gate.lock);
	(void)pthread_mutex_unlock(&gate.lock);
}

static inline void *gate_nothing(void *argument)
{
	return argument;
}

/*
 * A group's set-up.  A sanitizer has a thread of its own from the first one on:
 * before anything is counted.
 */
static inline int gate_start_a_thread(void **state)
{
	pthread_t thread;

	(void)state;
	return pthread_create(&thread, NULL, gate_nothing, NULL) || pthread_join(thread, NULL);
}

struct pmem_bed {
	struct bed bed; /* its bus, and what drives registers */
	struct window *window;
	struct event_base *events;
	struct pmem *pmem;
	struct driver_ring ring;
	int fd;
};

/* A file in place of a section, of so many bytes. */
static inline void pmem_bed_file(struct pmem_bed *bed, uint64_t bytes)
{
	char path[] = "/tmp/vmsect-pmem-XXXXXX";

	bed->fd = mkostemp(path, O_CLOEXEC);
	assert_true(bed->fd >= 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(ftruncate(bed->fd, (off_t)bytes), 0);
}

static inline void pmem_bed_window(struct pmem_bed *bed, uint64_t bytes, enum window_mode mode)
{
	const struct window_map map = {
		.fd = bed->fd,
		.bytes = (bytes + 4095) & ~UINT64_C(4095),
		.page_bytes = 4096,
		.mode = mode,
	};
	uint64_t place;

	assert_int_equal(window_new(NULL, 4 * MIB, &bed->window), 0);
	assert_int_equal(window_reserve(bed->window, 0, 0, map.bytes, &place), 0);
	assert_int_equal(window_map(bed->window, &map, 1), 0);
}

static inline int pmem_bed_new(struct pmem_bed *bed, const struct pmem_info *info)
{
	const struct virtio_pci_env env = {
		.mem = &bed->bed.mem,
		.pci = bed->bed.pci,
		.events = bed->events,
	};

	return pmem_new(&env, info, &bed->pmem);
}

static inline struct pmem_info pmem_bed_info(const struct pmem_bed *bed, uint64_t bytes,
					     enum window_mode mode)
{
	return (struct pmem_info){
		.name = "bed",
		.bytes = bytes,
		.gpa = PMEM_GPA,
		.window = bed->window,
		.mode = mode,
		.fd = bed->fd,
		.calls = &gate_calls,
	};
}

static inline void pmem_bed_init(struct pmem_bed *bed, uint64_t bytes, enum window_mode mode)
{
	struct bed *bus = &bed->bed;

	*bed = (struct pmem_bed){ .bed.guard = leak_guard_new() };
	gate_set(ALL, 0);
	gate.begun = 0;
	assert_int_equal(guest_mem_init(&bus->mem, NULL, RAM_BYTES), 0);
	assert_int_equal(bus_new(&bus->pio), 0);
	assert_int_equal(bus_new(&bus->mmio), 0);
	assert_int_equal(pci_bus_new(bus->pio, bus->mmio, &bus->pci), 0);
	bus->bar = LAYOUT_PCI32_START;
	bed->events = event_base_new();
	assert_non_null(bed->events);
	pmem_bed_file(bed, bytes);
	pmem_bed_window(bed, bytes, mode);
	ring_init(&bed->ring, &bus->mem, 0x10000, PMEM_RING);
}

static inline void pmem_bed_deinit(struct pmem_bed *bed)
{
	bed->pmem = pmem_free(bed->pmem);
	bed->window = window_free(bed->window);
	event_base_free(bed->events);
	assert_int_equal(close(bed->fd), 0);
	bed->bed.pci = pci_bus_free(bed->bed.pci);
	bed->bed.mmio = bus_free(bed->bed.mmio);
	bed->bed.pio = bus_free(bed->bed.pio);
	guest_mem_deinit(&bed->bed.mem);
	leak_guard_check(bed->bed.guard);
}

/* What is due on the io thread; waits for nothing. */
static inline void pmem_bed_run(struct pmem_bed *bed)
{
	for (int i = 0; i < 4; i++)
		assert_true(event_base_loop(bed->events, EVLOOP_NONBLOCK) >= 0);
}

static inline void pmem_bed_driver(struct pmem_bed *bed)
{
	set_features(&bed->bed, VERSION_1);
	set_queue(&bed->bed, 0, &bed->ring.setup);
	put(&bed->bed, STATUS, 1, 0xF);
	pmem_bed_run(bed);
}

static inline void pmem_bed_reset(struct pmem_bed *bed)
{
	put(&bed->bed, STATUS, 1, 0);
	pmem_bed_run(bed);
	assert_int_equal(get(&bed->bed, STATUS, 1), 0);
	memset(guest_mem_at(&bed->bed.mem, 0x10000, 0x4000), 0, 0x4000);
	ring_init(&bed->ring, &bed->bed.mem, 0x10000, PMEM_RING);
}

static inline void pmem_bed_kick(struct pmem_bed *bed)
{
	put(&bed->bed, NOTIFY, 2, 0);
	pmem_bed_run(bed);
}

static inline void put32(struct pmem_bed *bed, uint64_t gpa, uint32_t value)
{
	assert_true(guest_mem_write(&bed->bed.mem, gpa, &value, sizeof(value)));
}

static inline uint32_t get32(const struct pmem_bed *bed, uint64_t gpa)
{
	uint32_t value;

	assert_true(guest_mem_read(&bed->bed.mem, gpa, &value, sizeof(value)));
	return value;
}

static inline uint64_t reply_gpa(uint32_t number)
{
	return REPLY_GPA + UINT64_C(16) * number;
}

/* Request `number` in descriptors 2 * number and the next; not kicked yet. */
static inline void pmem_bed_request(struct pmem_bed *bed, uint16_t number, uint32_t type)
{
	const uint64_t gpa = REQUEST_GPA + UINT64_C(16) * number;
	const uint16_t head = (uint16_t)(2 * number);

	put32(bed, gpa, type);
	put32(bed, reply_gpa(number), NO_REPLY);
	ring_desc(&bed->ring, head,
		  (struct driver_desc){ gpa, 4, RING_NEXT, (uint16_t)(head + 1) });
	ring_desc(&bed->ring, (uint16_t)(head + 1),
		  (struct driver_desc){ reply_gpa(number), 4, RING_WRITE, 0 });
	ring_publish(&bed->ring, head);
}

/* Answers so far that were not asked for before. */
static inline uint32_t pmem_bed_answers(struct pmem_bed *bed)
{
	uint32_t head, bytes, count = 0;

	while (ring_take(&bed->ring, &head, &bytes)) {
		assert_int_equal(bytes, 4);
		count++;
	}
	return count;
}

/* Waits until there are so many more. */
static inline void pmem_bed_wait(struct pmem_bed *bed, uint32_t wanted)
{
	uint32_t count = pmem_bed_answers(bed);

	while (count < wanted) {
		assert_true(event_base_loop(bed->events, EVLOOP_ONCE) >= 0);
		count += pmem_bed_answers(bed);
	}
	assert_int_equal(count, wanted);
}

/* One flush from beginning to end; its result. */
static inline uint32_t pmem_bed_flush(struct pmem_bed *bed)
{
	pmem_bed_request(bed, 0, 0);
	pmem_bed_kick(bed);
	pmem_bed_wait(bed, 1);
	return get32(bed, reply_gpa(0));
}

static inline struct pmem_counters pmem_bed_counters(const struct pmem_bed *bed)
{
	struct pmem_counters counters;

	pmem_counters(bed->pmem, &counters);
	return counters;
}

#endif
