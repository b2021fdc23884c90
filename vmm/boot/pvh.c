/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See pvh.h.  ELF64 and ELF32 headers are read into one form (struct segment)
 * first; then both go the same way.  Each field is read once, out of a file
 * that may hold anything.
 */
#include "boot/pvh.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#include "boot/memmap.h"
#include "mem/guest_mem.h"
#include "mem/layout.h"

#define NOTE_PHYS32_ENTRY 18u
#define NOTE_NAME "Xen"
#define SEGMENTS_MAX 128u
#define ENTRY_32BIT_MAX UINT64_C(0xffffffff)

struct segment {
	uint32_t type;
	uint64_t offset;
	uint64_t gpa;
	uint64_t file_bytes;
	uint64_t memory_bytes;
	uint64_t align;
};

struct elf {
	const struct image_bytes *image;
	bool is_64;
	uint64_t table; /* of program headers */
	uint32_t count;
	uint32_t entry_bytes;
};

static bool in_image(const struct image_bytes *image, uint64_t offset, uint64_t bytes)
{
	return offset <= image->bytes && bytes <= image->bytes - offset;
}

bool pvh_claims(const struct image_bytes *image)
{
	return image->bytes >= SELFMAG && memcmp(image->data, ELFMAG, SELFMAG) == 0;
}

static int read_header_64(struct elf *elf, struct boot_error *error)
{
	Elf64_Ehdr header;

	if (!in_image(elf->image, 0, sizeof(header)))
		return boot_fail(error, -ENOEXEC, "is too short for an ELF64 header");
	memcpy(&header, elf->image->data, sizeof(header));
	if (header.e_machine != EM_X86_64)
		return boot_fail(error, -ENOEXEC, "is an ELF64 file, but not for x86-64");
	if (header.e_phentsize != sizeof(Elf64_Phdr))
		return boot_fail(error, -ENOEXEC, "has program headers of a wrong size");
	elf->table = header.e_phoff;
	elf->count = header.e_phnum;
	elf->entry_bytes = sizeof(Elf64_Phdr);
	return 0;
}

static int read_header_32(struct elf *elf, struct boot_error *error)
{
	Elf32_Ehdr header;

	if (!in_image(elf->image, 0, sizeof(header)))
		return boot_fail(error, -ENOEXEC, "is too short for an ELF32 header");
	memcpy(&header, elf->image->data, sizeof(header));
	if (header.e_machine != EM_386)
		return boot_fail(error, -ENOEXEC, "is an ELF32 file, but not for i386");
	if (header.e_phentsize != sizeof(Elf32_Phdr))
		return boot_fail(error, -ENOEXEC, "has program headers of a wrong size");
	elf->table = header.e_phoff;
	elf->count = header.e_phnum;
	elf->entry_bytes = sizeof(Elf32_Phdr);
	return 0;
}

static int elf_open(const struct image_bytes *image, struct elf *ret_elf, struct boot_error *error)
{
	struct elf elf = { .image = image };
	int result;

	if (image->bytes < EI_NIDENT)
		return boot_fail(error, -ENOEXEC, "is too short for an ELF header");
	if (image->data[EI_DATA] != ELFDATA2LSB)
		return boot_fail(error, -ENOEXEC, "is an ELF file, but not little endian");
	elf.is_64 = image->data[EI_CLASS] == ELFCLASS64;
	result = elf.is_64 ? read_header_64(&elf, error) : read_header_32(&elf, error);
	if (result < 0)
		return result;
	if (elf.count == 0 || elf.count > SEGMENTS_MAX)
		return boot_fail(error, -ENOEXEC, "has %u program headers, not 1 to %u", elf.count,
				 SEGMENTS_MAX);
	if (!in_image(image, elf.table, (uint64_t)elf.count * elf.entry_bytes))
		return boot_fail(error, -ENOEXEC, "is cut short: its program headers are missing");
	*ret_elf = elf;
	return 0;
}

/* elf_open() has checked that all of the table is there. */
static struct segment segment_at(const struct elf *elf, uint32_t index)
{
	const uint8_t *at = elf->image->data + elf->table + (uint64_t)index * elf->entry_bytes;

	if (elf->is_64) {
		Elf64_Phdr header;

		memcpy(&header, at, sizeof(header));
		return (struct segment){ header.p_type,	  header.p_offset, header.p_paddr,
					 header.p_filesz, header.p_memsz,  header.p_align };
	} else {
		Elf32_Phdr header;

		memcpy(&header, at, sizeof(header));
		return (struct segment){ header.p_type,	  header.p_offset, header.p_paddr,
					 header.p_filesz, header.p_memsz,  header.p_align };
	}
}

/* Copies one PT_LOAD; guest memory starts out as zeros, but segments may overlap. */
static int load_segment(const struct elf *elf, const struct segment *segment,
			const struct guest_mem *mem, struct boot_error *error)
{
	uint8_t *to;
	int result;

	if (segment->file_bytes > segment->memory_bytes)
		return boot_fail(error, -ENOEXEC,
				 "has a segment larger in the file than in memory");
	if (!in_image(elf->image, segment->offset, segment->file_bytes))
		return boot_fail(error, -ENOEXEC, "is cut short: a segment's bytes are missing");
	result = memmap_check_load(mem, segment->gpa, segment->memory_bytes, "segment", error);
	if (result < 0)
		return result;
	to = guest_mem_at(mem, segment->gpa, segment->memory_bytes);
	if (!to)
		return boot_fail(error, -ERANGE, "has a segment outside memory");
	memcpy(to, elf->image->data + segment->offset, segment->file_bytes);
	memset(to + segment->file_bytes, 0, segment->memory_bytes - segment->file_bytes);
	return 0;
}

/* One note at *at; moves *at behind it.  False at the end or at nonsense. */
static bool next_note(const struct image_bytes *image, const struct segment *segment, uint64_t *at,
		      Elf64_Nhdr *ret_note, uint64_t *ret_desc)
{
	/* Padding: 4 bytes, or 8 in a segment that is aligned so. */
	uint64_t mask = segment->align == 8 ? 7 : 3;
	uint64_t end = segment->offset + segment->file_bytes;
	uint64_t desc, next;

	if (*at > end || end - *at < sizeof(*ret_note))
		return false;
	memcpy(ret_note, image->data + *at, sizeof(*ret_note));
	/* Two 32-bit lengths and an offset within the file: cannot wrap. */
	desc = (*at + sizeof(*ret_note) + ret_note->n_namesz + mask) & ~mask;
	next = (desc + ret_note->n_descsz + mask) & ~mask;
	if (desc > end || ret_note->n_descsz > end - desc)
		return false;
	*ret_desc = desc;
	*at = next;
	return true;
}

static bool is_entry_note(const struct image_bytes *image, uint64_t at, const Elf64_Nhdr *note)
{
	return note->n_type == NOTE_PHYS32_ENTRY && note->n_namesz == sizeof(NOTE_NAME) &&
	       memcmp(image->data + at + sizeof(*note), NOTE_NAME, sizeof(NOTE_NAME)) == 0;
}

/* True if the notes of this segment name the entry. */
static bool find_entry(const struct elf *elf, const struct segment *segment, uint64_t *ret_entry)
{
	uint64_t at = segment->offset, note_at = at, desc;
	Elf64_Nhdr note;

	if (!in_image(elf->image, segment->offset, segment->file_bytes))
		return false;
	for (; next_note(elf->image, segment, &at, &note, &desc); note_at = at) {
		uint64_t entry = 0;

		if (!is_entry_note(elf->image, note_at, &note))
			continue;
		if (note.n_descsz != 4 && note.n_descsz != 8)
			return false;
		memcpy(&entry, elf->image->data + desc, note.n_descsz);
		*ret_entry = entry;
		return true;
	}
	return false;
}

static bool find_entry_note(const struct elf *elf, uint64_t *ret_entry)
{
	for (uint32_t i = 0; i < elf->count; i++) {
		struct segment segment = segment_at(elf, i);

		if (segment.type == PT_NOTE && find_entry(elf, &segment, ret_entry))
			return true;
	}
	return false;
}

/* Loads every segment; *end becomes the first byte behind the highest one below 4 GiB. */
static int load_segments(const struct elf *elf, const struct guest_mem *mem, uint64_t *ret_end,
			 struct boot_error *error)
{
	uint64_t end = 0;

	for (uint32_t i = 0; i < elf->count; i++) {
		struct segment segment = segment_at(elf, i);
		int result;

		if (segment.type != PT_LOAD || segment.memory_bytes == 0)
			continue;
		result = load_segment(elf, &segment, mem, error);
		if (result < 0)
			return result;
		if (segment.gpa < LAYOUT_LOW_RAM_END && segment.gpa + segment.memory_bytes > end)
			end = segment.gpa + segment.memory_bytes;
	}
	if (end == 0)
		return boot_fail(error, -ENOEXEC, "has no segment to load below 3 GiB");
	*ret_end = end;
	return 0;
}

int pvh_load(const struct image_bytes *image, const struct guest_mem *mem,
	     struct kernel *ret_kernel, struct boot_error *error)
{
	struct elf elf;
	uint64_t entry, end;
	int result = elf_open(image, &elf, error);

	if (result < 0)
		return result;
	if (!find_entry_note(&elf, &entry))
		return boot_fail(
			error, -ENOEXEC,
			"is an ELF file without a PVH entry (no XEN_ELFNOTE_PHYS32_ENTRY)");
	result = load_segments(&elf, mem, &end, error);
	if (result < 0)
		return result;
	if (entry > ENTRY_32BIT_MAX || !guest_mem_has(mem, entry, 1))
		return boot_fail(error, -ERANGE, "has its PVH entry outside memory");
	*ret_kernel = (struct kernel){
		.protocol = KERNEL_PVH,
		.entry = entry,
		.end = end,
		.initrd_limit = LAYOUT_LOW_RAM_END,
		.cmdline_max = LAYOUT_CMDLINE_BYTES - 1,
	};
	return 0;
}

#define START_INFO_MAGIC 0x336ec578u
#define START_INFO_VERSION 1u

struct start_info {
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t module_count;
	uint64_t modules_gpa;
	uint64_t cmdline_gpa;
	uint64_t rsdp_gpa;
	uint64_t memmap_gpa;
	uint32_t memmap_entries;
	uint32_t reserved;
};

struct start_module {
	uint64_t gpa;
	uint64_t bytes;
	uint64_t cmdline_gpa;
	uint64_t reserved;
};

struct start_memmap {
	uint64_t start;
	uint64_t bytes;
	uint32_t type;
	uint32_t reserved;
};

/* As it lies in guest memory. */
struct start_page {
	struct start_info info;
	struct start_module module;
	struct start_memmap memmap[MEMMAP_ENTRIES_MAX];
};

_Static_assert(sizeof(struct start_info) == 56, "hvm_start_info");
_Static_assert(sizeof(struct start_page) <= LAYOUT_PAGE_TABLES - LAYOUT_PVH_INFO, "PVH info");

int pvh_write_info(const struct guest_mem *mem, const struct kernel_hints *hints,
		   uint64_t *ret_info_gpa)
{
	struct memmap map = memmap_of(mem);
	struct start_page page = {
		.info = {
			.magic = START_INFO_MAGIC,
			.version = START_INFO_VERSION,
			.module_count = hints->initrd_bytes ? 1 : 0,
			.cmdline_gpa = hints->cmdline_gpa,
			.rsdp_gpa = hints->rsdp_gpa,
			.memmap_gpa = LAYOUT_PVH_INFO + offsetof(struct start_page, memmap),
			.memmap_entries = map.count,
		},
		.module = { .gpa = hints->initrd_gpa, .bytes = hints->initrd_bytes },
	};

	if (hints->initrd_bytes)
		page.info.modules_gpa = LAYOUT_PVH_INFO + offsetof(struct start_page, module);
	for (uint32_t i = 0; i < map.count; i++)
		page.memmap[i] = (struct start_memmap){ .start = map.entries[i].start,
							.bytes = map.entries[i].bytes,
							.type = map.entries[i].type };
	if (!guest_mem_write(mem, LAYOUT_PVH_INFO, &page, sizeof(page)))
		return -ENOSPC;
	*ret_info_gpa = LAYOUT_PVH_INFO;
	return 0;
}
