# SPDX-License-Identifier: BSD-2-Clause
"""What the port trace costs a guest that does little but use ports (tests/system/guests/ports.asm).

QEMU's `-icount shift=0` makes the time-stamp counter count instructions, so the quotients repeat;
those of sending do nearly, since the other end answers in real time. The serial port's other end
takes everything at once; that of the Ethernet is `farbus trace` in a network namespace, where
`trace.py ethernet` measures.
"""

import json
import os
import random
import re
import sys

import bench
from bad_input_test import boot_floppy
from host_pc import MACS, TAPS, segment
from host_test import KEY, in_namespace
from host_trace import NODE, Trace, work
from pc import PC, Failure

from paths import BUILD, Missing
from remote import NIC_LINE

FOLDER = BUILD / "bench" / "trace"
WORK = {"in": "nothing but IN of a UART's line status", "uart": "a driver's way to send by a UART",
        "ata": "a driver's way to read a disk"}
ROUND = r"^{} in ([0-9A-F]{{16}}) uart ([0-9A-F]{{16}}) ata ([0-9A-F]{{16}}) \.$"
KEYS = "o/"  # 15 times each
CASES = {"off": "", "of other ports": "trace 0x80", "of all": "trace all",
         "of all, to COM2": "trace all to com2"}


def boot(name, line, **words):
    FOLDER.mkdir(parents=True, exist_ok=True)
    disk = FOLDER / "disk.img"
    disk.write_bytes(random.Random(1).randbytes(1 << 20))
    os.environ["HOSTARGS"] = (f"{bench.ICOUNT} -chardev file,id=com2,path={FOLDER / 'com2'} "
                              "-device isa-serial,chardev=com2,index=1")
    return PC(f"bench-trace-{re.sub('[ ,]+', '-', name)}", FLOPPY=boot_floppy("ports"),
              DISK=str(disk), RAM="16M", CONFIG=f"boot a;{line}", **words)


def rounds(pc, keys=KEYS):
    """{work: ticks}, the mean of the rounds."""
    found = []
    for key in keys:
        pc.type(key)
        pc.wait(ROUND.format(key), 1200)
        ticks = re.search(ROUND.format(key), pc.text(), re.MULTILINE).groups()
        found.append([int(text, 16) for text in ticks])
    return {work: sum(ticks[i] for ticks in found) / len(found) for i, work in enumerate(WORK)}


def measure(name, line):
    with boot(name, line) as pc:
        pc.wait("^ready", 600)
        return rounds(pc)


def ethernet():
    """Without and with `farbus trace`, in the namespace; the result is in a file."""
    segment()
    lines = ";".join([NIC_LINE, f"key {KEY.hex()}", f"offer trace as {NODE}"])
    with boot("ethernet", lines, NIC=f"{TAPS[0]}/{MACS[0]}") as pc:
        pc.wait("^ready", 600)
        ticks = {"off": rounds(pc)}
        with Trace(work("bench")) as trace:
            trace.until("packets", trace.packets, pc)
            ticks["on"] = rounds(pc, "O_")
            ticks["records"], ticks["lost"] = trace.end()
    (FOLDER / "ethernet.json").write_text(json.dumps(ticks))


def report(name, off, on):
    for work_name, what in WORK.items():
        print(f"trace {name:<20} {what:<39} {off[work_name] / 1e6:8.2f} M without  "
              f"{on[work_name] / off[work_name] - 1:+7.1%}", flush=True)


def main():
    ticks = {name: measure(name, line) for name, line in CASES.items()}
    for name in list(CASES)[1:]:
        report(name, ticks["off"], ticks[name])
    in_namespace("ethernet", __file__)
    ticks = json.loads((FOLDER / "ethernet.json").read_text())
    report("of all, on Ethernet", ticks["off"], ticks["on"])
    print(f"trace of all, on Ethernet: {ticks['records']} records sent, "
          f"{ticks['lost']} overwritten")


if __name__ == "__main__":
    try:
        ethernet() if sys.argv[1:] else main()
    except (Failure, Missing) as failure:
        sys.exit(f"bench: {failure}")
