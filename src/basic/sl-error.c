/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-error.h"

#include <errno.h>
#include <gio/gio.h>

#define DBUS(name) "org.sluice.Error." name

static const SlErrorInfo infos[SL_N_ERRORS] = {
    [SL_ERROR_FAILED] = {"failed", DBUS("Failed"), "unexpected-problem", "system_error", 500,
                         FALSE},
    [SL_ERROR_INVALID] = {"invalid", DBUS("Invalid"), "bad-request", "config_error", 400, FALSE},
    [SL_ERROR_UNPROCESSABLE] = {"unprocessable", DBUS("Unprocessable"), "unprocessable-entity",
                                "config_error", 422, FALSE},
    [SL_ERROR_NOT_FOUND] = {"not-found", DBUS("NotFound"), "resource-not-found", "config_error",
                            404, FALSE},
    [SL_ERROR_EXISTS] = {"exists", DBUS("Exists"), "already-exists", "config_error", 409, FALSE},
    [SL_ERROR_CONFLICT] = {"conflict", DBUS("Conflict"), "state-conflict", "system_error", 409,
                           FALSE},
    [SL_ERROR_LOCKED] = {"locked", DBUS("Locked"), "locked", "system_error", 423, TRUE},
    [SL_ERROR_GONE] = {"gone", DBUS("Gone"), "gone", "system_error", 410, FALSE},
    [SL_ERROR_UNAUTHENTICATED] = {"unauthenticated", DBUS("Unauthenticated"), "invalid-api-key",
                                  "config_error", 401, FALSE},
    [SL_ERROR_FORBIDDEN] = {"forbidden", DBUS("Forbidden"), "forbidden", "config_error", 403,
                            FALSE},
    [SL_ERROR_THROTTLED] = {"throttled", DBUS("Throttled"), "too-many-requests", "config_error",
                            429, TRUE},
    [SL_ERROR_TOO_LARGE] = {"too-large", DBUS("TooLarge"), "content-too-large", "config_error", 413,
                            FALSE},
    [SL_ERROR_UNAVAILABLE] = {"unavailable", DBUS("Unavailable"), "service-unavailable",
                              "transient_error", 503, TRUE},
    [SL_ERROR_BUSY] = {"busy", DBUS("Busy"), "service-unavailable", "transient_error", 503, TRUE},
    [SL_ERROR_TIMED_OUT] = {"timed-out", DBUS("TimedOut"), "request-timeout-exceeded",
                            "transient_error", 408, TRUE},
    [SL_ERROR_CANCELLED] = {"cancelled", DBUS("Cancelled"), "cancelled", "manual_cancellation", 409,
                            FALSE},
    [SL_ERROR_DATABASE] = {"database", DBUS("Database"), "unexpected-problem", "system_error", 500,
                           FALSE},
    [SL_ERROR_SERIALIZATION] = {"serialization", DBUS("Serialization"), "try-again-later",
                                "transient_error", 409, TRUE},
    [SL_ERROR_CONNECTOR] = {"connector", DBUS("Connector"), "unexpected-problem", "system_error",
                            500, TRUE},
    [SL_ERROR_PROTOCOL] = {"protocol", DBUS("Protocol"), "unexpected-problem", "system_error", 500,
                           FALSE},
    [SL_ERROR_CONFIG] = {"config", DBUS("Config"), "unexpected-problem", "config_error", 500,
                         FALSE},
    [SL_ERROR_NOT_IMPLEMENTED] = {"not-implemented", DBUS("NotImplemented"), "not-implemented",
                                  "config_error", 501, FALSE},
};

/* What sl_error_set_problem() adds. */
typedef struct {
    const char *type, *title;
    char *data;
} SlErrorPrivate;

static void
sl_error_private_init(SlErrorPrivate *private)
{
}

static void
sl_error_private_copy(const SlErrorPrivate *from, SlErrorPrivate *to)
{
    *to = (SlErrorPrivate){from->type, from->title, g_strdup(from->data)};
}

static void
sl_error_private_clear(SlErrorPrivate *private)
{
    g_free(private->data);
}

G_DEFINE_EXTENDED_ERROR(SlError, sl_error)

const SlErrorInfo *
sl_error_info(int code)
{
    if (code < 0 || code >= SL_N_ERRORS)
        code = SL_ERROR_FAILED;
    return &infos[code];
}

static SlErrorCode
code_from_gio(int code)
{
    switch (code) {
    case G_IO_ERROR_NOT_FOUND:
        return SL_ERROR_NOT_FOUND;
    case G_IO_ERROR_EXISTS:
        return SL_ERROR_EXISTS;
    case G_IO_ERROR_PERMISSION_DENIED:
        return SL_ERROR_FORBIDDEN;
    case G_IO_ERROR_TIMED_OUT:
        return SL_ERROR_TIMED_OUT;
    case G_IO_ERROR_CANCELLED:
        return SL_ERROR_CANCELLED;
    case G_IO_ERROR_BUSY:
        return SL_ERROR_BUSY;
    case G_IO_ERROR_CONNECTION_REFUSED:
    case G_IO_ERROR_CONNECTION_CLOSED:
    case G_IO_ERROR_HOST_UNREACHABLE:
    case G_IO_ERROR_NETWORK_UNREACHABLE:
        return SL_ERROR_UNAVAILABLE;
    default:
        return SL_ERROR_FAILED;
    }
}

SlErrorCode
sl_error_code(const GError *error)
{
    if (error == NULL)
        return SL_ERROR_FAILED;
    if (error->domain == SL_ERROR)
        return error->code >= 0 && error->code < SL_N_ERRORS ? (SlErrorCode)error->code
                                                             : SL_ERROR_FAILED;
    if (error->domain == G_IO_ERROR)
        return code_from_gio(error->code);
    return SL_ERROR_FAILED;
}

const SlErrorInfo *
sl_error_info_for(const GError *error)
{
    return sl_error_info(sl_error_code(error));
}

static SlErrorCode
code_from_errno(int errnum)
{
    switch (errnum) {
    case ENOENT:
        return SL_ERROR_NOT_FOUND;
    case EEXIST:
        return SL_ERROR_EXISTS;
    case EACCES:
    case EPERM:
        return SL_ERROR_FORBIDDEN;
    case ETIMEDOUT:
        return SL_ERROR_TIMED_OUT;
    case ECANCELED:
        return SL_ERROR_CANCELLED;
    case EINVAL:
        return SL_ERROR_INVALID;
    case EBUSY:
        return SL_ERROR_BUSY;
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE:
    case ENOSPC:
    case EDQUOT:
        return SL_ERROR_UNAVAILABLE;
    default:
        return SL_ERROR_FAILED;
    }
}

gboolean
sl_error_set_errno(GError **error, int errnum, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, SL_ERROR, (gint)code_from_errno(errnum), "%s: %s", text, g_strerror(errnum));
    return FALSE;
}

gboolean
sl_error_set(GError **error, SlErrorCode code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (error != NULL)
        *error = g_error_new_valist(SL_ERROR, (gint)code, format, args);
    va_end(args);
    return FALSE;
}

gboolean
sl_error_set_problem(GError **error, SlErrorCode code, const char *type, const char *title,
                     char *data, const char *format, ...)
{
    g_autofree char *owned = data;
    va_list args;
    if (error == NULL)
        return FALSE;
    va_start(args, format);
    *error = g_error_new_valist(SL_ERROR, (gint)code, format, args);
    va_end(args);
    *sl_error_get_private(*error) = (SlErrorPrivate){type, title, g_steal_pointer(&owned)};
    return FALSE;
}

gboolean
sl_error_get_problem(const GError *error, const char **ret_type, const char **ret_title,
                     const char **ret_data)
{
    if (error == NULL || error->domain != SL_ERROR)
        return FALSE;
    const SlErrorPrivate *private = sl_error_get_private(error);
    *ret_type = private->type;
    *ret_title = private->title;
    *ret_data = private->data;
    return private->type != NULL;
}
