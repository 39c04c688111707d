/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "server-reply.h"

#include <string.h>

#include "sl-error.h"
#include "sl-id.h"
#include "server-pieces.h"
#include "sl-http-coding.h"
#include "sl-problem.h"

#define CONFIG_PREFIX "/api/v1/"
#define MIN_CODED 1024

ServerDialect
server_dialect(const char *path)
{
    return g_str_has_prefix(path, CONFIG_PREFIX) ? SERVER_DIALECT_CONFIG : SERVER_DIALECT_PUBLIC;
}

/* --- success -----------------------------------------------------------------------------------
 */

void
server_result_free(const ServerOperation *operation, gpointer result)
{
    if (result == NULL)
        return;
    if (operation->out == SERVER_OUT_RECORD) {
        sl_record_free(operation->out_record, result);
    } else if (operation->out == SERVER_OUT_ARRAY) {
        GPtrArray *items = result;
        for (guint i = 0; i < items->len; i++)
            sl_record_free(operation->out_record, items->pdata[i]);
        g_ptr_array_unref(items);
    } else if (operation->out == SERVER_OUT_STREAM) {
        server_pieces_free(result);
    } else {
        g_free(result);
    }
}

static void
write_result(const ServerOperation *operation, gpointer result, SlJsonWriter *w)
{
    if (operation->out == SERVER_OUT_TEXT) {
        g_string_append(w->out, result);
    } else if (operation->out == SERVER_OUT_STRING) {
        sl_json_string(w, result);
    } else if (operation->out == SERVER_OUT_ARRAY) {
        const GPtrArray *items = result;
        sl_json_begin_array(w);
        for (guint i = 0; i < items->len; i++)
            sl_record_write(operation->out_record, items->pdata[i], 0, w);
        sl_json_end_array(w);
    } else {
        sl_record_write(operation->out_record, result, 0, w);
    }
}

/* Below a packet or so it saves nothing. */
static void
set_json(const SlHttpRequest *request, SlHttpReply *reply, guint status, GBytes *body)
{
    const char *accepted = sl_http_request_get_header(request, "Accept-Encoding");
    gboolean big = g_bytes_get_size(body) >= MIN_CODED;
    g_autoptr(GBytes) coded =
        big && sl_http_coding_is_taken(accepted, "gzip") ? sl_http_coding_gzip(body) : NULL;
    sl_http_reply_set(reply, status, SL_PROBLEM_CONTENT_TYPE, coded != NULL ? coded : body);
    if (big)
        sl_http_reply_add_header(reply, "Vary", "Accept-Encoding");
    if (coded != NULL)
        sl_http_reply_add_header(reply, "Content-Encoding", "gzip");
}

void
server_reply_result(const ServerOperation *operation, gpointer result, const SlHttpRequest *request,
                    SlHttpReply *reply)
{
    if (operation->out == SERVER_OUT_NONE) {
        sl_http_reply_set(reply, operation->status, NULL, NULL);
        return;
    }
    if (operation->out == SERVER_OUT_STREAM) {
        server_pieces_reply(result, reply);
        return;
    }
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    write_result(operation, result, &w);
    g_autoptr(GBytes) body = g_string_free_to_bytes(out);
    set_json(request, reply, operation->status, body);
}

/* --- errors ------------------------------------------------------------------------------------
 */

/* "a.b[0].c" of "a.b[0].c: expected string"; 0: the message names no property. */
static gsize
path_length(const char *message)
{
    gsize n = strspn(message, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "0123456789_-.[]");
    return message[n] == ':' ? n : 0;
}

static void
write_invalid(SlJsonWriter *w, const char *message)
{
    gsize n = path_length(message);
    sl_json_key(w, "validationErrors");
    sl_json_begin_array(w);
    if (n > 0) {
        sl_json_begin_object(w);
        sl_json_key(w, "propertyPath");
        sl_json_string_len(w, message, n);
        sl_json_member_string(w, "message", message + n + 1 + strspn(message + n + 1, " "));
        sl_json_end_object(w);
    }
    sl_json_end_array(w);
}

/* Clients of the config API print `message`; the problem's members follow for everybody else. */
static char *
print_config_error(guint status, const char *error_id, const char *message, const char *problem)
{
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    sl_json_member_string(&w, "message", message);
    sl_json_member_string(&w, "errorId", error_id);
    if (status == 400)
        write_invalid(&w, message);
    sl_json_end_object(&w);
    g_string_truncate(out, out->len - 1);
    g_string_append_c(out, ',');
    return g_string_append(out, problem + 1) != NULL ? g_string_free(out, FALSE) : NULL;
}

static void
reply_config_error(SlHttpReply *reply, guint status, const char *error_id, const char *message,
                   const char *problem)
{
    sl_http_reply_set_text(reply, status, SL_PROBLEM_CONTENT_TYPE,
                           print_config_error(status, error_id, message, problem));
}

void
server_reply_status(const SlHttpRequest *request, SlHttpReply *reply, guint status,
                    const char *title, const char *message)
{
    g_autofree char *problem = sl_problem_print_status(status, title, message);
    g_autofree char *id = sl_id_new();
    if (server_dialect(request->path) == SERVER_DIALECT_CONFIG)
        reply_config_error(reply, status, id, message, problem);
    else
        sl_http_reply_set_text(reply, status, SL_PROBLEM_CONTENT_TYPE, g_steal_pointer(&problem));
}

void
server_reply_error(const SlHttpRequest *request, SlHttpReply *reply, const GError *error)
{
    g_autofree char *id = sl_id_new();
    guint status;
    g_autofree char *problem = sl_problem_print(error, &status);
    if (status == 500)
        g_warning("%s %s: %s (error %s)", request->method, request->path, error->message, id);
    sl_http_reply_set_error(reply, error); /* and its headers */
    if (server_dialect(request->path) == SERVER_DIALECT_CONFIG)
        reply_config_error(reply, status, id, error->message, problem);
}
