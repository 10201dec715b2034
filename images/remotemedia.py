# SPDX-License-Identifier: BSD-2-Clause
"""The disk and the CD of the PC that lends out its devices, when no others are named."""

import random
import subprocess

from paths import CACHE, system_file, work_folder, written

# Whole cylinders of 16 heads and 63 sectors, as Bochs wants them.
DISK_SIZE = 16 * 16 * 63 * 512

README = """This is the {what} of the other PC.
Each access to it is an Ethernet frame that asks that PC to carry it out.
"""


def data(size, seed):
    """Bytes that no two places have in common; the same each time."""
    return random.Random(seed).randbytes(size)


def _fill(folder, what, size, seed):
    (folder / "readme.txt").write_text(README.format(what=what))
    (folder / "data.bin").write_bytes(data(size, seed))


def disk():
    """An ext2 file system of the first revision, which Linux 1.3 mounts too, on the whole disk."""
    target = CACHE / "remote-disk.img"
    if not target.exists():
        with work_folder(target) as folder, written(target) as image:
            _fill(folder, "disk", 1 << 20, "disk")
            with open(image, "wb") as out:
                out.truncate(DISK_SIZE)
            _run(system_file("/sbin/mke2fs", "e2fsprogs"), "-q", "-F", "-t", "ext2", "-r", "0",
                 "-O", "none", "-b", "1024", "-L", "remote", "-d", folder, image)
    return target


def cdrom():
    target = CACHE / "remote-cd.iso"
    if not target.exists():
        with work_folder(target) as folder, written(target) as image:
            _fill(folder, "CD", 1 << 20, "cd")
            _run("xorriso", "-as", "mkisofs", "-quiet", "-R", "-J", "-V", "REMOTE", "-o", image,
                 folder)
    return target


def _run(*words):
    subprocess.run([str(word) for word in words], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
