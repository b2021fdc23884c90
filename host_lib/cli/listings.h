/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can be listed, and with which columns.
 */
#ifndef CLI_LISTINGS_H
#define CLI_LISTINGS_H

#include "cli/table.h"

extern const struct listing sections_listing; /* rows: struct vmsect_section_info */
extern const struct listing views_listing; /* rows: struct view_row */
extern const struct listing grants_listing; /* rows: struct vmsect_grant */
extern const struct listing exports_listing; /* rows: struct vmsect_export_info */
extern const struct listing peers_listing; /* rows: struct vmsect_peer_info */
extern const struct listing vms_listing; /* the same rows, under another name */

#endif
