#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Installs the Debian packages that building, running and testing Farbus need; does nothing, and
# asks for nothing, when they are there. Only the machine's own apt sources are used.
set -eu

packages="gcc gcc-multilib nasm binutils gdb libcmocka-dev
	grub-common grub-pc-bin xorriso mtools e2fsprogs syslinux syslinux-common
	qemu-system-x86 qemu-system-gui bochs bochs-term bochs-x bochsbios seabios vgabios
	python3 python3-pexpect python3-pyte python3-serial
	ca-certificates unzip xz-utils memtest86+ ipxe xvfb
	iproute2 util-linux tshark dpkg-dev"

missing=
for package in $packages; do
	case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true) in
	*" installed") ;;
	*) missing="$missing $package" ;;
	esac
done
[ -n "$missing" ] || exit 0

echo "deps: installing$missing" >&2
as_root=
if [ "$(id -u)" != 0 ]; then
	as_root=sudo
	command -v sudo >/dev/null || {
		echo "deps: missing packages, and no sudo to install them; as root: apt-get install$missing" >&2
		exit 1
	}
fi
# A package list that could not be fetched is no reason to stop: the packages may be known already.
$as_root apt-get update -q >&2 || true
$as_root env DEBIAN_FRONTEND=noninteractive \
	apt-get install -q -y --no-install-recommends $missing >&2
