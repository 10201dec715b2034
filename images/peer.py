# SPDX-License-Identifier: BSD-2-Clause
"""PC B: an emulated PC with Farbus in peer mode, which lends out its devices, and what is plugged
into them.

Its folder `out` gets com2.txt, lpt1.txt and sb16.wav (what left the PC there), com2.in (a FIFO:
what is written to it comes in at COM2), disk.img (a copy of the disk, which is written to),
b.screen (what the PC says on COM1) and b/ with the emulator's files and the log, farbus.log.
"""

import os
import shutil
import threading
import time

import bootimage
import remotemedia
from guests import Guest
from hardware import Hardware
from machine import Machine
from paths import Missing
from wire import Wire

MEMORY = 64  # MB

# Name -> the ports, line and DMA channel that are lent out, and the profile for it.
EXPORTS = {
    "ide1": ("0x170-0x177,0x376 irq 15", "ata"),
    "com2": ("0x2f8-0x2ff irq 3", "uart"),
    "lpt1": ("0x378-0x37a irq 7", "lpt"),
    "sb16": ("0x220-0x22f irq 5 dma 1 dma 5", "sb16"),
}


def exports(names=tuple(EXPORTS)):
    return [f"export {EXPORTS[name][0]} name {name}" for name in names]


def routes(peer, names=tuple(EXPORTS), more=""):
    """The other side's lines for them. peer: the peer's name, an export's or a MAC."""
    return [f"route {EXPORTS[name][0]} remote {peer} profile {EXPORTS[name][1]} {more}".rstrip()
            for name in names]


class Drain(threading.Thread):
    """Writes what comes out of a pty to a file, until stop()."""

    def __init__(self, master, path):
        super().__init__(name="drain", daemon=True)
        self.master, self.path, self.running = master, path, True
        self.start()

    def run(self):
        with open(self.path, "ab", buffering=0) as out:
            while True:
                try:
                    out.write(os.read(self.master, 65536))
                except BlockingIOError:
                    if not self.running:
                        return
                    time.sleep(0.05)
                except OSError:  # the emulator has ended
                    return

    def stop(self):
        self.running = False
        self.join()


class Peer:
    def __init__(self, out, host, nic, config, disk=None, cdrom=None, window=None):
        """config: the lines for Farbus, among them `nic`, `key`, `peer` and `export`."""
        self.out, self.host, self.window = out, host, window
        self.work = out / "b"
        self.work.mkdir(parents=True)
        self.disk = out / "disk.img"
        shutil.copyfile(disk or remotemedia.disk(), self.disk)
        self.cdrom = cdrom or remotemedia.cdrom()
        self.wire = Wire(out / "com2.txt", out / "com2.in")
        self.lpt1, self.sb16 = out / "lpt1.txt", out / "sb16.wav"
        self.parts = Hardware(nic=nic, disk=self.disk, cdrom=self.cdrom, com2=self.wire.port,
                              lpt1=self.lpt1, sb16=self.sb16)
        self.image = self.work / "farbus.img"
        bootimage.build(self.image, Guest("peer", config=list(config)), ram=16)
        self.machine = None

    def start(self, seconds=120):
        """Switches it on; returns when it answers. In the main thread only: the emulator ends
        with the thread that starts it."""
        self.machine = Machine(self.host, self.image, MEMORY, self.work, self.window,
                               parts=self.parts)
        self.drain = Drain(self.machine.console.master, self.out / "b.screen")
        end = time.monotonic() + seconds
        while not self.ready():
            if not self.alive():
                self.machine.log.finish()
                said = " / ".join(self.log()[-5:])
                raise Missing("PC B has ended: " + (said or "without a word"))
            if time.monotonic() > end:
                said = " / ".join(self.log()[-5:])
                raise Missing(f"PC B is not ready after {seconds} s: {said}")
            time.sleep(0.05)

    def ready(self):
        return any(" lends out " in line for line in self.log())

    def alive(self):
        return self.machine.alive()

    def log(self):
        """The lines of its log, of this power-on."""
        self.machine.log.poll()
        return self.machine.log.lines

    def type(self, keys):
        """Keys for its console."""
        os.write(self.machine.console.master, keys.encode())

    def kill(self):
        """The power fails."""
        self.machine.emulator.kill()
        self.machine.emulator.wait()
        self.drain.stop()

    def end(self):
        if self.machine:
            self.machine.end()
            self.drain.stop()
        self.wire.close()
