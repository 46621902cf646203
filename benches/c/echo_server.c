/* An echo server in C: what programs/echo_server.py does with pyuv, on bare libuv.
 *
 * echo_server --transport tcp|unix|udp [--path PATH]; prints its port (or path) and libuv's version.
 */
#include "measure.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <uv.h>

static char slab[256 * 1024];

struct pending {
    uv_write_t request;
    char rest[];
};

struct pending_datagram {
    uv_udp_send_t request;
    char rest[];
};

static void lend(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
    *buffer = uv_buf_init(slab, sizeof slab);
}

static void on_closed(uv_handle_t *handle) { free(handle); }

static void on_written(uv_write_t *request, int status) { free(request); }

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer) {
    if (count < 0) {
        uv_close((uv_handle_t *)stream, on_closed);
        return;
    }
    uv_buf_t answer = uv_buf_init(buffer->base, (unsigned)count);
    int sent = count == 0 ? 0 : uv_try_write(stream, &answer, 1);
    sent = sent < 0 ? 0 : sent;
    if (sent < count) {
        size_t left = (size_t)(count - sent);
        struct pending *pending = malloc(sizeof *pending + left);
        memcpy(pending->rest, buffer->base + sent, left);
        answer = uv_buf_init(pending->rest, (unsigned)left);
        if (uv_write(&pending->request, stream, &answer, 1, on_written) != 0) {
            free(pending);
        }
    }
}

static void on_connection(uv_stream_t *server, int status) {
    require(status == 0, "accept");
    if (server->type == UV_TCP) {
        uv_tcp_t *client = malloc(sizeof *client);
        uv_tcp_init(server->loop, client);
        require(uv_accept(server, (uv_stream_t *)client) == 0, "uv_accept");
        uv_tcp_nodelay(client, 1);
        uv_read_start((uv_stream_t *)client, lend, on_read);
    } else {
        uv_pipe_t *client = malloc(sizeof *client);
        uv_pipe_init(server->loop, client, 0);
        require(uv_accept(server, (uv_stream_t *)client) == 0, "uv_accept");
        uv_read_start((uv_stream_t *)client, lend, on_read);
    }
}

static void on_sent(uv_udp_send_t *request, int status) { free(request); }

static void on_datagram(uv_udp_t *socket, ssize_t count, const uv_buf_t *buffer, const struct sockaddr *from,
                        unsigned flags) {
    if (count <= 0 || from == NULL) {
        return;
    }
    uv_buf_t answer = uv_buf_init(buffer->base, (unsigned)count);
    if (uv_udp_try_send(socket, &answer, 1, from) < 0) {
        struct pending_datagram *pending = malloc(sizeof *pending + (size_t)count);
        memcpy(pending->rest, buffer->base, (size_t)count);
        answer = uv_buf_init(pending->rest, (unsigned)count);
        if (uv_udp_send(&pending->request, socket, &answer, 1, from, on_sent) != 0) {
            free(pending);
        }
    }
}

int main(int argc, char **argv) {
    const char *transport = option(argc, argv, "--transport", "tcp");
    uv_loop_t *loop = uv_default_loop();
    struct sockaddr_in any;
    struct sockaddr_storage bound;
    int length = sizeof bound;
    struct rlimit files;

    require(getrlimit(RLIMIT_NOFILE, &files) == 0, "getrlimit");
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    uv_ip4_addr("127.0.0.1", 0, &any);
    if (strcmp(transport, "tcp") == 0) {
        static uv_tcp_t server;
        uv_tcp_init(loop, &server);
        require(uv_tcp_bind(&server, (struct sockaddr *)&any, 0) == 0, "uv_tcp_bind");
        require(uv_listen((uv_stream_t *)&server, 1024, on_connection) == 0, "uv_listen");
        uv_tcp_getsockname(&server, (struct sockaddr *)&bound, &length);
    } else if (strcmp(transport, "udp") == 0) {
        static uv_udp_t server;
        uv_udp_init(loop, &server);
        require(uv_udp_bind(&server, (struct sockaddr *)&any, 0) == 0, "uv_udp_bind");
        require(uv_udp_recv_start(&server, lend, on_datagram) == 0, "uv_udp_recv_start");
        uv_udp_getsockname(&server, (struct sockaddr *)&bound, &length);
    } else {
        static uv_pipe_t server;
        uv_pipe_init(loop, &server, 0);
        require(uv_pipe_bind(&server, option(argc, argv, "--path", "")) == 0, "uv_pipe_bind");
        require(uv_listen((uv_stream_t *)&server, 1024, on_connection) == 0, "uv_listen");
    }
    if (strcmp(transport, "unix") == 0) {
        printf("%s libuv %s\n", option(argc, argv, "--path", ""), uv_version_string());
    } else {
        printf("%d libuv %s\n", ntohs(((struct sockaddr_in *)&bound)->sin_port), uv_version_string());
    }
    fflush(stdout);
    uv_run(loop, UV_RUN_DEFAULT);
    return 0;
}
