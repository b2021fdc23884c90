/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sections of a configuration; see config.h. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"

int config_parse_mode(const char *text, enum section_attach_mode *ret_mode)
{
	static const char *const modes[] = {
		[SECTION_ATTACH_RO] = "ro",
		[SECTION_ATTACH_RW] = "rw",
		[SECTION_ATTACH_COW] = "cow",
	};

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(text, modes[i]) != 0)
			continue;
		*ret_mode = (enum section_attach_mode)i;
		return 0;
	}
	return -EINVAL;
}

int config_parse_as(const char *text, enum section_attach_as *ret_as)
{
	static const char *const devices[] = {
		[SECTION_AS_NATIVE] = "native",
		[SECTION_AS_IVSHMEM] = "ivshmem",
		[SECTION_AS_PMEM] = "pmem",
	};

	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		if (strcmp(text, devices[i]) != 0)
			continue;
		*ret_as = (enum section_attach_as)i;
		return 0;
	}
	return -EINVAL;
}

static int check_device(struct config *config, const struct section_attach *attach,
			const char *what)
{
	if (attach->vectors && attach->as != SECTION_AS_IVSHMEM)
		return config_fail(config, -EINVAL,
				   "%s: section \"%s\" is not ivshmem: it has no vectors", what,
				   attach->name);
	if (attach->as != SECTION_AS_NATIVE && attach->at != WINDOW_ANY)
		return config_fail(config, -EINVAL,
				   "%s: section \"%s\" has a device of its own: "
				   "it has no place in the window",
				   what, attach->name);
	return 0;
}

static int check_section(struct config *config, const struct section_attach *attach,
			 const char *what)
{
	if (!name_is_legal(attach->name, strlen(attach->name)))
		return config_fail(config, -EINVAL, "%s: \"%s\" is not a legal section name", what,
				   attach->name);
	if (attach->cow_quota && attach->mode != SECTION_ATTACH_COW)
		return config_fail(config, -EINVAL,
				   "%s: section \"%s\" is not cow: it has no quota", what,
				   attach->name);
	if (check_device(config, attach, what) < 0)
		return -EINVAL;
	if (config->section_count >= CONFIG_SECTIONS_MAX)
		return config_fail(config, -E2BIG, "%s: more than %u sections", what,
				   CONFIG_SECTIONS_MAX);
	for (size_t i = 0; i < config->section_count; i++)
		if (strcmp(config->sections[i].name, attach->name) == 0)
			return config_fail(config, -EEXIST, "%s: section \"%s\" is there already",
					   what, attach->name);
	return 0;
}

int config_add_section(struct config *config, const struct section_attach *attach, const char *what)
{
	struct section_attach *more;
	char *name;
	int result = check_section(config, attach, what);

	if (result < 0)
		return result;
	more = reallocarray(config->sections, config->section_count + 1, sizeof(*more));
	if (!more)
		return config_fail(config, -ENOMEM, "%s: out of memory", what);
	config->sections = more;
	name = strdup(attach->name);
	if (!name)
		return config_fail(config, -ENOMEM, "%s: out of memory", what);
	more[config->section_count] = *attach;
	more[config->section_count].name = name;
	config->section_count++;
	return 0;
}

void config_clear_sections(struct config *config)
{
	for (size_t i = 0; i < config->section_count; i++) {
		/* config_add_section() made it. */
		char *name = (char *)(uintptr_t)config->sections[i].name;

		free(name);
	}
	free(config->sections);
	config->sections = NULL;
	config->section_count = 0;
}

static int set_at(struct section_attach *attach, const char *text)
{
	return parse_size(text, &attach->at) < 0 || attach->at == WINDOW_ANY ? -EINVAL : 0;
}

static int set_cow_quota(struct section_attach *attach, const char *text)
{
	return parse_size(text, &attach->cow_quota) < 0 || attach->cow_quota == 0 ? -EINVAL : 0;
}

static int set_as(struct section_attach *attach, const char *text)
{
	return config_parse_as(text, &attach->as);
}

static int set_vectors(struct section_attach *attach, const char *text)
{
	return parse_u32(text, CONFIG_VECTORS_MAX, &attach->vectors) < 0 || attach->vectors == 0
		       ? -EINVAL
		       : 0;
}

static const struct {
	const char *key; /* with the sign that ends it */
	int (*set)(struct section_attach *attach, const char *text);
} attributes[] = {
	{ "at=", set_at },
	{ "cow-quota=", set_cow_quota },
	{ "as=", set_as },
	{ "vectors=", set_vectors },
};

static int parse_attribute(struct section_attach *attach, const char *text)
{
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		size_t length = strlen(attributes[i].key);

		if (strncmp(text, attributes[i].key, length) == 0)
			return attributes[i].set(attach, text + length);
	}
	return -EINVAL;
}

/* Takes "NAME:MODE[,KEY=VALUE]..." apart in place. */
static int parse_parts(struct config *config, char *text, const char *whole, const char *what)
{
	struct section_attach attach = { .name = text, .at = WINDOW_ANY };
	char *mode = strrchr(text, ':'), *word;

	if (!mode)
		return config_fail(config, -EINVAL, "%s %s: is not NAME:MODE[,KEY=VALUE]...", what,
				   whole);
	*mode++ = '\0';
	word = strchr(mode, ',');
	if (word)
		*word++ = '\0';
	if (config_parse_mode(mode, &attach.mode) < 0)
		return config_fail(config, -EINVAL, "%s %s: \"%s\" is not ro, rw or cow", what,
				   whole, mode);
	while (word) {
		char *next = strchr(word, ',');

		if (next)
			*next++ = '\0';
		if (parse_attribute(&attach, word) < 0)
			return config_fail(config, -EINVAL,
					   "%s %s: \"%s\" is not at=OFFSET, cow-quota=BYTES, "
					   "as=native|ivshmem|pmem or vectors=1..%u",
					   what, whole, word, CONFIG_VECTORS_MAX);
		word = next;
	}
	return config_add_section(config, &attach, what);
}

int config_parse_section(struct config *config, const char *text, const char *what)
{
	AUTO_FREE char *copy = strdup(text);

	if (!copy)
		return config_fail(config, -ENOMEM, "%s: out of memory", what);
	return parse_parts(config, copy, text, what);
}
