#define _GNU_SOURCE
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

const char *option(int argc, char **argv, const char *name, const char *fallback) {
    /* The last one given counts, as in argparse. */
    for (int i = argc - 2; i >= 1; i--) {
        if (strcmp(argv[i], name) == 0) {
            return argv[i + 1];
        }
    }
    return fallback;
}

double option_number(int argc, char **argv, const char *name, double fallback) {
    const char *text = option(argc, argv, name, NULL);
    return text == NULL ? fallback : strtod(text, NULL);
}

void require(int condition, const char *what) {
    if (!condition) {
        fprintf(stderr, "%s failed\n", what);
        exit(1);
    }
}

double now_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

long resident_kib(void) {
    long size = 0, resident = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    require(statm != NULL, "open /proc/self/statm");
    require(fscanf(statm, "%ld %ld", &size, &resident) == 2, "read /proc/self/statm");
    fclose(statm);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static void cpu_seconds(double *user, double *system) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    *user = (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec * 1e-6;
    *system = (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec * 1e-6;
}

void meter_start(struct meter *meter) {
    cpu_seconds(&meter->user, &meter->system);
    meter->seconds = now_seconds();
}

void meter_stop(struct meter *meter) {
    double user, system;
    meter->seconds = now_seconds() - meter->seconds;
    cpu_seconds(&user, &system);
    meter->user = user - meter->user;
    meter->system = system - meter->system;
}

void run_init(struct run *run, int argc, char **argv) {
    memset(run, 0, sizeof *run);
    run->seconds = option_number(argc, argv, "--seconds", 1);
    run->warmup = option_number(argc, argv, "--warmup", 0.2);
    run->operations = (uint64_t)option_number(argc, argv, "--operations", 0);
    run->until = now_seconds() + run->warmup;
}

static void start_measuring(struct run *run) {
    run->measuring = 1;
    meter_start(&run->meter);
    run->until = run->operations ? 1e300 : run->meter.seconds + run->seconds;
}

static void sample_rss(struct run *run) {
    uint64_t step = run->operations / RSS_SAMPLES;
    if (step > 0 && run->rss_count < RSS_SAMPLES && run->issued >= step * (uint64_t)(run->rss_count + 1)) {
        run->rss[run->rss_count++] = resident_kib();
    }
}

int run_more(struct run *run) {
    if (run->over) {
        return 0;
    }
    if (run->batch == BATCH) {
        run->batch = 0;
        if (run->measuring) {
            run->issued += BATCH;
            sample_rss(run);
            if (run->operations ? run->issued >= run->operations : now_seconds() >= run->until) {
                meter_stop(&run->meter);
                run->over = 1;
                return 0;
            }
        } else if (now_seconds() >= run->until) {
            start_measuring(run);
        }
    } else if (!run->measuring && run->warmup == 0) {
        start_measuring(run);
    }
    run->batch++;
    return 1;
}

void run_report(const struct run *run, const char *version) {
    report(run->issued, run->errors, &run->meter, run->rss, run->rss_count, version);
}

void report(uint64_t operations, uint64_t errors, const struct meter *meter, const long *rss, int rss_count,
            const char *version) {
    printf("{\"operations\": %llu, \"errors\": %llu, \"seconds\": %.9f, \"user\": %.6f, \"system\": %.6f, "
           "\"version\": \"%s\", \"rss_kib\": [",
           (unsigned long long)operations, (unsigned long long)errors, meter->seconds, meter->user, meter->system,
           version);
    for (int i = 0; i < rss_count; i++) {
        printf("%ld, ", rss[i]);
    }
    printf("%ld]}\n", resident_kib());
}
