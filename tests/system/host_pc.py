# SPDX-License-Identifier: BSD-2-Clause
"""Emulated PCs with guests, whose devices `farbus serve` lends out, in a network namespace.

`host_pc.py NAME` runs one case there (host_test.py starts it). The PCs' cables are tap interfaces,
with a bridge between them that has the name of the daemon's interface.
"""

import hashlib
import os
import random
import re
import select
import shutil
import subprocess
import sys
from pathlib import Path

import remote_debian
import remote_dlx
import remote_freedos
from console_test import command, open_monitor
from host_test import KEY, NEAR, Daemon, check, in_namespace, read_all
from pc import PC, Failure
from remote_pair import Shell

import guests
import remotemedia
from paths import Missing
from peer import routes
from remote import NIC_LINE

TAPS = ("fba", "fbb")
MACS = ("52:54:00:fa:00:0a", "52:54:00:fa:00:0b")
HALF = 512 << 10
LARGE = 64 << 20
PASSWORD = "so far away"


def segment():
    """The daemon's interface is a bridge of the PCs' taps."""
    commands = [f"link add {NEAR} type bridge", f"link set {NEAR} up"]
    for tap in TAPS:
        commands += [f"tuntap add {tap} mode tap", f"link set {tap} master {NEAR}",
                     f"link set {tap} up"]
    for words in commands:
        subprocess.run(["ip", *words.split()], check=True)


class Terminal:
    """What is at the other end of the served UART: a program at the pty, as remote_pair's wire."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self.kept = b""

    @property
    def received(self):
        while select.select([self.fd], [], [], 0)[0]:
            self.kept += os.read(self.fd, 65536)
        return self.kept

    def taken(self):
        data, self.kept = self.received, b""
        return data

    def send(self, data):
        """The daemon takes what the guest's UART has room for."""
        while data:
            select.select([], [self.fd], [], 60)
            data = data[os.write(self.fd, data):]


class Served:
    """A PC whose guest uses the daemon's devices; for remote_debian.py and its like, both the two
    PCs (`pair`) and what is at the far end (`far`)."""

    def __init__(self, daemon, case, guest, number=0, names=("ide1", "com2", "lpt1"), **words):
        self.daemon, self.mac = daemon, MACS[number]
        self.disk, self.lpt1 = daemon.disk, daemon.printed
        self.pc = PC(f"host-pc-{case}/{TAPS[number]}", GUEST=guest,
                     NIC=f"{TAPS[number]}/{self.mac}",
                     CONFIG=";".join([NIC_LINE, f"key {KEY.hex()}", *routes("linux-a", names)]),
                     **words)
        self.shell = Shell(self, self.pc)

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.pc.__exit__(*failure)

    def connect(self):
        self.wire = Terminal(self.daemon.pty)
        return self

    def until(self, what, done, seconds, pc=None):
        """As a Pair's."""
        (pc or self.pc).until(what, done, seconds,
                              lambda: self.pc.log()[-1500:] + self.daemon.log_text())


# --- one guest ---


def dlx():
    """DLX Linux copies half of the served disk to the other half, and writes to the served UART."""
    with Daemon("pc-dlx") as daemon, Served(daemon, "dlx", "dlx", names=("ide1", "com2")) as a:
        remote_dlx.log_in(a.shell)
        a.shell.run("dd if=/dev/hdc of=/dev/hdc bs=16k count=32 seek=32 && sync", 120)
        image = daemon.disk.read_bytes()
        if image[HALF:2 * HALF] != image[:HALF]:
            raise Failure("the copy on the disk differs")
        terminal = os.open(daemon.pty, os.O_RDWR | os.O_NOCTTY)
        a.pc.type("echo hello from dlx > /dev/ttyS1\r")
        check("COM2", read_all(terminal, 16, 60), b"hello from dlx\r\n")
        daemon.log_line(f"ide1 lent to {a.mac}")


def freedos():
    """FreeDOS: UART both ways, and the printer."""
    with Daemon("pc-freedos") as daemon, Served(daemon, "freedos", "freedos",
                                                names=("com2", "lpt1"),
                                                FLOPPY=remote_freedos.floppy()) as a:
        a.connect()
        remote_freedos.log_in(a.shell)
        text = remote_freedos.make_text(a.shell)
        remote_freedos.uart_out(a.shell, a, text)
        remote_freedos.printer(a.shell, a, text)
        remote_freedos.uart_in(a.shell, a)


def debian(large):
    """Debian: the whole disk (64 MB if large) and CD, a login at the served UART, a print."""
    name = "pc-debian-64m" if large else "pc-debian"
    daemon = Daemon(name)
    if large:
        daemon.disk.write_bytes(random.Random(5).randbytes(LARGE))
    else:
        shutil.copyfile(remotemedia.disk(), daemon.disk)
    shutil.copyfile(remotemedia.cdrom(), daemon.cd)
    with daemon, Served(daemon, name.removeprefix("pc-"), "debian-remote") as a:
        a.connect()
        remote_debian.log_in(a.shell)
        remote_debian.printer(a.shell, a)
        log_in_at_uart(a)
        remote_debian.cd(a.shell, a)
        a.shell.expect("md5sum /dev/sr0", rf"^{remote_debian.md5(daemon.cd.read_bytes())} ", 300)
        disk = remote_debian.find_disk(a.shell)
        a.shell.expect(f"md5sum {disk}", rf"^{remote_debian.md5(daemon.disk.read_bytes())} ", 1500)
        if not large:
            remote_debian.disk_write(a.shell, a)


def log_in_at_uart(a):
    """A program at the pty gets the guest's login, and then its shell."""
    a.shell.run("echo root:x:0: > /etc/group; "
                f"echo root:$(mkpasswd -m md5 '{PASSWORD}'):0:0:root:/root:/bin/sh > /etc/passwd")
    a.shell.run("{ setsid getty -L 115200 ttyS1 vt100 & }")
    dialogue = [("login: ", "root"), ("Password: ", "not this"), ("Login incorrect", None),
                ("login: ", "root"), ("Password: ", PASSWORD), ("# ", "tty; echo $((6 * 7))"),
                ("/dev/ttyS1\r\n42\r\n", None), ("# ", "exit")]
    for awaited, answer in dialogue:
        a.until(f"{awaited!r} at the terminal", lambda text=awaited: text.encode()
                in a.wire.received, 120)
        if answer is not None:
            a.wire.taken()
            a.wire.send(answer.encode() + b"\r")


# --- two guests ---


def contention():
    """Two guests want the same disk and UART: who comes second is told so and has neither, until
    the first gives them back, and again when the second one's power fails."""
    names = ("ide1", "com2")
    with Daemon("pc-contention") as daemon:
        image = daemon.disk.read_bytes()
        with Served(daemon, "contention", "dlx", 0, names) as a:
            a.connect()
            daemon.log_line(f"ide1 lent to {a.mac}", 240)
            with Served(daemon, "contention", "dlx", 1, names) as b:
                remote_dlx.log_in(a.shell)
                remote_dlx.log_in(b.shell)
                refused_at_start(b, names)
                copy(a, 512, 1024)
                write_lines(a, "first", 60)
                refused_now(b)
                hand_over(a, b)
                b.pc.type("reboot\r")  # its kernel looks for disks at boot only
                b.pc.wait(r"LILO", 180)
                remote_dlx.log_in(b.shell)
                copy(b, 1024, 1536)
                write_lines(b, "second", 60)
            daemon.log_line(f"ide1 taken back, silence of {MACS[1]}", 60)
            attach_all(a)
            write_lines(a, "third", 20)
            text = lines_of("first", 60) + lines_of("second", 60) + lines_of("third", 20)
            a.until("last line", lambda: len(a.wire.received) >= len(text), 60)
            check("UART", a.wire.taken(), text)
            expected = bytearray(image)
            expected[1024 << 10:1536 << 10] = image[512 << 10:1024 << 10]
            expected[1536 << 10:2048 << 10] = image[512 << 10:1024 << 10]
            check("disk", hashlib.sha256(daemon.disk.read_bytes()).hexdigest(),
                  hashlib.sha256(expected).hexdigest())


ROUTES = {"ide1": "0x170-0x177,0x376 irq 15", "com2": "0x2f8-0x2ff irq 3"}
PROFILES = {"ide1": "ata", "com2": "uart"}


def refused_at_start(b, names):
    """A line for each; the guest has found nothing there."""
    for name in names:
        if not re.search(rf"{name}.* is held by another", b.pc.log()):
            raise Failure(f"no line that {name} is held:\n{b.pc.log()}")
    b.shell.run("dd if=/dev/hdc of=/dev/null bs=1k count=1", status=1)


def refused_now(b):
    open_monitor(b.pc)
    for name in ROUTES:
        command(b.pc, attach(name), rf".*{name}: failed: {name} of linux-a is held by(.*\n)+",
                60)
    b.pc.type("c\r")


def attach(name):
    return f"attach {ROUTES[name]} remote linux-a profile {PROFILES[name]}"


def attach_all(pc):
    open_monitor(pc.pc)
    for name in ROUTES:
        command(pc.pc, attach(name), "", 60)
    pc.pc.type("c\r")


def hand_over(a, b):
    open_monitor(a.pc)
    for name in ROUTES:
        command(a.pc, f"detach {ROUTES[name]}", "", 60)
        a.daemon.log_line(f"{name} given back by {a.mac}", 60)
    a.pc.type("c\r")
    attach_all(b)


def copy(pc, source, target):
    """512 KB of the disk, in KB."""
    pc.shell.run(f"dd if=/dev/hdc of=/dev/hdc bs=16k skip={source // 16} seek={target // 16} "
                 "count=32 && sync", 120)


def write_lines(pc, word, count):
    pc.shell.run(f"i=0; while [ $i -lt {count} ]; do echo {word} $i; i=$[i+1]; done > /dev/ttyS1",
                 120)


def lines_of(word, count):
    return b"".join(f"{word} {i}\r\n".encode() for i in range(count))


_CASES = {
    "contention": ("dlx", contention),
    "dlx": ("dlx", dlx),
    "freedos": ("freedos", freedos),
    "debian": ("debian-remote", lambda: debian(False)),
    "debian-64m": ("debian-remote", lambda: debian(True)),
}


def run(name, guest):
    if not Path("/dev/net/tun").exists():
        raise Missing("no /dev/net/tun: expected it, for tap interfaces")
    guests.find(guest)  # the namespace has no way to what has to be downloaded
    in_namespace(name, __file__)


CASES = {name: lambda name=name, guest=guest: run(name, guest)
         for name, (guest, _) in _CASES.items()}

QUICK = {"dlx", "freedos", "contention"}

if __name__ == "__main__":
    segment()
    _CASES[sys.argv[1]][1]()
