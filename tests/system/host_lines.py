# SPDX-License-Identifier: BSD-2-Clause
"""A UART on `farbus serve` whose cable leads to a serial port of the machine.

`host_lines.py NAME` runs one case in a network namespace of its own (host_test.in_namespace).
"""

import fcntl
import os
import re
import struct
import subprocess
import sys
import time
from pathlib import Path

from host_test import (Daemon, check, farbus, in_namespace, leased, out, read_all, run_case,
                       segment, station)
from pc import Failure
from protocol import POLL, operation

HERE = Path(__file__).resolve().parent
COM = 0x2F8
DATA, IER, FCR, LCR, MCR, LSR, MSR = range(COM, COM + 7)
TCGETS2 = 0x802C542A
CTS, DSR, RI, DCD = 0x10, 0x20, 0x40, 0x80
SLOW = 30  # seconds, on a machine that does much else


def until(what, condition, seconds=SLOW):
    """Waits until condition() is true."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise Failure(f"{what}: not within {seconds} s")
        time.sleep(0.01)
    return value


def serve(name, export):
    """A daemon with this one UART, com2."""
    daemon = Daemon(name)
    daemon.exports = [f"export uart 0x2f8 irq 3 {export.format(folder=daemon.folder)} name com2"]
    daemon.write_config()
    return daemon


def settings(divisor, lcr, mcr=0x0B):
    return (out(LCR, 0x80), out(DATA, divisor & 0xFF), out(IER, divisor >> 8), out(LCR, lcr),
            out(MCR, mcr))


def send(client, data):
    """Byte by byte, each when there is room for it."""
    empty = struct.pack("<II", 0x20, 0x20)
    for byte in data:
        answers = client.request(operation(POLL, LSR, 1, 60000, empty), out(DATA, byte))
        check("statuses", [status for status, _ in answers], [0, 0])


def receive(client, count, seconds=SLOW):
    """So many bytes, polled, with what the line status said of each."""
    got, end = [], time.monotonic() + seconds
    ready = struct.pack("<II", 1, 1)
    while len(got) < count:
        (status, values), = client.request(operation(POLL, LSR, 1, 20000, ready))
        if status == 0:
            got.append((client.inp(DATA), values[0] & 0x1C))
        elif time.monotonic() > end:
            raise Failure(f"{len(got)} of {count} bytes: {got}")
    return got


def check_received(what, client, data):
    check(what, bytes(byte for byte, _ in receive(client, len(data))), data)


# --- a serial port ---


def speed(fd):
    fields = bytearray(44)
    fcntl.ioctl(fd, TCGETS2, fields)
    return struct.unpack("<I", fields[40:44])[0]


class Adapter:
    """A serial port that can be pulled: a pseudo-terminal under a name that stays."""

    def __init__(self, path):
        self.path = path
        self.plug()

    def plug(self):
        self.master, slave = os.openpty()
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(slave))
        self.slave = slave  # until someone else has it open

    def used(self):
        os.close(self.slave)

    def pull(self):
        self.path.unlink()
        os.close(self.master)


def tty():
    """Bytes, speed, format; the adapter is pulled and comes back."""
    daemon = serve("tty", "tty {folder}/ttyUSB0")
    adapter = Adapter(daemon.folder / "ttyUSB0")
    every = bytes(range(256)) + b"\xff\xff\0\xff"
    with daemon:
        adapter.used()
        client = leased(station(), "com2")
        client.request(*settings(1, 3))
        until("speed", lambda: speed(adapter.master) == 115200)
        client.request(*settings(3, 3))
        until("speed", lambda: speed(adapter.master) == 38400)
        send(client, every)
        check("out", read_all(adapter.master, len(every), SLOW), every)
        client.request(*settings(1, 3), out(FCR, 1))
        os.write(adapter.master, every)
        check_received("in", client, every)
        check("modem lines", client.inp(MSR) & 0xF0, CTS | DSR | DCD)

        adapter.pull()
        until("no modem lines", lambda: client.inp(MSR) & 0xF0 == 0)
        daemon.log_line(r"com2: .*ttyUSB0: .*: tried again every second", SLOW)
        send(client, b"lost")  # on a loose cable
        adapter.plug()
        daemon.log_line("com2: .*ttyUSB0 is there again", SLOW)
        adapter.used()
        until("modem lines", lambda: client.inp(MSR) & 0xF0 == CTS | DSR | DCD)
        until("speed", lambda: speed(adapter.master) == 115200)
        send(client, b"again")
        check("out", read_all(adapter.master, 5, SLOW), b"again")
        os.write(adapter.master, b"back")
        check_received("in", client, b"back")
        client.close()
        lines = [line for line in daemon.log_text().splitlines() if "tried again" in line]
        check("lines about it", len(lines), 1)


def tty_comes_later():
    """What is no serial port, or used, is refused; one that is not plugged in yet is awaited."""
    daemon = serve("tty-later", "tty {folder}/ttyUSB0")
    path = daemon.folder / "ttyUSB0"
    path.write_bytes(b"")
    errors = farbus("serve", "-c", daemon.config)[2]
    check("a file", re.findall("error: (.*)", errors),
          [f"export com2: tty {path}: expected a serial port"])
    path.unlink()
    other = Adapter(path)
    fcntl.flock(other.slave, fcntl.LOCK_EX)
    errors = farbus("serve", "-c", daemon.config)[2]
    check("one in use", re.findall("error: (.*)", errors),
          [f"export com2: tty {path}: another program has locked it: expected one that is free"])
    other.used()
    other.pull()
    with daemon:
        daemon.log_line("ttyUSB0: No such file or directory: tried again", SLOW)
        client = leased(station(), "com2")
        check("no modem lines", client.inp(MSR) & 0xF0, 0)
        adapter = Adapter(path)
        daemon.log_line("com2: .*ttyUSB0 is there again", SLOW)
        adapter.used()
        send(client, b"here")
        check("out", read_all(adapter.master, 4, SLOW), b"here")
        client.close()


# --- what a pseudo-terminal has not ---


class Fake:
    """fake_devices.c, preloaded into the daemon, and the file it shares with us."""

    MODEM, GONE, STATUS, DATA, CONTROL, INTERRUPTS = 0, 2, 3, 4, 5, 6

    def __init__(self, daemon):
        library = daemon.folder / "fake_devices.so"
        subprocess.run(["gcc", "-shared", "-fPIC", "-Wall", "-Werror", "-o", library,
                        HERE / "fake_devices.c", "-ldl"], check=True)
        self.state = daemon.folder / "state"
        self.state.write_bytes(bytes(16))
        os.environ.update(LD_PRELOAD=str(library), FAKE_STATE=str(self.state))

    def set(self, at, data):
        with open(self.state, "r+b") as file:
            file.seek(at)
            file.write(data)

    def get(self, at):
        return self.state.read_bytes()[at]

    def done(self):
        """What was done since the last call, a text each."""
        data = self.state.read_bytes()
        lines = data[16:].decode().splitlines()
        with open(self.state, "r+b") as file:
            file.truncate(16)
        return lines

    def await_done(self, *wanted):
        """Waits until all of these were done, in this order, whatever else was."""
        seen = []

        def found():
            seen.extend(self.done())
            rest = iter(seen)
            return all(any(line == w for line in rest) for w in wanted)

        try:
            until("done", found)
        except Failure:
            raise Failure(f"{wanted} is not in {seen}") from None


def tty_lines():
    """Format, break, DTR and RTS go out; modem lines, breaks and bad characters come in."""
    daemon = serve("tty-lines", "tty {folder}/ttyS9")
    adapter = Adapter(daemon.folder / "ttyS9")
    fake = Fake(daemon)
    with daemon:
        client = leased(station(), "com2")
        for lcr, name in ((0x03, "8N1"), (0x1E, "7E2"), (0x0A, "7O1"), (0x29, "6M1"),
                          (0x38, "5S1")):
            client.request(*settings(96, lcr, 0))
            fake.await_done(f"set 1200 {name}", "off 6")
        client.request(*settings(96, 3, 1))
        fake.await_done("on 2", "off 4")
        client.request(out(MCR, 3))
        fake.await_done("on 6", "off 0")
        client.request(out(LCR, 0x43), operation(6, 0, count=1000), out(LCR, 0x03))
        fake.await_done("break", "no break")
        client.request(out(MCR, 0x13))  # looped back: the outputs are at rest
        fake.await_done("off 6")
        client.request(out(MCR, 0x0B), out(IER, 8))
        client.unmask(3)
        fake.set(fake.MODEM, struct.pack("<H", 0x20 | 0x40))  # TIOCM_CTS, TIOCM_CAR
        line, generation = client.wait_event(SLOW)
        check("line", line, 3)
        until("modem lines", lambda: client.inp(MSR) & 0xF0 == CTS | DCD)
        client.eoi(line, generation)
        fake.set(fake.MODEM, struct.pack("<H", 0x100 | 0x80))  # TIOCM_DSR, TIOCM_RNG
        until("modem lines", lambda: client.inp(MSR) & 0xF0 == DSR | RI)
        client.request(out(IER, 0), out(FCR, 1))
        # As the line discipline marks them (termios(3)); to the terminal they are just bytes, and
        # its own FF comes twice.
        os.write(adapter.master, b"a\xffb")
        check("in", receive(client, 3), [(97, 0), (255, 0), (98, 0)])
        client.release()
        fake.await_done("off 6")  # hung up
        client.close()
    adapter.used()


# --- mistakes ---


def bad_lines():
    """One clear line each."""
    daemon = Daemon("bad-lines")
    for line, message in {
            "fax x": r"'fax': expected 'pty LINK', 'tty DEVICE', 'tcp HOST:PORT' or 'listen PORT'",
            "tcp 4001": "'4001': expected a host and a TCP port, as in '10.0.0.7:4001'",
            "tcp :4001": "':4001': expected a host and a TCP port",
            "tcp 10.0.0.7:99999": "'10.0.0.7:99999': expected a host and a TCP port",
            "listen": "'name': expected a TCP port, as in '4001'",
            "listen here": "'here': expected a TCP port, as in '4001'",
            "tcp no.such.host.invalid:4001": "export com9: tcp no.such.host.invalid:4001: ",
            "listen 192.0.2.1:4001": "export com9: listen 192.0.2.1:4001: Cannot assign",
            "tty /": "export com9: tty /: Is a directory"}.items():
        daemon.write_config(f"export uart 0x3e8 irq 4 {line} name com9")
        status, _, errors = farbus("serve", "-c", daemon.config)
        errors = [e for e in errors.splitlines() if " error: " in e]
        check(f"{line}: status", status, 1)
        check(f"{line}: lines", len(errors), 1)
        if message not in errors[0]:
            raise Failure(f"{line}: {errors[0]}")


_CASES = {f.__name__.replace("_", "-"): f for f in (tty, tty_comes_later, tty_lines, bad_lines)}
CASES = {name: lambda name=name: in_namespace(name, __file__) for name in _CASES}

if __name__ == "__main__":
    segment()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    run_case(_CASES[sys.argv[1]])
