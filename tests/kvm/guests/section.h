/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client of the section device: requests and events.
 */
#ifndef GUEST_SECTION_H
#define GUEST_SECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "virtio.h"
#include "vmsect_dev.h"

extern struct virtio section_device;

/* Status of a request that got no answer, or a malformed one. */
#define SECTION_TIMEOUT 1001
#define SECTION_MALFORMED 1002

struct section_result {
	uint32_t status; /* VMSECT_S_ or one of the above */
	uint32_t detail;
};

/* Finds and starts the device and posts event buffers, or (bare) none. */
bool section_start(const char **ret_why);
bool section_start_bare(const char **ret_why);

/*
 * One request; *ret_length is how much of rsp the device wrote.  False if
 * there is no answer.
 */
bool section_request(const void *req, uint32_t req_bytes, void *rsp, uint32_t rsp_bytes,
		     uint32_t *ret_length);

/* A request whose good reply is exactly rsp_bytes, and a bad one the header. */
struct section_result section_ask(const void *req, uint32_t req_bytes, void *rsp,
				  uint32_t rsp_bytes);

struct section_result section_open(const char *name, uint32_t access,
				   struct vmsect_rsp_open *ret_rsp);
struct section_result section_close(uint32_t handle);
struct section_result section_map(const struct vmsect_req_map *map,
				  struct vmsect_dev_view *ret_view);
struct section_result section_unmap(uint32_t view);
struct section_result section_query(uint32_t handle, struct vmsect_dev_section *ret_section);
struct section_result section_query_view(uint32_t view, struct vmsect_dev_view *ret_view);

/* All attachments, through as many requests as it takes. */
struct section_result section_list(struct vmsect_attachment *to, uint32_t max, uint32_t *ret_count);

/* Takes an event; waits up to limit_ms for one. */
bool section_event(uint32_t limit_ms, struct vmsect_dev_event *ret_event);

#endif
