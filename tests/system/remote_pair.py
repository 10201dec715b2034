# SPDX-License-Identifier: BSD-2-Clause
"""Two emulated PCs on one segment, as a test sees them: A with a guest, B with devices."""

import re
import shutil

import pyte

from pc import BUILD, PC, Failure

import peer
import remote
from hardware import Nic
from relay import Relay

KEY = "5a" * 32


class Pair:
    """`pc` is A (its screen and keys are the guest's), `peer` is B, `relay` what is between them.

    names: the exports that are lent out and used. client: A's lines instead of the usual ones.
    more: what is added to A's routes. Nothing is switched on until start() or start_b().
    """

    def __init__(self, name, hosts=("qemu", "qemu"), guest="debian-remote",
                 names=tuple(peer.EXPORTS), faults=None, seed=1, client=None, server=None, more="",
                 stations=("a", "b"), **words):
        self.name, self.hosts, self.words = name, hosts, dict(words, GUEST=guest)
        self.out = BUILD / "tests" / name
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir(parents=True)
        self.relay = Relay(stations, seed, faults, pcap=self.out / "segment.pcap")
        self.peer = peer.Peer(self.out / "peer", hosts[1], self.nic("b"),
                              server or remote.peer_lines(KEY, names))
        self.client = client if client is not None else (
            remote.network_lines(KEY) + peer.routes(remote.NAME_B, names, more))
        self.pcs = []

    def nic(self, station):
        return Nic(self.relay.ports[station].pc_port, f"52:54:00:fa:00:0{station}")

    def start_b(self):
        self.relay.start()
        self.peer.start()

    def start_a(self, station="a", client=None):
        nic = self.nic(station)
        lines = ";".join(client if client is not None else self.client)
        pc = PC(f"{self.name}/{station}", host=self.hosts[0], NIC=f"{nic.port}/{nic.mac}",
                CONFIG=lines, called=f"PC {station.upper()}",
                **self.words)
        self.pcs.append(pc)
        return pc

    @property
    def pc(self):
        return self.pcs[0]

    @property
    def wire(self):
        return self.peer.wire

    def start(self):
        self.start_b()
        self.start_a()
        return self

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        for pc in self.pcs:
            pc.__exit__(*failure)
        self.peer.end()
        self.relay.stop()
        print(self.relay.report())

    # --- what is waited for ---

    def until(self, what, done, seconds, pc=None):
        """Lets A (or `pc`) run until done() is true, and B."""
        def done_by_both():
            if done():
                return True
            if not self.peer.alive():
                raise Failure(f"PC B ended before this: {what}\n" + self.both_logs())
            return False

        (pc or self.pc).until(what, done_by_both, seconds, self.both_logs)

    def peer_log(self, pattern, seconds, count=1):
        """Until B's log has that many such lines; returns them."""
        def lines():
            return [line for line in self.peer.log() if re.search(pattern, line)]

        self.until(f"line /{pattern}/ in B's log", lambda: len(lines()) >= count, seconds)
        return lines()

    def log(self, pattern, seconds, count=1):
        """The same of A's log."""
        def lines():
            return [line for line in self.pc.log().splitlines() if re.search(pattern, line)]

        self.until(f"line /{pattern}/ in A's log", lambda: len(lines()) >= count, seconds)
        return lines()

    def peer_screen(self):
        """The lines of B's own screen, as its console has drawn it."""
        screen = pyte.Screen(80, 25)
        pyte.ByteStream(screen).feed((self.peer.out / "b.screen").read_bytes())
        return [line.rstrip() for line in screen.display]

    def peer_interrupts(self, export):
        """How many interrupts of an export's lines B has counted, by its screen."""
        for line in self.peer_screen():
            words = line.split()
            if words and words[0] == export and words[-1].isdigit():
                return int(words[-1])
        raise Failure(f"B's screen shows no {export}:\n" + "\n".join(self.peer_screen()))

    def both_logs(self):
        return (f"A: {self.pc.log()[-1500:]}\nB: " + "\n".join(self.peer.log()[-20:]))


class SameInterrupts:
    """Around an operation: both sides must count the same interrupts of a line, and some.

    guest(): the guest's own count. B's screen is drawn four times a second, so it is waited for.
    """

    def __init__(self, pair, export, guest):
        self.pair, self.export, self.guest = pair, export, guest

    def __enter__(self):
        self.before = self.guest() - self.pair.peer_interrupts(self.export)
        self.first = self.guest()
        return self

    def __exit__(self, kind, *_):
        if kind:
            return
        after = self.guest()

        def same():
            return after - self.pair.peer_interrupts(self.export) == self.before

        if after == self.first:
            raise Failure(f"{self.export}: the guest counted no interrupt")
        try:
            self.pair.until("equal count of interrupts", same, 5)
        except Failure as failure:
            here, there = after - self.first, self.pair.peer_interrupts(self.export)
            raise Failure(f"{self.export}: {here} interrupts by the guest, by B "
                          f"{there + self.before - self.first}\n{failure}") from None
        print(f"{self.export}: {after - self.first} interrupts on both sides")


class Shell:
    """A shell on a guest's screen. One command at a time, with its status and its output."""

    def __init__(self, pair, pc=None, slower=1):
        self.pair, self.pc, self.slower, self.count = pair, pc or pair.pc, slower, 0

    def start(self, command):
        """Types it and a mark behind it; finish() waits for the mark."""
        self.count += 1
        self.pc.type(f"clear; {command}; echo =$?={self.count}=\r")

    def finish(self, seconds=60, status=0):
        mark = rf"^=(\d+)={self.count}=$"
        self.pair.until("end of the command", lambda: self.pc.has(mark), seconds * self.slower,
                        self.pc)
        found = self.pc.has(mark)
        if status is not None and int(found.group(1)) != status:
            raise Failure(f"status {found.group(1)}, expected {status}; the screen shows:\n"
                          f"{self.pc.text()}")
        return self.pc.text()[:found.start()]

    def run(self, command, seconds=60, status=0):
        self.start(command)
        return self.finish(seconds, status)

    def expect(self, command, pattern, seconds=60):
        text = self.run(command, seconds)
        found = re.search(pattern, text, re.MULTILINE)
        if not found:
            raise Failure(f"`{command}`: no /{pattern}/ in\n{text}")
        return found
