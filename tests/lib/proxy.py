# SPDX-License-Identifier: GPL-3.0-or-later
"""A TCP proxy on loopback that counts, listens in and cuts off.

    with Proxy(server.port) as proxy:
        proxy.cut_after_up = 100_000    # drop everything after so many bytes
        ...
        proxy.connections, proxy.up     # how many came, what they said
"""
import socket
import struct
import threading


class Proxy:
    def __init__(self, port, cut_after_up=None, cut_after_down=None,
                 listen_in=True):
        self.target = port
        self.cut_after_up = cut_after_up
        self.cut_after_down = cut_after_down
        self.listen_in = listen_in
        self.connections = 0
        self.cuts = 0
        self.up = bytearray()
        self.bytes_up = self.bytes_down = 0
        self._lock = threading.Lock()
        self._open = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc):
        self._listener.close()
        self.drop()

    def drop(self):
        """Cut every open connection, as a pulled plug would."""
        with self._lock:
            pairs = list(self._open)
        for pair in pairs:
            self._close(pair)

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
            try:
                server = socket.create_connection(("127.0.0.1", self.target), 10)
                server.settimeout(None)
            except OSError:
                client.close()
                continue
            for s in (client, server):
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pair = (client, server)
            with self._lock:
                self._open.add(pair)
            for up in (True, False):
                threading.Thread(target=self._carry, args=(pair, up),
                                 daemon=True).start()

    def _carry(self, pair, up):
        source, sink = pair if up else pair[::-1]
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    return
                data, cut = self._take(data, up)
                sink.sendall(data)
                if cut:
                    self.cuts += 1
                    self._close(pair)
                    return
        except OSError:
            self._close(pair)

    def _take(self, data, up):
        """What of data still passes, and whether the line is cut after it."""
        with self._lock:
            if up:
                limit, done = self.cut_after_up, self.bytes_up
            else:
                limit, done = self.cut_after_down, self.bytes_down
            cut = limit is not None and done + len(data) >= limit
            if cut:
                data = data[:max(0, limit - done)]
                # Once: the next connection passes.
                if up:
                    self.cut_after_up = None
                else:
                    self.cut_after_down = None
            if up:
                self.bytes_up += len(data)
                if self.listen_in:
                    self.up += data
            else:
                self.bytes_down += len(data)
        return data, cut

    def _close(self, pair):
        with self._lock:
            self._open.discard(pair)
        for s in pair:
            try:
                # A reset, not a polite end.
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()
