# SPDX-License-Identifier: BSD-2-Clause
"""What the port trace costs a guest that does little but use ports (tests/system/guests/ports.asm).

QEMU's `-icount shift=0` makes the time-stamp counter count instructions, so the quotients repeat.
Sending is measured to a serial port whose other end takes everything at once.
"""

import os
import random
import re
import sys

import bench
from bad_input_test import boot_floppy
from pc import PC, Failure

from paths import BUILD, Missing

WORK = {"in": "nothing but IN of a UART's line status", "uart": "a driver's way to send by a UART",
        "ata": "a driver's way to read a disk"}
ROUND = r"^{} in ([0-9A-F]{{8}}) uart ([0-9A-F]{{8}}) ata ([0-9A-F]{{8}}) \.$"
CASES = {"off": "", "of other ports": "trace 0x80", "of all": "trace all",
         "of all, sent": "trace all to com2"}


def measure(name, line):
    """{work: ticks}, the smallest of two rounds."""
    folder = BUILD / "bench" / "trace"
    folder.mkdir(parents=True, exist_ok=True)
    disk = folder / "disk.img"
    disk.write_bytes(random.Random(1).randbytes(1 << 20))
    os.environ["HOSTARGS"] = (f"{bench.ICOUNT} -chardev file,id=com2,path={folder / 'com2'} "
                              "-device isa-serial,chardev=com2,index=1")
    with PC(f"bench-trace-{name.replace(' ', '-').replace(',', '')}", FLOPPY=boot_floppy("ports"),
            DISK=str(disk), RAM="16M", CONFIG=f"boot a;{line}") as pc:
        pc.wait("^ready", 600)
        rounds = []
        for key in "o/":  # 15 times each
            pc.type(key)
            pc.wait(ROUND.format(key), 1200)
            rounds.append(re.search(ROUND.format(key), pc.text(), re.MULTILINE).groups())
    return {work: min(int(ticks[i], 16) for ticks in rounds) for i, work in enumerate(WORK)}


def main():
    ticks = {name: measure(name, line) for name, line in CASES.items()}
    for name in list(CASES)[1:]:
        for work, what in WORK.items():
            extra = ticks[name][work] / ticks["off"][work] - 1
            print(f"trace {name:<15} {what:<39} {ticks['off'][work] / 1e6:8.2f} M without  "
                  f"{extra:+7.1%}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except (Failure, Missing) as failure:
        sys.exit(f"bench: {failure}")
