# SPDX-License-Identifier: BSD-2-Clause
"""The other end of an emulated PC's COM port."""

import os
import select
import socket
import threading


class Wire:
    """A TCP port of 127.0.0.1 that the emulator connects to, and again when it is started again.

    What comes is kept, and written to the file `record`; what is written to the FIFO `source` is
    sent, as is what send() is given. An end that takes nothing makes it wait.
    """

    def __init__(self, record=None, source=None):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connection = None
        self.record = open(record, "wb", buffering=0) if record else None
        self.source = None
        if source:
            os.mkfifo(source)
            self.source = os.open(source, os.O_RDWR | os.O_NONBLOCK)  # so that it has no end
        self.lock = threading.Lock()
        self.received = b""
        self.to_send = b""
        self.wake_out, self.wake_in = socket.socketpair()
        self.running = True
        self.thread = threading.Thread(target=self._run, name="wire", daemon=True)
        self.thread.start()

    def send(self, data):
        with self.lock:
            self.to_send += data
        self.wake_in.send(b"\0")

    def unsent(self):
        with self.lock:
            return len(self.to_send)

    def taken(self):
        """All that came since this was last asked."""
        with self.lock:
            data, self.received = self.received, b""
        return data

    def close(self):
        self.running = False
        self.wake_in.send(b"\0")
        self.thread.join()
        for each in (self.listener, self.connection, self.wake_in, self.wake_out, self.record):
            if each:
                each.close()
        if self.source is not None:
            os.close(self.source)

    def _run(self):
        while self.running:
            reading = [self.listener, self.wake_out]
            if self.connection:
                reading.append(self.connection)
            if self.source is not None and not self.to_send:
                reading.append(self.source)
            writing = [self.connection] if self.connection and self.to_send else []
            ready, writable, _ = select.select(reading, writing, [])
            if self.wake_out in ready:
                self.wake_out.recv(4096)
            if self.source in ready:
                self._queue(os.read(self.source, 4096))
            if self.listener in ready:
                self._accept()
            elif self.connection in ready:
                self._receive()
            if self.connection and self.connection in writable:
                self._send()

    def _queue(self, data):
        with self.lock:
            self.to_send += data

    def _accept(self):
        if self.connection:
            self.connection.close()
        self.connection = self.listener.accept()[0]
        self.connection.setblocking(False)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _receive(self):
        try:
            data = self.connection.recv(65536)
        except OSError:
            data = b""
        if not data:  # the emulator has ended
            self.connection.close()
            self.connection = None
            return
        if self.record:
            self.record.write(data)
        with self.lock:
            self.received += data

    def _send(self):
        with self.lock:
            try:
                self.to_send = self.to_send[self.connection.send(self.to_send[:65536]):]
            except OSError:  # its end is noticed when it is read from
                pass
