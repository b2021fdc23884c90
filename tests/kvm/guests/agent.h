/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent's command tables.  A command is one line of words; its answer is
 * one line, "ok key=value ..." or "err ...".  README.md in this folder lists
 * the commands.
 */
#ifndef GUEST_AGENT_H
#define GUEST_AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include "section.h"

#define AGENT_WORDS 24

struct agent_args {
	uint32_t count; /* of words after the command's name */
	const char *text[AGENT_WORDS];
	uint64_t number[AGENT_WORDS]; /* 0 where there is no word */
};

/*
 * `form` has one letter for each word: s text, n number, a address ("N": at N
 * in the window; "@N": at physical N); capitals for words that may be left
 * out; a last '*' for more of the letter before.
 */
struct agent_command {
	const char *name;
	const char *form;
	void (*run)(const struct agent_args *args);
};

extern const struct agent_command cpu_commands[];
extern const struct agent_command memory_commands[];
extern const struct agent_command section_commands[];
extern const struct agent_command view_commands[];
extern const struct agent_command notify_commands[];
extern const struct agent_command queue_commands[];
extern const struct agent_command pci_commands[];
extern const struct agent_command watch_commands[];
extern const struct agent_command hammer_commands[];
extern const struct agent_command storm_commands[];
extern const struct agent_command bytes_commands[];
extern const struct agent_command ivshmem_commands[];

/* Answers "err status=.. detail=.." unless the status is OK. */
bool agent_answer_status(struct section_result result);
/* Answers with the exception that ended a try_call(). */
void agent_answer_exception(void);

/* The watcher's job, shared with the storm: see watch.c. */
struct watch_result {
	volatile uint64_t passes;
	volatile uint64_t wrong; /* words that differed */
	volatile uint64_t faults; /* exceptions */
	volatile uint64_t where; /* of the first one */
	volatile uint64_t got;
};

/* Checks `bytes` of pattern once; counts into *result. */
void watch_check(uint64_t address, uint64_t bytes, uint64_t seed, uint64_t offset,
		 struct watch_result *result);

#endif
