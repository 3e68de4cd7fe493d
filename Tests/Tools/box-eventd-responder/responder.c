/* The responder of the benchmark: the least that answers a client of Box. One thread on loopback, so that what
 * is measured is the client. Every feed is exact: each event once, in order.
 *
 * usage: responder [--feeds N] [--backlog N] [--gzip] [--hold SECONDS] [--tls CERTIFICATE KEY]
 *        responder probe PORT COUNT
 *        responder exec PROGRAM ARGUMENT...
 *
 * Prints its port, and ends with the process that started it. Users are numbers; any of them gets a token, and has a
 * feed. The backlog is in the feed of user 1. Besides Box's calls it answers
 *
 *   GET /control/produce?user=N&count=N                 events at once, 0 for each of --feeds; the time, in ns
 *   GET /control/schedule?user=N&count=N&interval=MICROSECONDS    one at a time, 0 to spread them over --feeds
 *   GET /control/counts                                 requests by kind, held polls
 *   GET /control/times                                  of what was produced since the last time: user, ordinal, ns
 *
 * Times are CLOCK_MONOTONIC. `probe` measures what all this adds to a client's delays. `exec` becomes a program that
 * also ends with the process that started it, and may open 20,000 files.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "responder.h"

enum { requestLimit = 16384, connectionLimit = 1 << 16 };

struct settings settings = {.feedCount = 1, .holdTime = 600000000000};

static int epoll;
static struct connection *connections[connectionLimit];

uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* ---- Answers ---- */

static const char *date(void) {
  static time_t last;
  static char text[64];
  time_t seconds = time(NULL);
  if (seconds != last) {
    struct tm parts;
    gmtime_r(&seconds, &parts);
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    last = seconds;
  }
  return text;
}

static void interest(struct connection *connection, bool isWriting) {
  if (connection->isWriting == isWriting) return;
  connection->isWriting = isWriting;
  struct epoll_event event = {.events = isWriting ? EPOLLOUT : EPOLLIN, .data.fd = connection->fd};
  if (epoll_ctl(epoll, EPOLL_CTL_MOD, connection->fd, &event)) fail("epoll_ctl");
}

void release(struct connection *connection) {
  struct feed *feed = connection->feed;
  if (!feed) return;
  if (connection->next) connection->next->previous = connection->previous;
  if (connection->previous) connection->previous->next = connection->next;
  if (feed->held == connection) feed->held = connection->next;
  connection->feed = NULL;
  counts.held--;
}

static void end(struct connection *connection) {
  release(connection);
  connections[connection->fd] = NULL;
  endTransport(connection);
  close(connection->fd);
  if (!connection->body.isShared) free(connection->body.bytes);
  free(connection->in);
  free(connection);
  counts.open--;
}

/* Sends what isn't sent yet; false if the connection has ended. */
bool transmit(struct connection *connection) {
  size_t total = connection->headLength + connection->body.length;
  while (connection->sent < total) {
    ssize_t count = sendBytes(connection);
    if (count < 0 && errno == EAGAIN) {
      interest(connection, true);
      return true;
    }
    if (count <= 0) {
      end(connection);
      return false;
    }
    connection->sent += (size_t)count;
  }
  interest(connection, false);
  if (!connection->body.isShared) free(connection->body.bytes);
  connection->body = (struct body){0};
  connection->headLength = connection->sent = 0;
  if (connection->isLast) {
    end(connection);
    return false;
  }
  return true;
}

void answer(struct connection *connection, int status, struct body body, bool isLast) {
  connection->isLast = isLast || connection->isClosing;
  connection->headLength = (size_t)snprintf(
      connection->head, sizeof connection->head,
      "HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Type: application/json\r\n%s%sContent-Length: %zu\r\n\r\n", status,
      status == 200 ? "OK" : "Refused", date(), body.isCompressed ? "Content-Encoding: gzip\r\n" : "",
      connection->isLast ? "Connection: close\r\n" : "", body.length);
  connection->body = body;
  connection->sent = 0;
}

void answerText(struct connection *connection, int status, const char *text, bool isLast) {
  size_t length = strlen(text);
  char *bytes = memcpy(allocated(NULL, length + 1), text, length + 1);
  answer(connection, status, (struct body){bytes, length, 0, 0}, isLast);
}

void refuse(struct connection *connection, int status, const char *code) {
  char text[256];
  snprintf(text, sizeof text, "{\"type\":\"error\",\"status\":%d,\"code\":\"%s\",\"message\":\"%s\"}", status, code,
           code);
  answerText(connection, status, text, false);
}

/* ---- Connections ---- */

/* Takes the next request out of what was received; false if it isn't complete. The texts are valid until more is
 * received. */
static bool next(struct connection *connection, struct request *request, size_t *length) {
  char *end = memmem(connection->in, connection->inCount, "\r\n\r\n", 4);
  if (!end) return false;
  *end = 0;
  char *target = strchr(connection->in, ' '), *line = strchr(connection->in, '\n');
  char *after = target ? strchr(target + 1, ' ') : NULL;
  *request = (struct request){.target = "", .headers = line ? line : "", .body = end + 4};
  if (after && (!line || after < line)) {
    snprintf(request->method, sizeof request->method, "%.*s", (int)(target - connection->in), connection->in);
    request->target = target + 1;
  }
  request->bodyLength = strtoul(header(request, "\nContent-Length:"), NULL, 10);
  *length = (size_t)(request->body - connection->in) + request->bodyLength;
  if (*length > connection->inCount) {
    *end = '\r';
    return false;
  }
  if (*request->target) *after = 0;
  return true;
}

/* Answers what was received, one after the other. */
static void serve(struct connection *connection) {
  struct request request;
  size_t length;
  int fd = connection->fd;
  while (!connection->feed && !connection->isWriting && next(connection, &request, &length)) {
    connection->isClosing = strcasestr(request.headers, "\nConnection: close");
    handle(connection, &request);
    memmove(connection->in, connection->in + length, connection->inCount - length);
    connection->inCount -= length;
    if (connection->headLength && !transmit(connection)) return;
  }
  if (connection->inCount >= requestLimit) return end(connections[fd]);
  // A quiet connection keeps no buffer.
  if (connection->feed && !connection->inCount) {
    free(connection->in);
    connection->in = NULL;
    connection->inCapacity = 0;
  }
}

static void receive(struct connection *connection) {
  while (true) {
    if (connection->inCapacity - connection->inCount < 2048) {
      connection->inCapacity += 4096;
      connection->in = allocated(connection->in, connection->inCapacity);
    }
    ssize_t count = receiveBytes(connection);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return end(connection);
    connection->inCount += (size_t)count;
    int fd = connection->fd;
    serve(connection);
    if (connections[fd] != connection || connection->isWriting) return;
  }
}

static void watch(int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)) fail("epoll_ctl");
}

static void acceptAll(int listener) {
  int one = 1, fd;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct connection *connection = allocated(NULL, sizeof *connection);
    *connection = (struct connection){.fd = fd};
    connections[fd] = connection;
    counts.accepted++;
    counts.open++;
    watch(fd);
  }
  if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR) fail("accept");
}

static void endLongPolls(uint64_t time) {
  for (size_t fd = 0; fd < connectionLimit; fd++) {
    struct connection *connection = connections[fd];
    if (!connection || !connection->feed || time - connection->heldSince < settings.holdTime) continue;
    release(connection);
    answerText(connection, 200, "{\"version\":1,\"message\":\"reconnect\"}", true);
    transmit(connection);
  }
}

static int listening(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) || listen(fd, 4096) ||
      getsockname(fd, (struct sockaddr *)&address, &size))
    fail("listen");
  settings.port = ntohs(address.sin_port);
  return fd;
}

static void run(int listener) {
  struct epoll_event events[256];
  uint64_t checked = now();
  while (true) {
    int count = epoll_wait(epoll, events, 256, 5000);
    for (int index = 0; index < count; index++) {
      int fd = events[index].data.fd;
      if (fd == listener) {
        acceptAll(listener);
      } else if (fd == settings.timer) {
        followSchedule();
      } else if (connections[fd] && connections[fd]->isWriting) {
        if (transmit(connections[fd]) && !connections[fd]->isWriting) serve(connections[fd]);
      } else if (connections[fd]) {
        receive(connections[fd]);
      }
    }
    uint64_t time = now();
    if (time - checked < 5000000000) continue;
    checked = time;
    endLongPolls(time);
  }
}

/* As far as this process may. */
static void raiseFileLimit(rlim_t wanted) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  if (wanted < limit.rlim_max) limit.rlim_max = wanted;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

static int usage(void) {
  fputs("usage: responder [--feeds N] [--backlog N] [--gzip] [--hold SECONDS] [--tls CERTIFICATE KEY]\n"
        "       responder probe PORT COUNT\n"
        "       responder exec PROGRAM ARGUMENT...\n",
        stderr);
  return 64;
}

int main(int count, char **arguments) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (count > 2 && !strcmp(arguments[1], "exec")) {
    raiseFileLimit(20000);
    execv(arguments[2], arguments + 2);
    fail(arguments[2]);
  }
  if (count == 4 && !strcmp(arguments[1], "probe")) return probe(atoi(arguments[2]), atoi(arguments[3]));
  uint32_t backlog = 0;
  for (int index = 1; index < count; index++) {
    const char *value = index + 1 < count ? arguments[index + 1] : "";
    if (!strcmp(arguments[index], "--gzip")) {
      settings.offersGzip = true;
    } else if (!strcmp(arguments[index], "--tls") && index + 2 < count) {
      prepareTLS(value, arguments[index + 2]);
      index += 2;
    } else if (!strcmp(arguments[index], "--feeds")) {
      settings.feedCount = (uint32_t)atoi(value), index++;
    } else if (!strcmp(arguments[index], "--backlog")) {
      backlog = (uint32_t)atoi(value), index++;
    } else if (!strcmp(arguments[index], "--hold")) {
      settings.holdTime = strtoull(value, NULL, 10) * 1000000000, index++;
    } else {
      return usage();
    }
  }
  signal(SIGPIPE, SIG_IGN);
  raiseFileLimit(connectionLimit);
  if (!prepareCalls(backlog)) return usage();
  int listener = listening();
  epoll = epoll_create1(EPOLL_CLOEXEC);
  settings.timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (epoll < 0 || settings.timer < 0) fail("epoll");
  watch(listener);
  watch(settings.timer);
  printf("%d\n", settings.port);
  fflush(stdout);
  run(listener);
}
