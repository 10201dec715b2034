# SPDX-License-Identifier: BSD-2-Clause
"""Attacks on `farbus serve` and on its clients, while a real session goes on.

Each case runs as a process of its own in a network namespace, `attack_test.py NAME`. The attacker
is a station on the same segment that hears all frames and sends any, but has no key (where it has
one, the case says so). The session counts: each of its requests sends the next byte of a series
through the served UART, and the pty has to give that series and nothing else. The daemon says at
its end how many frames it has dropped for which reason; those numbers have to be just ours.
"""

import collections
import os
import random
import re
import signal
import struct
import sys
import threading
import time

from host_test import (COM2, FAR, KEY, NEAR, Daemon, check, farbus, in_namespace, leased, out,
                       read_all, segment, station)
from pc import Failure
from protocol import (AUTH1, AUTH3, BROADCAST, CANCEL, EVACK, HELLO, NAK, OFFER, PING, POLL, RELEASE,
                      RENEW, REQ, VERSION, PacketClient, Unanswered, name16, operation)

EVIL = 0xEE  # what the attacker would like to see sent: never in the series
READY = struct.pack("<II", 0x20, 0x20)
PAYLOAD, BODY = 22, 42  # in a SNAP frame
CLIENT_TYPES = (HELLO, AUTH1, AUTH3, RENEW, RELEASE, REQ, CANCEL, EVACK, PING)
SOL_PACKET, PACKET_IGNORE_OUTGOING = 263, 23  # linux/socket.h, linux/if_packet.h
LATE = 10  # s at least for what takes no time


class Recorded(PacketClient):
    """A client whose frames are kept, as anyone on the segment may keep them."""

    def __init__(self, *how):
        self.sent = []
        super().__init__(*how)
        # What others on this machine send is not heard: it is the daemon's input that is flooded.
        self.socket.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)

    def send(self, kind, *rest, **how):
        super().send(kind, *rest, **how)
        self.sent.append(self.last)


class Session(threading.Thread):
    """A client that uses COM2 until it is told to end, a byte of the series with each request."""

    def __init__(self, daemon, last=1):
        super().__init__(daemon=True)
        self.client = leased(Recorded(FAR, bytes([0x52, 0x54, 0, 0, 2, last]), KEY), "com2")
        self.terminal = os.open(daemon.pty, os.O_RDWR | os.O_NOCTTY)
        self.client.request(out(COM2 + 3, 0x83), out(COM2, 1), out(COM2 + 1, 0), out(COM2 + 3, 3))
        self.count, self.received, self.wrong = 0, b"", None
        self.ending, self.moved = False, threading.Condition()

    def step(self):
        answers = self.client.request(operation(POLL, COM2 + 5, 1, 60000, READY),
                                      out(COM2, self.count % 128))
        check("statuses", [status for status, _ in answers], [0, 0])
        self.received += read_all(self.terminal, 1, LATE)
        if self.count % 64 == 0:
            self.client.renew()

    def run(self):
        try:
            while not self.ending:
                self.step()
                with self.moved:
                    self.count += 1
                    self.moved.notify_all()
        except Exception as wrong:  # told of by go_on() and end()
            self.wrong = wrong
            with self.moved:
                self.moved.notify_all()

    def go_on(self, more=20):
        """Waits until that many more operations were carried out."""
        with self.moved:
            goal = self.count + more
            if not self.moved.wait_for(lambda: self.wrong or self.count >= goal, 60):
                raise Failure(f"the session stands still at {self.count}")
        if self.wrong:
            raise Failure(f"the session has ended: {self.wrong!r}")

    def end(self):
        """The series is whole: nothing was lost, nothing ran that the client did not ask for."""
        self.go_on()
        self.ending = True
        self.join(60)
        if self.wrong:
            raise Failure(f"the session has ended: {self.wrong!r}")
        self.client.release()
        self.received += read_rest(self.terminal)
        check("the series at the pty", self.received == bytes(n % 128 for n in range(self.count)),
              True)
        os.close(self.terminal)
        self.client.close()


def read_rest(fd):
    os.set_blocking(fd, False)
    try:
        return os.read(fd, 65536)
    except BlockingIOError:
        return b""


class Attack:
    """The daemon, the session, and what the attacker expects the daemon to count."""

    def __init__(self, name, **how):
        self.daemon = Daemon(f"attack-{name}", **how)
        self.expected = collections.Counter()
        self.rng = random.Random(name)

    def __enter__(self):
        self.daemon.__enter__()
        try:
            self.socket = PacketClient._connect(FAR)[0]
            self.session = Session(self.daemon)
        except BaseException:
            self.daemon.end(signal.SIGKILL)
            raise
        self.victim = self.session.client
        self.session.start()
        self.disk = self.daemon.disk.read_bytes()
        return self

    def __exit__(self, *how):
        self.session.ending = True
        self.daemon.__exit__(*how)

    def send(self, frame, reason=None):
        """reason: how the daemon is to count it; None: not at all."""
        self.socket.sendto(frame, (FAR, 0))
        if reason:
            self.expected[reason] += 1
        if self.rng.random() < 0.05:  # the daemon keeps up: none of the frames may be lost
            self.session.go_on(1)

    def header(self, kind, length=0, session=None, sequence=None, operations=0):
        """That of a frame of the session that would be carried out next."""
        return struct.pack("<HBBHHIIHBB", 0x4246, VERSION << 4, kind,
                           self.victim.session if session is None else session, length,
                           self.victim.sequence if sequence is None else sequence, 0, 8,
                           operations, 0)

    def frame(self, payload, source=None, to=None):
        return ((to or self.victim.server) + (source or self.victim.mac)
                + struct.pack(">H", len(payload) + 8) + b"\xaa\xaa\x03\0\0\0\x88\xb5"
                + payload).ljust(60, b"\0")

    def counters(self):
        """All that the daemon has told; the last number of each reason is the total."""
        found = {}
        for line in self.daemon.log_text().splitlines():
            if "frames dropped so far: " in line:
                for part in line.split("so far: ")[1].split(", "):
                    reason, count = part.split()
                    found[reason] = int(count)
        return found

    def end(self, exact=True):
        """Nothing was carried out, all was counted, the session has lost nothing."""
        self.session.end()
        check("exit status", self.daemon.end(), 0)
        print("counted", self.counters())
        if exact:
            check("counters", self.counters(), dict(self.expected))
        check("the disk", self.daemon.disk.read_bytes() == self.disk, True)
        check("the printer", self.daemon.printed.read_bytes(), b"")


def bodies(victim):
    """What an attacker would send as each type, if the tag were right."""
    evil = out(COM2, EVIL)
    return {HELLO: os.urandom(16), AUTH1: os.urandom(20),
            AUTH3: os.urandom(16) + name16("com2"), RENEW: b"", RELEASE: b"",
            REQ: evil, CANCEL: b"", EVACK: b"", PING: b""}


def forged():
    """Each type of frame with the session's numbers and the holder's address, without the key."""
    with Attack("forged") as attack:
        attack.session.go_on()
        for _ in range(40):
            for kind, body in bodies(attack.victim).items():
                head = attack.header(kind, len(body), operations=int(kind == REQ))
                attack.send(attack.frame(head + body + os.urandom(8)),
                            "state" if kind == AUTH3 else "tag")
        # A lease's own nonce is on the wire in clear: AUTH3 with it is looked at, and has no key.
        nonce = next(f for f in attack.victim.sent if f[PAYLOAD + 3] == AUTH3)[BODY:BODY + 16]
        for _ in range(40):
            body = nonce + name16("com2")
            attack.send(attack.frame(attack.header(AUTH3, len(body)) + body + os.urandom(8)), "tag")
        attack.end()


def bit_flips():
    """A good request of the session with each of its bits turned."""
    with Attack("bit-flips") as attack:
        attack.session.go_on()
        good = next(f for f in reversed(attack.victim.sent) if f[PAYLOAD + 3] == REQ)
        length = PAYLOAD + struct.unpack(">H", good[12:14])[0] - 8
        for bit in range(8 * length):
            bad = bytearray(good)
            bad[bit // 8] ^= 1 << bit % 8
            attack.send(bytes(bad), reason_for(bytes(bad), bit // 8))
        attack.end(exact=False)
        found = attack.counters()
        # What no longer says how long it is: "foreign" or "short", and "tag" if shorter.
        loose = 8 * (2 + 2)
        for reason in ("address", "session", "version", "type", "direction", "malformed"):
            check(reason, found.get(reason, 0), attack.expected[reason])
        if not 0 <= found["tag"] - attack.expected["tag"] <= loose:
            raise Failure(f"{found['tag']} with a wrong tag instead of {attack.expected['tag']}")


def reason_for(frame, byte):
    """Why the daemon drops a good REQ of which this byte has changed; None: one of several."""
    if byte < 6 or frame[6] & 1:
        return "address"
    if byte < 12:
        return "session"  # another station
    if byte < PAYLOAD + 2 or byte in (PAYLOAD + 6, PAYLOAD + 7):
        return None  # SNAP, magic and lengths: another protocol's, or none
    if byte == PAYLOAD + 2:
        version, flags = frame[byte] >> 4, frame[byte] & 15
        return "version" if version != VERSION else "direction" if flags & 1 else "tag"
    if byte == PAYLOAD + 3:
        kind = frame[byte]
        return ("type" if not 1 <= kind <= 17 else "tag" if kind in CLIENT_TYPES else "direction")
    return "session" if byte in (PAYLOAD + 4, PAYLOAD + 5) else "tag"


def replayed():
    """All that a client has ever sent, again: in order, backwards, and in a later session."""
    with Attack("replayed") as attack:
        victim = attack.victim
        attack.session.go_on(150)
        before = list(victim.sent)
        attack.session.go_on(20)  # more than a window: the requests of `before` are old now
        for frames in (before, before[::-1], attack.rng.sample(before, len(before))):
            for frame in frames:
                kind = frame[PAYLOAD + 3]
                # HELLO, AUTH1 and AUTH3 are answered as if an answer had been lost.
                attack.send(frame, "stale" if kind in (REQ, RENEW) else None)
        # The newest ones are answered from what was kept, while it is. Nothing runs again.
        newest = victim.sent[-6:]
        for frame in newest:
            attack.send(frame)
        attack.session.go_on()
        first = [f for f in victim.sent if f[PAYLOAD + 3] not in (HELLO, AUTH1, AUTH3)]
        attack.session.end()

        attack.session = Session(attack.daemon)  # the same client, a new session
        attack.victim = attack.session.client
        attack.session.start()
        if attack.victim.session == victim.session:
            raise Failure("two sessions have the same number")
        for frame in first:
            attack.send(frame, "session")
        # AUTH1 again makes the daemon answer with a nonce of its own that is another one: the
        # recorded AUTH3 does not fit to it.
        for kind in (AUTH1, AUTH3) * 10:
            frame = next(f for f in victim.sent if f[PAYLOAD + 3] == kind)
            attack.send(frame, "tag" if kind == AUTH3 else None)
        attack.end(exact=False)
        found = attack.counters()
        for reason in ("session", "tag"):
            check(reason, found.get(reason, 0), attack.expected[reason])
        if not 0 <= found["stale"] - attack.expected["stale"] <= len(newest):
            raise Failure(f"{found['stale']} stale instead of {attack.expected['stale']}")
        # busy: offers for more HELLOs than are answered at a time
        check("other reasons", set(found) - {"stale", "session", "tag", "busy"}, set())


def other_power_on():
    """All frames of a session before a kill -9, at the daemon that has been started anew."""
    attack = Attack("other-power-on")
    with attack:
        attack.session.go_on(100)
        attack.session.ending = True
        attack.session.join(60)
        old = list(attack.victim.sent)
        attack.daemon.end(signal.SIGKILL)
        os.close(attack.session.terminal)
        attack.daemon.start()
        attack.session = Session(attack.daemon)
        attack.victim = attack.session.client
        attack.session.start()
        same = old[-1][PAYLOAD + 4:PAYLOAD + 6] == struct.pack("<H", attack.victim.session)
        for frame in old:
            kind = frame[PAYLOAD + 3]
            if kind not in (HELLO, AUTH1):
                attack.send(frame, "tag" if kind == AUTH3 or same else "session")
            else:
                attack.send(frame)
        attack.end()


def truncated():
    """A request that is cut off anywhere, with and without lengths that fit to what is left."""
    with Attack("truncated") as attack:
        attack.session.go_on()
        body = b"".join(out(COM2, EVIL) for _ in range(8))
        good = attack.frame(attack.header(REQ, len(body), operations=8) + body + os.urandom(8))
        for size in range(14, len(good)):
            cut = good[:size]
            # With the SNAP header whole the daemon sees it, but the length says there is more.
            attack.send(cut, "foreign" if size >= PAYLOAD else None)
            cut = cut[:12] + struct.pack(">H", size - 14) + cut[14:]
            attack.send(cut, "short" if size >= PAYLOAD + 2 else
                        "foreign" if size >= PAYLOAD else None)
        # The length of the operations beyond the frame, and beyond any frame.
        for size in (len(body) + 1, 1464, 1465, 65535):
            attack.send(attack.frame(attack.header(REQ, size, operations=8) + body + bytes(8)),
                        "short")
        attack.end()


def wrong_key():
    """A station with another key: no offer, no lease, and no way into the session."""
    with Attack("wrong-key") as attack:
        stranger = Recorded(FAR, bytes([0x52, 0x54, 0, 0, 2, 9]), os.urandom(32))
        stranger.server = attack.victim.server
        for question in (lambda: stranger.discover(1),
                         lambda: stranger.lease(attack.victim.server, "lpt1")):
            try:
                question()
                raise Failure("an answer to a wrong key")
            except Unanswered:
                pass
        attack.expected["tag"] += len(stranger.sent)
        # In the session, with the holder's address and keys of its own.
        stranger.mac, stranger.session = attack.victim.mac, attack.victim.session
        stranger.session_keys = {"to server": os.urandom(16), "to client": os.urandom(16)}
        for _ in range(100):
            stranger.send(REQ, out(COM2, EVIL), sequence=attack.victim.sequence, operations=1)
            stranger.send(RELEASE, sequence=attack.victim.renewals + 1)
            attack.expected["tag"] += 2
            attack.session.go_on(1)
        stranger.close()
        attack.end()


def stolen_lease():
    """The session's number at another station, and a visitor with a key of its own that takes the
    holder's address: neither gets at the lease."""
    visitors = bytes(range(100, 132))
    keys = [f"key {KEY.hex()}", f"key {visitors.hex()}"]
    with Attack("stolen-lease", keys=keys) as attack:
        victim = attack.victim
        thief = station(last=8)  # has the key, and no session
        thief.server, thief.session, thief.session_keys = victim.server, victim.session, \
            victim.session_keys  # even the session's keys do not help from another address
        for _ in range(100):
            thief.send(REQ, out(COM2, EVIL), sequence=victim.sequence, operations=1)
            thief.send(RELEASE, sequence=victim.renewals + 1)
            attack.expected["session"] += 2
            attack.session.go_on(1)
        got = thief.receive(LATE)  # NAK: it is told that there is no such session
        check("NAK", got and got[0], NAK)
        check("another address", thief.lease(victim.server, "com2"), 2)  # held

        visitor = Recorded(FAR, victim.mac, visitors)  # hears what is meant for the holder
        check("another key", visitor.lease(victim.server, "com2"), 2)
        visitor.session = victim.session
        visitor.session_keys = {"to server": os.urandom(16), "to client": os.urandom(16)}
        for _ in range(100):
            visitor.send(REQ, out(COM2, EVIL), sequence=victim.sequence, operations=1)
            attack.expected["tag"] += 1
            attack.session.go_on(1)
        thief.close()
        visitor.close()
        attack.end()


def key_holder():
    """What the lock does not keep out: who has the same key and takes the holder's address gets its
    lease, as a PC does that has been switched off and on. The holder is told that it has lost it."""
    with Attack("key-holder") as attack:
        attack.session.go_on()
        attack.session.ending = True
        attack.session.join(60)
        twin = Recorded(FAR, attack.victim.mac, KEY)
        check("the lease", twin.lease(attack.victim.server, "com2"), 0)
        check("works", twin.inp(COM2 + 7), 0)
        attack.victim.send(REQ, out(COM2, 0), sequence=attack.victim.sequence, operations=1)
        kind, _, body, _ = attack.victim._await(lambda kind, *_: kind == NAK, lambda: None)
        check("whose frame", body[4:12], tag_of(attack.victim.last))
        attack.daemon.log_line("com2 asked for anew by 52:54:00:00:02:01")
        twin.close()


def tag_of(frame):
    end = PAYLOAD + 20 + struct.unpack("<H", frame[PAYLOAD + 6:PAYLOAD + 8])[0]
    return frame[end:end + 8]


def flood():
    """As many frames as this machine can send: noise, damaged and old ones. The session goes on."""
    with Attack("flood") as attack:
        attack.session.go_on()
        good, rng = list(attack.victim.sent[-40:]), attack.rng
        storm = []
        for _ in range(2000):
            bad = bytearray(rng.choice(good))
            if rng.random() < 0.7:
                for _ in range(rng.randrange(1, 4)):
                    bad[rng.randrange(PAYLOAD, len(bad))] ^= 1 << rng.randrange(8)
            else:
                bad[PAYLOAD + 2:] = rng.randbytes(rng.randrange(30, 1400))
                bad[12:14] = struct.pack(">H", len(bad) - 14)
            storm.append(bytes(bad))
        began, sent = attack.session.count, 0
        end = time.monotonic() + 4
        while time.monotonic() < end or attack.session.count < began + 20:
            for frame in storm:
                attack.socket.sendto(frame, (FAR, 0))
            sent += len(storm)
            if attack.session.wrong or time.monotonic() > end + 60:
                raise Failure(f"{sent} frames stop the session: {attack.session.wrong!r}")
        attack.session.go_on(100)
        attack.end(exact=False)
        counted = sum(attack.counters().values())
        print(f"{sent} frames sent, {counted} counted, "
              f"{attack.session.count - began} operations meanwhile")
        if not 1000 < counted <= sent:  # a full socket drops some unseen
            raise Failure(f"{counted} of {sent} frames were counted")


# --- impostors: attacks on a client ---


class Impostor(threading.Thread):
    """Answers each HELLO that it hears at the daemon's end of the cable, without the key."""

    def __init__(self, recorded):
        super().__init__(daemon=True)
        self.socket = PacketClient._connect(NEAR)[0]
        self.recorded, self.forged, self.ending = recorded, 0, False
        self.mac = bytes([0x52, 0x54, 0, 0, 3, 1])

    def run(self):
        self.socket.settimeout(0.1)
        while not self.ending:
            try:
                heard = self.socket.recv(2048)
            except TimeoutError:
                continue
            if heard[:6] == BROADCAST and heard[PAYLOAD + 3] == HELLO:
                self.answer(heard)

    def answer(self, hello):
        nonce, round_ = hello[BODY:BODY + 16], hello[PAYLOAD + 8:PAYLOAD + 12]
        for old in self.recorded:  # another question's answer: nobody asks for it
            self.socket.sendto(old, (NEAR, 0))
            fresh = bytearray(old)  # the same, made to fit: its tag is wrong then
            fresh[BODY:BODY + 16], fresh[PAYLOAD + 8:PAYLOAD + 12] = nonce, round_
            self.socket.sendto(bytes(fresh), (NEAR, 0))
            fresh[6:12] = self.mac  # the impostor's own address
            self.socket.sendto(bytes(fresh), (NEAR, 0))
            self.forged += 2


def offers_of(daemon):
    """Frames of a genuine discovery, as they came."""
    listener = PacketClient._connect(FAR)[0]
    check("discover", farbus("discover", "-i", FAR, "-k", daemon.key)[0], 0)
    listener.settimeout(LATE)
    offers = []
    while not offers:
        frame = listener.recv(2048)
        if frame[PAYLOAD + 3] == OFFER:
            offers.append(frame)
    listener.close()
    return offers


def impostor():
    """A false server's offers, forged and recorded: discover lists the true one alone."""
    with Daemon("attack-impostor") as daemon:
        false = Impostor(offers_of(daemon))
        false.start()
        status, table, errors = farbus("discover", "-i", FAR, "-k", daemon.key)
        check("status", status, 0)
        check("peers", {row.split()[1] for row in table.splitlines()[1:]},
              {daemon.log_line("lends out").split()[-1]})
        told = re.search(r"(\d+) answers with a wrong tag", errors)
        check("wrong tags", told and int(told[1]), false.forged)
        daemon.end()  # now there is nobody but the impostor
        false.forged = 0
        status, table, errors = farbus("discover", "-i", FAR, "-k", daemon.key)
        check("status", (status, table), (1, ""))
        told = re.search(r"(\d+) answers with a wrong tag", errors)
        check("wrong tags", told and int(told[1]), false.forged)
        false.ending = True
        false.join()


_CASES = {f.__name__.replace("_", "-"): f
          for f in (forged, bit_flips, replayed, other_power_on, truncated, wrong_key,
                    stolen_lease, key_holder, flood, impostor)}
CASES = {name: lambda name=name: in_namespace(name, __file__) for name in _CASES}

if __name__ == "__main__":
    segment()
    _CASES[sys.argv[1]]()
