/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as what a driver of the pmem device does: it writes rings, requests
 * and registers, and other vCPUs write to its memory whenever the device has
 * looked at it (guest_mem_at() and guest_mem_read() are wrapped), so that two
 * looks at one place differ.  Syncs succeed, fail, or find the file truncated, as
 * the input says.  However it goes, no more is pending than a queue has, nothing
 * without a sync, and a device that has failed refuses whatever comes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/log.h"
#include "bus/bus.h"
#include "bus/pci.h"
#include "dev/pmem.h"
#include "dev/pmem_impl.h"
#include "dev/pmem_sync.h"
#include "mem/guest_mem.h"
#include "mem/layout.h"

#define RAM_BYTES UINT64_C(0x200000)
#define ARENA 0x4000u /* where an input can write: rings, requests, replies */
#define FILE_BYTES UINT64_C(0x3000)
#define STATUS 20
#define NOTIFY 0x3000
#define RING 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void *__real_guest_mem_at(const struct guest_mem *mem, uint64_t gpa, uint64_t bytes);
void *__wrap_guest_mem_at(const struct guest_mem *mem, uint64_t gpa, uint64_t bytes);
bool __real_guest_mem_read(const struct guest_mem *mem, uint64_t gpa, void *to, size_t bytes);
bool __wrap_guest_mem_read(const struct guest_mem *mem, uint64_t gpa, void *to, size_t bytes);

/* One thing that happens: 8 bytes of input. */
struct step {
	uint8_t what;
	uint8_t count; /* of the next steps, that are stores of other vCPUs */
	uint16_t offset;
	uint32_t value;
};

enum { STORE, KICK, SYNCED, RESET, SET_UP, REVOKE, SYNC_RESULT, REGISTER, KINDS };

static struct {
	struct guest_mem mem;
	int fd;
	/* Stores that other vCPUs have yet to make. */
	const uint8_t *stores;
	uint32_t count;
} world = { .fd = -1 };

static atomic_int sync_error;
static atomic_int sync_is_short;

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void store(const struct step *step)
{
	uint8_t *ram = __real_guest_mem_at(&world.mem, 0, RAM_BYTES);

	memcpy(ram + step->offset % (ARENA - sizeof(step->value)), &step->value,
	       sizeof(step->value));
}

static void others_store(void)
{
	struct step step;

	if (world.count == 0)
		return;
	memcpy(&step, world.stores, sizeof(step));
	world.stores += sizeof(step);
	world.count--;
	store(&step);
}

void *__wrap_guest_mem_at(const struct guest_mem *mem, uint64_t gpa, uint64_t bytes)
{
	void *at = __real_guest_mem_at(mem, gpa, bytes);

	others_store();
	return at;
}

bool __wrap_guest_mem_read(const struct guest_mem *mem, uint64_t gpa, void *to, size_t bytes)
{
	bool result = __real_guest_mem_read(mem, gpa, to, bytes);

	others_store();
	return result;
}

static int fuzz_fdatasync(int fd)
{
	(void)fd;
	errno = atomic_load(&sync_error);
	return errno ? -1 : 0;
}

static int fuzz_fstat(int fd, struct stat *status)
{
	int result = fstat(fd, status);

	if (result == 0 && atomic_load(&sync_is_short))
		status->st_size--;
	return result;
}

static const struct pmem_sync_calls calls = { fuzz_fdatasync, fuzz_fstat };

struct machine {
	struct bus *pio;
	struct bus *mmio;
	struct pci_bus *pci;
	struct window *window;
	struct event_base *events;
	struct pmem *pmem;
};

static void make_world(void)
{
	if (world.fd >= 0)
		return;
	log_init("fuzz_pmem", (enum log_level)0); /* says nothing */
	require(guest_mem_init(&world.mem, NULL, RAM_BYTES) == 0);
	world.fd = memfd_create("fuzz", MFD_CLOEXEC);
	require(world.fd >= 0 && ftruncate(world.fd, (off_t)FILE_BYTES) == 0);
}

static void build(struct machine *machine, enum window_mode mode)
{
	const struct window_map map = {
		.fd = world.fd, .bytes = FILE_BYTES, .page_bytes = 4096, .mode = mode
	};
	struct pmem_info info = {
		.name = "fuzz",
		.bytes = FILE_BYTES,
		.gpa = LAYOUT_PMEM_START,
		.mode = mode,
		.fd = world.fd,
		.calls = &calls,
	};
	struct virtio_pci_env env = { .mem = &world.mem };
	uint64_t place;

	require(window_new(NULL, pmem_bytes(FILE_BYTES), &machine->window) == 0);
	require(window_reserve(machine->window, 0, 0, FILE_BYTES, &place) == 0);
	require(window_map(machine->window, &map, 1) == 0);
	require(bus_new(&machine->pio) == 0 && bus_new(&machine->mmio) == 0);
	require(pci_bus_new(machine->pio, machine->mmio, &machine->pci) == 0);
	machine->events = event_base_new();
	require(machine->events != NULL);
	env.pci = machine->pci;
	env.events = machine->events;
	info.window = machine->window;
	require(pmem_new(&env, &info, &machine->pmem) == 0);
}

static void destroy(struct machine *machine)
{
	machine->pmem = pmem_free(machine->pmem);
	event_base_free(machine->events);
	machine->pci = pci_bus_free(machine->pci);
	machine->mmio = bus_free(machine->mmio);
	machine->pio = bus_free(machine->pio);
	machine->window = window_free(machine->window);
}

static void run(struct machine *machine)
{
	for (int i = 0; i < 4; i++)
		require(event_base_loop(machine->events, EVLOOP_NONBLOCK) >= 0);
}

static void put(struct machine *machine, uint64_t offset, uint32_t bytes, uint64_t value)
{
	(void)bus_write(machine->mmio, LAYOUT_PCI32_START + offset, &value, bytes);
}

/* As a good driver does it; the rings are what they are. */
static void set_up(struct machine *machine)
{
	put(machine, STATUS, 1, 3);
	put(machine, 8, 4, 1);
	put(machine, 12, 4, 1);
	put(machine, STATUS, 1, 11);
	put(machine, 22, 2, 0);
	put(machine, 24, 2, RING);
	put(machine, 32, 8, 0);
	put(machine, 40, 8, 0x200);
	put(machine, 48, 8, 0x300);
	put(machine, 28, 2, 1);
	put(machine, STATUS, 1, 15);
}

/* Until the sync that runs has ended and was taken. */
static void wait_synced(struct machine *machine)
{
	while (machine->pmem->is_syncing)
		require(event_base_loop(machine->events, EVLOOP_ONCE) >= 0);
}

static void check(const struct machine *machine, int error)
{
	const struct pmem *pmem = machine->pmem;
	struct pmem_counters counters;

	pmem_counters(pmem, &counters);
	require(pmem->running + pmem->waiting <= PMEM_QUEUE_SIZE);
	require(pmem->is_syncing || pmem->running == 0);
	require(pmem->sync || pmem->running + pmem->waiting == 0);
	require(counters.malformed <= counters.refused && counters.refused <= counters.requests);
	require(counters.merged <= counters.requests);
	require(!error || counters.error == error);
}

static void do_step(struct machine *machine, const struct step *step)
{
	static const int errors[] = { 0, EIO, ENOSPC, EDQUOT };

	switch (step->what % KINDS) {
	case STORE:
		store(step);
		break;
	case KICK:
		put(machine, NOTIFY, 2, 0);
		break;
	case SYNCED:
		wait_synced(machine);
		break;
	case RESET:
		put(machine, STATUS, 1, 0);
		break;
	case SET_UP:
		set_up(machine);
		break;
	case REVOKE:
		pmem_revoked(machine->pmem);
		break;
	case SYNC_RESULT:
		atomic_store(&sync_error, errors[step->value % 4]);
		atomic_store(&sync_is_short, (int)(step->value >> 2 & 1));
		break;
	case REGISTER:
		put(machine, step->offset % 0x4000, 4, step->value);
		break;
	}
}

/* After a failure no answer may be 0: all that is refused or answered is counted. */
static void check_failed(struct machine *machine)
{
	struct pmem_counters before, after;

	wait_synced(machine);
	pmem_counters(machine->pmem, &before);
	put(machine, NOTIFY, 2, 0);
	run(machine);
	pmem_counters(machine->pmem, &after);
	if (before.error)
		require(after.requests - before.requests == after.refused - before.refused &&
			after.syncs == before.syncs && after.error == before.error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum window_mode modes[] = { WINDOW_READWRITE, WINDOW_READWRITE,
						  WINDOW_READONLY, WINDOW_WRITECOPY };
	struct machine machine = { .pio = NULL };
	struct step step;
	int error = 0;

	if (size < 1)
		return 0;
	make_world();
	memset(__real_guest_mem_at(&world.mem, 0, RAM_BYTES), 0, ARENA);
	atomic_store(&sync_error, 0);
	atomic_store(&sync_is_short, 0);
	build(&machine, modes[data[0] & 3]);
	data++, size--;
	while (size >= sizeof(step)) {
		memcpy(&step, data, sizeof(step));
		data += sizeof(step), size -= sizeof(step);
		world.stores = data;
		world.count = step.what & 0x80 ? step.count : 0;
		if (world.count > size / sizeof(step))
			world.count = (uint32_t)(size / sizeof(step));
		do_step(&machine, &step);
		run(&machine);
		world.count = 0;
		check(&machine, error);
		error = machine.pmem->counters.error;
	}
	check_failed(&machine);
	destroy(&machine);
	return 0;
}
