# SPDX-License-Identifier: BSD-2-Clause
"""Farbus's log as the emulator writes it to a file: followed, shown and judged while it grows."""

import re
import sys
import time

# What the emulators' own debuggers put before, between and after our lines.
NOISE = re.compile(r"^(\d{11}[a-z]\[|ALSA |=====|  +(Bochs|Built|Time)|Next at t=|\(0\) \[|<bochs|"
                   r"\(0\)\.\[|lt_dlhandle)")
OFF = re.compile(r"(^|\s)power off$")
BAD = re.compile(r"(^|\s)(panic|error):")


class Log:
    """verdict is None while the PC runs, then 0 for an orderly power off, 1 for Farbus's failure."""

    def __init__(self, path, show):
        self.file = open(path, "r", errors="replace")
        self.show = show
        self.partial = ""
        self.lines = []
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
        verdict = 0 if OFF.search(line) else 1 if BAD.search(line) else None
        if verdict is not None and self.verdict is None:
            self.verdict = verdict
            self.since = time.monotonic()
