# SPDX-License-Identifier: BSD-2-Clause
"""What `farbus serve` bounds: sessions at a time, what a key may do and how fast, what may be lent
out at all; and what is left of an operation when the daemon is killed in its midst.

Each case runs as a process of its own in a network namespace, `limits_test.py NAME`.
"""

import ctypes
import os
import re
import signal
import socket
import struct
import sys
import threading
import time
from pathlib import Path

from attack_test import Recorded
from host_test import (COM2, FAR, IDE1, KEY, LPT1, Daemon, check, farbus, in_namespace, leased, out,
                       segment, station)
from pc import Failure
from protocol import DELAY, IN, INS, IRQ_MASK, IRQ_UNMASK, NAK, OUTS, POLL, RESET, operation

SESSIONS = 24
SO_ATTACH_FILTER = 26
NOT_BUSY = struct.pack("<II", 0x80, 0x80)
REFUSED, HELD = 2, 2  # an operation's status; a lease's


def print_byte(base, byte):
    """The operations that make a printer take a byte."""
    return [operation(POLL, base + 1, 1, 60000, NOT_BUSY), out(base, byte), out(base + 2, 0x0D),
            out(base + 2, 0x0C)]


# --- many at once ---


def hear_only(client):
    """Of the frames on the segment only those to the client: 23 others' would fill its socket."""
    first, last = struct.unpack(">IH", client.mac)
    load_word, load_half, jump, give = 0x20, 0x28, 0x15, 0x06  # classic BPF
    code = [(load_word, 0, 0, 0), (jump, 0, 3, first), (load_half, 0, 0, 4), (jump, 0, 1, last),
            (give, 0, 0, 0xFFFF), (give, 0, 0, 0)]
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *each) for each in code))
    client.socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER,
                             struct.pack("HL", len(code), ctypes.addressof(program)))


class Printing(threading.Thread):
    """A client with a printer of its own."""

    def __init__(self, number, base, text):
        super().__init__(daemon=True)
        self.client = station(last=number)
        hear_only(self.client)
        leased(self.client, f"lpt-{number}")
        self.base, self.text, self.wrong = base, text, None

    def run(self):
        try:
            for byte in self.text:
                answers = self.client.request(*print_byte(self.base, byte))
                check("statuses", [status for status, _ in answers], [0] * 4)
        except Exception as wrong:  # told of by the case
            self.wrong = wrong


def sessions():
    """24 clients, each with an export of its own, at the same time."""
    daemon = Daemon("sessions")
    files = {n: daemon.folder / f"lpt-{n}.txt" for n in range(SESSIONS)}
    daemon.exports = [f"export lpt {0x1000 + 8 * n:#x} file {path} name lpt-{n}"
                      for n, path in files.items()]
    daemon.write_config()
    with daemon:
        clients = [Printing(n, 0x1000 + 8 * n, os.urandom(50)) for n in files]
        listing = farbus("discover", "-i", FAR, "-k", daemon.key)[1]
        check("held", len(re.findall(r"lpt-\d+ .* held ", listing)), SESSIONS)
        late = station(last=99)
        check("one too many", late.lease(late.discover()[0], "lpt-7"), HELD)
        for client in clients:
            client.start()
        for client in clients:
            client.join(100)
            if client.wrong or client.is_alive():
                raise Failure(f"{client.client.mac.hex()}: {client.wrong or 'has not ended'!r}")
        check("sessions", len({client.client.session for client in clients}), SESSIONS)
        for client in clients:
            client.client.release()
        check("printed", [files[n].read_bytes() == clients[n].text for n in files],
              [True] * SESSIONS)
        check("exit status", daemon.end(), 0)
        check("dropped", re.findall("dropped.*", daemon.log_text()), [])
    too_many = Daemon("sessions-25")
    too_many.exports = [f"export lpt {0x1000 + 8 * n:#x} file {too_many.printed} name lpt-{n}"
                        for n in range(SESSIONS + 1)]
    too_many.write_config()
    status, _, errors = farbus("serve", "-n", "-c", too_many.config)
    check("25 exports", (status, "expected at most 24 exports" in errors), (1, True))


# --- killed in the midst ---


def killed():
    """kill -9 while an operation is carried out: it has run once or not at all, and never runs
    again, however often it is sent."""
    with Daemon("killed") as daemon:
        known, doubtful = b"", set()
        for n in range(8):
            client = Recorded(FAR, bytes([0x52, 0x54, 0, 0, 2, 1]), KEY)
            epoch = client.discover()[1]
            leased(client, "lpt1")
            for byte in (16 * n, 16 * n + 1):
                client.request(*print_byte(LPT1, byte))
                known += bytes([byte])
            # Waits before and behind what it does: it is under way when the daemon dies.
            doubt = 16 * n + 2
            wait = operation(DELAY, 0, count=20000 * (n % 3))
            ops = [wait, *print_byte(LPT1, doubt), *[operation(DELAY, 0, count=60000)] * 8]
            client.send(9, b"".join(ops), sequence=client.sequence, operations=len(ops))
            time.sleep(0.015 * n)
            daemon.end(signal.SIGKILL)
            doubtful.add(doubt)
            daemon.start()
            started_anew(client, epoch)
            client.close()
        check("exit status", daemon.end(), 0)
        printed = daemon.printed.read_bytes()
        check("what was answered, in its order", bytes(b for b in printed if b not in doubtful),
              known)
        check("what was doubtful, twice", [b for b in doubtful if printed.count(b) > 1], [])
        print(f"{sum(b in printed for b in doubtful)} of {len(doubtful)} had been carried out")


def started_anew(client, epoch):
    """All that the client has ever sent in its session comes again: the daemon knows it not."""
    old = [frame for frame in client.sent if frame[25] == 9]
    for frame in old + old[-1:] * 10:
        client.socket.sendto(frame, client.remote)
    kind, _, body, _ = client._await(lambda kind, *_: kind == NAK, lambda: None)
    new, = struct.unpack("<I", body[:4])
    if new == epoch:
        raise Failure(f"the epoch {epoch:08x} came twice")
    client.session_keys = None
    check("the epoch that it offers", client.discover()[1], new)


# --- what a key may do ---


def lists():
    """Ports, lines and channels, reads only: what a key may not do is refused and not done."""
    looks, prints = bytes(range(100, 132)), bytes(range(200, 232))
    keys = [f"key {KEY.hex()}",
            f"key {looks.hex()} may com2,ide1 ports 0x2f8-0x2fe,0x170-0x177 irqs 15 read-only",
            f"key {prints.hex()} may lpt1 ports 0x378-0x379 irqs none dma none"]
    with Daemon("lists", keys=keys) as daemon:
        looker, printer = station(looks, 2), station(prints, 3)
        server, _, _, exports = looker.discover()
        check("exports", {name: x[0] for name, x in exports.items()}, {"com2": 0, "ide1": 1 << 15})
        check("another's", looker.lease(server, "lpt1"), 1)
        check("lease", looker.lease(server, "ide1"), 0)
        check("status", looker.inp(IDE1 + 7), 0x50)
        check("control, not in its list", looker.inp(0x376), None)
        for what, op in {"write": out(IDE1 + 6, 0xA0), "block": operation(OUTS, IDE1, 2, 1, b"ab"),
                         "reset": operation(RESET, 0)}.items():
            check(what, looker.request(op)[0][0], REFUSED)
        check("its line", looker.request(operation(IRQ_UNMASK, 15))[0][0], 0)
        looker.release()
        check("lease", looker.lease(server, "com2"), 0)
        check("scratch, not in its list", looker.inp(COM2 + 7), None)
        check("across its end", looker.request(operation(IN, COM2 + 6, 2))[0][0], REFUSED)
        check("a line that is not", looker.request(operation(IRQ_UNMASK, 3))[0][0], REFUSED)
        check("lease", printer.lease(server, "lpt1"), 0)
        printer.request(out(LPT1, 65), out(LPT1 + 2, 0x0D))  # the strobe is not in its list
        check("a line", printer.request(operation(IRQ_MASK, 7))[0][0], REFUSED)
        printer.release()
        check("printed", daemon.printed.read_bytes(), b"")
        for client in (looker, printer):
            client.close()


def rate():
    """A key's accesses a second, also in blocks; another key is not slowed down."""
    slow = bytes(range(100, 132))
    keys = [f"key {KEY.hex()}", f"key {slow.hex()} may com2 rate 500"]
    with Daemon("rate", keys=keys):
        client, fast = leased(station(slow, 2), "com2"), leased(station(last=3), "lpt1")
        began = time.monotonic()
        for _ in range(10):
            client.request(operation(INS, COM2 + 7, 1, 100))
        took = time.monotonic() - began
        if took < 1.7:  # 1000 accesses, of which a tenth of a second's are at once
            raise Failure(f"1000 accesses in {took:.2f} s at 500 a second")
        client.send(9, operation(INS, COM2 + 7, 1, 1400), sequence=client.sequence, operations=1)
        began = time.monotonic()
        fast.request(operation(INS, LPT1 + 1, 1, 1000))
        if time.monotonic() - began > 2.5:  # the other one has to wait for 2.8 s
            raise Failure("a key's limit slows another one down")
        for each in (client, fast):
            each.close()


# --- what is not lent out, and what must be said ---

VITAL = {"DMA": 0x00, "interrupts": 0x20, "timer": 0x40, "keyboard": 0x60, "clock": 0x70,
         "pages": 0x80, "fast reset": 0x92, "second": 0xA0, "more DMA": 0xC0, "edges": 0x4D0,
         "configuration": 0xCF8, "reset": 0xCF9}


def vital_ports():
    """No line of the file lends out a port that a PC lives on, also not in the middle of a range."""
    daemon = Daemon("vital-ports")
    for what, port in VITAL.items():
        for base in {port, port - 7} - set(range(-8, 0)):
            for device in (f"uart {base:#x} pty {daemon.pty}", f"ports {base:#x}-{base + 7:#x}",
                           f"ata 0x170,{port:#x} disk {daemon.disk}"):
                refused(daemon, f"{what}, {device}", f"export {device} name a")
    for line in (0, 1, 2):
        refused(daemon, f"line {line}", f"export lpt 0x378 irq {line} file x name a")


def refused(daemon, what, line):
    """One line of the log, and nothing is lent out."""
    daemon.exports = [line]
    daemon.write_config()
    status, _, errors = farbus("serve", "-c", daemon.config)
    lines = [each for each in errors.splitlines() if " error: " in each]
    check(f"{what}: status", status, 1)
    if len(lines) != 1 or "expected" not in lines[0]:
        raise Failure(f"{what}: {errors}")


def insecure():
    """Without a key only by the word: each command, and a daemon that has one hears nobody else."""
    with Daemon("insecure", keys=["key insecure"]) as daemon:
        daemon.log_line("warning: key insecure: whoever is on the segment may use")
        check("no word", farbus("discover", "-i", FAR)[0], 2)
        check("the word", farbus("discover", "-i", FAR, "--insecure")[0], 0)
        check("a key", farbus("discover", "-i", FAR, "-k", daemon.key)[0], 1)
        client = leased(station(bytes(32)), "com2")
        check("works", client.inp(COM2 + 5), 0x60)
        client.close()
    with Daemon("insecure-not") as daemon:
        check("the word", farbus("discover", "-i", FAR, "--insecure")[0], 1)
        zero = daemon.folder / "zero"
        for text in (bytes(32), b"00" * 32):
            zero.write_bytes(text)
            daemon.keys = [f"key file {zero}"]
            daemon.write_config()
            check("a key of zeros", farbus("serve", "-n", "-c", daemon.config)[0], 1)
        daemon.key.chmod(0o644)
        daemon.keys = [f"key file {daemon.key}"]
        daemon.write_config()
        status, _, errors = farbus("serve", "-n", "-c", daemon.config)
        check("a key that others may read: warned", (status, "warning" in errors), (0, True))
        for words in (["console", "linux-a"], ["trace", "linux-a"], ["send", daemon.key],
                      ["replay", "--peer", "linux-a", daemon.key]):
            check(f"{words[0]}: no key", farbus(words[0], "-i", FAR, *words[1:])[0], 2)
        for keys in ([], [f"key {'00' * 32}"], ["key insecure", f"key {KEY.hex()}"],
                     [f"key {KEY.hex()} may com2,lpt2"]):
            daemon.keys = keys
            daemon.write_config()
            check(f"{keys}", farbus("serve", "-n", "-c", daemon.config)[0], 1)


def security_page():
    """Each test that docs/security.md points to exists."""
    import catalogue

    repo = Path(__file__).resolve().parent.parent.parent
    page = (repo / "docs" / "security.md").read_text()
    known = {test.name for test in catalogue.TESTS}
    groups = {name.split("/")[0] for name in known}
    named = set(re.findall(r"`?\b((?:attack|limits|host|peer)/[a-z-]+)(?:`|\))", page))
    check("tests that are not there", named - known, set())
    files = set(re.findall(r"`((?:net|boot|host)/test_\w+\.c)`", page))
    check("files that are not there",
          {name for name in files if not (repo / "tests" / "unit" / name).exists()}, set())
    if len(named) < 20 or len(files) < 8 or "bad-input" not in groups:
        raise Failure(f"the page points to {len(named)} tests and {len(files)} files only")


_CASES = {f.__name__.replace("_", "-"): f
          for f in (sessions, killed, lists, rate, vital_ports, insecure,
                    security_page)}
CASES = {name: lambda name=name: in_namespace(name, __file__) for name in _CASES}

if __name__ == "__main__":
    segment()
    _CASES[sys.argv[1]]()
