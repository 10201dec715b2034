# SPDX-License-Identifier: BSD-2-Clause
"""Kernel modules out of Debian's kernel package, with what they need, as files of an initrd."""

import re

import debpkg
from paths import CACHE, Missing


def info(module):
    """(depends, aliases) as the module's own .modinfo says them."""
    data = module.read_bytes()
    depends = re.search(rb"\0depends=([^\0]*)\0", data)
    names = depends.group(1).decode().split(",") if depends else []
    aliases = [alias.decode() for alias in re.findall(rb"\0alias=([^\0]+)", data)]
    return [name.replace("-", "_") for name in names if name], aliases


def files(package, wanted, at_boot, options=()):
    """(path, bytes) pairs for the initrd: the modules `wanted` and what these depend on, the lists
    that modprobe reads, and /etc/modules, which /init loads."""
    tree = debpkg.unpack(package, "./lib/modules/*", CACHE / f"{package}.modules")
    root = next((tree / "lib" / "modules").iterdir())
    have = {path.stem.replace("-", "_"): path for path in root.rglob("*.ko")}
    depends, aliases = {}, []
    todo = [name.replace("-", "_") for name in wanted]
    while todo:
        name = todo.pop()
        if name in depends:
            continue
        if name not in have:
            raise Missing(f"{package} has no module {name}")
        depends[name], known_as = info(have[name])
        aliases += [f"alias {alias} {name}" for alias in known_as]
        todo += depends[name]

    def place(name):
        return have[name].relative_to(root).as_posix()

    def needs(name):
        """All that must be there before it, the last to be loaded first."""
        found = []
        for other in depends[name]:
            found = [other] + needs(other) + found
        return list(dict.fromkeys(reversed(found)))[::-1]

    folder = f"lib/modules/{root.name}"
    lists = {
        f"{folder}/modules.dep": [f"{place(name)}: {' '.join(map(place, needs(name)))}".rstrip()
                                  for name in sorted(depends)],
        f"{folder}/modules.alias": sorted(aliases),
        "etc/modules": list(at_boot),
        "etc/modprobe.d/farbus.conf": list(options),
    }
    return [(f"{folder}/{place(name)}", have[name].read_bytes()) for name in sorted(depends)] + [
        (name, "".join(line + "\n" for line in lines).encode()) for name, lines in lists.items()]
