/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The journal: a file beside the socket with all that the registry knows, so
 * that a broker that was killed can be replaced by one that knows the same.
 *
 * It hears of changes as the registry's watch and notes which objects they are
 * about.  At the end of a unit (a request, a job, the end of a client) it asks
 * the registry what these objects are now, and writes all of it with one call,
 * before the reply goes out.  A unit that was cut short does not count.  What
 * was written before is dead weight; when there is enough of it, or a write has
 * failed, the file is written anew and takes the old one's name.
 *
 * The file is locked as long as its broker lives: two cannot have the same one.
 * Its form is in journal_format.h, restore.h reads it.  Owned by the broker;
 * its one thread.
 */
#ifndef BROKER_JOURNAL_H
#define BROKER_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/registry.h"

struct journal;

/*
 * Opens and locks the journal at `path` (copied); makes an empty one if there
 * is none.  One that is no regular file of this user alone is moved aside.
 * -EBUSY: another broker has it; -errno, said in the log.
 */
int journal_open(const char *path, struct journal **ret_journal);

/* Closes it; with `keep` false it is removed.  NULL is fine; returns NULL. */
struct journal *journal_close(struct journal *journal, bool keep);

/*
 * What is in it: all bytes, for restore_read(); free them.  A file that is too
 * large is -EFBIG.
 */
int journal_read(const struct journal *journal, void **ret_bytes, size_t *ret_size);

/* Moves what is there aside, to PATH.unusable, with a line that says why. */
void journal_move_aside(struct journal *journal, const char *why);

/*
 * From now on it keeps what is in the registry (borrowed); starts with writing
 * all of it.  -errno, said in the log: the journal tries again at the end of the
 * next unit.
 */
int journal_start(struct journal *journal, struct registry *registry);

/* Notes that an object is another now, or gone: what the registry's watch is told. */
void journal_mark(struct journal *journal, enum registry_object kind, const void *object);

/* Writes what was noted since the last unit.  NULL is fine. */
void journal_end_unit(struct journal *journal);

#endif
