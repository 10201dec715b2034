# SPDX-License-Identifier: BSD-2-Clause
"""The emulated PC in Bochs. Debian's build starts in its debugger: an rc file says `c` to it."""

import os
import re
import shutil
import time

from hardware import NIC_IRQ, NIC_PORT, Hardware
from paths import Missing, system_file

BOCHS = "/usr/bin/bochs-bin"
BIOS = "/usr/share/bochs/BIOS-bochs-latest"
VGABIOS = "/usr/share/bochs/VGABIOS-lgpl-latest"

BOOT = {"c": "disk", "a": "floppy", "d": "cdrom"}

# A Bochs of today carries out about 100 million instructions a second: virtual time then passes
# about as fast as real time.
IPS = 100_000_000

COMMON = """config_interface: textconfig
romimage: file={bios}
vgaromimage: file={vgabios}
vga: extension=vbe, update_freq=10
memory: guest={ram}, host={ram}
pci: enabled=1, chipset=i440fx
cpu: count=1, ips={ips}, reset_on_triple_fault=1
clock: sync={sync}, time0=utc
port_e9_hack: enabled=1
display_library: {display}
log: {work}/bochs-device.log
debugger_log: -
panic: action=fatal
error: action=report
info: action=ignore
debug: action=ignore
speaker: enabled=0
sound: waveoutdrv=dummy
plugin_ctrl: speaker=0
private_colormap: enabled=0
"""


# rfb is the display that needs no screen; it waits for nobody.
DISPLAY = {None: 'rfb, options="timeout=0"', "gtk": "x", "term": "term"}


def _common(ram, work, display, clock):
    system_file(BOCHS, "bochs")
    return COMMON.format(bios=system_file(BIOS, "bochsbios"), ram=ram, work=work, ips=IPS,
                         vgabios=system_file(VGABIOS, "vgabios"), display=display,
                         sync="none" if clock == "fast" else "slowdown")


def _command(text, work):
    rc, config = work / "bochs.rc", work / "bochsrc"
    rc.write_text("c\n")
    config.write_text(text + os.environ.get("BOCHSARGS", "").replace(";", "\n") + "\n")
    return [BOCHS, "-q", "-unlock", "-f", str(config), "-rc", str(rc)]


def _ata(place, kind, path, geometry=None):
    words = [f"type={kind}", f"path={path}"]
    if kind == "cdrom":
        words.append("status=inserted")
    else:
        words.append("mode=flat")
        if geometry:
            words += [f"{k}={v}" for k, v in zip(("cylinders", "heads", "spt"), geometry)]
    return f"ata{place // 2}-{('master', 'slave')[place % 2]}: " + ", ".join(words) + "\n"


def _hardware(parts, work):
    """The lines for a Hardware (hardware.py)."""
    text = ""
    if parts.nic:  # `socket` receives at the UDP port ethdev, sends to the next one
        cable = (f"ethmod=tuntap, ethdev=/dev/net/tun:{parts.nic.tap}, script=none"
                 if parts.nic.tap else f"ethmod=socket, ethdev={parts.nic.port}")
        text += f"ne2k: ioaddr={NIC_PORT:#x}, irq={NIC_IRQ}, mac={parts.nic.mac}, {cable}\n"
    if parts.disk or parts.cdrom:
        text += "ata1: enabled=1, ioaddr1=0x170, ioaddr2=0x370, irq=15\n"
    if parts.disk:
        text += _ata(2, "disk", parts.disk)
    if parts.cdrom:
        text += _ata(3, "cdrom", parts.cdrom)
    if parts.com2:
        text += f"com2: enabled=1, mode=socket-client, dev=localhost:{parts.com2}\n"
    if parts.lpt1:
        text += f'parport1: enabled=1, file="{parts.lpt1}"\n'
    if parts.floppy:
        text += f'floppya: 1_44="{parts.floppy}", status=inserted\n'
    if parts.sb16:
        text += (f'sb16: wavemode=2, wavefile="{parts.sb16}", midimode=0, loglevel=0, '
                 f"log={work}/sb16.log, dmatimer=1000000\n")
    return text


def farbus(image, ram, com1, work, window, clock, parts=Hardware()):
    """The command that boots the Farbus image with COM1 on the pty com1; the log is its stdout."""
    text = _common(ram, work, DISPLAY[window], clock)
    text += "boot: disk\n" + _ata(0, "disk", image)
    text += f"com1: enabled=1, mode=term, dev={com1}\n" + _hardware(parts, work)
    return _command(text, work)


def native(guest, ram, firmware, work, window, clock):
    """The command that boots the guest without Farbus; its stdin and stdout are the screen."""
    text = _common(ram, work, DISPLAY[window], clock)
    if firmware:
        text = text.replace(BIOS, str(firmware))
    text += "boot: " + BOOT[guest.boot[:1] or "c"] + "\nport_e9_hack: enabled=0\n"
    for drive, path in sorted(guest.drives.items()):
        kind, place = drive[:-1], int(drive[-1])
        own = work / f"{drive}.img"  # Bochs writes to it
        shutil.copyfile(path, own)
        if kind == "floppy":
            size = {737280: "720k", 1228800: "1_2", 1474560: "1_44"}[path.stat().st_size]
            text += f"floppy{'ab'[place]}: {size}={own}, status=inserted\n"
        else:
            text += _ata(place, kind, own, guest.geometry.get(drive))
    return _command(text, work)


def native_screen(errors, emulator):
    """The terminal that Bochs's `term` display opens for itself when it runs in its debugger."""
    while emulator.poll() is None:
        found = re.search(r'connected to screen "(.*)"', errors.read_text(errors="replace"))
        if found:
            return found.group(1)
        time.sleep(0.05)
    raise Missing(f"Bochs did not start: {errors.read_text(errors='replace')[-500:]}")
