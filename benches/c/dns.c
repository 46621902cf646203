/* c-ares in C on epoll: the reference that every DNS client is compared with.
 *
 * dns --server 127.0.0.1:PORT --names N --zone bench.test --in-flight N [--prefix n] [--missing 1] [--tcp 1]
 *     [--cache SECONDS] [--seconds S] [--operations N]
 *
 * A closed loop: `in-flight` A queries at all times, each answer starts the next name. With --missing the
 * right answer is that there is no such name.
 */
#include "channel.h"
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>

static struct run run;
static ares_channel_t *channel;
static char (*names)[64];
static size_t name_count, next_name;
static unsigned outstanding, wanted;
static int missing;

static int is_address(const ares_dns_record_t *answer) {
    if (ares_dns_record_rr_cnt(answer, ARES_SECTION_ANSWER) == 0) {
        return 0;
    }
    const ares_dns_rr_t *record = ares_dns_record_rr_get_const(answer, ARES_SECTION_ANSWER, 0);
    return ares_dns_rr_get_type(record) == ARES_REC_TYPE_A && ares_dns_rr_get_addr(record, ARES_RR_A_ADDR) != NULL;
}

static void on_answer(void *unused, ares_status_t status, size_t timeouts, const ares_dns_record_t *answer) {
    int good = missing ? status == ARES_ENOTFOUND : status == ARES_SUCCESS && is_address(answer);
    outstanding--;
    run.errors += !good || timeouts > 0;
}

/* Queries are started from here, never from inside c-ares's own callback. An answer from the cache comes
 * before the call that asks has returned. */
static int fill(void) {
    while (outstanding < wanted && run_more(&run)) {
        const char *name = names[next_name];
        next_name = next_name + 1 == name_count ? 0 : next_name + 1;
        outstanding++;
        require(ares_query_dnsrec(channel, name, ARES_CLASS_IN, ARES_REC_TYPE_A, on_answer, NULL, NULL) ==
                    ARES_SUCCESS,
                "ares_query_dnsrec");
    }
    return outstanding > 0;
}

int main(int argc, char **argv) {
    const char *zone = option(argc, argv, "--zone", "bench.test");
    const char *prefix = option(argc, argv, "--prefix", "n");
    wanted = (unsigned)option_number(argc, argv, "--in-flight", 100);
    missing = option_number(argc, argv, "--missing", 0) != 0;
    name_count = (size_t)option_number(argc, argv, "--names", 1);
    names = calloc(name_count, sizeof *names);
    for (size_t i = 0; i < name_count; i++) {
        int length = snprintf(names[i], sizeof names[i], "%s%zu.%s", prefix, i, zone);
        require(length > 0 && (size_t)length < sizeof names[i], "fitting the name");
    }
    channel = channel_open(option(argc, argv, "--server", NULL), (unsigned)option_number(argc, argv, "--cache", 0),
                           option_number(argc, argv, "--tcp", 0) != 0);
    run_init(&run, argc, argv);
    channel_run(channel, fill);
    run_report(&run, ares_version(NULL));
    channel_close(channel);
    return 0;
}
