/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* The one error domain. A value says what the caller can do about it; the text says what happened.
 * sl_error_info() gives the value's face on each wire. */
#define SL_ERROR (sl_error_quark())
GQuark sl_error_quark(void);

typedef enum {
    SL_ERROR_FAILED,  /* anything without a better name: our bug or a surprise of the system */
    SL_ERROR_INVALID, /* the request is wrong in itself; names the field */
    SL_ERROR_UNPROCESSABLE,   /* well-formed, but a connector's specification refuses it */
    SL_ERROR_NOT_FOUND,       /* no such object */
    SL_ERROR_EXISTS,          /* an object of that name or id is there already */
    SL_ERROR_CONFLICT,        /* the object's state does not allow it now */
    SL_ERROR_LOCKED,          /* a running job holds the object; try again when it has ended */
    SL_ERROR_GONE,            /* the object has ended: a late holder must stop */
    SL_ERROR_UNAUTHENTICATED, /* who are you? */
    SL_ERROR_FORBIDDEN,       /* known, but not allowed */
    SL_ERROR_THROTTLED,       /* too many failures of this caller; wait */
    SL_ERROR_TOO_LARGE,       /* over a size or depth limit */
    SL_ERROR_UNAVAILABLE,     /* a service that we need cannot be reached now */
    SL_ERROR_BUSY,            /* a limit of ours is reached; try again later */
    SL_ERROR_TIMED_OUT,       /* a deadline passed */
    SL_ERROR_CANCELLED,       /* somebody asked us to stop */
    SL_ERROR_DATABASE,        /* the database refused a statement: our bug or a broken schema */
    SL_ERROR_SERIALIZATION,   /* the transaction lost a race; running it again helps */
    SL_ERROR_CONNECTOR,       /* a connector broke its contract or died */
    SL_ERROR_PROTOCOL,        /* a peer of ours sent what its protocol forbids */
    SL_ERROR_CONFIG,          /* sluice.conf or the installation is wrong; names file and line */
    SL_ERROR_NOT_IMPLEMENTED, /* known to the contract, not to this version */
    SL_N_ERRORS
} SlErrorCode;

/* How one value looks from outside. All strings are static. */
typedef struct {
    const char *name;         /* short name, for logs and tests: "not-found" */
    const char *dbus_name;    /* org.sluice.Error.* */
    const char *title;        /* title of an RFC 9457 problem */
    const char *failure_type; /* failureType of the Airbyte API */
    guint http_status;        /* RFC 9110 */
    gboolean retryable;       /* the same call may succeed later, unchanged */
} SlErrorInfo;

/* The row of a value; of SL_ERROR_FAILED when the code is out of range. */
const SlErrorInfo *sl_error_info(int code);

/* The row for any GError: foreign domains (GIO) are mapped to the nearest value. */
const SlErrorInfo *sl_error_info_for(const GError *error);

/* Maps any GError to a value of this domain. */
SlErrorCode sl_error_code(const GError *error);

/* Sets an error from errno: ENOENT → NOT_FOUND, EACCES/EPERM → FORBIDDEN, ETIMEDOUT → TIMED_OUT, …
 * The text is "FORMAT: strerror". Always returns FALSE, so that a caller can return it. */
gboolean sl_error_set_errno(GError **error, int errnum, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* Sets an error and returns FALSE. */
gboolean sl_error_set(GError **error, SlErrorCode code, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* An error that clients of the HTTP APIs know by a problem of its own: `type` ("error:tag-…", or
 * what stands behind '#' in the common address, "" = the bare address) and `title` live for ever;
 * `data` (taken; NULL: none) is a JSON object with the members that the type promises. Returns
 * FALSE. */
gboolean sl_error_set_problem(GError **error, SlErrorCode code, const char *type, const char *title,
                              char *data, const char *format, ...) G_GNUC_PRINTF(6, 7);

/* FALSE: it is known by its code only. */
gboolean sl_error_get_problem(const GError *error, const char **ret_type, const char **ret_title,
                              const char **ret_data);
