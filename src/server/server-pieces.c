/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-pieces.h"

ServerPieces *
server_pieces_new(const char *content_type, SlHttpProducer producer, gpointer data,
                  GDestroyNotify free_data)
{
    ServerPieces *pieces = g_new0(ServerPieces, 1);
    pieces->status = 200;
    pieces->content_type = content_type;
    pieces->length = -1;
    pieces->headers = g_ptr_array_new_with_free_func(g_free);
    pieces->producer = producer;
    pieces->data = data;
    pieces->free_data = free_data;
    server_pieces_add_header(pieces, "Cache-Control", "no-store");
    server_pieces_add_header(pieces, "X-Accel-Buffering", "no"); /* nginx would collect it */
    return pieces;
}

void
server_pieces_add_header(ServerPieces *pieces, const char *name, const char *value)
{
    g_ptr_array_add(pieces->headers, g_strdup(name));
    g_ptr_array_add(pieces->headers, g_strdup(value));
}

void
server_pieces_reply(ServerPieces *pieces, SlHttpReply *reply)
{
    if (pieces->producer == NULL)
        sl_http_reply_set(reply, pieces->status, NULL, NULL);
    else
        sl_http_reply_set_stream(reply, pieces->status, pieces->content_type, pieces->length,
                                 pieces->producer, g_steal_pointer(&pieces->data),
                                 g_steal_pointer(&pieces->free_data));
    for (guint i = 0; i < pieces->headers->len; i += 2)
        sl_http_reply_add_header(reply, pieces->headers->pdata[i], pieces->headers->pdata[i + 1]);
}

void
server_pieces_free(ServerPieces *pieces)
{
    if (pieces == NULL)
        return;
    if (pieces->free_data != NULL)
        pieces->free_data(pieces->data);
    g_ptr_array_unref(pieces->headers);
    g_free(pieces);
}
