import Glibc

/// A wall clock for one process, which can be set: a small library that is loaded before the C library's.
struct WallClock {
  let environment: [String: String]
  private let file: String

  /// Whether there is a C compiler.
  static let isAvailable: Bool = {
    let command = ["clang", "--version"]
    guard let child = try? ChildProcess(command, output: "/dev/null", errors: "/dev/null") else {
      print("SKIPPED: clock jumps need clang, which comes with Swift, on PATH")
      return false
    }
    while child.isRunning { usleep(1000) }
    return child.exit == .code(0)
  }()

  init(_ fixture: TestEnvironment) async throws {
    file = "\(fixture.root)/clock"
    let (source, library) = ("\(fixture.root)/clock.c", "\(fixture.root)/clock.so")
    writeFile(source, Array(Self.source.utf8))
    let log = "\(fixture.root)/clang"
    let clang = try fixture.spawn(
      ["clang", "-shared", "-fPIC", "-o", library, source], output: log, errors: log)
    guard try await clang.ended() == .code(0) else {
      throw TimedOut(description: String(decoding: readFile(log), as: UTF8.self))
    }
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
