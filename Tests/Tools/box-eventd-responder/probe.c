/* Measures the responder's own share of a client's delays, with blocking sockets: how long a read of a page takes
 * that has one event or none, and how long after an event its poll can be answered. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "responder.h"

static char buffer[65536];

static double microseconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static int connected(int port) {
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address)) fail("connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

static void sendRequest(int fd, const char *request) {
  if (write(fd, request, strlen(request)) != (ssize_t)strlen(request)) fail("send");
}

/* The body; the time is when its first bytes were there. */
static const char *received(int fd, double *first) {
  size_t count = 0;
  *first = 0;
  while (true) {
    ssize_t more = recv(fd, buffer + count, sizeof buffer - count - 1, 0);
    if (!*first) *first = microseconds();
    if (more <= 0) fail("receive");
    count += (size_t)more;
    buffer[count] = 0;
    char *end = strstr(buffer, "\r\n\r\n"), *length = strstr(buffer, "Content-Length: ");
    if (end && length && strlen(end + 4) >= strtoul(length + 16, NULL, 10)) return end + 4;
  }
}

static int isGreater(const void *one, const void *other) {
  double difference = *(const double *)one - *(const double *)other;
  return (difference > 0) - (difference < 0);
}

static void report(const char *name, double *values, int count) {
  qsort(values, (size_t)count, sizeof *values, isGreater);
  printf("%s %.1f %.1f\n", name, values[count / 2], values[count * 99 / 100]);
}

/* Prints the median and the 99th percentile of each, in microseconds. */
int probe(int port, int count) {
  if (port <= 0 || count <= 0) {
    fputs("usage: responder probe PORT COUNT\n", stderr);
    return 64;
  }
  double *reads = allocated(NULL, (size_t)count * sizeof *reads);
  double *wakes = allocated(NULL, (size_t)count * sizeof *wakes);
  int api = connected(port), control = connected(port);
  char position[32] = "now", request[512];
  double first;
  for (int index = 0; index < count; index++) {
    snprintf(request, sizeof request,
             "GET /2.0/events?stream_position=%s&limit=500 HTTP/1.1\r\nHost: box\r\n"
             "Authorization: Bearer benchmark-1000001\r\n\r\n",
             position);
    double start = microseconds();
    sendRequest(api, request);
    const char *page = received(api, &first);
    reads[index] = microseconds() - start;
    snprintf(position, sizeof position, "%llu", strtoull(strstr(page, "position\":") + 10, NULL, 10));
    int poll = connected(port);
    snprintf(request, sizeof request,
             "GET /subscribe?channel=1000001&stream_position=%s HTTP/1.1\r\nHost: box\r\n\r\n", position);
    sendRequest(poll, request);
    // Long enough for the responder to hold it.
    usleep(200);
    sendRequest(control, "GET /control/produce?user=1000001&count=1 HTTP/1.1\r\nHost: box\r\n\r\n");
    received(poll, &first);
    double woken = first;
    wakes[index] = woken - strtod(received(control, &first), NULL) / 1e3;
    close(poll);
  }
  report("read", reads, count);
  report("wake", wakes, count);
  return 0;
}
