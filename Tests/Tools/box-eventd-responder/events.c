#define _GNU_SOURCE
#include "events.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Above 2^53, as Box's are. */
static const uint64_t basePosition = 1152922976252290886, positionStep = 16;

void fail(const char *what) {
  perror(what);
  exit(1);
}

void *allocated(void *block, size_t size) {
  block = realloc(block, size);
  if (!block) fail("memory");
  return block;
}

/* In the template a field is a run of one of these letters. */
#define USER "{\"type\":\"user\",\"id\":\"11446498\",\"name\":\"Ada Example\",\"login\":\"ada@example.com\"}"
#define HASH "########################################"
#define DATE "@@@@@@@@@@@@@@@@@@@@@@@@@"

static const char *const pattern =
    "{\"type\":\"event\",\"event_id\":\"" HASH "\",\"created_by\":" USER ",\"event_type\":\"ITEM_UPLOAD\","
    "\"session_id\":null,\"created_at\":\"" DATE "\",\"recorded_at\":\"" DATE "\",\"source\":{\"type\":\"file\","
    "\"id\":\"$$$$$$$$$$\",\"etag\":\"1\",\"sequence_id\":\"1\",\"name\":\"Quarterly report $$$$$$$$$$.pdf\","
    "\"size\":482133,\"sha1\":\"" HASH "\",\"file_version\":{\"type\":\"file_version\",\"id\":\"$$$$$$$$$$\","
    "\"sha1\":\"" HASH "\"},\"path_collection\":{\"total_count\":2,\"entries\":[{\"type\":\"folder\",\"id\":\"0\","
    "\"sequence_id\":null,\"etag\":null,\"name\":\"All Files\"},{\"type\":\"folder\",\"id\":\"160111\","
    "\"sequence_id\":\"3\",\"etag\":\"3\",\"name\":\"Reports\"}]},\"trashed_at\":null,\"purged_at\":null,"
    "\"modified_by\":" USER ",\"owned_by\":" USER ",\"shared_link\":{\"url\":\"https://app.box.com/s/" HASH "\","
    "\"download_url\":\"https://app.box.com/shared/static/" HASH ".pdf\",\"access\":\"open\"},"
    "\"item_status\":\"active\","
    "\"description\":\"";
static const char *const filler =
    "Minutes of the weekly meeting, second draft, with the numbers for the quarter. ";

static char template[eventSize + 1];
static size_t hashes[5], numbers[3], dates[2];

static void locate(const char *field, size_t *offsets, int count) {
  const char *next = template;
  for (int index = 0; index < count; index++) {
    next = strstr(next, field);
    if (!next) exit(70);
    offsets[index] = (size_t)(next - template);
    next += strlen(field);
  }
}

void prepareEvents(void) {
  size_t length = strlen(pattern), end = eventSize - 3;
  memcpy(template, pattern, length);
  for (; length < end; length++) template[length] = filler[length % strlen(filler)];
  memcpy(template + end, "\"}}", 4);
  locate(HASH, hashes, 5);
  locate("$$$$$$$$$$", numbers, 3);
  locate(DATE, dates, 2);
}

void addEvent(struct feed *feed, time_t now) {
  uint32_t produced = feed->count - feed->backlog;
  if (produced == feed->capacity) {
    feed->capacity = feed->capacity ? 2 * feed->capacity : 4;
    feed->seconds = allocated(feed->seconds, feed->capacity * sizeof *feed->seconds);
  }
  feed->seconds[produced] = (uint32_t)now;
  feed->count++;
}

uint64_t newestPosition(const struct feed *feed) {
  return feed->count ? basePosition + positionStep * feed->count + 1 : basePosition;
}

uint32_t eventsBefore(const struct feed *feed, uint64_t position) {
  if (position <= basePosition) return 0;
  uint64_t before = (position - basePosition - 1) / positionStep;
  return before < feed->count ? (uint32_t)before : feed->count;
}

/* splitmix64: numbers without a pattern that a compressor or a hash table could use. */
static uint64_t mixed(uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
  value = (value ^ value >> 27) * 0x94d049bb133111eb;
  return value ^ value >> 31;
}

static void writeHex(char *text, uint64_t value, int digits) {
  while (digits > 0) {
    text[--digits] = "0123456789abcdef"[value & 15];
    value >>= 4;
  }
}

static void writeNumber(char *text, uint32_t value) {
  for (int digit = 9; digit >= 0; digit--) {
    text[digit] = (char)('0' + value % 10);
    value /= 10;
  }
}

/* 24 digits without a pattern, then the event's ordinal and the user: no two events have one. */
static void writeID(char *text, uint64_t seed, uint32_t ordinal, uint32_t user) {
  writeHex(text, mixed(seed), 16);
  writeHex(text + 16, mixed(seed + 1), 8);
  writeHex(text + 24, ordinal, 8);
  writeHex(text + 32, user, 8);
}

static void writeHash(char *text, uint64_t seed) {
  writeHex(text, mixed(seed), 16);
  writeHex(text + 16, mixed(seed + 1), 16);
  writeHex(text + 32, mixed(seed + 2), 8);
}

static void writeDate(char *text, time_t seconds) {
  static time_t last = -1;
  static char written[64];
  if (seconds != last) {
    struct tm time;
    gmtime_r(&seconds, &time);
    strftime(written, sizeof written, "%Y-%m-%dT%H:%M:%S+00:00", &time);
    last = seconds;
  }
  memcpy(text, written, sizeof DATE - 1);
}

static void writeEvent(char *text, const struct feed *feed, uint32_t ordinal) {
  static time_t start;
  if (!start) start = time(NULL);
  uint64_t seed = ((uint64_t)feed->user << 32 | ordinal) * 16;
  time_t seconds = ordinal < feed->backlog ? start : feed->seconds[ordinal - feed->backlog];
  memcpy(text, template, eventSize);
  writeID(text + hashes[0], seed, ordinal, feed->user);
  for (uint64_t index = 1; index < 5; index++) writeHash(text + hashes[index], seed + 3 * index);
  for (int index = 0; index < 3; index++) writeNumber(text + numbers[index], (uint32_t)(1000000000 + ordinal));
  for (int index = 0; index < 2; index++) writeDate(text + dates[index], seconds);
}

struct body page(const struct feed *feed, uint64_t position, uint32_t limit) {
  uint32_t first = eventsBefore(feed, position), count = feed->count - first;
  if (limit > pageLimit) limit = pageLimit;
  if (count > limit) count = limit;
  uint64_t next = count ? basePosition + positionStep * (first + count) + 1 : newestPosition(feed);
  char *bytes = allocated(NULL, 128 + (size_t)count * (eventSize + 1));
  size_t length = (size_t)sprintf(
      bytes, "{\"chunk_size\":%" PRIu32 ",\"next_stream_position\":%" PRIu64 ",\"entries\":[", count, next);
  for (uint32_t index = 0; index < count; index++) {
    if (index) bytes[length++] = ',';
    writeEvent(bytes + length, feed, first + index);
    length += eventSize;
  }
  memcpy(bytes + length, "]}", 2);
  return (struct body){bytes, length + 2, 0, 0};
}

static struct body *compressed;
static uint32_t compressedCount;
static uint32_t compressedUser;

void compressBacklog(const struct feed *feed) {
  uint32_t pages = feed->backlog / pageLimit;
  compressed = allocated(NULL, (pages + 1) * sizeof *compressed);
  compressedUser = feed->user;
  for (; compressedCount < pages; compressedCount++) {
    struct body plain = page(feed, basePosition + positionStep * pageLimit * compressedCount + 1, pageLimit);
    z_stream stream = {0};
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
      fail("zlib");
    size_t capacity = deflateBound(&stream, plain.length);
    char *bytes = allocated(NULL, capacity);
    stream.next_in = (Bytef *)plain.bytes;
    stream.avail_in = (uInt)plain.length;
    stream.next_out = (Bytef *)bytes;
    stream.avail_out = (uInt)capacity;
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END) fail("zlib");
    compressed[compressedCount] = (struct body){allocated(bytes, stream.total_out), stream.total_out, 1, 1};
    deflateEnd(&stream);
    free(plain.bytes);
  }
}

struct body compressedPage(const struct feed *feed, uint64_t position, uint32_t limit) {
  uint32_t first = eventsBefore(feed, position);
  int isMade = feed->user == compressedUser && limit >= pageLimit && first % pageLimit == 0 &&
               first / pageLimit < compressedCount;
  return isMade ? compressed[first / pageLimit] : page(feed, position, limit);
}
