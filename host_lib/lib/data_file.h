/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Data files are opened here, with the rights of the program, and passed to the
 * broker; the broker opens no path for anyone.  A path that is not a regular
 * file is never opened: opening a device or a FIFO can block or do something.
 */
#ifndef LIB_DATA_FILE_H
#define LIB_DATA_FILE_H

struct vmsect_client;

/* Opens a regular file with O_RDONLY or O_RDWR: a new descriptor, or a failure with its sentence.
 */
int data_file_open(struct vmsect_client *client, const char *path, int mode);

#endif
