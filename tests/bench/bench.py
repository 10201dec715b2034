# SPDX-License-Identifier: BSD-2-Clause
"""How many instructions the host executes for one of the guest's, with the interpreter.

QEMU's `-icount shift=0` makes its time-stamp counter count instructions; Farbus's monitor shows
how far it and the guest's own count are, without the time Farbus slept. The difference between two
looks is one workload. The numbers repeat, whatever machine this runs on.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))

from pc import PC, Failure  # noqa: E402

import guests  # noqa: E402
from paths import BUILD, Missing  # noqa: E402

ICOUNT = "-icount shift=0,sleep=off"
PROMPT = r"^farbus> *\Z"


def program(name):
    """A small static i386 program, built here."""
    target = BUILD / "bench" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["gcc", "-m32", "-march=i586", "-O2", "-static", "-s", "-Wall", "-Werror", "-o",
                    target, HERE / "programs" / f"{name}.c"], check=True)
    return target


def stats(pc, *lines):
    """What the monitor says to these, `stats` or `stats PART`. The guest runs on."""
    said = ""
    pc.type("\x1d")
    pc.wait(PROMPT, 60)
    for line in lines:
        pc.type(line + "\r")
        said += pc.wait(rf"^farbus> {line}\n((?:(?!farbus>).*\n)+)farbus> *\Z", 60).group(1)
    pc.type("continue\r")
    return said


def counts(pc):
    """(guest instructions, busy host cycles) since the guest was started."""
    text = stats(pc, "stats").replace("\n", "")
    guest = int(re.search(r"(\d+) instructions,", text).group(1))
    host = int(re.search(r"host cycles: busy (\d+)", text).group(1))
    return guest, host


def report(what, before, after):
    guest, host = after[0] - before[0], after[1] - before[1]
    print(f"{what:<28} {guest / 1e6:10.1f} M guest instructions  {host / guest:6.1f} host each",
          flush=True)


def workload(pc, what, line, done):
    before = counts(pc)
    pc.type(line + "\r")
    pc.wait(done, 1200)
    report(what, before, counts(pc))


def dlx():
    with PC("bench-dlx", GUEST="dlx", CPU="interp") as pc:
        pc.wait(r"dlx login:", 1200)
        report("DLX, boot to login", (0, 0), counts(pc))


def debian():
    disk = guests.debian_disk("bench", programs=[program(name) for name in
                                                 ("compute", "syscalls", "forks")])
    with PC("bench-debian", DISK=str(disk), RAM="64M", CPU="interp") as pc:
        pc.wait(r"^debian:.*# *\Z", 3600)
        report("Debian, boot to shell", (0, 0), counts(pc))
        workload(pc, "Debian, compute loop", "compute", r"^compute done")
        workload(pc, "Debian, system-call loop", "syscalls", r"^syscalls done")
        workload(pc, "Debian, fork loop", "forks", r"^forks done: 100")


def main():
    os.environ["HOSTARGS"] = ICOUNT
    dlx()
    debian()


if __name__ == "__main__":
    try:
        main()
    except (Failure, Missing) as failure:
        sys.exit(f"bench: {failure}")
