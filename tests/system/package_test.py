# SPDX-License-Identifier: BSD-2-Clause
"""`make install` and `make deb`: what they put where, and that it works from there."""

import gzip
import os
import re
import shutil
import subprocess

from pc import Failure

from paths import BUILD, REPO, Missing

COMMON = {"sbin/farbus", "share/bash-completion/completions/farbus", "lib/sysusers.d/farbus.conf",
          "share/doc/farbus/README.md", "share/doc/farbus/linux.md"}


def check(what, found, wanted):
    if found != wanted:
        raise Failure(f"{what}: {found!r} instead of {wanted!r}")


def run(*command, **more):
    """Standard output; with its errors in the test's log."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True,
                          cwd=REPO, **more)
    if done.returncode:
        raise Failure(f"{command[0]}: status {done.returncode}: {done.stdout}")
    return done.stdout


def make(*words):
    return run("make", "--no-print-directory", f"BUILD={BUILD}", *words)


def scratch(name):
    folder = BUILD / "tests" / f"package-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


def missing(found, wanted):
    check("missing", sorted(set(wanted) - found), [])


def works(program, commands_of):
    """--help, of each command too, says the same as the program that was built."""
    for words in ([], *([command] for command in re.findall(r"^  (\w+) ", commands_of, re.M))):
        check(f"{words} --help", run(program, *words, "--help"),
              run(BUILD / "farbus", *words, "--help"))


def install():
    """make install PREFIX=, and with DESTDIR=; the unit is one that systemd understands."""
    prefix = scratch("install") / "usr"
    make("install", f"PREFIX={prefix}")
    missing(files(prefix), COMMON | {"share/man/man8/farbus.8", "etc/farbus/serve.example",
                                     "lib/systemd/system/farbus.service"})
    works(prefix / "sbin/farbus", run(BUILD / "farbus", "--help"))
    unit = prefix / "lib/systemd/system/farbus.service"
    text = unit.read_text()
    check("what it starts", re.search(r"^ExecStart=(.*)", text, re.M)[1],
          f"{prefix}/sbin/farbus serve -c {prefix}/etc/farbus/serve")
    check("left open", re.findall(r"@\w+@", text.replace("@raw-io", "").replace(
        "@system-service", "")), [])
    dest = scratch("destdir")
    make("install", f"DESTDIR={dest}", "PREFIX=/usr")
    missing(files(dest), {f"usr/{path}" for path in COMMON} | {"etc/farbus/serve.example"})
    check("its paths", f"{dest}" in (dest / "usr/lib/systemd/system/farbus.service").read_text(),
          False)


def unit():
    """systemd finds nothing wrong with the unit, and not much that it could still take away."""
    if not shutil.which("systemd-analyze"):
        raise Missing("systemd-analyze is not on this machine")
    prefix = scratch("unit") / "usr"
    make("install", f"PREFIX={prefix}")
    path = prefix / "lib/systemd/system/farbus.service"
    # Its user is made when the package is installed; here someone who exists stands for it.
    path.write_text(path.read_text().replace("User=farbus", "User=daemon").replace(
        "Group=farbus", "Group=daemon"))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", path], capture_output=True,
                          text=True)
    about_ours = [line for line in done.stderr.splitlines() if "farbus" in line]
    check("verify", about_ours, [])
    done = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--no-pager", path],
                          capture_output=True, text=True)
    print(done.stdout)
    level = re.search(r"exposure level for farbus.service: ([\d.]+)", done.stdout)
    if not level:
        raise Failure(f"no exposure level: {done.stderr}")
    if float(level[1]) > 3.0:
        raise Failure(f"exposure level {level[1]}: expected 3.0 at most")


def journal():
    """Under systemd each line of the log has its priority in front (sd-daemon(3))."""
    lines = []
    for environment in ({}, {"JOURNAL_STREAM": "8:1"}):
        done = subprocess.run([BUILD / "farbus", "serve", "-c", "/no/such"], capture_output=True,
                              text=True, env={**os.environ, **environment})
        lines.append(done.stderr)
    check("lines", lines, [f"{level}farbus: error: /no/such: No such file or directory\n"
                           for level in ("", "<3>")])


def example():
    """The example of a configuration is a good one, line by line."""
    folder = scratch("example")
    text = (REPO / "host/package/serve.example").read_text()
    key = folder / "key"
    run(BUILD / "farbus", "keygen", key)
    text = re.sub(r"^# (interface|export)", r"\1", text, flags=re.M)
    text = text.replace("/etc/farbus/key", str(key))
    text = re.sub(r"^(interface \w+).*", r"\1", text, flags=re.M)
    config = folder / "serve"
    config.write_text(text)
    run(BUILD / "farbus", "serve", "-n", "-c", config)
    check("exports", len(re.findall(r"^export ", text, re.M)), 7)


def deb():
    """The package's content, its fields, and the program as it is unpacked from it."""
    if not shutil.which("dpkg-shlibdeps"):
        raise Missing("dpkg-dev is not installed (make deps)")
    package = make("deb").split()[-1]
    root = scratch("deb")
    run("dpkg-deb", "-x", package, root)
    missing(files(root), {f"usr/{path}" for path in COMMON} | {
        "etc/farbus/serve.example", "usr/share/man/man8/farbus.8.gz",
        "lib/systemd/system/farbus.service", "usr/lib/farbus/farbus.elf",
        "usr/lib/farbus/farbus.img", "usr/share/doc/farbus/copyright",
        "usr/share/doc/farbus/changelog.gz"})
    dissector = REPO / "host/farbus.lua"
    check("dissector", "usr/share/farbus/farbus.lua" in files(root), dissector.exists())
    works(root / "usr/sbin/farbus", run(BUILD / "farbus", "--help"))
    check("manual", gzip.open(root / "usr/share/man/man8/farbus.8.gz", "rt").read(),
          (REPO / "host/farbus.8").read_text())
    fields = dict(line.split(": ", 1) for line in run("dpkg-deb", "-f", package).splitlines()
                  if re.match(r"\w", line))
    check("name", fields["Package"], "farbus")
    if not re.search(r"libc6 \(>= 2\.\d+\)", fields["Depends"]):
        raise Failure(f"Depends: {fields['Depends']}")
    control = scratch("deb-control")
    run("dpkg-deb", "-e", package, control)
    check("conffiles", (control / "conffiles").read_text(), "/etc/farbus/serve.example\n")
    subprocess.run(["md5sum", "--quiet", "-c", control / "md5sums"], cwd=root, check=True)
    changelog = gzip.open(root / "usr/share/doc/farbus/changelog.gz", "rt").read()
    check("changelog", changelog.split()[1], f"({fields['Version']})")
    for script in ("postinst", "prerm", "postrm"):
        run("sh", "-n", control / script)
    installs(package)
    if shutil.which("lintian"):
        done = subprocess.run(["lintian", "--fail-on", "error,warning", package],
                              capture_output=True, text=True)
        check("lintian", done.stdout, "")


def installs(package):
    """dpkg takes it into a root of its own, and out again; its scripts have nothing to do there."""
    if os.geteuid():
        return
    root = scratch("deb-root")
    (root / "var/lib/dpkg").mkdir(parents=True)
    for name in ("status", "available"):
        (root / "var/lib/dpkg" / name).touch()
    dpkg = ("dpkg", f"--root={root}", "--force-not-root", "--log=/dev/null")
    run(*dpkg, "--unpack", package)
    check("state", "Status: install ok unpacked" in run(*dpkg, "--status", "farbus"), True)
    check("help", "farbus COMMAND" in run(root / "usr/sbin/farbus", "--help"), True)
    os.unlink(root / "var/lib/dpkg/info/farbus.prerm")
    os.unlink(root / "var/lib/dpkg/info/farbus.postrm")
    run(*dpkg, "--purge", "farbus")
    check("left over", sorted(path for path in files(root) if not path.startswith("var/lib/dpkg")),
          [])


CASES = {"install": install, "unit": unit, "journal": journal, "example": example, "deb": deb}
