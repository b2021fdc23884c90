/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the broker tells, checked and turned into what the API shows.  Pure:
 * bytes in, structs out.  Each returns 0, or -EPROTO for a struct that no
 * honest broker sends; nothing is written then.
 */
#ifndef LIB_WIRE_H
#define LIB_WIRE_H

#include <vmsect/vmsect.h>
#include <vmsect/vmsect_proto.h>

int wire_to_section(const struct vmsect_wire_section *wire, struct vmsect_section_info *ret_info);

int wire_to_view(const struct vmsect_wire_view *wire, struct vmsect_view_info *ret_info);

int wire_to_grant(const struct vmsect_wire_grant *wire, struct vmsect_grant *ret_grant);

int wire_to_export(const struct vmsect_wire_export *wire, struct vmsect_export_info *ret_info);

int wire_to_peer(const struct vmsect_wire_peer *wire, struct vmsect_peer_info *ret_info);

#endif
