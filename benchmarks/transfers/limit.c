/* The limit of this machine: a file over HTTP, received, checksummed and written by as little as possible.
 *
 *     limit PORT PATH FILE SIZE CONNECTIONS
 *
 * Each thread fetches one range over a connection of its own into a buffer of 1 MiB, takes its CRC32C and
 * writes it in its place. Prints wall seconds, CPU seconds, and length and CRC32C of each range in order.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#define CRC8(crc, value) _mm_crc32_u64(crc, value)
#define CRC1(crc, value) _mm_crc32_u8(crc, value)
#elif defined(__aarch64__)
#include <arm_acle.h>
#define CRC8(crc, value) __crc32cd(crc, value)
#define CRC1(crc, value) __crc32cb(crc, value)
#endif

#define BUFFER (1 << 20)

struct range {
    pthread_t thread;
    long start, length;
    uint32_t crc;
};

static int port, file;
static const char *path;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static uint32_t update(uint32_t crc, const unsigned char *data, size_t size) {
    uint64_t state = ~crc;
    for (; size >= 8; size -= 8, data += 8) {
        uint64_t value;
        memcpy(&value, data, 8);
        state = CRC8(state, value);
    }
    for (; size; size--, data++) state = CRC1(state, *data);
    return ~(uint32_t)state;
}

static int request(struct range *range) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    int sock = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    if (connect(sock, (struct sockaddr *)&address, sizeof address)) fail("connect");
    setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    char head[4096];
    int size = snprintf(head, sizeof head, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nRange: bytes=%ld-%ld\r\n\r\n",
                        path, range->start, range->start + range->length - 1);
    if (write(sock, head, size) != size) fail("write");
    return sock;
}

static void *fetch(void *argument) {
    struct range *range = argument;
    int sock = request(range);
    unsigned char *buffer = aligned_alloc(4096, BUFFER), *body = NULL;
    ssize_t filled = 0;
    while (!body) {
        ssize_t count = read(sock, buffer + filled, BUFFER - filled);
        if (count <= 0) fail("head");
        filled += count;
        unsigned char *end = memmem(buffer, filled, "\r\n\r\n", 4);
        if (end) body = end + 4;
    }
    if (memcmp(buffer, "HTTP/1.1 206", 12)) fail("status");
    filled -= body - buffer;
    memmove(buffer, body, filled);
    for (long done = 0;;) {
        range->crc = update(range->crc, buffer, filled);
        for (ssize_t at = 0; at < filled;) {
            ssize_t count = pwrite(file, buffer + at, filled - at, range->start + done + at);
            if (count < 0) fail("pwrite");
            at += count;
        }
        done += filled;
        if (done == range->length) break;
        for (filled = 0; filled < BUFFER && filled < range->length - done;) {
            long room = range->length - done - filled;
            ssize_t count = read(sock, buffer + filled, room < BUFFER - filled ? room : BUFFER - filled);
            if (count <= 0) fail("read");
            filled += count;
        }
    }
    close(sock);
    free(buffer);
    return NULL;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

int main(int count, char **arguments) {
    if (count != 6) return 2;
    port = atoi(arguments[1]);
    path = arguments[2];
    long size = atol(arguments[4]);
    int connections = atoi(arguments[5]);
    struct range *ranges = calloc(connections, sizeof *ranges);
    double began = now();
    file = open(arguments[3], O_RDWR | O_CREAT | O_TRUNC, 0666);
    if (file < 0) fail("open");
    for (int i = 0; i < connections; i++) {
        ranges[i].start = size / connections * i;
        ranges[i].length = (i == connections - 1 ? size : size / connections * (i + 1)) - ranges[i].start;
        pthread_create(&ranges[i].thread, NULL, fetch, &ranges[i]);
    }
    for (int i = 0; i < connections; i++) pthread_join(ranges[i].thread, NULL);
    if (fsync(file) || close(file)) fail("fsync");
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%.6f %.6f", now() - began,
           usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
    for (int i = 0; i < connections; i++) printf(" %ld %u", ranges[i].length, ranges[i].crc);
    puts("");
    return 0;
}
