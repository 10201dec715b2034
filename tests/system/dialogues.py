# SPDX-License-Identifier: BSD-2-Clause
"""What is typed into each guest and what it must answer.

A step is ("wait", regular expression, seconds), ("prompt", regular expression, seconds),
("line", keys, each of which must be echoed) or ("type", keys). The seconds are those of a guest under the interpreter in QEMU; Bochs gets more
(guests_test.py).

Nothing is typed while a program may still print: old kernels put the key's echo into the midst of
what is being written. Linux 1.3 then takes its cursor for a column away from where it is, and all
that follows stands there; on a bare PC, too.
"""

ENTER = "\r"


def wait(pattern, seconds=60):
    return ("wait", pattern, seconds)


def typed(keys):
    return ("type", keys)


def prompt(pattern, seconds=60):
    """The cursor stands behind this, the whole line so far: the guest waits for keys."""
    return ("prompt", pattern, seconds)


def at(before, *commands):
    """At each of these prompts a line that must stand there as typed, and what must come of it.

    commands: (line, answer) or (line, answer, seconds).
    """
    steps = []
    for line, *answer in commands:
        steps += [prompt(before), ("line", line), typed(ENTER), wait(*answer)]
    return steps


LOG_IN_DLX = [prompt(r"dlx login: ", 240), typed("root" + ENTER), prompt(r"dlx:~# ", 60)]


def debian(flavour):
    return [
        wait(r"^debian:.*# *$", 900),
        # On a slow host the prompt is there before the shell's line editor, which drops what came.
        ("until", "\r", r"^debian:.*#\s+debian:.*# *$", 60),
        *at(r"debian:.*# ",
            ("uname -rm", rf"^6\.[0-9.]+-[0-9]+-{flavour} i[3-6]86"),
            ("ls / | sort -r | head -n 3", r"^usr$"),
            ("cat /proc/cpuinfo", r"^bogomips"),
            ("echo $((6 * 7)) | tee /tmp/x; cat /tmp/x", r"^42\n42$")),
        prompt(r"debian:.*# "),
    ]


DIALOGUES = {
    "dlx": [
        wait(r"LILO", 120), *LOG_IN_DLX,
        *at(r"dlx:~# ",
            ("uname -a", r"^Linux dlx 1\.3\.89 #1"),
            ("cat /etc/passwd | grep root | cut -d: -f6 | tr a-z A-Z", r"^/ROOT$"),
            ("echo kept on disk > /root/f; sync", r"sync\ndlx:~#"),
            ("cat /root/f | sed s/kept/read/", r"^read on disk$"),
            ("cat /proc/cpuinfo", r"bogomips"),
            ("clear; reboot", r"LILO", 180)),
        *LOG_IN_DLX,
    ],
    "microlinux": [
        prompt(r".*login: ?", 400), typed("root" + ENTER),
        *at(r"Linux # ",
            ("cat /proc/version", r"Linux version 1\.2\.13"),
            ("ls /", r"\bdev\b")),
    ],
    "debian-0.91": [
        prompt(r"boot: ?", 120), typed(ENTER),
        wait(r"Welcome to Debian Linux 0\.91 BETA!", 400), prompt(r"# ", 120),
        *at(r"# ", ("ls /", r"\bdev\b")),
    ],
    "linux-0.12": [
        wait(r"Press <RETURN> to see SVGA", 120), typed(" "), prompt(r"\[/\]# ", 120),
        *at(r"\[/\]# ",
            ("ls /bin", r"\bbash\b"),
            ("cat /etc/passwd", r"root:")),
    ],
    "hal91": [
        wait(r"kernel 2\.0\.39", 400), prompt(r"\[1:/\] # "), typed(ENTER),
        *at(r"\[1:/\] # ",
            ("cat /proc/cpuinfo", r"bogomips"),
            ("ls /", r"\bproc\b")),
    ],
    "basiclinux": [
        wait(r"Please press Enter to activate this console", 500), typed(ENTER),
        *at(r"/<#>",
            ("ls", r"\bproc\b"),
            ("cat /proc/cpuinfo", r"bogomips")),
    ],
    "freedos": [
        prompt(r"A:\\>", 120),
        *at(r"A:\\>",
            ("ver", r"ver\n\nFreeCom version 0\.82"),
            ("dir", r"[0-9]+ dir\(s\)"),
            ("cls", r"\AA?:?\\?>?\s*A:\\> *$|\A\s*A:\\> *$"),
            ("echo some words > b.txt", r"b\.txt\s+A:\\>"),
            ("type b.txt", r"^some words")),
    ],
    "freedos-emm386": [
        wait(r"DOS=HIGH\[Y,N\]\?", 120), typed("y"),
        wait(r"HIMEM\.EXE.*\?$"), typed("y"),
        wait(r"EMM386\.EXE.*\?$"), typed("y"),
        wait(r"UMBPCI\.SYS.*\?$|^[A-Z]:\\>"), typed("n"),
        prompt(r"[A-Z]:\\>", 120),
        *at(r"[A-Z]:\\>",
            ("ver", r"FreeCom version"),
            ("dir", r"[0-9]+ dir\(s\)")),
    ],
    "elks": [
        wait(r"ELKS kernel 0\.6\.0", 120), prompt(r"# ", 120),
        *at(r"# ",
            ("ls /", r"\bbootopts\b|\bproc\b|\bbin\b"),
            ("echo a b | wc", r"^ *1 +2 +4")),
    ],
    "debian": debian("686"),
    "debian-pae": debian("686-pae"),
    "grub": [
        prompt(r"grub> ?", 240),
        *at(r"grub> ?",
            ("ls /boot", r"grub/"),
            ("cat /boot/grub/i386-pc/modinfo.sh", r"grub_version=\"2")),
    ],
    "ipxe": [
        wait(r"Press Ctrl-B|iPXE initialising", 120), wait(r"iPXE 1\.", 120),
        ("until", "\x02", r"^iPXE> *$", 120),
        *at(r"iPXE> ?",
            ("show version", r"1\.0\.0"),
            ("echo words", r"^words")),
    ],
}
