# SPDX-License-Identifier: BSD-2-Clause
"""`farbus console` with emulated PCs that offer their console, in a network namespace.

`host_console.py NAME` runs one case there (host_test.py starts it).
"""

import re
import subprocess
import sys
import time

import pexpect
import pyte
from host_pc import MACS, TAPS, segment
from host_test import KEY, NEAR, PROGRAM, check, in_namespace
from pc import PC, Failure

from paths import BUILD
from remote import NIC_LINE

NODE = "pc-a"
HOT_KEY = "\x1d"


def key_file(name, key=KEY):
    folder = BUILD / "tests" / "host-console"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(key.hex() + "\n")
    path.chmod(0o600)
    return str(path)


class Viewer:
    """`farbus console` in a terminal."""

    def __init__(self, key, *words, rows=26, columns=80):
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.child = pexpect.spawn(str(PROGRAM), ["console", "-i", NEAR, "-k", key, *words, NODE],
                                   dimensions=(rows, columns))
        self.child.delaybeforesend = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.close(force=True)

    def poll(self, seconds=0.1):
        """False: the program has ended."""
        try:
            self.stream.feed(self.child.read_nonblocking(65536, seconds))
        except pexpect.TIMEOUT:
            pass
        except pexpect.EOF:
            return False
        return True

    def text(self):
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()

    def wait(self, pattern, seconds=60):
        end = time.monotonic() + seconds
        running = True
        while not re.search(pattern, self.text(), re.MULTILINE):
            if not running or time.monotonic() > end:
                raise Failure(f"no /{pattern}/; the terminal shows:\n{self.text()}")
            running = self.poll()

    def type(self, keys):
        self.child.send(keys)

    def status(self, seconds=20):
        """The exit status."""
        end = time.monotonic() + seconds
        while self.poll():
            if time.monotonic() > end:
                raise Failure(f"still there; the terminal shows:\n{self.text()}")
        self.child.wait()
        return self.child.exitstatus


def piped(key, *words, text="", seconds=60):
    """(exit status, standard output, standard error) of `farbus console` without a terminal."""
    run = subprocess.run([PROGRAM, "console", "-i", NEAR, "-k", key, *words, NODE], input=text,
                         capture_output=True, text=True, timeout=seconds)
    return run.returncode, run.stdout, run.stderr


def pc(case, *lines, guest="dlx"):
    return PC(f"host-console-{case}", GUEST=guest, NIC=f"{TAPS[0]}/{MACS[0]}",
              CONFIG=";".join([NIC_LINE, f"key {KEY.hex()}", *lines]))


def dlx():
    """A login far away, the monitor, who types and who watches, pipes, the PC gone and back."""
    key = key_file("dlx")
    with pc("dlx", f"offer console as {NODE}") as a, Viewer(key) as viewer:
        viewer.wait("dlx login:", 240)
        viewer.type("root\r")
        viewer.wait(r"^dlx:~# *$")
        viewer.type("echo $((6*7)) from afar\r")
        viewer.wait(r"^42 from afar")
        a.wait(r"^42 from afar", 60)


_CASES = {"dlx": dlx}
CASES = {name: lambda name=name: in_namespace(name, __file__) for name in _CASES}

if __name__ == "__main__":
    segment()
    _CASES[sys.argv[1]]()
