# SPDX-License-Identifier: BSD-2-Clause
"""The Wireshark dissector reads what went between `farbus serve` and its clients.

`dissector_test.py NAME` records one session in a network namespace (host_test.py starts it).
"""

import random
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time

from host_test import (COM2, FAR, IDE1, Daemon, check, in_namespace, leased, out, run_case,
                       segment, station)
from pc import REPO, Failure
from protocol import CANCEL, DELAY, EVT, IN, OUTS, POLL, REQ, operation

from paths import Missing
from relay import Pcap, payload

DISSECTOR = REPO / "host" / "farbus.lua"
EVERY_PROTOCOL = 3
NO_SESSION = 4711
NOT_TRANSMITTING = struct.pack("<II", 0x60, 0x60)


class Recording(threading.Thread):
    """All frames of our protocol on an interface, in a file."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.pcap = Pcap(path)
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                    socket.htons(EVERY_PROTOCOL))
        self.socket.bind((FAR, EVERY_PROTOCOL))
        self.socket.settimeout(0.2)
        self.over = False
        self.start()

    def run(self):
        while True:
            try:
                frame = self.socket.recv(2048)
                if payload(frame) is not None:
                    self.pcap.write(frame)
            except TimeoutError:
                if self.over:
                    return

    def close(self):
        """When nothing has come for a while."""
        self.over = True
        self.join()
        self.pcap.close()


FIELDS = ("frame.number", "_ws.col.Info", "_ws.expert.message", *(
    "farbus." + name for name in """
    form version from_server type session length sequence acknowledge window irq_lines operations try
    tag op op.code op.width op.status op.unequal op.count op.port op.port_name op.line op.generation
    op.value op.mask op.wanted op.us op.data client_nonce server_nonce client_epoch server_epoch
    server_name exports export export.irqs export.held export.ports lease.status lease.window
    lease.session lease.life nak.tag answer_in answer_to time about retransmission
    retransmission_of""".split()))
HELLO, OFFER, AUTH1, AUTH2, AUTH3, LEASE, RENEW, RELEASE = range(1, 9)
REP, PENDING, EVACK, NAK, PONG = 10, 11, 14, 15, 17


class Frame(dict):
    """The values of each field, in their order; of a single one by one()."""

    def one(self, name):
        values = self[name]
        if len(values) != 1:
            raise Failure(f"{name} of frame {self['frame.number']}: {values}")
        return values[0]

    def number(self, name):
        return int(self.one(name), 0)


def dissected(path):
    """The frames of the file as tshark shows them."""
    if not shutil.which("tshark"):
        raise Missing("no tshark")
    words = [word for name in FIELDS for word in ("-e", name)]
    run = subprocess.run(["tshark", "-2", "-X", f"lua_script:{DISSECTOR}", "-r", path, "-T", "fields",
                          "-E", "occurrence=a", "-E", "aggregator=|", "-E", "separator=/t",
                          *words], capture_output=True, text=True, timeout=60)
    if run.returncode or "Lua" in run.stderr or "Lua Error" in run.stdout:
        raise Failure(run.stderr + run.stdout[-2000:])
    return [Frame((name, value.split("|") if value else [])
                  for name, value in zip(FIELDS, line.split("\t")))
            for line in run.stdout.splitlines()]


# --- a session ---


def converse(daemon, form):
    """A bit of all that there is."""
    client = leased(station(form=form), "com2")
    client.unmask(3)
    client.request(out(COM2 + 3, 0x80), out(COM2, 1), out(COM2 + 1, 0), out(COM2 + 3, 3))
    client.request(operation(POLL, COM2 + 5, 1, 60000, NOT_TRANSMITTING),
                   operation(IN, COM2 + 5), operation(OUTS, COM2, 1, 3, b"abc"))
    client.socket.sendto(client.last, client.remote)  # the network gives it twice
    again = operation(IN, COM2 + 7)
    client.request(again)
    client.send(REQ, again, sequence=client.sequence - 1, operations=1, tries=1)
    client.out(COM2 + 4, 8)
    client.out(COM2 + 1, 2)
    line, generation = client.wait_event()
    client.eoi(line, generation)
    check("a foreign port", client.inp(IDE1), None)
    client.send(REQ, operation(DELAY, 0, count=60000) * 5, sequence=client.sequence, operations=5)
    time.sleep(0.12)
    client.send(CANCEL, sequence=client.sequence)
    client._await(lambda kind, header, body, source: kind == REP, lambda: None)
    client.sequence += 1
    client.renew()
    client.release()
    try:  # nobody has this session
        client.session, client.session_keys = NO_SESSION, client.greeting
        client._await(lambda kind, header, body, source: kind == NAK,
                      lambda: client.send(REQ, operation(IN, COM2), operations=1))
    finally:
        client.close()


def break_frames(form):
    """What no client sends: too long, of another version, of no type, an operation cut off."""
    client = station(last=9, form=form)
    client.server = leased_server(client)
    client.send(AUTH1, bytes(20))
    good = bytearray(client.last)
    start = good.index(b"\x46\x42\x10")
    for at, value in ((6, 200), (2, 0x70), (3, 99)):
        bad = bytearray(good)
        bad[start + at] = value
        client.socket.sendto(bytes(bad), client.remote)
    client.send(REQ, operation(IN, COM2)[:-2], operations=1, keys=client.greeting)
    client.close()


def leased_server(client):
    return client.discover()[0]


# --- what is seen of it ---


def of_type(frames, kind):
    return [f for f in frames if f["farbus.type"] == [str(kind)]]


def linked(frames, question, kind, answers):
    """Each answer of that type knows its question, and the first one's is known there."""
    by_number = {f.one("frame.number"): f for f in frames}
    found = of_type(frames, answers)
    check(f"answers of type {answers}", len(found) > 0, True)
    for answer in found:
        asked = by_number[answer.one("farbus.answer_to")]
        check(f"{question}", asked["farbus.type"], [str(kind)])
        check(f"{question}: answered in", by_number[asked.one("farbus.answer_in")].one(
            "farbus.type"), str(answers))
        check(f"{question}: in time", 0 <= float(answer.one("farbus.time")) < 2, True)
    return found


def greeting_seen(frames):
    offer = linked(frames, "HELLO", HELLO, OFFER)[0]
    check("server", offer["farbus.server_name"], ["linux-a"])
    check("exports", offer["farbus.export"], ["ide1", "com2", "lpt1"])
    check("ports", offer["farbus.export.ports"],
          ["0x170-0x177", "0x376-0x376", "0x2f8-0x2ff", "0x378-0x37a"])
    check("lines", offer["farbus.export.irqs"], ["0x8000", "0x0008", "0x0080"])
    auth2 = linked(frames, "AUTH1", AUTH1, AUTH2)[0]
    check("nonces", [len(auth2.one(f"farbus.{side}_nonce")) for side in ("client", "server")],
          [32, 32])
    lease = linked(frames, "AUTH3", AUTH3, LEASE)[0]
    check("lease", [lease.number(f"farbus.lease.{name}") for name in ("status", "life")],
          [0, 10000])
    check("session", lease["farbus.lease.session"], lease["farbus.session"])
    check("epoch", len({f.one("farbus.server_epoch") for f in (offer, auth2)}), 1)


def requests_seen(frames):
    linked(frames, "REQ", REQ, REP)
    requests = of_type(frames, REQ)
    setup = next(f for f in requests if f["farbus.op"] == ["OUT"] * 4)
    check("ports", setup["farbus.op.port"], [f"0x{p:08x}" for p in (0x2fb, 0x2f8, 0x2f9, 0x2fb)])
    check("names", setup["farbus.op.port_name"],
          ["COM2 line control", "COM2 data", "COM2 interrupt enable", "COM2 line control"])
    check("values", [int(v, 0) for v in setup["farbus.op.value"]], [0x80, 1, 0, 3])
    check("window", setup.number("farbus.window"), 8)
    mixed = next(f for f in requests if f["farbus.op"] == ["POLL", "IN", "OUTS"])
    check("POLL", [mixed.number(f"farbus.op.{n}") for n in ("mask", "wanted")], [0x60, 0x60])
    check("OUTS", mixed["farbus.op.data"], ["616263"])
    answer = next(f for f in of_type(frames, REP) if f["farbus.op"] == ["POLL", "IN", "OUTS"])
    check("statuses", answer["farbus.op.status"], ["0", "0", "0"])
    check("value", int(answer["farbus.op.value"][1], 0) & 0x60, 0x60)
    refused = next(f for f in of_type(frames, REP) if f["farbus.op.status"] == ["2"])
    check("refused", ("refused" in refused.one("_ws.expert.message"), refused.one(
        "farbus.op.port_name")), (True, "ATA1 data"))


def repetitions_seen(frames):
    again = [f for f in of_type(frames, REQ) if f["farbus.retransmission"]]
    check("sent again", len(again) >= 1, True)
    first = next(f for f in frames if f["frame.number"] == again[0]["farbus.retransmission_of"])
    check("the same", (first["farbus.sequence"], first["farbus.session"], first["farbus.op"]),
          (again[0]["farbus.sequence"], again[0]["farbus.session"], ["POLL", "IN", "OUTS"]))
    check("marked", "[again" in again[0].one("_ws.col.Info"), True)
    second = next(f for f in again if f["farbus.try"] == ["1"])
    answer = next(f for f in of_type(frames, REP) if f["farbus.try"] == ["1"])
    check("of the second try", answer["farbus.answer_to"], second["frame.number"])
    check("its port", second["farbus.op.port_name"], ["COM2 scratch"])
    check("its answer", bool([f for f in of_type(frames, REP) if f["farbus.retransmission"]]), True)


def rest_seen(frames):
    event = of_type(frames, EVT)[0]
    check("event", (event["farbus.op.line"], event["farbus.op.generation"]), (["3"], ["1"]))
    check("lines", event.number("farbus.irq_lines"), 8)
    linked(frames, "EVT", EVT, EVACK)
    linked(frames, "RENEW", RENEW, PONG)
    waiting = next(f for f in of_type(frames, REQ) if f["farbus.op"] == ["DELAY"] * 5)
    for kind in (PENDING, CANCEL):
        check(f"type {kind}", {tuple(f["farbus.about"]) for f in of_type(frames, kind)},
              {tuple(waiting["frame.number"])})
    session = [f for f in frames if f["farbus.session"] == [str(NO_SESSION)]]
    nak = linked(session, "a session that is none", REQ, NAK)[0]
    check("its tag", nak.one("farbus.nak.tag").replace(":", ""),
          next(f for f in frames if f["frame.number"] == nak["farbus.answer_to"])
          .one("farbus.tag").replace(":", ""))
    check("RELEASE", [f["farbus.from_server"] for f in of_type(frames, RELEASE)],
          [["0"], ["1"]])


def damage_seen(frames):
    messages = [m for f in frames for m in f["_ws.expert.message"]]
    check("version 7's", sum(f["farbus.nak.tag"] == ["0000000000000000"] for f in frames), 1)
    for wanted in ("the header says 200 bytes of operations", "version 7: this shows version 1",
                   "type 99 is none", "bytes behind the last operation"):
        check(wanted, any(wanted in m for m in messages), True)
    check("whole ones", any("malformed" in f.one("_ws.col.Info") for f in frames[:20]), False)


def damaged(path, form):
    """Frames with wrong bytes anywhere, some cut off: what is wrong is shown, and nothing fails."""
    rng, frames = random.Random(form), recorded(path)
    file = path.with_name("damaged.pcap")
    pcap = Pcap(file)
    for _ in range(3000):
        frame = bytearray(rng.choice(frames))
        for _ in range(rng.randint(1, 5)):
            frame[rng.randrange(12, len(frame))] = rng.choice((0, 1, 255, rng.randrange(256)))
        pcap.write(frame[:rng.randrange(14, len(frame))] if rng.random() < 0.3 else frame)
    pcap.close()
    run = subprocess.run(["tshark", "-2", "-X", f"lua_script:{DISSECTOR}", "-r", file, "-V"],
                         capture_output=True, text=True, timeout=100)
    check("tshark", (run.returncode, "Lua Error" in run.stdout + run.stderr), (0, False))
    check("shown", run.stdout.count("Farbus remote-port protocol") > 1500, True)


def recorded(path):
    """The frames of a file of Pcap."""
    data, at, frames = path.read_bytes(), 24, []
    while at < len(data):
        length, = struct.unpack_from("<I", data, at + 8)
        frames.append(data[at + 16:at + 16 + length])
        at += 16 + length
    return frames


def record(form):
    """A session in that form of frames: every frame is ours, and means what it was."""
    with Daemon(f"dissector-{form}", f"frames {form}") as daemon:
        path = daemon.folder / "segment.pcap"
        recording = Recording(path)
        converse(daemon, form)
        break_frames(form)
        recording.close()
        frames = dissected(path)
    check("all are ours", all(f["farbus.form"] for f in frames), True)
    check("form", {f.one("farbus.form") for f in frames}, {FORMS[form]})
    for look in (greeting_seen, requests_seen, repetitions_seen, rest_seen, damage_seen):
        look(frames)
    damaged(path, form)


FORMS = {"snap": "802.3 with SNAP", "raw": "802.3 raw", "ether2": "Ethernet II"}
CASES = {form: lambda form=form: in_namespace(form, __file__) for form in FORMS}

if __name__ == "__main__":
    segment()
    run_case(lambda: record(sys.argv[1]))
