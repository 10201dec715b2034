# SPDX-License-Identifier: BSD-2-Clause
"""Where things are: the repository, the build folder and the guest images."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("BUILD") or "build")
if not BUILD.is_absolute():
    BUILD = REPO / BUILD
CACHE = BUILD / "guests"

FIRMWARE = Path("/usr/share/seabios/bios.bin")
VGABIOS = Path("/usr/share/seabios/vgabios-stdvga.bin")


class Missing(Exception):
    """Something a guest is made from is not on this machine; the text says what and where."""


def guests_folder():
    """GUESTS=, or the folder beside the repository that holds shared guest images."""
    given = os.environ.get("GUESTS")
    return Path(given) if given else REPO.parent / "shared" / "guests"


def guest_file(name):
    path = guests_folder() / name
    if not path.exists():
        raise Missing(f"{name} is not in {guests_folder()} (set GUESTS=)")
    return path


def system_file(path, package):
    if not Path(path).exists():
        raise Missing(f"{path} is missing: install the package {package} (make deps)")
    return Path(path)


@contextlib.contextmanager
def written(target):
    """A path to write to that becomes target when all went well: runs at the same time may make
    the same file, and a broken-off one must not be taken for a whole one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{os.getpid()}.{target.name}")
    try:
        yield partial
        partial.rename(target)
    finally:
        partial.unlink(missing_ok=True)


@contextlib.contextmanager
def work_folder(target):
    """A folder beside target to make it in, which no other run uses; gone at the end."""
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
