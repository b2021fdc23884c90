/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See model.h.  No more than 300 lines, so that it can be read against the rules. */
#include "lib/model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NA VMSECT_PROT_NOACCESS
#define RO VMSECT_PROT_READONLY
#define RW VMSECT_PROT_READWRITE
#define WC VMSECT_PROT_WRITECOPY
#define READ VMSECT_ACCESS_READ
#define WRITE VMSECT_ACCESS_WRITE

/* Handles of a section with these rights, or (0) all. */
static int handles_of(const struct model *model, const struct model_section *section,
		      uint32_t access)
{
	int count = 0, i;

	for (i = 0; i < MODEL_HANDLES; i++)
		count += model->handles[i].section == section &&
			 (model->handles[i].access & access) == access;
	return count;
}

/* Views of a section that were mapped so, or (0) all. */
static int views_of(const struct model *model, const struct model_section *section,
		    enum vmsect_protection bound)
{
	int count = 0, i;

	for (i = 0; i < MODEL_VIEWS; i++)
		count += model->views[i].section == section &&
			 (!bound || model->views[i].bound == bound);
	return count;
}

/* L1, N7: a section lives while a handle or a view does, its name while a handle does. */
static void collect(struct model *model, struct model_section *section)
{
	if (!handles_of(model, section, 0))
		section->name = -1;
	section->exists = handles_of(model, section, 0) || views_of(model, section, 0);
}

/* The section of that name, or (-1) a slot for a new one. */
static struct model_section *find(struct model *model, int name)
{
	struct model_section *section;

	for (section = model->sections; section < model->sections + MODEL_SECTIONS; section++) {
		if (name < 0 ? !section->exists : section->exists && section->name == name)
			return section;
	}
	return NULL;
}

static int open_section(struct model *model, int actor, struct model_section *section,
			uint32_t access, int handle)
{
	/* A seal takes the right to write away from everybody. */
	if (section->sealed && access & (WRITE | VMSECT_ACCESS_EXTEND))
		return -EACCES;
	model->handles[handle] = (struct model_handle){ section, actor, access };
	return 0;
}

int model_create(struct model *model, int actor, const struct model_create *create, int handle)
{
	struct model_section *section = create->name < 0 ? NULL : find(model, create->name);

	if (section && !create->open_if)
		return -EEXIST;
	if (section)
		return open_section(model, actor, section, create->access, handle);
	section = find(model, -1);
	*section = (struct model_section){ .exists = true,
					   .name = create->name,
					   .is_file = create->is_file,
					   .sealable = create->sealable,
					   .protection = create->protection,
					   .pages = create->pages,
					   .max = create->is_file ? MODEL_PAGES : create->max };
	memset(section->committed, !create->reserve, sizeof(section->committed));
	return open_section(model, actor, section, create->access, handle);
}

int model_open(struct model *model, int actor, int name, uint32_t access, int handle)
{
	struct model_section *section = find(model, name);

	return section ? open_section(model, actor, section, access, handle) : -ENOENT;
}

int model_duplicate(struct model *model, int from, uint32_t access, int handle)
{
	const struct model_handle *source = &model->handles[from];

	if (access & ~source->access)
		return -EPERM;
	model->handles[handle] = (struct model_handle){ source->section, source->actor, access };
	return 0;
}

void model_close(struct model *model, int handle)
{
	struct model_section *section = model->handles[handle].section;

	model->handles[handle].section = NULL;
	collect(model, section);
}

int model_remove(struct model *model, int name)
{
	struct model_section *section = find(model, name);

	if (!section)
		return -ENOENT;
	section->name = -1;
	return 0;
}

static void set_protection(struct model_view *view, unsigned int first, unsigned int pages,
			   enum vmsect_protection protection)
{
	while (pages--)
		view->protection[first + pages] = protection;
}

/* G1, and growable views grow with the section. */
int model_extend(struct model *model, int handle, unsigned int pages)
{
	struct model_section *section = model->handles[handle].section;
	int i;

	if (!(model->handles[handle].access & VMSECT_ACCESS_EXTEND))
		return -EPERM;
	if (section->sealed)
		return -EACCES;
	if (pages <= section->pages)
		return 0;
	if (!section->is_file && section->max <= section->pages)
		return -EOPNOTSUPP;
	if (pages > section->max)
		return -EFBIG;
	if (section->is_file && section->protection != RW)
		return -EACCES;
	section->pages = pages;
	for (i = 0; i < MODEL_VIEWS; i++) {
		struct model_view *view = &model->views[i];
		unsigned int length = pages - view->first;

		if (view->section != section || !view->grows)
			continue;
		set_protection(view, view->pages, length - view->pages, view->bound);
		view->pages = length;
	}
	return 0;
}

int model_seal(struct model *model, int handle)
{
	struct model_handle *h = &model->handles[handle];
	const uint32_t needed = WRITE | VMSECT_ACCESS_GRANT;

	if ((h->access & needed) != needed)
		return -EPERM;
	if (!h->section->sealable)
		return -EOPNOTSUPP;
	/* The right to write is worth what the section's protection allows; ours does not count. */
	if (h->section->protection == RW &&
	    (handles_of(model, h->section, WRITE) > 1 || views_of(model, h->section, RW)))
		return -EBUSY;
	h->section->sealed = true;
	h->section->protection = RO;
	h->access &= ~(uint32_t)(WRITE | VMSECT_ACCESS_EXTEND);
	return 0;
}

/* N8, table 2.4, M4, in the order of M7. */
int model_map(struct model *model, int handle, const struct model_map *map, int view)
{
	const struct model_handle *h = &model->handles[handle];
	struct model_section *section = h->section;
	struct model_view *v = &model->views[view];
	unsigned int left;

	if (!(h->access & (map->protection == RW ? WRITE : READ)))
		return -EPERM;
	if ((map->protection == RW || map->grows) && section->protection != RW)
		return -EACCES;
	if (map->grows && !section->is_file && section->max <= section->pages)
		return -EINVAL;
	if (map->first >= section->pages)
		return -EINVAL;
	left = section->pages - map->first;
	if (map->pages > left && !map->grows)
		return -EINVAL;
	*v = (struct model_view){
		.section = section,
		.actor = h->actor,
		.bound = map->protection,
		.first = map->first,
		.pages = map->pages && map->pages < left ? map->pages : left,
		.grows = map->grows,
	};
	set_protection(v, 0, v->pages, map->protection);
	return 0;
}

/* W4: the overlay goes with the view. */
void model_unmap(struct model *model, int view)
{
	struct model_view *v = &model->views[view];
	struct model_section *section = v->section;

	model_reset(model, view, 0, v->pages);
	v->section = NULL;
	collect(model, section);
}

/* P2: the bound is the protection at mapping. */
int model_protect(struct model *model, int view, unsigned int first, unsigned int pages,
		  enum vmsect_protection protection)
{
	struct model_view *v = &model->views[view];

	if (protection != NA && (v->bound == NA || (protection == RW && v->bound != RW)))
		return -EACCES;
	if (memchr(v->section->committed + v->first + first, 0, pages))
		return -EINVAL; /* P4: none changes */
	set_protection(v, first, pages, protection);
	return 0;
}

int model_commit(struct model *model, int view, unsigned int first, unsigned int pages)
{
	struct model_view *v = &model->views[view];

	if (v->section->is_file)
		return -EPERM;
	memset(v->section->committed + v->first + first, true, pages);
	set_protection(v, first, pages, v->bound); /* commit without one sets that */
	return 0;
}

void model_reset(struct model *model, int view, unsigned int first, unsigned int pages)
{
	unsigned int i;

	for (i = first; i < first + pages; i++) {
		free(model->views[view].copy[i]);
		model->views[view].copy[i] = NULL;
	}
}

int model_publish(struct model *model, int view, int handle)
{
	struct model_view *v = &model->views[view];
	unsigned int i;

	if (!(model->handles[handle].access & WRITE))
		return -EPERM;
	for (i = 0; i < v->pages; i++) {
		if (v->copy[i] && v->section->protection != RW)
			return -EACCES;
		if (v->copy[i])
			memcpy(v->section->bytes + (v->first + i) * MODEL_PAGE, v->copy[i],
			       MODEL_PAGE);
	}
	model_reset(model, view, 0, v->pages);
	return 0;
}

const unsigned char *model_page(const struct model *model, int view, unsigned int page)
{
	const struct model_view *v = &model->views[view];

	if (v->protection[page] == NA || !v->section->committed[v->first + page])
		return NULL;
	/* W2: a page not yet copied is the section's. */
	return v->copy[page] ? v->copy[page] : v->section->bytes + (v->first + page) * MODEL_PAGE;
}

/* W1, W5: the first write copies, and a copy stays through all changes of protection. */
unsigned char *model_page_to_write(struct model *model, int view, unsigned int page)
{
	struct model_view *v = &model->views[view];
	unsigned char *shared = v->section->bytes + (v->first + page) * MODEL_PAGE;

	if (!model_page(model, view, page) || v->protection[page] == RO)
		return NULL;
	if (v->protection[page] == WC && !v->copy[page]) {
		v->copy[page] = malloc(MODEL_PAGE);
		memcpy(v->copy[page], shared, MODEL_PAGE);
	}
	return v->copy[page] ? v->copy[page] : shared;
}
