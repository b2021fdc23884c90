// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Serial port COM1: output by polling, input by interrupt, so that a guest
 * that waits for a command sleeps.
 */
#include "print.h"

#include <stdarg.h>
#include <stdbool.h>

#include "cpu.h"
#include "io.h"

#define LSR_DATA 0x01
#define LSR_EMPTY 0x20
#define FIFO_BYTES 16

void serial_init(void)
{
	out8(LAYOUT_COM1 + 1, 0);
	out8(LAYOUT_COM1 + 2, 0x01); /* FIFO on; what came already stays */
	out8(LAYOUT_COM1 + 3, 0x03); /* 8 bits */
	out8(LAYOUT_COM1 + 4, 0x0b); /* DTR, RTS, interrupt line */
	cpu_route(LAYOUT_COM1_GSI, VECTOR_SERIAL);
	out8(LAYOUT_COM1 + 1, 0x01);
}

static void put(char c)
{
	static uint32_t room;

	if (!room) {
		while (!(in8(LAYOUT_COM1 + 5) & LSR_EMPTY))
			cpu_pause();
		room = FIFO_BYTES;
	}
	room--;
	out8(LAYOUT_COM1, (uint8_t)c);
}

static void put_text(const char *text)
{
	while (*text)
		put(*text++);
}

static void put_number(uint64_t value, uint32_t base)
{
	char digits[24];
	uint32_t count = 0;

	do {
		digits[count++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	while (count)
		put(digits[--count]);
}

void print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	for (; *format; format++) {
		bool wide = false;

		if (*format != '%') {
			put(*format);
			continue;
		}
		if (*++format == 'l') {
			wide = true;
			format++;
		}
		if (*format == 's')
			put_text(va_arg(args, const char *));
		else if (*format == 'c')
			put((char)va_arg(args, int));
		else if (wide)
			put_number(va_arg(args, uint64_t), *format == 'x' ? 16 : 10);
		else
			put_number(va_arg(args, uint32_t), *format == 'x' ? 16 : 10);
	}
	va_end(args);
}

static char get(void)
{
	for (;;) {
		uint32_t seen = irq_counts[VECTOR_SERIAL];

		if (in8(LAYOUT_COM1 + 5) & LSR_DATA)
			return (char)in8(LAYOUT_COM1);
		cpu_wait(VECTOR_SERIAL, seen, 0);
	}
}

uint32_t serial_line(char *line, uint32_t bytes)
{
	uint32_t length = 0;

	for (;;) {
		char c = get();

		if (c == '\n' || c == '\r')
			break;
		if (length + 1 < bytes)
			line[length++] = c;
	}
	line[length] = '\0';
	return length;
}
