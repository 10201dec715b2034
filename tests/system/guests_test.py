# SPDX-License-Identifier: BSD-2-Clause
"""Each guest reaches the text that its README names, under Farbus, and takes input."""

import re
import time

from dialogues import DIALOGUES
from pc import ENGINE, PC, Failure, limit

# Bochs carries out about a tenth of the instructions that QEMU does in a second.
BOCHS_SLOWER = 10

DEBIAN = ("debian", "debian-pae")  # `debian` is what runs without a GUEST=


ENGINES = {None: {}, "interp": {"CPU": "interp"}, "direct": {"CPU": "direct"},
           "programs": {"CPU": "direct", "CONFIG": "translate off"}}  # CPL 0 interpreted

# These have kernels of 32 bits that run most of the time with all segments loaded.
TRANSLATED = ("dlx", "microlinux", "debian-0.91", "linux-0.12", "hal91", "basiclinux")

# Runs in real mode for most of the time, without a memory manager.
REAL = ("freedos",)


def play(pc, steps, slower=1):
    for step in steps:
        kind, *values = step
        if kind == "wait":
            pattern, seconds = values
            pc.wait(pattern, seconds * slower)
        elif kind == "prompt":
            pattern, seconds = values
            pc.wait_prompt(pattern, seconds * slower)
        elif kind == "line":
            if slower > 1:
                pc.settle(1, 5)
            pc.type_line(values[0])
        elif kind == "type":
            if slower > 1:  # a shell that is still setting up its terminal throws keys away
                pc.settle(1, 5)
            pc.type(values[0])
        else:  # a key pressed again and again until the answer comes
            keys, pattern, seconds = values
            _press_until(pc, keys, pattern, seconds * slower)


def _press_until(pc, keys, pattern, seconds):
    end = limit(seconds)
    while time.monotonic() < end:
        pc.type(keys)
        again = time.monotonic() + 1
        while time.monotonic() < again and pc.poll():
            if pc.has(pattern):
                return
    raise Failure(f"{keys!r} did not bring /{pattern}/; the screen shows:\n{pc.text()}")


def boot(name, host, cpu=None, native=False):
    """cpu: None is what every test runs, or a word of ENGINES."""
    test = f"{name}-{host}" + ("-native" if native else "") + (f"-{cpu}" if cpu else "")
    with PC(test, host=host, native=native, GUEST=name, **ENGINES[cpu]) as pc:
        play(pc, DIALOGUES[name], BOCHS_SLOWER if host == "bochs" else 1)
        if not native and name in TRANSLATED and (cpu or ENGINE) in ("auto", "direct"):
            _counted(pc, "translated", r"^translated: entered \d{5,}, ")
        if not native and name in REAL and (cpu or ENGINE) in ("auto", "direct"):
            _counted(pc, "direct", r"^direct: real mode entered \d{3,}, ")


def _counted(pc, part, pattern):
    """The guest did run that way, and not for a moment only."""
    pc.type("\x1d")
    pc.wait(r"^farbus> *\Z", 120)
    pc.type(f"stats {part}\r")
    pc.wait(pattern, 120)


# What is compared takes the CPU and the interpreter, and each stretch two looks at all it changed.
LOCKSTEP_SLOWER = 5


# QEMU's clock counts instructions: however busy this machine is, a guest gets as far between two
# interrupts of its timer as on a PC with 125 million instructions a second.
ICOUNT = "-icount shift=3,sleep=off"


def lockstep(name, host, least, translate=False):
    """The dialogue with `cpu lockstep`: at least so many instructions compared, all alike."""
    slower = LOCKSTEP_SLOWER * (BOCHS_SLOWER if host == "bochs" else 1)
    words = {"HOSTARGS": ICOUNT} if host == "qemu" else {}
    test = f"{name}-{host}-lockstep" + ("-translate" if translate else "")
    with PC(test, host=host, GUEST="" if name == "debian" else name, CPU="lockstep",
            CONFIG="translate on" if translate else "translate off", **words) as pc:
        play(pc, DIALOGUES[name], slower)
        pc.type("\x1d")
        pc.wait(r"farbus> *\Z", 60)
        pc.type("stats lockstep\r")
        pc.wait(r"^lockstep: (.*\n)+farbus> *\Z", 60)
        found = re.search(r"lockstep: (\d+) instructions compared .* (\d+) differences", pc.text())
        if not found or int(found[1]) < least or found[2] != "0":
            raise Failure(f"expected {least} instructions compared and no difference:\n{pc.text()}")
        print(found[0])
        if translate and name in TRANSLATED:
            _went_on(pc)


def _went_on(pc):
    """Stretches do not end at ports, nor where the CPL changes: at least 100 of either."""
    found = re.search(r"(\d+) stretches at more than one CPL, (\d+) port accesses in stretches",
                      pc.text())
    if not found or min(int(found[1]), int(found[2])) < 100:
        raise Failure(f"expected stretches across CPLs and ports:\n{pc.text()}")
    print(found[0])


def debian(host, cpu=None, name="debian"):
    """The shell, and `poweroff -f` that ends the run with status 0."""
    test = f"{name}-{host}" + (f"-{cpu}" if cpu else "")
    with PC(test, host=host, GUEST="" if name == "debian" else name, **ENGINES[cpu]) as pc:
        play(pc, DIALOGUES[name], BOCHS_SLOWER if host == "bochs" else 1)
        pc.type("poweroff -f\r")
        status = pc.wait_end(300)
        if status != 0:
            raise Failure(f"`poweroff -f`: status {status}, expected 0\n{pc.log()[-2000:]}")
