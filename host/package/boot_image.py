# SPDX-License-Identifier: BSD-2-Clause
"""Makes the boot image of the Debian package: `boot_image.py FILE`."""

import sys
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "images"))

import bootimage  # noqa: E402

OWN_DISK = SimpleNamespace(drives={}, geometry={}, boot="c", config=["disk0 host 0"])

if __name__ == "__main__":
    target = Path(sys.argv[1]).absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    bootimage.build(target, OWN_DISK, ram=64)
