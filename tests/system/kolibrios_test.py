# SPDX-License-Identifier: BSD-2-Clause
"""KolibriOS's desktop under Farbus is the one it shows natively, outside the clock; in QEMU."""

import time

from pc import PC, Failure
from picture import Picture

SETTLED = 3  # looks at the screen, CHECK seconds apart, that must be the same
CHECK = 5


def in_clock(picture, area):
    """The clock is at the right end of the task bar, at the bottom."""
    left, top, _, _ = area
    return left >= picture.width - 80 and top >= picture.height - 24


def desktop(native, seconds):
    """The screen once the desktop has settled."""
    name = "kolibrios-qemu" + ("-native" if native else "")
    with PC(name, native=native, GUEST="kolibrios") as pc:
        end = time.monotonic() + seconds
        target = pc.work / "screen.ppm"
        before, same = None, 0
        while time.monotonic() < end:
            _linger(pc, CHECK)
            pc.screendump(target)
            now = Picture.read(target)
            graphical = now.height >= 600 and now.colors() > 16
            if before and graphical and (now.width, now.height) == (before.width, before.height):
                area = now.differing(before)
                same = same + 1 if area is None or in_clock(now, area) else 0
            if same >= SETTLED:
                return now
            before = now
        raise Failure(f"no settled desktop after {seconds} s; the last screen is {target}")


def _linger(pc, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not pc.poll(0.2):
            raise Failure(f"the PC ended:\n{pc.log()[-2000:]}")


def same_screen():
    native = desktop(True, 300)
    ours = desktop(False, 900)
    if (native.width, native.height) != (ours.width, ours.height):
        raise Failure(f"{ours.width}x{ours.height}, natively {native.width}x{native.height}")
    area = native.differing(ours)
    if area and not in_clock(native, area):
        raise Failure(f"the screens differ in the rectangle {area}")
