/* What every C reference shares with programs/measure.py: options, clocks, and one line of JSON. */
#ifndef PYUV_BENCHES_MEASURE_H
#define PYUV_BENCHES_MEASURE_H

#include <stddef.h>
#include <stdint.h>

/* The value after `name` in argv, or `fallback`. */
const char *option(int argc, char **argv, const char *name, const char *fallback);
double option_number(int argc, char **argv, const char *name, double fallback);

/* Ends the program with a message when `condition` is false. */
void require(int condition, const char *what);

double now_seconds(void);
long resident_kib(void);

/* CPU and wall time between meter_start and meter_stop, this process, all its threads. */
struct meter {
    double seconds, user, system;
};
void meter_start(struct meter *meter);
void meter_stop(struct meter *meter);

#define RSS_SAMPLES 10

/* The book-keeping of a closed loop: a warm-up, then `seconds` (or `operations`, if not 0) measured.
 * The clock is read once in BATCH operations. */
#define BATCH 64
struct run {
    double seconds, warmup;
    uint64_t operations;

    struct meter meter;
    uint64_t issued, errors;
    long rss[RSS_SAMPLES];
    int rss_count;
    int measuring, over;
    double until;
    unsigned batch;
};
void run_init(struct run *run, int argc, char **argv);
/* True while another operation is to be started; called once before each. */
int run_more(struct run *run);
void run_report(const struct run *run, const char *version);

void report(uint64_t operations, uint64_t errors, const struct meter *meter, const long *rss, int rss_count,
            const char *version);

#endif
