/* Sockets are watched where c-ares says so (socket-state callback), all that epoll reports at once goes to
 * c-ares in one ares_process_fds, and the wait is as long as ares_timeout allows. */
#define _GNU_SOURCE
#include "channel.h"
#include "measure.h"

#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/time.h>

#define EVENTS 64

static int epoll_fd;

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

ares_channel_t *channel_open(const char *server, unsigned cache_seconds, int tcp) {
    ares_channel_t *channel = NULL;
    struct ares_options options = {0};
    require(server != NULL, "finding --server");
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    require(epoll_fd >= 0, "epoll_create1");
    require(ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS, "ares_library_init");
    options.sock_state_cb = on_socket_state;
    options.qcache_max_ttl = cache_seconds;
    options.socket_receive_buffer_size = 4 << 20;
    options.flags = ARES_FLAG_EDNS | (tcp ? ARES_FLAG_USEVC | ARES_FLAG_STAYOPEN : 0);
    require(ares_init_options(&channel, &options,
                              ARES_OPT_SOCK_STATE_CB | ARES_OPT_QUERY_CACHE | ARES_OPT_SOCK_RCVBUF |
                                  ARES_OPT_FLAGS) == ARES_SUCCESS,
            "ares_init_options");
    require(ares_set_servers_csv(channel, server) == ARES_SUCCESS, "ares_set_servers_csv");
    return channel;
}

static int wait_ms(ares_channel_t *channel) {
    struct timeval value, *timeout = ares_timeout(channel, NULL, &value);
    return timeout == NULL ? -1 : (int)(timeout->tv_sec * 1000 + (timeout->tv_usec + 999) / 1000);
}

void channel_run(ares_channel_t *channel, int (*fill)(void)) {
    struct epoll_event ready[EVENTS];
    ares_fd_events_t events[EVENTS];
    while (fill()) {
        int count = epoll_wait(epoll_fd, ready, EVENTS, wait_ms(channel));
        require(count >= 0 || errno == EINTR, "epoll_wait");
        count = count < 0 ? 0 : count;
        for (int i = 0; i < count; i++) {
            uint32_t bits = ready[i].events;
            events[i].fd = ready[i].data.fd;
            events[i].events = ((bits & (EPOLLIN | EPOLLERR | EPOLLHUP)) ? ARES_FD_EVENT_READ : 0u) |
                               ((bits & EPOLLOUT) ? ARES_FD_EVENT_WRITE : 0u);
        }
        ares_process_fds(channel, events, (size_t)count, ARES_PROCESS_FLAG_NONE);
    }
}

void channel_close(ares_channel_t *channel) {
    ares_destroy(channel);
    ares_library_cleanup();
}
