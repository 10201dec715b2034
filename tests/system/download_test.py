# SPDX-License-Identifier: BSD-2-Clause
"""DLX's disk from the Bochs project's site, here a server of our own: taken, checked, or one line."""

import contextlib
import gzip
import http.server
import io
import os
import re
import tarfile
import tempfile
import threading
from pathlib import Path
from unittest import mock

from pc import Failure

import guests
from paths import Missing, guest_file

PATH = "/guestos/dlxlinux4.tar.gz"
INSIDE = "dlxlinux/hd10meg.img"


def archive(data, name=INSIDE):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as tar:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        tar.addfile(member, io.BytesIO(data))
    return packed.getvalue()


@contextlib.contextmanager
def site(body, length=None):
    """A web server with that one file (None: without any); length: what it promises of it."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if body is None or self.path != PATH:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(length or len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}{PATH}"
        finally:
            server.shutdown()


def fetched(url):
    """dlx_image() on a machine that has no DLX disk yet."""
    with tempfile.TemporaryDirectory() as empty, tempfile.TemporaryDirectory() as cache, \
            mock.patch.dict(os.environ, GUESTS=empty), \
            mock.patch.multiple(guests, CACHE=Path(cache), DLX_URL=url):
        return guests.dlx_image().read_bytes()


def refused(url, line):
    try:
        fetched(url)
    except Missing as reason:
        if "\n" in str(reason) or not re.search(line, str(reason)):
            raise Failure(f"expected one line /{line}/, got {reason}") from reason
        return
    raise Failure(f"taken, but expected /{line}/")


def dlx():
    disk = gzip.decompress(guest_file(guests.DLX_FILE).read_bytes())
    good = archive(disk)
    with site(good) as url:
        if fetched(url) != disk:
            raise Failure("the disk is not the one in the archive")
    with site(good[:500_000]) as url:
        refused(url, "cannot be had: ")
    with site(good[:500_000], len(good)) as url:
        refused(url, "cannot be had: .*IncompleteRead")
    with site(b"<html>moved</html>") as url:
        refused(url, "cannot be had: ")
    with site(archive(disk, "dlxlinux/other.img")) as url:
        refused(url, f"cannot be had: .*{INSIDE}")
    with site(archive(disk[:-1])) as url:
        refused(url, "the image has git blob id [0-9a-f]{40}, expected one of 0857b96")
    with site(None) as url:
        refused(url, "cannot be had: .*404")
    refused(url, "cannot be had: .*refused")  # the server has gone


CASES = {"download/dlx": dlx}
