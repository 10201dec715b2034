# SPDX-License-Identifier: BSD-2-Clause
"""The guests that `GUEST=` knows by name: where their disks come from and what PC they want."""

import gzip
import hashlib
import http.client
import io
import shutil
import subprocess
import sys
import tarfile
import urllib.request
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import bootdisk
import debpkg
import initrd
import modules
from paths import CACHE, Missing, guest_file, guests_folder, system_file, written


@dataclass
class Guest:
    """A PC to be: drives maps disk0..3, cdrom0..3, floppy0..1 to image files."""

    name: str
    ram: int = 32  # MB
    drives: dict = field(default_factory=dict)
    geometry: dict = field(default_factory=dict)  # drive -> (cylinders, heads, sectors)
    boot: str = ""
    config: list = field(default_factory=list)  # more configuration lines


def unpacked(source, name):
    """A .gz image unpacked into the cache, for native runs and for tools that need it plain."""
    target = CACHE / name
    if not target.exists():
        with written(target) as partial:
            with gzip.open(source, "rb") as packed, open(partial, "wb") as plain:
                shutil.copyfileobj(packed, plain)
    return target


def shared_image(name):
    return unpacked(guest_file(name + ".gz"), name)


# DLX Linux, the disk that Bochs ships: git blob ids of the two releases of hd10meg.img.

DLX_BLOBS = {
    "0857b962fc1de0cd6f778623e659da5ca64201d2": "Bochs 2.3.6",
    "5f9e832ad7b0cec43ef2f918dc9a71cf9805094b": "Bochs 2.6 and later",
}
DLX_URL = "https://bochs.sourceforge.io/guestos/dlxlinux4.tar.gz"
DLX_FILE = "dlx-1.3.89.img.gz"


def _blob_id(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def _dlx_download():
    print(f"dlx: fetching {DLX_URL}", file=sys.stderr)
    try:
        with urllib.request.urlopen(DLX_URL, timeout=60) as answer:
            archive = answer.read()
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            return tar.extractfile("dlxlinux/hd10meg.img").read()
    except (OSError, EOFError, KeyError, http.client.HTTPException, tarfile.TarError,
            zlib.error) as error:
        raise Missing(f"dlx: {DLX_FILE} is not in {guests_folder()} (set GUESTS=) and {DLX_URL} "
                      f"cannot be had: {error}") from error


def dlx_image():
    target = CACHE / "dlx.img"
    if not target.exists():
        packed = guests_folder() / DLX_FILE
        data = gzip.decompress(packed.read_bytes()) if packed.exists() else _dlx_download()
        if _blob_id(data) not in DLX_BLOBS:
            raise Missing(f"dlx: the image has git blob id {_blob_id(data)}, "
                          f"expected one of {', '.join(DLX_BLOBS)}")
        with written(target) as partial:
            partial.write_bytes(data)
    return target


# Debian's own kernel and busybox.

# Fast and quiet: no probing of what the virtual PC does not have, no self-tests, no splash.
DEBIAN_APPEND = ("quiet loglevel=3 nokaslr nolapic noapic nosmp mitigations=off no_timer_check "
                 "cryptomgr.notests 8250.nr_uarts=0 random.trust_cpu=1 raid=noautodetect "
                 "panic=0 console=tty0")


def debian_kernel(flavour="686"):
    return debpkg.extract(debian_package(flavour), "./boot/vmlinuz-*", CACHE / f"vmlinuz-{flavour}")


def debian_busybox():
    return debpkg.extract("busybox-static", "./bin/busybox", CACHE / "busybox")


# For a guest whose devices are in another PC. Its UARTs are probed, and these modules are there.
DEBIAN_REMOTE_APPEND = DEBIAN_APPEND.replace("8250.nr_uarts=0", "8250.nr_uarts=4")
DEBIAN_MODULES_AT_BOOT = ("ata_piix", "sd_mod", "sr_mod", "parport_pc", "lp", "snd-sb16",
                          "snd-pcm-oss")
DEBIAN_MODULES = (*DEBIAN_MODULES_AT_BOOT, "ext4", "crc32c_generic", "isofs", "vfat", "nls_cp437",
                  "nls_ascii", "nls_utf8", "nls_iso8859-1", "ne", "aoe")
DEBIAN_MODULE_OPTIONS = ("options parport_pc io=0x378 irq=7",
                         "options snd-sb16 isapnp=0 port=0x220 irq=5 dma8=1 dma16=5 mpu_port=0",
                         "options ne io=0x300 irq=10")


def debian_package(flavour="686"):
    return debpkg.dependency(f"linux-image-{flavour}", rf"linux-image-[0-9.]+-[0-9]+-{flavour}")


def debian_modules(flavour="686"):
    return modules.files(debian_package(flavour), DEBIAN_MODULES, DEBIAN_MODULES_AT_BOOT,
                         DEBIAN_MODULE_OPTIONS)


def debian_disk(name, flavour="686", append=DEBIAN_APPEND, programs=(), files=list):
    """The bootable disk; programs: paths of i386 programs to add to the initrd's /bin; files():
    (path, content) pairs of what else it holds."""
    target = CACHE / f"{name}.img"
    recipes = [__file__, bootdisk.__file__, initrd.__file__, modules.__file__,
               *map(str, programs)]
    if target.exists() and all(_older(recipe, target) for recipe in recipes):
        return target
    kernel, busybox = debian_kernel(flavour), debian_busybox()
    extra = [(f"bin/{path.name}", path.read_bytes()) for path in programs] + files()
    with written(CACHE / f"{name}.initrd") as archive:
        archive.write_bytes(initrd.build(busybox, extra))
        bootdisk.build(target, kernel, archive, append)
    return target


def _older(path, than):
    return Path(path).stat().st_mtime <= than.stat().st_mtime


# The catalogue.


def _debian():
    return Guest("debian", ram=64, drives={"disk0": debian_disk("debian")})


def _debian_pae():
    return Guest("debian-pae", ram=64, drives={"disk0": debian_disk("debian-pae", "686-pae")})


def _debian_remote():
    return Guest("debian-remote", ram=64, drives={
        "disk0": debian_disk("debian-remote", append=DEBIAN_REMOTE_APPEND, files=debian_modules)})


def _dlx():
    return Guest("dlx", ram=16, drives={"disk0": dlx_image()}, geometry={"disk0": (306, 4, 17)})


def _microlinux():
    return Guest("microlinux", ram=16, drives={"disk0": shared_image("microlinux-1.2.13.img")},
                 geometry={"disk0": (306, 4, 17)})


def _floppy(name, image, ram=16):
    return lambda: Guest(name, ram=ram, drives={"floppy0": shared_image(image)}, boot="a")


def _linux_012():
    disk = CACHE / "linux-0.12-hdc.img"
    if not disk.exists():
        archive = guest_file("linux-0.12-hdc.tar.xz")
        with tarfile.open(archive) as tar, written(disk) as partial:
            partial.write_bytes(tar.extractfile("hdc.img").read())
    return Guest("linux-0.12", ram=16, boot="a", drives={
        "floppy0": shared_image("linux-0.12-boot.floppy.img"), "disk0": disk})


def _basiclinux():
    disk = CACHE / "basiclinux.img"
    if not disk.exists():
        with zipfile.ZipFile(guest_file("basiclinux-3.5.zip")) as archive:
            with written(disk) as partial:
                partial.write_bytes(archive.read("BL3-5qemu.img"))
    return Guest("basiclinux", ram=32, drives={"disk0": disk})


def _packaged(name, path, package, ram):
    def make():
        kernel = system_file(path, package)
        disk = CACHE / f"{name}.img"
        if not disk.exists():
            bootdisk.build(disk, kernel)
        return Guest(name, ram=ram, drives={"disk0": disk})
    return make


def _grub():
    """GRUB's own shell, on a CD."""
    image = CACHE / "grub.iso"
    if not image.exists():
        empty = CACHE / "empty"
        empty.mkdir(parents=True, exist_ok=True)
        with written(image) as partial:
            subprocess.run(["grub-mkrescue", "-d", "/usr/lib/grub/i386-pc", "--locales=",
                            "--fonts=", "--themes=", "-o", partial, empty], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return Guest("grub", ram=32, drives={"cdrom2": image}, boot="d")


GUESTS = {
    "debian": _debian,
    "debian-pae": _debian_pae,
    "debian-remote": _debian_remote,
    "dlx": _dlx,
    "microlinux": _microlinux,
    "debian-0.91": _floppy("debian-0.91", "debian-0.91.floppy12.img"),
    "linux-0.12": _linux_012,
    "hal91": _floppy("hal91", "hal91-2.0.39.floppy.img", ram=32),
    "basiclinux": _basiclinux,
    "freedos": _floppy("freedos", "freedos.floppy720.img"),
    "freedos-emm386": _floppy("freedos-emm386", "freedos-emm386.floppy.img"),
    "kolibrios": _floppy("kolibrios", "kolibrios.floppy.img", ram=128),
    "elks": _floppy("elks", "elks-0.6.floppy.img"),
    "memtest": _packaged("memtest", "/boot/memtest86+ia32.bin", "memtest86+", 16),
    "ipxe": _packaged("ipxe", "/boot/ipxe.lkrn", "ipxe", 32),
    "grub": _grub,
}


def check(name):
    """Raises Missing unless it is a name."""
    if name not in GUESTS:
        raise Missing(f"GUEST={name}: expected one of {' '.join(GUESTS)}")


def find(name):
    """The guest of that name, its images made ready. Raises Missing."""
    check(name)
    return GUESTS[name]()
