/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes and words without a C library.
 */
#ifndef GUEST_TEXT_H
#define GUEST_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *to, const void *from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
size_t strlen(const char *text);
int strcmp(const char *a, const char *b);

/* A decimal or 0x number with an optional K, M or G. */
bool text_number(const char *text, uint64_t *ret_value);

/* Splits a line in place at blanks; the number of words, at most `max`. */
uint32_t text_split(char *line, char **words, uint32_t max);

/* Hexadecimal digits to bytes; the number of bytes or -1. */
long text_bytes(const char *text, uint8_t *to, size_t max);

#endif
