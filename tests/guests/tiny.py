# SPDX-License-Identifier: BSD-2-Clause
"""A tiny guest's output under Farbus against its output on bare Bochs.

    tiny.py list                  a line for each test: NAME SECONDS COMMAND...
    tiny.py run NAME HOST CPU     status 0 when both outputs are the same
    tiny.py native NAME           prints what the guest says on bare Bochs

A tiny guest is a 64 KB ROM in the firmware's place. It talks to port E9h and ends the emulated
machine through port 8900h; under Farbus both are passed through, so all else it sees is Farbus.
"""

import difflib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "images"))

import bochs  # noqa: E402
import bootimage  # noqa: E402
import qemu  # noqa: E402
from console import Console  # noqa: E402
from guests import Guest  # noqa: E402
from paths import BUILD, Missing, system_file, work_folder, written  # noqa: E402

TINY = BUILD / "tiny"
ENGINES = ("interp", "direct", "translate", "lockstep", "lockstep-translate")
HOSTS = ("bochs", "qemu")
SECONDS = 400
# QEMU takes an access that reads and writes for a read first, and so sets A where a CPU does not.
# QEMU checks neither segment limits nor alignment, and so cannot for code that runs directly on it.
# QEMU 7.2 also lets IRET at CPL 3 set VM, which user_random does in its piece 498: Farbus shuts it
# down there, as bad-input/vm-iret-qemu asks for.
# Random code pushes flags that are undefined, which Bochs and the interpreter define differently.
SKIPPED = {*((name, "translate", "qemu")
             for name in ("paging", "paging_random", "isolation", "edges", "limits")),
           *((name, cpu, "qemu") for name in ("user", "v86", "user_random", "modes", "real")
             for cpu in ("direct", "translate")),
           ("user_random", "interp", "qemu"), ("user_random", "interp", "bochs")}
# The words behind `cpu` for an engine that needs more than its name.
WORDS = {"direct": ("direct", ["translate off"]), "translate": ("direct", []),
         "lockstep": ("lockstep", ["translate off"]), "lockstep-translate": ("lockstep", [])}
# Lockstep: those that run something at CPL 3 or in real mode. What QEMU does not check is a difference.
# With the translator: those of them that do not take long in Bochs.
USERS = ("exceptions", "faults", "flags", "gates", "limits", "paging", "user", "v86", "modes", "real")
KERNELS = ("crossings", "exceptions", "gates", "paging", "tasks", "user")
USERS_QEMU = ("exceptions", "gates", "paging")
KERNELS_QEMU = ("crossings", "debug", "exceptions", "gates", "paging", "narrow", "pic", "rings", "stores",
                "system", "tasks")

# Farbus shows its guests a CPU of this class, so the oracle is one.
NATIVE = """megs: 32
romimage: file={rom}
vgaromimage: file={vgabios}
cpu: model=p3_katmai, ips=4000000, reset_on_triple_fault=0, ignore_bad_msrs=0
clock: sync=none, time0=utc
port_e9_hack: enabled=1
display_library: rfb, options="timeout=0"
log: {log}
panic: action=fatal
"""


def names():
    return sorted(path.stem for path in HERE.glob("*.c"))


def rom(name):
    return system_file(TINY / f"{name}.rom", "tiny guests: make tiny")


def said(text, name):
    """What the guest printed, without what the emulator and Farbus say around it."""
    found = re.search(rf"^\[begin {name}\]$.*?^\[end\]$", text.replace("\r", ""), re.M | re.S)
    return found.group(0).splitlines() if found else None


def native(name):
    expected = TINY / f"{name}.expected"
    if not expected.exists() or expected.stat().st_mtime < rom(name).stat().st_mtime:
        with work_folder(expected) as work:
            rc, config = work / "bochs.rc", work / "bochsrc"
            rc.write_text("c\n")
            config.write_text(NATIVE.format(rom=rom(name), log=work / "device.log",
                                            vgabios=system_file(bochs.VGABIOS, "vgabios")))
            ended = subprocess.run([bochs.BOCHS, "-q", "-unlock", "-f", config, "-rc", rc],
                                   cwd=work, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, errors="replace", text=True,
                                   timeout=SECONDS)
        lines = said(ended.stdout, name)
        if lines is None:
            sys.exit(f"{name} did not end on bare Bochs:\n{ended.stdout[-2000:]}")
        with written(expected) as partial:
            partial.write_text("\n".join(lines) + "\n")
    return expected.read_text().splitlines()


def under_farbus(name, host, cpu):
    work = TINY / f"{name}-{host}-{cpu}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    engine, more = WORDS.get(cpu, (cpu, []))
    image, log = work / "farbus.img", work / "farbus.log"
    guest = Guest(name, config=["route 0xe9 local", "route 0x8900 local", "console none",
                                "triple-fault stop", *more])
    bootimage.build(image, guest, 32, engine, rom(name))
    console = Console()
    if host == "bochs":
        command = bochs.farbus(image, 64, console.path, work, None, "fast")
        stdout = open(log, "wb")
    else:
        # Virtual time that counts instructions: a busy machine must not change what timers show.
        os.environ["HOSTARGS"] = ("-device isa-debug-exit,iobase=0x8900,iosize=4 "
                                  "-icount shift=2,sleep=off")
        command = qemu.farbus(image, 64, log, work, None)
        stdout = console.slave
    try:
        subprocess.run(command, cwd=work, stdin=console.slave, stdout=stdout, timeout=SECONDS - 40,
                       stderr=open(work / "emulator.err", "wb"))
    except subprocess.TimeoutExpired:
        pass  # what was printed until then shows where it stopped
    text = log.read_text(errors="replace")
    if cpu.startswith("lockstep"):
        return without_farbus(text, name)
    return said(text, name) or said(text + "\n[end]\n", name) or text.splitlines()[-40:]


def without_farbus(text, name):
    """Lockstep's own lines come between the guest's; a difference is all there is to say."""
    if re.search(r"^farbus: error: lockstep", text, re.M):
        return [line for line in text.splitlines() if "lockstep: " in line]
    text = re.sub(r"farbus: lockstep: \d+ instructions compared\r?\n", "", text)
    return said(text, name) or text.splitlines()[-40:]


def without_leaks(lines):
    """What CPL-3 code on the CPU can see of Farbus (docs/direct.md): SMSW gives this PC's CR0."""
    text = re.sub(r"^(smsw_ax: .*\n +eax=)\w+", r"\1?", "\n".join(lines), flags=re.MULTILINE)
    return text.splitlines()


def run(name, host, cpu):
    expected, got = native(name), under_farbus(name, host, cpu)
    if cpu != "interp":
        expected, got = without_leaks(expected), without_leaks(got)
    if expected == got:
        print(f"{len(got)} lines as on bare Bochs")
        return 0
    sys.stdout.writelines(line + "\n" for line in difflib.unified_diff(
        expected, got, "bare Bochs", f"Farbus, {cpu}, {host}", lineterm="", n=1))
    return 1


def listed(name, cpu, host):
    if cpu == "lockstep":
        return name in (USERS if host == "bochs" else USERS_QEMU)
    if cpu == "lockstep-translate":
        return name in (KERNELS if host == "bochs" else KERNELS_QEMU)
    return (name, cpu, host) not in SKIPPED


def main():
    words = sys.argv[1:]
    if words == ["list"]:
        for name in names():
            for cpu in ENGINES:
                for host in HOSTS:
                    if not listed(name, cpu, host):
                        continue
                    print(f"tiny/{name}-{cpu}-{host} {SECONDS} {sys.executable} "
                          f"{Path(__file__).resolve()} run {name} {host} {cpu}")
    elif len(words) == 4 and words[0] == "run":
        sys.exit(run(*words[1:]))
    elif len(words) == 2 and words[0] == "native":
        print("\n".join(native(words[1])))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    try:
        main()
    except Missing as missing:
        print(missing)
        sys.exit(77)
