/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How other programs are told of an exported section: command line words, XML or
 * JSON.  One file for each program; pure but for the streams.
 *
 * First export_check() says whether that program can have the section so, then
 * the section is exported, then export_print() prints.  What people should know
 * besides goes to `notes`, so that `out` can be used as it is.
 */
#ifndef CLI_EXPORT_H
#define CLI_EXPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define EXPORT_WHY_MAX 320u
#define EXPORT_ID_MAX 160u
#define EXPORT_VECTORS_MAX 64u
#define EXPORT_HUGE_BYTES (UINT64_C(2) << 20)

#define QEMU_VERSION(major, minor) ((major)*100u + (minor))
#define QEMU_VERSION_ROM QEMU_VERSION(8, 2) /* has memory-backend-file's `rom` */

enum export_program {
	EXPORT_FOR_NONE, /* only the path */
	EXPORT_FOR_QEMU,
	EXPORT_FOR_LIBVIRT,
	EXPORT_FOR_FIRECRACKER,
	EXPORT_FOR_CLOUD_HYPERVISOR,
};

enum export_device {
	EXPORT_DEVICE_DEFAULT, /* of the program */
	EXPORT_DEVICE_IVSHMEM,
	EXPORT_DEVICE_PMEM,
	EXPORT_DEVICE_NVDIMM,
};

enum export_mode {
	EXPORT_MODE_RW,
	EXPORT_MODE_RO,
	EXPORT_MODE_COW, /* what the guest writes is its own */
};

struct export_wish {
	enum export_program program;
	enum export_device device;
	enum export_mode mode;
	uint32_t vectors; /* 0: no doorbell */
	unsigned int qemu_version; /* QEMU_VERSION() */
	bool may_write; /* the file's mode was asked to let the program write */
	bool as_api; /* Firecracker: the body of a request, not a part of the file */
	bool is_huge; /* in pages of 2 MiB */
	uint64_t size_bytes;
	const char *name; /* of the section; borrowed, as are the next two */
	const char *id; /* of the device in that program; NULL: of the name */
	const char *path; /* once it is exported */
};

/* How words of a command line are printed. */
enum export_words {
	EXPORT_WORDS_SHELL, /* one a line, quoted where the shell and xargs need it */
	EXPORT_WORDS_NUL, /* each ended by NUL, as it is */
	EXPORT_WORDS_XML, /* as <qemu:arg> */
};

struct export_printer {
	FILE *out; /* borrowed, as is the next */
	FILE *notes;
	enum export_words words;
};

/* What a word stands for; false: there is no such word. */
bool export_parse_program(const char *word, enum export_program *ret_program);
bool export_parse_device(const char *word, enum export_device *ret_device);
bool export_parse_mode(const char *word, enum export_mode *ret_mode);

/* "7.2", "8.2.1": 0 if it is no version. */
unsigned int export_parse_version(const char *text);

/*
 * Settles the default device, then says whether this can be.  0; -EINVAL with the
 * sentence.
 */
int export_check(struct export_wish *wish, char why[EXPORT_WHY_MAX]);

/* Prints what the program is told.  0 or -ENOMEM; the streams keep their own errors. */
int export_print(const struct export_wish *wish, const struct export_printer *printer);

/* The device's name in the program: letters, digits and _ alone. */
void export_id(const struct export_wish *wish, char id[EXPORT_ID_MAX]);

/* One word of a command line. */
void export_word(const struct export_printer *printer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Text with XML's five characters as entities. */
void export_xml_text(FILE *out, const char *text);

/* One line for people. */
void export_note(const struct export_printer *printer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Sets the sentence; -EINVAL. */
int export_refuse(char why[EXPORT_WHY_MAX], const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The programs. */
int export_qemu_check(const struct export_wish *wish, char why[EXPORT_WHY_MAX]);
int export_qemu_print(const struct export_wish *wish, const struct export_printer *printer);
int export_libvirt_check(const struct export_wish *wish, char why[EXPORT_WHY_MAX]);
int export_libvirt_print(const struct export_wish *wish, const struct export_printer *printer);
int export_firecracker_check(const struct export_wish *wish, char why[EXPORT_WHY_MAX]);
int export_firecracker_print(const struct export_wish *wish, const struct export_printer *printer);
int export_cloud_hypervisor_check(const struct export_wish *wish, char why[EXPORT_WHY_MAX]);
int export_cloud_hypervisor_print(const struct export_wish *wish,
				  const struct export_printer *printer);

#endif
