# SPDX-License-Identifier: BSD-2-Clause
"""What is typed into each guest and what it must answer.

A step is ("wait", regular expression, seconds) or ("type", keys). The seconds are those of a guest
under the interpreter in QEMU; Bochs gets more (guests_test.py).
"""

ENTER = "\r"


def wait(pattern, seconds=60):
    return ("wait", pattern, seconds)


def typed(keys):
    return ("type", keys)


def command(text, answer, seconds=60):
    """A command line and what must come of it."""
    return [typed(text + ENTER), wait(answer, seconds)]


LOG_IN_DLX = [wait(r"dlx login:", 240), typed("root" + ENTER), wait(r"^dlx:~# *$", 60)]


def debian(flavour):
    return [
        wait(r"^debian:.*# *$", 900),
        # On a slow host the prompt is there before the shell's line editor, which drops what came.
        ("until", "\r", r"^debian:.*#\s+debian:.*# *$", 60),
        *command("uname -rm", rf"^6\.[0-9.]+-[0-9]+-{flavour} i[3-6]86"),
        *command("ls / | sort -r | head -n 3", r"^usr$"),
        *command("cat /proc/cpuinfo", r"^bogomips"),
        *command("echo $((6 * 7)) | tee /tmp/x; cat /tmp/x", r"^42\n42$"),
    ]


DIALOGUES = {
    "dlx": [
        wait(r"LILO", 120), *LOG_IN_DLX,
        *command("uname -a", r"^Linux dlx 1\.3\.89 #1"),
        *command("cat /etc/passwd | grep root | cut -d: -f6 | tr a-z A-Z", r"^/ROOT$"),
        *command("echo kept on disk > /root/f; sync", r"sync\ndlx:~#"),
        *command("cat /root/f | sed s/kept/read/", r"^read on disk$"),
        *command("cat /proc/cpuinfo", r"bogomips"),
        *command("clear; reboot", r"LILO", 180),
        *LOG_IN_DLX,
    ],
    "microlinux": [
        wait(r"login:", 400), typed("root" + ENTER), wait(r"^Linux # *$"),
        *command("cat /proc/version", r"Linux version 1\.2\.13"),
        *command("ls /", r"\bdev\b"),
    ],
    "debian-0.91": [
        wait(r"^boot:", 120), typed(ENTER),
        wait(r"Welcome to Debian Linux 0\.91 BETA!", 400), wait(r"^# *$", 120),
        *command("ls /", r"\bdev\b"),
    ],
    "linux-0.12": [
        wait(r"Press <RETURN> to see SVGA", 120), typed(" "), wait(r"^\[/\]# *$", 120),
        *command("ls /bin", r"\bbash\b"),
        *command("cat /etc/passwd", r"root:"),
    ],
    "hal91": [
        wait(r"kernel 2\.0\.39", 400), wait(r"^\[1:/\] # *$"), typed(ENTER),
        *command("cat /proc/cpuinfo", r"bogomips"),
        *command("ls /", r"\bproc\b"),
    ],
    "basiclinux": [
        wait(r"Please press Enter to activate this console", 500), typed(ENTER),
        wait(r"^/<#> *$"),
        *command("ls", r"\bproc\b"),
        *command("cat /proc/cpuinfo", r"bogomips"),
    ],
    "freedos": [
        wait(r"^A:\\>", 120),
        *command("ver", r"ver\n\nFreeCom version 0\.82"),
        *command("dir", r"[0-9]+ dir\(s\)"),
        *command("cls", r"\AA?:?\\?>?\s*A:\\> *$|\A\s*A:\\> *$"),
        *command("echo some words > b.txt", r"b\.txt\s+A:\\>"),
        *command("type b.txt", r"^some words"),
    ],
    "freedos-emm386": [
        wait(r"DOS=HIGH\[Y,N\]\?", 120), typed("y"),
        wait(r"HIMEM\.EXE.*\?$"), typed("y"),
        wait(r"EMM386\.EXE.*\?$"), typed("y"),
        wait(r"UMBPCI\.SYS.*\?$|^[A-Z]:\\>"), typed("n"),
        wait(r"^[A-Z]:\\>", 120),
        *command("ver", r"FreeCom version"),
        *command("dir", r"[0-9]+ dir\(s\)"),
    ],
    "elks": [
        wait(r"ELKS kernel 0\.6\.0", 120), wait(r"^# *$", 120),
        *command("ls /", r"\bbootopts\b|\bproc\b|\bbin\b"),
        *command("echo a b | wc", r"^ *1 +2 +4"),
    ],
    "debian": debian("686"),
    "debian-pae": debian("686-pae"),
    "grub": [
        wait(r"^grub>", 240),
        *command("ls /boot", r"grub/"),
        *command("cat /boot/grub/i386-pc/modinfo.sh", r"grub_version=\"2"),
    ],
    "ipxe": [
        wait(r"Press Ctrl-B|iPXE initialising", 120), wait(r"iPXE 1\.", 120),
        ("until", "\x02", r"^iPXE> *$", 120),
        *command("show version", r"1\.0\.0"),
        *command("echo words", r"^words"),
    ],
}
