// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bytes and words without a C library.  Compilers call the mem functions too.
 */
#include "text.h"

void *memcpy(void *to, const void *from, size_t bytes)
{
	void *at = to;

	__asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(bytes) : : "memory");
	return to;
}

void *memmove(void *to, const void *from, size_t bytes)
{
	uint8_t *out = to;
	const uint8_t *in = from;

	if ((uintptr_t)to <= (uintptr_t)from)
		return memcpy(to, from, bytes);
	while (bytes--)
		*(volatile uint8_t *)(out + bytes) = in[bytes];
	return to;
}

void *memset(void *to, int value, size_t bytes)
{
	void *at = to;

	__asm__ volatile("rep stosb" : "+D"(at), "+c"(bytes) : "a"(value) : "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
	const uint8_t *x = a;
	const uint8_t *y = b;

	for (size_t i = 0; i < bytes; i++)
		if (x[i] != y[i])
			return x[i] - y[i];
	return 0;
}

size_t strlen(const char *text)
{
	const volatile char *at = text;

	while (*at)
		at++;
	return (size_t)(at - text);
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (uint8_t)*a - (uint8_t)*b;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

static int unit_shift(char c)
{
	switch (c) {
	case 'K':
		return 10;
	case 'M':
		return 20;
	case 'G':
		return 30;
	default:
		return -1;
	}
}

bool text_number(const char *text, uint64_t *ret_value)
{
	uint64_t value = 0;
	int base = 10;
	int shift;

	if (text[0] == '0' && text[1] == 'x') {
		base = 16;
		text += 2;
	}
	if (digit(*text) >= base)
		return false;
	for (; digit(*text) < base; text++)
		value = value * (uint64_t)base + (uint64_t)digit(*text);
	if (*text) {
		shift = unit_shift(*text++);
		if (shift < 0 || *text)
			return false;
		value <<= shift;
	}
	*ret_value = value;
	return true;
}

uint32_t text_split(char *line, char **words, uint32_t max)
{
	uint32_t count = 0;

	while (*line && count < max) {
		while (*line == ' ')
			*line++ = '\0';
		if (!*line)
			break;
		words[count++] = line;
		while (*line && *line != ' ')
			line++;
	}
	return count;
}

long text_bytes(const char *text, uint8_t *to, size_t max)
{
	size_t count = 0;

	for (; text[0]; text += 2) {
		if (digit(text[0]) > 15 || digit(text[1]) > 15 || count == max)
			return -1;
		to[count++] = (uint8_t)(digit(text[0]) << 4 | digit(text[1]));
	}
	return (long)count;
}
