/* A connection of the responder, and how its bytes travel. */
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
