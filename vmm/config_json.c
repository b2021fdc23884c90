/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The JSON form of a configuration (see config.h): one object whose keys are
 * those of the table below.  Unknown and duplicate keys and wrong types are
 * errors that name the key's path.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/cleanup.h"

#define ITEM_PATH_BYTES 40
#define KEY_PATH_BYTES 128
#define KEY_SHOWN 64

static void json_cleanup(json_t **json)
{
	json_decref(*json);
	*json = NULL;
}

static int wrong_type(struct config *config, const char *path, const char *wanted)
{
	return config_fail(config, -EINVAL, "%s: is not %s", path, wanted);
}

/* Without JSON_ALLOW_NUL a string ends at its first NUL. */
static int get_text(struct config *config, const json_t *value, const char *path,
		    const char **ret_text)
{
	const char *text = json_string_value(value);

	if (!text)
		return wrong_type(config, path, "a string");
	*ret_text = text;
	return 0;
}

static int set_text(struct config *config, char **field, const json_t *value, const char *path)
{
	const char *text;
	int result = get_text(config, value, path, &text);

	return result < 0 ? result : config_set_text(config, field, text, path);
}

static int set_bool(struct config *config, bool *field, const json_t *value, const char *path)
{
	if (!json_is_boolean(value))
		return wrong_type(config, path, "true or false");
	*field = json_is_true(value);
	return 0;
}

/* A number of bytes, or text such as "512M". */
static int set_size(struct config *config, uint64_t *field, const json_t *value, const char *path)
{
	if (json_is_string(value)) {
		const char *text;
		int result = get_text(config, value, path, &text);

		return result < 0 ? result : config_set_size(config, field, text, path);
	}
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return wrong_type(config, path, "a size");
	*field = (uint64_t)json_integer_value(value);
	return 0;
}

static int set_count(struct config *config, uint32_t *field, uint32_t most, const json_t *value,
		     const char *path)
{
	json_int_t count = json_integer_value(value);

	if (!json_is_integer(value))
		return wrong_type(config, path, "a whole number");
	if (count < 1 || count > most)
		return config_fail(config, -ERANGE, "%s: is not 1 to %u", path, most);
	*field = (uint32_t)count;
	return 0;
}

static int key_name(struct config *config, const json_t *value, const char *path)
{
	return set_text(config, &config->name, value, path);
}

static int key_kernel(struct config *config, const json_t *value, const char *path)
{
	return set_text(config, &config->kernel, value, path);
}

static int key_initrd(struct config *config, const json_t *value, const char *path)
{
	return set_text(config, &config->initrd, value, path);
}

static int key_cmdline(struct config *config, const json_t *value, const char *path)
{
	return set_text(config, &config->cmdline, value, path);
}

static int key_serial(struct config *config, const json_t *value, const char *path)
{
	return set_text(config, &config->serial, value, path);
}

static int key_socket(struct config *config, const json_t *value, const char *path)
{
	return set_text(config, &config->socket, value, path);
}

static int key_memory(struct config *config, const json_t *value, const char *path)
{
	return set_size(config, &config->memory_bytes, value, path);
}

static int key_window(struct config *config, const json_t *value, const char *path)
{
	return set_size(config, &config->window_bytes, value, path);
}

static int key_cpus(struct config *config, const json_t *value, const char *path)
{
	return set_count(config, &config->cpus, CONFIG_CPUS_MAX, value, path);
}

static int key_debug_exit(struct config *config, const json_t *value, const char *path)
{
	return set_bool(config, &config->debug_exit, value, path);
}

static int key_broker(struct config *config, const json_t *value, const char *path)
{
	return set_bool(config, &config->broker, value, path);
}

static int no_zero(struct config *config, uint64_t value, const char *path)
{
	return value ? 0 : config_fail(config, -EINVAL, "%s: is 0", path);
}

/* true, false, or how many bytes in all. */
static int key_allow_create(struct config *config, const json_t *value, const char *path)
{
	int result;

	config->create_bytes = 0;
	if (json_is_boolean(value))
		return set_bool(config, &config->allow_create, value, path);
	config->allow_create = true;
	result = set_size(config, &config->create_bytes, value, path);
	return result < 0 ? result : no_zero(config, config->create_bytes, path);
}

static int key_cow_quota(struct config *config, const json_t *value, const char *path)
{
	int result = set_size(config, &config->cow_quota, value, path);

	return result < 0 ? result : no_zero(config, config->cow_quota, path);
}

static int key_cow_quota_action(struct config *config, const json_t *value, const char *path)
{
	const char *text;
	int result = get_text(config, value, path, &text);

	return result < 0 ? result : config_set_cow_action(config, text, path);
}

static int section_name(struct config *config, struct section_attach *attach, const json_t *value,
			const char *path)
{
	return get_text(config, value, path, &attach->name);
}

static int section_mode(struct config *config, struct section_attach *attach, const json_t *value,
			const char *path)
{
	const char *text;
	int result = get_text(config, value, path, &text);

	if (result < 0)
		return result;
	if (config_parse_mode(text, &attach->mode) < 0)
		return config_fail(config, -EINVAL, "%s: \"%s\" is not ro, rw or cow", path, text);
	return 0;
}

static int section_at(struct config *config, struct section_attach *attach, const json_t *value,
		      const char *path)
{
	int result = set_size(config, &attach->at, value, path);

	if (result == 0 && attach->at == WINDOW_ANY)
		return config_fail(config, -ERANGE, "%s: is too large", path);
	return result;
}

static int section_cow_quota(struct config *config, struct section_attach *attach,
			     const json_t *value, const char *path)
{
	int result = set_size(config, &attach->cow_quota, value, path);

	return result < 0 ? result : no_zero(config, attach->cow_quota, path);
}

static int section_as(struct config *config, struct section_attach *attach, const json_t *value,
		      const char *path)
{
	const char *text;
	int result = get_text(config, value, path, &text);

	if (result < 0)
		return result;
	if (config_parse_as(text, &attach->as) < 0)
		return config_fail(config, -EINVAL, "%s: \"%s\" is not native, ivshmem or pmem",
				   path, text);
	return 0;
}

static int section_vectors(struct config *config, struct section_attach *attach,
			   const json_t *value, const char *path)
{
	return set_count(config, &attach->vectors, CONFIG_VECTORS_MAX, value, path);
}

static const struct {
	const char *key;
	int (*set)(struct config *config, struct section_attach *attach, const json_t *value,
		   const char *path);
	bool is_needed;
} section_keys[] = {
	{ "name", section_name, true }, { "mode", section_mode, true },
	{ "at", section_at, false },	{ "cow_quota", section_cow_quota, false },
	{ "as", section_as, false },	{ "vectors", section_vectors, false },
};
#define SECTION_KEYS (sizeof(section_keys) / sizeof(section_keys[0]))

static int no_unknown_key(struct config *config, json_t *object, const char *path)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value)
	{
		size_t i = 0;

		while (i < SECTION_KEYS && strcmp(section_keys[i].key, key) != 0)
			i++;
		if (i == SECTION_KEYS)
			return config_fail(config, -EINVAL, "%s.%.*s: unknown key", path, KEY_SHOWN,
					   key);
	}
	return 0;
}

static int add_section(struct config *config, json_t *object, const char *path)
{
	struct section_attach attach = { .at = WINDOW_ANY };
	char key_path[KEY_PATH_BYTES];
	int result;

	if (!json_is_object(object))
		return wrong_type(config, path, "an object");
	result = no_unknown_key(config, object, path);
	for (size_t i = 0; result == 0 && i < SECTION_KEYS; i++) {
		const char *key = section_keys[i].key;
		const json_t *value = json_object_get(object, key);

		(void)snprintf(key_path, sizeof(key_path), "%.*s.%s", ITEM_PATH_BYTES, path, key);
		if (value)
			result = section_keys[i].set(config, &attach, value, key_path);
		else if (section_keys[i].is_needed)
			result = config_fail(config, -EINVAL, "%s: has no \"%s\"", path, key);
	}
	return result < 0 ? result : config_add_section(config, &attach, path);
}

static int key_sections(struct config *config, const json_t *value, const char *path)
{
	char item_path[ITEM_PATH_BYTES];

	if (!json_is_array(value))
		return wrong_type(config, path, "an array");
	for (size_t i = 0; i < json_array_size(value); i++) {
		int result;

		(void)snprintf(item_path, sizeof(item_path), "%s[%zu]", path, i);
		result = add_section(config, json_array_get(value, i), item_path);
		if (result < 0)
			return result;
	}
	return 0;
}

static const struct {
	const char *key;
	int (*set)(struct config *config, const json_t *value, const char *path);
} keys[] = {
	{ "name", key_name },
	{ "memory", key_memory },
	{ "cpus", key_cpus },
	{ "kernel", key_kernel },
	{ "initrd", key_initrd },
	{ "cmdline", key_cmdline },
	{ "sections", key_sections },
	{ "window", key_window },
	{ "serial", key_serial },
	{ "socket", key_socket },
	{ "broker", key_broker },
	{ "debug_exit", key_debug_exit },
	{ "allow_create", key_allow_create },
	{ "cow_quota", key_cow_quota },
	{ "cow_quota_action", key_cow_quota_action },
};

static int set_key(struct config *config, const char *key, const json_t *value)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(keys[i].key, key) == 0)
			return keys[i].set(config, value, key);
	return config_fail(config, -EINVAL, "%s: unknown key", key);
}

/* Puts the file's name before the key's. */
static int fail_in_file(struct config *config, const char *path, int result)
{
	char text[CONFIG_ERROR_BYTES];

	memcpy(text, config->error, sizeof(text));
	return config_fail(config, result, "%s: %.*s", path, (int)sizeof(text) / 2, text);
}

int config_load_file(struct config *config, const char *path)
{
	AUTO(json_cleanup) json_t *root = NULL;
	json_error_t error;
	const char *key;
	json_t *value;

	root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	if (!root && error.line < 0)
		return config_fail(config, -EINVAL, "%s", error.text);
	if (!root)
		return config_fail(config, -EINVAL, "%s:%d:%d: %s", path, error.line, error.column,
				   error.text);
	if (!json_is_object(root))
		return config_fail(config, -EINVAL, "%s: is not an object", path);
	json_object_foreach(root, key, value)
	{
		int result = set_key(config, key, value);

		if (result < 0)
			return fail_in_file(config, path, result);
	}
	return 0;
}
