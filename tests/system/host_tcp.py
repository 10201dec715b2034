# SPDX-License-Identifier: BSD-2-Clause
"""A UART on `farbus serve` whose cable leads to a TCP socket, with RFC 2217 or just with bytes.

`host_tcp.py NAME` runs one case in a network namespace of its own (host_test.in_namespace).
"""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

from host_lines import (CTS, DATA, DCD, DSR, FCR, LCR, MCR, MSR, SLOW, Adapter, check_received, receive,
                        send, serve, settings, speed, until)
from host_test import check, in_namespace, leased, out, read_all, run_case, segment, station
from pc import Failure
from protocol import operation
from telnet import (BAUD, COM_PORT, CONTROL, DO, DONT, LINE_MASK, LINESTATE, MODEM_MASK, MODEMSTATE,
                    PARITY, RESUME, SIGNATURE, SIZE, STOP, SUSPEND, WILL, WONT, Telnet, number)

from paths import Missing

PORT = 4001  # the namespace has no other programs


class Listener:
    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", PORT))
        self.socket.settimeout(SLOW)

    def accept(self):
        return Telnet(self.socket.accept()[0])


def greet(server):
    """As a terminal server with a port does; then the client tells how it wants the port."""
    server.option(WILL, COM_PORT)
    server.say(DO, COM_PORT)
    for verb in (WILL, DO):
        server.option(verb, 0)
        server.say(DO if verb == WILL else WILL, 0)
    server.say(WILL, 31)  # what nobody asked for
    server.option(DONT, 31)
    server.say(DO, 24)
    server.option(WONT, 24)


def rfc2217_client():
    """A terminal server's port follows the guest; it goes away and comes back."""
    every = bytes(range(256)) * 2
    listener = Listener()
    with serve("rfc2217-client", f"tcp 127.0.0.1:{PORT}") as daemon:
        server = listener.accept()
        greet(server)
        server.await_command(CONTROL, b"\1")
        server.await_command(BAUD, number(9600))
        server.await_command(LINE_MASK, b"\x10")
        server.await_command(MODEM_MASK, b"\xff")
        client = leased(station(), "com2")
        client.request(*settings(6, 0x1E))
        server.await_command(BAUD, number(19200))
        server.command(100 + BAUD, number(19200))
        server.await_command(SIZE, b"\7")
        server.await_command(PARITY, b"\3")
        server.await_command(STOP, b"\2")
        server.await_command(CONTROL, b"\x08")  # DTR
        server.await_command(CONTROL, b"\x0b")  # RTS
        client.request(*settings(1, 0x03))
        server.await_command(STOP, b"\1")
        send(client, every)
        check("out", server.read(len(every)), every)
        client.request(out(FCR, 1))
        server.socket.sendall(every.replace(b"\xff", b"\xff\xff"))
        check_received("in", client, every)

        server.command(100 + MODEMSTATE, bytes([DSR | 2]))
        until("modem lines", lambda: client.inp(MSR) & 0xF0 == DSR)
        server.command(100 + LINESTATE, b"\x10")
        check("break", receive(client, 1), [(0, 0x10)])
        client.request(out(LCR, 0x43), operation(6, 0, count=1000), out(LCR, 0x03))
        server.await_command(CONTROL, b"\5")
        server.await_command(CONTROL, b"\6")
        # Bytes stay on their side of a change of settings.
        client.request(out(DATA, 0x41), operation(6, 0, count=2000), *settings(2, 3),
                       out(DATA, 0x42))
        server.await_command(BAUD, number(57600))
        check("bytes", server.read(2), b"AB")
        server.command(100 + SUSPEND, b"")
        server.command(100 + MODEMSTATE, bytes([CTS]))
        until("modem lines", lambda: client.inp(MSR) & 0xF0 == CTS)
        send(client, b"late")
        server.command(100 + RESUME, b"")
        check("after the pause", server.read(4), b"late")

        server.socket.close()
        until("no modem lines", lambda: client.inp(MSR) & 0xF0 == 0)
        daemon.log_line("com2: 127.0.0.1:4001: .*: tried again every second", SLOW)
        server = listener.accept()
        daemon.log_line("com2: 127.0.0.1:4001 is there again", SLOW)
        greet(server)
        server.await_command(BAUD, number(57600))
        send(client, b"again")
        check("out", server.read(5), b"again")
        client.release()
        server.await_command(CONTROL, b"\x09")
        server.await_command(CONTROL, b"\x0c")
        client.close()


def plain_telnet():
    """A peer that knows nothing of com ports, and no binary mode: a CR is followed by a NUL."""
    listener = Listener()
    with serve("plain-telnet", f"tcp 127.0.0.1:{PORT}"):
        server = listener.accept()
        server.option(WILL, COM_PORT)
        server.say(DONT, COM_PORT)
        server.say(DONT, 0)
        server.say(WONT, 0)
        client = leased(station(), "com2")
        client.request(*settings(1, 3))
        until("modem lines", lambda: client.inp(MSR) & 0xF0 == CTS | DSR | DCD)
        send(client, b"a\r\nb\rc")
        check("out", server.read(7), b"a\r\nb\r\0c")
        client.request(out(FCR, 1))
        server.socket.sendall(b"x\r\0y\r\nz")
        check_received("in", client, b"x\ry\r\nz")
        client.close()


def rfc2217_server():
    """We are the terminal server: a null modem cable to the guest, for one program at a time."""
    with serve("rfc2217-server", f"listen {PORT}") as daemon:
        client = leased(station(), "com2")
        client.request(*settings(1, 3), out(FCR, 1))
        check("nobody there", client.inp(MSR) & 0xF0, 0)
        send(client, b"kept ")
        program = Telnet(socket.create_connection(("127.0.0.1", PORT)))
        daemon.log_line("com2: 4001: connected", SLOW)
        program.option(DO, COM_PORT)
        program.say(WILL, COM_PORT)
        program.option(WILL, 1)
        program.command(SIGNATURE, b"")
        check("signature", program.await_command(100), b"Farbus")
        for number_, value in ((BAUD, number(2400)), (SIZE, b"\7"), (PARITY, b"\2"),
                               (STOP, b"\2"), (CONTROL, b"\1")):
            program.command(number_, value)
            check("answer", program.await_command(100 + number_), value)
        program.command(BAUD, number(0))
        check("asked", program.await_command(100 + BAUD), number(2400))
        program.command(LINE_MASK, b"\x10")
        program.await_command(100 + LINE_MASK, b"\x10")
        program.command(MODEM_MASK, b"\xff")
        check("modem lines", program.await_command(100 + MODEMSTATE), bytes([CTS | DSR | DCD]))
        client.request(out(MCR, 0x01))
        check("RTS off", program.await_command(100 + MODEMSTATE), bytes([DSR | DCD | CTS >> 4]))
        program.command(CONTROL, b"\x09")
        check("DTR", program.await_command(100 + CONTROL), b"\x09")
        until("DTR off", lambda: client.inp(MSR) & 0xF0 == CTS)
        program.command(CONTROL, b"\x07")
        check("DTR?", program.await_command(100 + CONTROL), b"\x09")
        check("kept", program.read(5), b"kept ")
        program.command(CONTROL, b"\5")
        check("break", receive(client, 1), [(0, 0x10)])
        client.request(out(LCR, 0x43))
        program.await_command(100 + LINESTATE, b"\x10")
        program.socket.sendall(b"to the guest")
        check_received("in", client, b"to the guest")
        program.socket.close()
        daemon.log_line("com2: 4001: closed by the other side", SLOW)
        until("nobody there", lambda: client.inp(MSR) & 0xF0 == 0)
        program = Telnet(socket.create_connection(("127.0.0.1", PORT)))
        until("somebody there", lambda: client.inp(MSR) & 0xF0 == CTS | DSR | DCD)
        # Any bytes whatever: the next program is served all the same.
        program.socket.sendall(random.Random(5).randbytes(3000))
        program.socket.close()
        daemon.log_line("com2: 4001: (closed|Connection reset) by", SLOW, count=2)
        daemon.exports[0] = daemon.exports[0].replace("irq 3", "irq 4")  # what waits is dropped
        daemon.write_config()
        daemon.process.send_signal(signal.SIGHUP)
        daemon.log_line("reload: done", SLOW)
        client = leased(client, "com2")
        client.request(*settings(1, 3), out(FCR, 1))
        program = Telnet(socket.create_connection(("127.0.0.1", PORT)))
        program.option(DO, COM_PORT)
        program.socket.sendall(b"still there")
        check_received("in", client, b"still there")
        client.close()


def raw_tcp():
    """Just the bytes, both ways round."""
    every = bytes(range(256))
    listener = Listener()
    with serve("raw-tcp", f"tcp 127.0.0.1:{PORT} raw") as daemon:
        server = listener.accept()
        client = leased(station(), "com2")
        client.request(*settings(1, 3), out(FCR, 1))
        send(client, every)
        check("out", _read(server.socket, 256), every)
        server.socket.sendall(every)
        check_received("in", client, every)
        server.socket.close()
        listener.socket.close()
        daemon.exports = [f"export uart 0x2f8 irq 3 listen 127.0.0.1:{PORT} raw name com2"]
        daemon.write_config()
        daemon.process.send_signal(signal.SIGHUP)
        daemon.log_line("reload: done", SLOW)
        leased(client, "com2")
        client.request(*settings(1, 3), out(FCR, 1))
        program = socket.create_connection(("127.0.0.1", PORT))
        program.settimeout(SLOW)
        program.sendall(every)
        check_received("in", client, every)
        send(client, every)
        check("out", _read(program, 256), every)
        client.close()


def _read(connection, count):
    data = b""
    while len(data) < count:
        got = connection.recv(count - len(data))
        if not got:
            raise Failure(f"closed after {data!r}")
        data += got
    return data


def serial_module():
    try:
        import serial
        import serial.rfc2217
    except ImportError:
        raise Missing("python3-serial is not installed (make deps)") from None
    return serial


def pyserial_client():
    """Python's serial module connects to us."""
    serial = serial_module()
    with serve("pyserial-client", f"listen {PORT}"):
        client = leased(station(), "com2")
        client.request(*settings(1, 3), out(FCR, 1))
        with serial.serial_for_url(f"rfc2217://127.0.0.1:{PORT}", timeout=SLOW) as port:
            port.baudrate = 19200
            port.dtr = False
            until("DTR off", lambda: client.inp(MSR) & 0xF0 == CTS)
            port.dtr = True
            client.request(out(MCR, 0x09))
            until("RTS of the guest", lambda: not port.cts)
            check("DTR of the guest", port.dsr, True)
            port.write(b"from pyserial \xff")
            check_received("in", client, b"from pyserial \xff")
            send(client, b"to pyserial \xff")
            check("out", port.read(13), b"to pyserial \xff")
        client.close()


class Redirector(threading.Thread):
    """A port of Python's serial module, lent out by its RFC 2217 server."""

    def __init__(self, serial, port):
        super().__init__(daemon=True)
        self.port, self.listener = port, Listener()
        self.serial = serial
        self.start()

    def run(self):
        connection = self.listener.socket.accept()[0]
        connection.settimeout(0.01)
        manager = self.serial.rfc2217.PortManager(self.port,
                                                  SimpleNamespace(write=connection.sendall))
        while True:
            manager.check_modem_lines()
            try:
                data = connection.recv(1024)
            except TimeoutError:
                data = None
            if data == b"":
                return
            self.port.write(b"".join(manager.filter(data or b"")))
            if self.port.in_waiting:
                connection.sendall(b"".join(manager.escape(
                    self.port.read(self.port.in_waiting))))


def pyserial_server():
    """We connect to Python's serial module, whose port has its outputs tied to its inputs."""
    serial = serial_module()
    port = serial.serial_for_url("loop://")
    Redirector(serial, port)
    with serve("pyserial-server", f"tcp 127.0.0.1:{PORT}"):
        client = leased(station(), "com2")
        client.request(*settings(3, 0x1E), out(FCR, 1))
        until("format", lambda: (port.baudrate, port.bytesize, port.parity, port.stopbits)
              == (38400, 7, "E", 2))
        client.request(*settings(1, 3, 0x09))
        until("speed", lambda: port.baudrate == 115200)
        until("DTR without RTS", lambda: client.inp(MSR) & 0xF0 == DSR | DCD)
        client.request(out(MCR, 0x0B))
        until("RTS", lambda: client.inp(MSR) & 0xF0 == CTS | DSR | DCD)
        send(client, b"there and back \xff")
        check_received("in", client, b"there and back \xff")
        client.close()


def ser2net():
    """Debian's terminal server with a pseudo-terminal as its port."""
    if not Path("/usr/sbin/ser2net").exists():
        raise Missing("ser2net is not installed")
    daemon = serve("ser2net", f"tcp 127.0.0.1:{PORT}")
    master, slave = os.openpty()
    # It looks up even numbers only where there is more than a loopback address.
    subprocess.run(["ip", "address", "add", "192.0.2.1/32", "dev", "lo"], check=True)
    config = daemon.folder / "ser2net.yaml"
    config.write_text("connection: &a\n"
                      f"  accepter: telnet(rfc2217),tcp,127.0.0.1,{PORT}\n"
                      f"  connector: serialdev,{os.ttyname(slave)},9600n81,local\n")
    process = subprocess.Popen(["/usr/sbin/ser2net", "-n", "-c", config, "-P",
                                daemon.folder / "pid", "-u"])
    try:
        with daemon:
            client = leased(station(), "com2")
            client.request(*settings(6, 3), out(FCR, 1))
            until("speed", lambda: speed(master) == 19200)
            send(client, b"through ser2net \xff")
            check("out", read_all(master, 17, SLOW), b"through ser2net \xff")
            os.write(master, b"and back \xff")
            check_received("in", client, b"and back \xff")
            client.close()
    finally:
        process.kill()
        process.wait(10)


def come_and_go():
    """Every kind of line begins, goes and ends, with a peer and without; SIGTERM ends all."""
    daemon = serve("come-and-go", "pty {folder}/com2")
    adapter = Adapter(daemon.folder / "ttyUSB0")
    listener = Listener()
    first = [
        daemon.exports[0].replace("0x2f8", "0x2e8"),
        f"export uart 0x3e8 irq 4 tty {adapter.path} name com3",
        f"export uart 0x2f8 irq 5 tcp 127.0.0.1:{PORT} name com4",
        f"export uart 0x3f8 irq 9 listen {PORT + 1} name com1",
        f"export uart 0x3e0 irq 10 tcp 127.0.0.1:{PORT + 2} raw name com5",
        f"export lpt 0x378 irq 7 file {daemon.printed} name lpt1",
        f"export ata 0x170,0x376 irq 15 disk {daemon.disk} cdrom empty name ide1"]
    daemon.exports = first
    daemon.write_config()
    with daemon:
        adapter.used()
        server = listener.accept()
        greet(server)
        program = Telnet(socket.create_connection(("127.0.0.1", PORT + 1)))
        program.option(DO, COM_PORT)
        client = leased(station(), "com4")
        client.request(*settings(1, 3))
        server.await_command(BAUD, number(115200))
        daemon.exports = [first[0].replace("irq 3", "irq 6")]
        daemon.write_config()
        daemon.process.send_signal(signal.SIGHUP)
        daemon.log_line("reload: done", SLOW)
        try:
            while True:
                server.more()
        except (Failure, ConnectionError):
            pass  # closed, as it should be
        daemon.exports = first
        daemon.write_config()
        daemon.process.send_signal(signal.SIGHUP)
        daemon.log_line("reload: done", SLOW, count=2)
        greet(listener.accept())
        check("exit status", daemon.end(), 0)
        check("the link is gone", daemon.pty.is_symlink(), False)


_CASES = {f.__name__.replace("_", "-"): f
          for f in (rfc2217_client, plain_telnet, rfc2217_server, raw_tcp, pyserial_client,
                    pyserial_server, ser2net, come_and_go)}
CASES = {name: lambda name=name: in_namespace(name, __file__) for name in _CASES}

if __name__ == "__main__":
    segment()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    run_case(_CASES[sys.argv[1]])
