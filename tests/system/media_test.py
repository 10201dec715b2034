# SPDX-License-Identifier: BSD-2-Clause
"""The boot image starts from each medium, and a guest runs from a disk of the PC itself."""

from bad_input_test import boot_floppy
from dialogues import LOG_IN_DLX
from guests_test import play
from pc import PC

import guests


def starts_from(medium):
    with PC(f"medium-{medium}", MEDIUM=medium, FLOPPY=boot_floppy("hello")) as pc:
        pc.wait(r"^hello", 150)


def host_disk():
    """DLX from the PC's second disk instead of from a module."""
    disk = guests.dlx_image()
    with PC("host-disk", FLOPPY=boot_floppy("hello"), RAM="16M",
            HOSTARGS=f"-drive file={disk},format=raw,if=none,id=d,snapshot=on "
                     "-device ide-hd,drive=d,bus=ide.0,unit=1,cyls=306,heads=4,secs=17",
            CONFIG="disk0 host 1; geometry disk0 306/4/17; boot c") as pc:
        play(pc, LOG_IN_DLX)


CASES = {
    "medium/cd": lambda: starts_from("cd"),
    "medium/usb": lambda: starts_from("usb"),
    "host-disk": host_disk,
}
