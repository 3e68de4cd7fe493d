import Glibc

/// A wall clock for one process, which can be set: a small library that is loaded before the C library's.
struct WallClock {
  let environment: [String: String]
  private let file: String

  init(_ fixture: TestEnvironment) async throws {
    file = "\(fixture.root)/clock"
    let library = try await PreloadedLibrary.build(Self.source, named: "clock", fixture)
    environment = ["LD_PRELOAD": library, "WALL_CLOCK": file]
    set(aheadByDays: 0)
  }

  /// Sets the clock of every process that has it.
  func set(aheadByDays days: Int) {
    // In one step, so that no reader sees half of it.
    writeFile(file + ".new", Array("\(days * 86_400)\n".utf8))
    rename(file + ".new", file)
  }

  private static let source = """
    #define _GNU_SOURCE
    #include <fcntl.h>
    #include <stdlib.h>
    #include <sys/syscall.h>
    #include <sys/time.h>
    #include <time.h>
    #include <unistd.h>

    static long ahead(void) {
      char text[32] = {0};
      int descriptor = open(getenv("WALL_CLOCK"), O_RDONLY | O_CLOEXEC);
      if (descriptor < 0 || read(descriptor, text, sizeof text - 1) < 0) abort();
      close(descriptor);
      return atol(text);
    }

    int clock_gettime(clockid_t clock, struct timespec *time) {
      int result = syscall(SYS_clock_gettime, clock, time);
      if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) time->tv_sec += ahead();
      return result;
    }

    time_t time(time_t *seconds) {
      struct timespec now;
      clock_gettime(CLOCK_REALTIME, &now);
      if (seconds) *seconds = now.tv_sec;
      return now.tv_sec;
    }

    int gettimeofday(struct timeval *restrict time, void *restrict zone) {
      struct timespec now;
      clock_gettime(CLOCK_REALTIME, &now);
      time->tv_sec = now.tv_sec;
      time->tv_usec = now.tv_nsec / 1000;
      return 0;
    }

    """
}
