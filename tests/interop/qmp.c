/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See qmp.h. */
#include "interop/qmp.h"

#include "lib/check.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

#define WORDS_MAX 40
#define QEMU "qemu-system-x86_64"

static _Noreturn void run(const struct qmp *qmp, const struct qmp_config *config, int in, int out)
{
	const char *words[WORDS_MAX + 1] = {
		QEMU,
		"-accel",
		"tcg",
		"-nodefaults",
		"-display",
		"none",
		"-S",
		"-M",
		config->machine,
		"-qmp",
		"stdio",
		"-m",
		"64M,slots=2,maxmem=4G",
	};
	char *argv[WORDS_MAX + 1] = { NULL };
	size_t count = 0;
	int log = open(qmp->log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	while (words[count])
		count++;
	for (size_t i = 0; config->words[i] && count < WORDS_MAX; i++)
		words[count++] = config->words[i];
	(void)dup2(in, STDIN_FILENO);
	(void)dup2(out, STDOUT_FILENO);
	(void)dup2(log, STDERR_FILENO);
	if (config->id &&
	    (setgroups(0, NULL) < 0 || setresgid(config->id, config->id, config->id) < 0 ||
	     setresuid(config->id, config->id, config->id) < 0))
		_exit(126);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that dies leaves nothing */
	for (size_t i = 0; i < count; i++)
		argv[i] = strdup(words[i]);
	(void)execvp(QEMU, argv);
	_exit(127);
}

/* One line of JSON; NULL: it has ended. */
static json_t *read_object(struct qmp *qmp)
{
	AUTO_FREE char *line = NULL;
	size_t room = 0;
	json_t *object;

	if (getline(&line, &room, qmp->out) < 0)
		return NULL;
	object = json_loads(line, 0, NULL);
	if (!object)
		fail_msg("QMP: '%s'", line);
	return object;
}

/* Reaps one that has ended. */
static int wait_status(struct qmp *qmp)
{
	int status = 0;

	assert_int_equal(waitpid(qmp->pid, &status, 0), qmp->pid);
	qmp->pid = 0;
	(void)fclose(qmp->in);
	(void)fclose(qmp->out);
	return status;
}

int qmp_start(struct qmp *qmp, const struct qmp_config *config)
{
	json_t *greeting;
	int in[2], out[2];

	*qmp = (struct qmp){ .log = "/tmp/vmsect-qmp-XXXXXX" };
	fd_close(mkostemp(qmp->log, O_CLOEXEC));
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	qmp->pid = fork();
	assert_true(qmp->pid >= 0);
	if (!qmp->pid)
		run(qmp, config, in[0], out[1]);
	fd_close(in[0]);
	fd_close(out[1]);
	qmp->in = fdopen(in[1], "w");
	qmp->out = fdopen(out[0], "r");
	assert_non_null(qmp->in);
	assert_non_null(qmp->out);
	greeting = read_object(qmp);
	if (!greeting) {
		(void)wait_status(qmp);
		return -1;
	}
	json_decref(greeting);
	json_decref(qmp_ask(qmp, "qmp_capabilities", NULL));
	return 0;
}

json_t *qmp_ask(struct qmp *qmp, const char *command, json_t *arguments)
{
	json_t *request = json_pack("{s:s, s:o*}", "execute", command, "arguments", arguments);
	json_t *answer = NULL, *value;

	assert_non_null(request);
	assert_int_equal(json_dumpf(request, qmp->in, JSON_COMPACT), 0);
	(void)fputc('\n', qmp->in);
	assert_int_equal(fflush(qmp->in), 0);
	json_decref(request);
	do {
		json_decref(answer);
		answer = read_object(qmp);
		if (!answer)
			fail_msg("%s: QEMU has ended", command);
	} while (json_object_get(answer, "event"));
	value = json_incref(json_object_get(answer, "return"));
	if (!value)
		fail_msg("%s: %s", command, json_dumps(answer, 0));
	json_decref(answer);
	return value;
}

int qmp_said(const struct qmp *qmp, const char *text)
{
	char said[4096];
	FILE *log = fopen(qmp->log, "re");

	assert_non_null(log);
	said[fread(said, 1, sizeof(said) - 1, log)] = '\0';
	(void)fclose(log);
	return strstr(said, text) != NULL;
}

void qmp_end(struct qmp *qmp)
{
	if (qmp->pid) {
		json_decref(qmp_ask(qmp, "quit", NULL));
		assert_int_equal(wait_status(qmp), 0);
	}
	(void)unlink(qmp->log);
}
