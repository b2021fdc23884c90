/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A flat guest (tests/kvm/guests) in a QEMU machine: with KVM where the host has
 * it, else emulated.  What is returned is driven, and ends, like any VM of the
 * bed (kvm/vm_fixture.h).  One thread.
 */
#ifndef TESTS_INTEROP_QEMU_H
#define TESTS_INTEROP_QEMU_H

#include <stdbool.h>

struct bed;
struct vm_fixture;

#define QEMU_WORDS_MAX 24

/*
 * For main(): the time limit of the program, and 0, or 77 with a line that says
 * why the bed cannot be used here.
 */
int interop_begin(unsigned int seconds);

/* VMs of ours can run here. */
bool interop_has_kvm(void);

/* words: what the machine has beside a serial port, NULL ends. */
struct vm_fixture *qemu_start(struct bed *bed, const char *name, const char *const *words);

#endif
