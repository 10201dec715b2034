# SPDX-License-Identifier: BSD-2-Clause
"""An emulated PC with a guest, whose devices `farbus serve` lends out, in a network namespace.

`host_pc.py NAME` runs one case there (host_test.py starts it).
"""

import os
import select
import socket
import subprocess
import sys
import threading

from host_test import FAR, KEY, Daemon, in_namespace, read_all, segment
from pc import PC, Failure
from remote import NIC_LINE

PORT = 20000  # of the emulator's; the namespace has no other programs
MAC = "52:54:00:fa:00:0a"
HALF = 512 << 10


class Cable(threading.Thread):
    """Between the emulator's datagrams (images/relay.py) and the interface."""

    def __init__(self):
        super().__init__(daemon=True)
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        self.emulator = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.emulator.bind(("127.0.0.1", PORT + 1))
        self.interface = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.interface.bind((FAR, 3))
        self.start()

    def run(self):
        while True:
            ready, _, _ = select.select([self.emulator, self.interface], [], [])
            if self.emulator in ready:
                self.interface.send(self.emulator.recv(2048))
            if self.interface in ready:
                frame, address = self.interface.recvfrom(2048)
                if address[2] != socket.PACKET_OUTGOING:
                    self.emulator.sendto(frame, ("127.0.0.1", PORT))


def dlx():
    """DLX Linux copies half of the served disk to the other half, and writes to the served UART."""
    routes = ["route 0x170-0x177,0x376 irq 15 remote linux-a profile ata",
              "route 0x2f8-0x2ff irq 3 remote linux-a profile uart"]
    with Daemon("pc-dlx") as daemon:
        Cable()
        with PC("host-pc-dlx/a", GUEST="dlx", NIC=f"{PORT}/{MAC}",
                CONFIG=";".join([NIC_LINE, f"key {KEY.hex()}", *routes])) as pc:
            pc.wait(r"dlx login:", 240)
            pc.type("root\r")
            pc.wait(r"^dlx:~# *$", 60)
            pc.type("dd if=/dev/hdc of=/dev/hdc bs=16k count=32 seek=32; sync; echo copied $?\r")
            pc.wait(r"^copied 0", 120)
            image = daemon.disk.read_bytes()
            if image[HALF:2 * HALF] != image[:HALF]:
                raise Failure("the copy on the disk differs")
            terminal = os.open(daemon.pty, os.O_RDWR | os.O_NOCTTY)
            pc.type("echo hello from dlx > /dev/ttyS1\r")
            text = read_all(terminal, 16, 60)
            if text != b"hello from dlx\r\n":
                raise Failure(f"COM2 gave {text!r}")
        daemon.log_line(f"ide1 lent to {MAC}")


CASES = {"dlx": lambda: in_namespace("dlx", __file__)}

if __name__ == "__main__":
    segment()
    {"dlx": dlx}[sys.argv[1]]()
