/* A c-ares channel on epoll: what the DNS references share. */
#ifndef PYUV_BENCHES_CHANNEL_H
#define PYUV_BENCHES_CHANNEL_H

#include <ares.h>

/* A channel that asks `server`, keeps answers for `cache_seconds` (0: no cache) and, if `tcp`, asks over one
 * TCP connection that stays open. */
ares_channel_t *channel_open(const char *server, unsigned cache_seconds, int tcp);

/* Calls c-ares for what epoll reports and for what has timed out, until `fill`, called after each time,
 * says that no answer is awaited. */
void channel_run(ares_channel_t *channel, int (*fill)(void));

void channel_close(ares_channel_t *channel);

#endif
