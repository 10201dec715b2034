# SPDX-License-Identifier: BSD-2-Clause
"""The words that Make hands on through the environment."""

import os
from pathlib import Path

from paths import Missing


def word(name, default=""):
    return os.environ.get(name) or default


def file_word(name):
    value = word(name)
    if not value:
        return None
    path = Path(value).absolute()
    if not path.is_file():
        raise Missing(f"{name}={value}: no such file")
    return path


def host_word():
    host = word("HOST", "qemu")
    if host not in ("qemu", "bochs"):
        raise Missing(f"HOST={host}: expected qemu or bochs")
    return host


def config_lines():
    return word("CONFIG").replace(";", "\n").splitlines()


def window():
    """The emulator's display option when a window is wanted and can be had."""
    if word("HEADLESS") not in ("", "0"):
        return None
    return "gtk" if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") else None
