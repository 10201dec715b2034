# SPDX-License-Identifier: BSD-2-Clause
"""The disk that boots a PC into Farbus: GRUB, the kernel, its configuration and its modules.

A hybrid made by grub-mkrescue: it starts as USB stick, as hard disk and as CD. Modules are stored
gzipped; GRUB unpacks them when it loads them.
"""

import gzip
import shutil
import subprocess

from paths import BUILD, CACHE, FIRMWARE, VGABIOS, system_file, written

GRUB_MODULES = "biosdisk iso9660 part_msdos normal multiboot gzio configfile echo boot"
# So that Bochs, which wants whole cylinders, takes the image as a hard disk.
CYLINDER = 16 * 63 * 512

GRUB_CFG = """set timeout=0
set default=0
menuentry "Farbus" {{
	multiboot /boot/farbus.elf
{modules}
}}
"""


def drive_geometry(guest, drive):
    cylinders, heads, sectors = guest.geometry[drive]
    return f"geometry {drive} {cylinders}/{heads}/{sectors}"


def config_text(guest, ram, cpu, firmware, extra):
    """The text of the module `config`."""
    lines = [f"ram {ram}M", f"cpu {cpu}", f"firmware module {firmware}"]
    for drive in sorted(guest.drives):
        lines.append(f"{drive} module {drive}.img")
        if drive in guest.geometry:
            lines.append(drive_geometry(guest, drive))
    if guest.boot:
        lines.append(f"boot {guest.boot}")
    return "\n".join(lines + guest.config + extra) + "\n"


def _packed(source):
    """The gzipped copy of an image, kept as long as the image does not change."""
    packed = CACHE / "packed" / f"{str(source.resolve()).replace('/', '_')}.gz"
    if not packed.exists() or packed.stat().st_mtime < source.stat().st_mtime:
        with written(packed) as partial:
            with open(source, "rb") as plain, gzip.GzipFile(partial, "wb", 6, mtime=0) as out:
                shutil.copyfileobj(plain, out, 1 << 20)
    return packed


def build(target, guest, ram, cpu="auto", firmware=None, extra=()):
    """Writes the boot image; returns the bytes its modules take once they are unpacked."""
    tree = target.with_suffix(".tree")
    shutil.rmtree(tree, ignore_errors=True)
    boot = tree / "boot"
    (boot / "grub").mkdir(parents=True)
    shutil.copy(system_file(BUILD / "farbus.elf", "farbus: run make"), boot / "farbus.elf")

    modules = [(firmware or system_file(FIRMWARE, "seabios"), "bios.bin"),
               (system_file(VGABIOS, "seabios"), "vgabios.bin")]
    modules += [(path, f"{drive}.img") for drive, path in sorted(guest.drives.items())]
    (boot / "config").write_text(config_text(guest, ram, cpu, "bios.bin", list(extra)))
    lines = ["\tmodule /boot/config config"]
    for path, name in modules:
        shutil.copy(_packed(path), boot / f"{name}.gz")
        lines.append(f"\tmodule /boot/{name}.gz {name}")
    (boot / "grub" / "grub.cfg").write_text(GRUB_CFG.format(modules="\n".join(lines)))

    with written(target) as image:
        _mkrescue(image, tree)
    shutil.rmtree(tree)
    return sum(path.stat().st_size for path, _ in modules)


def _mkrescue(image, tree):
    made = subprocess.run(
        ["grub-mkrescue", "-d", "/usr/lib/grub/i386-pc", f"--install-modules={GRUB_MODULES}",
         "--locales=", "--fonts=", "--themes=", "-o", image, tree],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if made.returncode:
        raise RuntimeError("grub-mkrescue failed:\n" + made.stdout)
    size = image.stat().st_size
    with open(image, "r+b") as out:
        out.truncate(-(-size // CYLINDER) * CYLINDER)
