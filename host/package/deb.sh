#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Builds the Debian package: deb.sh BUILD VERSION. Prints its name.
set -eu

build=$(cd "$1" && pwd)
version=$2
from=host/package
work=$build/deb
root=$work/root

rm -rf "$work"
mkdir -p "$root/DEBIAN" "$work/debian"
umask 022

{
	make --no-print-directory BUILD="$build" DESTDIR="$root" PREFIX=/usr install install-boot
	# Debian's Wireshark looks for Lua plugins in its library folder.
	if [ -e "$root/usr/share/farbus/farbus.lua" ]; then
		plugins=usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)/wireshark/plugins
		mkdir -p "$root/$plugins"
		ln -sr "$root/usr/share/farbus/farbus.lua" "$root/$plugins/farbus.lua"
	fi
	strip --strip-unneeded "$root/usr/sbin/farbus"
} >&2

# As the policy wants it: units in /lib, compressed documents, a folder for the copyright.
mkdir -p "$root/lib"
mv "$root/usr/lib/systemd" "$root/lib/systemd"
doc=$root/usr/share/doc/farbus
awk '/^Redistribution/ { on = 1 } on { print NF ? " " $0 : " ." }' LICENSE > "$work/license"
sed -e "/@license@/{r $work/license" -e 'd}' $from/copyright > "$doc/copyright"
gzip -9nc $from/changelog > "$doc/changelog.gz"
install -D -m 644 $from/lintian-overrides "$root/usr/share/lintian/overrides/farbus"
gzip -9n "$root/usr/share/man/man8/farbus.8"

printf 'Source: farbus\nPackage: farbus\nArchitecture: any\n' > "$work/debian/control"
depends=$(cd "$work" && dpkg-shlibdeps -O "$root/usr/sbin/farbus" 2>/dev/null |
	sed -n 's/^shlibs:Depends=//p')
built_using() { dpkg-query -W -f '${source:Package} (= ${source:Version})' "$1"; }

cat > "$root/DEBIAN/control" <<END
Package: farbus
Version: $version
Architecture: $(dpkg --print-architecture)
Maintainer: The Farbus authors <farbus@localhost>
Section: net
Priority: optional
Installed-Size: $(du -sk --exclude=DEBIAN "$root" | cut -f1)
Depends: $depends, systemd
Suggests: wireshark | tshark
Built-Using: $(built_using grub-pc-bin), $(built_using seabios)
Description: lends out devices to PCs over Ethernet, and watches those PCs
 Farbus runs an unmodified guest system on a PC, each of whose ports may be
 answered by a model, by the PC's own hardware, or by another machine on the
 Ethernet segment. This package is that other machine's side: a daemon that
 lends out disks, CDs, serial and parallel ports and real ports, and tools that
 list, use and watch what is lent out. An image that boots a PC into Farbus is
 in /usr/lib/farbus.
END
echo /etc/farbus/serve.example > "$root/DEBIAN/conffiles"
install -m 755 $from/postinst $from/prerm $from/postrm "$root/DEBIAN"
(cd "$root" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | sort -z |
	xargs -0 md5sum) > "$root/DEBIAN/md5sums"

deb=$build/farbus_${version}_$(dpkg --print-architecture).deb
dpkg-deb --root-owner-group --build "$root" "$deb" >&2
echo "$deb"
