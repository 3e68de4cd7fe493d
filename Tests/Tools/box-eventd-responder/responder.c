/* The responder of the benchmark: the least that answers a client of Box. One thread on loopback, so that what
 * is measured is the client. Every feed is exact: each event once, in order.
 *
 * usage: responder [--feeds N] [--backlog N] [--gzip] [--hold SECONDS] [--tls CERTIFICATE KEY]
 *        responder probe PORT COUNT
 *        responder exec PROGRAM ARGUMENT...
 *
 * Prints its port, and ends with the process that started it. Users are numbers; any of them gets a token, and has a feed. The
 * backlog is in the feed of user 1. Besides Box's calls it answers
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
#include <inttypes.h>
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

#include "events.h"
#include "responder.h"

enum { userLimit = 1 << 20, requestLimit = 16384 };

static struct feed *feeds;
static uint32_t feedCount = 1;
static bool offersGzip;
static uint64_t holdTime = 600000000000;
static int port, epoll, timer;
static struct connection *connections[1 << 16];
static struct {
  uint64_t tokens, options, reads, polls, control, other, accepted, held, open;
} counts;

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static struct feed *feedOf(uint64_t user) {
  if (!user || user >= userLimit) return NULL;
  feeds[user].user = (uint32_t)user;
  return &feeds[user];
}

/* ---- Requests ---- */

struct request {
  char method[8];
  const char *target;
  /* The heads' text, ended by NUL, and the body's, which isn't. */
  const char *headers, *body;
  size_t bodyLength;
};

static const char *header(const struct request *request, const char *name) {
  const char *found = strcasestr(request->headers, name);
  return found ? found + strlen(name) + strspn(found + strlen(name), " ") : "";
}

/* The text after `name=` in a query or a form. */
static const char *parameter(const char *text, const char *name) {
  size_t length = strlen(name);
  for (const char *next = text; (next = strstr(next, name)); next++)
    if (next[length] == '=' && (next == text || strchr("?&", next[-1]))) return next + length + 1;
  return "";
}

static uint64_t number(const char *target, const char *name, uint64_t other) {
  const char *text = parameter(target, name);
  return *text >= '0' && *text <= '9' ? strtoull(text, NULL, 10) : other;
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

static void release(struct connection *connection) {
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

static void serve(struct connection *connection);

/* Sends what isn't sent yet; false if the connection has ended. */
static bool transmit(struct connection *connection) {
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

static void answer(struct connection *connection, int status, struct body body, bool isLast) {
  connection->isLast = isLast || connection->isClosing;
  connection->headLength = (size_t)snprintf(
      connection->head, sizeof connection->head,
      "HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Type: application/json\r\n%s%sContent-Length: %zu\r\n\r\n", status,
      status == 200 ? "OK" : "Refused", date(), body.isCompressed ? "Content-Encoding: gzip\r\n" : "",
      connection->isLast ? "Connection: close\r\n" : "", body.length);
  connection->body = body;
  connection->sent = 0;
}

static void answerText(struct connection *connection, int status, const char *text, bool isLast) {
  size_t length = strlen(text);
  char *bytes = memcpy(allocated(NULL, length + 1), text, length + 1);
  answer(connection, status, (struct body){bytes, length, 0, 0}, isLast);
}

static void refuse(struct connection *connection, int status, const char *code) {
  char text[256];
  snprintf(text, sizeof text, "{\"type\":\"error\",\"status\":%d,\"code\":\"%s\",\"message\":\"%s\"}", status, code,
           code);
  answerText(connection, status, text, false);
}

/* ---- Events that happen now ---- */

struct time {
  uint32_t user, ordinal;
  uint64_t nanoseconds;
};
static struct time *times;
static size_t timeCount, timeCapacity;

static void produce(struct feed *feed, uint64_t count, uint64_t nanoseconds) {
  time_t seconds = time(NULL);
  for (uint64_t index = 0; index < count; index++) {
    if (timeCount == timeCapacity) {
      timeCapacity = timeCapacity ? 2 * timeCapacity : 1024;
      times = allocated(times, timeCapacity * sizeof *times);
    }
    times[timeCount++] = (struct time){feed->user, feed->count, nanoseconds};
    addEvent(feed, seconds);
  }
  while (feed->held) {
    struct connection *connection = feed->held;
    release(connection);
    answerText(connection, 200, "{\"version\":1,\"message\":\"new_change\"}", true);
    transmit(connection);
  }
}

static struct {
  uint32_t user;
  uint64_t left, produced;
} schedule;

static void setSchedule(const char *target) {
  uint64_t microseconds = number(target, "interval", 1000);
  schedule.user = (uint32_t)number(target, "user", 0) % userLimit;
  schedule.left = number(target, "count", 0);
  schedule.produced = 0;
  struct timespec interval = {(time_t)(microseconds / 1000000), (long)(microseconds % 1000000) * 1000};
  struct itimerspec setting = {interval, interval};
  if (timerfd_settime(timer, 0, &setting, NULL)) fail("timerfd_settime");
}

static void followSchedule(void) {
  uint64_t ticks = 0;
  if (read(timer, &ticks, sizeof ticks) != sizeof ticks) return;
  for (; ticks && schedule.left; ticks--, schedule.left--) {
    // A step that is prime, so that neighbours aren't woken one after the other, and each once a turn.
    uint64_t user = schedule.user ? schedule.user : 1 + schedule.produced * 7919 % feedCount;
    schedule.produced++;
    produce(feedOf(user), 1, now());
  }
  struct itimerspec none = {0};
  if (!schedule.left) timerfd_settime(timer, 0, &none, NULL);
}

/* ---- Box's calls, and those of the benchmark ---- */

static void issueToken(struct connection *connection, const struct request *request) {
  char form[2048], text[256];
  size_t length = request->bodyLength < sizeof form ? request->bodyLength : sizeof form - 1;
  memcpy(form, request->body, length);
  form[length] = 0;
  counts.tokens++;
  uint64_t user = number(form, "box_subject_id", 0);
  if (!feedOf(user)) return refuse(connection, 400, "invalid_grant");
  snprintf(text, sizeof text,
           "{\"access_token\":\"benchmark-%" PRIu64
           "\",\"token_type\":\"bearer\",\"expires_in\":3600,\"restricted_to\":[]}",
           user);
  answerText(connection, 200, text, false);
}

/* Of As-User, or the token's user. */
static struct feed *feedFor(const struct request *request) {
  uint64_t user = strtoull(header(request, "\nAs-User:"), NULL, 10);
  if (!user) user = strtoull(header(request, "\nAuthorization: Bearer benchmark-"), NULL, 10);
  return feedOf(user);
}

static void options(struct connection *connection, const struct request *request) {
  struct feed *feed = feedFor(request);
  char text[512];
  counts.options++;
  if (!feed) return refuse(connection, 401, "unauthorized");
  snprintf(text, sizeof text,
           "{\"chunk_size\":1,\"entries\":[{\"type\":\"realtime_server\",\"url\":\"%s://127.0.0.1:%d/"
           "subscribe?channel=%" PRIu32
           "&stream_type=all\",\"ttl\":\"10\",\"max_retries\":\"10\",\"retry_timeout\":610}]}",
           connection->tls ? "https" : "http", port, feed->user);
  answerText(connection, 200, text, false);
}

static void readPage(struct connection *connection, const struct request *request) {
  struct feed *feed = feedFor(request);
  counts.reads++;
  if (!feed) return refuse(connection, 401, "unauthorized");
  bool isNow = !strncmp(parameter(request->target, "stream_position"), "now", 3);
  uint64_t position = isNow ? newestPosition(feed) : number(request->target, "stream_position", 0);
  uint32_t limit = (uint32_t)number(request->target, "limit", 100);
  bool isCompressed = offersGzip && strstr(header(request, "\nAccept-Encoding:"), "gzip");
  answer(connection, 200, (isCompressed ? compressedPage : page)(feed, position, limit), false);
}

static void subscribe(struct connection *connection, const struct request *request) {
  struct feed *feed = feedOf(number(request->target, "channel", 0));
  counts.polls++;
  if (!feed) return answerText(connection, 200, "{\"version\":1,\"message\":\"reconnect\"}", true);
  uint64_t position = number(request->target, "stream_position", newestPosition(feed));
  if (eventsBefore(feed, position) < feed->count)
    return answerText(connection, 200, "{\"version\":1,\"message\":\"new_change\"}", true);
  connection->feed = feed;
  connection->heldSince = now();
  connection->previous = NULL;
  connection->next = feed->held;
  if (feed->held) feed->held->previous = connection;
  feed->held = connection;
  counts.held++;
}

static void reportTimes(struct connection *connection) {
  char *text = allocated(NULL, timeCount * 48 + 1);
  size_t length = 0;
  text[0] = 0;
  for (size_t index = 0; index < timeCount; index++)
    length += (size_t)sprintf(text + length, "%" PRIu32 " %" PRIu32 " %" PRIu64 "\n", times[index].user,
                              times[index].ordinal, times[index].nanoseconds);
  timeCount = 0;
  answer(connection, 200, (struct body){text, length, 0, 0}, false);
}

static void control(struct connection *connection, const char *target) {
  char text[512];
  counts.control++;
  if (!strncmp(target, "/control/produce?", 17)) {
    uint64_t user = number(target, "user", 0), count = number(target, "count", 1), time = now();
    for (uint64_t next = user ? user : 1; feedOf(next) && next <= (user ? user : feedCount); next++)
      produce(feedOf(next), count, time);
    snprintf(text, sizeof text, "%" PRIu64 "\n", time);
  } else if (!strncmp(target, "/control/schedule?", 18)) {
    setSchedule(target);
    snprintf(text, sizeof text, "%" PRIu64 "\n", schedule.left);
  } else if (!strcmp(target, "/control/times")) {
    return reportTimes(connection);
  } else {
    snprintf(text, sizeof text,
             "tokens %" PRIu64 "\noptions %" PRIu64 "\nreads %" PRIu64 "\npolls %" PRIu64 "\nother %" PRIu64
             "\naccepted %" PRIu64 "\nopen %" PRIu64 "\nheld %" PRIu64 "\nscheduled %" PRIu64 "\n",
             counts.tokens, counts.options, counts.reads, counts.polls, counts.other, counts.accepted, counts.open,
             counts.held, schedule.left);
  }
  answerText(connection, 200, text, false);
}

static void handle(struct connection *connection, const struct request *request) {
  const char *target = request->target;
  bool isEvents = !strncmp(target, "/2.0/events", 11);
  if (!strcmp(request->method, "GET") && isEvents) return readPage(connection, request);
  if (!strcmp(request->method, "OPTIONS") && isEvents) return options(connection, request);
  if (!strcmp(request->method, "POST") && !strcmp(target, "/oauth2/token")) return issueToken(connection, request);
  if (!strncmp(target, "/subscribe?", 11)) return subscribe(connection, request);
  if (!strncmp(target, "/control/", 9)) return control(connection, target);
  counts.other++;
  refuse(connection, 404, "not_found");
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
  for (size_t fd = 0; fd < sizeof connections / sizeof *connections; fd++) {
    struct connection *connection = connections[fd];
    if (!connection || !connection->feed || time - connection->heldSince < holdTime) continue;
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
  port = ntohs(address.sin_port);
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
      } else if (fd == timer) {
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
      offersGzip = true;
    } else if (!strcmp(arguments[index], "--tls") && index + 2 < count) {
      prepareTLS(value, arguments[index + 2]);
      index += 2;
    } else if (!strcmp(arguments[index], "--feeds")) {
      feedCount = (uint32_t)atoi(value), index++;
    } else if (!strcmp(arguments[index], "--backlog")) {
      backlog = (uint32_t)atoi(value), index++;
    } else if (!strcmp(arguments[index], "--hold")) {
      holdTime = strtoull(value, NULL, 10) * 1000000000, index++;
    } else {
      return 64;
    }
  }
  if (!feedCount || feedCount >= userLimit) return 64;
  signal(SIGPIPE, SIG_IGN);
  raiseFileLimit(sizeof connections / sizeof *connections);
  feeds = calloc(userLimit, sizeof *feeds);
  if (!feeds) fail("memory");
  prepareEvents();
  struct feed *first = feedOf(1);
  first->backlog = first->count = backlog;
  if (offersGzip) compressBacklog(first);
  int listener = listening();
  epoll = epoll_create1(EPOLL_CLOEXEC);
  timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (epoll < 0 || timer < 0) fail("epoll");
  watch(listener);
  watch(timer);
  printf("%d\n", port);
  fflush(stdout);
  run(listener);
}
