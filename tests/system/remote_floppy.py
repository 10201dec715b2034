# SPDX-License-Identifier: BSD-2-Clause
"""A boots from B's floppy drive: its firmware reads and writes by DMA channel 2 of B."""

import dataclasses
import random
import struct

from bad_input_test import boot_floppy
from pc import BUILD, Failure
from remote_pair import KEY, Pair

import remote
from paths import written

HOSTS = (("qemu", "qemu"), ("qemu", "bochs"))
RANGES = "0x3f0-0x3f5,0x3f7 irq 6 dma 2"
SECTOR, READ, WRITTEN = 512, 72, 18
TARGET = 40 * 36 * SECTOR


def floppy(out):
    """The program and random bytes behind it, in a file of this run's own: B writes to it."""
    path = out / "floppy.img"
    data = bytearray(open(boot_floppy("floppy_dma"), "rb").read())
    data[SECTOR:] = random.Random(3).randbytes(len(data) - SECTOR)
    path.write_bytes(data)
    return path


def checksum(data):
    total = 0
    for word, in struct.iter_unpack("<H", data):
        total = ((total << 1 | total >> 15) + word) & 0xffff
    return total


def boot(hosts):
    """A's own floppy, which its firmware must not see, has only zeros on it."""
    blank = BUILD / "tests" / "images" / "blank.img"
    with written(blank) as partial:
        partial.write_bytes(bytes(1474560))
    lines = {"server": remote.network_lines(KEY) + [f"peer {remote.NAME_B}",
                                                    f"export {RANGES} name floppy"],
             "client": remote.network_lines(KEY) + [f"route {RANGES} remote {remote.NAME_B}"]}
    with Pair(f"remote-floppy-{'-'.join(hosts)}", hosts, "", FLOPPY=str(blank), RAM="16M",
              **lines) as pair:
        disk = floppy(pair.out)
        before = disk.read_bytes()
        pair.peer.parts = dataclasses.replace(pair.peer.parts, floppy=disk)
        pair.start()
        pair.pc.wait(rf"^{checksum(before[:READ * SECTOR]):04X} is the sum$", 120)
        pair.pc.wait(r"^written$", 60)
    after = disk.read_bytes()
    expected = bytearray(before)
    expected[TARGET:TARGET + WRITTEN * SECTOR] = before[:WRITTEN * SECTOR]
    if after != expected:
        wrong = next(i for i, (a, b) in enumerate(zip(after, expected)) if a != b)
        raise Failure(f"B's floppy is not as written: the first wrong byte is at {wrong:#x}")
