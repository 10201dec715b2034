# SPDX-License-Identifier: BSD-2-Clause
"""This PC's own screen, keyboard and mouse lead to the guest; `make run` in a window."""

import time

from bad_input_test import boot_floppy, prompt
from monitor_test import ask
from pc import PC, Failure
from xscreen import XScreen

KEY_A = 38  # its place on the keyboard, as X counts


def signals():
    """Keys, mouse and NMI, and the monochrome text mode on the console."""
    with PC("signals", FLOPPY=boot_floppy("signals")) as pc:
        pc.wait(r"^ready", 120)
        pc.qmp("send-key", keys=[{"type": "qcode", "data": "b"}])
        pc.wait(r"^key b", 30)
        pc.qmp("input-send-event", events=[_moved("x", 5), _moved("y", 3)])
        pc.wait(r"^mouse 28 05 FD", 30)  # up is positive, and the sign is in the first byte
        pc.qmp("input-send-event",
               events=[{"type": "btn", "data": {"button": "left", "down": True}}])
        pc.wait(r"^mouse 09 00 00", 30)
        pc.type("\x1d")
        prompt(pc)
        pc.type("nmi\rcontinue\r")
        pc.wait(r"^key b\n(.*\n)*nmi(?!(.*\n)*farbus>)", 30)
        pc.type("m")
        pc.wait(r"\A\nkey m\Z", 30)
        pc.type("\x1d")
        prompt(pc)
        ask(pc, "x p:b00a0 2", r"6b 07")  # its second line, in the memory of a monochrome adapter


def _moved(axis, by):
    return {"type": "rel", "data": {"axis": axis, "value": by}}


def window(host):
    """It opens, shows the guest and takes keys, and the console is on standard output besides."""
    with XScreen() as screen, PC(f"window-{host}", host=host, display=screen.display,
                                 FLOPPY=boot_floppy("signals")) as pc:
        pc.wait(r"^ready", 300)
        name = {"qemu": "QEMU", "bochs": "Bochs"}[host]
        found = [one for one in screen.windows() if name in one.name]
        if len(found) != 1 or found[0].width < 640 or found[0].height < 400:
            raise Failure(f"expected a window of {name}, found {screen.windows()}")
        before = screen.picture(found[0])
        screen.press(found[0], KEY_A)
        pc.wait(r"^key a", 60)
        end = time.monotonic() + 30
        while screen.picture(found[0]).pixels == before.pixels:  # it shows the answer, too
            if time.monotonic() > end or not pc.poll(0.2):
                raise Failure("the window does not show what the guest wrote")


def no_window(host, line):
    """No X server is there: one line, and what does without."""
    with PC(f"no-window-{host}", host=host, display=":9999", FLOPPY=boot_floppy("signals")) as pc:
        status = pc.wait_end(60)
        expected = f"farbus: the emulator did not start: {line} (HEADLESS=1 does without a window)"
        if status != 1 or pc.log().strip() != expected:
            raise Failure(f"status {status}, expected 1 and the line\n{expected}\n{pc.log()}")


CASES = {
    "signals": signals,
    "window/qemu": lambda: window("qemu"),
    "window/bochs": lambda: window("bochs"),
    "no-window/qemu": lambda: no_window("qemu", "gtk initialization failed"),
    "no-window/bochs": lambda: no_window("bochs", "bochs: cannot connect to X server :9999"),
}
