# SPDX-License-Identifier: BSD-2-Clause
"""One emulated PC that boots a Farbus image: its emulator's process, its console and its log."""

import re
import subprocess

import bochs
import qemu
from console import Console
from farbuslog import Log
from hardware import Hardware

# What Farbus, GRUB and the move to the top of RAM need besides the guest and the modules.
SLACK_MB = 32

# Bochs's last words are between two rules, with the part that speaks in front.
RULES = re.compile(r"^(=+|.*quit_sim called.*|Bochs is exiting with .*|)$")
SPEAKER = re.compile(r"^\[[^]]*\] +")


def host_ram(ram, modules):
    """Megabytes for the PC: a guest at the bottom, and room to move the modules to the top."""
    need = ram + SLACK_MB + -(-2 * modules >> 20)
    return max(-(-need // 16) * 16, 64)


def start(command, **options):
    """The emulator, in a session of its own (so that keys do not signal it), gone when we are."""
    return subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", *map(str, command)],
                            start_new_session=True, **options)


def end(emulator):
    if emulator.poll() is None:
        emulator.terminate()
        try:
            emulator.wait(5)
        except subprocess.TimeoutExpired:
            emulator.kill()
            emulator.wait()


class Machine:
    """Switched on by creation; `console` is its COM1. memory: MB. show: the log goes to stderr."""

    def __init__(self, host, image, memory, work, window=None, clock="real", parts=Hardware(),
                 show=False):
        self.work, self.window = work, window
        log_path = work / "farbus.log"
        log_path.write_text("")
        self.console = Console()
        errors = open(work / "emulator.err", "wb")
        if host == "qemu":
            command = qemu.farbus(image, memory, log_path, work, window, parts)
            streams = dict(stdin=self.console.slave, stdout=self.console.slave, stderr=errors)
        else:
            command = bochs.farbus(image, memory, self.console.path, work, window, clock, parts)
            streams = dict(stdin=subprocess.DEVNULL, stdout=open(log_path, "ab"), stderr=errors)
        self.log = Log(log_path, show)
        self.emulator = start(command, cwd=work, **streams)

    def alive(self):
        """False when it is off, or should have been for three seconds."""
        self.log.poll()
        return self.emulator.poll() is None and not self.log.settled(3)

    def end(self):
        end(self.emulator)
        self.log.finish()

    def failure(self):
        """One line on a run that failed: the emulator's own when Farbus had not even begun."""
        if any(line.startswith("farbus:") for line in self.log.lines):
            return f"ended without an orderly power off; see {self.work}"
        errors = (self.work / "emulator.err").read_text(errors="replace").splitlines()
        said = [SPEAKER.sub("", line) for line in errors if not RULES.match(line)]
        without = " (HEADLESS=1 does without a window)" if self.window else ""
        return f"the emulator did not start: {said[-1] if said else 'no reason given'}{without}"
