# SPDX-License-Identifier: BSD-2-Clause
"""A small bootable BIOS disk around a Linux-protocol kernel, made without root or loop devices.

MBR, one FAT16 partition from sector 63 (CHS-aligned at 16/63, what every BIOS agrees about), and
SYSLINUX to load /kernel and /initrd. Anything with the Linux boot protocol will do: memtest86+ and
iPXE have it too.
"""

import struct
import subprocess

from paths import written

HEADS, SECTORS = 16, 63
CYLINDER = HEADS * SECTORS * 512
START = SECTORS
MBR = "/usr/lib/syslinux/mbr/mbr.bin"


def _chs(lba):
    cylinder, rest = divmod(lba, HEADS * SECTORS)
    head, sector = divmod(rest, SECTORS)
    return bytes([head, (sector + 1) | (cylinder >> 2 & 0xC0), cylinder & 0xFF])


def build(target, kernel, initrd=None, append=""):
    """Writes the disk image; kernel and initrd are paths."""
    with written(target) as image, written(target.with_suffix(".syslinux.cfg")) as config:
        config.write_text(_syslinux_config(initrd, append))
        files = [(kernel, "kernel"), (config, "syslinux.cfg")]
        if initrd:
            files.append((initrd, "initrd"))
        _build(image, files)


def _syslinux_config(initrd, append):
    lines = ["DEFAULT linux", "PROMPT 0", "LABEL linux", " KERNEL /kernel"]
    if initrd:
        lines.append(" INITRD /initrd")
    if append:
        lines.append(f" APPEND {append}")
    return "\n".join(lines) + "\n"


def _build(image, files):
    content = sum(path.stat().st_size for path, _ in files)
    # SYSLINUX and the FATs take some; 9 MB is where FAT16 begins with 2 KB clusters.
    size = max(content + (1 << 20), 9 << 20)
    total = -(-size // CYLINDER) * HEADS * SECTORS
    mbr = bytearray(open(MBR, "rb").read().ljust(512, b"\0"))
    mbr[446:462] = struct.pack("<B3sB3sII", 0x80, _chs(START), 0x06, _chs(total - 1), START,
                               total - START)
    mbr[510:512] = b"\x55\xaa"
    with open(image, "wb") as out:
        out.write(mbr)
        out.truncate(total * 512)

    partition = f"{image}@@{START * 512}"
    _run("mformat", "-i", partition, "-T", total - START, "-h", HEADS, "-s", SECTORS, "-H", START,
         "-c", 4, "-N", "0fa2b005", "::")
    for path, name in files:
        _run("mcopy", "-i", partition, path, f"::/{name}")
    _run("syslinux", "--offset", START * 512, "-i", image)


def _run(*words):
    subprocess.run([str(word) for word in words], check=True, stdout=subprocess.DEVNULL)
