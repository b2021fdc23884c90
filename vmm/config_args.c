/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line form of a configuration; see config.h. */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"

const char config_usage[] =
	"usage: vmsect-vmm --kernel FILE [options]\n"
	"\n"
	"  -c, --config FILE      read a JSON configuration first\n"
	"  -n, --name NAME        the VM's name (default vm-PID)\n"
	"  -m, --memory SIZE      RAM, a multiple of 2M (default 512M)\n"
	"  -p, --cpus N           virtual CPUs, 1 to 16 (default 1)\n"
	"  -k, --kernel FILE      bzImage, or an ELF file with a PVH entry\n"
	"  -i, --initrd FILE      initial RAM disk\n"
	"  -a, --cmdline TEXT     kernel command line (default console=ttyS0)\n"
	"  -s, --section NAME:MODE[,at=OFFSET][,cow-quota=BYTES]\n"
	"                         attach a section; MODE is ro, rw or cow; may repeat\n"
	"  -s, --section NAME:MODE,as=ivshmem[,vectors=N] | NAME:MODE,as=pmem\n"
	"                         with a PCI device of its own\n"
	"      --window SIZE      where sections appear, a power of two (default 64G)\n"
	"      --serial WHERE     stdio, none or a file (default stdio)\n"
	"      --socket PATH      the broker's socket\n"
	"      --allow-create[=BYTES]\n"
	"                         the guest may make sections, BYTES in all\n"
	"      --cow-quota BYTES[,report|stop]\n"
	"                         how much the guest may copy on write, and what then\n"
	"      --no-broker        run without a broker and without sections\n"
	"      --debug-exit       let the guest end the VM through port 0xf4\n"
	"  -v, --verbose          say more; may repeat\n"
	"  -V, --version          print the version\n"
	"  -h, --help             print this\n";

enum {
	OPTION_WINDOW = 0x100,
	OPTION_SERIAL,
	OPTION_SOCKET,
	OPTION_NO_BROKER,
	OPTION_DEBUG_EXIT,
	OPTION_ALLOW_CREATE,
	OPTION_COW_QUOTA,
};

static const char short_options[] = ":c:n:m:p:k:i:a:s:vVh";
static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "name", required_argument, NULL, 'n' },
	{ "memory", required_argument, NULL, 'm' },
	{ "cpus", required_argument, NULL, 'p' },
	{ "kernel", required_argument, NULL, 'k' },
	{ "initrd", required_argument, NULL, 'i' },
	{ "cmdline", required_argument, NULL, 'a' },
	{ "section", required_argument, NULL, 's' },
	{ "window", required_argument, NULL, OPTION_WINDOW },
	{ "serial", required_argument, NULL, OPTION_SERIAL },
	{ "socket", required_argument, NULL, OPTION_SOCKET },
	{ "allow-create", optional_argument, NULL, OPTION_ALLOW_CREATE },
	{ "cow-quota", required_argument, NULL, OPTION_COW_QUOTA },
	{ "no-broker", no_argument, NULL, OPTION_NO_BROKER },
	{ "debug-exit", no_argument, NULL, OPTION_DEBUG_EXIT },
	{ "verbose", no_argument, NULL, 'v' },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/* "BYTES[,report|stop]" */
static int set_cow_quota(struct config *config, const char *argument)
{
	AUTO_FREE char *text = strdup(argument);
	char *action;
	int result;

	if (!text)
		return config_fail(config, -ENOMEM, "--cow-quota: out of memory");
	action = strchr(text, ',');
	if (action)
		*action++ = '\0';
	result = config_set_size(config, &config->cow_quota, text, "--cow-quota");
	if (result == 0 && config->cow_quota == 0)
		return config_fail(config, -EINVAL, "--cow-quota: is 0");
	if (result < 0 || !action)
		return result;
	return config_set_cow_action(config, action, "--cow-quota");
}

static int set_allow_create(struct config *config, const char *argument)
{
	int result = 0;

	config->create_bytes = 0;
	if (argument)
		result = config_set_size(config, &config->create_bytes, argument, "--allow-create");
	if (result < 0)
		return result;
	if (argument && config->create_bytes == 0)
		return config_fail(config, -EINVAL, "--allow-create: is 0");
	config->allow_create = true;
	return 0;
}

static int set_cpus(struct config *config, const char *argument)
{
	if (parse_u32(argument, CONFIG_CPUS_MAX, &config->cpus) < 0 || config->cpus == 0)
		return config_fail(config, -EINVAL, "--cpus: \"%s\" is not 1 to %u", argument,
				   CONFIG_CPUS_MAX);
	return 0;
}

static int set_with_argument(struct config *config, int option, const char *argument)
{
	switch (option) {
	case 'n':
		return config_set_text(config, &config->name, argument, "--name");
	case 'm':
		return config_set_size(config, &config->memory_bytes, argument, "--memory");
	case 'p':
		return set_cpus(config, argument);
	case 'k':
		return config_set_text(config, &config->kernel, argument, "--kernel");
	case 'i':
		return config_set_text(config, &config->initrd, argument, "--initrd");
	case 'a':
		return config_set_text(config, &config->cmdline, argument, "--cmdline");
	case 's':
		return config_parse_section(config, argument, "--section");
	case OPTION_WINDOW:
		return config_set_size(config, &config->window_bytes, argument, "--window");
	case OPTION_SERIAL:
		return config_set_text(config, &config->serial, argument, "--serial");
	case OPTION_SOCKET:
		return config_set_text(config, &config->socket, argument, "--socket");
	case OPTION_ALLOW_CREATE:
		return set_allow_create(config, argument);
	case OPTION_COW_QUOTA:
		return set_cow_quota(config, argument);
	default:
		return 0; /* --config: read before */
	}
}

static int set_option(struct config *config, int option, char **argv,
		      enum config_action *ret_action)
{
	switch (option) {
	case OPTION_NO_BROKER:
		config->broker = false;
		return 0;
	case OPTION_DEBUG_EXIT:
		config->debug_exit = true;
		return 0;
	case 'v':
		config->verbose++;
		return 0;
	case 'V':
		*ret_action = CONFIG_VERSION;
		return 0;
	case 'h':
		*ret_action = CONFIG_HELP;
		return 0;
	case ':':
		return config_fail(config, -EINVAL, "%s needs a value", argv[optind - 1]);
	case '?':
		return config_fail(config, -EINVAL, "%s: unknown option", argv[optind - 1]);
	default:
		return set_with_argument(config, option, optarg);
	}
}

static int next_option(int argc, char **argv)
{
	return getopt_long(argc, argv, short_options, long_options, NULL);
}

/*
 * The file first, wherever it is named.  Sections on the command line replace
 * those of the file.
 */
static int load_files(struct config *config, int argc, char **argv)
{
	const char *file = NULL;
	bool sections = false;
	int option, result;

	optind = 0;
	opterr = 0;
	while ((option = next_option(argc, argv)) != -1) {
		if (option == 'c' && file)
			return config_fail(config, -EINVAL, "--config: given twice");
		if (option == 'c')
			file = optarg;
		sections |= option == 's';
	}
	if (!file)
		return 0;
	result = config_load_file(config, file);
	if (result == 0 && sections)
		config_clear_sections(config);
	return result;
}

int config_parse_args(struct config *config, int argc, char **argv, enum config_action *ret_action)
{
	enum config_action action = CONFIG_RUN;
	int option, result = load_files(config, argc, argv);

	optind = 0;
	while (result == 0 && (option = next_option(argc, argv)) != -1)
		result = set_option(config, option, argv, &action);
	if (result < 0)
		return result;
	if (optind < argc)
		return config_fail(config, -EINVAL, "%s: unexpected argument", argv[optind]);
	*ret_action = action;
	return 0;
}
