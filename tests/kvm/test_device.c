/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The section device as a driver sees it: what it tells, what it refuses and
 * how, its limits, its events, its reset.
 */
#include "lib/check.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kvm/bed.h"
#include "kvm/vm_fixture.h"
#include "vmsect_dev.h"

#define LIMIT_S 180
#define UNIT (UINT64_C(2) << 20)
#define ODD_BYTES 5000

/* One entry of LIST against the section and the configuration. */
static void expect_entry(struct vm_fixture *vm, unsigned int index,
			 const struct bed_section *section, uint32_t protection)
{
	uint32_t write = protection == VMSECT_DEV_PROT_READWRITE ? VMSECT_DEV_ACCESS_WRITE : 0;
	char name[VMSECT_DEV_NAME_MAX + 1];

	(void)vm_ok(vm, "entry %u", index);
	vm_reply_text(vm, "name", name, sizeof(name));
	assert_string_equal(name, section->name);
	assert_int_equal(vm_reply_number(vm, "size"), section->bytes);
	assert_int_equal(vm_reply_number(vm, "backing"), section->backing);
	assert_int_equal(vm_reply_number(vm, "protection"), VMSECT_DEV_PROT_READWRITE);
	assert_int_equal(vm_reply_number(vm, "page_shift"), 12);
	assert_int_equal(vm_reply_number(vm, "access") & VMSECT_DEV_ACCESS_WRITE, write);
	assert_int_equal(vm_reply_number(vm, "section"), vmsect_section_info(section->handle)->id);
	assert_int_equal(vm_reply_number(vm, "view_protection"), protection);
	assert_int_equal(vm_reply_number(vm, "cache"), VMSECT_DEV_CACHE_WRITE_BACK);
	assert_int_equal(vm_reply_number(vm, "offset"), 0);
	assert_int_equal(vm_reply_number(vm, "length"), (section->bytes + 4095) / 4096 * 4096);
	assert_int_equal(vm_reply_number(vm, "place") % UNIT, 0);
	assert_int_equal(vm_reply_number(vm, "denied"), 0);
	assert_true(vm_reply_number(vm, "handle") != 0);
}

static void test_list(void **state)
{
	struct bed *bed = *state;
	struct bed_section *a = bed_section_new(bed, "alpha", VMSECT_BACKING_SHMEM, 3 * UNIT);
	struct bed_section *odd = bed_section_new(bed, "odd", VMSECT_BACKING_FILE, ODD_BYTES);
	struct bed_section *c = bed_section_new(bed, "c.1+x@y:z-0", VMSECT_BACKING_FILE, UNIT);
	const struct vm_config config = {
		.name = "vm",
		.sections = { "alpha:rw,at=4M", "odd:ro", "c.1+x@y:z-0:cow,at=128M" },
	};
	struct vm_fixture *vm = vm_start(bed, &config);

	assert_int_equal(vm_number(vm, "window_bytes", "device"), vm->window_bytes);
	assert_int_equal(vm_reply_number(vm, "align_shift"), 21);
	assert_int_equal(vm_reply_number(vm, "attachments"), 3);
	assert_true(vm_reply_number(vm, "peer") != 0);
	assert_int_equal(vm_reply_number(vm, "reserved"), 0);
	assert_int_equal(vm_number(vm, "count", "list"), 3);
	expect_entry(vm, 0, a, VMSECT_DEV_PROT_READWRITE);
	assert_int_equal(vm_reply_number(vm, "place"), 4 << 20);
	expect_entry(vm, 1, odd, VMSECT_DEV_PROT_READONLY);
	expect_entry(vm, 2, c, VMSECT_DEV_PROT_WRITECOPY);
	assert_int_equal(vm_reply_number(vm, "place"), 128 << 20);
	/* What the last page has behind the last byte reads as zero. */
	(void)vm_ok(vm, "entry 1");
	assert_int_equal(vm_number(vm, "count", "differ 0x%llx %u 0",
				   (unsigned long long)vm_reply_number(vm, "place") + ODD_BYTES,
				   8192 - ODD_BYTES),
			 0);
	vm_power_off(vm);
}

struct refusal {
	const char *command; /* $0: a handle with all rights, $1: to read, $2: to write */
	uint32_t status;
	uint32_t detail;
};

static const struct refusal refusals[] = {
	{ "open ctl 3", VMSECT_S_EINVAL, VMSECT_D_NAME },
	{ "open .hidden 3", VMSECT_S_EINVAL, VMSECT_D_NAME },
	{ "open a/b 3", VMSECT_S_EINVAL, VMSECT_D_NAME },
	{ "open nothing 3", VMSECT_S_ENOENT, 0 },
	{ "open data 0", VMSECT_S_EINVAL, VMSECT_D_ACCESS },
	{ "open data 0x83", VMSECT_S_EINVAL, VMSECT_D_ACCESS },
	{ "close 0", VMSECT_S_EBADF, 0 },
	{ "close 200", VMSECT_S_EBADF, 0 },
	{ "close 0xffffffff", VMSECT_S_EBADF, 0 },
	{ "close 1", VMSECT_S_EPERM, VMSECT_D_ATTACHMENT },
	{ "unmap 0", VMSECT_S_ENXIO, 0 },
	{ "unmap 700", VMSECT_S_ENXIO, 0 },
	{ "unmap 0xffffffff", VMSECT_S_ENXIO, 0 },
	{ "unmap 1", VMSECT_S_EPERM, VMSECT_D_ATTACHMENT },
	{ "view 0", VMSECT_S_ENXIO, 0 },
	{ "view 700", VMSECT_S_ENXIO, 0 },
	{ "query 0", VMSECT_S_EBADF, 0 },
	{ "query $2", VMSECT_S_EPERM, 0 },
	{ "map $0 0 0 0", VMSECT_S_EINVAL, VMSECT_D_PROTECTION },
	{ "map $0 9 0 0", VMSECT_S_EINVAL, VMSECT_D_PROTECTION },
	{ "map 0 9 0 0", VMSECT_S_EINVAL, VMSECT_D_PROTECTION },
	{ "map $0 6 0 0", VMSECT_S_EPERM, 0 },
	{ "map $0 2 0 0 0 4", VMSECT_S_EINVAL, VMSECT_D_RESERVED },
	{ "map $0 9 0 0 0 0x80000000", VMSECT_S_EINVAL, VMSECT_D_RESERVED },
	{ "map $0 2 0 0 0 0 4M", VMSECT_S_EINVAL, VMSECT_D_RESERVED },
	{ "map $0 2 0 4M 0 1 1M", VMSECT_S_EINVAL, VMSECT_D_ATTR },
	{ "map $0 2 0 4096 16M 0 0 8192", VMSECT_S_EINVAL, VMSECT_D_COMMIT },
	{ "dup 0 1", VMSECT_S_EBADF, 0 },
	{ "dup $1 0x80", VMSECT_S_EINVAL, VMSECT_D_ACCESS },
	{ "dup $1 7", VMSECT_S_EPERM, 0 },
	{ "extend 0 8M", VMSECT_S_EBADF, 0 },
	{ "extend $0 8M", VMSECT_S_EPERM, 0 },
	{ "create new 4096 2 3", VMSECT_S_EPERM, 0 },
	{ "protect 0 0 0 2", VMSECT_S_ENXIO, 0 },
	{ "protect 700 0 0 0", VMSECT_S_EINVAL, VMSECT_D_PROTECTION },
	{ "protect 1 4M 0 2", VMSECT_S_EINVAL, VMSECT_D_RANGE },
	{ "protect 1 0 0xffffffffffffffff 2", VMSECT_S_EINVAL, VMSECT_D_RANGE },
	{ "protect 1 0xfffffffffffff000 0x2000 2", VMSECT_S_EINVAL, VMSECT_D_RANGE },
	{ "pages 1 4M", VMSECT_S_EINVAL, VMSECT_D_RANGE },
	{ "pages 700 0", VMSECT_S_ENXIO, 0 },
	{ "commit 1 0 0", VMSECT_S_EINVAL, VMSECT_D_RANGE },
	{ "commit 1 0 8M", VMSECT_S_EEXIST, VMSECT_D_RANGE },
	{ "commit 1 0 4096 9", VMSECT_S_EINVAL, VMSECT_D_PROTECTION },
	{ "commit 1 0 4096 6", VMSECT_S_EACCES, 0 },
	{ "flush 1 0 0 2", VMSECT_S_EINVAL, VMSECT_D_RESERVED },
	{ "flush 1 4M 0", VMSECT_S_EINVAL, VMSECT_D_RANGE },
	{ "flush 700 0 0", VMSECT_S_ENXIO, 0 },
	{ "drop 1 4M 0", VMSECT_S_EINVAL, VMSECT_D_RANGE },
	{ "remap 1 0 8M", VMSECT_S_EINVAL, VMSECT_D_RANGE },
	{ "publish 700 $0", VMSECT_S_ENXIO, 0 },
	{ "publish 1 0", VMSECT_S_EBADF, 0 },
	{ "publish 1 $1", VMSECT_S_EPERM, 0 },
	{ "map 0 2 0 0", VMSECT_S_EBADF, 0 },
	{ "map 99 2 0x800 0", VMSECT_S_EBADF, 0 },
	{ "map $1 3 0x800 0", VMSECT_S_EPERM, 0 },
	{ "map $2 2 0 0", VMSECT_S_EPERM, 0 },
	{ "map $2 4 0 0", VMSECT_S_EPERM, 0 },
	{ "map $0 2 0x800 4096", VMSECT_S_EINVAL, VMSECT_D_ALIGNMENT },
	{ "map $0 2 0 4096 0x1000", VMSECT_S_EINVAL, VMSECT_D_ALIGNMENT },
	{ "map $0 2 0x1000 4096 0x2000000", VMSECT_S_EINVAL, VMSECT_D_ALIGNMENT },
	{ "map $0 2 4M 0", VMSECT_S_EINVAL, VMSECT_D_VIEW_SIZE },
	{ "map $0 2 0 0x400001", VMSECT_S_EINVAL, VMSECT_D_VIEW_SIZE },
	{ "map $0 2 0x1000 4M", VMSECT_S_EINVAL, VMSECT_D_VIEW_SIZE },
	{ "map $0 2 0 0xffffffffffffffff", VMSECT_S_EINVAL, VMSECT_D_VIEW_SIZE },
	{ "map $0 2 0xfffffffffffff000 0x2000", VMSECT_S_EINVAL, VMSECT_D_VIEW_SIZE },
	{ "map $0 2 0 4096 64M", VMSECT_S_EINVAL, VMSECT_D_WINDOW },
	{ "map $0 2 0 4M 62M", VMSECT_S_EINVAL, VMSECT_D_WINDOW },
	{ "map $0 2 0 4096 0xffffffffffe00000", VMSECT_S_EINVAL, VMSECT_D_WINDOW },
	{ "map $0 2 0 4096 8M", VMSECT_S_EEXIST, 0 },
	{ "map $0 2 0 4M 6M", VMSECT_S_EEXIST, 0 },
	{ "map $0 2 0 4096 10M", VMSECT_S_EEXIST, 0 },
};

/* A section of which the protection, not the owner, forbids to write. */
static struct vmsect_section *create_locked(struct bed *bed)
{
	const struct vmsect_create_options options = {
		.size = sizeof(options),
		.name = "locked",
		.backing = VMSECT_BACKING_SHMEM,
		.protection = VMSECT_PROT_READONLY,
		.size_bytes = 8192,
	};
	struct vmsect_section *section = NULL;

	assert_int_equal(vmsect_section_create(bed->client, &options, &section), 0);
	return section;
}

/* Puts handles in the place of $0 to $2. */
static void expand(const char *from, const unsigned int handle[3], char *to, size_t bytes)
{
	size_t used = 0;

	for (; *from; from++) {
		assert_true(used + 16 < bytes);
		if (*from != '$')
			to[used++] = *from;
		else
			used += (size_t)snprintf(to + used, bytes - used, "%u",
						 handle[*++from - '0']);
	}
	to[used] = '\0';
}

static void expect_refusal(struct vm_fixture *vm, const struct refusal *refusal,
			   const unsigned int handle[3])
{
	char command[128];

	expand(refusal->command, handle, command, sizeof(command));
	vm_refused(vm, refusal->status, refusal->detail, "%s", command);
}

static void test_refused(void **state)
{
	struct bed *bed = *state;
	struct bed_section *data = bed_section_new(bed, "data", VMSECT_BACKING_SHMEM, 2 * UNIT);
	struct vmsect_section *locked = create_locked(bed);
	const struct vm_config config = {
		.name = "vm",
		.window = "64M",
		.sections = { "data:rw,at=8M" },
	};
	struct vm_fixture *vm = vm_start(bed, &config);
	const unsigned int handle[3] = {
		(unsigned int)vm_number(vm, "handle", "open data 7"),
		(unsigned int)vm_number(vm, "handle", "open data 3"),
		(unsigned int)vm_number(vm, "handle", "open data 4"),
	};
	unsigned int locked_handle;

	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
		expect_refusal(vm, &refusals[i], handle);
	/* The section's protection forbids what every right would allow. */
	locked_handle = (unsigned int)vm_number(vm, "handle", "open locked 0xf");
	vm_refused(vm, VMSECT_S_EACCES, 0, "map %u 3 0x800 0", locked_handle);
	vm_refused(vm, VMSECT_S_EACCES, 0, "map %u 6 0 0", locked_handle);
	assert_int_equal(vm_number(vm, "view_protection", "map %u 4 0 0", locked_handle),
			 VMSECT_DEV_PROT_WRITECOPY);
	assert_int_equal(vm_number(vm, "status", "status"), 0xf);
	assert_int_equal(bed_count_views(bed, "vm"), 2);
	vm_power_off(vm);
	vmsect_section_close(locked);
	bed_section_check(data);
}

struct raw_refusal {
	const char *request; /* bytes */
	unsigned int room; /* for the reply */
	uint32_t status;
	uint32_t detail;
};

#define HDR(op)                                                                                    \
	op "000000"                                                                                \
	   "00000000"
static const struct raw_refusal raw_refusals[] = {
	{ HDR("00"), 8, VMSECT_S_EOPNOTSUPP, 0 },
	{ HDR("08"), 8, VMSECT_S_EINVAL, VMSECT_D_FORMAT },
	{ HDR("14"), 8, VMSECT_S_EOPNOTSUPP, 0 },
	{ HDR("10"), 64, VMSECT_S_EOPNOTSUPP, 0 },
	{ "ffffffff00000000", 8, VMSECT_S_EOPNOTSUPP, 0 },
	{ "01", 16, VMSECT_S_EINVAL, VMSECT_D_FORMAT },
	{ HDR("01"), 16, VMSECT_S_EINVAL, VMSECT_D_FORMAT },
	{ HDR("01") "0000000000000000", 15, VMSECT_S_EINVAL, VMSECT_D_FORMAT },
	{ HDR("01") "000000000000000000", 16, VMSECT_S_EINVAL, VMSECT_D_FORMAT },
	{ "0100000001000000"
	  "0000000000000000",
	  16, VMSECT_S_EINVAL, VMSECT_D_RESERVED },
	{ HDR("01") "0000000001000000", 16, VMSECT_S_EINVAL, VMSECT_D_RESERVED },
	{ HDR("01") "3200000000000000", 16, VMSECT_S_EINVAL, VMSECT_D_CURSOR },
	{ HDR("01") "ffffffff00000000", 16, VMSECT_S_EINVAL, VMSECT_D_CURSOR },
	{ HDR("03") "0100000000000000", 9, VMSECT_S_EINVAL, VMSECT_D_FORMAT },
	{ HDR("03") "0100000001000000", 8, VMSECT_S_EINVAL, VMSECT_D_RESERVED },
	{ HDR("05") "0100000000000080", 8, VMSECT_S_EINVAL, VMSECT_D_RESERVED },
	{ HDR("06") "0100000001000000", 200, VMSECT_S_EINVAL, VMSECT_D_RESERVED },
	{ HDR("07") "0100000001000000", 72, VMSECT_S_EINVAL, VMSECT_D_RESERVED },
	{ HDR("07") "0100000000000000", 48, VMSECT_S_EINVAL, VMSECT_D_FORMAT },
	{ HDR("02") "0300000000000000", 208, VMSECT_S_EINVAL, VMSECT_D_FORMAT },
	{ HDR("04") "01000000"
		    "02000000",
	  56, VMSECT_S_EINVAL, VMSECT_D_FORMAT },
};

/* Requests of wrong form; a LIST without room for an entry is not one. */
static void test_raw(void **state)
{
	struct bed *bed = *state;
	const struct vm_config config = { .name = "vm", .sections = { "data:ro" } };
	struct vm_fixture *vm;

	(void)bed_section_new(bed, "data", VMSECT_BACKING_SHMEM, UNIT);
	vm = vm_start(bed, &config);
	for (size_t i = 0; i < ARRAY_SIZE(raw_refusals); i++) {
		const struct raw_refusal *row = &raw_refusals[i];

		assert_int_equal(vm_number(vm, "status", "raw %s %u", row->request, row->room),
				 row->status);
		assert_int_equal(vm_reply_number(vm, "detail"), row->detail);
		assert_int_equal(vm_reply_number(vm, "used"), 8);
	}
	assert_int_equal(vm_number(vm, "used", "raw " HDR("01") "0000000000000000 16"), 16);
	assert_int_equal(vm_reply_number(vm, "status"), VMSECT_S_OK);
	assert_int_equal(vm_number(vm, "used", "raw " HDR("01") "0000000000000000 4096"), 272);
	vm_power_off(vm);
}

/* Views of the driver's own making. */
static void test_views(void **state)
{
	struct bed *bed = *state;
	struct bed_section *data = bed_section_new(bed, "data", VMSECT_BACKING_SHMEM, 3 * UNIT);
	const struct vm_config config = { .name = "vm", .window = "64M" };
	struct vm_fixture *vm = vm_start(bed, &config);
	unsigned int handle = (unsigned int)vm_number(vm, "handle", "open data 7");
	unsigned int view;

	assert_int_equal(vm_number(vm, "count", "list"), 0);
	view = (unsigned int)vm_number(vm, "view", "map %u 3 0x201000 0x3000 0x1001000", handle);
	assert_int_equal(vm_reply_number(vm, "place"), 0x1001000);
	assert_int_equal(vm_reply_number(vm, "length"), 0x3000);
	assert_int_equal(vm_number(vm, "wrong", "check 0x1001000 0x3000 %llu 0x201000",
				   (unsigned long long)data->seed),
			 0);
	assert_true(vm_number(vm, "value", "r64 0x1000ff8") == UINT64_MAX);
	assert_true(vm_number(vm, "value", "r64 0x1004000") == UINT64_MAX);
	(void)vm_ok(vm, "close %u", handle);
	assert_int_equal(vm_number(vm, "handle", "view %u", view), 0);
	(void)vm_ok(vm, "w64 0x1001000 0x77");
	bed_section_model(data, 0x201000, &(const uint64_t){ 0x77 }, 8);
	bed_section_check(data);
	(void)vm_ok(vm, "unmap %u", view);
	assert_true(vm_number(vm, "value", "r64 0x1001000") == UINT64_MAX);
	assert_int_equal(bed_count_views(bed, "vm"), 0);
	vm_power_off(vm);
}

/* Every handle, then every view; the next is refused, and one given back helps. */
static void test_limits(void **state)
{
	struct bed *bed = *state;
	const struct vm_config config = {
		.name = "vm",
		.window = "4G",
		.sections = { "data:ro,at=0" },
	};
	struct vm_fixture *vm;
	unsigned int handles;
	unsigned int views;

	(void)bed_section_new(bed, "data", VMSECT_BACKING_SHMEM, 2 * UNIT);
	vm = vm_start(bed, &config);
	handles = (unsigned int)vm_number(vm, "max_handles", "device");
	views = (unsigned int)vm_reply_number(vm, "max_views");
	for (unsigned int i = 1; i < handles; i++)
		(void)vm_ok(vm, "open data 7");
	vm_refused(vm, VMSECT_S_EDQUOT, VMSECT_D_HANDLES, "open data 7");
	for (unsigned int i = 1; i < views; i++)
		(void)vm_ok(vm, "map 2 2 0 4096");
	vm_refused(vm, VMSECT_S_EDQUOT, VMSECT_D_VIEWS, "map 2 2 0 4096");
	(void)vm_ok(vm, "unmap 3");
	(void)vm_ok(vm, "map 2 2 0 4096");
	(void)vm_ok(vm, "close 5");
	assert_int_equal(vm_number(vm, "handle", "open data 3"), 5);
	assert_int_equal(bed_count_views(bed, "vm"), views);
	(void)vm_ok(vm, "reset");
	(void)vm_ok(vm, "start");
	assert_int_equal(bed_count_views(bed, "vm"), 1);
	vm_power_off(vm);
}

/* The window is full before a limit is reached. */
static void test_no_room(void **state)
{
	struct bed *bed = *state;
	const struct vm_config config = { .name = "vm", .window = "16M" };
	struct vm_fixture *vm;
	unsigned int handle;

	(void)bed_section_new(bed, "data", VMSECT_BACKING_SHMEM, 3 * UNIT);
	vm = vm_start(bed, &config);
	handle = (unsigned int)vm_number(vm, "handle", "open data 7");
	(void)vm_ok(vm, "map %u 2 0 2M 4M", handle);
	(void)vm_ok(vm, "map %u 2 0 2M 10M", handle);
	vm_refused(vm, VMSECT_S_EEXIST, 0, "map %u 2 0 2M 4M", handle);
	/* Free: 4, 4 and 4 MiB. */
	vm_refused(vm, VMSECT_S_ENOSPC, 0, "map %u 2 0 6M", handle);
	for (unsigned int i = 0; i < 3; i++)
		(void)vm_ok(vm, "map %u 2 0 4M", handle);
	vm_refused(vm, VMSECT_S_ENOSPC, 0, "map %u 2 0 4096", handle);
	vm_power_off(vm);
}

static void test_events(void **state)
{
	struct bed *bed = *state;
	const struct vm_config config = { .name = "a", .sections = { "data:rw", "more:ro" } };
	const struct vm_config peer = { .name = "b", .sections = { "more:rw" } };
	struct bed_section *more;
	struct vm_fixture *a;
	struct vm_fixture *b;
	uint64_t number;
	uint64_t irqs;

	(void)bed_section_new(bed, "data", VMSECT_BACKING_SHMEM, UNIT);
	more = bed_section_new(bed, "more", VMSECT_BACKING_SHMEM, UNIT);
	a = vm_start(bed, &config);
	assert_memory_equal(vm_ask(a, "event 0"), "err", 3);
	irqs = vm_number(a, "event", "irqs");
	b = vm_start(bed, &peer);
	number = vm_number(b, "peer", "device");
	assert_int_equal(vm_number(a, "type", "event 2000"), VMSECT_EV_PEER_JOINED);
	assert_int_equal(vm_reply_number(a, "peer"), number);
	assert_int_equal(vm_reply_number(a, "handle"), 2);
	assert_int_equal(vm_reply_number(a, "flags"), 0);
	assert_int_equal(vm_reply_number(a, "section"), vmsect_section_info(more->handle)->id);
	assert_true(vm_number(a, "event", "irqs") > irqs);
	vm_kill(b);
	assert_int_equal(vm_number(a, "type", "event 2000"), VMSECT_EV_PEER_LEFT);
	assert_int_equal(vm_reply_number(a, "peer"), number);
	assert_int_equal(vm_reply_number(a, "handle"), 2);
	assert_memory_equal(vm_ask(a, "event 0"), "err", 3);
	vm_power_off(a);
}

/* More events than the device keeps, with no buffer given back: LOST tells. */
static void test_events_lost(void **state)
{
	struct bed *bed = *state;
	const struct vm_config config = { .name = "a", .sections = { "data:rw" } };
	const struct vm_config opener = { .name = "b" };
	struct vm_fixture *a;
	struct vm_fixture *b;
	unsigned int got = 0;
	bool lost = false;

	(void)bed_section_new(bed, "data", VMSECT_BACKING_SHMEM, UNIT);
	a = vm_start(bed, &config);
	b = vm_start(bed, &opener);
	for (unsigned int i = 0; i < 200; i++)
		(void)vm_ok(b, "close %u", (unsigned int)vm_number(b, "handle", "open data 3"));
	(void)vm_ok(a, "list"); /* the answer comes after the events that were there */
	while (!strncmp(vm_ask(a, "event 200"), "ok", 2)) {
		lost |= vm_reply_number(a, "flags") & VMSECT_EV_FLAG_LOST;
		got++;
	}
	/* 400 came; 16 buffers were there, and 256 are kept. */
	assert_in_range(got, 256, 399);
	(void)vm_ok(b, "open data 3");
	assert_int_equal(vm_number(a, "type", "event 2000"), VMSECT_EV_PEER_JOINED);
	lost |= vm_reply_number(a, "flags") & VMSECT_EV_FLAG_LOST;
	assert_true(lost);
	vm_power_off(a);
	vm_power_off(b);
}

/* A reset gives back what the driver made; attachments stay, overlays too. */
static void test_reset(void **state)
{
	struct bed *bed = *state;
	const struct vm_config config = {
		.name = "vm",
		.sections = { "data:cow,at=0", "more:rw,at=32M" },
	};
	struct bed_section *more = bed_section_new(bed, "more", VMSECT_BACKING_SHMEM, UNIT);
	struct bed_section *data = bed_section_new(bed, "data", VMSECT_BACKING_SHMEM, UNIT);
	struct vm_fixture *vm = vm_start(bed, &config);
	unsigned int handle = (unsigned int)vm_number(vm, "handle", "open data 7");
	unsigned int view = (unsigned int)vm_number(vm, "view", "map %u 3 0 0 64M", handle);

	(void)vm_ok(vm, "w64 0 0x99");
	for (unsigned int turn = 0; turn < 3; turn++) {
		assert_int_equal(vm_number(vm, "value", "r64 0"), 0x99);
		(void)vm_ok(vm, "reset");
		assert_int_equal(vm_number(vm, "status", "status"), 0);
		assert_int_equal(vm_number(vm, "value", "r64 0"), 0x99);
		assert_true(vm_number(vm, "value", "r64 64M") == UINT64_MAX);
		(void)vm_ok(vm, "start");
		assert_int_equal(vm_number(vm, "count", "list"), 2);
		vm_refused(vm, VMSECT_S_EBADF, 0, "query %u", handle);
		vm_refused(vm, VMSECT_S_ENXIO, 0, "view %u", view);
		assert_int_equal(bed_count_views(bed, "vm"), 2);
	}
	assert_int_equal(
		vm_number(vm, "wrong", "check 32M 2M %llu", (unsigned long long)more->seed), 0);
	vm_power_off(vm);
	bed_section_check(data);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bed_setup, bed_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_refused), TEST(test_raw),	    TEST(test_no_room),
		TEST(test_limits),  TEST(test_list),	    TEST(test_views),
		TEST(test_events),  TEST(test_events_lost), TEST(test_reset),
	};
	int skipped = bed_begin(LIMIT_S);

	if (skipped)
		return skipped;
	return cmocka_run_group_tests_name("kvm device", tests, NULL, NULL);
}
