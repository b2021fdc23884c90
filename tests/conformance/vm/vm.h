/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VM as an actor of scenarios: a vmsect-vmm with the flat agent of the kvm
 * bed, and what a guest cannot do itself (a section of a data file) done by a
 * client of libvmsect beside it.
 *
 * Requests are made here, byte by byte as docs/device-spec.md has them, and put
 * into the queue by the agent's command `raw`.
 *
 * One thread.  `vm_actor` owns all it names.
 */
#ifndef CONFORMANCE_VM_H
#define CONFORMANCE_VM_H

#include <stdbool.h>
#include <stdint.h>

#include "vmsect_dev.h"

#include "conformance/actor/args.h"
#include "kvm/bed.h"
#include "kvm/vm_fixture.h"

/* What a word of the scenario names: a handle or a view, or what was one. */
struct variable {
	struct variable *next;
	char name[32];
	uint32_t handle; /* its number; 0: none */
	uint32_t view; /* the same */
	bool is_open; /* the handle; its number stays known */
	bool is_mapped; /* the view */
	uint32_t protection; /* of the view, when it was mapped */
	uint64_t place; /* in the window */
	uint64_t offset; /* of the view in the section */
};

struct vm_actor {
	struct bed bed; /* what a VM needs of it */
	struct vm_fixture *vm;
	struct variable *variables;
	uint64_t holes; /* accesses that the host must have counted, at least */
	unsigned int helped; /* for names */
};

struct vm_op {
	const char *name;
	void (*run)(struct vm_actor *actor, struct args *args, struct reply *reply);
};

extern const struct vm_op section_ops[];
extern const struct vm_op view_ops[];
extern const struct vm_op page_ops[];
extern const struct vm_op memory_ops[];
extern const struct vm_op event_ops[];
extern const struct vm_op counted_ops[];

/* Status and detail of the device. */
struct vm_result {
	uint32_t status;
	uint32_t detail;
};

/*
 * One request.  Its good reply is *rsp_bytes, or for a list at most so many:
 * then *rsp_bytes is set.
 */
struct vm_result vm_request(struct vm_actor *actor, const void *req, size_t req_bytes, void *rsp,
			    size_t *rsp_bytes);
/* One whose reply has one size. */
struct vm_result vm_call(struct vm_actor *actor, const void *req, size_t req_bytes, void *rsp,
			 size_t rsp_bytes);

/* ok without fields (and true), or the error by the names that libvmsect gives it. */
bool vm_answer(struct reply *reply, struct vm_result result);

/* Variables, or NULL and a bad reply; `#N` is one for the moment. */
struct variable *vm_find_handle(struct vm_actor *actor, const char *name, struct reply *reply);
struct variable *vm_find_view(struct vm_actor *actor, const char *name, struct reply *reply);
struct variable *vm_find_place(struct vm_actor *actor, const char *name, struct reply *reply);
struct variable *vm_new_variable(struct vm_actor *actor, const char *name, struct reply *reply);
void vm_forget(struct vm_actor *actor, struct variable *variable);

/* A handle by name, into the variable. */
struct vm_result vm_open(struct vm_actor *actor, const char *name, uint32_t access,
			 struct variable *variable);
void vm_answer_access(struct reply *reply, uint32_t access);

/* What a page of a view is now.  Status ENXIO: there is no such view. */
struct vm_result vm_pages(struct vm_actor *actor, uint32_t view, uint64_t offset,
			  struct vmsect_rsp_query_pages *ret_pages);

/* Bytes of a view, or of where one was. */
struct vm_span {
	const struct variable *variable;
	uint64_t offset; /* in the view */
	uint64_t count;
};

/* The words VIEW OFFSET COUNT; false: a bad reply. */
bool vm_take_span(struct vm_actor *actor, const struct args *args, struct reply *reply,
		  struct vm_span *ret_span);
uint64_t vm_span_address(const struct vm_span *span); /* in the window */
uint64_t vm_span_offset(const struct vm_span *span); /* in the section */

/* What the first page of it that is not simply there is. */
enum vm_place { PLACE_THERE, PLACE_HOLE, PLACE_LOST, PLACE_BAD };
enum vm_place vm_span_place(struct vm_actor *actor, const struct vm_span *span);

/* Writes that were denied on the view so far. */
uint64_t vm_denied(struct vm_actor *actor, const struct variable *variable);

/* The answer to a store, by what became of the bytes. */
void vm_judge_store(struct reply *reply, uint64_t denied, bool is_done, bool is_same);

/* Long spans of whole words; the arguments are those of `fill` and `compare`. */
bool vm_is_bulk(const struct vm_span *span);
void vm_bulk_fill(struct vm_actor *actor, const struct vm_span *span, const struct args *args,
		  struct reply *reply);
void vm_bulk_compare(struct vm_actor *actor, const struct vm_span *span, const struct args *args,
		     struct reply *reply);

/* Gives back everything. */
void vm_renew(struct vm_actor *actor, struct reply *reply);

/* A client of the broker, beside the VM; NULL and the error. */
struct vmsect_client *vm_helper(struct vm_actor *actor, struct reply *reply);

/* Makes a section as a host process, and opens it in the VM. */
void vm_create_helped(struct vm_actor *actor, const struct args *args,
		      const struct vmsect_create_options *options, struct reply *reply);

#endif
