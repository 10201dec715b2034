# SPDX-License-Identifier: BSD-2-Clause
"""The Ethernet segment between emulated PCs: a hub that can be as bad as it is told to be.

Each PC has two UDP ports of 127.0.0.1, one raw frame per datagram, as QEMU's `dgram` and Bochs's
`socket` backends do it: the PC receives at an even port and sends to the odd one above it. What one
PC sends goes to all others, each copy on its own dropped, repeated, held back, delayed or damaged.
The decisions come from a seed: the same frames in the same order have the same fate.
"""

import collections
import heapq
import random
import select
import socket
import struct
import threading
import time
from dataclasses import dataclass

# Below the range from which Linux gives out ports by itself (32768 and up).
FIRST_PORT, LAST_PORT = 20000, 32000
LONGEST = 2048

SNAP = b"\xaa\xaa\x03\x00\x00\x00\x88\xb5"
MAGIC = b"FB"
TYPES = ("HELLO", "OFFER", "AUTH1", "AUTH2", "AUTH3", "LEASE", "RENEW", "RELEASE", "REQ", "REP",
         "PENDING", "CANCEL", "EVT", "EVACK", "NAK", "PING", "PONG")
OTHER = "other"


def payload(frame):
    """What follows the frame's headers when it is one of Farbus's; docs/protocol.md."""
    kind = struct.unpack_from(">H", frame, 12)[0] if len(frame) >= 14 else 0
    if kind == 0x88B5:
        start = 14
    elif frame[14:22] == SNAP:
        start = 22
    else:
        start = 14
    return frame[start:] if frame[start:start + 2] == MAGIC else None


def frame_type(frame):
    """The name of a Farbus frame's type, or OTHER."""
    data = payload(frame)
    if data is None or len(data) < 20 or not 1 <= data[3] <= len(TYPES):
        return OTHER
    return TYPES[data[3] - 1]


@dataclass
class Faults:
    """Shares of the frames, 0 to 1; times in seconds."""

    drop: float = 0
    duplicate: float = 0
    reorder: float = 0  # held back until after the next frame, or HOLD seconds
    corrupt: float = 0
    delay: tuple = (0, 0)  # each frame by a random time between these


HOLD = 0.02


class Port:
    """One PC's connection: `pc_port` is where it receives, `hub_port` where it sends to."""

    def __init__(self, name, seed):
        self.name = name
        self.socket, self.pc_port = _port_pair()
        self.hub_port = self.pc_port + 1
        self.random = random.Random(f"{seed} {name}")  # fate of what this PC sends
        self.sent = collections.Counter()  # frames by type, as this PC sent them
        self.received = collections.Counter()  # copies that were handed to this PC
        self.fates = collections.Counter()  # of what this PC sent: dropped, corrupted, ...
        self.bytes = 0  # sent
        self.plugged = True
        self.held = []  # copies that wait to be overtaken: (time, target, frame)


def _port_pair():
    """A socket bound to an odd port whose lower neighbour is free for the emulator."""
    rng = random.Random()
    for _ in range(1000):
        even = rng.randrange(FIRST_PORT, LAST_PORT, 2)
        upper = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        lower = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            upper.bind(("127.0.0.1", even + 1))
            lower.bind(("0.0.0.0", even))
        except OSError:
            upper.close()
            continue
        finally:
            lower.close()
        upper.setblocking(False)
        upper.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        return upper, even
    raise OSError("no free pair of UDP ports on 127.0.0.1")


class Pcap:
    def __init__(self, path):
        self.file = open(path, "wb")
        self.file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))

    def write(self, frame):
        now = time.time()
        self.file.write(struct.pack("<IIII", int(now), int(now % 1 * 1e6), len(frame), len(frame)))
        self.file.write(frame)

    def close(self):
        self.file.close()


class Relay:
    """Runs in a thread of its own from start() (or `with`) to stop().

    Its faults, filter and plugs may be changed while it runs. filter(port, frame) sees each frame
    before anything happens to it, and swallows it by returning False. pcap: a file that gets every
    frame as it was sent.
    """

    def __init__(self, names, seed=1, faults=None, pcap=None):
        self.faults = faults or Faults()
        self.filter = None
        self.ports = {name: Port(name, seed) for name in names}
        self.pcap = Pcap(pcap) if pcap else None
        self.queue = []  # (time, order, target, frame)
        self.order = 0
        self.lock = threading.RLock()
        self.wake_out, self.wake_in = socket.socketpair()
        self.wake_out.setblocking(False)
        self.running = False
        self.thread = threading.Thread(target=self._run, name="relay", daemon=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self.running = True
        self.thread.start()
        return self

    def stop(self):
        self.running = False
        self._wake()
        self.thread.join()
        for port in self.ports.values():
            port.socket.close()
        self.wake_in.close()
        self.wake_out.close()
        if self.pcap:
            self.pcap.close()

    # --- what a test does ---

    def cut(self, *names):
        """Pulls the plugs of these PCs (of all when none is named); what is under way is lost."""
        with self.lock:
            for name in names or self.ports:
                self.ports[name].plugged = False

    def join(self, *names):
        with self.lock:
            for name in names or self.ports:
                self.ports[name].plugged = True

    def inject(self, frame, to=None):
        """A frame as from another station, to one PC or to all, without faults."""
        with self.lock:
            for port in self.ports.values():
                if to in (None, port.name):
                    self._deliver(port, frame)

    def counts(self):
        """Frames by PC and type, as sent: {"pc-a": {"REQ": 3, ...}, ...}."""
        with self.lock:
            return {name: dict(port.sent) for name, port in self.ports.items()}

    def frames(self):
        with self.lock:
            return sum(sum(port.sent.values()) for port in self.ports.values())

    def report(self):
        """A line for each PC."""
        lines = []
        with self.lock:
            for name, port in self.ports.items():
                kinds = ", ".join(f"{kind} {count}" for kind, count in port.sent.most_common())
                fates = ", ".join(f"{count} {fate}" for fate, count in port.fates.most_common())
                lines.append(f"{name}: {sum(port.sent.values())} frames, {port.bytes} bytes"
                             f" ({kinds or 'none'})" + (f"; {fates}" if fates else ""))
        return "\n".join(lines)

    # --- the thread ---

    def _wake(self):
        try:
            self.wake_in.send(b"\0")
        except OSError:
            pass

    def _run(self):
        sockets = {port.socket: port for port in self.ports.values()}
        while self.running:
            ready, _, _ = select.select([*sockets, self.wake_out], [], [], self._due_in())
            with self.lock:
                for source in ready:
                    if source is self.wake_out:
                        self.wake_out.recv(4096)
                    else:
                        self._take(sockets[source])
                self._deliver_due()

    def _take(self, source):
        while True:
            try:
                frame = source.socket.recv(LONGEST)
            except BlockingIOError:
                return
            source.sent[frame_type(frame)] += 1
            source.bytes += len(frame)
            if self.pcap:
                self.pcap.write(frame)
            if self.filter and not self.filter(source.name, frame):
                source.fates["filtered"] += 1
                continue
            for target in self.ports.values():
                if target is not source:
                    self._send(source, target, frame)

    def _send(self, source, target, frame):
        """Decides a copy's fate. Each decision takes its random numbers whatever the others are."""
        rng, faults, now = source.random, self.faults, time.monotonic()
        drop, twice, late, damage = (rng.random() < share for share in (
            faults.drop, faults.duplicate, faults.reorder, faults.corrupt))
        due = now + rng.uniform(*faults.delay)
        where, bits = rng.randrange(len(frame) or 1), 1 << rng.randrange(8)
        if not (source.plugged and target.plugged):
            source.fates["cut"] += 1
            return
        if drop:
            source.fates["dropped"] += 1
            return
        if damage and frame:
            source.fates["corrupted"] += 1
            frame = frame[:where] + bytes([frame[where] ^ bits]) + frame[where + 1:]
        if twice:
            source.fates["duplicated"] += 1
            self._queue(now + rng.uniform(*faults.delay), target, frame)
        waiting, source.held = source.held, []
        if late:
            source.fates["reordered"] += 1
            source.held.append((now + HOLD, target, frame))
        else:
            self._queue(due, target, frame)
        for _, held_for, held in waiting:  # overtaken by this one
            self._queue(max(due, now), held_for, held)

    def _queue(self, due, target, frame):
        self.order += 1
        heapq.heappush(self.queue, (due, self.order, target, frame))

    def _due_in(self):
        """Seconds until something is to be handed over; None: nothing waits."""
        with self.lock:
            times = [self.queue[0][0]] if self.queue else []
            times += [held[0] for port in self.ports.values() for held in port.held]
        return max(min(times) - time.monotonic(), 0) if times else None

    def _deliver_due(self):
        now = time.monotonic()
        for port in self.ports.values():
            if port.held and port.held[0][0] <= now:
                for due, target, frame in port.held:
                    self._queue(due, target, frame)
                port.held = []
        while self.queue and self.queue[0][0] <= now:
            _, _, target, frame = heapq.heappop(self.queue)
            self._deliver(target, frame)

    def _deliver(self, target, frame):
        if not target.plugged:
            return
        try:
            target.socket.sendto(frame, ("127.0.0.1", target.pc_port))
        except BlockingIOError:  # its socket is full: lost, as on a real segment
            return
        target.received[frame_type(frame)] += 1
