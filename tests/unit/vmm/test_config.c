/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VM's configuration: JSON file and command line, mistakes first. */
#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "lib/leak.h"

#define ARGS_MAX 12

static char folder[] = "/tmp/vmsect-config-XXXXXX";
static char file_path[64];

static int setup_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(file_path, sizeof(file_path), "%s/vm.json", folder);
	return 0;
}

static int teardown_folder(void **state)
{
	(void)state;
	(void)unlink(file_path);
	return rmdir(folder);
}

static void write_file(const char *text)
{
	int fd = open(file_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(close(fd), 0);
}

/* Loads `json` into defaults and checks it as a whole. */
static int load(struct config *config, const char *json)
{
	int result;

	write_file(json);
	assert_int_equal(config_init(config), 0);
	result = config_load_file(config, file_path);
	return result < 0 ? result : config_check(config);
}

static const struct {
	const char *json;
	const char *says;
} bad_files[] = {
	{ "", "vm.json:1" },
	{ "{", "vm.json:1" },
	{ "[]", "is not an object" },
	{ "{\"kernel\": \"k\"} x", "end of file expected" },
	{ "{\"kernel\": \"k\", \"kernel\": \"k\"}", "duplicate object key" },
	{ "{\"colour\": 1}", "colour: unknown key" },
	{ "{\"kernel\": 1}", "kernel: is not a string" },
	{ "{\"kernel\": \"a\\u0000b\"}", "u0000" },
	{ "{\"memory\": true}", "memory: is not a size" },
	{ "{\"memory\": -1}", "memory: is not a size" },
	{ "{\"memory\": 1.5}", "memory: is not a size" },
	{ "{\"memory\": \"1Q\"}", "memory: \"1Q\" is not a size" },
	{ "{\"memory\": \"99999999999T\"}", "too large" },
	{ "{\"kernel\": \"k\", \"memory\": \"3M\"}", "memory: 3145728 bytes is not a multiple" },
	{ "{\"kernel\": \"k\", \"memory\": 0}", "memory:" },
	{ "{\"kernel\": \"k\", \"memory\": \"1T\"}", "memory: more than" },
	{ "{\"cpus\": 0}", "cpus: is not 1 to 16" },
	{ "{\"cpus\": 17}", "cpus: is not 1 to 16" },
	{ "{\"cpus\": \"2\"}", "cpus: is not a whole number" },
	{ "{\"kernel\": \"k\", \"window\": \"3G\"}", "window:" },
	{ "{\"kernel\": \"k\", \"window\": \"256G\"}", "window:" },
	{ "{\"debug_exit\": 1}", "debug_exit: is not true or false" },
	{ "{\"name\": \"a/b\", \"kernel\": \"k\"}", "name: \"a/b\"" },
	{ "{\"name\": \"x\"}", "kernel: there is none" },
	{ "{\"sections\": {}}", "sections: is not an array" },
	{ "{\"sections\": [1]}", "sections[0]: is not an object" },
	{ "{\"sections\": [{\"name\": \"a\"}]}", "sections[0]: has no \"mode\"" },
	{ "{\"sections\": [{\"mode\": \"ro\"}]}", "sections[0]: has no \"name\"" },
	{ "{\"sections\": [{\"name\": \"a\", \"mode\": \"wo\"}]}", "sections[0].mode: \"wo\"" },
	{ "{\"sections\": [{\"name\": \"a\", \"mode\": \"ro\", \"to\": 1}]}",
	  "sections[0].to: unknown key" },
	{ "{\"sections\": [{\"name\": \"a\", \"mode\": \"ro\", \"at\": []}]}",
	  "sections[0].at: is not a size" },
	{ "{\"sections\": [{\"name\": \"a\", \"mode\": \"ro\", \"at\": \"0xffffffffffffffff\"}]}",
	  "sections[0].at: is too large" },
	{ "{\"sections\": [{\"name\": \"a\", \"mode\": \"ro\"}, {\"name\": \"a\", \"mode\": "
	  "\"rw\"}]}",
	  "sections[1]: section \"a\" is there already" },
	{ "{\"sections\": [{\"name\": \"../a\", \"mode\": \"ro\"}]}", "not a legal section name" },
	{ "{\"sections\": [{\"name\": \"a\", \"mode\": \"rw\", \"cow_quota\": 1}]}",
	  "section \"a\" is not cow" },
	{ "{\"sections\": [{\"name\": \"a\", \"mode\": \"cow\", \"cow_quota\": 0}]}",
	  "sections[0].cow_quota: is 0" },
	{ "{\"sections\": [{\"name\": \"a\", \"mode\": \"cow\", \"cow_quota\": true}]}",
	  "sections[0].cow_quota: is not a size" },
	{ "{\"sections\": [{\"name\": \"a\", \"mode\": \"rw\", \"as\": \"disk\"}]}",
	  "sections[0].as: \"disk\" is not native, ivshmem or pmem" },
	{ "{\"sections\": [{\"name\": \"a\", \"mode\": \"rw\", \"as\": 1}]}",
	  "sections[0].as: is not a string" },
	{ "{\"sections\": [{\"name\": \"a\", \"mode\": \"rw\", \"as\": \"ivshmem\","
	  "\"vectors\": 65}]}",
	  "sections[0].vectors: is not 1 to 64" },
	{ "{\"sections\": [{\"name\": \"a\", \"mode\": \"rw\", \"vectors\": 1}]}",
	  "is not ivshmem" },
	{ "{\"cow_quota\": 0}", "cow_quota: is 0" },
	{ "{\"cow_quota\": []}", "cow_quota: is not a size" },
	{ "{\"cow_quota_action\": \"beep\"}", "cow_quota_action: \"beep\" is not report or stop" },
	{ "{\"cow_quota_action\": 1}", "cow_quota_action: is not a string" },
	{ "{\"allow_create\": 0}", "allow_create: is 0" },
	{ "{\"allow_create\": \"lots\"}", "allow_create: \"lots\" is not a size" },
	{ "{\"kernel\": \"k\", \"broker\": false, "
	  "\"sections\": [{\"name\": \"a\", \"mode\": \"ro\"}]}",
	  "need the broker" },
};

static void test_policy_of_file(void **state)
{
	struct config config;

	(void)state;
	assert_int_equal(load(&config, "{\"kernel\": \"k\", \"allow_create\": \"1G\","
				       "\"cow_quota\": \"64M\", \"cow_quota_action\": \"stop\","
				       "\"sections\": [{\"name\": \"a\", \"mode\": \"cow\","
				       "\"cow_quota\": \"2M\"}]}"),
			 0);
	assert_true(config.allow_create);
	assert_int_equal(config.create_bytes, UINT64_C(1) << 30);
	assert_int_equal(config.cow_quota, 64 << 20);
	assert_true(config.cow_stop);
	assert_int_equal(config.sections[0].cow_quota, 2 << 20);
	config_deinit(&config);
	assert_int_equal(load(&config, "{\"kernel\": \"k\", \"allow_create\": true}"), 0);
	assert_true(config.allow_create);
	assert_int_equal(config.create_bytes, 0);
	config_deinit(&config);
	assert_int_equal(load(&config, "{\"kernel\": \"k\", \"allow_create\": false}"), 0);
	assert_false(config.allow_create);
	config_deinit(&config);
}

static void test_devices_of_sections(void **state)
{
	char *argv[] = { "vmsect-vmm",
			 "--section",
			 "a:rw,as=ivshmem,vectors=4",
			 "--section",
			 "b:cow,as=pmem,cow-quota=1M",
			 "--section",
			 "c:ro,as=native,at=2M",
			 NULL };
	enum config_action action;
	struct config config;

	(void)state;
	assert_int_equal(
		load(&config,
		     "{\"kernel\": \"k\",\"sections\": [{\"name\": \"a\", \"mode\": \"ro\","
		     "\"as\": \"ivshmem\", \"vectors\": 2}]}"),
		0);
	assert_int_equal(config.sections[0].as, SECTION_AS_IVSHMEM);
	assert_int_equal(config.sections[0].vectors, 2);
	config_deinit(&config);
	assert_int_equal(config_init(&config), 0);
	assert_int_equal(config_parse_args(&config, 7, argv, &action), 0);
	assert_int_equal(config.sections[0].as, SECTION_AS_IVSHMEM);
	assert_int_equal(config.sections[0].vectors, 4);
	assert_int_equal(config.sections[1].as, SECTION_AS_PMEM);
	assert_int_equal(config.sections[1].vectors, 0);
	assert_int_equal(config.sections[2].as, SECTION_AS_NATIVE);
	assert_int_equal(config.sections[2].at, 2 << 20);
	config_deinit(&config);
}

static void test_bad_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad_files); i++) {
		struct config config;

		assert_true(load(&config, bad_files[i].json) < 0);
		print_message("%s\n", config.error);
		assert_non_null(strstr(config.error, bad_files[i].says));
		config_deinit(&config);
	}
}

static void test_missing_file(void **state)
{
	struct config config;

	(void)state;
	assert_int_equal(config_init(&config), 0);
	assert_true(config_load_file(&config, "/nonexistent/vm.json") < 0);
	assert_non_null(strstr(config.error, "/nonexistent/vm.json"));
	config_deinit(&config);
}

static void test_good_file(void **state)
{
	struct config config;

	(void)state;
	assert_int_equal(
		load(&config,
		     "{\"name\": \"one\", \"memory\": \"4G\", \"cpus\": 3, \"kernel\": \"k\","
		     "\"initrd\": \"i\", \"cmdline\": \"quiet\", \"window\": \"1G\","
		     "\"serial\": \"none\", \"socket\": \"/s\", \"debug_exit\": true,"
		     "\"broker\": true, \"sections\": [{\"name\": \"a\", \"mode\": \"cow\"},"
		     "{\"name\": \"b\", \"mode\": \"rw\", \"at\": \"2M\"}]}"),
		0);
	assert_string_equal(config.name, "one");
	assert_int_equal(config.memory_bytes, UINT64_C(4) << 30);
	assert_int_equal(config.cpus, 3);
	assert_string_equal(config.kernel, "k");
	assert_string_equal(config.initrd, "i");
	assert_string_equal(config.cmdline, "quiet");
	assert_int_equal(config.window_bytes, UINT64_C(1) << 30);
	assert_string_equal(config.serial, "none");
	assert_string_equal(config.socket, "/s");
	assert_true(config.debug_exit);
	assert_int_equal(config.section_count, 2);
	assert_string_equal(config.sections[0].name, "a");
	assert_int_equal(config.sections[0].mode, SECTION_ATTACH_COW);
	assert_int_equal(config.sections[0].at, WINDOW_ANY);
	assert_int_equal(config.sections[1].mode, SECTION_ATTACH_RW);
	assert_int_equal(config.sections[1].at, 2 << 20);
	config_deinit(&config);
}

/* The examples that people start from; the tests run in the tree's root. */
static void test_examples(void **state)
{
	glob_t found;

	(void)state;
	if (glob("configs/*.json", 0, NULL, &found) != 0)
		skip();
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct config config;

		print_message("%s\n", found.gl_pathv[i]);
		assert_int_equal(config_init(&config), 0);
		assert_int_equal(config_load_file(&config, found.gl_pathv[i]), 0);
		assert_int_equal(config_check(&config), 0);
		config_deinit(&config);
	}
	globfree(&found);
}

static int parse(struct config *config, const char *const *args, enum config_action *action)
{
	char *argv[ARGS_MAX + 2] = { strdup("vmsect-vmm") };
	int argc = 1, result;

	for (; args[argc - 1]; argc++)
		argv[argc] = strdup(args[argc - 1]);
	assert_int_equal(config_init(config), 0);
	result = config_parse_args(config, argc, argv, action);
	for (int i = 0; i < argc; i++)
		free(argv[i]); /* in the order that getopt left */
	return result;
}

static const struct {
	const char *args[ARGS_MAX];
	const char *says;
} bad_args[] = {
	{ { "--colour" }, "--colour: unknown option" },
	{ { "-x" }, "unknown option" },
	{ { "--kernel" }, "--kernel needs a value" },
	{ { "kernel" }, "kernel: unexpected argument" },
	{ { "--cpus", "0" }, "--cpus" },
	{ { "--cpus", "17" }, "--cpus" },
	{ { "--cpus", "2x" }, "--cpus" },
	{ { "--memory", "lots" }, "--memory: \"lots\"" },
	{ { "--section", "a" }, "is not NAME:MODE" },
	{ { "--section", "a:xx" }, "\"xx\" is not ro, rw or cow" },
	{ { "--section", "a:ro,to=1" }, "\"to=1\" is not at=OFFSET, cow-quota=BYTES, as=" },
	{ { "--section", "a:cow,cow-quota=0" }, "\"cow-quota=0\" is not at=OFFSET" },
	{ { "--section", "a:cow,cow-quota=x" }, "\"cow-quota=x\" is not at=OFFSET" },
	{ { "--section", "a:cow,at=2M,x" }, "\"x\" is not at=OFFSET" },
	{ { "--section", "a:ro,cow-quota=1M" }, "is not cow" },
	{ { "--section", "a:rw,as=disk" }, "\"as=disk\" is not at=OFFSET" },
	{ { "--section", "a:rw,as=ivshmem,vectors=0" }, "\"vectors=0\" is not" },
	{ { "--section", "a:rw,as=ivshmem,vectors=65" }, "vectors=1..64" },
	{ { "--section", "a:rw,vectors=2" }, "is not ivshmem: it has no vectors" },
	{ { "--section", "a:rw,as=pmem,vectors=2" }, "is not ivshmem: it has no vectors" },
	{ { "--section", "a:rw,as=pmem,at=2M" }, "has no place in the window" },
	{ { "--section", "a:rw,as=ivshmem,at=0" }, "has no place in the window" },
	{ { "--cow-quota" }, "--cow-quota needs a value" },
	{ { "--cow-quota", "0" }, "--cow-quota: is 0" },
	{ { "--cow-quota", "x" }, "--cow-quota: \"x\" is not a size" },
	{ { "--cow-quota", "1M," }, "--cow-quota: \"\" is not report or stop" },
	{ { "--cow-quota", "1M,beep" }, "--cow-quota: \"beep\" is not report or stop" },
	{ { "--allow-create=0" }, "--allow-create: is 0" },
	{ { "--allow-create=x" }, "--allow-create: \"x\" is not a size" },
	{ { "--section", "a:ro,at=" }, "is not at=OFFSET" },
	{ { "--section", ":ro" }, "not a legal section name" },
	{ { "--section", "a:ro", "--section", "a:rw" }, "there already" },
	{ { "--config", "a", "--config", "b" }, "given twice" },
	{ { "--config", "/nonexistent" }, "/nonexistent" },
};

static void test_bad_args(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad_args); i++) {
		enum config_action action = (enum config_action)POISON;
		struct config config;

		assert_true(parse(&config, bad_args[i].args, &action) < 0);
		print_message("%s\n", config.error);
		assert_non_null(strstr(config.error, bad_args[i].says));
		assert_int_equal(action, (enum config_action)POISON);
		config_deinit(&config);
	}
}

static void test_args_override_file(void **state)
{
	const char *const args[] = { "--memory",    "1G",	"--section", "c:rw,at=4M", "-v",
				     "--no-broker", "--config", file_path,   NULL };
	enum config_action action;
	struct config config;

	(void)state;
	write_file("{\"kernel\": \"k\", \"memory\": \"2G\", \"cpus\": 4,"
		   "\"sections\": [{\"name\": \"a\", \"mode\": \"ro\"}]}");
	assert_int_equal(parse(&config, args, &action), 0);
	assert_int_equal(action, CONFIG_RUN);
	assert_int_equal(config.memory_bytes, UINT64_C(1) << 30);
	assert_int_equal(config.cpus, 4);
	assert_string_equal(config.kernel, "k");
	assert_int_equal(config.section_count, 1);
	assert_string_equal(config.sections[0].name, "c");
	assert_int_equal(config.sections[0].at, 4 << 20);
	assert_int_equal(config.verbose, 1);
	assert_false(config.broker);
	config_deinit(&config);
}

static void test_policy_of_args(void **state)
{
	const char *const args[] = {
		"--allow-create=1G",	    "--cow-quota", "8M,stop",	 "--section",
		"a:cow,cow-quota=1M,at=4M", "--cow-quota", "16M,report", NULL
	};
	const char *const bare[] = { "--allow-create", NULL };
	enum config_action action;
	struct config config;

	(void)state;
	assert_int_equal(parse(&config, args, &action), 0);
	assert_true(config.allow_create);
	assert_int_equal(config.create_bytes, UINT64_C(1) << 30);
	assert_int_equal(config.cow_quota, 16 << 20);
	assert_false(config.cow_stop);
	assert_int_equal(config.sections[0].cow_quota, 1 << 20);
	assert_int_equal(config.sections[0].at, 4 << 20);
	config_deinit(&config);
	assert_int_equal(parse(&config, bare, &action), 0);
	assert_true(config.allow_create);
	assert_int_equal(config.create_bytes, 0);
	config_deinit(&config);
}

static void test_actions(void **state)
{
	const char *const help[] = { "--help", NULL }, *const version[] = { "-V", NULL };
	enum config_action action;
	struct config config;

	(void)state;
	assert_int_equal(parse(&config, help, &action), 0);
	assert_int_equal(action, CONFIG_HELP);
	config_deinit(&config);
	assert_int_equal(parse(&config, version, &action), 0);
	assert_int_equal(action, CONFIG_VERSION);
	config_deinit(&config);
}

static void test_defaults(void **state)
{
	struct config config;

	(void)state;
	assert_int_equal(load(&config, "{\"kernel\": \"k\"}"), 0);
	assert_non_null(strstr(config.name, "vm-"));
	assert_int_equal(config.memory_bytes, 512 << 20);
	assert_int_equal(config.window_bytes, UINT64_C(64) << 30);
	assert_int_equal(config.cpus, 1);
	assert_true(config.broker);
	assert_false(config.debug_exit);
	assert_false(config.allow_create);
	assert_int_equal(config.cow_quota, 0);
	assert_false(config.cow_stop);
	assert_string_equal(config.serial, "stdio");
	config_deinit(&config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bad_files, leak_setup, leak_teardown),
		cmocka_unit_test_setup_teardown(test_missing_file, leak_setup, leak_teardown),
		cmocka_unit_test_setup_teardown(test_good_file, leak_setup, leak_teardown),
		cmocka_unit_test_setup_teardown(test_policy_of_file, leak_setup, leak_teardown),
		cmocka_unit_test_setup_teardown(test_devices_of_sections, leak_setup,
						leak_teardown),
		cmocka_unit_test_setup_teardown(test_policy_of_args, leak_setup, leak_teardown),
		cmocka_unit_test_setup_teardown(test_examples, leak_setup, leak_teardown),
		cmocka_unit_test_setup_teardown(test_bad_args, leak_setup, leak_teardown),
		cmocka_unit_test_setup_teardown(test_args_override_file, leak_setup, leak_teardown),
		cmocka_unit_test_setup_teardown(test_actions, leak_setup, leak_teardown),
		cmocka_unit_test_setup_teardown(test_defaults, leak_setup, leak_teardown),
	};

	(void)alarm(20);
	return cmocka_run_group_tests(tests, setup_folder, teardown_folder);
}
