# SPDX-License-Identifier: BSD-2-Clause
"""The network card is found, and its interrupt arrives; the guest boots beside it."""

import re

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


CASES = {
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
