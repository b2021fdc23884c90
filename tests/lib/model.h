/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What sections are, in as little code as it takes: the oracle of random walks.
 *
 * Actors are numbers.  Handles and views are slots that the walker chooses.
 * Each operation answers what the library must: 0 or -errno, and the model then
 * has changed, or not.  Sections have at most MODEL_PAGES pages, all bytes of
 * which the model keeps; docs/semantics.md has the rules in words.
 */
#ifndef TESTS_LIB_MODEL_H
#define TESTS_LIB_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vmsect/vmsect.h>

#define MODEL_PAGE 4096u
#define MODEL_PAGES 8u
#define MODEL_NAMES 6
#define MODEL_SECTIONS 64
#define MODEL_HANDLES 24
#define MODEL_VIEWS 32

struct model_section {
	bool exists;
	int name; /* -1: none */
	bool is_file;
	bool sealable;
	bool sealed;
	enum vmsect_protection protection;
	unsigned int pages;
	unsigned int max; /* pages; a file: MODEL_PAGES */
	bool committed[MODEL_PAGES];
	unsigned char bytes[MODEL_PAGES * MODEL_PAGE];
};

struct model_handle {
	struct model_section *section; /* NULL: the slot is free */
	int actor;
	uint32_t access;
};

struct model_view {
	struct model_section *section; /* NULL: the slot is free */
	int actor;
	enum vmsect_protection bound; /* with which it was mapped */
	unsigned int first; /* page of the section */
	unsigned int pages;
	bool grows;
	enum vmsect_protection protection[MODEL_PAGES];
	unsigned char *copy[MODEL_PAGES]; /* private pages; owned */
};

struct model {
	struct model_section sections[MODEL_SECTIONS];
	struct model_handle handles[MODEL_HANDLES];
	struct model_view views[MODEL_VIEWS];
};

/* A new section, as vmsect_create_options has it. */
struct model_create {
	int name; /* -1: anonymous */
	bool is_file; /* of zeros, as long as the section */
	bool reserve;
	bool sealable;
	bool open_if;
	enum vmsect_protection protection;
	unsigned int pages;
	unsigned int max;
	uint32_t access;
};

struct model_map {
	enum vmsect_protection protection;
	unsigned int first;
	unsigned int pages; /* 0: to the end */
	bool grows; /* with room for MODEL_PAGES */
};

int model_create(struct model *model, int actor, const struct model_create *create, int handle);
int model_open(struct model *model, int actor, int name, uint32_t access, int handle);
int model_duplicate(struct model *model, int from, uint32_t access, int handle);
void model_close(struct model *model, int handle);
int model_remove(struct model *model, int name);
int model_extend(struct model *model, int handle, unsigned int pages);
int model_seal(struct model *model, int handle);
int model_map(struct model *model, int handle, const struct model_map *map, int view);
void model_unmap(struct model *model, int view);
int model_protect(struct model *model, int view, unsigned int first, unsigned int pages,
		  enum vmsect_protection protection);
int model_commit(struct model *model, int view, unsigned int first, unsigned int pages);
void model_reset(struct model *model, int view, unsigned int first, unsigned int pages);
int model_publish(struct model *model, int view, int handle);

/* The bytes of a page of a view; NULL: touching it faults. */
const unsigned char *model_page(const struct model *model, int view, unsigned int page);

/* The same to be written to, copied first where the view copies; NULL: it faults. */
unsigned char *model_page_to_write(struct model *model, int view, unsigned int page);

#endif
