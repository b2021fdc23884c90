/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See config.h. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"
#include "mem/layout.h"

#define MEMORY_DEFAULT (UINT64_C(512) << 20)
#define MEMORY_UNIT (UINT64_C(2) << 20)
#define WINDOW_DEFAULT (UINT64_C(64) << 30)
#define WINDOW_MAX (UINT64_C(128) << 30)
#define RAM_MAX (LAYOUT_LOW_RAM_END + (LAYOUT_HIGH_RAM_END - LAYOUT_HIGH_RAM_START))

void config_error_set(struct config *config, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(config->error, sizeof(config->error), format, args);
	va_end(args);
}

int config_set_text(struct config *config, char **field, const char *text, const char *what)
{
	char *copy = strdup(text);

	if (!copy)
		return config_fail(config, -ENOMEM, "%s: out of memory", what);
	free(*field);
	*field = copy;
	return 0;
}

int config_set_size(struct config *config, uint64_t *field, const char *text, const char *what)
{
	int result = parse_size(text, field);

	if (result == -ERANGE)
		return config_fail(config, result, "%s: \"%s\" is too large", what, text);
	if (result < 0)
		return config_fail(config, result, "%s: \"%s\" is not a size", what, text);
	return 0;
}

int config_set_cow_action(struct config *config, const char *text, const char *what)
{
	if (strcmp(text, "report") != 0 && strcmp(text, "stop") != 0)
		return config_fail(config, -EINVAL, "%s: \"%s\" is not report or stop", what, text);
	config->cow_stop = strcmp(text, "stop") == 0;
	return 0;
}

int config_init(struct config *config)
{
	*config = (struct config){
		.memory_bytes = MEMORY_DEFAULT,
		.window_bytes = WINDOW_DEFAULT,
		.cpus = 1,
		.broker = true,
		.cmdline = strdup("console=ttyS0"),
		.serial = strdup("stdio"),
	};
	return config->cmdline && config->serial ? 0 : -ENOMEM;
}

void config_deinit(struct config *config)
{
	free(config->name);
	free(config->kernel);
	free(config->initrd);
	free(config->cmdline);
	free(config->serial);
	free(config->socket);
	config_clear_sections(config);
	*config = (struct config){ 0 };
}

static int check_memory(struct config *config)
{
	if (config->memory_bytes < MEMORY_UNIT || config->memory_bytes % MEMORY_UNIT)
		return config_fail(config, -EINVAL,
				   "memory: %" PRIu64 " bytes is not a multiple of 2 MiB",
				   config->memory_bytes);
	if (config->memory_bytes > RAM_MAX)
		return config_fail(config, -ERANGE, "memory: more than %" PRIu64 " GiB",
				   (uint64_t)RAM_MAX >> 30);
	return 0;
}

static int check_window(struct config *config)
{
	uint64_t bytes = config->window_bytes;

	if (bytes < WINDOW_UNIT_BYTES || bytes > WINDOW_MAX || (bytes & (bytes - 1)))
		return config_fail(config, -EINVAL,
				   "window: %" PRIu64
				   " bytes is not a power of two from 2 MiB to 128 GiB",
				   bytes);
	return 0;
}

/* A VM without a name is called after its process. */
static int check_name(struct config *config)
{
	char name[32];

	if (!config->name) {
		(void)snprintf(name, sizeof(name), "vm-%d", (int)getpid());
		return config_set_text(config, &config->name, name, "name");
	}
	if (!name_is_legal(config->name, strlen(config->name)))
		return config_fail(config, -EINVAL, "name: \"%s\" is not a legal VM name",
				   config->name);
	return 0;
}

int config_check(struct config *config)
{
	int result = check_name(config);

	if (result == 0)
		result = check_memory(config);
	if (result == 0)
		result = check_window(config);
	if (result < 0)
		return result;
	if (config->cpus < 1 || config->cpus > CONFIG_CPUS_MAX)
		return config_fail(config, -ERANGE, "cpus: %u is not 1 to %u", config->cpus,
				   CONFIG_CPUS_MAX);
	if (!config->kernel)
		return config_fail(config, -EINVAL, "kernel: there is none");
	if (!config->broker && config->section_count)
		return config_fail(config, -EINVAL, "sections: they need the broker");
	return 0;
}
