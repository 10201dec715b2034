# SPDX-License-Identifier: BSD-2-Clause
"""KolibriOS's desktop under Farbus is the one it shows natively, outside the clock.

In QEMU the picture comes from its monitor. Bochs has no such thing: there it is the picture in
Bochs's window, on an X server without a screen. (Of Bochs's displays that need no X server, rfb
offers the guest modes of 8 bits only, and KolibriOS wants 24.)
"""

import contextlib
import re
import time

from pc import PC, SLOWER, Failure
from picture import Picture
from xscreen import XScreen

SETTLED = 3  # looks at the screen that must be good, one after the other
CHECK = 5  # seconds between them

BAR = 18  # lines of the task bar

# Bochs's window: a tool bar above the PC's screen, a status bar below it.
BOCHS_ABOVE, BOCHS_BELOW = 32, 18


def in_clock(picture, area):
    """The clock is at the right end of the task bar, at the bottom."""
    left, top, _, _ = area
    return left >= picture.width - 80 and top >= picture.height - 24


@contextlib.contextmanager
def booted(host, native, test="kolibrios"):
    """A function that takes a picture of the guest's screen, and the PC."""
    name = f"{test}-{host}" + ("-native" if native else "")
    words = dict(host=host, native=native, GUEST="kolibrios")
    if host == "qemu":
        with PC(name, **words) as pc:
            yield lambda: _qemu_screen(pc), pc
    else:
        with XScreen() as screen, PC(name, display=screen.display, **words) as pc:
            yield lambda: _bochs_screen(screen), pc


def _qemu_screen(pc):
    target = pc.work / "screen.ppm"
    try:
        pc.screendump(target)
    except (FileNotFoundError, ConnectionRefusedError):
        return None  # QEMU is not there yet
    return Picture.read(target)


def _bochs_screen(screen):
    windows = [window for window in screen.windows() if "Bochs" in window.name]
    if not windows:
        return None  # it has not opened it yet
    window = windows[0]
    return screen.picture(window, 0, BOCHS_ABOVE, window.width,
                          window.height - BOCHS_ABOVE - BOCHS_BELOW)


def desktop(host, native, seconds, arrived, test="kolibrios"):
    """The screen once `arrived` says so of the last look and the one before; else the last one."""
    with booted(host, native, test) as (look, pc):
        end = time.monotonic() + seconds * SLOWER
        before, good = None, 0
        while good < SETTLED and time.monotonic() < end:
            pc.run_for(CHECK)
            now = look()
            good = good + 1 if now and before and arrived(before, now) else 0
            before = now
        if not before:
            raise Failure(f"no screen after {seconds} s")
        before.write_png(pc.work / "screen.png")
        fault = re.search(r"^farbus: .*(triple fault|panic).*", pc.farbus_log(), re.MULTILINE)
        if fault:
            raise Failure(fault[0])
        return before, good >= SETTLED


def equal(one, other):
    """Equal outside the clock."""
    if (one.width, one.height) != (other.width, other.height):
        return False
    area = one.differing(other)
    return area is None or in_clock(one, area)


def drawn(picture):
    """A desktop, down to where its task bar is."""
    bar = Picture(picture.width, BAR, picture.pixels[-BAR * picture.width * 3:])
    return picture.height >= 600 and picture.colors() > 16 and bar.colors() > 4


def still(before, now):
    """A desktop, and nothing moves on it."""
    return drawn(now) and equal(before, now)


def same_screen(host):
    native, settled = desktop(host, True, 500, still)
    if not settled:
        raise Failure("natively no settled desktop after 500 s")
    # Under the interpreter the desktop may be still for a minute while it computes its background:
    # what ends the wait is the picture that is to come.
    ours, same = desktop(host, False, 1200, lambda _, now: equal(native, now))
    if same:
        return
    if (native.width, native.height) != (ours.width, ours.height):
        raise Failure(f"{ours.width}x{ours.height}, natively {native.width}x{native.height}")
    raise Failure(f"the screens differ in the rectangle {native.differing(ours)}")


def boots():
    """The first program fills the screen with its background in QEMU. What comes of that,
    same_screen() compares: the rest takes minutes on a busy machine."""
    _, whole = desktop("qemu", False, 300, lambda _, now: drawn(now), "kolibrios-boots")
    if not whole:
        raise Failure("no desktop after 300 s")
