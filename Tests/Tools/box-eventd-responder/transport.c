#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "responder.h"

/* OpenSSL's functions, SSL_CTX_new(3) and others, from the library of this machine: no headers are needed to build,
 * and no library without --tls. Contexts and connections are opaque. */
static void *context;
static struct {
  const void *(*TLS_server_method)(void);
  void *(*SSL_CTX_new)(const void *method);
  int (*SSL_CTX_use_certificate_chain_file)(void *context, const char *path);
  int (*SSL_CTX_use_PrivateKey_file)(void *context, const char *path, int type);
  long (*SSL_CTX_ctrl)(void *context, int command, long value, void *pointer);
  void *(*SSL_new)(void *context);
  int (*SSL_set_fd)(void *tls, int fd);
  void (*SSL_set_accept_state)(void *tls);
  int (*SSL_read)(void *tls, void *bytes, int count);
  int (*SSL_write)(void *tls, const void *bytes, int count);
  int (*SSL_get_error)(const void *tls, int result);
  int (*SSL_shutdown)(void *tls);
  void (*SSL_free)(void *tls);
} ssl;

/* The macros of ssl.h. */
enum { fileTypePEM = 1, errorWantRead = 2, errorWantWrite = 3, controlMode = 33 };
/* SSL_MODE_ENABLE_PARTIAL_WRITE, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER, SSL_MODE_RELEASE_BUFFERS */
enum { modes = 1 | 2 | 16 };

void prepareTLS(const char *certificate, const char *key) {
  static const char *const names[] = {
      "TLS_server_method", "SSL_CTX_new",  "SSL_CTX_use_certificate_chain_file", "SSL_CTX_use_PrivateKey_file",
      "SSL_CTX_ctrl",      "SSL_new",      "SSL_set_fd", "SSL_set_accept_state", "SSL_read", "SSL_write",
      "SSL_get_error",     "SSL_shutdown", "SSL_free"};
  _Static_assert(sizeof names / sizeof *names == sizeof ssl / sizeof(void *), "a name for each function");
  void *library = dlopen("libssl.so.3", RTLD_NOW);
  void *functions[sizeof names / sizeof *names];
  for (size_t index = 0; index < sizeof names / sizeof *names; index++) {
    functions[index] = library ? dlsym(library, names[index]) : NULL;
    if (functions[index]) continue;
    fprintf(stderr, "TLS needs OpenSSL 3: %s\n", dlerror());
    exit(69);
  }
  memcpy(&ssl, functions, sizeof ssl);
  context = ssl.SSL_CTX_new(ssl.TLS_server_method());
  if (!context || ssl.SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
      ssl.SSL_CTX_use_PrivateKey_file(context, key, fileTypePEM) != 1) {
    fprintf(stderr, "%s and %s are not a certificate and its key\n", certificate, key);
    exit(66);
  }
  ssl.SSL_CTX_ctrl(context, controlMode, modes, NULL);
}

/* With TLS, plain calls are answered too: the first byte of a handshake can't begin a request. */
static bool beginTransport(struct connection *connection) {
  char byte;
  ssize_t count = recv(connection->fd, &byte, 1, MSG_PEEK);
  if (count <= 0) return false;
  connection->hasBegun = true;
  if (!context || byte != 0x16) return true;
  connection->tls = ssl.SSL_new(context);
  if (!connection->tls || ssl.SSL_set_fd(connection->tls, connection->fd) != 1) fail("TLS");
  ssl.SSL_set_accept_state(connection->tls);
  return true;
}

void endTransport(struct connection *connection) {
  if (!connection->tls) return;
  ssl.SSL_shutdown(connection->tls);
  ssl.SSL_free(connection->tls);
}

/* What read(2) would return. */
static ssize_t result(struct connection *connection, int count) {
  if (count > 0) return count;
  int error = ssl.SSL_get_error(connection->tls, count);
  if (error != errorWantRead && error != errorWantWrite) return 0;
  errno = EAGAIN;
  return -1;
}

ssize_t receiveBytes(struct connection *connection) {
  char *in = connection->in + connection->inCount;
  size_t capacity = connection->inCapacity - connection->inCount;
  if (!connection->hasBegun && !beginTransport(connection)) return read(connection->fd, in, capacity);
  if (connection->tls) return result(connection, ssl.SSL_read(connection->tls, in, (int)capacity));
  return read(connection->fd, in, capacity);
}

ssize_t sendBytes(struct connection *connection) {
  size_t sent = connection->sent, head = connection->headLength;
  bool isBody = sent >= head;
  struct iovec parts[2] = {{connection->head + sent, isBody ? 0 : head - sent},
                           {connection->body.bytes + (isBody ? sent - head : 0),
                            connection->body.length - (isBody ? sent - head : 0)}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
  if (!connection->tls) return sendmsg(connection->fd, &message, MSG_NOSIGNAL);
  // A record of its own for the head would be a packet of its own.
  char record[16384];
  size_t more = sizeof record - parts[0].iov_len;
  if (more > parts[1].iov_len) more = parts[1].iov_len;
  if (isBody) return result(connection, ssl.SSL_write(connection->tls, parts[1].iov_base, (int)parts[1].iov_len));
  memcpy(record, parts[0].iov_base, parts[0].iov_len);
  if (more) memcpy(record + parts[0].iov_len, parts[1].iov_base, more);
  return result(connection, ssl.SSL_write(connection->tls, record, (int)(parts[0].iov_len + more)));
}
