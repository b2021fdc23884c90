/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A short life with sections: every operation of the library once or twice, in
 * a fixed order, with every byte checked.  Run as a program of its own, so that
 * it can be killed and its system calls can fail.
 */
#ifndef TESTS_FAULTS_SCRIPT_H
#define TESTS_FAULTS_SCRIPT_H

enum script_end {
	SCRIPT_OK = 0, /* all steps succeeded */
	SCRIPT_REFUSED = 1, /* a step failed, with an errno; what it had made is given back */
	SCRIPT_WRONG = 2, /* bytes were lost or an answer was impossible */
};

/* Runs it against the broker at that socket, with files in `folder`. */
enum script_end script_run(const char *socket_path, const char *folder);

#endif
