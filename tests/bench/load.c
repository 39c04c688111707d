/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* An open-loop load generator for HTTP/1.1: requests are due at a fixed rate whatever the server
 * does, and a request's time counts from when it was due, so that a server that stands still is not
 * spared the requests of that time.
 *
 *   bench-load --address=127.0.0.1:PORT|/path --rate=N --seconds=N --connections=N [--count=N]
 *              [--header=LINE]… [--member=NAME] METHOD PATH BODY [METHOD PATH BODY]…
 *
 * --rate=0: each connection asks again as soon as it has its answer (for --count requests in all).
 * "%ID%" in PATH is replaced by the `--member` of the answer to the last POST of that connection.
 * Prints: requests, answers with 2xx, others, requests per second, and p50, p99 and the longest in
 * milliseconds. Exit 1 when an answer was no 2xx. */

static char *address, *member_name;
static char **headers;
static gint rate, seconds = 10, n_connections = 16;
static gint64 count;

static const GOptionEntry options[] = {
    {"address", 0, 0, G_OPTION_ARG_STRING, &address, "Where the server listens", "HOST:PORT|PATH"},
    {"rate", 0, 0, G_OPTION_ARG_INT, &rate, "Requests a second; 0: as many as it takes", "N"},
    {"seconds", 0, 0, G_OPTION_ARG_INT, &seconds, "How long", "N"},
    {"connections", 0, 0, G_OPTION_ARG_INT, &n_connections, "Kept alive", "N"},
    {"count", 0, 0, G_OPTION_ARG_INT64, &count, "Instead of --seconds: how many requests", "N"},
    {"header", 0, 0, G_OPTION_ARG_STRING_ARRAY, &headers, "A header line of each", "LINE"},
    {"member", 0, 0, G_OPTION_ARG_STRING, &member_name, "What %ID% is, in answers to POST", "NAME"},
    G_OPTION_ENTRY_NULL};

typedef struct {
    char *method, *path, *body;
} Step;

typedef struct {
    int fd;
    gboolean busy;
    gint64 due; /* monotonic: of the request that is on its way */
    guint step; /* the next one */
    GString *in;
    char *id;
} Connection;

typedef struct {
    int epoll;
    Connection *connections;
    GQueue idle;
    GArray *steps;
    GArray *times; /* of all answers, microseconds */
    gint64 begun, asked, good, bad;
    gint64 begin, end;
} Load;

static int
open_socket(void)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_un un;
    } to = {0};
    socklen_t len = sizeof to.in;
    if (address[0] == '/') {
        to.un.sun_family = AF_UNIX;
        g_strlcpy(to.un.sun_path, address, sizeof to.un.sun_path);
        len = sizeof to.un;
    } else {
        to.in.sin_family = AF_INET;
        to.in.sin_port = htons((guint16)g_ascii_strtoull(strchr(address, ':') + 1, NULL, 10));
        to.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    }
    int one = 1, fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, &to.any, len) < 0) {
        fprintf(stderr, "load: connecting to %s: %s\n", address, g_strerror(errno));
        exit(2);
    }
    if (to.any.sa_family == AF_INET)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void
connect_one(Load *load, Connection *connection)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    connection->fd = open_socket();
    epoll_ctl(load->epoll, EPOLL_CTL_ADD, connection->fd, &event);
}

static void
ask(Load *load, Connection *connection, gint64 due)
{
    const Step *step = &g_array_index(load->steps, Step, connection->step);
    g_auto(GStrv) parts = g_strsplit(step->path, "%ID%", -1);
    g_autofree char *path = g_strjoinv(connection->id != NULL ? connection->id : "none", parts);
    g_autoptr(GString) out = g_string_new(NULL);
    g_string_append_printf(out, "%s %s HTTP/1.1\r\nHost: localhost\r\n", step->method, path);
    for (guint i = 0; headers != NULL && headers[i] != NULL; i++)
        g_string_append_printf(out, "%s\r\n", headers[i]);
    if (step->body != NULL)
        g_string_append_printf(out, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
                               strlen(step->body));
    g_string_append_printf(out, "\r\n%s", step->body != NULL ? step->body : "");
    connection->due = due;
    connection->busy = TRUE;
    load->asked++;
    if (send(connection->fd, out->str, out->len, MSG_NOSIGNAL) != (gssize)out->len) {
        fprintf(stderr, "load: a request does not fit: %s\n", g_strerror(errno));
        exit(2);
    }
}

static void
keep_id(Connection *connection, const char *body)
{
    g_autofree char *key = g_strdup_printf("\"%s\":\"", member_name);
    const char *value = strstr(body, key);
    g_free(connection->id);
    connection->id =
        value != NULL ? g_strndup(value + strlen(key), strcspn(value + strlen(key), "\"")) : NULL;
}

/* Length of the answer that stands at the beginning; 0: not whole yet. */
static gsize
answer_length(const GString *in)
{
    const char *end = strstr(in->str, "\r\n\r\n");
    const char *length = end != NULL ? strcasestr(in->str, "\r\nContent-Length: ") : NULL;
    if (end == NULL)
        return 0;
    gsize need = (gsize)(end + 4 - in->str);
    if (length != NULL && length < end)
        need += strtoull(length + 18, NULL, 10);
    return in->len >= need ? need : 0;
}

static void
take_answer(Load *load, Connection *connection, gsize length)
{
    gint64 took = g_get_monotonic_time() - connection->due;
    gboolean good = g_str_has_prefix(connection->in->str, "HTTP/1.1 2");
    const Step *step = &g_array_index(load->steps, Step, connection->step);
    if (!good && load->bad == 0)
        fprintf(stderr, "load: %s %s: %.300s\n", step->method, step->path, connection->in->str);
    good ? load->good++ : load->bad++;
    g_array_append_val(load->times, took);
    if (member_name != NULL && strcmp(step->method, "POST") == 0)
        keep_id(connection, connection->in->str);
    g_string_erase(connection->in, 0, (gssize)length);
    connection->busy = FALSE;
    connection->step = (connection->step + 1) % load->steps->len;
    g_queue_push_tail(&load->idle, connection);
}

static void
on_readable(Load *load, Connection *connection)
{
    char buffer[65536];
    gssize n = recv(connection->fd, buffer, sizeof buffer, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) { /* closed: the request of it is lost, the next one gets a new connection */
        load->bad += connection->busy;
        if (connection->busy)
            g_queue_push_tail(&load->idle, connection);
        connection->busy = FALSE;
        close(connection->fd);
        g_string_truncate(connection->in, 0);
        connect_one(load, connection);
        return;
    }
    g_string_append_len(connection->in, buffer, n);
    gsize length;
    while (connection->busy && (length = answer_length(connection->in)) > 0)
        take_answer(load, connection, length);
}

static gint64
limit(const Load *load)
{
    if (count > 0)
        return count;
    return rate > 0 ? (gint64)rate * seconds : G_MAXINT64;
}

/* All requests that are due by now, as far as there are connections; the others stay due. */
static void
ask_what_is_due(Load *load)
{
    gint64 now = g_get_monotonic_time();
    while (load->idle.length > 0 && load->begun < limit(load)) {
        gint64 due = rate > 0 ? load->begin + load->begun * G_USEC_PER_SEC / rate : now;
        if (due > now || (rate == 0 && count == 0 && now >= load->end))
            return;
        load->begun++;
        ask(load, g_queue_pop_head(&load->idle), due);
    }
}

static int
compare(gconstpointer a, gconstpointer b)
{
    gint64 x = *(const gint64 *)a, y = *(const gint64 *)b;
    return (x > y) - (x < y);
}

static double
percentile(const GArray *times, double part)
{
    if (times->len == 0)
        return 0;
    guint i = MIN((guint)(part * times->len), times->len - 1);
    return (double)g_array_index(times, gint64, i) / 1000;
}

static void
run(Load *load)
{
    struct epoll_event events[256];
    load->begin = g_get_monotonic_time();
    load->end = load->begin + seconds * (gint64)G_USEC_PER_SEC;
    gint64 give_up = load->end + (count > 0 ? 3600 : 30) * (gint64)G_USEC_PER_SEC;
    while (g_get_monotonic_time() < give_up) {
        ask_what_is_due(load);
        gboolean over = load->begun >= limit(load) ||
                        (rate == 0 && count == 0 && g_get_monotonic_time() >= load->end);
        if (over && load->good + load->bad >= load->asked)
            break;
        int n = epoll_wait(load->epoll, events, G_N_ELEMENTS(events), 1);
        for (int i = 0; i < n; i++)
            on_readable(load, events[i].data.ptr);
    }
    double took = (double)(g_get_monotonic_time() - load->begin) / G_USEC_PER_SEC;
    g_array_sort(load->times, compare);
    printf("%" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %.1f %.2f %.2f %.2f\n",
           load->asked, load->good, load->asked - load->good, (double)load->good / took,
           percentile(load->times, 0.5), percentile(load->times, 0.99), percentile(load->times, 1));
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context =
        g_option_context_new("METHOD PATH BODY [METHOD PATH BODY]… - in turn; BODY '' for none");
    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc < 4 || argc % 3 != 1 ||
        address == NULL || n_connections < 1 || rate < 0) {
        fprintf(stderr, "load: %s\n", error != NULL ? error->message : "see --help");
        return 2;
    }
    Load load = {.epoll = epoll_create1(EPOLL_CLOEXEC),
                 .connections = g_new0(Connection, n_connections),
                 .steps = g_array_new(FALSE, FALSE, sizeof(Step)),
                 .times = g_array_new(FALSE, FALSE, sizeof(gint64))};
    for (int i = 1; i < argc; i += 3) {
        Step step = {argv[i], argv[i + 1], argv[i + 2][0] != '\0' ? argv[i + 2] : NULL};
        g_array_append_val(load.steps, step);
    }
    for (int i = 0; i < n_connections; i++) {
        load.connections[i].in = g_string_new(NULL);
        connect_one(&load, &load.connections[i]);
        g_queue_push_tail(&load.idle, &load.connections[i]);
    }
    run(&load);
    return load.good == load.asked ? 0 : 1;
}
