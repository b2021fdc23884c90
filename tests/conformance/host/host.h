/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host process as an actor of scenarios.  It uses libvmsect as any program
 * does, and nothing else of vmsect.
 *
 * One thread.  `host` owns all that its variables name.
 */
#ifndef CONFORMANCE_HOST_H
#define CONFORMANCE_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include <vmsect/vmsect.h>

#include "conformance/actor/args.h"

#define EVENTS_MAX 256

/* What a word of the scenario names: one handle or one view, or what was one. */
struct variable {
	struct variable *next;
	char name[32];
	struct vmsect_section *section; /* owned */
	struct vmsect_view *view; /* owned */
	unsigned char *address; /* of the view, also after it has gone */
	uint64_t offset; /* of the view in the section */
};

struct host {
	struct vmsect_client *client; /* owned; NULL: it could not be had */
	int connected; /* 0 or -errno */
	struct variable *variables;
	struct vmsect_event event[EVENTS_MAX]; /* that nobody waited for yet */
	size_t events;
};

struct host_op {
	const char *name;
	void (*run)(struct host *host, struct args *args, struct reply *reply);
};

/* Tables of operations; the last row has no name. */
extern const struct host_op section_ops[];
extern const struct host_op rights_ops[];
extern const struct host_op view_ops[];
extern const struct host_op page_ops[];
extern const struct host_op memory_ops[];
extern const struct host_op event_ops[];
extern const struct host_op list_ops[];

/* Lets the library work, and keeps the events. */
void host_pump(struct host *host);

/* An answer to a call of the library: ok without fields, or the error. */
void host_answer(struct host *host, struct reply *reply, int result);

/*
 * The variable of that name, or NULL and a bad reply.  A handle or a view that
 * is there; `host_find_place`: a view that is there or was.
 */
struct variable *host_find_handle(struct host *host, const char *name, struct reply *reply);
struct variable *host_find_view(struct host *host, const char *name, struct reply *reply);
struct variable *host_find_place(struct host *host, const char *name, struct reply *reply);

/* A new variable, or NULL and a bad reply if it names something already. */
struct variable *host_new_variable(struct host *host, const char *name, struct reply *reply);
/* It names nothing any more. */
void host_forget(struct host *host, struct variable *variable);

/* Fields that several operations answer with. */
void host_answer_access(struct reply *reply, const struct variable *variable);
void host_answer_section(struct reply *reply, const struct vmsect_section_info *info,
			 uint32_t access);

#endif
