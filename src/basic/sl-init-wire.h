/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What sluice-init and its peer say to each other on the control socket (AF_UNIX, SOCK_STREAM).
 * Plain C without a library: the static sluice-init includes it too.
 *
 *     u8 type, u32 length (little endian), `length` bytes of payload
 *
 * Order: who prepares the place that sluice-init runs in may say NOTEs; init says HELLO; the peer
 * says FDS, then any number of FILE, ARG and ENV, then START; init says STARTED and at the end
 * EXIT, or ERROR at any time instead. SIGNAL may follow START. */

#define SL_INIT_VERSION 1
#define SL_INIT_HEADER_SIZE 5
#define SL_INIT_SOCKET "/run/sluice-init/ctl" /* as seen in the sandbox */
#define SL_INIT_FILES "/run/sluice-files"     /* as seen in the sandbox */
/* An ENV of this name is for sluice-init itself: the file mode mask of the connector, octal. */
#define SL_INIT_UMASK "SLUICE_UMASK"

typedef enum {
    /* sluice-init → peer */
    SL_INIT_HELLO = 'H',   /* u32 version, i32 pid of sluice-init in its own namespace */
    SL_INIT_STARTED = 'P', /* i32 pid of the connector in the namespace of sluice-init */
    SL_INIT_EXIT = 'X',    /* i32 exit code (-1 when killed), i32 signal (0 when exited) */
    SL_INIT_ERROR = '!',   /* text: why it gave up; sluice-init then exits 125, 126 or 127 */
    SL_INIT_NOTE = 'N',    /* text: what takes so long, before HELLO (an image is being pulled) */
    /* peer → sluice-init */
    SL_INIT_FDS = 'D',    /* empty; stdin, stdout, stderr by SCM_RIGHTS on the frame's first byte */
    SL_INIT_FILE = 'F',   /* name, NUL, content */
    SL_INIT_ARG = 'A',    /* one argument, without NUL */
    SL_INIT_ENV = 'E',    /* NAME=VALUE, without NUL */
    SL_INIT_START = 'S',  /* empty */
    SL_INIT_SIGNAL = 'K', /* u8 signal, for the connector's process group */
} SlInitFrame;

/* Limits: both sides refuse what is larger. One string of an argument list may have 128 KiB with
 * its NUL (MAX_ARG_STRLEN in execve(2)); the sum is what sluice-init has room for, and about what
 * the kernel takes with the usual 8 MiB of stack. */
#define SL_INIT_MAX_FDS 3
#define SL_INIT_MAX_NAME 255
#define SL_INIT_MAX_FILE (256u * 1024 * 1024)
#define SL_INIT_MAX_STRING (128u * 1024 - 1)
#define SL_INIT_MAX_STRINGS (2u * 1024 * 1024) /* of all ARG and ENV, each with its NUL */
#define SL_INIT_MAX_ARGS 4096
#define SL_INIT_MAX_ENV 1024
#define SL_INIT_MAX_TEXT 4096

/* Exit status of sluice-init where it is not the connector's own (as shells and Docker have it);
 * a connector ended by signal N gives 128 + N. */
#define SL_INIT_EXIT_FAILED 125
#define SL_INIT_EXIT_NOT_EXECUTABLE 126
#define SL_INIT_EXIT_NOT_FOUND 127

static inline void
sl_init_put_u32(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

static inline uint32_t
sl_init_get_u32(const uint8_t *from)
{
    return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 |
           (uint32_t)from[3] << 24;
}

static inline void
sl_init_put_header(uint8_t to[SL_INIT_HEADER_SIZE], uint8_t type, uint32_t length)
{
    to[0] = type;
    sl_init_put_u32(to + 1, length);
}

/* Whether `length` is one that a frame of `type` may have. 0 also for a type that nobody knows. */
static inline int
sl_init_length_ok(uint8_t type, uint32_t length)
{
    switch (type) {
    case SL_INIT_HELLO:
    case SL_INIT_EXIT:
        return length == 8;
    case SL_INIT_STARTED:
        return length == 4;
    case SL_INIT_ERROR:
    case SL_INIT_NOTE:
        return length <= SL_INIT_MAX_TEXT;
    case SL_INIT_FDS:
    case SL_INIT_START:
        return length == 0;
    case SL_INIT_FILE:
        return length >= 2 && length <= SL_INIT_MAX_NAME + 1 + SL_INIT_MAX_FILE;
    case SL_INIT_ARG:
        return length <= SL_INIT_MAX_STRING;
    case SL_INIT_ENV:
        return length >= 2 && length <= SL_INIT_MAX_STRING;
    case SL_INIT_SIGNAL:
        return length == 1;
    default:
        return 0;
    }
}

/* A file's name is one component of a path: not empty, no slash, neither "." nor "..". */
static inline int
sl_init_name_ok(const char *name)
{
    return name[0] != '\0' && strlen(name) <= SL_INIT_MAX_NAME && strchr(name, '/') == NULL &&
           strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}
