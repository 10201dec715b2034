# SPDX-License-Identifier: BSD-2-Clause
"""Links in README.md and docs/ lead to a file, and to a heading that there is; so do the names of
pages in the source's comments."""

import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
LINK = re.compile(r"\]\(([^)\s#]*)(?:#([^)\s]+))?\)")
PAGE = re.compile(r"\bdocs/[a-z-]+\.md\b")


def anchor(heading):
    """What a heading is called in a link: GitHub's rule."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(page):
    return {anchor(line.lstrip("#")) for line in page.read_text().splitlines()
            if re.match(r"#+ ", line)}


def links(page):
    """For each link what is wrong with it, or nothing."""
    for file, heading in LINK.findall(page.read_text()):
        if "://" in file:
            continue
        target = page.parent / file if file else page
        if not target.exists():
            yield f"{page.relative_to(TOP)}: no file {file}"
        elif heading and heading not in anchors(target):
            yield f"{page.relative_to(TOP)}: {target.name} has no heading #{heading}"
        else:
            yield ""


def names(source):
    """The same for the pages that a source names."""
    for name in PAGE.findall(source.read_text()):
        yield "" if (TOP / name).exists() else f"{source.relative_to(TOP)}: no file {name}"


def main():
    pages = [TOP / "README.md", *sorted((TOP / "docs").glob("*.md"))]
    sources = [path for folder in ("boot", "cpu", "devices", "host", "images", "lib", "net-ne2000",
                                   "tests") for ending in ("c", "h", "py", "asm")
               for path in sorted((TOP / folder).rglob(f"*.{ending}"))]
    said = [line for page in pages for line in links(page)]
    said += [line for source in sources for line in names(source)]
    wrong = [line for line in said if line]
    print(*wrong, f"{len(said) - len(wrong)} passed, {len(wrong)} failed", sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
