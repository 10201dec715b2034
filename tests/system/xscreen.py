# SPDX-License-Identifier: BSD-2-Clause
"""An X server without a screen (Xvfb), the windows on it with their pixels, and keys for them.

A small client of the X protocol, version 11: just the requests that a look at the screen needs.
"""

import os
import shutil
import socket
import struct
import subprocess
from dataclasses import dataclass

from picture import Picture

from paths import Missing

GET_WINDOW_ATTRIBUTES, GET_GEOMETRY, QUERY_TREE, GET_PROPERTY, GET_IMAGE = 3, 14, 15, 20, 73
WM_NAME, ANY_TYPE = 39, 0  # predefined atoms
VIEWABLE = 2  # a map state
QUERY_EXTENSION, GET_INPUT_FOCUS = 98, 43
FAKE_INPUT, KEY_PRESS, KEY_RELEASE, MOTION = 2, 2, 3, 6  # of XTEST
Z_PIXMAP, ALL_PLANES = 2, 0xffffffff


@dataclass
class Window:
    number: int
    width: int
    height: int
    name: str


class XScreen:
    """The server runs as long as the `with` block; `display` is what DISPLAY= wants."""

    def __enter__(self):
        if not shutil.which("Xvfb"):
            raise Missing("Xvfb is missing: install the package xvfb (make deps)")
        reader, writer = os.pipe()
        self.server = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", "Xvfb", "-displayfd", str(writer),
             "-screen", "0", "1280x1100x24", "-nolisten", "tcp", "-noreset"],
            pass_fds=(writer,), stderr=subprocess.DEVNULL)
        os.close(writer)
        with os.fdopen(reader) as numbers:
            number = numbers.readline().strip()  # comes when it takes connections
        if not number:
            raise Missing(f"Xvfb did not start (status {self.server.wait()})")
        self.display = f":{number}"
        self.stream = socket.socket(socket.AF_UNIX)
        self.stream.connect(f"/tmp/.X11-unix/X{number}")
        self._set_up()
        return self

    def __exit__(self, *_):
        self.stream.close()
        self.server.terminate()
        self.server.wait()

    def windows(self):
        """The windows that are to be seen, children of the root, bottom first."""
        tree = self._request(QUERY_TREE, 0, struct.pack("<I", self.root))
        count = struct.unpack_from("<H", tree, 16)[0]
        found = []
        for number in struct.unpack_from(f"<{count}I", tree, 32):
            own = struct.pack("<I", number)
            attributes = self._request(GET_WINDOW_ATTRIBUTES, 0, own)
            geometry = self._request(GET_GEOMETRY, 0, own)
            if attributes and geometry and attributes[26] == VIEWABLE:
                width, height = struct.unpack_from("<2H", geometry, 16)
                found.append(Window(number, width, height, self._name(number)))
        return found

    def picture(self, window, left=0, top=0, width=None, height=None):
        """What a window shows, or a rectangle of it; None when it is gone by now."""
        width, height = width or window.width, height or window.height
        image = self._request(GET_IMAGE, Z_PIXMAP, struct.pack(
            "<I2h2HI", window.number, left, top, width, height, ALL_PLANES))
        if not image:
            return None
        pixels = bytearray(width * height * 3)
        data = image[32:32 + width * height * 4]  # blue, green, red, nothing
        pixels[0::3], pixels[1::3], pixels[2::3] = data[2::4], data[1::4], data[0::4]
        return Picture(width, height, bytes(pixels))

    def press(self, window, key):
        """A key stroke with the pointer in the middle of the window. key: a keycode (38: a)."""
        self._fake(MOTION, 0, window.width // 2, window.height // 2)
        self._fake(KEY_PRESS, key)
        self._fake(KEY_RELEASE, key)
        self._request(GET_INPUT_FOCUS, 0, b"")  # its reply comes when the others are carried out

    def _fake(self, event, detail, x=0, y=0):
        self._send(self.xtest, FAKE_INPUT, struct.pack(
            "<BB2x2I8x2h8x", event, detail, 0, self.root, x, y))

    # --- the protocol ---

    def _set_up(self):
        self.stream.sendall(struct.pack("<BxHHHH2x", ord("l"), 11, 0, 0, 0))
        head = self._take(8)
        body = self._take(struct.unpack_from("<H", head, 6)[0] * 4)
        if head[0] != 1:
            raise Missing(f"Xvfb refused: {body[:head[1]].decode(errors='replace')}")
        vendor, formats = struct.unpack_from("<H", body, 16)[0], body[21]
        screens = 32 + (vendor + 3) // 4 * 4 + formats * 8
        self.root = struct.unpack_from("<I", body, screens)[0]
        self.xtest = self._request(QUERY_EXTENSION, 0, struct.pack("<H2x8s", 5, b"XTEST"))[9]

    def _send(self, code, detail, words):
        self.stream.sendall(struct.pack("<BBH", code, detail, 1 + len(words) // 4) + words)

    def _request(self, code, detail, words):
        """Its reply, or None when the server answers with an error: the window has gone."""
        self._send(code, detail, words)
        while True:
            head = self._take(32)
            if head[0] == 0:
                return None
            if head[0] == 1:
                return head + self._take(struct.unpack_from("<I", head, 4)[0] * 4)

    def _name(self, number):
        words = struct.pack("<5I", number, WM_NAME, ANY_TYPE, 0, 64)
        reply = self._request(GET_PROPERTY, 0, words)
        if not reply:
            return ""
        return reply[32:32 + struct.unpack_from("<I", reply, 16)[0]].decode(errors="replace")

    def _take(self, count):
        data = bytearray()
        while len(data) < count:
            piece = self.stream.recv(count - len(data))
            if not piece:
                raise Missing("Xvfb has ended")
            data += piece
        return bytes(data)
