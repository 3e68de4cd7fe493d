/* The events of a feed: made when a page is asked for, from one template, always the same bytes. */
#ifndef EVENTS_H
#define EVENTS_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum { eventSize = 1650, pageLimit = 500, headCapacity = 512 };

/* The feed of a user. */
struct feed {
  uint32_t user, count, backlog;
  /* When each event after the backlog was produced, in seconds since 1970. */
  uint32_t *seconds;
  uint32_t capacity;
  /* Polls that wait for it. */
  struct connection *held;
};

struct body {
  char *bytes;
  size_t length;
  int isShared, isCompressed;
};

void prepareEvents(void);
void addEvent(struct feed *feed, time_t now);

/* The position after the newest event. */
uint64_t newestPosition(const struct feed *feed);
/* How many events are before this position. */
uint32_t eventsBefore(const struct feed *feed, uint64_t position);

/* A page of at most `limit` events. */
struct body page(const struct feed *feed, uint64_t position, uint32_t limit);
/* Makes the gzip form of all full pages of the backlog. */
void compressBacklog(const struct feed *feed);
/* A page in its gzip form, if one was made; else as it is. */
struct body compressedPage(const struct feed *feed, uint64_t position, uint32_t limit);

void fail(const char *what);
void *allocated(void *block, size_t size);

#endif
