/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The 16550A as a driver sees it. */
#include "lib/check.h"

#include <string.h>
#include <unistd.h>

#include "bus/bus.h"
#include "dev/serial.h"

enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR };

struct wire {
	struct serial *serial;
	char output[64];
	size_t output_used;
	int level;
	unsigned int raised;
	unsigned int room;
};

static void on_output(void *owner, uint8_t byte)
{
	struct wire *wire = owner;

	assert_true(wire->output_used < sizeof(wire->output));
	wire->output[wire->output_used++] = (char)byte;
}

static void on_line(void *owner, int level)
{
	struct wire *wire = owner;

	assert_int_not_equal(wire->level, level); /* only changes are told */
	wire->level = level;
	wire->raised += level != 0;
}

static void on_room(void *owner)
{
	struct wire *wire = owner;

	wire->room++;
}

static int setup(void **state)
{
	static struct wire wire;
	const struct serial_host host = {
		.owner = &wire, .output = on_output, .line = on_line, .room = on_room
	};

	wire = (struct wire){ 0 };
	*state = &wire;
	return serial_new(&host, &wire.serial);
}

static int teardown(void **state)
{
	struct wire *wire = *state;

	wire->serial = serial_free(wire->serial);
	return 0;
}

static uint8_t in(struct wire *wire, uint64_t reg)
{
	uint8_t value = 0xa5;

	serial_bus_ops.read(wire->serial, reg, &value, 1);
	return value;
}

static void out(struct wire *wire, uint64_t reg, uint8_t value)
{
	serial_bus_ops.write(wire->serial, reg, &value, 1);
}

static size_t type(struct wire *wire, const char *text)
{
	return serial_input(wire->serial, (const uint8_t *)text, strlen(text));
}

static void test_output(void **state)
{
	struct wire *wire = *state;

	assert_int_equal(in(wire, LSR), 0x60);
	out(wire, DATA, 'o');
	out(wire, DATA, 'k');
	assert_int_equal(wire->output_used, 2);
	assert_memory_equal(wire->output, "ok", 2);
	assert_int_equal(in(wire, LSR), 0x60);
	assert_int_equal(wire->raised, 0);
}

static void test_registers(void **state)
{
	struct wire *wire = *state;

	out(wire, SCR, 0x5a);
	assert_int_equal(in(wire, SCR), 0x5a);
	out(wire, IER, 0xff);
	assert_int_equal(in(wire, IER), 0x0f);
	out(wire, LCR, 0x80);
	out(wire, DATA, 0x34);
	out(wire, IER, 0x12);
	assert_int_equal(in(wire, DATA), 0x34);
	assert_int_equal(in(wire, IER), 0x12);
	out(wire, LCR, 0x03);
	assert_int_equal(in(wire, IER), 0x0f);
	assert_int_equal(wire->output_used, 0);
	assert_int_equal(in(wire, IIR) & 0xc0, 0);
	out(wire, IIR, 0x01);
	assert_int_equal(in(wire, IIR) & 0xc0, 0xc0);
	assert_int_equal(in(wire, MSR), 0xb0);
}

static void test_wide_access(void **state)
{
	struct wire *wire = *state;
	uint8_t values[8];

	memset(values, 0xa5, sizeof(values));
	out(wire, SCR, 0x77);
	serial_bus_ops.read(wire->serial, 0, values, 8);
	assert_int_equal(values[LSR], 0x60);
	assert_int_equal(values[SCR], 0x77);
}

static void test_transmit_interrupt(void **state)
{
	struct wire *wire = *state;

	out(wire, IER, 0x02);
	assert_int_equal(wire->level, 1);
	assert_int_equal(in(wire, IIR), 0x02);
	assert_int_equal(wire->level, 0);
	assert_int_equal(in(wire, IIR), 0x01);
	out(wire, DATA, 'x');
	assert_int_equal(wire->level, 1);
	out(wire, IER, 0);
	assert_int_equal(wire->level, 0);
	assert_int_equal(wire->raised, 2);
}

static void test_receive(void **state)
{
	struct wire *wire = *state;

	/* Nobody listens yet. */
	assert_int_equal(type(wire, "hi"), 0);
	assert_int_equal(wire->room, 0);
	out(wire, IER, 0x01);
	assert_int_equal(wire->room, 1);
	assert_int_equal(type(wire, "hi"), 1); /* no FIFO: one byte */
	assert_int_equal(wire->level, 1);
	assert_int_equal(in(wire, IIR), 0x04);
	assert_int_equal(in(wire, LSR), 0x61);
	assert_int_equal(in(wire, DATA), 'h');
	assert_int_equal(wire->room, 2);
	assert_int_equal(wire->level, 0);
	assert_int_equal(in(wire, DATA), 0);
}

static void test_receive_fifo(void **state)
{
	struct wire *wire = *state;

	out(wire, IER, 0x01);
	out(wire, IIR, 0x01);
	assert_int_equal(type(wire, "0123456789abcdefgh"), 16);
	for (int i = 0; i < 16; i++) {
		assert_int_equal(wire->room, 0);
		assert_int_equal(in(wire, DATA), "0123456789abcdef"[i]);
	}
	assert_int_equal(wire->room, 1);
	assert_int_equal(type(wire, "gh"), 2);
	out(wire, IIR, 0x03);
	assert_int_equal(in(wire, LSR), 0x60);
	assert_int_equal(wire->level, 0);
}

static void test_polled_receive(void **state)
{
	struct wire *wire = *state;

	assert_int_equal(type(wire, "x"), 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(in(wire, LSR), 0x60);
	assert_int_equal(wire->room, 1);
	assert_int_equal(type(wire, "x"), 1);
	assert_int_equal(in(wire, LSR), 0x61);
	assert_int_equal(in(wire, DATA), 'x');
	assert_int_equal(type(wire, "y"), 1);
	assert_int_equal(wire->raised, 0);
}

static void test_loop_mode(void **state)
{
	struct wire *wire = *state;

	out(wire, MCR, 0x1a);
	assert_int_equal(in(wire, MSR), 0x90); /* the test of Linux */
	out(wire, DATA, 0xae);
	assert_int_equal(wire->output_used, 0);
	assert_int_equal(in(wire, LSR), 0x61);
	out(wire, DATA, 0xaf); /* no room without a FIFO */
	assert_int_equal(in(wire, LSR), 0x63);
	assert_int_equal(in(wire, LSR), 0x61);
	assert_int_equal(in(wire, DATA), 0xae);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_output, setup, teardown),
		cmocka_unit_test_setup_teardown(test_registers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wide_access, setup, teardown),
		cmocka_unit_test_setup_teardown(test_transmit_interrupt, setup, teardown),
		cmocka_unit_test_setup_teardown(test_receive, setup, teardown),
		cmocka_unit_test_setup_teardown(test_receive_fifo, setup, teardown),
		cmocka_unit_test_setup_teardown(test_polled_receive, setup, teardown),
		cmocka_unit_test_setup_teardown(test_loop_mode, setup, teardown),
	};

	(void)alarm(20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
