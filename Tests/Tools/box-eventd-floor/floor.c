/* The floor of the benchmark: a minimal client of Box. It reads pages, writes their events one a
 * line with one write and one sync a page, and then notes the position; when nothing is left it long-polls.
 * It checks nothing, recovers from nothing and ignores duplicates.
 *
 * usage: floor HOST PORT CLIENT_ID CLIENT_SECRET USER START EVENTS_FILE POSITION_FILE [gzip]
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

static void fail(const char *what) {
  perror(what);
  exit(1);
}

struct buffer {
  char *bytes;
  size_t count, capacity;
};

static void reserve(struct buffer *buffer, size_t capacity) {
  if (capacity <= buffer->capacity) return;
  buffer->bytes = realloc(buffer->bytes, capacity);
  if (!buffer->bytes) fail("memory");
  buffer->capacity = capacity;
}

static int connected(const char *host, int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || inet_pton(AF_INET, host, &address.sin_addr) != 1) fail("socket");
  if (connect(fd, (struct sockaddr *)&address, sizeof address)) fail("connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

struct answer {
  const char *body;
  size_t length;
  bool isCompressed;
};

/* Sends a request and receives its answer, which is valid until the next one. */
static struct answer ask(int fd, const char *request) {
  static struct buffer in;
  if (write(fd, request, strlen(request)) != (ssize_t)strlen(request)) fail("send");
  in.count = 0;
  size_t wanted = 0, head = 0;
  bool isCompressed = false;
  do {
    reserve(&in, wanted > in.count ? wanted + 1 : in.count + 65536);
    ssize_t count = recv(fd, in.bytes + in.count, in.capacity - in.count - 1, 0);
    if (count <= 0) fail("receive");
    in.count += (size_t)count;
    if (head) continue;
    in.bytes[in.count] = 0;
    char *end = strstr(in.bytes, "\r\n\r\n");
    if (!end) continue;
    *end = 0;
    head = (size_t)(end - in.bytes) + 4;
    char *length = strcasestr(in.bytes, "\r\ncontent-length:");
    isCompressed = strcasestr(in.bytes, "\r\ncontent-encoding: gzip");
    if (strncmp(in.bytes, "HTTP/1.1 200", 12) || !length) {
      fprintf(stderr, "no answer to go on with: %s\n", in.bytes);
      exit(1);
    }
    wanted = head + strtoul(length + 17, NULL, 10);
  } while (!head || in.count < wanted);
  in.bytes[wanted] = 0;
  return (struct answer){in.bytes + head, wanted - head, isCompressed};
}

static struct answer decompressed(struct answer answer) {
  static struct buffer out;
  static z_stream stream;
  if (!answer.isCompressed) return answer;
  if (!stream.state && inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) fail("zlib");
  inflateReset(&stream);
  stream.next_in = (Bytef *)answer.body;
  stream.avail_in = (uInt)answer.length;
  out.count = 0;
  int state = Z_OK;
  while (state == Z_OK) {
    if (out.capacity - out.count < 65536) reserve(&out, out.capacity + (1 << 20));
    stream.next_out = (Bytef *)out.bytes + out.count;
    stream.avail_out = (uInt)(out.capacity - out.count - 1);
    uInt room = stream.avail_out;
    state = inflate(&stream, Z_NO_FLUSH);
    out.count += room - stream.avail_out;
  }
  if (state != Z_STREAM_END) fail("gzip");
  out.bytes[out.count] = 0;
  return (struct answer){out.bytes, out.count, false};
}

/* Copies the text behind `key` up to one of `ends`. */
static void find(struct answer answer, const char *key, const char *ends, char *text, size_t size) {
  char *found = memmem(answer.body, answer.length, key, strlen(key));
  if (!found) {
    fprintf(stderr, "no %s in %.200s\n", key, answer.body);
    exit(1);
  }
  found += strlen(key);
  found += *found == '"';
  size_t length = strcspn(found, ends);
  if (length >= size) length = size - 1;
  memcpy(text, found, length);
  text[length] = 0;
}

/* Gathers a page's events, one a line. */
static void gather(struct answer page, struct buffer *lines) {
  const char *next = memmem(page.body, page.length, "\"entries\":[", 11);
  const char *end = page.body + page.length;
  lines->count = 0;
  if (!next) return;
  reserve(lines, page.length);
  for (next += 11; next < end && *next == '{'; next += *next == ',') {
    const char *start = next;
    int depth = 0;
    do {
      char byte = *next++;
      if (byte == '{') depth++;
      if (byte == '}') depth--;
      if (byte == '"') {
        while (next < end && *next != '"') next += *next == '\\' ? 2 : 1;
        next++;
      }
    } while (depth && next < end);
    memcpy(lines->bytes + lines->count, start, (size_t)(next - start));
    lines->count += (size_t)(next - start);
    lines->bytes[lines->count++] = '\n';
  }
}

static char token[256], position[128];
static int events, positions;

static void save(const struct buffer *lines) {
  for (size_t done = 0; done < lines->count;) {
    ssize_t count = write(events, lines->bytes + done, lines->count - done);
    if (count <= 0) fail("write");
    done += (size_t)count;
  }
  if (fdatasync(events)) fail("sync");
  char text[256];
  int length = snprintf(text, sizeof text, "stream_position: %s\n", position);
  if (pwrite(positions, text, (size_t)length, 0) != length) fail("position");
}

/* Reads until nothing is left. */
static void drain(int api, const char *encoding) {
  static struct buffer lines;
  do {
    char request[1024];
    snprintf(request, sizeof request,
             "GET /2.0/events?stream_position=%s&stream_type=all&limit=500 HTTP/1.1\r\nHost: box\r\n"
             "Authorization: Bearer %s\r\nAccept-Encoding: %s\r\n\r\n",
             position, token, encoding);
    struct answer page = decompressed(ask(api, request));
    gather(page, &lines);
    if (lines.count || !strcmp(position, "now"))
      find(page, "\"next_stream_position\":", "\",}", position, sizeof position);
    if (lines.count) save(&lines);
  } while (lines.count);
}

/* Waits for something new; false if another server is due. */
static bool poll(const char *url) {
  char host[64], target[1024], request[2048];
  int port;
  if (sscanf(url, "http://%63[^:]:%d%1023s", host, &port, target) != 3) fail(url);
  snprintf(request, sizeof request, "GET %s&stream_position=%s HTTP/1.1\r\nHost: box\r\n\r\n", target,
           position);
  int fd = connected(host, port);
  bool isNew = strstr(ask(fd, request).body, "new_");
  close(fd);
  return isNew;
}

int main(int count, char **arguments) {
  if (count < 9) return 64;
  const char *encoding = count > 9 ? "gzip" : "identity";
  char request[2048], form[1024], url[1024];
  int api = connected(arguments[1], atoi(arguments[2]));
  int length = snprintf(form, sizeof form,
                        "grant_type=client_credentials&client_id=%s&client_secret=%s"
                        "&box_subject_type=user&box_subject_id=%s",
                        arguments[3], arguments[4], arguments[5]);
  snprintf(request, sizeof request,
           "POST /oauth2/token HTTP/1.1\r\nHost: box\r\nContent-Length: %d\r\n"
           "Content-Type: application/x-www-form-urlencoded\r\n\r\n%s",
           length, form);
  find(ask(api, request), "\"access_token\":", "\"", token, sizeof token);
  snprintf(position, sizeof position, "%s", arguments[6]);
  events = open(arguments[7], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  positions = open(arguments[8], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (events < 0 || positions < 0) fail("open");
  while (true) {
    drain(api, encoding);
    snprintf(request, sizeof request,
             "OPTIONS /2.0/events?stream_type=all HTTP/1.1\r\nHost: box\r\n"
             "Authorization: Bearer %s\r\n\r\n",
             token);
    find(ask(api, request), "\"url\":", "\"", url, sizeof url);
    while (poll(url)) drain(api, encoding);
  }
}
