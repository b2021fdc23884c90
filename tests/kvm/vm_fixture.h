/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One VM of a test: a vmsect-vmm process with the agent (guests/agent.c) in
 * it, driven through its serial port, one command and one answer a line.
 *
 * Whatever goes wrong (no answer in time, a VM that ends, an answer that is
 * not "ok") fails the test at once, with the command, the answer and the end
 * of the VMM's log.  The bed (bed.h) owns the VMs and ends what a failed test
 * leaves behind.
 */
#ifndef KVM_VM_FIXTURE_H
#define KVM_VM_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define VM_LINE_BYTES 8192
#define VM_SECTIONS_MAX 16
#define VM_OPTIONS_MAX 4
#define VM_ANSWER_MS 20000

struct bed;

struct vm_config {
	const char *name;
	const char *memory; /* NULL: 64M */
	const char *window; /* NULL: 1G */
	uint32_t cpus; /* 0: one */
	const char *sections[VM_SECTIONS_MAX]; /* NAME:MODE[,at=OFFSET]; NULL ends */
	const char *options[VM_OPTIONS_MAX]; /* more words; NULL ends */
	const char *kernel; /* NULL: the agent */
	const char *const *command; /* all words, NULL ends: another VMM; NULL: vmsect-vmm */
	uid_t uid; /* the VMM's; 0: the test's own.  Needs root */
	int answer_ms; /* time limit of an answer; 0: VM_ANSWER_MS */
	bool silent; /* do not wait for the agent's first line */
};

struct vm_fixture {
	struct vm_fixture *next; /* the bed's list */
	pid_t pid; /* 0 once it was waited for */
	int in_fd; /* owned: the VMM's stdin */
	int out_fd; /* owned: its stdout */
	uid_t uid;
	int answer_ms; /* time limit of an answer */
	uint64_t window; /* guest physical address */
	uint64_t window_bytes;
	size_t filled; /* of `buffer` */
	char name[64];
	char log_path[128];
	char reply[VM_LINE_BYTES]; /* the last answer */
	char buffer[VM_LINE_BYTES];
};

/* Starts a VM and waits until its agent is there. */
struct vm_fixture *vm_start(struct bed *bed, const struct vm_config *config);

/* Waits, at most so long, for a line with this text in it; false: it did not come. */
bool vm_says(struct vm_fixture *vm, const char *text, int limit_ms);

/* The answer to the last command that was sent; borrowed until the next one. */
const char *vm_next_answer(struct vm_fixture *vm);

/* A command and its answer, whatever it is; borrowed until the next one. */
const char *vm_ask(struct vm_fixture *vm, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A command that must be answered with "ok". */
const char *vm_ok(struct vm_fixture *vm, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The number behind `key=` in the "ok" answer to a command. */
uint64_t vm_number(struct vm_fixture *vm, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A request that the device must refuse so. */
void vm_refused(struct vm_fixture *vm, uint32_t status, uint32_t detail, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The same of an answer; false if the key is not there. */
bool vm_find_number(const char *answer, const char *key, uint64_t *ret_value);
uint64_t vm_reply_number(const struct vm_fixture *vm, const char *key);
/* The text behind `key=` up to the next blank; "" if it is empty. */
void vm_reply_text(const struct vm_fixture *vm, const char *key, char *text, size_t bytes);

/* Sends a command and does not wait. */
void vm_send(struct vm_fixture *vm, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Waits until the VMM ends; its wait status as waitpid() gives it. */
int vm_wait(struct vm_fixture *vm);
/* It must exit with this code. */
void vm_wait_exit(struct vm_fixture *vm, int code);
/* Powers off, and expects exit code 0. */
void vm_power_off(struct vm_fixture *vm);
/* kill -9, and waits. */
void vm_kill(struct vm_fixture *vm);

/* True if the VMM's log has this text. */
bool vm_log_has(const struct vm_fixture *vm, const char *text);

/* Ends and frees it, however it is; for the bed. */
void vm_free(struct vm_fixture *vm);

#endif
