/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What FLUSH and PUBLISH share: errors of write-back, which stay with the section. */
#ifndef BROKER_SESSION_IO_H
#define BROKER_SESSION_IO_H

#include "broker/session.h"

/* A write-back has ended so; a first loss of data is noted and told. */
void session_note_io_error(const struct session *session, struct section *section, int status);

/* The noted error as the refusal (IO), or 0. */
int session_check_io(const struct session *session, const struct section *section);

#endif
