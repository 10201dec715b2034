# SPDX-License-Identifier: BSD-2-Clause
"""Farbus's log as the emulator writes it to a file: followed, shown and judged while it grows."""

import re
import sys
import time

# What the emulators' own debuggers put before, between and after our lines.
NOISE = re.compile(r"^(\d{11}[a-z]\[|ALSA |=====|  +(Bochs|Built|Time)|Next at t=|\(0\) \[|<bochs|"
                   r"\(0\)\.\[|lt_dlhandle)")
START = re.compile(r"^farbus: guest starts$")
OFF = re.compile(r"^farbus: power off$")
PANIC = re.compile(r"^farbus: panic: ")
# Before the guest starts, an error is the last that Farbus says.
ERROR = re.compile(r"^farbus: error: ")


class Log:
    """verdict is None while the PC runs, then 0 for an orderly power off, 1 for a failure."""

    def __init__(self, path, show):
        self.file = open(path, "r", errors="replace")
        self.show = show
        self.partial = ""
        self.lines = []
        self.started = False
        self.verdict = None
        self.since = None  # when the verdict was reached

    def poll(self):
        self.partial += self.file.read()
        *lines, self.partial = self.partial.split("\n")
        for line in lines:
            self._line(line.rstrip("\r"))

    def finish(self):
        self.poll()
        if self.partial:
            self._line(self.partial)
        if self.verdict is None:
            self.verdict = 1

    def settled(self, seconds):
        """True when the verdict is that old: the PC should have switched itself off by now."""
        return self.since is not None and time.monotonic() - self.since > seconds

    def _line(self, line):
        if NOISE.match(line):
            return
        self.lines.append(line)
        if self.show:
            sys.stderr.write(line + "\n")
        self.started |= bool(START.match(line))
        failed = PANIC.match(line) or (ERROR.match(line) and not self.started)
        if self.verdict is None and (failed or OFF.match(line)):
            self.verdict = 1 if failed else 0
            self.since = time.monotonic()
