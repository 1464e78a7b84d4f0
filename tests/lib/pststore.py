# SPDX-License-Identifier: GPL-3.0-or-later
"""Outlook stores, written by the book: [MS-PST] for the layers, [MS-OXPROPS] for the numbers
of properties, [MS-OXRTFCP] for compressed RTF. Unicode and ANSI; and Unicode in large pages
with packed blocks, as Outlook 2013 and later write .ost files, which nobody has described
but those who read them (libpff, libpst 0.6.73)."""
import struct
import zlib

SHORT, LONG, BOOL, OBJECT = 0x02, 0x03, 0x0B, 0x0D
STRING8, UNICODE, TIME, BINARY = 0x1E, 0x1F, 0x40, 0x102
MANY = 0x1000

STORE, NAMES, ROOT, TOP = 0x21, 0x61, 0x122, 0x8022
FOLDER, MESSAGE, ATTACHMENT, LTP = 0x02, 0x04, 0x05, 0x1F
ATTACHMENTS, RECIPIENTS = 0x671, 0x692
HEAP_ITEM = 3580  # 2.3.3.3: what is larger has a node of its own

TO, CC, BCC = 1, 2, 3
BY_VALUE, BY_REFERENCE, EMBEDDED, OLE = 1, 2, 5, 6


# 5.1: the substitution that Outlook calls compressible encryption, the way back.
DECIPHER = bytes.fromhex(
    "47f1b4e60b6a7248854e9eebe2f89453e0bba002e85a09abdbe3bac67cc310dd39059630f53760828cc9134a"
    "6b1df3fb8f2697ca911701c4322d6e3195ffd923d1005e79dc443b1a28c5615720903d83b943be67d2464276"
    "c06d5b7eb20f16293ca903540dda5ddff6b7c762cd8d06d3695c86d614f7a56675acb1e94521700c879f74a4"
    "224c6fbf1f56aa2eb3783350b0a392bccf191ca763cb1e4d3e4b1b9b4fe7f0eead3ab55904ea40552551e57a"
    "893868527bfc27aed7bdfa07f4cc8e5fef359c842b15d5773449b6120a7f7188fd9d18417d93d8582ccefe24"
    "afdeb836c8a180a69998a82f0e816573e4c2a28ad4e111d0088b2af2ed9a643fc16cf9ec")
ENCIPHER = bytes(DECIPHER.index(i) for i in range(256))


def crc(data):
    """5.3: CRC-32 that begins with 0 and is not inverted."""
    return zlib.crc32(data, 0xFFFFFFFF) ^ 0xFFFFFFFF


def signature(ib, bid):
    """5.5"""
    value = (ib ^ bid) & 0xFFFFFFFF
    return (value >> 16) ^ (value & 0xFFFF)


def filetime(seconds):
    return (seconds + 11644473600) * 10000000


def rtf(text, compressed=True):
    """PR_RTF_COMPRESSED: all literals, or not compressed at all."""
    raw = text if isinstance(text, bytes) else text.encode("ascii")
    if not compressed:
        return struct.pack("<II4sI", len(raw) + 12, len(raw), b"MELA", 0) + raw
    tokens = [bytes([b]) for b in raw]
    tokens.append(struct.pack(">H", ((207 + len(raw)) % 4096) << 4))
    out = b""
    for at in range(0, len(tokens), 8):
        run = tokens[at:at + 8]
        last = at + 8 >= len(tokens)
        out += bytes([1 << (len(run) - 1) if last else 0]) + b"".join(run)
    return struct.pack("<II4sI", len(out) + 12, len(raw), b"LZFu",
                       crc(out)) + out


class Recipient:
    def __init__(self, name, address, kind=TO, addrtype="SMTP", smtp=None):
        self.name, self.address, self.kind = name, address, kind
        self.addrtype, self.smtp = addrtype, smtp


class Attachment:
    def __init__(self, data=b"", name=None, mime=None, cid=None, method=BY_VALUE,
                 message=None, short=None, props=None):
        self.data, self.name, self.mime, self.cid = data, name, mime, cid
        self.method = EMBEDDED if message else method
        self.message, self.short, self.props = message, short, props or {}


class Message:
    """props: {number: (type, value)} over what the other arguments make."""

    def __init__(self, subject=None, body=None, html=None, headers=None, cls="IPM.Note",
                 flags=0, recipients=(), attachments=(), delivered=None, submitted=None,
                 sender=None, message_id=None, cpid=None, categories=None,
                 rtf_body=None, props=None):
        self.subject, self.body, self.html, self.headers = subject, body, html, headers
        self.cls, self.flags = cls, flags
        self.recipients, self.attachments = list(recipients), list(attachments)
        self.delivered, self.submitted, self.sender = delivered, submitted, sender
        self.message_id, self.cpid, self.categories = message_id, cpid, categories
        self.rtf_body, self.more = rtf_body, props or {}


class Folder:
    def __init__(self, nid, name, parent, cls, count=None):
        self.nid, self.name, self.parent, self.cls = nid, name, parent, cls
        self.items, self.count = [], count


class Heap:
    """2.3.1: items in blocks, a map of them at each block's end."""

    def __init__(self, client, room, large=False):
        self.client, self.room = client, room
        self.shift = 19 if large else 16  # of the block in an item's number
        self.blocks = [[]]
        self.used = [12]
        self.root = 0

    def add(self, data):
        need = len(data) + 2
        if self.used[-1] + need + 8 > self.room:
            self.blocks.append([])
            self.used.append(66 if len(self.blocks) % 128 == 9 else 2)
        self.blocks[-1].append(data)
        self.used[-1] += need
        return (len(self.blocks) - 1) << self.shift | len(self.blocks[-1]) << 5

    def data(self):
        out = []
        for i, items in enumerate(self.blocks):
            if i == 0:
                head = struct.pack("<xxBBI4x", 0xEC, self.client, self.root)
            else:
                head = bytes(66 if i % 128 == 8 else 2)
            places, body = [len(head)], head
            for item in items:
                body += item
                places.append(len(body))
            body += bytes(len(body) % 2)
            block = body + struct.pack("<HH", len(items), 0) + b"".join(
                struct.pack("<H", p) for p in places)
            out.append(struct.pack("<H", len(body)) + block[2:])
        return out


class Node:
    """What will be a heap with subnodes."""

    def __init__(self, store, client):
        self.store = store
        self.heap = Heap(client, min(store.block_room, 16384), store.large)
        self.subs = []  # (nid, data bid, sub bid)
        self.serial = 1

    def put(self, value):
        """A value's bytes: in the heap, or in a node of their own."""
        if not value:
            return 0
        if len(value) <= HEAP_ITEM:
            return self.heap.add(value)
        nid = self.serial << 5 | LTP
        self.serial += 1
        self.subs.append((nid, self.store.data(value), 0))
        return nid

    def index(self, records, key, size):
        """2.3.2: a BTH of one level."""
        root = self.heap.add(b"".join(records)) if records else 0
        return self.heap.add(struct.pack("<BBBBI", 0xB5, key, size, 0, root))

    def finish(self):
        blocks = self.heap.data()
        bid = self.store.blocks_of(blocks)
        return bid, self.store.subnodes(self.subs)


class Store:
    def __init__(self, ansi=False, code_page=None, charset="cp932", top="Personal Folders",
                 version=None, client=b"SM", key=b"0123456789abcdef", large=False,
                 enciphered=False):
        self.ansi, self.code_page, self.charset = ansi, code_page, charset
        self.version, self.client, self.key = version, client, key
        self.large, self.enciphered = large, enciphered
        self.word = "<I" if ansi else "<Q"
        self.trailer = 24 if large else 12 if ansi else 16
        self.block_room = (65536 if large else 8192) - self.trailer
        self.page_size = 4096 if large else 512
        self.page_room = 0xFD8 if large else 496 if ansi else 488
        self.file = bytearray(0x4600)
        self.next_bid = 4
        self.bbt, self.nbt = [], []
        self.folders = [Folder(TOP, top, ROOT, None)]
        self.next_folder, self.next_message = 0x8042, 0x200024
        self.named = ["Keywords"]

    # -- what goes in ----------------------------------------------------

    def folder(self, name, parent=None, cls="IPF.Note", count=None):
        f = Folder(self.next_folder, name, parent.nid if parent else TOP, cls, count)
        self.next_folder += 0x20
        self.folders.append(f)
        return f

    def add(self, folder, message):
        """Returns the message's locator."""
        nid = self.next_message
        self.next_message += 0x20
        folder.items.append((nid, message))
        return str(nid)

    def lost(self, message, parent=0x9002):
        """A message whose folder is not there."""
        nid = self.next_message
        self.next_message += 0x20
        self.node(nid, self.message_node(message), parent)

    # -- blocks ----------------------------------------------------------

    def put(self, data, internal=False):
        bid = self.next_bid | (2 if internal else 0)
        self.next_bid += 4
        ib = len(self.file)
        if self.enciphered and not internal:
            data = data.translate(ENCIPHER)
        whole = len(data)
        if self.large and len(zlib.compress(data)) < whole:
            data = zlib.compress(data)
        unit = 512 if self.large else 64
        size = -(-(len(data) + self.trailer) // unit) * unit
        body = data + bytes(size - self.trailer - len(data))
        sig = signature(ib, bid)
        if self.ansi:
            end = struct.pack("<HHII", len(data), sig, bid, crc(data))
        else:
            end = struct.pack("<HHIQ", len(data), sig, crc(data), bid)
        end += bytes(self.trailer - len(end))
        self.file += body + end
        self.bbt.append((bid, ib, len(data), whole))
        return bid

    def blocks_of(self, blocks):
        """2.2.2.8.3.2: one block, or a block of blocks, or of those."""
        bids = [self.put(b) for b in blocks]
        total, level = sum(map(len, blocks)), 1
        most = (self.block_room - 8) // (4 if self.ansi else 8)
        while len(bids) > 1:
            above = []
            for at in range(0, len(bids), most):
                run = bids[at:at + most]
                above.append(self.put(
                    struct.pack("<BBHI", 1, level, len(run), total) +
                    b"".join(struct.pack(self.word, b) for b in run), True))
            bids, level = above, level + 1
        return bids[0]

    def data(self, value):
        return self.blocks_of([value[i:i + self.block_room]
                               for i in range(0, len(value), self.block_room)] or [b""])

    def subnodes(self, subs):
        if not subs:
            return 0
        pad = b"" if self.ansi else bytes(4)
        size = 12 if self.ansi else 24
        most = (self.block_room - 8) // size
        subs = sorted(subs)
        leaves = []
        for at in range(0, len(subs), most):
            run = subs[at:at + most]
            leaves.append((run[0][0], self.put(
                struct.pack("<BBH", 2, 0, len(run)) + pad + b"".join(
                    struct.pack(self.word, n) for sub in run for n in sub), True)))
        if len(leaves) == 1:
            return leaves[0][1]
        return self.put(struct.pack("<BBH", 2, 1, len(leaves)) + pad + b"".join(
            struct.pack(self.word, n) for leaf in leaves for n in leaf), True)

    # -- properties ------------------------------------------------------

    def text_type(self):
        return STRING8 if self.ansi else UNICODE

    def encode(self, kind, value):
        if kind in (STRING8, UNICODE) and isinstance(value, str):
            return value.encode("utf-16-le" if kind == UNICODE else self.charset)
        if kind == TIME:
            return struct.pack("<Q", filetime(value))
        if kind & MANY:
            one = [self.encode(kind & ~MANY, v) for v in value]
            at = 4 + 4 * len(one)
            out = struct.pack("<I", len(one))
            for v in one:
                out += struct.pack("<I", at)
                at += len(v)
            return out + b"".join(one)
        return value

    def properties(self, props, node=None):
        """A property context: {number: (type, value)}."""
        node = node or Node(self, 0xBC)
        records = []
        for number in sorted(props):
            kind, value = props[number]
            if kind in (SHORT, LONG, BOOL):
                place = value & 0xFFFFFFFF
            elif kind == OBJECT:
                place = node.heap.add(struct.pack("<II", value, 0))
            else:
                place = node.put(self.encode(kind, value))
            records.append(struct.pack("<HHI", number, kind, place))
        node.heap.root = node.index(records, 2, 6)
        return node

    def table(self, columns, rows):
        """A table context: columns are (number, type), rows {number: value}."""
        node = Node(self, 0x7C)
        columns = sorted([(0x67F2, LONG), (0x67F3, LONG)] + columns)
        at, layout, bits = 8, [], 2
        for number, kind in columns:
            if number in (0x67F2, 0x67F3):
                layout.append((number, kind, 0 if number == 0x67F2 else 4,
                               0 if number == 0x67F2 else 1))
                continue
            layout.append((number, kind, at, bits))
            at, bits = at + 4, bits + 1
        bitmap = (bits + 7) // 8
        size = at + bitmap
        matrix, index = [], []
        for i, row in enumerate(rows):
            line, have = bytearray(size), 0
            row = dict(row)
            row.setdefault(0x67F2, i + 1)
            row.setdefault(0x67F3, i)
            for number, kind, place, bit in layout:
                if number not in row:
                    continue
                value = row[number]
                if kind not in (LONG, BOOL):
                    value = node.put(self.encode(kind, value))
                struct.pack_into("<I", line, place, value)
                line[at + bit // 8] |= 0x80 >> bit % 8
            matrix.append(bytes(line))
            index.append(struct.pack("<IH" if self.ansi else "<II", row[0x67F2], i))
        hrows = 0
        if len(matrix) * size <= HEAP_ITEM:
            hrows = node.put(b"".join(matrix))
        else:
            each = self.block_room // size
            full = [b"".join(matrix[i:i + each]) for i in range(0, len(matrix), each)]
            full = [b + bytes(self.block_room - len(b)) for b in full[:-1]] + full[-1:]
            hrows = node.serial << 5 | LTP
            node.serial += 1
            node.subs.append((hrows, self.blocks_of(full), 0))
        hindex = node.index(index, 4, 2 if self.ansi else 4)
        info = struct.pack("<BBHHHHIII", 0x7C, len(layout), at, at, at, size, hindex, hrows, 0)
        for number, kind, place, bit in layout:
            info += struct.pack("<HHHBB", kind, number, place, 4, bit)
        node.heap.root = node.heap.add(info)
        return node

    # -- messages --------------------------------------------------------

    def message_props(self, m):
        text = self.text_type()
        props = {0x001A: (text, m.cls), 0x0E07: (LONG, m.flags), 0x0E08: (LONG, 1000)}

        def put(number, kind, value):
            if value is not None:
                props[number] = (kind, value)
        put(0x0037, text, m.subject)
        put(0x1000, text, m.body)
        put(0x1013, BINARY, m.html)
        put(0x007D, text, m.headers)
        put(0x0E06, TIME, m.delivered)
        put(0x0039, TIME, m.submitted)
        put(0x1035, text, m.message_id)
        put(0x3FDE, LONG, m.cpid)
        put(0x3FFD, LONG, self.code_page)
        put(0x1009, BINARY, m.rtf_body)
        if m.sender:
            name, address = m.sender
            put(0x0C1A, text, name)
            put(0x0C1F, text, address)
            put(0x0C1E, text, "SMTP" if "@" in address else "EX")
        if m.categories:
            put(0x8000, text | MANY, m.categories)
        props.update(m.more)
        return props

    def recipients(self, m):
        text = self.text_type()
        columns = [(0x0C15, LONG), (0x3001, text), (0x3002, text), (0x3003, text),
                   (0x39FE, text)]
        rows = []
        for r in m.recipients:
            row = {0x0C15: r.kind, 0x3001: r.name, 0x3002: r.addrtype, 0x3003: r.address}
            if r.smtp:
                row[0x39FE] = r.smtp
            rows.append({k: v for k, v in row.items() if v is not None})
        return self.table(columns, rows)

    def attachment(self, a):
        text = self.text_type()
        node = Node(self, 0xBC)
        props = {0x3705: (LONG, a.method)}
        if a.message:
            nid = 0x200024
            bid, sub = self.message_node(a.message).finish()
            node.subs.append((nid, bid, sub))
            props[0x3701] = (OBJECT, nid)
        elif a.data is not None and a.method != BY_REFERENCE:
            props[0x3701] = (BINARY, a.data)
        for number, value in ((0x3707, a.name), (0x3704, a.short), (0x370E, a.mime),
                              (0x3712, a.cid)):
            if value is not None:
                props[number] = (text, value)
        props.update(a.props)
        return self.properties(props, node)

    def message_node(self, m):
        node = Node(self, 0xBC)
        if m.recipients:
            node.subs.append((RECIPIENTS, *self.recipients(m).finish()))
        rows = []
        for i, a in enumerate(m.attachments):
            nid = (i + 0x400) << 5 | ATTACHMENT
            node.subs.append((nid, *self.attachment(a).finish()))
            rows.append({0x67F2: nid, 0x3705: a.method})
        if rows:
            node.subs.append((ATTACHMENTS, *self.table([(0x3705, LONG)], rows).finish()))
        return self.properties(self.message_props(m), node)

    # -- nodes, index, file ----------------------------------------------

    def node(self, nid, node, parent=0):
        self.nbt.append((nid, *node.finish(), parent))

    def entry_id(self, nid):
        return bytes(4) + self.key + struct.pack("<I", nid)

    def names(self):
        """2.4.7: the properties that have names, from 0x8000 on."""
        entries, strings = b"", b""
        for i, name in enumerate(self.named):
            raw = name.encode("utf-16-le")
            entries += struct.pack("<IHH", len(strings), 2 << 1 | 1, i)
            strings += struct.pack("<I", len(raw)) + raw + bytes(-len(raw) % 4)
        return self.properties({0x0001: (LONG, 251), 0x0002: (BINARY, bytes(16)),
                                0x0003: (BINARY, entries), 0x0004: (BINARY, strings)})

    def page(self, kind, entries, level, width):
        """2.2.2.7.7.1; returns (first key, bid, place)."""
        bid = self.next_bid | 2
        self.next_bid += 4
        self.file += bytes(-len(self.file) % self.page_size)
        ib = len(self.file)
        room = self.page_room
        body = b"".join(entries)
        body += bytes(room - len(body))
        if self.large:
            body += struct.pack("<HHBBHQ", len(entries), room // width, width, level, 0, 0)
        else:
            body += struct.pack("<BBBB", len(entries), room // width, width, level)
            body += b"" if self.ansi else bytes(4)
        sig = signature(ib, bid)
        if self.ansi:
            self.file += body + struct.pack("<BBHII", kind, kind, sig, bid, crc(body))
        else:
            self.file += body + struct.pack("<BBHIQ", kind, kind, sig, crc(body), bid)
            self.file += bytes(-len(self.file) % self.page_size)
        return bid, ib

    def tree(self, kind, leaves, width):
        """leaves: (key, entry) in order. Returns (bid, place) of the root."""
        level = 0
        while True:
            most = self.page_room // width
            above = []
            for at in range(0, max(len(leaves), 1), most):
                run = leaves[at:at + most]
                bid, ib = self.page(kind, [entry for _, entry in run], level, width)
                key = run[0][0] if run else 0
                above.append((key, struct.pack(self.word, key) + struct.pack(self.word, bid) +
                              struct.pack(self.word, ib), bid, ib))
            if len(above) == 1:
                return above[0][2], above[0][3]
            leaves = [(key, entry) for key, entry, _, _ in above]
            width = 12 if self.ansi else 24
            level += 1

    def all_nodes(self):
        text = self.text_type()
        by_name = {f.name: f.nid for f in self.folders}
        props = {0x0FF9: (BINARY, self.key), 0x3001: (text, self.folders[0].name),
                 0x35E0: (BINARY, self.entry_id(TOP)), 0x35DF: (LONG, 0xFF)}
        for number, names in ((0x35E3, ("Deleted Items", "削除済みアイテム")),
                              (0x35E4, ("Sent Items", "送信済みアイテム"))):
            for name in names:
                if name in by_name:
                    props[number] = (BINARY, self.entry_id(by_name[name]))
        self.node(STORE, self.properties(props))
        self.node(NAMES, self.names())
        self.node(ROOT, self.properties({0x3001: (text, ""), 0x3602: (LONG, 0),
                                         0x3603: (LONG, 0), 0x360A: (BOOL, 1)}), ROOT)
        for f in self.folders:
            count = len(f.items) if f.count is None else f.count
            props = {0x3001: (text, f.name), 0x3602: (LONG, count), 0x3603: (LONG, 0),
                     0x360A: (BOOL, any(g.parent == f.nid for g in self.folders))}
            if f.cls:
                props[0x3613] = (text, f.cls)
            self.node(f.nid, self.properties(props), f.parent)
            for nid, m in f.items:
                self.node(nid, self.message_node(m), f.nid)

    def bytes(self):
        self.all_nodes()
        w = self.word
        nbt = [(nid, struct.pack(w, nid) + struct.pack(w, data) + struct.pack(w, sub) +
                struct.pack("<I", parent) + (b"" if self.ansi else bytes(4)))
               for nid, data, sub, parent in sorted(self.nbt)]
        bbt = [(bid, struct.pack(w, bid) + struct.pack(w, ib) +
                struct.pack("<HH", n, whole if self.large else 2) +
                (b"" if self.ansi else bytes(4)))
               for bid, ib, n, whole in sorted(self.bbt)]
        nbt_bid, nbt_ib = self.tree(0x81, nbt, 16 if self.ansi else 32)
        bbt_bid, bbt_ib = self.tree(0x80, bbt, 12 if self.ansi else 24)
        head = self.header(nbt_bid, nbt_ib, bbt_bid, bbt_ib)
        self.file[:len(head)] = head
        return bytes(self.file)

    def header(self, nbt_bid, nbt_ib, bbt_bid, bbt_ib):
        """2.2.2.6"""
        size = len(self.file)
        head = bytearray(512 if self.ansi else 564)
        version = self.version or (14 if self.ansi else 36 if self.large else 23)
        struct.pack_into("<4sI2sHHBB", head, 0, b"!BDN", 0, self.client, version, 19, 1, 1)
        if self.ansi:
            struct.pack_into("<I", head, 0xA8, size)
            struct.pack_into("<IIII", head, 0xB8, nbt_bid, nbt_ib, bbt_bid, bbt_ib)
            head[0x1CC], head[0x1CD] = 0x80, int(self.enciphered)
        else:
            struct.pack_into("<Q", head, 0xB8, size)
            struct.pack_into("<QQQQ", head, 0xD8, nbt_bid, nbt_ib, bbt_bid, bbt_ib)
            head[0x200], head[0x201] = 0x80, int(self.enciphered)
        return head

    def write(self, path):
        with open(path, "wb") as f:
            f.write(self.bytes())
        return path
