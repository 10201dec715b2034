# SPDX-License-Identifier: BSD-2-Clause
"""A second client of the remote-port protocol, written from docs/protocol.md alone.

It speaks through a UDP socket as QEMU's `-netdev dgram` does: one Ethernet frame a datagram. It asks
one question at a time and repeats it until it is answered.
"""

import hashlib
import os
import socket
import struct
import time

MAGIC, VERSION = 0x4246, 1
(HELLO, OFFER, AUTH1, AUTH2, AUTH3, LEASE, RENEW, RELEASE, REQ, REP, PENDING, CANCEL, EVT, EVACK, NAK,
 PING, PONG) = range(1, 18)
IN, OUT, INS, OUTS, POLL, DELAY = range(1, 7)
MEM_READ, MEM_WRITE, PCI_READ, PCI_WRITE = range(7, 11)
IRQ_MASK, IRQ_UNMASK, IRQ_EOI = 11, 12, 13
RESET, QUIESCE = 17, 18
BROADCAST = b"\xff" * 6


class Unanswered(Exception):
    """The other side said nothing in time."""


def siphash(key, data):
    """SipHash-2-4, 8 bytes."""
    mask = (1 << 64) - 1
    k0, k1 = struct.unpack("<QQ", key)
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261,
         k1 ^ 0x7465646279746573]

    def rotate(x, n):
        return (x << n | x >> (64 - n)) & mask

    def rounds(count):
        for _ in range(count):
            v[0] = (v[0] + v[1]) & mask
            v[2] = (v[2] + v[3]) & mask
            v[1], v[3] = rotate(v[1], 13) ^ v[0], rotate(v[3], 16) ^ v[2]
            v[0] = rotate(v[0], 32)
            v[2] = (v[2] + v[1]) & mask
            v[0] = (v[0] + v[3]) & mask
            v[1], v[3] = rotate(v[1], 17) ^ v[2], rotate(v[3], 21) ^ v[0]
            v[2] = rotate(v[2], 32)

    whole = len(data) // 8 * 8
    last = data[whole:].ljust(7, b"\0") + bytes([len(data) & 0xFF])
    for (word,) in struct.iter_unpack("<Q", data[:whole] + last):
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 0xFF
    rounds(4)
    return struct.pack("<Q", v[0] ^ v[1] ^ v[2] ^ v[3])


def _keys(key, text):
    digest = hashlib.blake2s(text, key=key).digest()
    return {"to server": digest[:16], "to client": digest[16:]}


def operation(code, address, width=1, count=0, data=b"", note=0):
    """A descriptor with its data."""
    return (struct.pack("<BBHI", code, width | note << 4, count, address) + data
            + b"\0" * (-len(data) % 4))


def name16(name):
    return name.encode().ljust(16, b"\0")


class Client:
    """One station: receives at UDP port `port` of 127.0.0.1, sends to the next one."""

    def __init__(self, port, mac, key=bytes(32), form="snap"):
        self.socket, self.remote = self._connect(port)
        self.mac, self.key, self.form = mac, key, form
        self.greeting = _keys(key, b"farbus greeting 1\0")
        self.session = self.sequence = self.renewals = 0
        self.session_keys = None
        self.server = None
        self.last = b""  # the frame sent last
        self.events = []  # (line, generation) in their order
        self.events_next = 0
        self.epoch = struct.unpack("<I", os.urandom(4))[0]

    @staticmethod
    def _connect(port):
        """A socket that receives our frames, and the address that they are sent to."""
        station = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        station.bind(("127.0.0.1", port))
        return station, ("127.0.0.1", port + 1)

    # --- frames ---

    def send(self, kind, body=b"", to=None, sequence=0, keys=None, operations=0, tries=0):
        to = to or self.server
        keys = keys or (self.session_keys if kind not in (HELLO, AUTH1) else self.greeting)
        header = struct.pack("<HBBHHIIHBB", MAGIC, VERSION << 4, kind, self.session, len(body),
                             sequence, self.events_next, 8, operations, tries)
        payload = header + body
        payload += siphash(keys["to server"], to + self.mac + payload)
        if self.form == "snap":
            snap = b"\xaa\xaa\x03\0\0\0\x88\xb5"
            frame = to + self.mac + struct.pack(">H", len(payload) + 8) + snap + payload
        elif self.form == "raw":
            frame = to + self.mac + struct.pack(">H", len(payload)) + payload
        else:
            frame = to + self.mac + b"\x88\xb5" + payload
        self.last = frame.ljust(60, b"\0")
        self.socket.sendto(self.last, self.remote)

    def receive(self, seconds):
        """(type, header fields, body, source) of the next good frame, None after so long."""
        end = time.monotonic() + seconds
        while True:
            left = end - time.monotonic()
            if left <= 0:
                return None
            self.socket.settimeout(left)
            try:
                frame = self.socket.recv(2048)
            except TimeoutError:
                return None
            parsed = self._open(frame)
            if parsed:
                return parsed

    def _open(self, frame):
        if frame[0:6] != self.mac:
            return None
        length = int.from_bytes(frame[12:14], "big")
        if length == 0x88B5:
            payload = frame[14:]
        elif frame[14:22] == b"\xaa\xaa\x03\0\0\0\x88\xb5":
            payload = frame[22:14 + length]
        else:
            payload = frame[14:14 + length]
        if len(payload) < 28:
            return None
        magic, flags, kind, session, size, sequence, ack, irq, count, tries = struct.unpack(
            "<HBBHHIIHBB", payload[:20])
        if magic != MAGIC or flags != VERSION << 4 | 1 or len(payload) < 28 + size:
            return None
        greeting = kind in (OFFER, AUTH2, NAK) or not self.session_keys
        keys = self.greeting if greeting else self.session_keys
        signed = payload[:20 + size]
        if payload[20 + size:28 + size] != siphash(keys["to client"], frame[0:12] + signed):
            return None
        header = dict(session=session, sequence=sequence, ack=ack, irq=irq, tries=tries)
        return kind, header, payload[20:20 + size], frame[6:12]

    def _await(self, wanted, again, seconds=5, every=0.1):
        """The first frame that `wanted` accepts; `again` sends the question."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            again()
            repeat = time.monotonic() + every
            while (left := repeat - time.monotonic()) > 0:
                got = self.receive(left)
                if got and got[0] == EVT:
                    self._event(*got)
                elif got and got[0] == PENDING:
                    repeat = time.monotonic() + 0.2
                elif got and wanted(*got):
                    return got
        raise Unanswered(f"no answer in {seconds} s")

    # --- greeting ---

    def discover(self, seconds=5):
        """The first offer: (address, epoch, name, {export: (irqs, dma, held, [(first, last)…])})."""
        nonce = os.urandom(16)
        kind, _, body, source = self._await(
            lambda kind, header, body, source: kind == OFFER and body[:16] == nonce,
            lambda: self.send(HELLO, nonce, to=BROADCAST), seconds)
        exports, at = {}, 40
        for _ in range(body[36]):
            irqs, dma, ranges, held, memories, functions = struct.unpack("<HBBBBB",
                                                                         body[at + 16:at + 23])
            ports = [struct.unpack("<HH", body[at + 24 + 4 * i:at + 28 + 4 * i])
                     for i in range(ranges)]
            exports[body[at:at + 16].rstrip(b"\0").decode()] = irqs, dma, held, ports
            at += 24 + 4 * ranges + 8 * memories + 4 * functions
        epoch, = struct.unpack("<I", body[16:20])
        return source, epoch, body[20:36].rstrip(b"\0").decode(), exports

    def greet(self, server):
        """Up to the server's nonce; returns ours, which asks for a lease."""
        nonce = os.urandom(16)
        self.server, self.session, self.session_keys = server, 0, None
        _, _, body, _ = self._await(
            lambda kind, header, body, source: kind == AUTH2 and body[:16] == nonce,
            lambda: self.send(AUTH1, nonce + struct.pack("<I", self.epoch)))
        server_nonce, server_epoch = body[16:32], body[32:36]
        text = (b"farbus session 1\0" + self.mac + server + nonce + server_nonce
                + struct.pack("<I", self.epoch) + server_epoch)
        self.session_keys = _keys(self.key, text)
        return nonce

    def lease(self, server, export):
        """Leases the export; 0, or the status of the refusal."""
        return self.claim(self.greet(server), export)

    def claim(self, nonce, export):
        """The rest of lease(), behind greet()."""
        _, header, body, _ = self._await(
            lambda kind, header, body, source: kind == LEASE and body[:16] == nonce,
            lambda: self.send(AUTH3, nonce + name16(export)))
        if body[16]:
            self.session_keys = None
            return body[16]
        self.session = header["session"]
        self.sequence = self.renewals = self.events_next = 0
        self.events.clear()
        return 0

    def release(self):
        self.renewals += 1
        self._await(lambda kind, header, body, source: kind == RELEASE,
                    lambda: self.send(RELEASE, sequence=self.renewals))
        self.session, self.session_keys = 0, None

    def renew(self):
        self.renewals += 1
        self._await(lambda kind, header, body, source: kind == PONG,
                    lambda: self.send(RENEW, sequence=self.renewals))

    # --- operations ---

    def request(self, *operations):
        """[(status, data)…] of the operations that were carried out."""
        sequence, tries = self.sequence, iter(range(1000))
        _, _, body, _ = self._await(
            lambda kind, header, body, source: kind == REP and header["sequence"] == sequence,
            lambda: self.send(REQ, b"".join(operations), sequence=sequence,
                              operations=len(operations), tries=min(next(tries), 255)))
        self.sequence += 1
        return self._answers(body)

    @staticmethod
    def _answers(body):
        answers, at = [], 0
        while at < len(body):
            code, width, count, _ = struct.unpack("<BBHI", body[at:at + 8])
            status, width = width >> 4, width & 15
            size = {IN: width, INS: width * count, POLL: 8, MEM_READ: width * count,
                    PCI_READ: width}.get(code, 0)
            answers.append((status, body[at + 8:at + 8 + size]))
            at += 8 + size + -size % 4
        return answers

    def inp(self, port, width=1):
        (status, data), = self.request(operation(IN, port, width))
        return int.from_bytes(data, "little") if status == 0 else None

    def out(self, port, value, width=1):
        (status, _), = self.request(operation(OUT, port, width, data=value.to_bytes(width, "little")))
        return status

    # --- interrupts ---

    def _event(self, kind, header, body, source):
        self.send(EVACK, sequence=header["sequence"], tries=header["tries"])
        if header["sequence"] != self.events_next:
            return
        self.events_next += 1
        _, _, generation, line = struct.unpack("<BBHI", body[:8])
        self.events.append((line, generation))

    def wait_event(self, seconds=5):
        """The oldest event that was not taken yet, as (line, generation)."""
        end = time.monotonic() + seconds
        while not self.events:
            got = self.receive(end - time.monotonic())
            if not got:
                raise Unanswered(f"no event in {seconds} s")
            if got[0] == EVT:
                self._event(*got)
        return self.events.pop(0)

    def unmask(self, line):
        self.request(operation(IRQ_UNMASK, line))

    def eoi(self, line, generation):
        self.request(operation(IRQ_EOI, line, count=generation))

    def close(self):
        self.socket.close()


class PacketClient(Client):
    """A station on a Linux network interface, whose name takes the place of the port."""

    @staticmethod
    def _connect(port):
        every_protocol = 3  # ETH_P_ALL: frames with a length have several
        station = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(every_protocol))
        station.bind((port, every_protocol))
        return station, (port, 0)
