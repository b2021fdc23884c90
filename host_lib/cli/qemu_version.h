/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which QEMU there is. */
#ifndef CLI_QEMU_VERSION_H
#define CLI_QEMU_VERSION_H

/* QEMU_VERSION() of the qemu-system-x86_64 in the PATH; 0: there is none that says so. */
unsigned int qemu_version_installed(void);

#endif
