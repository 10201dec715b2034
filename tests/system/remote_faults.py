# SPDX-License-Identifier: BSD-2-Clause
"""What goes wrong between two PCs: a bad segment, cuts, a peer that dies, strangers, and who may
not have what. DLX is the guest: it copies a part of B's disk to another place on it."""

import contextlib
import random
import re
import time

import remote_dlx
from bad_input_test import boot_floppy
from console_test import command, open_monitor
from pc import Failure
from remote_pair import KEY, Pair, Shell

import remote
from relay import Faults, frame_type

# KB, in data.bin, and not far: its dd reads all that lies before
FROM, TO, SIZE = 400, 600, 128
BAD_SIZE = 16


@contextlib.contextmanager
def dlx(name, names=("ide1",), **how):
    with Pair(f"remote-{name}", guest="dlx", names=names, **how) as pair:
        pair.start()
        shell = Shell(pair)
        remote_dlx.log_in(shell)
        yield pair, shell


def start_copy(shell, size=SIZE):
    shell.start(f"dd if=/dev/hdc of=/dev/hdc bs=1k skip={FROM} seek={TO} count={size} && sync")


def copied(pair, size=SIZE):
    data = pair.peer.disk.read_bytes()
    return data[TO << 10:TO + size << 10] == data[FROM << 10:FROM + size << 10]


def must_be_copied(pair, size=SIZE):
    if not copied(pair, size):
        raise Failure("the copy on B's disk is not like the original\n" + pair.both_logs())


def under_way(pair):
    """Until the operation that was started has its frames on the wire."""
    before = pair.relay.frames()
    pair.until("traffic", lambda: pair.relay.frames() > before + 200, 30)


def bad_segment():
    """Loss, repetition, reordering and damage at once: a copy is a copy."""
    with dlx("bad-segment") as (pair, shell):
        pair.relay.faults = Faults(0.05, 0.05, 0.05, 0.01, (0, 0.002))
        start_copy(shell, BAD_SIZE)
        shell.finish(240)
        pair.relay.faults = Faults()
        must_be_copied(pair, BAD_SIZE)
        fates = pair.relay.ports["a"].fates
        if not all(fates[fate] for fate in ("dropped", "duplicated", "reordered", "corrupted")):
            raise Failure(f"the segment was not bad: {dict(fates)}")


def short_cut(seconds):
    """Shorter than a lease's life: the guest waits, and nothing is lost."""
    with dlx(f"cut-{seconds}") as (pair, shell):
        start_copy(shell)
        under_way(pair)
        cut_for(pair, seconds)
        shell.finish(120)
        must_be_copied(pair)
        if "unknown outcome" in pair.pc.log():
            raise Failure(pair.both_logs())


def cut_for(pair, seconds):
    pair.relay.cut()
    pair.pc.run_for(seconds)
    pair.relay.join()


def long_cut(policy):
    """Longer than a lease's life: it is said, and afterwards the disk is there."""
    more = f"on-loss {policy}"
    with dlx(f"cut-{policy}", more=more) as (pair, shell):
        start_copy(shell)
        under_way(pair)
        cut_for(pair, 20)
        pair.log(r"lost: no answer for 10 s", 10)
        pair.log(r"ide1: up", 60)
        shell.finish(240, status=None)
        again(pair, shell)


def again(pair, shell):
    """A guest whose driver has had its errors copies as if nothing had been."""
    start_copy(shell)
    shell.finish(240)
    must_be_copied(pair)


def killed():
    """B's power fails when it has carried something out and not answered: that is of unknown
    outcome, said to be so, and not sent again."""
    with dlx("killed") as (pair, shell):
        start_copy(shell)
        under_way(pair)
        fates = pair.relay.ports["b"].fates
        pair.relay.filter = lambda name, frame: (name, frame_type(frame)) != ("b", "REP")
        pair.until("answer that was not let through", lambda: fates["filtered"], 30)
        pair.peer.kill()
        pair.relay.filter = None
        pair.peer.start()
        pair.log(r"unknown outcome", 60)
        pair.log(r"ide1: up", 60)
        shell.finish(240, status=None)
        again(pair, shell)


def by_turns():
    """Two guests, one UART: who has it not gets one line; then they hand it on."""
    with dlx("by-turns", ("com2",), stations=("a", "b", "c")) as (pair, shell):
        shell.run("echo one > /dev/ttyS1")
        second = pair.start_a("c", remote.network_lines(KEY))
        other = Shell(pair, second)
        remote_dlx.log_in(other)
        ports = "0x2f8-0x2ff irq 3"
        take = f"attach {ports} remote pc-b profile uart"
        open_monitor(second)
        command(second, take, r".*com2: failed: com2 of pc-b is held by another(.*\n)+")
        open_monitor(pair.pc)
        command(pair.pc, f"detach {ports}", "")
        pair.pc.type("c\r")
        pair.peer_log(r"com2 given back by", 10)
        command(second, take, "")
        second.type("c\r")
        second.wait(r"dlx:~# *\Z", 30)
        other.run("echo two > /dev/ttyS1")
        pair.until("what both wrote", lambda: b"two" in pair.wire.received, 20, second)
        got = pair.wire.taken()
        if got != b"one\r\ntwo\r\n":
            raise Failure(f"COM2: {got!r}")


def flood():
    """Garbage and damaged copies of real frames at both PCs while a guest works."""
    with dlx("flood") as (pair, shell):
        seen = []
        pair.relay.filter = lambda _, frame: seen.append(frame) or True
        start_copy(shell)
        under_way(pair)
        rng = random.Random(5)
        for _ in range(3000):
            frame = bytearray(rng.choice(seen))
            for _ in range(rng.randrange(1, 6)):
                frame[rng.randrange(12, len(frame))] = rng.randrange(256)
            if rng.random() < 0.2:
                frame[12:] = rng.randbytes(rng.randrange(48, 1500))
            pair.relay.inject(bytes(frame))
            pair.pc.poll(0.002)
        pair.relay.filter = None
        shell.finish(240)
        must_be_copied(pair)
        screen = "\n".join(pair.peer_screen())
        if not re.search(r"^Dropped: .*tag \d{2,}", screen, re.MULTILINE):
            raise Failure(f"B counted no frames with a wrong tag:\n{screen}")


def refused(name, route, line):
    """One line, and the guest boots without the device."""
    client = remote.network_lines(KEY) + [route]
    with dlx(f"refused-{name}", names=("com2", "ide1"), client=client) as (pair, shell):
        said = [text for text in pair.pc.log().splitlines()
                if text.startswith("farbus: warning: ")]
        if len(said) != 1 or not re.search(line, said[0]):
            raise Failure(f"expected one line /{line}/, got {said}\n{pair.both_logs()}")
        shell.run("echo the guest runs")
        open_monitor(pair.pc)
        pair.pc.type("routes\r")
        pair.pc.wait(r"01f1-01f7 .*\n0376-0376 (.*\n)*all else absent(.*\n)*farbus> *\Z", 30)


def no_such_peer():
    refused("peer", "route 0x2f8-0x2ff irq 3 remote pc-x profile uart", r"pc-x")


def no_such_irq():
    refused("irq", "route 0x2f8-0x2ff irq 5 remote pc-b profile uart", r"irq 5")


def no_such_ports():
    refused("ports", "route 0x2f8-0x2ff,0x220 irq 3 remote pc-b", r"220")


def switched_off():
    """A test whose PC ends in its midst fails, at once and by saying which."""
    with Pair("remote-switched-off", guest="", names=("com2",), FLOPPY=boot_floppy("hello"),
              RAM="16M") as pair:
        pair.start()
        pair.pc.wait(r"^hello", 120)
        for end, line in ((lambda: pair.pc.qmp("quit"), "PC A ended before this: miracle"),
                          (pair.peer.kill, "PC B ended before this: miracle")):
            end()
            began = time.process_time()
            try:
                pair.until("miracle", lambda: False, 60)
            except Failure as failure:
                said = str(failure)
            if not said.startswith(line) or time.process_time() > began + 5:
                raise Failure(f"expected '{line}' at once; after "
                              f"{time.process_time() - began:.1f} s of the CPU's time:\n{said}")


CASES = {
    "bad-segment": bad_segment,
    "cut-1": lambda: short_cut(1),
    "cut-5": lambda: short_cut(5),
    **{f"cut-20-{policy}": lambda policy=policy: long_cut(policy)
       for policy in ("freeze", "float", "error")},
    "killed": killed,
    "by-turns": by_turns,
    "flood": flood,
    "no-such-peer": no_such_peer,
    "no-such-irq": no_such_irq,
    "no-such-ports": no_such_ports,
    "switched-off": switched_off,
}
QUICK = {"bad-segment", "cut-5", "killed", "no-such-peer", "switched-off"}
