# SPDX-License-Identifier: BSD-2-Clause
"""What a remote route costs between two emulated PCs.

    remote.py [latency] [disk]      one part or both

latency: microseconds from a guest's `in` to its completion, against echoes of the smallest frame
between the same two PCs, sent and awaited by Farbus itself. disk: MB/s reading B's disk through a
remote route, and the same image over AoE by the guest's own drivers for both card and protocol;
round trips and frames for each sector by Farbus's own counters in the same run.

Virtual time in QEMU is real time. What else this machine does adds to both sides of a quotient, so
the two are measured in turn, and of each the fastest round counts.
"""

import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "system"), str(HERE.parent.parent / "images")]

import remote  # noqa: E402
from aoe_target import AoeTarget  # noqa: E402
from bad_input_test import boot_floppy  # noqa: E402
from hardware import NIC_IRQ, NIC_PORT  # noqa: E402
from pc import PC, Failure  # noqa: E402
from paths import BUILD, Missing  # noqa: E402
from relay import Relay  # noqa: E402
from remote_debian import find_disk, log_in, md5  # noqa: E402
from remote_pair import KEY, Pair, Shell  # noqa: E402
from remotemedia import disk as disk_image  # noqa: E402

PROMPT = r"^farbus> *\Z"
ROUNDS = 5
READS, BLOCKS = 1000, 100  # of tests/system/guests/remote_in.asm
COM2 = "0x2f8-0x2ff irq 3"
AIM = 1.3
SECTOR = 512
PIECE, PIECES = 65536, 32  # of the disk
DISK_ROUNDS = 3
READ_AHEAD = 128  # KB, as Linux has it for an ATA disk
AOE_DISK = "/dev/etherd/e0.0"


def monitor(pc, command, done, seconds=120):
    """A command of the monitor; returns its match of `done` with the lines joined that the
    console's width has broken. The guest runs on afterwards."""
    pc.type("\x1d")
    pc.wait(PROMPT, 60)
    pc.type(command + "\r")
    pc.wait(r"(.*\n)+" + PROMPT, seconds)
    end = re.escape(command) + r"\n((?:.*\n)+)farbus> *\Z"
    found = re.search(done, pc.wait(end, seconds).group(1).replace("\n", ""))
    if not found:
        raise Failure(f"`{command}`: no /{done}/ in\n{pc.text()}")
    pc.type("continue\r")
    return found


# --- latency ---


def round_of_reads(pc, key, mhz):
    """(us for an `in`, us for a block of 512 bytes) by the guest."""
    pc.type(key)
    line = pc.wait(rf"^{key} in ([0-9A-F]+) wrong ([0-9A-F]+) block ([0-9A-F]+) \.", 300)
    ticks, wrong, block = (int(digits, 16) for digits in line.groups())
    if wrong:
        raise Failure(f"{wrong} of {READS} reads brought a value that the register does not have")
    return ticks / mhz / READS, block / mhz / BLOCKS


def latency():
    client = remote.network_lines(KEY) + [
        f"route {COM2} remote {remote.NAME_B} profile strict"]
    with Pair("bench-remote-latency", guest="", names=("com2",), client=client, RAM="16M",
              FLOPPY=boot_floppy("remote_in")) as pair:
        pair.start()
        pair.pc.wait(r"^ready$", 120)
        mhz = int(re.search(r"CPU at (\d+) MHz", pair.pc.log()).group(1))
        reads, blocks, echoes = [], [], []
        for n in range(1, ROUNDS + 1):
            read, block = round_of_reads(pair.pc, str(n), mhz)
            echo = monitor(pair.pc, f"ping {READS}",
                           rf"{READS} of {READS} echoes, (\d+) us on average")
            reads.append(read)
            blocks.append(block)
            echoes.append(int(echo.group(1)))
            print(f"  round {n}: in {read:.0f} us, echo {echoes[-1]} us, "
                  f"block of 512 bytes {block:.0f} us", flush=True)
    quotient = min(reads) / min(echoes)
    print(f"Remote `in`, strict: {min(reads):.0f} us; bare echo {min(echoes)} us; "
          f"{quotient:.2f} times (aim {AIM}); block of 512 bytes {min(blocks):.0f} us", flush=True)


# --- disk ---


def read_disk(shell, disk, image, count):
    """Reads the disk's first part, which is no longer in the cache; the data must be the image's.
    Returns the seconds by the guest's clock, and by how much each of count()'s numbers rose."""
    shell.run(f"exec 3<{disk}; echo 3 > /proc/sys/vm/drop_caches")  # open: what is read stays
    # The driver `aoe` has 2 MB set: at the end of dd it would have read twice as much.
    block = disk.removeprefix("/dev/").replace("/", "!")
    shell.run(f"echo {READ_AHEAD} > /sys/block/{block}/queue/read_ahead_kb")
    before = count()
    found = shell.expect(f"time dd if={disk} of=/dev/null bs={PIECE} count={PIECES}",
                         r"^real\s+(\d+)m\s*([0-9.]+)s", 900)
    rose = [now - then for now, then in zip(count(), before)]
    expected = md5(image.read_bytes()[:PIECE * PIECES])
    shell.expect(f"dd if={disk} bs={PIECE} count={PIECES} 2>/dev/null | md5sum",
                 rf"^{expected} ", 900)
    shell.run("exec 3<&-")
    return 60 * int(found.group(1)) + float(found.group(2)), *rose


def counters(pc, port):
    """Round trips that the guest waited for, and requests in all, of the route at that port."""
    found = monitor(pc, "leases", rf"{port:04x} .*accesses: *(\d+) *round *trips,.*?(\d+) *frames")
    return int(found.group(1)), int(found.group(2))


def by_route():
    """[(seconds, round trips, requests)] of each round."""
    results = []
    with Pair("bench-remote-disk", names=("ide1",)) as pair:
        pair.start()
        shell = Shell(pair)
        log_in(shell)
        disk = find_disk(shell)
        for _ in range(DISK_ROUNDS):
            results.append(read_disk(shell, disk, pair.peer.disk,
                                     lambda: counters(pair.pc, 0x170)))
            show_round("remote route", results[-1])
    return results


def by_aoe():
    """The same for AoE: the card is the guest's, which has drivers for it and for AoE of its own.
    The target is no PC, but answers at once."""
    image = disk_image()
    target = AoeTarget(image, remote.MAC_B)
    relay = Relay(["a"])

    def answer(_, frame):
        reply = target.answer(frame)
        if reply:
            relay.inject(reply)
        return False

    relay.filter = answer
    card = f"route {NIC_PORT:#x}-{NIC_PORT + 31:#x} irq {NIC_IRQ} local"
    results = []
    with relay, PC("bench-remote-aoe", NIC=f"{relay.ports['a'].pc_port}/{remote.MAC_A}",
                   GUEST="debian-remote", CONFIG=card) as pc:
        shell = Shell(None, pc)
        log_in(shell)
        shell.run("modprobe ne; modprobe aoe; ifconfig eth0 up")
        shell.run(f"until [ -b {AOE_DISK} ]; do echo > /dev/etherd/discover; sleep 1; done", 120)
        for _ in range(DISK_ROUNDS):
            results.append(read_disk(shell, AOE_DISK, image,
                                     lambda: (target.frames, target.frames)))
            show_round("AoE", results[-1])
    return results


def show_round(what, result):
    seconds, trips, requests = result
    sectors = PIECE * PIECES / SECTOR
    print(f"  {what}: {PIECE * PIECES / seconds / 1e6:.3f} MB/s, {trips / sectors:.2f} round trips "
          f"and {requests / sectors:.2f} requests for each sector", flush=True)


def disk():
    route, aoe = (PIECE * PIECES / min(result[0] for result in results) / 1e6
                  for results in (by_route(), by_aoe()))
    print(f"Reading B's disk: {route:.3f} MB/s by a remote route, {aoe:.3f} MB/s by AoE: "
          f"{route / aoe:.2f} times", flush=True)


PARTS = {"latency": latency, "disk": disk}


def main(parts):
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        raise Failure(f"'{unknown[0]}': expected one of {' '.join(PARTS)}")
    for part in parts or PARTS:
        PARTS[part]()


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (Failure, Missing) as failure:
        sys.exit(f"bench: {failure}")
