# SPDX-License-Identifier: GPL-3.0-or-later
"""A TCP proxy on loopback that counts, listens in, cuts off, and makes a line worse
than loopback is.

    with Proxy(server.port) as proxy:
        proxy.cut_after_up = 100_000    # drop everything after so many bytes
        ...
        proxy.connections, proxy.up     # how many came, what they said

Offsets count what was passed on, over all connections one after the other. With
follow (or hide, or drop_appends) the proxy understands the IMAP that passes:

    Proxy(port, hide=("UIDPLUS", "LITERAL+"), drop_appends=[3])
"""
import queue
import select
import socket
import struct
import threading
import time

from conversation import Conversation

CHUNK = 256 << 10
HELD_MAX = 64 << 20     # in a stall that ends
END, CUT = object(), object()


class Bucket:
    """Lets through rate bytes a second, burst of them at once."""

    def __init__(self, rate, burst=8192):
        self.rate, self.burst = rate, burst
        self._free = 0.0
        self._lock = threading.Lock()

    def wait_for(self, n):
        with self._lock:
            now = time.monotonic()
            self._free = max(self._free, now - self.burst / self.rate)
            self._free += n / self.rate
            pause = self._free - now
        if pause > 0:
            time.sleep(pause)

    def portions(self, data):
        step = max(512, min(self.burst, len(data)))
        for at in range(0, len(data), step):
            yield data[at:at + step]


class Pair:
    """The two ends of one connection."""

    def __init__(self, client, server, conversation):
        self.client, self.server = client, server
        self.conversation = conversation
        self.ended = 0      # directions that came to their end


class Proxy:
    def __init__(self, port, cut_after_up=None, cut_after_down=None,
                 listen_in=True, hide=(), drop_appends=(), follow=False,
                 stall_after_up=None, stall_after_down=None, stall_for=None,
                 stall_once=False, delay=0, rate_up=None, rate_down=None,
                 fragment=False):
        """cut_after_*: an offset, or a list of them for one cut each.
        stall_after_*: from there on bytes are taken and not passed on, for
        stall_for seconds or for ever; on this connection only with stall_once,
        otherwise on every later one as well.
        delay: seconds that each byte is under way, in either direction.
        rate_*: bytes a second. fragment: every byte for itself.
        hide: capabilities that the client is not told of.
        drop_appends: the answers to the APPENDs with these numbers, the first
        being 1, cut the connection instead of arriving."""
        self.target = port
        self._cuts = {True: [], False: []}
        self.cut_after_up = self._first_cut(cut_after_up, True)
        self.cut_after_down = self._first_cut(cut_after_down, False)
        self.stall_after = {True: stall_after_up, False: stall_after_down}
        self.stall_for, self.stall_once = stall_for, stall_once
        self.delay, self.fragment = delay, fragment
        self.buckets = {True: Bucket(rate_up) if rate_up else None,
                        False: Bucket(rate_down) if rate_down else None}
        self.hide = hide
        self.drop_appends = set(drop_appends)
        self.follow = bool(follow or hide or drop_appends)
        self.listen_in = listen_in
        self.connections = 0
        self.cuts = self.stalls = 0
        self.appends = 0        # commands, however many messages they bring
        self.answers = []       # the tagged answers to APPEND that came by
        self.dropped = []       # and those that did not
        self.opaque = False     # COMPRESS or TLS: no more is understood
        self.strange = 0
        self.up = bytearray()
        self.bytes_up = self.bytes_down = 0
        self._watches = []
        self._lock = threading.Lock()
        self._open = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        if rate_up:
            # A slow line has no megabytes of buffers; accepted sockets inherit this.
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def _first_cut(self, at, up):
        if at is None or isinstance(at, int):
            return at
        self._cuts[up] = sorted(at)
        return self._cuts[up].pop(0) if self._cuts[up] else None

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc):
        try:
            self._listener.shutdown(socket.SHUT_RDWR)   # wakes accept()
        except OSError:
            pass
        self._listener.close()
        self.drop()

    def drop(self):
        """Cut every open connection, as a pulled plug would."""
        with self._lock:
            pairs = list(self._open)
        for pair in pairs:
            self._close(pair)

    @property
    def open(self):
        """How many connections there are."""
        return len(self._open)

    def watch_up(self, n):
        """An Event that is set when so many bytes have gone up."""
        event = threading.Event()
        with self._lock:
            self._watches.append((n, event))
        return event

    # -- connections -------------------------------------------------------

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
                _reset(client)
                continue
            for s in (client, server):
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pair = Pair(client, server, Conversation(
                self.hide, self._append_began, self._append_answered)
                if self.follow else None)
            with self._lock:
                self._open.add(pair)
            for up in (True, False):
                threading.Thread(target=self._carry, args=(pair, up),
                                 daemon=True).start()

    def _append_began(self):
        with self._lock:
            self.appends += 1
            return self.appends

    def _append_answered(self, number, line):
        with self._lock:
            drop = number in self.drop_appends
            (self.dropped if drop else self.answers).append(line)
            self.drop_appends.discard(number)
        return drop

    def _close(self, pair):
        with self._lock:
            self._open.discard(pair)
        _reset(pair.client)
        _reset(pair.server)

    def _end(self, pair, sink):
        """One direction is at its end; after both the connection is closed."""
        sink.shutdown(socket.SHUT_WR)
        with self._lock:
            pair.ended += 1
            if pair.ended < 2:
                return
            self._open.discard(pair)
        pair.client.close()
        pair.server.close()

    # -- one direction -----------------------------------------------------

    def _carry(self, pair, up):
        source, sink = ((pair.client, pair.server) if up else
                        (pair.server, pair.client))
        give = self._giver(pair, sink, up)
        try:
            while True:
                data = source.recv(CHUNK)
                if not data:
                    if pair.conversation and not up:
                        rest = pair.conversation.down_ends()
                        self._pass(self._take(rest, up)[0], up, give)
                    give(END)
                    return
                data, dropped = self._understand(pair, data, up)
                data, cut = self._take(data, up)
                kept = self._stalls(up, len(data))
                if kept is not None:
                    passes = len(data) - kept
                    self._pass(data[:passes], up, give)
                    self._pass(self._stall(pair, data[passes:], up), up, give)
                    continue
                self._pass(data, up, give)
                if cut or dropped:
                    self.cuts += cut
                    give(CUT)
                    return
        except (OSError, ValueError):   # ValueError: select on a closed socket
            if self.delay:
                give(CUT)   # what is under way still arrives
            else:
                self._close(pair)

    def _giver(self, pair, sink, up):
        """What to call with bytes, END or CUT."""
        def give(what):
            if what is END:
                self._end(pair, sink)
            elif what is CUT:
                self._close(pair)
            elif self.fragment:
                _send_singly(sink, what)
            else:
                sink.sendall(what)

        if not self.delay:
            return give
        # Bounded, but far above what is under way at once.
        under_way = queue.Queue(4096)
        threading.Thread(target=self._arrive, args=(pair, under_way, give),
                         daemon=True).start()
        return lambda what: under_way.put((time.monotonic() + self.delay, what))

    def _arrive(self, pair, under_way, give):
        broken = False
        while True:
            due, what = under_way.get()
            if broken and what is not END and what is not CUT:
                continue    # nobody is there any more; the other side goes on
            time.sleep(max(0, due - time.monotonic()))
            try:
                give(what)
            except OSError:
                self._close(pair)
                broken = True
            if what is END or what is CUT:
                return

    def _understand(self, pair, data, up):
        conversation = pair.conversation
        if conversation is None:
            return data, False
        dropped = False
        if up:
            conversation.up(data)
        else:
            data, dropped = conversation.down(data)
        self.opaque = self.opaque or conversation.opaque
        self.strange = max(self.strange, conversation.strange)
        return data, dropped

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
                later = self._cuts[up].pop(0) if self._cuts[up] else None
                if up:
                    self.cut_after_up = later
                else:
                    self.cut_after_down = later
            if up:
                self.bytes_up += len(data)
                if self.listen_in:
                    self.up += data
                for watch in [w for w in self._watches if w[0] <= self.bytes_up]:
                    self._watches.remove(watch)
                    watch[1].set()
            else:
                self.bytes_down += len(data)
        return data, cut

    def _pass(self, data, up, give):
        bucket = self.buckets[up]
        if bucket is None:
            if data:
                give(data)
            return
        for part in bucket.portions(data):
            bucket.wait_for(len(part))
            give(part)

    # -- standing still ----------------------------------------------------

    def _stalls(self, up, n):
        """How many of the n bytes that were just counted do not pass; None: the
        line does not stall."""
        with self._lock:
            at = self.stall_after[up]
            done = self.bytes_up if up else self.bytes_down
            if at is None or done < at:
                return None
            self.stalls += 1
            if self.stall_once or self.stall_for is not None:
                self.stall_after[up] = None
            return min(n, done - at)

    def _stall(self, pair, held, up):
        """Take bytes until the stall is over, and return them."""
        source = pair.client if up else pair.server
        if self.stall_for is None:
            while source.recv(CHUNK):
                pass
            raise OSError("the one side has given up")
        held = bytearray(held)
        until = time.monotonic() + self.stall_for
        while (left := until - time.monotonic()) > 0:
            if len(held) < HELD_MAX and select.select([source], [], [], left)[0]:
                more = source.recv(CHUNK)
                if more:
                    held += self._understand(pair, more, up)[0]
                    continue
            # Full, or at its end: recv() says so again afterwards.
            time.sleep(max(0, until - time.monotonic()))
        return bytes(held)


def _reset(s):
    """Close with a reset, not with a polite end."""
    try:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    s.close()


def _send_singly(sink, data):
    for i in range(len(data)):
        sink.sendall(data[i:i + 1])
        if not i % 8:
            time.sleep(0)   # the other side is to see them come singly
