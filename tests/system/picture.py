# SPDX-License-Identifier: BSD-2-Clause
"""Pictures of screens: read as PPM (what QEMU's monitor writes), compared, written as PNG.

    picture.py IN.ppm OUT.png
"""

import struct
import sys
import zlib
from pathlib import Path


class Picture:
    def __init__(self, width, height, pixels):
        self.width, self.height, self.pixels = width, height, pixels  # RGB, 3 bytes each

    @classmethod
    def read(cls, path):
        """A PPM (P6) of 8 bits."""
        data = Path(path).read_bytes()
        magic, width, height, depth = data.split(None, 4)[:4]
        if magic != b"P6" or depth != b"255":
            raise ValueError(f"{path}: expected a PPM (P6) of 8 bits")
        size = int(width) * int(height) * 3
        return cls(int(width), int(height), data[-size:])

    def colors(self):
        """How many different ones, in a seventh of the pixels."""
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

    def write_png(self, path):
        row = self.width * 3
        raw = b"".join(b"\0" + self.pixels[y * row:(y + 1) * row] for y in range(self.height))
        header = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        with open(path, "wb") as out:
            out.write(b"\x89PNG\r\n\x1a\n")
            for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(raw, 9)), (b"IEND", b"")):
                out.write(struct.pack(">I", len(data)) + kind + data
                          + struct.pack(">I", zlib.crc32(kind + data)))


if __name__ == "__main__":
    Picture.read(sys.argv[1]).write_png(sys.argv[2])
