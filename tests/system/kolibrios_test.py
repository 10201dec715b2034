# SPDX-License-Identifier: BSD-2-Clause
"""KolibriOS's desktop under Farbus is the one it shows natively, outside the clock."""

import time

from pc import PC, Failure

SETTLED = 3  # looks at the screen, CHECK seconds apart, that must be the same
CHECK = 5


class Picture:
    """A PPM (P6) as QEMU and rfb.py write it."""

    def __init__(self, path):
        data = path.read_bytes()
        magic, width, height, depth, self.pixels = self._fields(data)
        if magic != b"P6" or depth != b"255":
            raise Failure(f"{path}: expected a PPM (P6) of 8 bits")
        self.width, self.height = int(width), int(height)

    @staticmethod
    def _fields(data):
        *head, rest = data.split(None, 4)
        begin = data.index(b"255") + 4
        return (*head[:4], data[begin:])

    def colors(self):
        return len({self.pixels[i:i + 3] for i in range(0, len(self.pixels), 3 * 7)})

    def differing(self, other):
        """The rectangle (left, top, right, bottom) outside which both are equal, or None."""
        row = self.width * 3
        lines = [y for y in range(self.height)
                 if self.pixels[y * row:(y + 1) * row] != other.pixels[y * row:(y + 1) * row]]
        if not lines:
            return None
        columns = [x for y in lines for x in range(self.width)
                   if self._at(x, y) != other._at(x, y)]
        return min(columns), lines[0], max(columns), lines[-1]

    def _at(self, x, y):
        place = (y * self.width + x) * 3
        return self.pixels[place:place + 3]

    def in_clock(self, area):
        """The clock is at the right end of the task bar, at the bottom."""
        left, top, _, _ = area
        return left >= self.width - 80 and top >= self.height - 24


def desktop(host, native, seconds):
    """The screen once the desktop has settled."""
    name = f"kolibrios-{host}" + ("-native" if native else "")
    with PC(name, host=host, native=native, display="rfb", GUEST="kolibrios") as pc:
        end = time.monotonic() + seconds
        target = pc.work / "screen.ppm"
        before, same = None, 0
        while time.monotonic() < end:
            _linger(pc, CHECK)
            pc.screendump(target)
            now = Picture(target)
            graphical = now.height >= 600 and now.colors() > 16
            if before and graphical and (now.width, now.height) == (before.width, before.height):
                area = now.differing(before)
                same = same + 1 if area is None or now.in_clock(area) else 0
            if same >= SETTLED:
                return now
            before = now
        raise Failure(f"no settled desktop after {seconds} s; the last screen is {target}")


def _linger(pc, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not pc.poll(0.2):
            raise Failure(f"the PC ended:\n{pc.log()[-2000:]}")


def same_screen(host):
    native = desktop(host, True, 300)
    ours = desktop(host, False, 900 if host == "qemu" else 5400)
    if (native.width, native.height) != (ours.width, ours.height):
        raise Failure(f"{ours.width}x{ours.height}, natively {native.width}x{native.height}")
    area = native.differing(ours)
    if area and not native.in_clock(area):
        raise Failure(f"the screens differ in the rectangle {area}")
