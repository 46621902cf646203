/* Files in C: what programs/files.py does with pyuv, on bare libuv.
 *
 * files --folder FOLDER --files N --case stat|read [--in-flight N] [--seconds S] [--warmup S]
 */
#include "measure.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define SIZE 4096

static struct run run;
static char (*paths)[256];
static size_t path_count, next_path;

/* One of the chains in flight. */
struct chain {
    uv_fs_t request;
    uv_file file;
    char content[SIZE];
};

static const char *path(void) {
    const char *chosen = paths[next_path];
    next_path = next_path + 1 == path_count ? 0 : next_path + 1;
    return chosen;
}

static void on_stat(uv_fs_t *request);
static void on_open(uv_fs_t *request);
static void on_read(uv_fs_t *request);
static void on_close(uv_fs_t *request);

static void start_stat(uv_loop_t *loop, struct chain *chain) {
    if (run_more(&run)) {
        require(uv_fs_stat(loop, &chain->request, path(), on_stat) == 0, "uv_fs_stat");
    }
}

static void on_stat(uv_fs_t *request) {
    run.errors += request->result < 0 || request->statbuf.st_size != SIZE;
    uv_fs_req_cleanup(request);
    start_stat(request->loop, (struct chain *)request);
}

static void start_read(uv_loop_t *loop, struct chain *chain) {
    if (run_more(&run)) {
        require(uv_fs_open(loop, &chain->request, path(), O_RDONLY, 0, on_open) == 0, "uv_fs_open");
    }
}

static void on_open(uv_fs_t *request) {
    struct chain *chain = (struct chain *)request;
    uv_buf_t buffer = uv_buf_init(chain->content, SIZE);
    require(request->result >= 0, "open");
    chain->file = (uv_file)request->result;
    uv_fs_req_cleanup(request);
    require(uv_fs_read(request->loop, request, chain->file, &buffer, 1, 0, on_read) == 0, "uv_fs_read");
}

static void on_read(uv_fs_t *request) {
    run.errors += request->result != SIZE;
    uv_fs_req_cleanup(request);
    require(uv_fs_close(request->loop, request, ((struct chain *)request)->file, on_close) == 0, "uv_fs_close");
}

static void on_close(uv_fs_t *request) {
    run.errors += request->result < 0;
    uv_fs_req_cleanup(request);
    start_read(request->loop, (struct chain *)request);
}

int main(int argc, char **argv) {
    const char *folder = option(argc, argv, "--folder", ".");
    int reading = strcmp(option(argc, argv, "--case", "stat"), "read") == 0;
    int in_flight = (int)option_number(argc, argv, "--in-flight", 16);
    struct chain *chains = calloc((size_t)in_flight, sizeof *chains);
    uv_loop_t loop;

    path_count = (size_t)option_number(argc, argv, "--files", 1);
    paths = calloc(path_count, sizeof *paths);
    for (size_t i = 0; i < path_count; i++) {
        int length = snprintf(paths[i], sizeof paths[i], "%s/%zu", folder, i);
        require(length > 0 && (size_t)length < sizeof paths[i], "fitting the path");
    }
    require(uv_loop_init(&loop) == 0, "uv_loop_init");
    run_init(&run, argc, argv);
    for (int i = 0; i < in_flight; i++) {
        (reading ? start_read : start_stat)(&loop, &chains[i]);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    run_report(&run, uv_version_string());
    return 0;
}
