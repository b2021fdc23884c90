// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * conformance: reads scenario files (docs/scenario-language.md), runs them with
 * processes or with VMs as their actors, and says in TAP what came of it.
 *
 * The program has one thread.  Its children die with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conformance/run.h"

#define SKIPPED 77

struct options {
	bool check_only;
	bool is_vm;
	bool is_verbose;
	const char *id; /* NULL: all cases */
};

struct tap {
	unsigned int cases;
	unsigned int failed;
};

static const char usage[] =
	"usage: conformance [--actors host|vm] [--case ID] [--verbose] FILE...\n"
	"       conformance --check FILE...\n";

static void say(struct tap *tap, bool is_good, const struct run *run,
		const struct scenario *scenario, const char *skip)
{
	(void)printf("%sok %u - %s %s: %s%s%s\n", is_good ? "" : "not ", ++tap->cases,
		     scenario->ids, run->is_vm ? "vm" : "host", scenario->sentence,
		     skip ? " # SKIP " : "", skip ? skip : "");
	tap->failed += !is_good;
	if (!is_good)
		(void)printf("%s\n", run->why);
	for (size_t i = 0; !skip && i < scenario->differs_count; i++)
		(void)printf("# differs: %s\n", scenario->differs[i]);
	(void)fflush(stdout);
}

static bool is_wanted(const struct scenario *scenario, const char *id)
{
	size_t length = id ? strlen(id) : 0;

	if (!id)
		return true;
	for (const char *at = scenario->ids; (at = strstr(at, id)); at++)
		if ((at == scenario->ids || at[-1] == ' ') && (!at[length] || at[length] == ' '))
			return true;
	return false;
}

static const char *why_skipped(const struct run *run, const struct scenario *scenario)
{
	if (scenario->rule)
		return scenario->rule;
	if (scenario->only == (run->is_vm ? ONLY_HOST : ONLY_VM))
		return scenario->why_only;
	return NULL;
}

static void run_one(struct run *run, const struct scenario *scenario, const char *skip,
		    struct tap *tap)
{
	/* What does not apply is said once. */
	if (scenario->rule && run->is_vm)
		return;
	if (!skip)
		skip = why_skipped(run, scenario);
	say(tap, skip || run_case(run, scenario), run, scenario, skip);
}

static void say_counted(struct run *run, struct tap *tap)
{
	const char *wrong = run_check_vms(run);

	(void)printf("%sok %u - %s vm: the hosts have counted each hole\n", wrong ? "not " : "",
		     ++tap->cases, run->script->path);
	if (wrong)
		(void)printf("%s\n", wrong);
	tap->failed += wrong != NULL;
}

static void run_file(const struct script *script, const struct options *options, struct tap *tap)
{
	static struct run run;
	const char *skip;

	run = (struct run){
		.script = script,
		.is_vm = options->is_vm,
		.is_verbose = options->is_verbose,
	};
	if (script->only == (run.is_vm ? ONLY_HOST : ONLY_VM))
		return;
	skip = run_begin(&run);
	for (size_t i = 0; i < script->case_count; i++)
		if (is_wanted(&script->cases[i], options->id))
			run_one(&run, &script->cases[i], skip, tap);
	if (run.is_vm && !skip)
		say_counted(&run, tap);
	run_end(&run);
}

static int parse(struct options *options, int argc, char **argv)
{
	static const struct option table[] = {
		{ "check", no_argument, NULL, 'n' },
		{ "actors", required_argument, NULL, 'a' },
		{ "case", required_argument, NULL, 'c' },
		{ "verbose", no_argument, NULL, 'v' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "na:c:v", table, NULL)) >= 0) {
		if (option == 'n')
			options->check_only = true;
		else if (option == 'c')
			options->id = optarg;
		else if (option == 'v')
			options->is_verbose = true;
		else if (option == 'a' && !strcmp(optarg, "vm"))
			options->is_vm = true;
		else if (option != 'a' || strcmp(optarg, "host") != 0)
			return -EINVAL;
	}
	return optind < argc ? 0 : -EINVAL;
}

static bool has_kvm(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		(void)printf("1..0 # SKIP /dev/kvm: %s\n", strerror(errno));
		return false;
	}
	(void)close(fd);
	return true;
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	struct tap tap = { 0 };
	bool is_read = true;

	if (parse(&options, argc, argv) < 0) {
		(void)fputs(usage, stderr);
		return 2;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	if (options.is_vm && !options.check_only && !has_kvm())
		return SKIPPED;
	for (int i = optind; i < argc; i++) {
		struct script *script = script_read(argv[i]);

		is_read = is_read && script;
		if (script && !options.check_only)
			run_file(script, &options, &tap);
		if (script)
			script_free(script);
	}
	if (!options.check_only)
		(void)printf("1..%u\n", tap.cases);
	return is_read && !tap.failed ? 0 : 1;
}
