# SPDX-License-Identifier: BSD-2-Clause
"""Keys on the console, mistakes in the monitor, and a port of this PC attached to a running guest."""

import os
import re
import socket

from bad_input_test import boot_floppy, prompt
from pc import PC, Failure

HOT_KEY = "\x1d"  # Ctrl-]


def command(pc, line, expected, seconds=20):
    """Types one command; what it shows is at the end of the screen, before the next prompt."""
    pc.type(line + "\r")
    pc.wait(rf"farbus> {re.escape(line)}\n(?:.*\n)*?{expected}(?:.*\n)*farbus> *\Z", seconds)


def open_monitor(pc):
    pc.type(HOT_KEY)
    prompt(pc)


def mistakes():
    """Each is one line that names the word, and changes nothing."""
    with PC("console-mistakes", FLOPPY=boot_floppy("hello")) as pc:
        pc.wait("hello", 120)
        open_monitor(pc)
        command(pc, "x zzz", r"x: 'zzz': expected an address.*\n")
        command(pc, "step 0", r"step: '0': expected a count.*\n")
        command(pc, "attach 0x20-0x21", r"attach: '0x20-0x21': expected ports that Farbus.*\n")
        command(pc, "attach 0x300 irq 0", r"attach: 'irq 0': expected a line that Farbus.*\n")
        command(pc, "route 0x300 nowhere", r"route: 'nowhere': expected 'irq N', 'virtual'.*\n")
        command(pc, "attach 0x300 remote b", r"attach: remote: expected a network card.*\n")
        command(pc, "discover", r"discover: expected a network card.*\n")
        command(pc, "leases", r"no remote routes\nno card\n")
        command(pc, "trace maybe", r"trace: 'maybe': expected on, off.*\n")
        command(pc, "key nokey", r"key: 'nokey': expected a key.*\n")
        command(pc, "info all", r"info: expected registers.*\n")


def keys():
    """Pasted text arrives whole while the guest is busy; `key` presses keys."""
    text = "the quick brown fox jumps over the lazy dog 0123456789"
    with PC("console-keys", GUEST="freedos") as pc:
        pc.wait(r"^A:\\>\Z", 120)
        pc.child.send("dir\rmem\rcls\recho " + text + "\r")
        pc.wait(r"^" + text + "$", 60)
        open_monitor(pc)
        pc.type("key v e r enter\r")
        prompt(pc)
        pc.type("c\r")
        pc.wait(r"FreeCom version 0.82", 20)


class Wire:
    """The other end of the emulated PC's COM2."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(os.path.relpath(path))  # its length is limited
        self.socket.setblocking(False)
        self.data = b""

    def wait(self, pc, expected):
        for _ in range(100):
            pc.poll(0.1)
            try:
                self.data += self.socket.recv(4096)
            except BlockingIOError:
                pass
            if expected in self.data:
                return
        raise Failure(f"no {expected!r} came out of COM2, only {self.data!r}")


def dlx_command(pc, line):
    pc.type(line + "\r")
    pc.wait(rf"dlx:~# {re.escape(line)}\n(?:.*\n)*dlx:~# *\Z", 60)
    pc.wait_prompt(r"dlx:~# ", 60)


def local_port():
    """COM2 as a model, then as this PC's own with its interrupt, then gone: all at run time."""
    com2 = "-chardev socket,id=com2,path=../com2.sock,server=on,wait=off " \
           "-device isa-serial,chardev=com2,index=1"
    with PC("console-local", GUEST="dlx", HOSTARGS=com2) as pc:
        pc.wait_prompt(r"dlx login: ", 240)
        pc.type("root\r")
        pc.wait_prompt(r"dlx:~# ", 60)
        wire = Wire(pc.work / "com2.sock")
        dlx_command(pc, "echo model > /dev/cua1")
        open_monitor(pc)
        command(pc, "attach 0x2f8-0x2ff irq 3", "")
        pc.type("c\r")
        pc.wait(r"dlx:~# *\Z", 20)
        dlx_command(pc, "echo real > /dev/cua1")
        wire.wait(pc, b"real")
        if b"model" in wire.data:
            raise Failure("the model's output came out of the real port")
        pc.type("read line < /dev/cua1; echo got: $line\r")
        pc.settle(1, 5)
        wire.socket.send(b"a line from outside\n")
        pc.wait(r"^got: a line from outside\n(?:.*\n)*dlx:~# *\Z", 30)
        open_monitor(pc)
        command(pc, "detach 0x2f8-0x2ff irq 3", "")
        pc.type("c\r")
        pc.wait(r"dlx:~# *\Z", 20)
        dlx_command(pc, "echo again > /dev/cua1")
        pc.settle(1, 3)
        if b"again" in wire.data:
            raise Failure("the real port was still attached")


CASES = {"mistakes": mistakes, "pasted-keys": keys, "local-port": local_port}
