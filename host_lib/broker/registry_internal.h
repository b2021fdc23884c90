/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between registry.c and attachment.c alone. */
#ifndef BROKER_REGISTRY_INTERNAL_H
#define BROKER_REGISTRY_INTERNAL_H

#include "broker/registry.h"

/* Takes the section's name away, if it has one. */
void section_drop_name(struct registry *registry, struct section *section);

/* What becomes of a section that lost a handle or a view: nothing, or the end. */
void section_collect(struct registry *registry, struct section *section);

/* Ends all handles and views of the attachment, and with them itself. */
void attachment_end(struct registry *registry, struct attachment *attachment);

/* Forgets the numbers of revoked handles: the party ends. */
void party_forget_all_revoked(struct party *party);

#endif
