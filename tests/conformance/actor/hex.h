/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes as hexadecimal digits.
 */
#ifndef CONFORMANCE_HEX_H
#define CONFORMANCE_HEX_H

#include <stdbool.h>
#include <stddef.h>

/* The value of a digit, or -1. */
static inline int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte of the next two digits; false if there are none. */
static inline bool hex_byte(const char *text, unsigned char *ret_byte)
{
	int high = hex_digit(text[0]);
	int low = high < 0 ? -1 : hex_digit(text[1]);

	if (low < 0)
		return false;
	*ret_byte = (unsigned char)(high * 16 + low);
	return true;
}

/* Writes 2 * count digits and a NUL; returns where that is. */
static inline char *hex_put(char *text, const void *bytes, size_t count)
{
	const unsigned char *from = bytes;

	for (size_t i = 0; i < count; i++) {
		*text++ = "0123456789abcdef"[from[i] >> 4];
		*text++ = "0123456789abcdef"[from[i] & 15];
	}
	*text = '\0';
	return text;
}

#endif
