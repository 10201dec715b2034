# SPDX-License-Identifier: BSD-2-Clause
"""`farbus trace` and `farbus replay` with an emulated PC whose guest is traced.

`host_trace.py NAME` runs one case in a network namespace (host_test.py starts it).
"""

import os
import re
import signal
import subprocess
import sys
import time

from bad_input_test import boot_floppy
from host_pc import MACS, TAPS, segment
from host_test import KEY, NEAR, PROGRAM, check, farbus, in_namespace
from pc import PC, Failure

from paths import BUILD, system_file
from remote import NIC_LINE

NODE = "pc-a"


def work(name):
    folder = BUILD / "tests" / f"host-trace-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    key = folder / "key"
    key.write_text(KEY.hex() + "\n")
    key.chmod(0o600)
    return folder


class Trace:
    """`farbus trace` of the PC on the segment into a file."""

    def __init__(self, folder, *words):
        self.file = folder / "trace.pcapng"
        self.log = folder / "trace.log"
        self.process = subprocess.Popen(
            [PROGRAM, "trace", "-i", NEAR, "-k", folder / "key", "-w", self.file, NODE, *words],
            stdout=subprocess.DEVNULL, stderr=open(self.log, "wb"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        print(self.log.read_text())

    def end(self):
        """(records, lost) that it has said at its end."""
        self.process.send_signal(signal.SIGTERM)
        check("status of farbus trace", self.process.wait(20), 0)
        said = re.search(r"(\d+) records, (\d+) lost, 0 damaged", self.log.read_text())
        return int(said.group(1)), int(said.group(2))


def dlx():
    """DLX's UART over Ethernet."""
    folder = work("dlx")
    with PC("host-trace-dlx/a", GUEST="dlx", NIC=f"{TAPS[0]}/{MACS[0]}",
            CONFIG=";".join([NIC_LINE, f"key {KEY.hex()}", f"offer trace as {NODE}",
                             "trace 0x3f8-0x3ff events"])) as pc:
        pc.wait("dlx login:", 240)
        with Trace(folder, "0x3f8-0x3ff") as trace:
            pc.type("root\r")
            pc.wait(r"^dlx:~# *$", 60)
            pc.type("echo hello from dlx > /dev/ttyS0; echo $?\r")
            pc.wait(r"^0$", 60)
            time.sleep(3)
            print(trace.end())


_CASES = {"dlx": dlx}
CASES = {name: lambda name=name: in_namespace(name, __file__) for name in _CASES}

if __name__ == "__main__":
    segment()
    _CASES[sys.argv[1]]()
