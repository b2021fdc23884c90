/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a VM is to be: from a JSON file, then from the command line, which
 * overrides it; checked as a whole at the end.
 *
 * States: config_init() gives the defaults; a value that was set later is
 * owned and freed by config_deinit().  The first mistake stays in `error`, a
 * sentence that names the key or the option.
 *
 * Owner: main().  Constant once config_check() has returned 0.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dev/section_dev.h"

#define CONFIG_CPUS_MAX 16u
#define CONFIG_SECTIONS_MAX 256u
#define CONFIG_VECTORS_MAX 64u /* of an ivshmem doorbell */
#define CONFIG_ERROR_BYTES 512

struct config {
	char *name;
	char *kernel;
	char *initrd; /* NULL: none */
	char *cmdline;
	char *serial; /* "stdio", "none" or a path */
	char *socket; /* NULL: the usual places */
	uint64_t memory_bytes;
	uint64_t window_bytes;
	uint32_t cpus;
	bool debug_exit;
	bool broker; /* connect to it */
	bool allow_create; /* the guest may make sections ... */
	uint64_t create_bytes; /* ... of so much in all; 0: no bound */
	uint64_t cow_quota; /* bytes of private pages; 0: no bound */
	bool cow_stop; /* over a quota: the VM is stopped, not only told */
	int verbose;
	struct section_attach *sections; /* names owned */
	size_t section_count;

	char error[CONFIG_ERROR_BYTES];
};

/* 0 or -ENOMEM. */
int config_init(struct config *config);
void config_deinit(struct config *config);

void config_error_set(struct config *config, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Notes a mistake and is `result`.  A macro, so that the compiler sees the failure. */
#define config_fail(config, result, ...) (config_error_set((config), __VA_ARGS__), (result))

/*
 * Setters shared by both sources; `what` is how the source calls the value.
 * 0 or -errno with the error noted.
 */
int config_set_text(struct config *config, char **field, const char *text, const char *what);
int config_set_size(struct config *config, uint64_t *field, const char *text, const char *what);
int config_add_section(struct config *config, const struct section_attach *attach,
		       const char *what);
/* "NAME:MODE[,KEY=VALUE]...", as on the command line. */
int config_parse_section(struct config *config, const char *text, const char *what);
/* "ro", "rw" or "cow"; -EINVAL. */
int config_parse_mode(const char *text, enum section_attach_mode *ret_mode);
/* "native", "ivshmem" or "pmem"; -EINVAL. */
int config_parse_as(const char *text, enum section_attach_as *ret_as);
/* "report" or "stop". */
int config_set_cow_action(struct config *config, const char *text, const char *what);
void config_clear_sections(struct config *config);

/* The file's keys over what is there; 0 or -errno with the error noted. */
int config_load_file(struct config *config, const char *path);

enum config_action {
	CONFIG_RUN,
	CONFIG_HELP,
	CONFIG_VERSION,
};

/* The options over what is there, --config first. */
int config_parse_args(struct config *config, int argc, char **argv, enum config_action *ret_action);
extern const char config_usage[];

/* The rules that concern several values. */
int config_check(struct config *config);

#endif
