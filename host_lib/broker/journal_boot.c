/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See journal_boot.h. */
#include "broker/journal_boot.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"

void journal_boot_id(char ret_id[JOURNAL_BOOT_ID_BYTES])
{
	AUTO_FD int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	memset(ret_id, 0, JOURNAL_BOOT_ID_BYTES);
	if (fd >= 0 && sys_retry(read(fd, ret_id, JOURNAL_BOOT_ID_BYTES - 1)) < 0)
		memset(ret_id, 0, JOURNAL_BOOT_ID_BYTES);
	ret_id[strcspn(ret_id, "\n")] = '\0';
}
