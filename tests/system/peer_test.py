# SPDX-License-Identifier: BSD-2-Clause
"""Peer mode as another implementation of the protocol sees it (protocol.py), over the real card."""

import random
import re
import shutil
import struct
import threading
import time

import pyte
from pc import BUILD, Failure, limit
from protocol import (BROADCAST, IN, INS, IRQ_MASK, MEM_READ, OUT, PCI_READ, PCI_WRITE, POLL, QUIESCE,
                      REQ, RESET, Client, Unanswered, operation)

import peer
import remote
from hardware import Nic
from relay import Relay

KEY = bytes(range(7, 39))
MAC_B = "52:54:00:fa:00:0b"
HELD = 2  # LEASE's status
COM2, IDE1, LPT1 = 0x2F8, 0x170, 0x378
LINE = {"com2": 3, "ide1": 15, "lpt1": 7}


def check(what, found, wanted):
    if found != wanted:
        raise Failure(f"{what}: {found!r} instead of {wanted!r}")


class Segment:
    """PC B in peer mode, and `count` stations of ours."""

    def __init__(self, name, host, count=1, config=None, key=KEY, form="snap"):
        out = BUILD / "tests" / f"peer-{name}-{host}"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        names = [f"station{i}" for i in range(count)]
        self.relay = Relay(["b"] + names, pcap=out / "segment.pcap")
        lines = config or remote.peer_lines(key.hex(), tuple(LINE))
        self.peer = peer.Peer(out / "peer", host, Nic(self.relay.ports["b"].pc_port, MAC_B), lines)
        self.stations = [Client(self.relay.ports[n].pc_port, bytes([0x52, 0x54, 0, 0, 1, i]), key,
                                form) for i, n in enumerate(names)]

    def __enter__(self):
        self.relay.start()
        self.peer.start()
        return self

    def __exit__(self, *_):
        for station in self.stations:
            station.close()
        self.peer.end()
        self.relay.stop()
        print(self.relay.report())
        print("\n".join(self.peer.log()))

    def log_line(self, pattern, seconds=5):
        end = limit(seconds)
        while not any(re.search(pattern, line) for line in self.peer.log()):
            if time.monotonic() > end:
                raise Failure(f"no line /{pattern}/ in the peer's log")
            time.sleep(0.05)

    def screen(self):
        screen = pyte.Screen(80, 25)
        pyte.ByteStream(screen).feed((self.peer.out / "b.screen").read_bytes())
        return "\n".join(line.rstrip() for line in screen.display)

    def shows(self, pattern, seconds=5):
        end = limit(seconds)
        while not re.search(pattern, self.screen(), re.MULTILINE):
            if time.monotonic() > end:
                raise Failure(f"no /{pattern}/ on the peer's screen:\n{self.screen()}")
            time.sleep(0.1)


def out(port, value, width=1):
    return operation(OUT, port, width, data=value.to_bytes(width, "little"))


def start_uart(client):
    """115200 baud, 8N1, OUT2 on; the transmitter's interrupt comes at once."""
    client.request(out(COM2 + 3, 0x83), out(COM2, 1), out(COM2 + 1, 0), out(COM2 + 3, 3),
                   out(COM2 + 4, 0x0B))
    client.unmask(LINE["com2"])
    client.out(COM2 + 1, 2)


def take_interrupt(client, line):
    """The event; then its cause is read and its end told, as a guest's handler would."""
    found, generation = client.wait_event()
    check("line", found, line)
    return generation


def send_by_interrupts(client, text):
    for byte in text:
        generation = take_interrupt(client, LINE["com2"])
        check("IIR", client.inp(COM2 + 2) & 7, 2)
        client.out(COM2, byte)
        client.eoi(LINE["com2"], generation)


def uart(host):
    """Bytes leave COM2, each by its interrupt; what is not in the lease is refused."""
    text = b"carried out once, and told of by interrupts\r\n"
    with Segment("uart", host) as segment:
        client, = segment.stations
        server, _, name, exports = client.discover(30)
        check("name", name, remote.NAME_B)
        check("exports", sorted(exports), sorted(LINE))
        check("com2", exports["com2"], (1 << 3, 0, 0, [(0x2F8, 0x2FF)]))
        check("lease", client.lease(server, "com2"), 0)
        check("held", client.discover()[3]["com2"][2], 1)
        start_uart(client)
        send_by_interrupts(client, text)
        take_interrupt(client, LINE["com2"])
        check("a port of nobody's", client.inp(0x300), None)
        check("a port of another's", client.inp(IDE1 + 7), None)
        check("half in the lease", client.inp(COM2 + 7, 2), None)
        check("another's line", client.request(operation(IRQ_MASK, 15))[0][0], 2)
        segment.shows(r"^com2 +UART +2f8-2ff +3 +- +%d$" % (len(text) + 1))
        segment.shows(r"^  52:54:00:00:01:00 for 0:00:\d\d: \d+ operations, 4 refused, ")
        client.release()
        segment.log_line(r"com2 given back by 52:54:00:00:01:00 after")
        check("bytes at COM2", segment.peer.wire.taken(), text)


def disk(host):
    """IDENTIFY and a sector of B's disk: an interrupt each, the data as one block."""
    with Segment("disk", host) as segment:
        client, = segment.stations
        server = client.discover(30)[0]
        check("lease", client.lease(server, "ide1"), 0)
        client.unmask(LINE["ide1"])
        wait_idle = operation(POLL, IDE1 + 7, 1, 60000, struct.pack("<II", 0x80, 0))
        wait_data = operation(POLL, IDE1 + 7, 1, 60000, struct.pack("<II", 0x88, 8))
        for lba in (0, 1, 7):
            answers = client.request(
                out(IDE1 + 0x206, 8), wait_idle, out(IDE1 + 6, 0xE0), out(IDE1 + 2, 1),
                out(IDE1 + 3, lba), out(IDE1 + 4, 0), out(IDE1 + 5, 0), out(IDE1 + 7, 0x20),
                wait_data)
            check("statuses", [status for status, _ in answers], [0] * 9)
            generation = take_interrupt(client, LINE["ide1"])
            (_, _), (_, data) = client.request(operation(IN, IDE1 + 7),
                                               operation(INS, IDE1, 2, 256))
            client.eoi(LINE["ide1"], generation)
            with open(segment.peer.disk, "rb") as image:
                image.seek(512 * lba)
                check(f"sector {lba}", data == image.read(512), True)


ROM, IDE = 0xC0000, 0x0009  # the VGA's ROM; 00:01.1, the IDE controller of the PIIX3


def memory(host):
    """Memory and PCI registers of an export; what is not in it, and a bus master, are refused."""
    lines = remote.network_lines(KEY.hex()) + [
        f"peer {remote.NAME_B}",
        f"export 0x170-0x177 mem {ROM:#x}-{ROM + 0xfff:#x} pci 00:01.1 name ide"]
    with Segment("memory", host, config=lines) as segment:
        client, = segment.stations
        server = client.discover(30)[0]
        check("lease", client.lease(server, "ide"), 0)
        check("ROM", client.request(operation(MEM_READ, ROM, 1, 2)), [(0, b"\x55\xaa")])
        check("the same", client.request(operation(MEM_READ, ROM, 2, 1)), [(0, b"\x55\xaa")])
        check("behind it", client.request(operation(MEM_READ, ROM + 0xFFE, 4, 1))[0][0], 2)
        check("RAM", client.request(operation(MEM_READ, 0x100000, 4, 1))[0][0], 2)
        register = IDE << 8
        check("IDs", client.request(operation(PCI_READ, register, 4)),
              [(0, bytes.fromhex("86801070"))])
        check("device", client.request(operation(PCI_READ, register + 3, 1)), [(0, b"\x70")])
        ones = operation(PCI_WRITE, register + 4, 2, data=b"\xff\xff")
        check("command", client.request(ones), [(0, b"")])
        command, = client.request(operation(PCI_READ, register + 4, 2))[0][1:]
        check("bus master, ports", command[0] & 5, 1)
        check("BAR", client.request(operation(PCI_WRITE, register + 0x20, 4, data=bytes(4)))[0][0], 2)
        check("another's", client.request(operation(PCI_READ, 0, 4))[0][0], 2)


def takes_turns(host):
    """A second client is refused until the first gives back; a silent one loses its lease."""
    with Segment("turns", host, 2) as segment:
        one, two = segment.stations
        server = one.discover(30)[0]
        check("first", one.lease(server, "com2"), 0)
        start_uart(one)
        take_interrupt(one, LINE["com2"])
        check("second", two.lease(server, "com2"), HELD)
        check("another export", two.lease(server, "lpt1"), 0)
        two.release()
        one.release()
        check("after the release", two.lease(server, "com2"), 0)
        check("at rest: IER, MCR", [two.inp(COM2 + 1), two.inp(COM2 + 4)], [0, 0])
        start_uart(two)
        segment.log_line(r"com2 taken back, silence of 52:54:00:00:01:01 after 1\d s", 60)
        check("after the silence", one.lease(server, "com2"), 0)
        check("at rest: IER, MCR", [one.inp(COM2 + 1), one.inp(COM2 + 4)], [0, 0])
        for _ in range(3):  # renewed, it lasts
            time.sleep(4)
            one.renew()
        check("still there", one.inp(COM2 + 1), 0)


def at_rest(host):
    """RESET and QUIESCE at the usual ports, and what the next holder finds."""
    with Segment("rest", host) as segment:
        client, = segment.stations
        server = client.discover(30)[0]
        check("lease", client.lease(server, "lpt1"), 0)
        client.out(LPT1 + 2, 0x1D)  # interrupt on, strobe on
        check("control", client.inp(LPT1 + 2) & 0x1F, 0x1D)
        client.request(operation(QUIESCE, 0))
        check("control at rest", client.inp(LPT1 + 2) & 0x1F, 0x0C)
        client.out(LPT1 + 2, 0x1D)
        client.release()
        check("lease anew", client.lease(server, "lpt1"), 0)
        check("control after a lease", client.inp(LPT1 + 2) & 0x1F, 0x0C)
        client.release()
        check("lease", client.lease(server, "com2"), 0)
        client.request(out(COM2 + 3, 0x83), out(COM2, 1), out(COM2 + 1, 0), out(COM2 + 4, 0x0B))
        client.request(operation(RESET, 0))
        check("LCR, IER, MCR", [client.inp(COM2 + n) for n in (3, 1, 4)], [0, 0, 0])
        client.release()
        check("lease", client.lease(server, "ide1"), 0)
        client.request(out(IDE1 + 6, 0xA0), out(IDE1 + 4, 0x55))
        client.request(operation(RESET, 0),
                       operation(POLL, IDE1 + 7, 1, 60000, struct.pack("<II", 0x80, 0)))
        check("cylinder low of a disk after its reset", client.inp(IDE1 + 4), 0)


def power_cycle(host):
    """Another power-on is another epoch, and knows nothing of the old session."""
    with Segment("power", host) as segment:
        client, = segment.stations
        server, epoch, _, _ = client.discover(30)
        check("lease", client.lease(server, "com2"), 0)
        old = dict(client.__dict__)
        segment.peer.kill()
        segment.peer.start()
        try:
            client.request(operation(IN, COM2 + 5))
            raise Failure("a request of a session before the power-on was answered")
        except Unanswered:
            pass
        client.session_keys = None
        if client.discover()[1] == epoch:
            raise Failure(f"the epoch {epoch:08x} came twice")
        check("lease anew", client.lease(server, "com2"), 0)
        if client.session_keys == old["session_keys"]:
            raise Failure("the session's keys came twice")
        check("line status", client.inp(COM2 + 5) & 0x60, 0x60)


def strangers(host):
    """Without the key nothing is answered, and it is counted; each form of frame is understood."""
    with Segment("strangers", host) as segment:
        client, = segment.stations
        good = client.greeting
        client.greeting = {side: bytes(16) for side in good}
        try:
            client.discover(2)
            raise Failure("a HELLO with the wrong key was answered")
        except Unanswered:
            pass
        segment.shows(r"^Dropped: tag \d+$")
        client.greeting = good
        for form in ("snap", "raw", "ether2"):
            client.form = form
            server = client.discover(10)[0]
            check(f"lease by {form}", client.lease(server, "com2"), 0)
            check("line status", client.inp(COM2 + 5) & 0x60, 0x60)
            client.release()
        client.send(REQ, b"", to=BROADCAST, keys=good)
        segment.shows(r"^Dropped: .*address 1")


def flood(host):
    """A storm of noise and of damaged copies of good frames: what is asked for is done once."""
    text = bytes(range(256)) * (12 if host == "qemu" else 1)
    with Segment("flood", host, 2) as segment:
        client, storm = segment.stations
        storm.server = server = client.discover(30)[0]
        check("lease", client.lease(server, "com2"), 0)
        client.request(out(COM2 + 3, 0x83), out(COM2, 1), out(COM2 + 1, 0), out(COM2 + 3, 3))
        stop = threading.Event()
        thread = threading.Thread(target=_storm, args=(storm, lambda: client.last, stop, FLOOD[host]))
        thread.start()
        try:
            for byte in text:
                answers = client.request(
                    operation(POLL, COM2 + 5, 1, 50000, struct.pack("<II", 0x20, 0x20)),
                    out(COM2, byte))
                check("statuses", [status for status, _ in answers], [0, 0])
        finally:
            stop.set()
            thread.join()
        client.release()
        check("bytes at COM2", segment.peer.wire.taken() == text, True)
        segment.shows(r"^Dropped: .*tag \d+")


# Frames a second. Bochs's card takes one in a millisecond of its own, which the storm must leave
# some of.
FLOOD = {"qemu": 20000, "bochs": 500}


def _storm(storm, last, stop, rate):
    rng, begin, count = random.Random(2), time.monotonic(), 0
    while not stop.is_set():
        good = last()
        if good and rng.random() < 0.7:
            bad = bytearray(good)
            for _ in range(rng.randrange(1, 4)):
                bad[rng.randrange(12, len(bad))] ^= 1 << rng.randrange(8)
        else:
            bad = bad_frames(storm, rng)[rng.choice(("foreign", "tag", "session", "version"))]
        storm.socket.sendto(bytes(bad), storm.remote)
        count += 1
        time.sleep(max(begin + count / rate - time.monotonic(), 0))


def polled(host):
    """With another line than the card's, that is one warning, and all works."""
    lines = [line.replace("irq 10", "irq 5") for line in remote.peer_lines(KEY.hex(), tuple(LINE))]
    with Segment("polled", host, config=lines) as segment:
        client, = segment.stations
        server = client.discover(30)[0]
        segment.log_line(r"warning: nic: no interrupt on irq 5: .*\(it is on irq 10\)")
        check("lease", client.lease(server, "com2"), 0)
        start_uart(client)
        send_by_interrupts(client, b"polled")
        take_interrupt(client, LINE["com2"])
        client.release()
        check("bytes at COM2", segment.peer.wire.taken(), b"polled")


def bad_frames(client, rng):
    """A frame for each reason to drop one, with the reason."""
    me, you = client.mac, client.server
    header = struct.pack("<HBBHHIIHBB", 0x4246, 0x10, REQ, 999, 0, 0, 0, 8, 0, 0)

    def frame(payload, to=you, source=me, length=None):
        return (to + source + struct.pack(">H", length or len(payload) + 8)
                + b"\xaa\xaa\x03\0\0\0\x88\xb5" + payload).ljust(60, b"\0")

    noise = bytes(rng.randrange(256) for _ in range(rng.randrange(28, 1400)))
    return {
        "foreign": you + me + b"\x08\x00" + noise.ljust(46, b"\0"),
        "address": frame(header + bytes(8), source=BROADCAST),
        "short": frame(header[:6] + b"\xff\x00" + header[8:] + bytes(8)),
        "version": frame(header[:2] + b"\x20" + header[3:] + bytes(8)),
        "type": frame(header[:3] + b"\x63" + header[4:] + bytes(8)),
        "direction": frame(header[:2] + b"\x11" + header[3:] + bytes(8)),
        "session": frame(header + noise[:8]),
        "tag": frame(header[:3] + b"\x01" + header[4:6] + b"\x10\0" + header[8:] + noise[:24]),
    }


def counters(host):
    """Every bad frame is counted under its reason, and none of them does anything."""
    with Segment("counters", host) as segment:
        client, = segment.stations
        server = client.discover(30)[0]
        check("lease", client.lease(server, "com2"), 0)
        rng = random.Random(1)
        for _ in range(25):
            for frame in bad_frames(client, rng).values():
                client.socket.sendto(frame, client.remote)
            check("alive", client.inp(COM2 + 5) & 0x60, 0x60)
        reasons = sorted(bad_frames(client, rng))
        for reason in reasons:
            segment.shows(rf"^(Dropped:|  ).* {reason} 25\b")


CASES = {f"{case.__name__.replace('_', '-')}-{host}": lambda case=case, host=host: case(host)
         for case in (uart, disk, memory, takes_turns, at_rest, power_cycle, strangers, polled,
                      counters, flood) for host in ("qemu", "bochs")}
