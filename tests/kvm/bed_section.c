/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sections of a bed: made, filled with their pattern, compared with their
 * model.
 */
#include "kvm/bed.h"

#include "lib/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kvm/guests/pattern.h"

static void fill_pattern(struct bed_section *section)
{
	section->model = malloc(section->bytes);
	assert_non_null(section->model);
	for (uint64_t at = 0; at < section->bytes; at += 8) {
		uint64_t word = pattern_word(section->seed, at);

		memcpy(section->model + at, &word, sizeof(word));
	}
}

static void write_file(const struct bed_section *section)
{
	AUTO_FD int fd = open(section->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	uint64_t done = 0;

	assert_true(fd >= 0);
	while (done < section->bytes) {
		ssize_t wrote = write(fd, section->model + done, section->bytes - done);

		assert_true(wrote > 0);
		done += (uint64_t)wrote;
	}
}

static void create_section(struct bed *bed, const struct bed_section *section,
			   struct vmsect_section **ret_handle)
{
	const struct vmsect_create_options options = {
		.size = sizeof(options),
		.name = section->name,
		.backing = section->backing,
		.protection = VMSECT_PROT_READWRITE,
		.size_bytes = section->bytes,
		.path = section->path,
		.flags = VMSECT_CREATE_PERMANENT,
	};
	int r = vmsect_section_create(bed->client, &options, ret_handle);

	if (r < 0) {
		print_error("section %s: %s\n", section->name, vmsect_client_error(bed->client));
		fail();
	}
}

/* A host view, by which the page file is filled and all are compared. */
static void map_section(struct bed_section *section)
{
	const struct vmsect_map_options options = {
		.size = sizeof(options),
		.protection = VMSECT_PROT_READWRITE,
		.length = section->bytes,
	};
	uint8_t *bytes;

	assert_int_equal(vmsect_view_map(section->handle, &options, &section->view), 0);
	bytes = vmsect_view_address(section->view);
	assert_non_null(bytes);
	if (section->backing != VMSECT_BACKING_FILE)
		memcpy(bytes, section->model, section->bytes);
	section->bytes_now = bytes;
}

struct bed_section *bed_section_new(struct bed *bed, const char *name, enum vmsect_backing backing,
				    uint64_t bytes)
{
	struct bed_section *section = &bed->section[bed->sections];

	assert_true(bed->sections < BED_SECTIONS_MAX);
	if (backing == VMSECT_BACKING_HUGETLB)
		bed_need_huge_pages(bed, (long)(bytes / BED_HUGE_BYTES));
	(void)snprintf(section->name, sizeof(section->name), "%s", name);
	section->backing = backing;
	section->bytes = bytes;
	section->page_bytes = backing == VMSECT_BACKING_HUGETLB ? BED_HUGE_BYTES : 4096;
	section->seed = 1 + bed->sections++;
	fill_pattern(section);
	if (backing == VMSECT_BACKING_FILE) {
		assert_true(asprintf(&section->path, "%s/%s.data", bed->broker.folder, name) > 0);
		write_file(section);
	}
	create_section(bed, section, &section->handle);
	map_section(section);
	return section;
}

void bed_section_deinit(struct bed_section *section)
{
	vmsect_view_unmap(section->view);
	vmsect_section_close(section->handle);
	free(section->model);
	free(section->path);
}

void bed_section_model(struct bed_section *section, uint64_t offset, const void *data, size_t bytes)
{
	assert_true(offset <= section->bytes && bytes <= section->bytes - offset);
	memcpy(section->model + offset, data, bytes);
}

static void compare(const struct bed_section *section, const char *what, const uint8_t *bytes)
{
	uint64_t at = 0;

	if (!memcmp(bytes, section->model, section->bytes))
		return;
	while (bytes[at] == section->model[at])
		at++;
	print_error("section %s: %s has %#x at %#llx instead of %#x\n", section->name, what,
		    bytes[at], (unsigned long long)at, section->model[at]);
	fail();
}

static void compare_file(const struct bed_section *section)
{
	AUTO_FD int fd = open(section->path, O_RDONLY | O_CLOEXEC);
	AUTO_FREE uint8_t *bytes = malloc(section->bytes + 1);
	uint64_t done = 0;
	ssize_t got;

	assert_true(fd >= 0);
	assert_non_null(bytes);
	while ((got = read(fd, bytes + done, section->bytes + 1 - done)) > 0)
		done += (uint64_t)got;
	assert_int_equal(done, section->bytes);
	compare(section, "the file", bytes);
}

void bed_section_check(const struct bed_section *section)
{
	compare(section, "the section", section->bytes_now);
	if (section->path)
		compare_file(section);
}
