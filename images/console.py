# SPDX-License-Identifier: BSD-2-Clause
"""Carries bytes between this terminal and the emulated PC's serial port, a pty of our own."""

import fcntl
import os
import select
import struct
import sys
import termios
import time
import tty

QUIT = b"\x1d\x1d\x1d"  # Ctrl-] three times: give up on the emulator


class Console:
    """A pty whose slave side the emulator gets; pump() joins its master to stdin and stdout."""

    def __init__(self, rows=25, columns=80):
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        self._keep_line_feeds(self.slave)
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))
        self._reset(self.master)

    @staticmethod
    def _keep_line_feeds(terminal):
        """QEMU switches output processing on again: then a line feed would get a second CR."""
        attributes = termios.tcgetattr(terminal)
        attributes[1] &= ~termios.ONLCR
        termios.tcsetattr(terminal, termios.TCSANOW, attributes)

    def _reset(self, master):
        self.master = master
        os.set_blocking(master, False)
        self.pending = b""  # typed, not yet taken by the emulator
        self.typed = b""

    @classmethod
    def of(cls, path):
        """Joins a terminal that the emulator opened itself (Bochs's `term` display)."""
        console = cls.__new__(cls)
        terminal = os.open(path, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(terminal)
        console._reset(terminal)
        return console

    @property
    def path(self):
        return os.ttyname(self.slave)

    def pump(self, alive, use_input=True):
        """Until alive() is false and all is drained. Returns False when the user gave up."""
        watch = [self.master]
        saved = None
        if use_input:
            watch.append(0)
            if os.isatty(0):
                saved = termios.tcgetattr(0)
                tty.setraw(0)
        try:
            return self._pump(watch, alive)
        finally:
            if saved:
                termios.tcsetattr(0, termios.TCSADRAIN, saved)

    def _pump(self, watch, alive):
        while True:
            writing = [self.master] if self.pending else []
            ready, writable, _ = select.select(watch, writing, [], 0.1)
            if 0 in ready:
                data = os.read(0, 4096)
                if not data:
                    watch.remove(0)
                self.pending += data
                self.typed = (self.typed + data)[-len(QUIT):]
                if self.typed == QUIT:
                    return False
            if writable:
                self.pending = self.pending[os.write(self.master, self.pending):]
            if self.master in ready:
                self._show()
            if not alive() and self.master not in select.select([self.master], [], [], 0)[0]:
                return True

    def _show(self):
        try:
            data = os.read(self.master, 65536)
        except OSError:  # the other side is gone; alive() will say so
            time.sleep(0.1)
            return
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
