/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-dispatch.h"

/* What a handler gives whose answer is made piece by piece. */
struct ServerPieces {
    guint status;
    const char *content_type;
    gint64 length;      /* -1: not known */
    GPtrArray *headers; /* name, value, … */
    SlHttpProducer producer;
    gpointer data;
    GDestroyNotify free_data;
};

/* 200, and not to be stored. */
ServerPieces *server_pieces_new(const char *content_type, SlHttpProducer producer, gpointer data,
                                GDestroyNotify free_data);
void server_pieces_add_header(ServerPieces *pieces, const char *name, const char *value);
void server_pieces_reply(ServerPieces *pieces, SlHttpReply *reply); /* takes the data */
void server_pieces_free(ServerPieces *pieces);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ServerPieces, server_pieces_free)
