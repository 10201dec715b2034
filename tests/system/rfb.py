# SPDX-License-Identifier: BSD-2-Clause
"""Just enough of a VNC client (RFC 6143) to take a picture of the screen of Bochs's rfb display."""

import socket
import struct


def _exactly(connection, count):
    data = bytearray()
    while len(data) < count:
        piece = connection.recv(count - len(data))
        if not piece:
            raise ConnectionError("Bochs closed the connection")
        data += piece
    return bytes(data)


def _pixel(value):
    """Bochs sends BGR 2:3:3 in a byte."""
    return bytes(((value & 7) * 255 // 7, (value >> 3 & 7) * 255 // 7, (value >> 6) * 255 // 3))


PALETTE = [_pixel(value) for value in range(256)]


def picture(port, target):
    """Writes the whole screen as PPM."""
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        version = _exactly(connection, 12)
        connection.sendall(version)
        security = struct.unpack(">I", _exactly(connection, 4))[0]
        if security != 1:
            raise ConnectionError(f"security type {security}, expected 1 (none)")
        connection.sendall(b"\1")
        width, height = struct.unpack(">HH", _exactly(connection, 4))
        _exactly(connection, 16)
        name_length = struct.unpack(">I", _exactly(connection, 4))[0]
        _exactly(connection, name_length)
        encodings = struct.pack(">BBHi", 2, 0, 1, 0)
        whole = struct.pack(">BBHHHH", 3, 0, 0, 0, width, height)
        connection.sendall(encodings + whole)
        screen = bytearray(width * height)
        seen = 0
        while seen < width * height:
            kind = _exactly(connection, 1)[0]
            if kind != 0:
                raise ConnectionError(f"message {kind}, expected a framebuffer update")
            rectangles = struct.unpack(">xH", _exactly(connection, 3))[0]
            for _ in range(rectangles):
                x, y, w, h, encoding = struct.unpack(">HHHHi", _exactly(connection, 12))
                if encoding != 0:
                    raise ConnectionError(f"encoding {encoding}, expected raw")
                data = _exactly(connection, w * h)
                for line in range(h):
                    begin = (y + line) * width + x
                    screen[begin:begin + w] = data[line * w:(line + 1) * w]
                seen += w * h
    with open(target, "wb") as out:
        out.write(b"P6\n%d %d\n255\n" % (width, height))
        out.write(b"".join(PALETTE[value] for value in screen))
