/* The load on an echo server: sends a message on each of its connections, waits for all of it to come
 * back, sends the next. Counts round trips, and what CPU time the server takes for them.
 *
 * echo_load --pid SERVER --transport tcp|unix|udp --address PORT|PATH --version TEXT [--size BYTES]
 *           [--connections N] [--idle N] [--seconds S] [--warmup S]
 *
 * --idle connections are opened and do nothing; rss_kib is the server's before and after they came,
 * and at the end.
 */
#define _GNU_SOURCE
#include "measure.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum transport { TCP, UNIX, UDP };

struct connection {
    int fd;
    size_t sent, received;
    double since;
};

#define MICROSECONDS 1000000
static uint64_t histogram[MICROSECONDS];
static enum transport transport;
static const char *address;
static size_t size;
static char *message, *scratch;
static uint64_t operations, errors;
static int epoll, measuring;

static int connected(void) {
    int one = 1, fd = -1, status = -1;
    if (transport == UNIX) {
        struct sockaddr_un name = {.sun_family = AF_UNIX};
        snprintf(name.sun_path, sizeof name.sun_path, "%s", address);
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        status = connect(fd, (struct sockaddr *)&name, sizeof name);
    } else {
        struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(address))};
        name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        fd = socket(AF_INET, transport == TCP ? SOCK_STREAM : SOCK_DGRAM, 0);
        status = connect(fd, (struct sockaddr *)&name, sizeof name);
        if (transport == TCP) {
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        }
    }
    require(fd >= 0, "socket");
    require(status == 0, "connect");
    require(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0, "fcntl");
    return fd;
}

static void watch(struct connection *connection, int how, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = connection};
    require(epoll_ctl(epoll, how, connection->fd, &event) == 0, "epoll_ctl");
}

/* Sends what is left of the message, as far as the socket takes it. */
static void push(struct connection *connection) {
    size_t before = connection->sent;
    while (connection->sent < size) {
        ssize_t count = send(connection->fd, message + connection->sent, size - connection->sent, MSG_NOSIGNAL);
        if (count < 0) {
            require(errno == EAGAIN || errno == ENOBUFS, "send");
            if (before == 0) {
                watch(connection, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
            }
            return;
        }
        connection->sent += (size_t)count;
    }
    if (before != 0) {
        watch(connection, EPOLL_CTL_MOD, EPOLLIN);
    }
}

static void begin(struct connection *connection) {
    connection->sent = connection->received = 0;
    connection->since = now_seconds();
    push(connection);
}

static void take(struct connection *connection) {
    ssize_t count = recv(connection->fd, scratch, size, 0);
    if (count < 0 && errno == EAGAIN) {
        return;
    }
    require(count > 0, "recv");
    connection->received += (size_t)count;
    if (connection->received >= size) {
        if (measuring) {
            double microseconds = (now_seconds() - connection->since) * 1e6;
            size_t slot = microseconds < MICROSECONDS - 1 ? (size_t)microseconds : MICROSECONDS - 1;
            histogram[slot]++;
            operations++;
        }
        begin(connection);
    }
}

/* Datagrams get lost. */
static void send_again(struct connection *connections, int count) {
    static double looked;
    double now = now_seconds();
    if (transport != UDP || now - looked < 0.02) {
        return;
    }
    looked = now;
    for (int i = 0; i < count; i++) {
        if (now - connections[i].since > 0.1) {
            errors += (uint64_t)measuring;
            begin(&connections[i]);
        }
    }
}

static void exchange(struct connection *connections, int count, double seconds) {
    struct epoll_event events[512];
    double until = now_seconds() + seconds;
    while (now_seconds() < until) {
        int ready = epoll_wait(epoll, events, 512, 20);
        for (int i = 0; i < ready; i++) {
            struct connection *connection = events[i].data.ptr;
            if (events[i].events & EPOLLOUT) {
                push(connection);
            }
            if (events[i].events & EPOLLIN) {
                take(connection);
            }
        }
        send_again(connections, count);
    }
}

static double percentile(double part) {
    uint64_t seen = 0, wanted = (uint64_t)((double)operations * part);
    for (size_t i = 0; i < MICROSECONDS; i++) {
        seen += histogram[i];
        if (seen > wanted) {
            return (double)i;
        }
    }
    return MICROSECONDS;
}

/* Fields of /proc/PID/stat and statm. */
static void cpu_of(int pid, double *user, double *system) {
    char path[64], line[1024];
    unsigned long user_ticks = 0, system_ticks = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    require(file != NULL && fgets(line, sizeof line, file) != NULL, "read the server's stat");
    fclose(file);
    require(sscanf(strrchr(line, ')') + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user_ticks,
                   &system_ticks) == 2,
            "parse the server's stat");
    *user = (double)user_ticks / (double)sysconf(_SC_CLK_TCK);
    *system = (double)system_ticks / (double)sysconf(_SC_CLK_TCK);
}

static long resident_of(int pid) {
    char path[64];
    long total = 0, resident = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", pid);
    FILE *file = fopen(path, "r");
    require(file != NULL && fscanf(file, "%ld %ld", &total, &resident) == 2, "read the server's statm");
    fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

int main(int argc, char **argv) {
    const char *kind = option(argc, argv, "--transport", "tcp");
    int pid = (int)option_number(argc, argv, "--pid", 0);
    int count = (int)option_number(argc, argv, "--connections", 16);
    int idle = (int)option_number(argc, argv, "--idle", 0);
    double seconds = option_number(argc, argv, "--seconds", 1);
    double user, system, user_before, system_before;
    struct rlimit files;

    require(getrlimit(RLIMIT_NOFILE, &files) == 0, "getrlimit");
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    transport = strcmp(kind, "unix") == 0 ? UNIX : strcmp(kind, "udp") == 0 ? UDP : TCP;
    address = option(argc, argv, "--address", "");
    size = (size_t)option_number(argc, argv, "--size", 64);
    message = malloc(size);
    scratch = malloc(size);
    require(message != NULL && scratch != NULL, "malloc");
    memset(message, 'x', size);
    epoll = epoll_create1(0);

    struct connection *connections = calloc((size_t)count, sizeof *connections);
    require(connections != NULL, "calloc");
    for (int i = 0; i < count; i++) {
        connections[i].fd = connected();
        watch(&connections[i], EPOLL_CTL_ADD, EPOLLIN);
        begin(&connections[i]);
    }
    /* What the server keeps for good (slabs, pools) is there before the idle ones come. */
    exchange(connections, count, option_number(argc, argv, "--warmup", 0.2));
    long before = resident_of(pid);
    for (int i = 0; i < idle; i++) {
        connected();
        if (i % 64 == 0) {
            exchange(connections, count, 0.002);
        }
    }
    if (idle > 0) {
        exchange(connections, count, 0.5);
    }
    long after = resident_of(pid);

    measuring = 1;
    cpu_of(pid, &user_before, &system_before);
    double begun = now_seconds();
    exchange(connections, count, seconds);
    double took = now_seconds() - begun;
    cpu_of(pid, &user, &system);
    printf("{\"operations\": %llu, \"errors\": %llu, \"seconds\": %.9f, \"user\": %.6f, \"system\": %.6f, "
           "\"version\": \"%s\", \"rss_kib\": [%ld, %ld, %ld], \"p50_us\": %.0f, \"p99_us\": %.0f}\n",
           (unsigned long long)operations, (unsigned long long)errors, took, user - user_before,
           system - system_before, option(argc, argv, "--version", ""), before, after, resident_of(pid),
           percentile(0.5), percentile(0.99));
    return 0;
}
