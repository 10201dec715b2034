# SPDX-License-Identifier: BSD-2-Clause
"""An initramfs made without root: a cpio archive (newc) written file by file."""

import stat
from pathlib import PurePosixPath

INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /tmp /root /usr /mnt
/bin/busybox --install -s /bin
/bin/busybox ln -s /bin /sbin
/bin/busybox ln -s ../bin /usr/bin
export PATH=/bin HOME=/root PS1='debian:\\w# ' TERM=linux
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
hostname debian
if [ -e /etc/modules ]; then
	modprobe -a $(cat /etc/modules)
fi
cd /root
echo
echo "Linux $(uname -r) with Debian's busybox. 'poweroff -f' ends it."
while :; do
	setsid cttyhack sh
done
"""


class Cpio:
    """Deterministic: no times, no owners, inodes in order."""

    def __init__(self):
        self.data = bytearray()
        self.count = 0
        self.folders = set()

    def _entry(self, name, mode, content):
        self.count += 1
        fields = [self.count, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0]
        self.data += b"070701" + b"".join(b"%08X" % field for field in fields)
        self.data += name.encode() + b"\0"
        self._pad()
        self.data += content
        self._pad()

    def _pad(self):
        self.data += b"\0" * (-len(self.data) % 4)

    def folder(self, name):
        self.folders.add(PurePosixPath(name))
        self._entry(name, stat.S_IFDIR | 0o755, b"")

    def file(self, name, content, mode=0o755):
        """The folders that it is in are made, too."""
        for parent in reversed(PurePosixPath(name).parents[:-1]):
            if parent not in self.folders:
                self.folder(str(parent))
        self._entry(name, stat.S_IFREG | mode, content)

    def finish(self):
        self._entry("TRAILER!!!", 0, b"")
        return bytes(self.data)


def build(busybox, extra=()):
    """The archive's bytes; extra: (path, content) pairs of files to add."""
    cpio = Cpio()
    for folder in ("bin", "dev", "proc", "sys"):
        cpio.folder(folder)
    cpio.file("bin/busybox", busybox.read_bytes())
    cpio.file("init", INIT.encode())
    for name, content in extra:
        cpio.file(name, content)
    return cpio.finish()
