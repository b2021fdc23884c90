/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See fault_watch.h. */
#include "kvm/fault_watch.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/kvm.h>

#include "base/cleanup.h"
#include "kvm/kvm_sys.h"
#include "kvm/vcpu.h"

/* A page that really needs I/O takes two faults or so and resolves one. */
#define STUCK_FAULTS 64u
#define STUCK_RATIO 4u

#define NAME_BYTES_MAX 64u
#define COUNTERS_MAX 1024u

enum { TAKEN, FIXED, EMULATED, SPURIOUS, FAST, OF_GUEST, COUNTERS };

static const char *const names[COUNTERS] = {
	[TAKEN] = "pf_taken",	    [FIXED] = "pf_fixed", [EMULATED] = "pf_emulate",
	[SPURIOUS] = "pf_spurious", [FAST] = "pf_fast",	  [OF_GUEST] = "pf_guest",
};

struct fault_watch {
	int fd; /* owned */
	off_t place[COUNTERS]; /* 0: this KVM has no such counter */
	uint64_t taken, resolved; /* where counting began */
};

static int read_at(int fd, void *to, size_t bytes, off_t place)
{
	ssize_t got = sys_retry(pread(fd, to, bytes, place));

	if (got < 0)
		return (int)got;
	return (size_t)got == bytes ? 0 : -EIO;
}

/* A struct kvm_stats_desc with room for its name. */
struct counter {
	uint32_t flags;
	uint16_t exponent, size;
	uint32_t offset;
	uint32_t bucket_size;
	char name[NAME_BYTES_MAX];
};
_Static_assert(offsetof(struct counter, name) == sizeof(struct kvm_stats_desc) &&
		       offsetof(struct counter, offset) == offsetof(struct kvm_stats_desc, offset),
	       "kvm_stats_desc");

static void note_place(struct fault_watch *watch, const struct kvm_stats_header *header,
		       const struct counter *counter)
{
	for (int i = 0; i < COUNTERS; i++)
		if (strncmp(counter->name, names[i], sizeof(counter->name)) == 0)
			watch->place[i] = (off_t)header->data_offset + counter->offset;
}

static int find_places(struct fault_watch *watch)
{
	struct kvm_stats_header header;
	int result = read_at(watch->fd, &header, sizeof(header), 0);

	if (result < 0)
		return result;
	if (header.name_size > NAME_BYTES_MAX || header.num_desc > COUNTERS_MAX)
		return -ENOTSUP;
	for (uint32_t i = 0; i < header.num_desc; i++) {
		size_t bytes = sizeof(struct kvm_stats_desc) + header.name_size;
		struct counter counter = { .name = "" };

		result = read_at(watch->fd, &counter, bytes,
				 (off_t)(header.desc_offset + (uint64_t)i * bytes));
		if (result < 0)
			return result;
		note_place(watch, &header, &counter);
	}
	return watch->place[TAKEN] && watch->place[FIXED] ? 0 : -ENOTSUP;
}

/* Whether this host's KVM has second-level page tables; one that does not say has none. */
static bool is_nested_paging(void)
{
	static const char *const parameters[] = {
		"/sys/module/kvm_intel/parameters/ept",
		"/sys/module/kvm_amd/parameters/npt",
	};

	for (size_t i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++) {
		AUTO_FD int fd = open(parameters[i], O_RDONLY | O_CLOEXEC);
		char answer = 'N';

		if (fd >= 0 && sys_retry(read(fd, &answer, 1)) == 1 &&
		    (answer == 'Y' || answer == '1'))
			return true;
	}
	return false;
}

int fault_watch_new(const struct vcpu *vcpu, struct fault_watch **ret_watch)
{
	struct fault_watch *watch = calloc(1, sizeof(*watch));
	int result;

	if (!watch)
		return -ENOMEM;
	watch->fd = vcpu_stats_open(vcpu);
	result = watch->fd < 0 ? -ENOTSUP : find_places(watch);
	if (result < 0) {
		(void)fault_watch_free(watch);
		return result;
	}
	/*
	 * With shadow page tables a fault that is handed to the guest is its own
	 * affair.  With second-level ones the guest's faults are none of KVM's, and
	 * what it hands over tells of a page that is being waited for: for ever, if
	 * the page is lost.
	 */
	if (is_nested_paging())
		watch->place[OF_GUEST] = 0;
	(void)fault_watch_is_stuck(watch); /* the start of counting */
	*ret_watch = watch;
	return 0;
}

struct fault_watch *fault_watch_free(struct fault_watch *watch)
{
	if (!watch)
		return NULL;
	(void)fd_close(watch->fd);
	free(watch);
	return NULL;
}

static uint64_t counter_value(const struct fault_watch *watch, int counter)
{
	uint64_t value;

	if (!watch->place[counter] ||
	    read_at(watch->fd, &value, sizeof(value), watch->place[counter]) < 0)
		return 0;
	return value;
}

bool fault_watch_is_stuck(struct fault_watch *watch)
{
	uint64_t taken = counter_value(watch, TAKEN), resolved = 0;
	uint64_t more_taken, more_resolved;
	bool fruitless;

	for (int i = TAKEN + 1; i < COUNTERS; i++)
		resolved += counter_value(watch, i);
	more_taken = taken - watch->taken;
	more_resolved = resolved - watch->resolved;
	fruitless = more_taken / STUCK_RATIO > more_resolved;
	/* Too few to tell: counted on, since a slow host retries slowly. */
	if (fruitless && more_taken <= STUCK_FAULTS)
		return false;
	watch->taken = taken;
	watch->resolved = resolved;
	return fruitless;
}
