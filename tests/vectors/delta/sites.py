# SPDX-License-Identifier: Apache-2.0
"""Sites of docs/DELTA.md: images and their addresses, words, instructions."""

M = 0xFFFFFFFF


def sign(value, n):
    value &= (1 << n) - 1
    return value - (1 << n) if value >> (n - 1) else value


def signed(value):
    return sign(value, 32)


def fits(d, n):
    return -(1 << (n - 1)) <= signed(d) < 1 << (n - 1)


def bit(value, n):
    return value >> n & 1


def le(data, at, n):
    return int.from_bytes(data[at:at + n], "little")


# --- images ---


class Region:
    def __init__(self, offset=0, address=0, length=0, kind=0):
        self.offset, self.address = offset, address
        self.length, self.kind = length, kind

    def end(self):
        return self.offset + self.length & M


class Image:
    def __init__(self, data, isa, pic):
        self.data, self.isa, self.pic = data, isa, pic
        self.regions, self.rams = [], []
        self.pages = None  # in place: what of it is still there

    def at(self, offset):
        for r in self.regions:
            if offset - r.offset & M < r.length:
                return r
        return None

    def address(self, offset):
        r = self.at(offset)
        if r is None:
            return 0xF0000000 + offset & M
        return r.address + offset - r.offset & M

    def offset(self, address):
        for r in self.regions:
            if address - r.address & M <= r.length:
                return r.offset + (address - r.address & M) & M
        return None

    def kind(self, offset):
        r = self.at(offset)
        return r.kind if r is not None else 0 if self.regions else 1

    def executable(self, offset):
        return self.kind(offset) == 1

    def ram(self, value):
        return any(low <= value < high for low, high in self.rams)

    def read(self, at, n):
        if self.pages is not None:
            return bytes(self.pages.byte(self.data, at + i)
                         for i in range(n))
        data = bytes(self.data[at:at + n])
        return data + bytes(n - len(data))

    def half(self, at):
        return le(self.read(at, 2), 0, 2)

    def word(self, at):
        return le(self.read(at, 4), 0, 4)

    def role(self, offset):
        """(role, base)"""
        r = self.at(offset)
        if r is None:
            return None
        at = offset - r.offset
        if r.kind == 2:
            return "TABLE", r.address
        if (r.kind, at % 16) == (3, 0) or (r.kind, at % 24) == (4, 0):
            return "TABLE", r.address + r.length & M
        if (r.kind, at % 8) == (5, 4):
            return self.symbols(3, 16)
        if (r.kind, at % 24) == (6, 12):
            return self.symbols(4, 24)
        return None

    def symbols(self, kind, size):
        for r in self.regions:
            if r.kind == kind:
                return size, r.address
        return None


class Pages:
    """In place: which were begun, what the slots hold."""

    def __init__(self, bits, slots):
        self.bits, self.begun = bits, set()
        self.held, self.order = [None] * slots, list(range(slots))
        self.pieces = []  # of the stash: page, first grain, grains

    def byte(self, data, at):
        page = at >> self.bits
        if not 0 <= at < len(data) or page in self.begun \
                and page not in self.held and not self.stashed(page, at):
            return 0
        return data[at]

    def stashed(self, page, at):
        grain = at >> (self.bits - 6) & 63
        return any(p == page and start <= grain < start + n
                   for p, start, n in self.pieces)


CLASSES = {None: 7, "POINTER": 0, "RAM": 1, "RELATIVE": 2, "TABLE": 2,
           "SYMBOL": 2, "CALL": 3, "BRANCH": 6, "LOAD": 4, "L32R": 4,
           "HALF": 5, "HIGH": 5, "LOW": 5, "JUMP": 7, "LOCAL": 7}
GROUPS = {"POINTER": 3, "RAM": 3, "RELATIVE": 3, "TABLE": 3, "SYMBOL": 3,
          "LOAD": 4, "LOCAL": 4, "JUMP": 4, "HIGH": 5, "LOW": 5}


class Site:
    def __init__(self, length, kind=None, target=0, size=0):
        self.length, self.kind, self.target = length, kind, target & M
        self.size = size

    def cls(self):
        return CLASSES[self.kind]

    def group(self):
        if self.kind is None:
            return 1 if self.length > 2 else 2 if self.length == 1 else 0
        return GROUPS.get(self.kind, 6)


class High:
    def __init__(self):
        self.reg = self.at = self.value = self.now = 0
        self.relative = False


class Sweep:
    def __init__(self):
        self.high, self.next = [High() for _ in range(8)], 0
        self.piece, self.left, self.field = 0, 0, 255

    def of(self, reg):
        for h in self.high:
            if h.reg == reg:
                return h
        return None

    def take(self, reg):
        h = self.of(reg)
        if h is None:
            self.next = (self.next + 1) % 8
            h = self.high[self.next]
        h.reg = reg
        return h


def find(image, at, sweep):
    isa, address = image.isa, image.address(at)
    code = isa.find is not None and image.executable(at)
    whole = address % 4 == 0 and len(image.data) - at >= 4
    if whole and not (code and isa.dense):
        s = find_word(image, at, address)
        if s is not None:
            return s
    if code:
        return isa.find(image, at, address, sweep)
    return Site(4 if whole else 1)


# --- words ---


def find_word(image, at, a):
    w, role = image.word(at), image.role(at)
    if role is not None:
        if role[0] == "TABLE":
            s = Site(4, "TABLE", role[1] + w)
        else:
            number = w >> 8 if role[0] == 16 else w
            s = Site(4, "SYMBOL", role[1] + number * role[0], size=role[0])
        return s if image.offset(s.target) is not None else None
    p = w & ~image.isa.thumb
    pointer = p != 0 and image.offset(p) is not None \
        and not (p < 0x100 and image.regions[0].address == 0)
    if image.pic and image.regions and \
            (not pointer or image.executable(at)):
        t = distance(image, w, a)
        if t is not None:
            return Site(4, "RELATIVE", t)
    if not image.pic and not pointer and plain_distance(image, at, w, a):
        return Site(4, "RELATIVE", w + a)
    if pointer:
        return Site(4, "POINTER", w)
    return Site(4, "RAM", w) if image.ram(w) else None


def distance(image, w, a):
    d = signed(w)
    if (d < -64 or d > 256) and abs(d) < len(image.data) + 0x20000 \
            and image.offset(d + a & M & ~1) is not None:
        return d + a & M
    d = sign(w, 31)
    if w >> 31 == 0 and d < -64 and abs(d) < len(image.data) \
            and image.offset(d + a & M & ~1) is not None:
        return d + a & M
    return None


def plain_distance(image, at, w, a):
    if image.isa.thumb or image.executable(at):
        return False
    d, t = signed(w), image.offset(w + a & M)
    if -(1 << 26) < d < -64:
        return t is not None
    return 0x10000 < d < 0x8000000 and t is not None and image.executable(t)


def write(s, kind, t, sweep, isa):
    """The unit's bytes, referring to t; None: that cannot be."""
    word = le(s.old, 0, 4)
    if kind in ("POINTER", "RAM"):
        return t.to_bytes(4, "little")
    if kind in ("RELATIVE", "TABLE"):
        d = t - s.now & M
        if word + s.was & M != (s.target):
            d = word & 0x80000000 | d & 0x7FFFFFFF
        return d.to_bytes(4, "little")
    if kind == "SYMBOL":
        d = t - s.now & M
        if d % s.size:
            return None
        if s.size == 16:
            return s.old[:1] + (d // 16 & 0xFFFFFF).to_bytes(3, "little")
        return (d // 24).to_bytes(4, "little")
    return isa.write(s, kind, t, sweep)


def tail(s, value):
    """A unit's new value, with the rest of the four old bytes."""
    return (value & (1 << 8 * s.length) - 1).to_bytes(s.length, "little")
