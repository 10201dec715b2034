# SPDX-License-Identifier: BSD-2-Clause
"""Attacks on emulated PCs: on a client PC while its guest uses what `farbus serve` lends out, on a
PC in peer mode, and a daemon that is killed while a guest writes.

`attack_pc.py NAME` runs one of the cases on a network of taps (host_pc.py) in a namespace.
"""

import os
import random
import re
import struct
import signal
import subprocess
import sys
import threading

from attack_test import EVIL
from bad_input_test import boot_floppy
from console_test import open_monitor
from host_pc import MACS, TAPS, segment
from host_test import KEY, NEAR, Daemon, check, in_namespace
from pc import PC, Failure
from peer_test import Segment, out
from protocol import (AUTH1, AUTH2, AUTH3, EVT, HELLO, IN, LEASE, NAK, OFFER, PENDING, PONG, RELEASE,
                      RENEW, REP, REQ, Client, PacketClient, operation)

import remote
from remote import NIC_LINE

READS = 1000  # of tests/system/guests/remote_in.asm
PAYLOAD, BODY = 22, 42


class Impostor(threading.Thread):
    """A station that plays the server to the PC: with each frame of the PC's it sends what the
    server might, without the key, in its name, and before the server does."""

    def __init__(self, server, pc):
        super().__init__(daemon=True)
        self.server, self.pc = server, pc
        self.socket = PacketClient._connect(NEAR)[0]
        self.ending, self.sent, self.old, self.rng = False, 0, [], random.Random(3)

    def run(self):
        self.socket.settimeout(0.1)
        while not self.ending:
            try:
                heard = self.socket.recv(2048)
            except TimeoutError:
                continue
            if len(heard) < BODY or heard[14:22] != b"\xaa\xaa\x03\0\0\0\x88\xb5":
                continue
            if heard[6:12] == self.pc and heard[PAYLOAD + 3] in (HELLO, AUTH1, AUTH3, REQ, RENEW):
                self.answer(heard)
            elif heard[:6] == self.pc and heard[6:12] == self.server and len(self.old) < 200:
                self.old.append(heard)

    def frame(self, payload):
        return (self.pc + self.server + struct.pack(">H", len(payload) + 8)
                + b"\xaa\xaa\x03\0\0\0\x88\xb5" + payload).ljust(60, b"\0")

    def answer(self, question):
        """The answer that the PC waits for, with a wrong value and no good tag."""
        kind, (session, _, sequence) = question[PAYLOAD + 3], struct.unpack(
            "<HHI", question[PAYLOAD + 4:PAYLOAD + 12])
        value = operation(IN, 0x2FF, 1, data=bytes([EVIL]))
        false = {HELLO: [(OFFER, question[BODY:BODY + 16] + bytes(24))],
                 AUTH1: [(AUTH2, question[BODY:BODY + 16] + os.urandom(20))],
                 AUTH3: [(LEASE, question[BODY:BODY + 16] + bytes(40))],
                 RENEW: [(PONG, b"")],
                 REQ: [(REP, value), (PENDING, b""), (EVT, operation(11, 3, count=1)),
                       (NAK, bytes(4) + question[PAYLOAD + 28:PAYLOAD + 36])]}[kind]
        for kind, body in false:
            head = struct.pack("<HBBHHIIHBB", 0x4246, 0x11, kind, session, len(body), sequence, 0, 0,
                               int(kind in (REP, EVT)), question[PAYLOAD + 19])
            self.send(self.frame(head + body + os.urandom(8)))
        if self.old and self.rng.random() < 0.5:  # and one that was good once
            self.send(self.rng.choice(self.old))

    def send(self, frame):
        self.socket.sendto(frame, (NEAR, 0))
        self.sent += 1

    def stop(self):
        self.ending = True
        self.join()


def reader(name, daemon_name="linux-a"):
    """A PC whose guest reads a register of the served UART."""
    return PC(name, GUEST="", RAM="16M", FLOPPY=boot_floppy("remote_in"),
              NIC=f"{TAPS[0]}/{MACS[0]}",
              CONFIG=";".join([NIC_LINE, f"key {KEY.hex()}",
                               f"route 0x2f8-0x2ff irq 3 remote {daemon_name} profile strict"]))


def dropped(pc):
    """The monitor's line, as {reason: count}."""
    open_monitor(pc)
    pc.type("leases\r")
    line = pc.wait(r"frames dropped: (.*(?:\n.*)?)\nfarbus> *\Z", 20).group(1).replace("\n", "")
    return {reason: int(count) for reason, count in re.findall(r"(\w+) (\d+)", line)}


def client():
    """The guest's 1000 reads bring what the register holds, whatever an impostor says first."""
    with Daemon("attack-pc-client") as daemon:
        address = bytes.fromhex(daemon.log_line("lends out").split()[-1].replace(":", ""))
        impostor = Impostor(address, bytes.fromhex(MACS[0].replace(":", "")))
        impostor.start()
        with reader("attack-pc-client/pc") as pc:
            pc.wait(r"^ready$", 240)
            pc.type("1")
            wrong = pc.wait(r"^1 in [0-9A-F]+ wrong ([0-9A-F]+) block [0-9A-F]+ \.", 300).group(1)
            impostor.stop()
            check("wrong values", int(wrong, 16), 0)
            found = dropped(pc)
            print(f"{impostor.sent} false frames; the PC has dropped {found}")
            if found.get("tag", 0) < READS or not found.get("stale"):
                raise Failure(f"{impostor.sent} false frames, dropped: {found}")
            if re.search("unknown outcome|lost", pc.log()):
                raise Failure(pc.log())


def port_of_the_bridge():
    """An interface whose other end is there."""
    for words in ("link add fbv type veth peer name fbw", f"link set fbw master {NEAR}",
                  "link set fbv up", "link set fbw up"):
        subprocess.run(["ip", *words.split()], check=True)
    return "fbv"


def impostor():
    """There is no server, only someone who has recorded one, its greeting with this very PC among
    it: the PC finds nobody, and its guest nothing at the route's ports."""
    with Daemon("attack-pc-impostor") as daemon:
        server = bytes.fromhex(daemon.log_line("lends out").split()[-1].replace(":", ""))
        pc_mac = bytes.fromhex(MACS[0].replace(":", ""))
        false = Impostor(server, pc_mac)
        false.start()
        genuine = PacketClient(port_of_the_bridge(), pc_mac, KEY)  # plays the PC's part
        check("lease", genuine.lease(genuine.discover()[0], "com2"), 0)
        for _ in range(20):
            check("register", genuine.inp(0x2FF), 0)
        genuine.renew()
        genuine.release()
        genuine.close()
        check("exit status", daemon.end(), 0)
        kinds = {frame[PAYLOAD + 3] for frame in false.old}
        check("recorded", kinds >= {OFFER, AUTH2, LEASE, REP, PONG}, True)
        false.sent = 0
        with reader("attack-pc-impostor/pc") as pc:
            pc.wait(r"^ready$", 240)
            pc.type("1")
            wrong = pc.wait(r"^1 in [0-9A-F]+ wrong ([0-9A-F]+) block [0-9A-F]+ \.", 300).group(1)
            check("reads of nothing", int(wrong, 16), READS)
            false.stop()
            found = dropped(pc)
            print(f"{false.sent} false frames; the PC has dropped {found}")
            if "no answer from any peer" not in pc.log():
                raise Failure(pc.log())
            if found.get("tag", 0) < 10:
                raise Failure(f"{false.sent} false frames, dropped: {found}")


def peer(host="qemu"):
    """A PC in peer mode: keys with limits, a stolen lease, old frames. All is counted."""
    visitors = bytes(range(100, 132))
    lines = remote.peer_lines(KEY_B.hex(), ("com2", "lpt1")) + [
        f"key {visitors.hex()} may lpt1 ports 0x379 irqs none read-only rate 1000"]
    with Segment("attack", host, 3, config=lines, key=KEY_B) as at:
        owner, visitor, thief = at.stations
        visitor.close()
        visitor = at.stations[1] = Client(at.relay.ports["station1"].pc_port, visitor.mac, visitors)
        server, _, _, exports = owner.discover(30)
        check("exports", sorted(exports), ["com2", "lpt1"])
        check("the visitor's", visitor.discover(10)[3]["lpt1"][0], 0)
        check("another's", visitor.lease(server, "com2"), 1)
        check("its own", visitor.lease(server, "lpt1"), 0)
        check("reads", visitor.inp(0x379) is not None, True)
        check("another port", visitor.inp(0x378), None)
        check("writes", visitor.out(0x379, 0), 2)
        check("lease", owner.lease(server, "com2"), 0)
        sent = []
        for byte in range(40):
            check("status", owner.out(0x2FF, byte), 0)
            sent.append(owner.last)
        for number, frame in enumerate(sent[:-9]):  # old ones
            owner.socket.sendto(frame, owner.remote)
            if number % 4 == 3:  # the card has taken all so far
                owner.inp(0x2FF)
        thief.server, thief.session, thief.session_keys = server, owner.session, owner.session_keys
        for _ in range(20):  # its number and its keys, from another address
            thief.send(REQ, out(0x2FF, EVIL), sequence=owner.sequence, operations=1)
            check("the register", owner.inp(0x2FF), 39)
        thief.mac, thief.session_keys = owner.mac, {side: os.urandom(16)
                                                    for side in ("to server", "to client")}
        for _ in range(20):  # its address, without its keys
            thief.send(REQ, out(0x2FF, EVIL), sequence=owner.sequence, operations=1)
            thief.send(RELEASE, sequence=owner.renewals + 1)
            check("the register", owner.inp(0x2FF), 39)
        at.shows(rf"^(Dropped:|  ).* stale {len(sent) - 9}\b")
        at.shows(r"^(Dropped:|  ).* session 20\b")
        at.shows(r"^(Dropped:|  ).* tag 40\b")


def killed(policy):
    """The daemon is killed while a guest prints, and started anew: what the route's policy says,
    and no byte twice."""
    with Daemon(f"attack-pc-{policy}") as daemon, PC(
            f"attack-pc-{policy}/pc", GUEST="", RAM="16M", FLOPPY=boot_floppy("remote_print"),
            NIC=f"{TAPS[0]}/{MACS[0]}",
            CONFIG=";".join([NIC_LINE, f"key {KEY.hex()}",
                             "route 0x378-0x37a irq 7 remote linux-a profile strict "
                             f"on-loss {policy}"])) as pc:
        pc.wait(r"^ready$", 240)
        printed_beyond(daemon, pc, 300)
        daemon.end(signal.SIGKILL)
        before = daemon.printed.read_bytes()
        dots = pc.text().count(".")
        if policy == "float":  # it reads all ones, which is "not busy"
            pc.until("going on without the daemon", lambda: pc.text().count(".") > dots + 40, 60)
        else:
            pc.poll(1)
            if pc.text().count(".") > dots + 1:
                raise Failure("the guest goes on without the daemon")
        daemon.start()
        printed_beyond(daemon, pc, len(before) + 300)
        pc.poll(0.1)
        check("said", len(re.findall(r"unknown outcome", pc.log())) > 0, True)
        daemon.end()
        check_series(before, daemon.printed.read_bytes()[len(before):], policy)


def check_series(before, after, policy):
    """Each byte is one more than the last, but for the place where the daemon died. What was then
    in the printer's data register is lost with it: the next strobe may give a byte of its own."""
    if after[1:2] != bytes([(after[0] + 1) % 256]):
        after = after[1:]
    for part in (before, after):
        check("one after the other", [n for n, (a, b) in enumerate(zip(part, part[1:]))
                                      if b != (a + 1) % 256], [])
    lost = (after[0] - before[-1] - 1) % 256
    print(f"{len(before)} bytes before, {len(after)} after, {lost} (modulo 256) between")
    if policy == "freeze" and lost > 2:
        raise Failure(f"{lost} bytes are missing: {before[-4:].hex()} {after[:4].hex()}")


def printed_beyond(daemon, pc, size):
    pc.until(f"print of {size} bytes", lambda: daemon.printed.stat().st_size > size, 120)


KEY_B = bytes(range(7, 39))
_CASES = {"client": client, "impostor": impostor, "freeze": lambda: killed("freeze"), "float": lambda: killed("float")}
CASES = {**{name: lambda name=name: in_namespace(name, __file__) for name in _CASES}, "peer": peer}

if __name__ == "__main__":
    segment()
    _CASES[sys.argv[1]]()
