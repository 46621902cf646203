/* c-ares in C doing what `python -m pyuv.dns --file` does: reads names, asks, writes lines of JSON.
 *
 * dns_bulk --server 127.0.0.1:PORT --names FILE --out FILE --in-flight N
 *
 * A queries, so many in flight; each answer is written and starts the next name. The lines are those of
 * the tool. Names are read and lines written through stdio's buffers.
 */
#define _GNU_SOURCE
#include "channel.h"
#include "measure.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SIZE 256
#define BUFFER_SIZE (1 << 16)

static ares_channel_t *channel;
static FILE *names, *lines;
static unsigned outstanding, wanted;
static int exhausted;

/* Text in quotes; host names hold few bytes that need an escape. */
static void write_string(const char *text) {
    putc_unlocked('"', lines);
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\') {
            putc_unlocked('\\', lines);
            putc_unlocked(byte, lines);
        } else if (byte < ' ') {
            fprintf(lines, "\\u%04x", byte);
        } else {
            putc_unlocked(byte, lines);
        }
    }
    putc_unlocked('"', lines);
}

static void write_record(const ares_dns_rr_t *record) {
    char address[INET_ADDRSTRLEN];
    fputs_unlocked("{\"name\":", lines);
    write_string(ares_dns_rr_get_name(record));
    fprintf(lines, ",\"type\":\"%s\",\"class\":\"%s\",\"ttl\":%u,\"data\":{",
            ares_dns_rec_type_tostr(ares_dns_rr_get_type(record)), ares_dns_class_tostr(ares_dns_rr_get_class(record)),
            ares_dns_rr_get_ttl(record));
    if (ares_dns_rr_get_type(record) == ARES_REC_TYPE_A) {
        inet_ntop(AF_INET, ares_dns_rr_get_addr(record, ARES_RR_A_ADDR), address, sizeof address);
        fprintf(lines, "\"addr\":\"%s\"", address);
    } else if (ares_dns_rr_get_type(record) == ARES_REC_TYPE_CNAME) {
        fputs_unlocked("\"cname\":", lines);
        write_string(ares_dns_rr_get_str(record, ARES_RR_CNAME_CNAME));
    }
    fputs_unlocked("}}", lines);
}

static void on_answer(void *argument, ares_status_t status, size_t timeouts, const ares_dns_record_t *answer) {
    char *name = argument;
    outstanding--;
    fputs_unlocked("{\"name\":", lines);
    write_string(name);
    if (status == ARES_SUCCESS) {
        size_t count = ares_dns_record_rr_cnt(answer, ARES_SECTION_ANSWER);
        fputs_unlocked(",\"type\":\"A\",\"status\":\"NOERROR\",\"answer\":[", lines);
        for (size_t i = 0; i < count; i++) {
            if (i > 0) {
                putc_unlocked(',', lines);
            }
            write_record(ares_dns_record_rr_get_const(answer, ARES_SECTION_ANSWER, i));
        }
        fputs_unlocked("]}\n", lines);
    } else {
        const char *word = status == ARES_ENOTFOUND ? "NXDOMAIN" : status == ARES_ENODATA ? "NODATA" : "FAILED";
        fprintf(lines, ",\"type\":\"A\",\"status\":\"%s\",\"reason\":\"%s\"}\n", word, ares_strerror((int)status));
    }
    free(name);
}

static int fill(void) {
    char line[NAME_SIZE];
    while (outstanding < wanted && !exhausted) {
        if (fgets_unlocked(line, sizeof line, names) == NULL) {
            exhausted = 1;
            break;
        }
        line[strcspn(line, " \t\r\n")] = '\0';
        if (line[0] == '\0' || line[0] == '#') {
            continue;
        }
        char *name = strdup(line);
        require(name != NULL, "strdup");
        outstanding++;
        require(ares_query_dnsrec(channel, name, ARES_CLASS_IN, ARES_REC_TYPE_A, on_answer, name, NULL) ==
                    ARES_SUCCESS,
                "ares_query_dnsrec");
    }
    return outstanding > 0;
}

static FILE *opened(const char *path, const char *mode) {
    require(path != NULL, "finding --names and --out");
    FILE *file = fopen(path, mode);
    require(file != NULL, path);
    require(setvbuf(file, NULL, _IOFBF, BUFFER_SIZE) == 0, "setvbuf");
    return file;
}

int main(int argc, char **argv) {
    wanted = (unsigned)option_number(argc, argv, "--in-flight", 100);
    names = opened(option(argc, argv, "--names", NULL), "r");
    lines = opened(option(argc, argv, "--out", NULL), "w");
    channel = channel_open(option(argc, argv, "--server", NULL), 0, 0);
    channel_run(channel, fill);
    require(fclose(lines) == 0, "writing the last lines");
    printf("%s\n", ares_version(NULL));
    channel_close(channel);
    return 0;
}
