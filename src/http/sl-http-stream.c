/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-http-stream.h"

#include <string.h>

#define MADE_UP "end\r\n\r\n"

/* --- the input ----------------------------------------------------------------------------- */

#define SL_TYPE_HTTP_INPUT (sl_http_input_get_type())
G_DECLARE_FINAL_TYPE(SlHttpInput, sl_http_input, SL, HTTP_INPUT, GInputStream)

struct _SlHttpInput {
    GInputStream parent_instance;
    GPollableInputStream *base;
    int fd; /* of base */
    SlHttpStreamAtRest at_rest;
    SlHttpStreamRead read;
    gpointer data;
    gboolean made_up;
};

static gboolean
input_can_poll(GPollableInputStream *stream)
{
    return TRUE;
}

static gboolean
input_is_readable(GPollableInputStream *stream)
{
    return g_pollable_input_stream_is_readable(SL_HTTP_INPUT(stream)->base);
}

/* One source that looks at the descriptor itself. Those of GIO would be three, one inside the
 * other, and each is walked through, blocked and unblocked, with a wake-up of the loop, for every
 * request. */
typedef struct {
    GSource source;
    GObject *stream;
} InputSource;

static gboolean
source_dispatch(GSource *source, GSourceFunc func, gpointer data)
{
    return ((GPollableSourceFunc)(void (*)(void))func)(((InputSource *)source)->stream, data);
}

static void
source_finalize(GSource *source)
{
    g_object_unref(((InputSource *)source)->stream);
}

/* GIO hangs the source below another one, with a closure that has nothing to do. */
static gboolean
call_closure(GObject *stream, gpointer closure)
{
    g_auto(GValue) param = G_VALUE_INIT, ret = G_VALUE_INIT;
    g_value_init(&ret, G_TYPE_BOOLEAN);
    g_value_init(&param, G_TYPE_OBJECT);
    g_value_set_object(&param, stream);
    g_closure_invoke(closure, &ret, 1, &param, NULL);
    return g_value_get_boolean(&ret);
}

static GSource *
input_create_source(GPollableInputStream *stream, GCancellable *cancellable)
{
    static GSourceFuncs funcs = {.dispatch = source_dispatch,
                                 .finalize = source_finalize,
                                 .closure_callback = G_SOURCE_FUNC(call_closure)};
    GSource *source = g_source_new(&funcs, sizeof(InputSource));
    ((InputSource *)source)->stream = g_object_ref(G_OBJECT(stream));
    g_source_add_unix_fd(source, SL_HTTP_INPUT(stream)->fd, G_IO_IN | G_IO_HUP | G_IO_ERR);
    if (cancellable != NULL) {
        g_autoptr(GSource) cancelled = g_cancellable_source_new(cancellable);
        g_source_set_dummy_callback(cancelled);
        g_source_add_child_source(source, cancelled);
    }
    return source;
}

/* A reset is an end as well. */
static gssize
input_filter(SlHttpInput *input, gssize n, void *buffer, gsize size, GError *reason, GError **error)
{
    if (n > 0)
        input->read(input->data);
    if (n > 0 || g_error_matches(reason, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK) || input->made_up ||
        size < strlen(MADE_UP) || !input->at_rest(input->data)) {
        if (reason != NULL)
            g_propagate_error(error, reason);
        return n;
    }
    g_clear_error(&reason);
    input->made_up = TRUE;
    memcpy(buffer, MADE_UP, strlen(MADE_UP));
    return (gssize)strlen(MADE_UP);
}

static gssize
input_read_nonblocking(GPollableInputStream *stream, void *buffer, gsize size, GError **error)
{
    SlHttpInput *input = SL_HTTP_INPUT(stream);
    GError *reason = NULL;
    gssize n = g_pollable_input_stream_read_nonblocking(input->base, buffer, size, NULL, &reason);
    return input_filter(input, n, buffer, size, reason, error);
}

/* Libsoup's server does not block; a GInputStream must be able to all the same. */
static gssize
input_read(GInputStream *stream, void *buffer, gsize size, GCancellable *cancellable,
           GError **error)
{
    SlHttpInput *input = SL_HTTP_INPUT(stream);
    GError *reason = NULL;
    gssize n = g_input_stream_read(G_INPUT_STREAM(input->base), buffer, size, cancellable, &reason);
    return input_filter(input, n, buffer, size, reason, error);
}

static gboolean
input_close(GInputStream *stream, GCancellable *cancellable, GError **error)
{
    return g_input_stream_close(G_INPUT_STREAM(SL_HTTP_INPUT(stream)->base), cancellable, error);
}

static void
input_pollable_init(GPollableInputStreamInterface *iface)
{
    iface->can_poll = input_can_poll;
    iface->is_readable = input_is_readable;
    iface->create_source = input_create_source;
    iface->read_nonblocking = input_read_nonblocking;
}

G_DEFINE_FINAL_TYPE_WITH_CODE(SlHttpInput, sl_http_input, G_TYPE_INPUT_STREAM,
                              G_IMPLEMENT_INTERFACE(G_TYPE_POLLABLE_INPUT_STREAM,
                                                    input_pollable_init))

static void
input_finalize(GObject *object)
{
    g_clear_object(&SL_HTTP_INPUT(object)->base);
    G_OBJECT_CLASS(sl_http_input_parent_class)->finalize(object);
}

static void
sl_http_input_class_init(SlHttpInputClass *class)
{
    G_OBJECT_CLASS(class)->finalize = input_finalize;
    G_INPUT_STREAM_CLASS(class)->read_fn = input_read;
    G_INPUT_STREAM_CLASS(class)->close_fn = input_close;
}

static void
sl_http_input_init(SlHttpInput *input)
{
}

/* --- the stream ---------------------------------------------------------------------------- */

struct _SlHttpStream {
    GIOStream parent_instance;
    GIOStream *base;
    SlHttpInput *input;
};

G_DEFINE_FINAL_TYPE(SlHttpStream, sl_http_stream, G_TYPE_IO_STREAM)

static GInputStream *
stream_get_input(GIOStream *stream)
{
    return G_INPUT_STREAM(SL_HTTP_STREAM(stream)->input);
}

static GOutputStream *
stream_get_output(GIOStream *stream)
{
    return g_io_stream_get_output_stream(SL_HTTP_STREAM(stream)->base);
}

static gboolean
stream_close(GIOStream *stream, GCancellable *cancellable, GError **error)
{
    return g_io_stream_close(SL_HTTP_STREAM(stream)->base, cancellable, error);
}

static void
stream_finalize(GObject *object)
{
    SlHttpStream *stream = SL_HTTP_STREAM(object);
    G_OBJECT_CLASS(sl_http_stream_parent_class)->finalize(object); /* may close */
    g_clear_object(&stream->input);
    g_clear_object(&stream->base);
}

static void
sl_http_stream_class_init(SlHttpStreamClass *class)
{
    G_OBJECT_CLASS(class)->finalize = stream_finalize;
    G_IO_STREAM_CLASS(class)->get_input_stream = stream_get_input;
    G_IO_STREAM_CLASS(class)->get_output_stream = stream_get_output;
    G_IO_STREAM_CLASS(class)->close_fn = stream_close;
}

static void
sl_http_stream_init(SlHttpStream *stream)
{
}

GIOStream *
sl_http_stream_new(GSocketConnection *base, SlHttpStreamAtRest at_rest, SlHttpStreamRead read,
                   gpointer data)
{
    SlHttpStream *stream = g_object_new(SL_TYPE_HTTP_STREAM, NULL);
    stream->base = g_object_ref(G_IO_STREAM(base));
    stream->input = g_object_new(SL_TYPE_HTTP_INPUT, NULL);
    stream->input->base =
        g_object_ref(G_POLLABLE_INPUT_STREAM(g_io_stream_get_input_stream(stream->base)));
    stream->input->fd = g_socket_get_fd(g_socket_connection_get_socket(base));
    stream->input->at_rest = at_rest;
    stream->input->read = read;
    stream->input->data = data;
    return G_IO_STREAM(stream);
}
