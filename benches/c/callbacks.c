/* The loop's own cost in C: what programs/callbacks.py does, on bare libuv.
 *
 * callbacks --case idle|timers|async|pingpong [--handles N] [--seconds S] [--warmup S]
 *
 * The loop runs for a fixed time, ended by a uv_timer; nothing is counted in the measured callbacks.
 * Iterations come from uv_metrics_info, rounds of timers from one marker timer among them.
 */
#include "measure.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define TIMEOUT_MS 1

static void on_end(uv_timer_t *timer) { uv_stop(timer->loop); }

static void run_for(uv_loop_t *loop, double seconds) {
    uv_timer_t end;
    require(uv_timer_init(loop, &end) == 0, "uv_timer_init");
    uv_update_time(loop);
    require(uv_timer_start(&end, on_end, (uint64_t)(seconds * 1000), 0) == 0, "uv_timer_start");
    uv_run(loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&end, NULL);
    uv_run(loop, UV_RUN_NOWAIT);
}

static uint64_t iterations(uv_loop_t *loop) {
    uv_metrics_t metrics;
    require(uv_metrics_info(loop, &metrics) == 0, "uv_metrics_info");
    return metrics.loop_count;
}

/* idle: callbacks that do nothing */

static void on_idle(uv_idle_t *idle) {}

static void start_idles(uv_loop_t *loop, int handles) {
    uv_idle_t *idles = calloc((size_t)handles, sizeof *idles);
    for (int i = 0; i < handles; i++) {
        require(uv_idle_init(loop, &idles[i]) == 0, "uv_idle_init");
        require(uv_idle_start(&idles[i], on_idle) == 0, "uv_idle_start");
    }
}

/* timers: each starts itself again; the first one counts the rounds */

static uint64_t rounds;

static void on_timer(uv_timer_t *timer) { uv_timer_start(timer, on_timer, TIMEOUT_MS, 0); }

static void on_marker(uv_timer_t *timer) {
    rounds++;
    uv_timer_start(timer, on_marker, TIMEOUT_MS, 0);
}

static void start_timers(uv_loop_t *loop, int handles) {
    uv_timer_t *timers = calloc((size_t)handles, sizeof *timers);
    for (int i = 0; i < handles; i++) {
        require(uv_timer_init(loop, &timers[i]) == 0, "uv_timer_init");
        require(uv_timer_start(&timers[i], i == 0 ? on_marker : on_timer, TIMEOUT_MS, 0) == 0, "uv_timer_start");
    }
}

/* async: a handle that sends to itself; pingpong: two loops on two threads that send to each other */

static uv_async_t here, there, quit;
static uv_sem_t ready;

static void on_self(uv_async_t *async) { uv_async_send(async); }
static void on_here(uv_async_t *async) { uv_async_send(&there); }
static void on_there(uv_async_t *async) { uv_async_send(&here); }
static void on_quit(uv_async_t *async) { uv_stop(async->loop); }

static void other_thread(void *unused) {
    uv_loop_t loop;
    require(uv_loop_init(&loop) == 0, "uv_loop_init");
    require(uv_async_init(&loop, &there, on_there) == 0, "uv_async_init");
    require(uv_async_init(&loop, &quit, on_quit) == 0, "uv_async_init");
    uv_sem_post(&ready);
    uv_run(&loop, UV_RUN_DEFAULT);
}

int main(int argc, char **argv) {
    const char *name = option(argc, argv, "--case", "idle");
    int handles = (int)option_number(argc, argv, "--handles", 1);
    double seconds = option_number(argc, argv, "--seconds", 1);
    double warmup = option_number(argc, argv, "--warmup", 0.2);
    int pingpong = strcmp(name, "pingpong") == 0, timers = strcmp(name, "timers") == 0;
    uv_thread_t thread;
    uv_loop_t loop;
    struct meter meter;

    require(uv_loop_init(&loop) == 0, "uv_loop_init");
    if (strcmp(name, "idle") == 0) {
        start_idles(&loop, handles);
    } else if (timers) {
        start_timers(&loop, handles);
    } else if (strcmp(name, "async") == 0) {
        handles = 1;
        require(uv_async_init(&loop, &here, on_self) == 0, "uv_async_init");
        uv_async_send(&here);
    } else {
        require(pingpong, "finding the case");
        handles = 1;
        require(uv_async_init(&loop, &here, on_here) == 0, "uv_async_init");
        uv_sem_init(&ready, 0);
        require(uv_thread_create(&thread, other_thread, NULL) == 0, "uv_thread_create");
        uv_sem_wait(&ready);
        uv_async_send(&there);
    }

    if (warmup > 0) {
        run_for(&loop, warmup);
    }
    uint64_t before = timers ? rounds : iterations(&loop);
    meter_start(&meter);
    run_for(&loop, seconds);
    meter_stop(&meter);
    uint64_t count = (timers ? rounds : iterations(&loop)) - before;
    if (pingpong) {
        uv_async_send(&quit);
        uv_thread_join(&thread);
    }
    report(count * (uint64_t)handles, 0, &meter, NULL, 0, uv_version_string());
    return 0;
}
