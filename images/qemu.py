# SPDX-License-Identifier: BSD-2-Clause
"""The emulated PC in QEMU: always TCG, so that the tests mean the same on every machine."""

import os
import shlex

from hardware import NIC_IRQ, NIC_PORT, Hardware
from paths import Missing, system_file

QEMU = "/usr/bin/qemu-system-i386"


def _common(ram):
    system_file(QEMU, "qemu-system-x86")
    extra = shlex.split(os.environ.get("HOSTARGS", ""))
    return [QEMU, "-machine", "pc,accel=tcg", "-m", str(ram), "-nodefaults", "-vga", "std",
            "-no-reboot", *extra]


def _monitor(work):
    return ["-qmp", f"unix:{work / 'qmp.sock'},server=on,wait=off"]


def _medium(image):
    """The hybrid image as what MEDIUM= says: disk (the default), cd or usb."""
    medium = os.environ.get("MEDIUM") or "disk"
    drive = f"file={image},format=raw,snapshot=on"
    # Behind QEMU's UHCI, SeaBIOS fails to read a sector now and then while other programs hold QEMU
    # up, and GRUB takes the stick for one without LBA then: "outside of disk". Behind xHCI it reads.
    words = {
        "disk": ["-drive", f"{drive},if=ide,index=0", "-boot", "c"],
        "cd": ["-drive", f"{drive},if=ide,index=0,media=cdrom", "-boot", "d"],
        "usb": ["-drive", f"{drive},if=none,id=stick", "-device", "qemu-xhci",
                "-device", "usb-storage,drive=stick,bootindex=0"],
    }
    if medium not in words:
        raise Missing(f"MEDIUM={medium}: expected one of {' '.join(words)}")
    return words[medium]


def _cable(nic):
    if nic.tap:
        return f"tap,id=net,ifname={nic.tap},script=no,downscript=no"
    return ("dgram,id=net,local.type=inet,local.host=127.0.0.1,"
            f"local.port={nic.port},remote.type=inet,remote.host=127.0.0.1,"
            f"remote.port={nic.port + 1}")


def _hardware(parts):
    """The words for a Hardware (hardware.py)."""
    words = []
    if parts.nic:
        words += ["-netdev", _cable(parts.nic), "-device", f"ne2k_isa,iobase={NIC_PORT:#x},irq={NIC_IRQ},netdev=net,"
                  f"mac={parts.nic.mac}"]
    if parts.disk:
        words += ["-drive", f"file={parts.disk},format=raw,if=none,id=disk",
                  "-device", "ide-hd,bus=ide.1,unit=0,drive=disk"]
    if parts.cdrom:
        words += ["-drive", f"file={parts.cdrom},format=raw,if=none,id=cdrom,readonly=on",
                  "-device", "ide-cd,bus=ide.1,unit=1,drive=cdrom"]
    if parts.com2:
        words += ["-chardev", f"socket,id=com2,host=127.0.0.1,port={parts.com2},nodelay=on",
                  "-device", "isa-serial,chardev=com2,index=1"]
    if parts.lpt1:
        words += ["-chardev", f"file,id=lpt1,path={parts.lpt1}",
                  "-device", "isa-parallel,chardev=lpt1,index=0"]
    if parts.floppy:
        words += ["-drive", f"file={parts.floppy},format=raw,if=floppy"]
    if parts.sb16:
        words += ["-audiodev", f"wav,id=sound,path={parts.sb16}",
                  "-device", "sb16,audiodev=sound"]
    return words


def farbus(image, ram, log, work, window, parts=Hardware()):
    """The command that boots the Farbus image; its stdin and stdout are COM1."""
    return _common(ram) + _monitor(work) + _medium(image) + _hardware(parts) + [
        "-display", window or "none", "-debugcon", f"file:{log}",
        "-chardev", "stdio,id=com1,signal=off", "-serial", "chardev:com1"]


def native(guest, ram, firmware, work, window):
    """The command that boots the guest without Farbus; its stdin and stdout are the screen."""
    words = _common(ram) + _monitor(work) + ["-display", window or "curses"]
    words.remove("-no-reboot")
    if firmware:
        words += ["-bios", str(firmware)]
    for drive, path in sorted(guest.drives.items()):
        kind, place = drive[:-1], int(drive[-1])
        words += ["-drive", f"file={path},format=raw,if=none,id={drive},snapshot=on"]
        if kind == "floppy":
            words += ["-device", f"floppy,unit={place},drive={drive}"]
            continue
        device = "ide-cd" if kind == "cdrom" else "ide-hd"
        where = f"bus=ide.{place // 2},unit={place % 2}"
        if drive in guest.geometry:
            where += ",cyls={},heads={},secs={}".format(*guest.geometry[drive])
        words += ["-device", f"{device},drive={drive},{where}"]
    if guest.boot:
        words += ["-boot", f"order={guest.boot}"]
    return words
