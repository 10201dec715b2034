# SPDX-License-Identifier: BSD-2-Clause
"""An emulated PC as a test sees it: a screen to read and keys to press, through images/run.py."""

import contextlib
import json
import os
import re
import socket
import sys
import time
from pathlib import Path

import pexpect
import pyte

REPO = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(REPO / "images"))

from paths import BUILD  # noqa: E402

# Times as long is everything waited for: `make test SLOWER=5` on a machine that does other things.
SLOWER = float(os.environ.get("SLOWER") or 1)

# Seconds: no wait gives up sooner. A machine that is busy for a while must fail no test.
PATIENCE = 30

# What a PC runs whose test names no engine: `make test CPU=direct`.
ENGINE = os.environ.get("CPU") or "auto"

KEY_PAUSE = 0.03  # seconds: the 8042 of a native run has a queue of 16 bytes only

MONITOR = "\x1d"  # opens it
# What a terminal is told besides text.
SEQUENCE = re.compile(r"\x1b(\[[0-9;?]*[a-zA-Z]|[()][0-9A-Z]|.)")
# What a failure's report asks Farbus's monitor.
STATE = ("registers", "u", "stats all", "irq")


class Failure(Exception):
    pass


def limit(seconds):
    """When something that takes `seconds` at most has failed to come."""
    return time.monotonic() + max(seconds, PATIENCE) * SLOWER


def before_cursor(screen):
    """What the cursor's line has on its left."""
    return screen.display[screen.cursor.y][:screen.cursor.x]


class PC:
    """Boots on creation. words: Make's words (GUEST="dlx", RAM="16M", ...). Without a CPU among
    them the engine is ENGINE.

    display: the X server (":1") on which the emulator opens its window; without one it has none.
    called: what a failure's message calls it.
    """

    def __init__(self, name, host="qemu", native=False, clock="real", display=None,
                 called="the PC", **words):
        self.host, self.called = host, called
        self.work = BUILD / "tests" / name
        self.work.mkdir(parents=True, exist_ok=True)
        self.screen = pyte.Screen(80, 30 if native and host == "bochs" else 25)
        self.stream = pyte.ByteStream(self.screen)
        self.record = open(self.work / "console.log", "wb")
        self.errors = self.work / "run.err"
        self.changed = time.monotonic()
        self.taken = b""  # the bytes that the last poll() has brought
        environment = {key: value for key, value in os.environ.items()
                       if key not in ("GUEST", "HOST", "DISPLAY", "CONFIG", "RAM")}
        environment.update({"CPU": ENGINE, **words}, HOST=host,
                           HEADLESS="0" if display else "1", BUILD=str(BUILD))
        if display:
            environment["DISPLAY"] = display
        command = [sys.executable, str(REPO / "images" / "run.py"), "--clock", clock,
                   "--work", str(self.work / "run")] + (["--native"] if native else [])
        shell = " ".join(command) + f" 2>{self.errors}"
        self.child = pexpect.spawn("/bin/sh", ["-c", "exec " + shell], env=environment,
                                   dimensions=(25, 80), cwd=str(REPO))
        self.child.delaybeforesend = None

    def __enter__(self):
        return self

    def __exit__(self, kind, failure, _):
        try:
            if kind and issubclass(kind, Failure):
                self.report(str(failure))
        finally:
            self.close()

    # --- reading ---

    def poll(self, seconds=0.1):
        """Takes in what the screen shows; False when the PC has ended."""
        try:
            data = self.child.read_nonblocking(65536, seconds)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.record.write(data)
        self.record.flush()
        self.taken = data
        self.changed = time.monotonic()
        self.stream.feed(data)
        return True

    def text(self):
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()

    def has(self, pattern):
        return re.search(pattern, self.text(), re.MULTILINE)

    def wait(self, pattern, seconds):
        """Until the screen shows the regular expression."""
        self.until(f"/{pattern}/", lambda: self.has(pattern), seconds)
        return self.has(pattern)

    def wait_prompt(self, pattern, seconds):
        """Until the cursor stands behind the regular expression, which is all of its line so far.
        What a program prints at once has been printed then."""
        self.until(f"prompt /{pattern}/ behind the cursor",
                   lambda: re.fullmatch(pattern, before_cursor(self.screen)), seconds,
                   lambda: f"the cursor is behind {before_cursor(self.screen)!r}")

    def until(self, what, done, seconds, more=lambda: ""):
        """Lets it run until done() is true. more(): what a failure says besides."""
        end = limit(seconds)
        while not done():
            if time.monotonic() > end:
                raise Failure(f"no {what} after {seconds} s; {self.called} shows:\n{self.text()}\n"
                              + more())
            if not self.poll(0.05):
                raise Failure(f"{self.called} ended before this: {what}; last on screen:\n"
                              f"{self.text()}\n{self.log()[-2000:]}\n" + more())

    def run_for(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not self.poll():
                raise Failure(f"{self.called} ended:\n{self.log()[-2000:]}")

    def wait_end(self, seconds):
        """Until the PC is switched off; returns the exit status of the run."""
        end = limit(seconds)
        while self.poll():
            if time.monotonic() > end:
                raise Failure(f"still on after {seconds} s; the screen shows:\n{self.text()}")
        self.child.wait()
        return self.child.exitstatus

    def log(self):
        return self.errors.read_text(errors="replace")

    # --- a failure's report ---

    def report(self, known):
        """What Farbus says of itself and of its guest, and the screen unless it is `known`."""
        text = self.text()
        log = self.farbus_log()
        if log:
            print("Farbus's log:", *log.splitlines()[-20:], sep="\n")
            if self.child.isalive():
                print(self._state())
        elif self.host == "qemu" and self.child.isalive():
            self._show_picture()
        if text not in known:
            print(f"The screen shows:\n{text}")

    def _show_picture(self):
        """Of a PC that has not come to Farbus, or has none: what GRUB or the firmware says."""
        target = self.work / "screen.ppm"
        with contextlib.suppress(OSError, Failure):
            self.screendump(target.absolute())
            print(f"Farbus has said nothing. The PC's screen: {target}")

    def _state(self):
        """The monitor's answers: all of them, however many lines the screen has."""
        said = self._said("" if self.text().endswith("farbus>") else MONITOR)
        if "farbus>" not in said:
            return "Farbus's monitor does not open."
        return said + "".join(self._said(command + "\r") for command in STATE)

    def _said(self, keys):
        """What comes after these keys, up to the monitor's prompt."""
        said, end = "" if keys else "farbus> ", limit(0)
        self.child.send(keys)
        while not said.rstrip().endswith("farbus>") and time.monotonic() < end:
            self.taken = b""
            if not self.poll():
                break
            said += SEQUENCE.sub("", self.taken.decode("latin-1")).replace("\r", "")
        return said

    def farbus_log(self):
        """What log() has when the PC has ended, as it is now; of a native run nothing."""
        path = self.work / "run" / "farbus.log"
        return path.read_text(errors="replace") if path.exists() else ""

    # --- typing ---

    def type(self, keys):
        for key in keys:
            self.child.send(key)
            end = time.monotonic() + KEY_PAUSE
            while time.monotonic() < end:
                self.poll(max(end - time.monotonic(), 0.001))

    def type_line(self, line, seconds=30):
        """At a prompt: each key when the one before it is on the screen. Nobody types faster than
        that, and an old kernel whose machine is held up mixes up what comes all at once."""
        start = len(before_cursor(self.screen))
        for typed in range(1, len(line) + 1):
            self.child.send(line[typed - 1])
            end = limit(seconds)
            while not self._shows(start, line[:typed]):
                if time.monotonic() > end or not self.poll():
                    raise Failure(f"{line[:typed]!r} was typed; the screen shows:\n{self.text()}")

    def _shows(self, start, keys):
        """Whether these stand behind `start` columns, as far as one line of the screen has room."""
        if start + len(keys) >= self.screen.columns:
            return self.text().replace("\n", "").endswith(keys.rstrip())
        return before_cursor(self.screen).endswith(keys)

    def settle(self, quiet, seconds):
        """Until the screen has not changed for `quiet` seconds."""
        end = time.monotonic() + seconds
        self.changed = time.monotonic()
        while time.monotonic() - self.changed < quiet and time.monotonic() < end:
            if not self.poll():
                return

    # --- QEMU's monitor ---

    def screendump(self, target):
        """Writes the PC's screen as PPM (QEMU only)."""
        self.qmp("screendump", filename=str(target))

    def qmp(self, command, **arguments):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(os.path.relpath(self.work / "run" / "qmp.sock"))
            stream = connection.makefile("rw")
            stream.readline()
            for request in ({"execute": "qmp_capabilities"},
                            {"execute": command, "arguments": arguments}):
                stream.write(json.dumps(request) + "\n")
                stream.flush()
                while True:
                    answer = json.loads(stream.readline())
                    if "error" in answer:
                        raise Failure(f"QEMU: {answer['error']['desc']}")
                    if "return" in answer:
                        break
            return answer["return"]

    def close(self):
        try:
            self.child.close(force=True)
        except pexpect.ExceptionPexpect:  # it is killed, and not gone within a tenth of a second
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self.child.pid, 0)
        self.record.close()
