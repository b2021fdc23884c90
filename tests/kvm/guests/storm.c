// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Command storm: maps and unmaps in random order, at random places and sizes,
 * against a model of the window, while another CPU reads the views that stay
 * and checks every byte.
 *
 * The model knows which units of the window are taken and so which answer
 * every request must have.  A live view's slot goes FREE -> READY when its map
 * is checked, READY -> READING and back while the reader has it, and READY ->
 * FREE before its unmap: the reader never reads a view that is being unmapped.
 */
#include "agent.h"
#include "cpu.h"
#include "io.h"
#include "pattern.h"
#include "print.h"
#include "text.h"

#define UNIT_SHIFT 21
#define UNIT_BYTES (1ul << UNIT_SHIFT)
#define UNITS_MAX 8192
#define SLOTS 48
#define SOURCES 4
#define VIEW_BYTES_MAX (6 * UNIT_BYTES)
#define READ_BYTES 65536

enum slot_state { SLOT_FREE, SLOT_READY, SLOT_READING };

struct slot {
	volatile uint32_t state; /* enum slot_state; CPU 0 and the reader */
	struct vmsect_dev_view view;
	uint64_t seed;
};

struct source {
	uint32_t handle;
	uint32_t page_shift;
	uint64_t seed;
	uint64_t size;
};

struct storm {
	uint64_t random;
	uint32_t units;
	uint32_t live;
	uint32_t sources;
	uint64_t maps;
	uint64_t unmaps;
	uint64_t refused;
	volatile bool stop;
	struct watch_result reader;
	struct source source[SOURCES];
	struct slot slot[SLOTS];
	uint8_t taken[UNITS_MAX];
};

static struct storm storm;

static uint64_t below(uint64_t limit)
{
	return pattern_random(&storm.random) % limit;
}

static bool mismatch(const char *what, uint64_t want, uint64_t got)
{
	print("err storm what=%s want=0x%lx got=0x%lx maps=%lu unmaps=%lu refused=%lu\n", what,
	      want, got, storm.maps, storm.unmaps, storm.refused);
	return false;
}

/* What a view is to hold at `at`: its pattern, or ones if it has no access. */
static bool view_word_is_right(const struct slot *slot, uint64_t at)
{
	uint64_t want = pattern_word(slot->seed, slot->view.offset + at);
	uint64_t got = mmio_read64(section_device.window + slot->view.window_offset + at);

	if (slot->view.protection == VMSECT_DEV_PROT_NOACCESS)
		want = UINT64_MAX;
	return got == want ? true : mismatch("word", want, got);
}

static bool hole_is_right(uint64_t place)
{
	uint64_t got = mmio_read64(section_device.window + place);

	return got == UINT64_MAX ? true : mismatch("hole", UINT64_MAX, got);
}

static uint32_t units_of(uint64_t offset, uint64_t length)
{
	return (uint32_t)(((offset & (UNIT_BYTES - 1)) + length + UNIT_BYTES - 1) >> UNIT_SHIFT);
}

static bool units_are(uint64_t first, uint32_t count, uint8_t value)
{
	for (uint32_t i = 0; i < count; i++)
		if (storm.taken[first + i] != value)
			return false;
	return true;
}

static bool room_for(uint32_t count)
{
	for (uint32_t first = 0; first + count <= storm.units; first++)
		if (units_are(first, count, 0))
			return true;
	return false;
}

static void take_units(const struct vmsect_dev_view *view, uint8_t value)
{
	memset(&storm.taken[view->window_offset >> UNIT_SHIFT], value,
	       units_of(view->offset, view->length));
}

/* The answer that the model expects; 0 is OK. */
static uint32_t expected(const struct vmsect_req_map *req, const struct source *source)
{
	uint64_t page = 1ul << source->page_shift;
	uint32_t count = units_of(req->offset, req->length);
	uint64_t first = req->window_offset >> UNIT_SHIFT;

	if ((req->offset | req->length) & (page - 1))
		return VMSECT_S_EINVAL;
	if (req->offset >= source->size || req->length > source->size - req->offset)
		return VMSECT_S_EINVAL;
	if (req->window_offset == VMSECT_WINDOW_ANY)
		return room_for(count) ? VMSECT_S_OK : VMSECT_S_ENOSPC;
	if ((req->window_offset ^ req->offset) & (UNIT_BYTES - 1))
		return VMSECT_S_EINVAL;
	if (first + count > storm.units)
		return VMSECT_S_EINVAL;
	return units_are(first, count, 0) ? VMSECT_S_OK : VMSECT_S_EEXIST;
}

static void choose(struct vmsect_req_map *req, const struct source *source)
{
	uint64_t page = 1ul << source->page_shift;
	uint64_t pages = source->size >> source->page_shift;
	uint64_t most = VIEW_BYTES_MAX >> source->page_shift;
	uint64_t first = below(pages);
	uint64_t left = pages - first;

	if (below(3) && most > 8)
		most = 8;
	if (left > most)
		left = most;
	req->offset = first << source->page_shift;
	req->length = (1 + below(left)) << source->page_shift;
	req->protection = 1 + (uint32_t)below(4);
	req->window_offset = VMSECT_WINDOW_ANY;
	if (!below(4))
		req->window_offset =
			(below(storm.units + 1) << UNIT_SHIFT) + (req->offset & (UNIT_BYTES - 1));
	/* Now and then something that must be refused. */
	switch (below(24)) {
	case 0:
		req->offset += page / 2;
		break;
	case 1:
		req->length = source->size - req->offset + page;
		break;
	case 2:
		if (req->window_offset != VMSECT_WINDOW_ANY)
			req->window_offset ^= 1ul << 12;
		break;
	default:
		break;
	}
}

static bool view_is_as_asked(const struct vmsect_req_map *req, const struct vmsect_dev_view *view)
{
	uint32_t count = units_of(req->offset, req->length);

	if (view->offset != req->offset || view->length != req->length)
		return mismatch("range", req->length, view->length);
	if (view->protection != req->protection || view->handle != req->handle)
		return mismatch("protection", req->protection, view->protection);
	if (req->window_offset != VMSECT_WINDOW_ANY && view->window_offset != req->window_offset)
		return mismatch("place", req->window_offset, view->window_offset);
	if ((view->window_offset ^ view->offset) & (UNIT_BYTES - 1))
		return mismatch("congruence", view->offset, view->window_offset);
	if ((view->window_offset >> UNIT_SHIFT) + count > storm.units ||
	    !units_are(view->window_offset >> UNIT_SHIFT, count, 0))
		return mismatch("overlap", count, view->window_offset);
	return true;
}

/* Its first, last and some other words, and the hole behind it. */
static bool new_view_is_right(const struct slot *slot)
{
	const struct vmsect_dev_view *view = &slot->view;
	uint64_t end = view->window_offset + view->length;

	if (!view_word_is_right(slot, 0) || !view_word_is_right(slot, view->length - 8))
		return false;
	for (uint32_t i = 0; i < 4; i++)
		if (!view_word_is_right(slot, below(view->length) & ~7ul))
			return false;
	if (end & (UNIT_BYTES - 1))
		return hole_is_right(end);
	return true;
}

/* A word of one's own in a writecopy view, which only that view may show. */
static bool try_copy(const struct slot *slot)
{
	uint64_t at = below(slot->view.length) & ~7ul;
	uint64_t address = section_device.window + slot->view.window_offset + at;
	uint64_t was = mmio_read64(address);

	mmio_write64(address, ~was);
	if (mmio_read64(address) != ~was)
		return mismatch("copy", ~was, mmio_read64(address));
	mmio_write64(address, was);
	return true;
}

static bool do_map(struct slot *slot)
{
	const struct source *source = &storm.source[below(storm.sources)];
	struct vmsect_req_map req = { .hdr.op = VMSECT_REQ_MAP, .handle = source->handle };
	struct vmsect_dev_view view;
	struct section_result result;
	uint32_t want;

	choose(&req, source);
	want = expected(&req, source);
	result = section_map(&req, &view);
	if (result.status != want)
		return mismatch("map", want, result.status);
	if (want != VMSECT_S_OK) {
		storm.refused++;
		return true;
	}
	storm.maps++;
	if (!view_is_as_asked(&req, &view))
		return false;
	slot->view = view;
	slot->seed = source->seed;
	take_units(&view, 1);
	storm.live++;
	if (!new_view_is_right(slot))
		return false;
	if (view.protection == VMSECT_DEV_PROT_WRITECOPY && !try_copy(slot))
		return false;
	__atomic_store_n(&slot->state, SLOT_READY, __ATOMIC_RELEASE);
	return true;
}

/* Takes a slot from the reader, and unmaps it. */
static bool do_unmap(struct slot *slot)
{
	uint32_t want = SLOT_READY;
	struct section_result result;

	while (!__atomic_compare_exchange_n(&slot->state, &want, SLOT_FREE, false, __ATOMIC_ACQUIRE,
					    __ATOMIC_RELAXED)) {
		want = SLOT_READY;
		cpu_pause();
	}
	result = section_unmap(slot->view.view);
	if (result.status != VMSECT_S_OK)
		return mismatch("unmap", VMSECT_S_OK, result.status);
	storm.unmaps++;
	storm.live--;
	take_units(&slot->view, 0);
	if (!below(8)) {
		result = section_unmap(slot->view.view);
		if (result.status != VMSECT_S_ENXIO)
			return mismatch("again", VMSECT_S_ENXIO, result.status);
		storm.refused++;
	}
	return hole_is_right(slot->view.window_offset + (below(slot->view.length) & ~7ul));
}

static void read_slot(struct slot *slot, uint64_t *random)
{
	uint32_t want = SLOT_READY;
	uint64_t bytes = READ_BYTES;
	uint64_t at = 0;

	if (!__atomic_compare_exchange_n(&slot->state, &want, SLOT_READING, false, __ATOMIC_ACQUIRE,
					 __ATOMIC_RELAXED))
		return;
	if (slot->view.protection != VMSECT_DEV_PROT_NOACCESS) {
		if (bytes > slot->view.length)
			bytes = slot->view.length;
		else
			at = pattern_random(random) % (slot->view.length - bytes + 1) & ~7ul;
		watch_check(section_device.window + slot->view.window_offset + at, bytes,
			    slot->seed, slot->view.offset + at, &storm.reader);
	}
	__atomic_store_n(&slot->state, SLOT_READY, __ATOMIC_RELEASE);
}

static void reader_job(void *argument)
{
	uint64_t random = *(const uint64_t *)argument;

	while (!storm.stop)
		read_slot(&storm.slot[pattern_random(&random) % SLOTS], &random);
}

static bool steps(uint64_t count)
{
	while (storm.maps + storm.unmaps < count) {
		struct slot *slot = &storm.slot[below(SLOTS)];
		bool free = __atomic_load_n(&slot->state, __ATOMIC_RELAXED) == SLOT_FREE;

		if (!(free ? do_map(slot) : do_unmap(slot)))
			return false;
	}
	for (uint32_t i = 0; i < SLOTS; i++)
		if (storm.slot[i].state != SLOT_FREE && !do_unmap(&storm.slot[i]))
			return false;
	return true;
}

/* Marks what the attachments take; they stay. */
static bool mark_attachments(void)
{
	static struct vmsect_attachment list[64];
	uint32_t count;

	if (!agent_answer_status(section_list(list, 64, &count)))
		return false;
	for (uint32_t i = 0; i < count; i++)
		take_units(&list[i].view, 1);
	return true;
}

static bool prepare(const struct agent_args *args)
{
	struct vmsect_dev_section section;

	memset(&storm, 0, sizeof(storm));
	storm.random = args->number[0];
	storm.units = (uint32_t)(section_device.window_bytes >> UNIT_SHIFT);
	if (storm.units > UNITS_MAX) {
		print("err window too large\n");
		return false;
	}
	for (uint32_t i = 3; i + 1 < args->count && storm.sources < SOURCES; i += 2) {
		struct source *source = &storm.source[storm.sources++];

		source->handle = (uint32_t)args->number[i];
		source->seed = args->number[i + 1];
		if (!agent_answer_status(section_query(source->handle, &section)))
			return false;
		source->size = section.size_bytes;
		source->page_shift = section.page_shift;
	}
	return mark_attachments();
}

/*
 * storm SEED COUNT CPU HANDLE PATTERN ...: handles with read and write access
 * to sections that hold their pattern; no other views than the attachments'.
 */
static void run_storm(const struct agent_args *args)
{
	uint32_t cpu = (uint32_t)args->number[2];
	uint64_t seed = args->number[0] + 1;
	bool good;

	if (!prepare(args))
		return;
	if (!cpu_run(cpu, reader_job, &seed)) {
		print("err no such cpu\n");
		return;
	}
	good = steps(args->number[1]);
	storm.stop = true;
	while (!cpu_idle(cpu))
		cpu_pause();
	if (good)
		print("ok maps=%lu unmaps=%lu refused=%lu live=%u passes=%lu wrong=%lu faults=%lu "
		      "where=0x%lx got=0x%lx\n",
		      storm.maps, storm.unmaps, storm.refused, storm.live, storm.reader.passes,
		      storm.reader.wrong, storm.reader.faults, storm.reader.where,
		      storm.reader.got);
}

const struct agent_command storm_commands[] = {
	{ "storm", "nnnnn*", run_storm },
	{ 0 },
};
