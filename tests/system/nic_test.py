# SPDX-License-Identifier: BSD-2-Clause
"""The network card is found, and its interrupt arrives; the guest boots beside it."""

import os
import re
import socket

from bad_input_test import boot_floppy
from pc import PC, Failure

QEMU = "-netdev user,id=n -device "
BOCHS = "mac=52:54:00:12:34:56, ethmod=null, ethdev=none"


def starts(name, config, line, **words):
    """The log has the line that tells of the card, and no warning."""
    with PC(f"nic-{name}", FLOPPY=boot_floppy("hello"), CONFIG=config + "; key insecure",
            **words) as pc:
        pc.wait("hello", 300)
        log = pc.log()
    if not re.search(rf"^farbus: nic: {line}, 52:54:00:12:34:56$", log, re.MULTILINE):
        raise Failure(f"no line /{line}/:\n{log}")
    if re.search(r"^farbus: (warning|error): ", log, re.MULTILINE):
        raise Failure(f"a warning:\n{log}")


def outs(pc, *writes):
    """Port writes from outside, through QEMU's test interface."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.path.relpath(pc.work / "run" / "qtest.sock"))
        for width, port, value in writes:
            connection.sendall(f"out{width} {port:#x} {value:#x}\n".encode())
            if connection.recv(64) != b"OK\n":
                raise Failure("QEMU's test interface refused a write")


def lost():
    """The card disappears (its PCI ports are switched off): one line, and the peer goes on."""
    config = "nic ne2000 pci; key insecure; peer; export 0x2f8-0x2ff irq 3 name com2"
    with PC("nic-lost", FLOPPY=boot_floppy("hello"), CONFIG=config,
            HOSTARGS=QEMU + "ne2k_pci,netdev=n,addr=4 "
            "-qtest unix:qtest.sock,server=on,wait=off -qtest-log none") as pc:
        pc.wait(r"^Card: 0 sent", 60)
        outs(pc, ("l", 0xCF8, 0x80002004), ("w", 0xCFC, 0))
        pc.wait(r"^Card: lost; 0 sent", 10)
        pc.wait(r"^error: nic: the card is gone: its ports read FFh", 10)
        up = pc.wait(r"up +(\d:\d\d:\d\d)", 10).group(1)
        pc.wait(rf"up +(?!{up})\d:\d\d:\d\d", 10)
        errors = re.findall(r"^farbus: error: .*", pc.log(), re.MULTILINE)
    if len(errors) != 1:
        raise Failure(f"expected one error line, got {errors}")


CASES = {
    "lost-qemu": lost,
    "pci-qemu": lambda: starts(
        "pci-qemu", "nic ne2000 pci", r"ne2000 at 0x\w+, 32-bit, irq \d+",
        HOSTARGS=QEMU + "ne2k_pci,netdev=n"),
    "pci-bochs": lambda: starts(
        "pci-bochs", "nic ne2000 pci", r"ne2000 at 0x\w+, 32-bit, irq \d+", host="bochs",
        BOCHSARGS="pci: enabled=1, chipset=i440fx, slot1=ne2k;"
                  f"ne2k: enabled=1, type=pci, {BOCHS}"),
    "probed-qemu": lambda: starts(
        "probed-qemu", "nic ne2000 irq 9", r"ne2000 at 0x340, 16-bit, irq 9",
        HOSTARGS=QEMU + "ne2k_isa,iobase=0x340,irq=9,netdev=n"),
    "probed-bochs": lambda: starts(
        "probed-bochs", "nic ne2000", r"ne2000 at 0x300, 16-bit, polled", host="bochs",
        BOCHSARGS=f"ne2k: enabled=1, ioaddr=0x300, irq=10, {BOCHS}"),
}
