/* What the responder answers to Box's calls and to the benchmark's. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "responder.h"

enum { userLimit = 1 << 20 };

struct counts counts;
static struct feed *feeds;

static struct feed *feedOf(uint64_t user) {
  if (!user || user >= userLimit) return NULL;
  feeds[user].user = (uint32_t)user;
  return &feeds[user];
}

bool prepareCalls(uint32_t backlog) {
  if (!settings.feedCount || settings.feedCount >= userLimit) return false;
  feeds = calloc(userLimit, sizeof *feeds);
  if (!feeds) fail("memory");
  prepareEvents();
  struct feed *first = feedOf(1);
  first->backlog = first->count = backlog;
  if (settings.offersGzip) compressBacklog(first);
  return true;
}

const char *header(const struct request *request, const char *name) {
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
  if (timerfd_settime(settings.timer, 0, &setting, NULL)) fail("timerfd_settime");
}

void followSchedule(void) {
  uint64_t ticks = 0;
  if (read(settings.timer, &ticks, sizeof ticks) != sizeof ticks) return;
  for (; ticks && schedule.left; ticks--, schedule.left--) {
    // A step that is prime, so that neighbours aren't woken one after the other, and each once a turn.
    uint64_t user = schedule.user ? schedule.user : 1 + schedule.produced * 7919 % settings.feedCount;
    schedule.produced++;
    produce(feedOf(user), 1, now());
  }
  struct itimerspec none = {0};
  if (!schedule.left) timerfd_settime(settings.timer, 0, &none, NULL);
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
           connection->tls ? "https" : "http", settings.port, feed->user);
  answerText(connection, 200, text, false);
}

static void readPage(struct connection *connection, const struct request *request) {
  struct feed *feed = feedFor(request);
  counts.reads++;
  if (!feed) return refuse(connection, 401, "unauthorized");
  bool isNow = !strncmp(parameter(request->target, "stream_position"), "now", 3);
  uint64_t position = isNow ? newestPosition(feed) : number(request->target, "stream_position", 0);
  uint32_t limit = (uint32_t)number(request->target, "limit", 100);
  bool isCompressed = settings.offersGzip && strstr(header(request, "\nAccept-Encoding:"), "gzip");
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
    for (uint64_t next = user ? user : 1; feedOf(next) && next <= (user ? user : settings.feedCount); next++)
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

void handle(struct connection *connection, const struct request *request) {
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
