# SPDX-License-Identifier: BSD-2-Clause
"""`farbus trace` and `farbus replay` with an emulated PC whose guest is traced.

`host_trace.py NAME` runs one case in a network namespace (host_test.py starts it).
"""

import os
import random
import re
import signal
import struct
import subprocess
import sys
import time

from bad_input_test import boot_floppy
from host_pc import MACS, TAPS, segment
from host_test import (FAR, KEY, NEAR, PROGRAM, Daemon, check, farbus, in_namespace,
                       leased, station)
from host_test import segment as cable
from pc import PC, Failure

import guests
from paths import BUILD, REPO, system_file
from remote import NIC_LINE

NODE = "pc-a"
OUT, INS = 1, 2  # kinds of records


def work(name):
    folder = BUILD / "tests" / f"host-trace-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    key = folder / "key"
    key.write_text(KEY.hex() + "\n")
    key.chmod(0o600)
    return folder


class Trace:
    """`farbus trace` of the PC on the segment into a file."""

    def __init__(self, folder, *words):
        self.file = folder / "trace.pcapng"
        self.log = folder / "trace.log"
        self.file.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [PROGRAM, "trace", "-i", NEAR, "-k", folder / "key", "-w", self.file, NODE, *words],
            stdout=subprocess.DEVNULL, stderr=open(self.log, "wb"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        print(self.log.read_text())

    def packets(self):
        """[(kind, port, bytes behind the head)] that are in the file so far."""
        data = self.file.read_bytes() if self.file.exists() else b""
        at, found = 0, []
        while at + 8 <= len(data):
            block, length = struct.unpack_from("<II", data, at)
            if at + length > len(data):
                break
            if block == 6:
                size = struct.unpack_from("<I", data, at + 20)[0]
                found.append((data[at + 29], *struct.unpack_from("<H", data, at + 32),
                              data[at + 40:at + 28 + size]))
            at += length
        return found

    def blocks(self):
        return sum(kind == INS for kind, _, _ in self.packets())

    def written(self, port):
        return b"".join(rest[:1] for kind, at, rest in self.packets() if (kind, at) == (OUT, port))

    def until(self, what, done, pc, seconds=60):
        def traced():
            if done():
                return True
            if self.process.poll() is not None:
                raise Failure(f"`farbus trace` ended before this: {what}\n{self.log.read_text()}")
            return False

        pc.until(f"{what} in the trace", traced, seconds, self.log.read_text)

    def end(self):
        """(records, lost) that it has said at its end."""
        self.process.send_signal(signal.SIGTERM)
        check("status of farbus trace", self.process.wait(20), 0)
        said = re.search(r"(\d+) records, (\d+) lost, 0 damaged", self.log.read_text())
        return int(said.group(1)), int(said.group(2))


def replay(*words):
    return farbus("replay", *words)


def rows(*words):
    """tshark's fields of a file: time stamps, lengths and comments."""
    run = subprocess.run([system_file("/usr/bin/tshark", "tshark"), *words, "-T", "fields", "-e",
                          "frame.time_epoch", "-e", "frame.len", "-e", "frame.cap_len", "-e",
                          "frame.comment"], capture_output=True, text=True, check=True)
    return [line.split("\t") for line in run.stdout.splitlines()]


def dissected(file, which, *fields):
    """The fields of the records that the display filter takes, by host/farbus.lua."""
    run = subprocess.run([system_file("/usr/bin/tshark", "tshark"), "-X",
                          f"lua_script:{REPO / 'host' / 'farbus.lua'}", "-r", file, "-Y", which,
                          "-T", "fields", *(word for field in fields for word in ("-e", field))],
                         capture_output=True, text=True, check=True)
    return [tuple(line.split("\t")) for line in run.stdout.splitlines()]


def capinfos(file):
    run = subprocess.run([system_file("/usr/bin/capinfos", "wireshark-common"), "-M", file],
                         capture_output=True, text=True, check=True)
    return run.stdout


def uart_rounds(pc, keys):
    for key in keys:
        pc.type(key)
        pc.wait(rf"^{key} done", 60)


LINE = re.compile(r" +\d+\.\d{9}  [0-9a-f]{4}:[0-9a-f]{8}  (\w+) +([0-9a-f]{4})  (\w+)")


def text_of(*words):
    """[(what, port, value)] of `farbus trace` with these words."""
    status, text, errors = farbus("trace", *words)
    check(f"status ({errors})", status, 0)
    found = [LINE.match(line) for line in text.splitlines()]
    return [m.groups() for m in found if m]


def altered(file, target, kind, port):
    """A copy in which one value that was read differs; its record's number."""
    data = bytearray(file.read_bytes())
    at = number = 0
    wanted = bytes([1, kind, 1, 1]) + port.to_bytes(2, "little")
    while at < len(data):
        block, length = struct.unpack_from("<II", data, at)
        if block == 6:
            number += 1
            if data[at + 28:at + 34] == wanted and number > 20:
                data[at + 40] ^= 0x10
                target.write_bytes(data)
                return number
        at += length
    raise Failure(f"no record of port {port:x}")


def held_up(file, target):
    """A copy in which the whole PC stood still for 100 ms while the UART was sending."""
    data = bytearray(file.read_bytes())
    at = number = late = 0
    while at < len(data):
        block, length = struct.unpack_from("<II", data, at)
        if block == 6:
            number += 1
            lsr = bytes([1, 0, 1, 1]) + (0x3FD).to_bytes(2, "little")
            if number > 20 and data[at + 28:at + 34] == lsr and not data[at + 40] & 0x40:
                late = 100_000_000
            high, low = struct.unpack_from("<II", data, at + 12)
            stamp = (high << 32 | low) + late
            struct.pack_into("<II", data, at + 12, stamp >> 32, stamp & 0xFFFFFFFF)
        at += length
    check("a record to hold up", late > 0, True)
    target.write_bytes(data)


def uart():
    """A guest uses COM1; the trace goes to COM2, becomes a file, and is replayed."""
    folder = work("uart")
    line, file, other = (folder / name for name in ("com2", "trace.pcapng", "other.pcapng"))
    line.unlink(missing_ok=True)
    os.environ["HOSTARGS"] = (f"-chardev file,id=com2,path={line} "
                              "-device isa-serial,chardev=com2,index=1")
    with PC("host-trace-uart/pc", FLOPPY=boot_floppy("uart"), RAM="16M",
            CONFIG="trace 0x3f8-0x3ff events to com2 ring 4M") as pc:
        pc.wait("^ready", 120)
        uart_rounds(pc, "ab")
        pc.type("\x1d")
        pc.wait(r"farbus> *\Z", 60)
        pc.type("trace 3\r")
        count = int(pc.wait(r"trace is on, (\d+) records so far", 30).group(1))
        end = time.monotonic() + 60
        while len(text_of("--serial", line, "0x3f8-0x3ff", "events")) < 1 or size_moves(line):
            if time.monotonic() > end:
                raise Failure("COM2 still sends")
    status, _, said = farbus("trace", "--serial", line, "-w", file)
    check("status", status, 0)
    check("all of them, none lost", re.search(r"(\d+) records, (\d+) lost, (\d+) d", said).groups(),
          (str(count), "0", "0"))
    found = rows("-r", file)
    check("packets", len(found), count)
    check("in order", [row[0] for row in found], sorted((row[0] for row in found)))
    info = capinfos(file)
    for pattern in (r"nanoseconds \(9\)", r"USER 0", rf"Number of packets: +{count}\b",
                    r"Capture application: +farbus trace"):
        check(pattern, bool(re.search(pattern, info)), True)
    blocks = [row for row in found if row[1] == str(32 + 16)]
    check("REP OUTSB", len(blocks), 2)
    names = [f"farbus_trace.{name}" for name in ("kind", "width", "route", "register", "device")]
    check("dissected", dissected(file, "farbus_trace.port == 0x3ff", *names, "farbus_trace.value"),
          [("1", "1", "1", "COM1 scratch", "com1", "0x0000005a"),
           ("0", "1", "1", "COM1 scratch", "com1", "0x0000005a")] * 2)
    check("dissected block", dissected(file, "farbus_trace.kind == 3", "farbus_trace.elements",
                                       "farbus_trace.data", "farbus_trace.cs"),
          [("16", b"sixteen letters.".hex(), "0x0000")] * 2)
    check("nothing malformed", dissected(file, "farbus_trace.malformed || _ws.lua.error",
                                         "frame.number"), [])

    status, text, _ = replay("--model", "uart", file)
    check(f"replay: {text}", status, 0)
    held_up(file, other)
    status, text, _ = replay("--model", "uart", other)
    check(f"replay of a PC that was held up: {text}", status, 0)
    number = altered(file, other, 0, 0x3F8)
    status, text, _ = replay("--model", "uart", other)
    check("altered", (status, bool(re.match(rf"record {number}: [0-9a-f]{{4}}:[0-9a-f]{{8}} in "
                                            r"03f8: expected \w\w, got \w\w$", text))), (1, True))
    check("of another device", replay("--model", "lpt", file)[0], 1)

    scratch = text_of("--serial", line, "0x3ff")
    check("scratch register", scratch, [("out", "03ff", "5a"), ("in", "03ff", "5a")] * 2)
    written = text_of("--serial", line, "0x3f8-0x3ff", "out")
    check("writes", {what for what, _, _ in written}, {"out", "outs"})
    check("count", len(text_of("--serial", line, "-n", "7", "in")), 7)
    check("no local ones", text_of("--serial", line, "local"), [])
    damaged(folder, line)


def size_moves(file):
    """Whether a file grows within a second."""
    before = file.stat().st_size
    time.sleep(1)
    return file.stat().st_size != before


def damaged(folder, line):
    """Bytes that are lost on the line are noticed, and the replay says so."""
    data = bytearray(line.read_bytes())
    del data[len(data) // 2:len(data) // 2 + 3]
    other, file = folder / "damaged", folder / "damaged.pcapng"
    other.write_bytes(data)
    status, _, said = farbus("trace", "--serial", other, "-w", file)
    check("damaged packets", re.search(r"(\d+) damaged", said).group(1), "1")
    check("comments", sum("missing here" in row[3] for row in rows("-r", file) if len(row) > 3), 1)
    status, _, said = replay("--model", "uart", file)
    check("replay", (status, "expected a trace without losses" in said), (1, True))


def overflow():
    """A ring that is too small for what a serial port carries: what is lost is counted."""
    folder = work("overflow")
    line, file = folder / "com2", folder / "trace.pcapng"
    line.unlink(missing_ok=True)
    os.environ["HOSTARGS"] = (f"-chardev file,id=com2,path={line} "
                              "-device isa-serial,chardev=com2,index=1")
    with PC("host-trace-overflow/pc", FLOPPY=boot_floppy("ports"), DISK=disk(folder), RAM="16M",
            CONFIG="boot a;trace all to com2 ring 64K") as pc:
        pc.wait("^ready", 120)
        pc.type("a")
        pc.wait(r"^a in .* \.$", 120)
        pc.type("\x1d")
        pc.wait(r"farbus> *\Z", 60)
        while size_moves(line):
            pass
        pc.type("trace 3\r")
        count = int(pc.wait(r"trace is on, (\d+) records so far", 30).group(1))
    status, _, said = farbus("trace", "--serial", line, "-w", file)
    records, lost = map(int, re.search(r"(\d+) records, (\d+) lost, 0 damaged", said).groups())
    check("lost some", lost > 0 and records > 0, True)
    check("none unaccounted for", records + lost, count)
    told = [int(m.group(1)) for row in rows("-r", file) if len(row) > 3
            for m in [re.match(r"(\d+) records were overwritten", row[3])] if m]
    check("in the file", sum(told), lost)
    check("dissected", sum(int(row[0]) for row in dissected(file, "farbus_trace.gap",
                                                            "farbus_trace.lost")), lost)


def disk(folder):
    image = folder / "disk.img"
    image.write_bytes(random.Random(5).randbytes(1 << 20))
    return str(image)


def piped(folder, pc):
    """A filter of its own for one look, live through a pipe; then the PC's own is back."""
    trace = subprocess.Popen([PROGRAM, "trace", "-i", NEAR, "-k", folder / "key", "-w", "-", "-n",
                              "50", NODE, "0x3fd", "in"], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL)
    reader = subprocess.Popen([system_file("/usr/bin/tshark", "tshark"), "-l", "-i", "-",
                               "-Y", "farbus_trace.kind != 10",
                               "-X", f"lua_script:{REPO / 'host' / 'farbus.lua'}", "-T", "fields",
                               "-e", "farbus_trace.port", "-e", "farbus_trace.kind"],
                              stdin=trace.stdout, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True)
    trace.stdout.close()
    end = time.monotonic() + 60
    while trace.poll() is None:
        if time.monotonic() > end:
            trace.kill()
            raise Failure("no 50 records")
        uart_again(pc)
    check("status", trace.wait(), 0)
    check("live", reader.communicate(timeout=60)[0].split("\n"), ["0x03fd\t0"] * 50 + [""])
    end = time.monotonic() + 60
    while "03fd" in last_ports(pc):
        if time.monotonic() > end:
            raise Failure(f"the PC's own filter is not back:\n{pc.text()}")
        uart_again(pc)


def last_ports(pc):
    """The ports of the monitor's newest records, which are on."""
    pc.type("\x1d")
    pc.wait(r"farbus> *\Z", 60)
    pc.type("trace 10\r")
    pc.wait(r"trace is on, (\d+) records so far\n(.*\n)*farbus> *\Z", 30)
    ports = re.findall(r"^[0-9a-f]{4}:[0-9a-f]{8}  (?:in|out|ins) +([0-9a-f]{4})", pc.text(), re.M)
    pc.type("continue\r")
    return ports[-10:]


def uart_again(pc):
    """Another round of the guest's."""
    pc.type("a")
    pc.settle(0.5, 10)


def ata():
    """A guest reads a disk; the channel's trace is replayed against the model with that disk."""
    folder = work("ata")
    image = disk(folder)
    with PC("host-trace-ata/pc", FLOPPY=boot_floppy("ports"), DISK=image, RAM="16M",
            NIC=f"{TAPS[0]}/{MACS[0]}",
            CONFIG=";".join([NIC_LINE, f"key {KEY.hex()}", f"offer trace as {NODE}", "boot a",
                             "trace 0x1f0-0x1f7,0x3f6 events ring 4M"])) as pc:
        pc.wait("^ready", 120)
        pc.type("a")
        pc.wait(r"^a in .* \.$", 120)
        with Trace(folder, "0x1f0-0x1f7,0x3f6", "events") as trace:
            trace.until("200 blocks", lambda: trace.blocks() >= 200, pc)
            records, lost = trace.end()
        piped(folder, pc)
    check("lost", lost, 0)
    status, text, errors = replay("--model", "ata", "--disk", image, trace.file)
    check(f"replay: {text}{errors}", status, 0)
    other = folder / "other.img"
    data = bytearray((folder / "disk.img").read_bytes())
    data[512 + 77] ^= 1
    other.write_bytes(data)
    status, text, _ = replay("--model", "ata", "--disk", other, trace.file)
    check("another disk", (status, bool(re.search(r"ins 01f0, byte 77: expected", text))),
          (1, True))


def dlx():
    """DLX's UART and disk over Ethernet, from its start on and live."""
    folder = work("dlx")
    with PC("host-trace-dlx/pc", GUEST="dlx", NIC=f"{TAPS[0]}/{MACS[0]}",
            CONFIG=";".join([NIC_LINE, f"key {KEY.hex()}", f"offer trace as {NODE}",
                             "trace 0x3f8-0x3ff,0x1f0-0x1f7,0x3f6 events ring 32M"])) as pc:
        pc.wait_prompt("dlx login: ", 240)
        with Trace(folder, "0x3f8-0x3ff,0x1f0-0x1f7,0x3f6", "events") as trace:
            pc.type("root\r")
            pc.wait_prompt(r"dlx:~# ", 60)
            pc.type("echo hello from dlx > /dev/ttyS0; echo $?\r")
            pc.wait(r"^0$", 60)
            trace.until("what was written",
                        lambda: b"hello from dlx" in trace.written(0x3F8), pc)
            records, lost = trace.end()
    check("lost", lost, 0)
    check("packets", len(rows("-r", trace.file)), records)
    for words in (("--model", "uart"), ("--model", "ata", "--disk", guests.dlx_image(),
                                        "--geometry", "306/4/17")):
        status, text, said = replay(*words, trace.file)
        check(f"{words}: {text}", (status, said), (0, ""))
    status, text, _ = replay("--model", "uart", altered_to(trace.file, folder))
    check("altered", (status, bool(re.match(r"record \d+: .* expected", text))), (1, True))


def made_up(file, accesses, ms=1):
    """A pcapng file with accesses of bytes, so far apart: [(kind, port, value)]."""
    def block(kind, body):
        size = struct.pack("<I", len(body) + 12)
        return struct.pack("<I", kind) + size + body + size

    data = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    data += block(1, struct.pack("<HHIHHBxxxI", 147, 0, 0, 9, 1, 9, 0))
    for number, (kind, port, value) in enumerate(accesses):
        record = struct.pack("<BBBBHHII16s", 1, kind, 1, 1, port, 0x10, 0x1000, value, b"com1")
        data += block(6, struct.pack("<IIIII", 0, 0, number * ms * 1000000, 32, 32) + record)
    file.write_bytes(data)
    return file


def peer():
    """A replay on what `farbus serve` lends out: equal, and not; what cannot be had."""
    folder = work("peer")
    with Daemon("trace-peer") as daemon:
        words = ("--peer", "com2", "-i", FAR, "-k", daemon.key)
        accesses = [(1, 0x2FF, 0x5A), (0, 0x2FF, 0x5A), (1, 0x2FB, 0x80), (1, 0x2F8, 3),
                    (0, 0x2F8, 3), (1, 0x2FB, 3), (0, 0x2FB, 3), (0, 0x2FD, 0x60)]
        good = made_up(folder / "good.pcapng", accesses)
        check("equal", replay(*words, good), (0, "8 accesses, no difference\n", ""))
        other = made_up(folder / "other.pcapng", accesses[:6] + [(0, 0x2FB, 0x13)] + accesses[7:])
        check("not", replay(*words, "--fast", other)[:2],
              (1, "record 7: 0010:00001000 in 02fb: expected 13, got 03\n"))
        client = leased(station(), "com2")
        check("held", replay(*words, good)[0::2],
              (1, "farbus: error: replay: no lease on com2: somebody else has it\n"))
        client.release()
        client.close()
        check("nobody", "nobody on fb1 lends out 'com9'" in replay(
            "--peer", "com9", *words[2:], good)[2], True)


def models():
    """What a trace does not say: late timers, bytes from outside; and what must differ."""
    file = work("models") / "made-up.pcapng"

    def played(model, *accesses, ms=1):
        return replay("--model", model, made_up(file, accesses, ms))[:2]

    equal = (0, "5 accesses, no difference\n")
    printed = [(1, 0x378, 0x41), (1, 0x37A, 0x0D), (0, 0x379, 0x98), (0, 0x379, 0xD8)]
    check("printed", played("lpt", *printed, (0, 0x378, 0x41)), equal)
    # The printer may be late with its ACK#, but not by a second.
    late = [(0, 0x379, 0x58)]
    check("late", played("lpt", *printed[:2], *late * 2, (0, 0x379, 0x98)), equal)
    check("too late", played("lpt", *printed[:2], *late * 30, ms=50),
          (1, "record 23: 0010:00001000 in 0379: expected 58, got 98\n"))
    status = (0, 0x3FD, 0x60)
    check("received", played("uart", status, (0, 0x3FD, 0x61), (0, 0x3F8, 0x7E), status, status),
          equal)
    check("cable", played("uart", *[(0, 0x3FE, 0xB0)] * 5), equal)
    check("never received", played("uart", status, (0, 0x3FD, 0x61)),
          (1, "record 2: 0010:00001000 in 03fd: expected 61, got 60\n"))
    check("scratch", played("uart", (1, 0x3FF, 1), (0, 0x3FF, 2)),
          (1, "record 2: 0010:00001000 in 03ff: expected 02, got 01\n"))


def altered_to(file, folder):
    altered(file, folder / "other.pcapng", 0, 0x3FD)
    return folder / "other.pcapng"


def wrong():
    """One clear line for each mistake."""
    folder = work("wrong")
    bad = folder / "bad.pcapng"
    bad.write_bytes(b"no such file format")
    for words, expected, status in (
            (("trace",), "expected either -k FILE or --insecure, or --serial FILE", 2),
            (("trace", "--serial", "x", "-i", NEAR), "expected either --serial or a NODE", 2),
            (("trace", "--insecure"), "expected the NODE", 2),
            (("trace", "--serial", "x", "0x10000"), "'0x10000': expected all, events, in", 2),
            (("trace", "--serial", "x", "-n", "0"), "'0': expected a number of records", 2),
            (("trace", "--serial", folder / "nothing"), "No such file", 1),
            (("replay", "x"), "expected either --model KIND or --peer NAME", 2),
            (("replay", "--model", "vga", "x"), "'vga': expected uart, lpt or ata", 2),
            (("replay", "--model", "uart"), "expected one FILE", 2),
            (("replay", "--model", "ata", "--geometry", "1/2", "x"), "'1/2': expected cyl", 2),
            (("replay", "--model", "uart", folder / "nothing"), "No such file", 1),
            (("replay", "--model", "uart", bad), "expected a pcapng file", 1),
            (("replay", "--peer", "nobody", "--insecure", "-i", NEAR, bad), "a pcapng file", 1)):
        got, text, errors = farbus(*words)
        lines = errors.splitlines()
        check(f"{words}: {errors}", (got, text, expected in lines[0]), (status, "", True))


_CASES = {f.__name__: f for f in (uart, overflow, ata, dlx, models, peer, wrong)}
CASES = {name: lambda name=name: in_namespace(name, __file__) for name in _CASES}

if __name__ == "__main__":
    cable() if sys.argv[1] == "peer" else segment()
    _CASES[sys.argv[1]]()
