/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The window under a running guest: a vCPU stores into a view all the time
 * while modes of its pages change.  What a new mode forbids does not happen
 * any more once the call is back; pages whose mode stays notice nothing, not
 * even their atomic and their undecodable instructions.  Without /dev/kvm the
 * tests skip.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "boot/entry.h"
#include "kvm/cpuid.h"
#include "kvm/vcpu.h"
#include "kvm/vm.h"
#include "lib/check.h"
#include "lib/leak.h"
#include "mem/guest_mem.h"
#include "mem/window.h"

#define TIME_LIMIT_S 120
#define TURNS 50
#define PAGE UINT64_C(4096)
#define UNIT WINDOW_UNIT_BYTES
#define BASE UINT64_C(0x80000000)
#define RAM_BYTES (UINT64_C(16) << 20)
#define CODE_GPA UINT64_C(0x200000)
#define COUNT_GPA UINT64_C(0x300000)

/* Pages of the view. */
#define PAGES 512
#define CHANGING 509
#define ATOMIC 510
#define VECTOR 511

#define RFLAGS_IF 0x200u

/* Stores into the page that changes, counts in two places, and stores what KVM cannot emulate. */
static const uint8_t code[] = {
	0xff, 0xc0, /* inc eax */
	0x48, 0x89, 0x03, /* mov [rbx], rax */
	0xf0, 0x48, 0xff, 0x06, /* lock inc qword [rsi] */
	0x48, 0xff, 0x07, /* inc qword [rdi] */
	0x0f, 0xae, 0x02, /* fxsave [rdx] */
	0xeb, 0xef, /* jmp to the start */
};

struct bed {
	bool has_kvm;
	bool is_reserve; /* the page that changes is not committed */
	bool takes_interrupts; /* so KVM waits for pages by itself */
	bool is_mapped;
	struct vm vm;
	struct guest_mem mem;
	struct window *window;
	struct vcpu *vcpu;
	int fd;
	uint64_t *words; /* the file, shared */
	uint64_t place;
	atomic_uint undecodable;
	atomic_bool ended;
	struct leak_guard *guard;
};

static void on_port(void *owner, uint16_t port, void *data, uint32_t bytes, bool is_write)
{
	(void)owner;
	(void)port;
	(void)data;
	(void)bytes;
	(void)is_write;
}

static void on_memory(void *owner, uint64_t gpa, void *data, uint32_t bytes, bool is_write)
{
	struct bed *bed = owner;

	(void)window_fault(bed->window, gpa, is_write, data, bytes);
}

static bool on_mend(void *owner)
{
	struct bed *bed = owner;

	return window_sweep(bed->window) > 0;
}

static void on_undecodable(void *owner)
{
	struct bed *bed = owner;

	atomic_fetch_add(&bed->undecodable, 1);
}

static void on_ended(void *owner, enum vcpu_end end)
{
	struct bed *bed = owner;

	(void)end;
	atomic_store(&bed->ended, true);
}

static const struct vcpu_ops ops = {
	.port = on_port,
	.memory = on_memory,
	.mend = on_mend,
	.undecodable = on_undecodable,
	.ended = on_ended,
};

static void set_registers(struct bed *bed)
{
	const struct entry entry = { .protocol = KERNEL_LINUX64, .rip = CODE_GPA };
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	assert_int_equal(vcpu_get_sregs(bed->vcpu, &sregs), 0);
	entry_registers(&entry, &sregs, &regs);
	regs.rbx = BASE + bed->place + CHANGING * PAGE;
	regs.rsi = BASE + bed->place + ATOMIC * PAGE;
	regs.rdx = BASE + bed->place + VECTOR * PAGE;
	regs.rdi = COUNT_GPA;
	if (bed->takes_interrupts)
		regs.rflags |= RFLAGS_IF;
	assert_int_equal(vcpu_set_registers(bed->vcpu, &sregs, &regs), 0);
}

static void map_view(struct bed *bed)
{
	struct window_map map = {
		.fd = bed->fd,
		.bytes = PAGES * PAGE,
		.page_bytes = PAGE,
		.mode = WINDOW_READWRITE,
		.is_reserve = bed->is_reserve,
	};
	int result;

	assert_int_equal(window_reserve(bed->window, WINDOW_ANY, 0, map.bytes, &map.place), 0);
	result = window_map(bed->window, &map, 1);
	bed->place = map.place;
	bed->is_mapped = result == 0;
	assert_true(result == 0 || (bed->is_reserve && result == -EOPNOTSUPP));
}

static void start_guest(struct bed *bed)
{
	struct cpuid_table cpuid;
	bool has_deadline;

	assert_int_equal(vm_init(&bed->vm), 0);
	assert_int_equal(guest_mem_init(&bed->mem, &bed->vm, RAM_BYTES), 0);
	assert_int_equal(entry_write_tables(&bed->mem), 0);
	assert_true(guest_mem_write(&bed->mem, CODE_GPA, code, sizeof(code)));
	assert_int_equal(window_new(&bed->vm, UNIT, &bed->window), 0);
	assert_int_equal(window_set_base(bed->window, BASE), 0);
	map_view(bed);
	assert_int_equal(vcpu_new(&bed->vm, 0, &ops, bed, &bed->vcpu), 0);
	assert_int_equal(cpuid_supported(&bed->vm, &cpuid, &has_deadline), 0);
	assert_int_equal(vcpu_set_cpuid(bed->vcpu, &cpuid), 0);
	set_registers(bed);
	assert_int_equal(vcpu_signal_setup(), 0);
	assert_int_equal(vcpu_start(bed->vcpu), 0);
}

static int setup_bed(void **state, bool is_reserve, bool takes_interrupts)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	assert_non_null(bed);
	*state = bed;
	bed->is_reserve = is_reserve;
	bed->takes_interrupts = takes_interrupts;
	bed->guard = leak_guard_new();
	bed->fd = memfd_create("guest", MFD_CLOEXEC);
	assert_int_equal(ftruncate(bed->fd, PAGES * PAGE), 0);
	if (is_reserve)
		assert_int_equal(fallocate(bed->fd, 0, ATOMIC * PAGE, 2 * PAGE), 0);
	bed->words = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, bed->fd, 0);
	assert_true(bed->words != MAP_FAILED);
	bed->has_kvm = access("/dev/kvm", R_OK | W_OK) == 0;
	if (bed->has_kvm)
		start_guest(bed);
	return 0;
}

static int setup(void **state)
{
	return setup_bed(state, false, false);
}

static int setup_reserve(void **state)
{
	return setup_bed(state, true, false);
}

static int setup_reserve_async(void **state)
{
	return setup_bed(state, true, true);
}

static void stop_guest(struct bed *bed)
{
	vcpu_kick(bed->vcpu);
	vcpu_join(bed->vcpu);
}

static int teardown(void **state)
{
	struct bed *bed = *state;

	if (bed->has_kvm) {
		stop_guest(bed);
		bed->vcpu = vcpu_free(bed->vcpu);
		bed->window = window_free(bed->window);
		guest_mem_deinit(&bed->mem);
		vm_deinit(&bed->vm);
	}
	(void)munmap(bed->words, PAGES * PAGE);
	(void)close(bed->fd);
	leak_guard_check(bed->guard);
	free(bed);
	return 0;
}

static struct bed *bed_of(void **state)
{
	struct bed *bed = *state;

	if (!bed->has_kvm || !bed->is_mapped)
		skip();
	return bed;
}

static uint64_t word(const struct bed *bed, uint64_t page)
{
	return __atomic_load_n(&bed->words[page * PAGE / 8], __ATOMIC_SEQ_CST);
}

static uint64_t passes(const struct bed *bed)
{
	const uint64_t *count = guest_mem_at(&bed->mem, COUNT_GPA, 8);

	return __atomic_load_n(count, __ATOMIC_SEQ_CST);
}

/* The guest has gone round twice more: all of its stores were tried. */
static void wait_passes(const struct bed *bed)
{
	uint64_t start = passes(bed);

	while (passes(bed) < start + 2 && !atomic_load(&bed->ended))
		(void)sched_yield();
	assert_false(atomic_load(&bed->ended));
}

static void protect(struct bed *bed, uint64_t first, uint64_t pages, enum window_mode mode)
{
	const struct window_range range = { first * PAGE, pages * PAGE };

	assert_int_equal(window_protect(bed->window, bed->place, &range, mode, false), 0);
}

/* Whatever the guest does now, the file's page stays. */
static void check_still(struct bed *bed, enum window_mode mode)
{
	uint64_t before;

	protect(bed, CHANGING, 1, mode);
	before = word(bed, CHANGING);
	wait_passes(bed);
	assert_int_equal(word(bed, CHANGING), before);
}

static void check_moving(struct bed *bed)
{
	uint64_t before;

	protect(bed, CHANGING, 1, WINDOW_READWRITE);
	assert_int_equal(window_reset(bed->window, bed->place,
				      &(struct window_range){ CHANGING * PAGE, PAGE }),
			 0);
	before = word(bed, CHANGING);
	wait_passes(bed);
	assert_true(word(bed, CHANGING) != before);
}

static void test_modes_while_it_runs(void **state)
{
	struct bed *bed = bed_of(state);
	struct window_counters counted;
	uint64_t mine = 0;

	for (int turn = 0; turn < TURNS; turn++) {
		check_still(bed, WINDOW_READONLY);
		check_still(bed, WINDOW_NOACCESS);
		check_still(bed, WINDOW_WRITECOPY);
		assert_int_equal(window_private_pages(bed->window, bed->place), 1);
		check_still(bed, WINDOW_READONLY);
		check_moving(bed);
		/* Another one who counts there. */
		(void)__atomic_fetch_add(&bed->words[ATOMIC * PAGE / 8], 1, __ATOMIC_SEQ_CST);
		mine++;
	}
	window_counters(bed->window, &counted);
	assert_true(counted.denied_writes >= 2 * TURNS);
	assert_true(counted.hole_accesses >= TURNS);
	assert_int_equal(counted.lost_pages, 0);
	stop_guest(bed);
	assert_int_equal(atomic_load(&bed->undecodable), 0);
	assert_in_range(word(bed, ATOMIC), passes(bed) + mine, passes(bed) + mine + 1);
}

/* Another one who counts in the page of the guest's atomic instruction. */
static uint64_t count_too(struct bed *bed)
{
	for (int i = 0; i < 64; i++)
		(void)__atomic_fetch_add(&bed->words[ATOMIC * PAGE / 8], 1, __ATOMIC_SEQ_CST);
	return 64;
}

/*
 * Other pages change as fast as they can, one by one from the start: each time
 * the slot that has the guest's pages is made anew.
 */
static void test_nothing_is_torn(void **state)
{
	struct bed *bed = bed_of(state);
	uint64_t mine = 0;

	wait_passes(bed);
	for (int turn = 0; turn < 4; turn++) {
		for (uint64_t page = 0; page < CHANGING; page++) {
			protect(bed, page, 1, WINDOW_READONLY);
			mine += count_too(bed);
		}
		protect(bed, 0, PAGES, WINDOW_READWRITE);
	}
	wait_passes(bed);
	stop_guest(bed);
	assert_int_equal(atomic_load(&bed->undecodable), 0);
	assert_in_range(word(bed, ATOMIC), passes(bed) + mine, passes(bed) + mine + 1);
}

/* Until the guest goes on: on zero pages, since its page is not committed. */
static void wait_buried(struct bed *bed)
{
	uint64_t start = passes(bed);

	while (passes(bed) < start + 2 && !atomic_load(&bed->ended)) {
		if (bed->takes_interrupts)
			(void)window_sweep(bed->window); /* as the timer would */
		else
			(void)sched_yield();
	}
	assert_false(atomic_load(&bed->ended));
}

/* What is not committed is buried when the guest needs it, and comes back by a restore. */
static void test_reserve(void **state)
{
	struct bed *bed = bed_of(state);
	const struct window_range page = { CHANGING * PAGE, PAGE };
	struct window_loss loss = { 0 };
	bool missed = false;
	uint64_t before;

	wait_buried(bed);
	assert_int_equal(window_next_loss(bed->window, &loss, &missed), 1);
	assert_int_equal(loss.error, EFAULT);
	/* The page alone if KVM told which, else all that is not committed. */
	assert_true(loss.range.offset == page.offset || loss.range.offset == 0);
	assert_int_equal(loss.range.offset + loss.range.bytes, page.offset + page.bytes);
	assert_int_equal(fallocate(bed->fd, 0, CHANGING * PAGE, PAGE), 0);
	before = word(bed, CHANGING);
	wait_passes(bed);
	assert_int_equal(word(bed, CHANGING), before);
	assert_int_equal(window_restore(bed->window, bed->place, &page), 0);
	wait_passes(bed);
	assert_true(word(bed, CHANGING) != before);
}

static void test_revoke_while_it_runs(void **state)
{
	struct bed *bed = bed_of(state);
	uint64_t before;

	/* The vector store would be a #GP on a hole: this guest has no handler. */
	wait_passes(bed);
	assert_int_equal(window_revoke(bed->window, bed->place), 0);
	before = word(bed, CHANGING);
	while (!atomic_load(&bed->ended))
		(void)sched_yield();
	assert_int_equal(word(bed, CHANGING), before);
	assert_true(atomic_load(&bed->undecodable) > 0);
}

static void *do_nothing(void *arg)
{
	return arg;
}

/* A sanitizer starts a thread of its own with the first one: before anybody counts threads. */
static int first_thread(void **state)
{
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, do_nothing, NULL), 0);
	return pthread_join(thread, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_modes_while_it_runs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_is_torn, setup, teardown),
		cmocka_unit_test_setup_teardown(test_revoke_while_it_runs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reserve, setup_reserve, teardown),
		cmocka_unit_test_setup_teardown(test_reserve, setup_reserve_async, teardown),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, first_thread, NULL);
}
