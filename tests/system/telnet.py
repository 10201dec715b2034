# SPDX-License-Identifier: BSD-2-Clause
"""Telnet with RFC 2217's com ports, written from the RFCs alone, for either end."""

import re
import struct

from pc import Failure

IAC, DONT, DO, WONT, WILL, SB, SE = 255, 254, 253, 252, 251, 250, 240
COM_PORT = 44
(SIGNATURE, BAUD, SIZE, PARITY, STOP, CONTROL, LINESTATE, MODEMSTATE, SUSPEND, RESUME, LINE_MASK,
 MODEM_MASK, PURGE) = range(13)


class Telnet:
    """Either end of a Telnet connection; answers are the caller's business."""

    def __init__(self, connection):
        self.socket = connection
        self.socket.settimeout(30)
        self.data = b""
        self.options, self.commands = [], []
        self.raw = b""

    def more(self):
        got = self.socket.recv(4096)
        if not got:
            raise Failure("the connection was closed")
        self.raw += got
        while self._take():
            pass

    def _take(self):
        """One item from the front of what has come; False: none is whole."""
        raw = self.raw
        if not raw:
            return False
        if raw[0] != IAC:
            self.data, self.raw = self.data + raw[:1], raw[1:]
            return True
        if len(raw) < 2:
            return False
        if raw[1] == IAC:
            self.data, self.raw = self.data + b"\xff", raw[2:]
        elif raw[1] in (WILL, WONT, DO, DONT):
            if len(raw) < 3:
                return False
            self.options.append((raw[1], raw[2]))
            self.raw = raw[3:]
        elif raw[1] == SB:
            whole = re.match(rb"\xff\xfa((?:[^\xff]|\xff\xff)*)\xff\xf0", raw, re.DOTALL)
            if not whole:
                return False
            body = whole[1].replace(b"\xff\xff", b"\xff")
            if body[0] != COM_PORT:
                raise Failure(f"a subnegotiation of option {body[0]}")
            self.commands.append((body[1], body[2:]))
            self.raw = raw[whole.end():]
        else:
            self.raw = raw[2:]
        return True

    def say(self, *bytes_):
        self.socket.sendall(bytes((IAC, *bytes_)))

    def command(self, number, value):
        body = bytes([COM_PORT, number]) + value
        self.socket.sendall(bytes((IAC, SB)) + body.replace(b"\xff", b"\xff\xff")
                            + bytes((IAC, SE)))

    def option(self, verb, option):
        """Waits for it."""
        while (verb, option) not in self.options:
            self.more()
        self.options.remove((verb, option))

    def await_command(self, number, value=None):
        """Waits for the next one with that number; with value: until it is that."""
        while True:
            for at, (found, body) in enumerate(self.commands):
                if found == number and value in (None, body):
                    del self.commands[:at + 1]
                    return body
            self.more()

    def read(self, count):
        while len(self.data) < count:
            self.more()
        data, self.data = self.data[:count], self.data[count:]
        return data


def number(value):
    return struct.pack(">I", value)
