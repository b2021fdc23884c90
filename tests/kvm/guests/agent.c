// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The agent: a flat guest that does what its host side writes to the serial
 * port, one command a line.  CPU 0 runs it; the others run jobs (watch, storm).
 */
#include "agent.h"

#include "cpu.h"
#include "print.h"
#include "text.h"

#define LINE_BYTES 4096

static const struct agent_command *const tables[] = {
	cpu_commands,	 memory_commands, section_commands, view_commands,
	notify_commands, queue_commands,  pci_commands,	    watch_commands,
	storm_commands,	 bytes_commands,  hammer_commands,  ivshmem_commands,
};

static const struct agent_command *find(const char *name)
{
	for (uint32_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct agent_command *command = tables[i]; command->name; command++)
			if (!strcmp(command->name, name))
				return command;
	return NULL;
}

static bool parse_word(char letter, const char *word, uint64_t *ret_number)
{
	bool physical = *word == '@';

	if (letter == 's')
		return true;
	if (letter == 'n')
		return text_number(word, ret_number);
	if (!text_number(word + physical, ret_number))
		return false;
	if (!physical) {
		if (section_device.window == UINT64_MAX)
			return false;
		*ret_number += section_device.window;
	}
	return true;
}

static bool parse(const char *form, struct agent_args *args)
{
	char letter = 's';
	uint32_t i;

	for (i = 0; i < args->count; i++) {
		if (*form && *form != '*')
			letter = *form++;
		else if (*form != '*')
			return false;
		if (!parse_word((char)(letter | 0x20), args->text[i], &args->number[i]))
			return false;
	}
	return !*form || *form == '*' || (*form >= 'A' && *form <= 'Z');
}

static void run_line(char *line)
{
	char *words[AGENT_WORDS + 1];
	uint32_t count = text_split(line, words, AGENT_WORDS + 1);
	const struct agent_command *command;
	struct agent_args args = { 0 };

	if (!count)
		return;
	command = find(words[0]);
	if (!command) {
		print("err unknown command\n");
		return;
	}
	args.count = count - 1;
	for (uint32_t i = 0; i < args.count; i++)
		args.text[i] = words[i + 1];
	if (!parse(command->form, &args)) {
		print("err usage: %s %s\n", command->name, command->form);
		return;
	}
	command->run(&args);
}

bool agent_answer_status(struct section_result result)
{
	if (result.status == VMSECT_S_OK)
		return true;
	print("err status=%u detail=%u\n", result.status, result.detail);
	return false;
}

void agent_answer_exception(void)
{
	const struct cpu *cpu = cpu_self();

	print("err exception=%lu error=0x%lx cr2=0x%lx\n", cpu->vector, cpu->error, cpu->cr2);
}

void guest_main(void)
{
	static char line[LINE_BYTES];
	const char *why;

	serial_init();
	if (section_start(&why))
		print("agent ready window=0x%lx bytes=0x%lx\n", section_device.window,
		      section_device.window_bytes);
	else
		print("agent ready device=%s\n", why);
	for (;;) {
		serial_line(line, sizeof(line));
		run_line(line);
	}
}
