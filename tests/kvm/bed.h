/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kvm bed of one test: a folder, a broker, a client of it, sections with
 * known bytes, and the VMs that were started.  bed_teardown() ends all of it,
 * also after a failed test, puts the huge page pool back, and has the leak guard
 * look at the test program itself.
 *
 * One thread.
 */
#ifndef KVM_BED_H
#define KVM_BED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <vmsect/vmsect.h>

#include "lib/broker_fixture.h"
#include "lib/huge_pages.h"

struct vm_fixture;

#define BED_SECTIONS_MAX 8
#define BED_HUGE_BYTES (UINT64_C(2) << 20)

/*
 * A section whose every word is known.  `model` is what its bytes must be:
 * a test writes there what a VM with the right to it wrote.
 */
struct bed_section {
	char name[32];
	enum vmsect_backing backing;
	uint64_t bytes;
	uint64_t page_bytes;
	uint64_t seed; /* of its pattern */
	uint8_t *model; /* owned */
	const uint8_t *bytes_now; /* owned by view */
	struct vmsect_section *handle; /* owned */
	struct vmsect_view *view; /* owned */
	char *path; /* owned: the data file; NULL for the page file */
};

struct bed {
	struct broker_fixture broker;
	char vmm_path[256];
	char agent_path[256];
	struct vmsect_client *client; /* owned */
	struct vm_fixture *vms; /* owned */
	struct bed_section section[BED_SECTIONS_MAX];
	size_t sections;
	struct huge_pages huge;
};

/*
 * For main(): the time limit of the program, and 0, or 77 with a line that
 * says why the bed cannot be used here.
 */
int bed_begin(unsigned int seconds);

/* cmocka setup and teardown; *state is the struct bed. */
int bed_setup(void **state);
int bed_teardown(void **state);

/* A section of this backing, filled with its pattern.  Skips without huge pages. */
struct bed_section *bed_section_new(struct bed *bed, const char *name, enum vmsect_backing backing,
				    uint64_t bytes);

/* So many more huge pages, or skips. */
void bed_need_huge_pages(struct bed *bed, long pages);

/* Writes into the model what a VM wrote. */
void bed_section_model(struct bed_section *section, uint64_t offset, const void *data,
		       size_t bytes);

/* Compares the section, and its data file, with the model. */
void bed_section_check(const struct bed_section *section);

/* For bed_teardown(). */
void bed_section_deinit(struct bed_section *section);

/* Views that the broker lists for VMs of this name (NULL: of any). */
size_t bed_count_views(struct bed *bed, const char *vm_name);

/*
 * Waits, for a few seconds, until each counter of the VM of this name is at
 * least as high, and tells them; false if they did not become so.
 */
bool bed_wait_counters(struct bed *bed, const char *vm_name, const struct vmsect_vm_counters *least,
		       struct vmsect_peer_info *ret_peer);

/* Waits, at most so long, for a broker's event of this type. */
bool bed_wait_event(struct bed *bed, enum vmsect_event_type type, int limit_ms);

/* Runs vmsect with these words (NULL ends) and returns its output; free it. */
char *bed_run_cli(struct bed *bed, const char *const *words);

#endif
