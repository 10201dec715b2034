# SPDX-License-Identifier: BSD-2-Clause
"""The relay itself, with sockets in the place of emulators."""

import socket
import struct
import time

from pc import Failure, BUILD

from relay import Faults, Relay, frame_type


class Station:
    """What an emulator's network backend does."""

    def __init__(self, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", port.pc_port))
        self.target = ("127.0.0.1", port.hub_port)

    def send(self, frame):
        self.socket.sendto(frame, self.target)

    def receive(self, seconds=1.0):
        """The next frame, None when none comes in that time."""
        self.socket.settimeout(seconds)
        try:
            return self.socket.recv(2048)
        except TimeoutError:
            return None


def frame(number, kind=9):
    """A request (or another type) in SNAP form that carries a number."""
    body = b"FB" + bytes([0x10, kind]) + bytes(4) + struct.pack("<II", number, ~number & 0xFFFFFFFF)
    body += bytes(4)
    return bytes(12) + struct.pack(">H", 8 + len(body)) + b"\xaa\xaa\x03\0\0\0\x88\xb5" + body


def number(data):
    return struct.unpack_from("<I", data, 30)[0]


def expect(right, what):
    if not right:
        raise Failure(what)


def passed(faults, count=400, seed=7):
    """The frames that arrive of `count` sent, in their order."""
    with Relay(["a", "b"], seed, faults) as relay:
        a, b = (Station(relay.ports[name]) for name in "ab")
        got = []
        for i in range(count):
            a.send(frame(i))
            if i % 50 == 49:  # no more than a socket holds
                while (data := b.receive(0.15)) is not None:
                    got.append(data)
        return got, relay.ports["a"].fates


def plain():
    got, _ = passed(Faults())
    expect(got == [frame(i) for i in range(400)], f"{len(got)} of 400 frames, or not in order")


def three_stations():
    """What one sends goes to the two others and not back; injected frames go where they should."""
    with Relay(["a", "b", "c"]) as relay:
        a, b, c = (Station(relay.ports[name]) for name in "abc")
        b.send(frame(1))
        expect(a.receive() == frame(1) and c.receive() == frame(1), "a copy is missing")
        expect(b.receive(0.1) is None, "a frame came back to its sender")
        relay.inject(frame(2), to="c")
        expect(c.receive() == frame(2) and a.receive(0.1) is None, "injected to the wrong one")


def faults():
    """Each kind about as often as told, alone, and the same again with the same seed."""
    for kind, fate in (("drop", "dropped"), ("duplicate", "duplicated"), ("reorder", "reordered"),
                       ("corrupt", "corrupted")):
        got, fates = passed(Faults(**{kind: 0.2}))
        expect(50 <= fates[fate] <= 110, f"{kind} 20 %: {fates[fate]} of 400")
        again, fates_again = passed(Faults(**{kind: 0.2}))
        expect(fates_again == fates and sorted(again) == sorted(got), f"{kind}: not repeatable")
        right = [data for data in got if data == frame(number(data) % 400)]
        numbers = [number(data) for data in right]
        if kind == "drop":
            expect(len(got) == 400 - fates[fate] and numbers == sorted(numbers), "drop")
        elif kind == "duplicate":
            expect(len(got) == 400 + fates[fate] and set(numbers) == set(range(400)), "duplicate")
        elif kind == "reorder":
            expect(numbers != sorted(numbers) and sorted(numbers) == list(range(400)), "reorder")
        else:
            expect(len(got) == 400 and len(right) == 400 - fates[fate], "corrupt")


def delays():
    with Relay(["a", "b"], faults=Faults(delay=(0.1, 0.2))) as relay:
        a, b = (Station(relay.ports[name]) for name in "ab")
        began = time.monotonic()
        a.send(frame(1))
        expect(b.receive() == frame(1), "no frame")
        took = time.monotonic() - began
        expect(0.1 <= took < 0.6, f"{took:.3f} s")


def cut_and_counted():
    pcap = BUILD / "tests" / "images" / "relay.pcap"
    pcap.parent.mkdir(parents=True, exist_ok=True)
    with Relay(["a", "b"], pcap=pcap) as relay:
        a, b = (Station(relay.ports[name]) for name in "ab")
        relay.cut("b")
        a.send(frame(1))
        expect(b.receive(0.2) is None, "a frame through a cut wire")
        relay.join("b")
        a.send(frame(2))
        expect(b.receive() == frame(2), "no frame through a joined wire")
        relay.filter = lambda name, data: not (name == "b" and frame_type(data) == "REP")
        b.send(frame(3, kind=10))
        b.send(frame(4, kind=1))
        b.send(b"\xff" * 60)
        expect(a.receive() == frame(4, kind=1) and a.receive() == b"\xff" * 60, "filter")
        expect(relay.counts() == {"a": {"REQ": 2}, "b": {"REP": 1, "HELLO": 1, "other": 1}},
               f"{relay.counts()}")
        expect(relay.ports["b"].fates["filtered"] == 1 and relay.ports["a"].fates["cut"] == 1,
               relay.report())
    sizes = sum(16 + len(frame(0)) for _ in range(4)) + 16 + 60
    expect(pcap.stat().st_size == 24 + sizes, f"the pcap has {pcap.stat().st_size} bytes")


CASES = {"plain": plain, "three-stations": three_stations, "faults": faults, "delays": delays,
         "cut-and-counted": cut_and_counted}
