/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See vm_fixture.h.
 */
#include "kvm/vm_fixture.h"

#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "kvm/bed.h"

#define ARGUMENTS_MAX (48 + 2 * VM_SECTIONS_MAX + VM_OPTIONS_MAX)
#define LINE_BYTES 4096 /* of a command; the agent takes as much */
#define EXIT_MS 10000
#define LOG_TAIL_BYTES 4096

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The end of the VMM's log, for a person. */
static void show_log(const struct vm_fixture *vm)
{
	char text[LOG_TAIL_BYTES + 1];
	AUTO_FD int fd = open(vm->log_path, O_RDONLY | O_CLOEXEC);
	struct stat info;
	ssize_t got;

	if (fd < 0 || fstat(fd, &info) < 0)
		return;
	got = pread(fd, text, LOG_TAIL_BYTES,
		    info.st_size > LOG_TAIL_BYTES ? info.st_size - LOG_TAIL_BYTES : 0);
	if (got <= 0)
		return;
	text[got] = '\0';
	print_error("log of %s:\n%s\n", vm->name, text);
}

static void vm_fail(struct vm_fixture *vm, const char *command, const char *what)
{
	print_error("VM %s: '%s': %s\n", vm->name, command, what);
	show_log(vm);
	fail();
}

bool vm_log_has(const struct vm_fixture *vm, const char *text)
{
	char line[1024];
	FILE *file = fopen(vm->log_path, "re");
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = strstr(line, text) != NULL;
	if (file)
		(void)fclose(file);
	return found;
}

struct arguments {
	const char *word[ARGUMENTS_MAX];
	size_t count;
};

static void add_argument(struct arguments *arguments, const char *option, const char *value)
{
	arguments->word[arguments->count++] = option;
	if (value)
		arguments->word[arguments->count++] = value;
}

/*
 * In the child: another user, to whom the broker owes nothing, but who may open
 * what is root's alone, /dev/kvm first of all.
 */
static bool become(uid_t uid)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const uint32_t caps = CAP_TO_MASK(CAP_DAC_OVERRIDE);
	struct __user_cap_data_struct data[2] = {
		{ .effective = caps, .permitted = caps, .inheritable = caps },
	};

	return prctl(PR_SET_KEEPCAPS, 1) == 0 && setgroups(0, NULL) == 0 &&
	       setresgid(uid, uid, uid) == 0 && setresuid(uid, uid, uid) == 0 &&
	       syscall(SYS_capset, &header, data) == 0 &&
	       prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0) == 0;
}

/* In the child: never returns. */
static void run_vmm(const struct vm_fixture *vm, const struct arguments *arguments,
		    const char *socket_path, const int pipes[2])
{
	union {
		const char *const *in;
		char *const *out;
	} words = { .in = arguments->word };
	int log = open(vm->log_path, O_WRONLY | O_CREAT | O_APPEND, 0600);

	if (vm->uid && !become(vm->uid))
		_exit(125);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a change of user takes it back */
	(void)signal(SIGPIPE, SIG_DFL);
	(void)alarm(0);
	/* Not as an option: then the VMM would start a broker where there is none. */
	(void)setenv("VMSECT_SOCKET", socket_path, 1);
	if (log < 0 || !words.in[0] || dup2(pipes[0], 0) < 0 || dup2(pipes[1], 1) < 0 ||
	    dup2(log, 2) < 0)
		_exit(126);
	(void)execvp(words.in[0], words.out);
	_exit(127);
}

/* Forks with both pipes; the ends that are not ours are closed on return. */
static void spawn(struct vm_fixture *vm, const struct arguments *arguments, const char *socket_path)
{
	int to[2];
	int from[2];

	assert_int_equal(pipe2(to, O_CLOEXEC), 0);
	assert_int_equal(pipe2(from, O_CLOEXEC), 0);
	vm->pid = fork();
	if (vm->pid == 0)
		run_vmm(vm, arguments, socket_path, (const int[]){ to[0], from[1] });
	(void)close(to[0]);
	(void)close(from[1]);
	vm->in_fd = to[1];
	vm->out_fd = from[0];
	assert_true(vm->pid > 0);
}

/* Waits until `fd` has something, or the time is over. */
static bool wait_readable(int fd, int64_t until)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	int64_t left = until - now_ms();
	int r = 0;

	if (left > 0)
		r = sys_retry(poll(&poll_fd, 1, (int)left));
	return r > 0;
}

/* The next line of the VM, without its end, into vm->reply; NULL or why there is none. */
static const char *try_line(struct vm_fixture *vm, int64_t until)
{
	const char *end;
	ssize_t got;

	while (!(end = memchr(vm->buffer, '\n', vm->filled))) {
		if (vm->filled == sizeof(vm->buffer))
			return "a line without end";
		if (!wait_readable(vm->out_fd, until))
			return "no answer in time";
		got = sys_retry(
			read(vm->out_fd, vm->buffer + vm->filled, sizeof(vm->buffer) - vm->filled));
		if (got <= 0)
			return "the VM has ended";
		vm->filled += (size_t)got;
	}
	got = end - vm->buffer;
	memcpy(vm->reply, vm->buffer, (size_t)got);
	vm->reply[got] = '\0';
	vm->filled -= (size_t)got + 1;
	memmove(vm->buffer, end + 1, vm->filled);
	if (got && vm->reply[got - 1] == '\r')
		vm->reply[got - 1] = '\0';
	return NULL;
}

static const char *read_line(struct vm_fixture *vm, const char *command)
{
	const char *why = try_line(vm, now_ms() + vm->answer_ms);

	if (why)
		vm_fail(vm, command, why);
	if (!strncmp(vm->reply, "panic", 5))
		vm_fail(vm, command, vm->reply);
	return vm->reply;
}

static void fill_arguments(struct arguments *arguments, const struct vm_config *config,
			   const char *cpus, const struct bed *bed)
{
	add_argument(arguments, bed->vmm_path, NULL);
	add_argument(arguments, "--name", config->name);
	add_argument(arguments, "--memory", config->memory ? config->memory : "64M");
	add_argument(arguments, "--cpus", cpus);
	add_argument(arguments, "--kernel", config->kernel ? config->kernel : bed->agent_path);
	add_argument(arguments, "--serial", "stdio");
	add_argument(arguments, "--window", config->window ? config->window : "1G");
	add_argument(arguments, "--debug-exit", NULL);
	for (size_t i = 0; i < VM_OPTIONS_MAX && config->options[i]; i++)
		add_argument(arguments, config->options[i], NULL);
	for (size_t i = 0; i < VM_SECTIONS_MAX && config->sections[i]; i++)
		add_argument(arguments, "--section", config->sections[i]);
}

static void copy_arguments(struct arguments *arguments, const char *const *words)
{
	while (*words && arguments->count < ARGUMENTS_MAX - 1)
		add_argument(arguments, *words++, NULL);
	assert_null(*words);
}

struct vm_fixture *vm_start(struct bed *bed, const struct vm_config *config)
{
	struct vm_fixture *vm = calloc(1, sizeof(*vm));
	struct arguments arguments = { 0 };
	char cpus[16];

	assert_non_null(vm);
	vm->in_fd = -1;
	vm->out_fd = -1;
	vm->answer_ms = config->answer_ms ? config->answer_ms : VM_ANSWER_MS;
	vm->uid = config->uid;
	vm->next = bed->vms;
	bed->vms = vm;
	(void)snprintf(vm->name, sizeof(vm->name), "%s", config->name);
	(void)snprintf(vm->log_path, sizeof(vm->log_path), "%s/%s.log", bed->broker.folder,
		       config->name);
	(void)snprintf(cpus, sizeof(cpus), "%u", config->cpus ? config->cpus : 1);
	if (config->command)
		copy_arguments(&arguments, config->command);
	else
		fill_arguments(&arguments, config, cpus, bed);
	spawn(vm, &arguments, bed->broker.socket_path);
	if (config->silent)
		return vm;
	if (strncmp(read_line(vm, "start"), "agent ready window=", 19) != 0)
		vm_fail(vm, "start", vm->reply);
	vm->window = vm_reply_number(vm, "window");
	vm->window_bytes = vm_reply_number(vm, "bytes");
	return vm;
}

static void send_line(struct vm_fixture *vm, char *line, size_t bytes)
{
	ssize_t sent;

	line[bytes] = '\n';
	sent = sys_retry(write(vm->in_fd, line, bytes + 1));
	line[bytes] = '\0';
	if (sent != (ssize_t)bytes + 1)
		vm_fail(vm, line, "cannot be sent");
}

/* Formats and sends; the command stays in `line`, which has LINE_BYTES. */
__attribute__((format(printf, 3, 0))) static void send_format(struct vm_fixture *vm, char *line,
							      const char *format, va_list args)
{
	int bytes = vsnprintf(line, LINE_BYTES - 1, format, args);

	assert_in_range(bytes, 1, LINE_BYTES - 2);
	send_line(vm, line, (size_t)bytes);
}

void vm_send(struct vm_fixture *vm, const char *format, ...)
{
	char line[LINE_BYTES];
	va_list args;

	va_start(args, format);
	send_format(vm, line, format, args);
	va_end(args);
}

bool vm_says(struct vm_fixture *vm, const char *text, int limit_ms)
{
	int64_t until = now_ms() + limit_ms;

	while (!try_line(vm, until))
		if (strstr(vm->reply, text))
			return true;
	return false;
}

const char *vm_next_answer(struct vm_fixture *vm)
{
	return read_line(vm, "answer");
}

const char *vm_ask(struct vm_fixture *vm, const char *format, ...)
{
	char line[LINE_BYTES];
	va_list args;

	va_start(args, format);
	send_format(vm, line, format, args);
	va_end(args);
	return read_line(vm, line);
}

static bool is_ok(const struct vm_fixture *vm)
{
	return !strncmp(vm->reply, "ok", 2);
}

const char *vm_ok(struct vm_fixture *vm, const char *format, ...)
{
	char line[LINE_BYTES];
	va_list args;

	va_start(args, format);
	send_format(vm, line, format, args);
	va_end(args);
	(void)read_line(vm, line);
	if (!is_ok(vm))
		vm_fail(vm, line, vm->reply);
	return vm->reply;
}

/* Where the value of a key begins, or NULL. */
static const char *find_value(const char *answer, const char *key)
{
	size_t length = strlen(key);

	for (const char *at = answer; (at = strchr(at, ' ')); at++)
		if (!strncmp(at + 1, key, length) && at[1 + length] == '=')
			return at + 2 + length;
	return NULL;
}

bool vm_find_number(const char *answer, const char *key, uint64_t *ret_value)
{
	const char *value = find_value(answer, key);

	if (!value)
		return false;
	*ret_value = strtoull(value, NULL, 0);
	return true;
}

uint64_t vm_reply_number(const struct vm_fixture *vm, const char *key)
{
	uint64_t value = 0;

	if (!vm_find_number(vm->reply, key, &value)) {
		print_error("VM %s: no %s in '%s'\n", vm->name, key, vm->reply);
		fail();
	}
	return value;
}

void vm_reply_text(const struct vm_fixture *vm, const char *key, char *text, size_t bytes)
{
	const char *value = find_value(vm->reply, key);
	size_t length;

	assert_non_null(value);
	length = strcspn(value, " ");
	assert_true(length < bytes);
	memcpy(text, value, length);
	text[length] = '\0';
}

uint64_t vm_number(struct vm_fixture *vm, const char *key, const char *format, ...)
{
	char line[LINE_BYTES];
	uint64_t value = 0;
	va_list args;

	va_start(args, format);
	send_format(vm, line, format, args);
	va_end(args);
	(void)read_line(vm, line);
	if (!is_ok(vm) || !vm_find_number(vm->reply, key, &value))
		vm_fail(vm, line, vm->reply);
	return value;
}

void vm_refused(struct vm_fixture *vm, uint32_t status, uint32_t detail, const char *format, ...)
{
	char line[LINE_BYTES];
	uint64_t got_status = 0;
	uint64_t got_detail = 0;
	va_list args;

	va_start(args, format);
	send_format(vm, line, format, args);
	va_end(args);
	(void)read_line(vm, line);
	if (is_ok(vm) || !vm_find_number(vm->reply, "status", &got_status) ||
	    !vm_find_number(vm->reply, "detail", &got_detail))
		vm_fail(vm, line, vm->reply);
	if (got_status == status && got_detail == detail)
		return;
	print_error("expected status=%u detail=%u\n", status, detail);
	vm_fail(vm, line, vm->reply);
}

int vm_wait(struct vm_fixture *vm)
{
	int pidfd = (int)syscall(SYS_pidfd_open, vm->pid, 0);
	int status = 0;
	bool ended;

	assert_true(pidfd >= 0);
	ended = wait_readable(pidfd, now_ms() + EXIT_MS);
	(void)close(pidfd);
	if (!ended)
		vm_fail(vm, "wait", "it does not end");
	assert_int_equal(sys_retry(waitpid(vm->pid, &status, 0)), vm->pid);
	vm->pid = 0;
	return status;
}

void vm_wait_exit(struct vm_fixture *vm, int code)
{
	int status = vm_wait(vm);
	char what[64];

	if (WIFEXITED(status) && WEXITSTATUS(status) == code)
		return;
	(void)snprintf(what, sizeof(what), "wait status %#x instead of exit code %d",
		       (unsigned int)status, code);
	vm_fail(vm, "wait", what);
}

void vm_power_off(struct vm_fixture *vm)
{
	vm_send(vm, "poweroff");
	vm_wait_exit(vm, 0);
}

void vm_kill(struct vm_fixture *vm)
{
	(void)kill(vm->pid, SIGKILL);
	(void)vm_wait(vm);
}

void vm_free(struct vm_fixture *vm)
{
	if (vm->pid > 0) {
		(void)kill(vm->pid, SIGKILL);
		(void)sys_retry(waitpid(vm->pid, NULL, 0));
	}
	(void)fd_close(vm->in_fd);
	(void)fd_close(vm->out_fd);
	free(vm);
}
