/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects of the registry as the wire shows them, to one reader.  Pure but for
 * asking the host how much of a backing it has allocated.
 */
#ifndef BROKER_WIRE_H
#define BROKER_WIRE_H

#include <vmsect/vmsect_proto.h>
#include "broker/export.h"
#include "broker/registry.h"

void wire_section(const struct section *section, struct vmsect_wire_section *ret_wire);

/* Addresses inside processes of other users are shown as 0. */
void wire_view(const struct view *view, const struct subject *reader,
	       struct vmsect_wire_view *ret_wire);

/* Ascends with the section's id, as lists do. */
#define WIRE_EXPORT_ID(section, kind) (((section) << 2) | (kind))

void wire_export(const struct section *section, const struct export *export,
		 struct vmsect_wire_export *ret_wire);

void wire_peer(const struct party *party, struct vmsect_wire_peer *ret_wire);

#endif
