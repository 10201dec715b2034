# SPDX-License-Identifier: BSD-2-Clause
"""Boots a guest under Farbus in an emulated PC. `make run` calls it; its words are Make's.

    run.py [--image FILE] [--native] [--work DIR] [--clock real|fast]

--image only makes the boot image; --native boots the guest without Farbus, as the oracle of tests;
--work is the folder for this run's files; --clock fast lets an idle Bochs rush through time.
NIC=INTERFACE[/MAC] puts a NE2000 into the PC, on this machine's tap interface of that name;
NIC=PORT/MAC joins it to the relay at that port (relay.py).
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import bochs
import bootdisk
import bootimage
import guests
import qemu
from console import Console
from hardware import MAC, Hardware, Nic
from machine import Machine, end, host_ram, start
from paths import BUILD, Missing
from words import config_lines, file_word, host_word, window, word


def guest_name():
    """GUEST=, or "files" when only files were named, or the default."""
    files = any(word(name) for name in ("DISK", "FLOPPY", "CDROM", "KERNEL", "FIRMWARE"))
    if word("GUEST"):
        guests.check(word("GUEST"))
    return word("GUEST") or ("files" if files else "debian")


def chosen_guest(work):
    """The guest that the words describe: a name's, files on top of it, or just files."""
    drives = {drive: path for drive, path in (("disk0", file_word("DISK")),
                                              ("floppy0", file_word("FLOPPY")),
                                              ("cdrom2", file_word("CDROM"))) if path}
    kernel = file_word("KERNEL")
    name = guest_name()
    if name != "files":
        guest = guests.find(name)
    else:
        guest = guests.Guest("files", ram=64)
        guest.boot = "".join(letter for letter, drive in
                             (("a", "floppy0"), ("d", "cdrom2"), ("c", "disk0"))
                             if drive in drives)
    for drive in drives:
        guest.geometry.pop(drive, None)
    guest.drives.update(drives)
    if kernel:
        disk = work / "kernel.img"
        bootdisk.build(disk, kernel, file_word("INITRD"), word("APPEND"))
        guest.drives["disk0"] = disk
        guest.geometry.pop("disk0", None)
        guest.boot = "c"
    return guest


def ram_of(guest):
    text = word("RAM", f"{guest.ram}M")
    number = text.rstrip("Mm")
    if not number.isdigit() or int(number) == 0:
        raise Missing(f"RAM={text}: expected a number of megabytes such as 64M")
    return int(number)


def build_image(target, guest, ram):
    return bootimage.build(target, guest, ram, word("CPU", "auto"), file_word("FIRMWARE"),
                           config_lines())


def run_farbus(host, guest, work, clock="real", parts=Hardware()):
    ram = ram_of(guest)
    image = work / "farbus.img"
    modules = build_image(image, guest, ram)
    memory = word("HOSTRAM") or host_ram(ram, modules)
    # A log in the midst of a guest's screen would spoil it: on a terminal it is kept for the end.
    show = not (os.isatty(1) and os.isatty(2))
    machine = Machine(host, image, memory, work, window(), clock, parts, show)
    log = machine.log
    try:
        patient = machine.console.pump(machine.alive)
    finally:
        machine.end()
    if not show:
        sys.stderr.write("".join(line + "\n" for line in log.lines[-12:]))
    if not patient:
        log.verdict = 1
    if log.verdict:
        sys.stderr.write(f"farbus: {machine.failure()}\n")
    return log.verdict


def run_native(host, guest, work, clock):
    firmware = file_word("FIRMWARE")
    errors_path = work / "emulator.err"
    if host == "qemu":
        console = Console()
        command = qemu.native(guest, ram_of(guest), firmware, work, window())
        streams = dict(stdin=console.slave, stdout=console.slave)
    else:
        console = Console()
        command = bochs.native(guest, ram_of(guest), firmware, work,
                               window() or "term", clock)
        streams = dict(stdin=subprocess.DEVNULL, stdout=open(work / "bochs.out", "wb"))
    environment = dict(os.environ, TERM="vt100")
    if host == "bochs":  # its terminal has no size of its own; the lines below 25 are a status bar
        environment.update(LINES="30", COLUMNS="80")
    emulator = start(command, cwd=work, env=environment, stderr=open(errors_path, "wb"), **streams)
    try:
        if host == "bochs" and not window():
            console = Console.of(bochs.native_screen(errors_path, emulator))
        console.pump(lambda: emulator.poll() is None)
    finally:
        end(emulator)
    return 0


def nic_word():
    place, _, mac = word("NIC").partition("/")
    if not place:
        return None
    if place.isdigit():
        return Nic(int(place), mac)
    if place not in (name for _, name in socket.if_nameindex()):
        raise Missing(f"NIC={place}: expected a tap interface, as `ip tuntap add {place} mode tap` "
                      "makes one")
    return Nic(0, mac or MAC, place)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--image", type=Path)
    parser.add_argument("--native", action="store_true")
    parser.add_argument("--work", type=Path)
    parser.add_argument("--clock", choices=("real", "fast"), default="real")
    options = parser.parse_args()
    host = host_word()
    work = (options.work or BUILD / "run" / f"{guest_name()}-{host}").absolute()
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    guest = chosen_guest(work)
    if options.image:
        options.image.parent.mkdir(parents=True, exist_ok=True)
        build_image(options.image, guest, ram_of(guest))
        print(options.image, file=sys.stderr)
        return 0
    if options.native:
        return run_native(host, guest, work, options.clock)
    return run_farbus(host, guest, work, options.clock, Hardware(nic=nic_word()))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Missing as missing:
        sys.exit(f"farbus: {missing}")
    except KeyboardInterrupt:
        sys.exit(130)
