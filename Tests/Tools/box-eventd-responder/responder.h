/* The parts of the responder. */
#ifndef RESPONDER_H
#define RESPONDER_H

#include <stdbool.h>
#include <sys/types.h>

#include "events.h"

struct connection {
  int fd;
  bool hasBegun, isWriting, isClosing, isLast;
  void *tls;
  char *in;
  size_t inCount, inCapacity;
  /* The answer that is being sent. */
  char head[headCapacity];
  size_t headLength, sent;
  struct body body;
  /* While its poll is held: the feed, and the other polls of that feed. */
  struct feed *feed;
  uint64_t heldSince;
  struct connection *previous, *next;
};

struct settings {
  /* A timer's descriptor, for events to come. */
  int port, timer;
  uint32_t feedCount;
  bool offersGzip;
  /* Nanoseconds. */
  uint64_t holdTime;
};
extern struct settings settings;

struct counts {
  uint64_t tokens, options, reads, polls, control, other, accepted, held, open;
};
extern struct counts counts;

struct request {
  char method[8];
  const char *target;
  /* The heads' text, ended by NUL, and the body's, which isn't. */
  const char *headers, *body;
  size_t bodyLength;
};

/* responder.c: connections */
uint64_t now(void);
void answer(struct connection *connection, int status, struct body body, bool isLast);
void answerText(struct connection *connection, int status, const char *text, bool isLast);
void refuse(struct connection *connection, int status, const char *code);
/* Sends what isn't sent yet; false if the connection has ended. */
bool transmit(struct connection *connection);
/* Ends the wait of its long poll. */
void release(struct connection *connection);

/* calls.c */
bool prepareCalls(uint32_t backlog);
void handle(struct connection *connection, const struct request *request);
const char *header(const struct request *request, const char *name);
/* Produces the events that are due. */
void followSchedule(void);

/* transport.c: read(2) and writev(2), or the same through TLS. */
void prepareTLS(const char *certificate, const char *key);
void endTransport(struct connection *connection);
/* 0 at the end, -1 with EAGAIN if there is nothing yet. */
ssize_t receiveBytes(struct connection *connection);
/* Head and body, as if they were one. */
ssize_t sendBytes(struct connection *connection);

/* probe.c */
int probe(int port, int count);

#endif
