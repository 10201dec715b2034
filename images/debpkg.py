# SPDX-License-Identifier: BSD-2-Clause
"""Files out of Debian i386 packages, without touching the machine's own apt state.

apt runs with the machine's sources but with private state and cache folders and i386 as its
architecture, so neither dpkg's list of architectures nor the package lists of the user change.
"""

import os
import re
import shutil
import subprocess
import sys

from paths import CACHE, Missing, work_folder

APT = CACHE / "apt"


def _options():
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (APT / folder).mkdir(parents=True, exist_ok=True)
    (APT / "status").touch()
    settings = {
        "Dir::State": APT / "state",
        "Dir::State::status": APT / "status",
        "Dir::Cache": APT / "cache",
        "APT::Architecture": "i386",
        "APT::Architectures": "i386",
        "APT::Sandbox::User": "",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
    }
    return [f"-o{key}={value}" for key, value in settings.items()]


def _apt(program, *words, **how):
    return subprocess.run([program, "-q", *_options(), *words], text=True, **how)


def update():
    """Fetches the i386 package lists. A source that fails does not matter: download() tells."""
    if any((APT / "state" / "lists").glob("*Packages*")):
        return
    print("debian: fetching the i386 package lists", file=sys.stderr)
    _apt("apt-get", "update", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def dependency(package, pattern):
    """The first dependency of a package whose name matches pattern, for metapackages."""
    update()
    shown = _apt("apt-cache", "show", package, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    found = re.search(rf"^Depends:.*?\b({pattern})", shown.stdout, re.MULTILINE)
    if not found:
        raise Missing(f"apt knows no i386 package {package} that depends on {pattern}")
    return found.group(1)


def download(package):
    """The path of the .deb, fetched when it is not here yet."""
    have = sorted(APT.glob(f"{package}_*.deb"))
    if have:
        return have[-1]
    update()
    print(f"debian: fetching {package}", file=sys.stderr)
    got = _apt("apt-get", "download", package, cwd=APT, stdout=subprocess.DEVNULL,
               stderr=subprocess.PIPE)
    have = sorted(APT.glob(f"{package}_*.deb"))
    if got.returncode or not have:
        raise Missing(f"cannot download {package}:i386: {got.stderr.strip().splitlines()[-1:]}")
    return have[-1]


def _untar(package, pattern, folder):
    folder.mkdir(parents=True, exist_ok=True)
    tar = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", download(package)],
                           stdout=subprocess.PIPE)
    subprocess.run(["tar", "-x", "-C", folder, "--wildcards", pattern], stdin=tar.stdout,
                   check=True)
    tar.wait()


def unpack(package, pattern, folder):
    """Writes all files of a package that match pattern (a tar wildcard) below folder."""
    if not folder.exists():
        work = folder.with_name(f".{os.getpid()}.{folder.name}")
        _untar(package, pattern, work)
        try:
            work.rename(folder)
        except OSError:  # another run was faster
            shutil.rmtree(work)
    return folder


def extract(package, pattern, target):
    """Writes the one file of a package that matches pattern (a tar wildcard) to target."""
    if target.exists():
        return target
    with work_folder(target) as work:
        _untar(package, pattern, work)
        files = [path for path in work.rglob("*") if path.is_file()]
        if len(files) != 1:
            raise Missing(f"{package}:i386 holds {len(files)} files {pattern}, expected one")
        files[0].rename(target)
    return target
