# SPDX-License-Identifier: BSD-2-Clause
"""What an emulated PC has besides boot disk, VGA and COM1; qemu.py and bochs.py fit it in."""

from dataclasses import dataclass
from pathlib import Path
from typing import Optional

# Where the NE2000 is: Bochs panics with IRQ 9, which is QEMU's default.
NIC_PORT, NIC_IRQ = 0x300, 10
MAC = "52:54:00:fa:00:0a"  # of the PC with the guest


@dataclass(frozen=True)
class Nic:
    port: int  # the UDP port where the PC receives frames; it sends to the next one (relay.py)
    mac: str
    tap: str = ""  # instead: this machine's interface that the cable leads to


@dataclass(frozen=True)
class Hardware:
    nic: Optional[Nic] = None
    disk: Optional[Path] = None  # secondary master; it is written to
    cdrom: Optional[Path] = None  # secondary slave
    com2: Optional[int] = None  # TCP port of 127.0.0.1 that the emulator connects to
    lpt1: Optional[Path] = None  # what is printed
    sb16: Optional[Path] = None  # what is played, WAV
    floppy: Optional[Path] = None  # in the first drive, 1.44 MB; it is written to
