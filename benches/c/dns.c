/* c-ares in C on epoll: the reference that every DNS client is compared with.
 *
 * dns --server 127.0.0.1:PORT --names N --zone bench.test --in-flight N [--seconds S] [--operations N]
 *
 * A closed loop: `in-flight` A queries at all times, each answer starts the next name. Sockets are
 * watched where c-ares says so (socket-state callback), all that epoll reports at once goes to
 * c-ares in one ares_process_fds, and the wait is as long as ares_timeout allows.
 */
#define _GNU_SOURCE
#include "measure.h"

#include <ares.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/time.h>

#define EVENTS 64

static struct run run;
static ares_channel_t *channel;
static int epoll_fd;
static char (*names)[64];
static size_t name_count, next_name;
static unsigned outstanding, wanted;

/* epoll_ctl needs to know whether a socket is already watched; c-ares opens few, small numbers. */
#define MAX_FD 1024
static unsigned char watched[MAX_FD];

static void on_socket_state(void *unused, ares_socket_t fd, int readable, int writable) {
    struct epoll_event event = {0};
    require(fd >= 0 && fd < MAX_FD, "keeping few sockets open");
    event.events = (readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u);
    event.data.fd = fd;
    int operation = event.events == 0 ? EPOLL_CTL_DEL : watched[fd] ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (operation != EPOLL_CTL_DEL || watched[fd]) {
        require(epoll_ctl(epoll_fd, operation, fd, &event) == 0, "epoll_ctl");
    }
    watched[fd] = event.events != 0;
}

static void on_answer(void *unused, ares_status_t status, size_t timeouts, const ares_dns_record_t *answer) {
    int good = 0;
    outstanding--;
    if (status == ARES_SUCCESS && ares_dns_record_rr_cnt(answer, ARES_SECTION_ANSWER) > 0) {
        const ares_dns_rr_t *record = ares_dns_record_rr_get_const(answer, ARES_SECTION_ANSWER, 0);
        good = ares_dns_rr_get_type(record) == ARES_REC_TYPE_A && ares_dns_rr_get_addr(record, ARES_RR_A_ADDR) != NULL;
    }
    run.errors += !good || timeouts > 0;
}

/* Queries are started from the loop below, never from inside c-ares's own callback. */
static void fill(void) {
    while (outstanding < wanted && run_more(&run)) {
        const char *name = names[next_name];
        next_name = next_name + 1 == name_count ? 0 : next_name + 1;
        outstanding++;
        require(ares_query_dnsrec(channel, name, ARES_CLASS_IN, ARES_REC_TYPE_A, on_answer, NULL, NULL) == ARES_SUCCESS,
                "ares_query_dnsrec");
    }
}

static int wait_ms(void) {
    struct timeval value, *timeout = ares_timeout(channel, NULL, &value);
    return timeout == NULL ? -1 : (int)(timeout->tv_sec * 1000 + (timeout->tv_usec + 999) / 1000);
}

int main(int argc, char **argv) {
    const char *zone = option(argc, argv, "--zone", "bench.test");
    const char *server = option(argc, argv, "--server", NULL);
    struct ares_options options = {0};
    struct epoll_event ready[EVENTS];
    ares_fd_events_t events[EVENTS];

    require(server != NULL, "finding --server");
    wanted = (unsigned)option_number(argc, argv, "--in-flight", 100);
    name_count = (size_t)option_number(argc, argv, "--names", 1);
    names = calloc(name_count, sizeof *names);
    for (size_t i = 0; i < name_count; i++) {
        int length = snprintf(names[i], sizeof names[i], "n%zu.%s", i, zone);
        require(length > 0 && (size_t)length < sizeof names[i], "fitting the name");
    }

    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    require(epoll_fd >= 0, "epoll_create1");
    require(ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS, "ares_library_init");
    options.sock_state_cb = on_socket_state;
    options.qcache_max_ttl = 0;
    options.socket_receive_buffer_size = 4 << 20;
    require(ares_init_options(&channel, &options,
                              ARES_OPT_SOCK_STATE_CB | ARES_OPT_QUERY_CACHE | ARES_OPT_SOCK_RCVBUF) == ARES_SUCCESS,
            "ares_init_options");
    require(ares_set_servers_csv(channel, server) == ARES_SUCCESS, "ares_set_servers_csv");

    run_init(&run, argc, argv);
    fill();
    while (outstanding > 0) {
        int count = epoll_wait(epoll_fd, ready, EVENTS, wait_ms());
        require(count >= 0 || errno == EINTR, "epoll_wait");
        count = count < 0 ? 0 : count;
        for (int i = 0; i < count; i++) {
            uint32_t bits = ready[i].events;
            events[i].fd = ready[i].data.fd;
            events[i].events = ((bits & (EPOLLIN | EPOLLERR | EPOLLHUP)) ? ARES_FD_EVENT_READ : 0u) |
                               ((bits & EPOLLOUT) ? ARES_FD_EVENT_WRITE : 0u);
        }
        ares_process_fds(channel, events, (size_t)count, ARES_PROCESS_FLAG_NONE);
        fill();
    }
    run_report(&run, ares_version(NULL));
    ares_destroy(channel);
    ares_library_cleanup();
    return 0;
}
