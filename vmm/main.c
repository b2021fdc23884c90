/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmsect-vmm: arguments -> configuration -> machine -> exit code. */
#include <signal.h>
#include <stdio.h>

#include "base/log.h"
#include "config.h"
#include "machine.h"

static int run(const struct config *config)
{
	struct machine *machine = NULL;
	int exit_code;

	if (machine_new(config, &machine) < 0)
		return MACHINE_EXIT_FAILED;
	exit_code = machine_run(machine);
	(void)machine_free(machine);
	return exit_code;
}

static int usage_error(const struct config *config)
{
	log_error("%s", config->error);
	log_error("try --help");
	return MACHINE_EXIT_USAGE;
}

/* What was asked for on standard output must really have got there. */
static int print(const char *text)
{
	if (fputs(text, stdout) < 0 || fflush(stdout) != 0)
		return MACHINE_EXIT_FAILED;
	return MACHINE_EXIT_OFF;
}

static int configured(struct config *config, int argc, char **argv)
{
	enum config_action action = CONFIG_RUN;

	if (config_parse_args(config, argc, argv, &action) < 0)
		return usage_error(config);
	if (action == CONFIG_HELP)
		return print(config_usage);
	if (action == CONFIG_VERSION)
		return print("vmsect-vmm " VMSECT_VERSION "\n");
	if (config_check(config) < 0)
		return usage_error(config);
	log_init("vmsect-vmm", config->verbose > 0 ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	return run(config);
}

int main(int argc, char **argv)
{
	struct config config;
	int exit_code = MACHINE_EXIT_FAILED;

	log_init("vmsect-vmm", LOG_LEVEL_INFO);
	/* A reader of the serial port may go away: that is an error, not an end. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (config_init(&config) == 0)
		exit_code = configured(&config, argc, argv);
	else
		log_error("out of memory");
	config_deinit(&config);
	return exit_code;
}
