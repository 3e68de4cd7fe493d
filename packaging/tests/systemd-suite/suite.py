"""The tests in their order, and how they are reported."""

import sys
import time
import traceback

from machine import Failure


class Skip(Exception):
    """A test that can't be made here, with the reason."""


class Suite:
    def __init__(self):
        self.tests = []
        self.passed = self.failed = self.skipped = 0

    def test(self, name, once=False):
        """Adds a function as a test; its name is a sentence that states what is tested.

        Once: on the first Debian only, as it takes long or tests the daemon more than systemd.
        """

        def add(function):
            function.once = once
            self.tests.append((name, function))
            return function

        return add

    def skip_all(self, reason):
        self.skipped += len(self.tests)
        print(f"\n*** SKIPPED: all {len(self.tests)} tests under a real systemd: {reason}\n")

    def run(self, world, only=None, again=False):
        for name, function in self.tests:
            if only and only not in name or again and function.once:
                continue
            start = time.monotonic()
            try:
                function(world)
                self.passed += 1
                word, detail = "ok     ", ""
            except Skip as reason:
                self.skipped += 1
                word, detail = "SKIPPED", f"\n          {reason}"
            except Failure as failure:
                self.failed += 1
                word, detail = "FAILED ", "\n          " + str(failure).replace("\n", "\n          ")
            except Exception:
                self.failed += 1
                word, detail = "FAILED ", "\n" + traceback.format_exc()
            print(f"{word} {name} ({time.monotonic() - start:.1f} s){detail}")
            sys.stdout.flush()

    def summary(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


suite = Suite()
