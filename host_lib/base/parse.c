/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Numbers, sizes and names, as base/parse.h promises them.  No locale: digits
 * are ASCII digits, a sign or a blank is never part of a number.
 */
#include "base/parse.h"

#include <errno.h>
#include <string.h>

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

/* The number at *text, which then points behind it. */
static int parse_digits(const char **text, unsigned int base, uint64_t *ret_value)
{
	const char *at = *text;
	uint64_t value = 0;

	for (; (unsigned int)digit_value(*at) < base; at++) {
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)digit_value(*at), &value))
			return -ERANGE;
	}
	if (at == *text)
		return -EINVAL;
	*text = at;
	*ret_value = value;
	return 0;
}

/* The power of two that a suffix stands for, or -EINVAL. */
static int suffix_shift(const char *suffix)
{
	static const char letters[] = "KMGT";
	const char *letter;

	if (!*suffix)
		return 0;
	letter = strchr(letters, *suffix >= 'a' && *suffix <= 'z' ? *suffix - 32 : *suffix);
	if (!letter || (suffix[1] && strcmp(suffix + 1, "iB") != 0))
		return -EINVAL;
	return (int)(letter - letters + 1) * 10;
}

int parse_size(const char *text, uint64_t *ret_bytes)
{
	unsigned int base = 10;
	uint64_t value = 0;
	int r, shift;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		text += 2;
	}
	r = parse_digits(&text, base, &value);
	if (r < 0)
		return r;
	shift = suffix_shift(text);
	if (shift < 0)
		return shift;
	if (shift && value >> (64 - shift))
		return -ERANGE;
	*ret_bytes = value << shift;
	return 0;
}

int parse_u32(const char *text, uint32_t max, uint32_t *ret_value)
{
	uint64_t value = 0;
	int r;

	r = parse_digits(&text, 10, &value);
	if (r < 0)
		return r;
	if (*text)
		return -EINVAL;
	if (value > max)
		return -ERANGE;
	*ret_value = (uint32_t)value;
	return 0;
}

static bool name_byte_is_legal(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       (c && strchr("._+@:-", c));
}

bool name_is_legal(const char *name, size_t length)
{
	size_t i;

	if (!length || length > NAME_LENGTH_MAX || name[0] == '.' || name[0] == '-')
		return false;
	for (i = 0; i < length; i++) {
		if (!name_byte_is_legal(name[i]))
			return false;
	}
	return length != 3 || memcmp(name, "ctl", 3) != 0;
}

int name_field_length(const char *name, size_t field, size_t *ret_length)
{
	size_t length = strnlen(name, field);
	size_t i;

	if (length == field)
		return -EINVAL;
	for (i = length; i < field; i++) {
		if (name[i])
			return -EINVAL;
	}
	*ret_length = length;
	return 0;
}
