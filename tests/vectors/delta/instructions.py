# SPDX-License-Identifier: Apache-2.0
"""Sites of docs/DELTA.md: the instruction sets."""

from sites import M, Site, bit, fits, le, sign, signed, tail


# --- plain ---


class Plain:
    literal, shift, order, thumb, dense = 1, 0, 0, 0, False
    find = after = None

    @staticmethod
    def opcode(b):
        return b[0]


# --- Thumb ---


class Thumb(Plain):
    literal, shift, order, thumb = 2, 1, 1, 1

    @staticmethod
    def opcode(b):
        return b[0] if len(b) == 1 else b[1]

    @staticmethod
    def stub(word):
        if word >> 8 == 0xE28FC6:
            return 0
        if word >> 8 == 0xE28CCA:
            return 1
        return 2 if word >> 12 == 0xE5BCF else None

    @classmethod
    def find_stub(cls, v, at, a):
        part = cls.stub(v.word(at))
        if part is None or at < 4 * part:
            return None
        words = [v.word(at - 4 * part + 4 * i) for i in range(3)]
        if [cls.stub(w) for w in words] != [0, 1, 2]:
            return None
        t = a - 4 * part + 8 + ((words[0] & 0xFF) << 20) \
            + ((words[1] & 0xFF) << 12) + (words[2] & 0xFFF)
        return Site(4, "HIGH" if part < 2 else "LOW", t)

    @classmethod
    def find(cls, v, at, a, sweep):
        if a & 1:
            return Site(1)
        if v.pic and a % 4 == 0:
            s = cls.find_stub(v, at, a)
            if s is not None:
                return s
        h0 = v.half(at)
        if h0 >> 11 >= 0x1D:
            return cls.find_long(v, at, a, h0, v.half(at + 2))
        base = a + 4 & ~3
        if h0 >> 12 == 13 and (h0 >> 8 & 15) < 14:
            return Site(2, "LOCAL", a + 4 + sign(h0, 8) * 2)
        if h0 >> 11 == 0x1C:
            return Site(2, "JUMP", a + 4 + sign(h0, 11) * 2)
        if h0 & 0xF500 == 0xB100:
            return Site(2, "LOCAL", a + 4 + (bit(h0, 9) << 5 | h0 >> 3 & 31)
                        * 2)
        if h0 >> 11 in (9, 0x14):
            return Site(2, "LOAD", base + (h0 & 0xFF) * 4)
        return Site(2)

    @staticmethod
    def is_blx(h1):
        return h1 & 0xD001 == 0xC000

    @classmethod
    def call_base(cls, a, h1):
        return a + 4 & ~3 if cls.is_blx(h1) else a + 4

    @classmethod
    def find_long(cls, v, at, a, h0, h1):
        if h0 & 0xF800 == 0xF000 and h1 & 0x8000 and \
                (h1 & 0xD000 in (0xD000, 0x9000) or cls.is_blx(h1)):
            s = bit(h0, 10)
            d = s << 24 | (1 ^ bit(h1, 13) ^ s) << 23 \
                | (1 ^ bit(h1, 11) ^ s) << 22 | (h0 & 0x3FF) << 12 \
                | (h1 & 0x7FF) << 1
            return Site(4, "CALL", cls.call_base(a, h1) + sign(d, 25))
        if h0 & 0xF800 == 0xF000 and h1 & 0xD000 == 0x8000 \
                and (h0 >> 6 & 15) < 14:
            d = bit(h0, 10) << 20 | bit(h1, 11) << 19 | bit(h1, 13) << 18 \
                | (h0 & 0x3F) << 12 | (h1 & 0x7FF) << 1
            return Site(4, "BRANCH", a + 4 + sign(d, 21))
        if h0 & 0xFF7F == 0xF85F:
            d = h1 & 0xFFF
            return Site(4, "LOAD", (a + 4 & ~3) + (d if h0 & 0x80 else -d))
        if h0 & 0xFBF0 in (0xF240, 0xF2C0) and not h1 & 0x8000:
            t = cls.pair(v, at, h0, h1)
            if t is not None:
                return Site(4, "HALF", t)
        return Site(4)

    @staticmethod
    def half_of(h0, h1):
        return (h0 & 15) << 12 | bit(h0, 10) << 11 | (h1 >> 12 & 7) << 8 \
            | h1 & 0xFF

    @classmethod
    def pair(cls, v, at, h0, h1):
        low = h0 & 0xFBF0 == 0xF240
        for k in range(4, 17, 2):
            if not low and k > at:
                return None
            other = at + k if low else at - k
            o0 = v.half(other)
            if o0 & 0xFBF0 != (0xF2C0 if low else 0xF240):
                continue
            o1 = v.half(other + 2)
            if (o1 ^ h1) & 0x8F00:
                continue
            mine, its = cls.half_of(h0, h1), cls.half_of(o0, o1)
            return its << 16 | mine if low else mine << 16 | its
        return None

    @classmethod
    def write(cls, s, kind, t, sweep):
        h0, h1 = le(s.old, 0, 2), le(s.old, 2, 2)
        if kind in ("HIGH", "LOW"):
            return cls.write_stub(s, t)
        if kind == "HALF":
            low = h0 & 0xFBF0 == 0xF240
            x = t & 0xFFFF if low else t >> 16
            h0 = h0 & 0xFBF0 | x >> 12 | bit(x, 11) << 10
            h1 = h1 & 0x8F00 | (x >> 8 & 7) << 12 | x & 0xFF
            return tail(s, h0 | h1 << 16)
        if kind == "LOAD":
            return cls.write_load(s, t, h0, h1)
        d = t - (cls.call_base(s.now, h1) if kind == "CALL"
                 else s.now + 4) & M
        if d & 1:
            return None
        if kind == "CALL":
            if not fits(d, 25):
                return None
            x = bit(d, 24)
            h0 = 0xF000 | x << 10 | d >> 12 & 0x3FF
            h1 = h1 & 0xD000 | (1 ^ x ^ bit(d, 23)) << 13 \
                | (1 ^ x ^ bit(d, 22)) << 11 | d >> 1 & 0x7FF
            return tail(s, h0 | h1 << 16)
        if kind == "BRANCH":
            if not fits(d, 21):
                return None
            h0 = h0 & 0xFBC0 | bit(d, 20) << 10 | d >> 12 & 0x3F
            h1 = h1 & 0xD000 | bit(d, 18) << 13 | bit(d, 19) << 11 \
                | d >> 1 & 0x7FF
            return tail(s, h0 | h1 << 16)
        if kind == "JUMP":
            return tail(s, h0 & 0xF800 | d >> 1 & 0x7FF) if fits(d, 12) \
                else None
        if h0 >> 12 == 13:
            return tail(s, h0 & 0xFF00 | d >> 1 & 0xFF) if fits(d, 9) \
                else None
        if d > 126:
            return None
        return tail(s, h0 & 0xFD07 | bit(d, 6) << 9 | (d >> 1 & 31) << 3)

    @staticmethod
    def write_load(s, t, h0, h1):
        d = signed(t - (s.now + 4 & ~3))
        if s.length == 2:
            if not 0 <= d <= 1020 or d % 4:
                return None
            return tail(s, h0 & 0xFF00 | d >> 2)
        if abs(d) > 4095:
            return None
        h0 = h0 & ~0x80 | (0x80 if d >= 0 else 0)
        return tail(s, h0 | (h1 & 0xF000 | abs(d)) << 16)

    @classmethod
    def write_stub(cls, s, t):
        w = le(s.old, 0, 4)
        part = cls.stub(w)
        d = t - (s.now - 4 * part + 8) & M
        if d >> 28:
            return None
        if part == 2:
            return tail(s, w & ~0xFFF | d & 0xFFF)
        return tail(s, w & ~0xFF | d >> (12 if part else 20) & 0xFF)


# --- RISC-V ---


class RiscV(Plain):
    """(bits of the distance from, bits of the word from, how many)"""
    literal, shift = 2, 1
    JAL = ((1, 21, 10), (11, 20, 1), (12, 12, 8), (20, 31, 1)), 21, 0xFFF
    BRANCH = ((1, 8, 4), (5, 25, 6), (11, 7, 1), (12, 31, 1)), 13, 0x01FFF07F
    C_JUMP = ((1, 3, 3), (4, 11, 1), (5, 2, 1), (6, 7, 1), (7, 6, 1),
              (8, 9, 2), (10, 8, 1), (11, 12, 1)), 12, 0xE003
    C_BRANCH = ((1, 3, 2), (3, 10, 2), (5, 2, 1), (6, 5, 2), (8, 12, 1)), 9, \
        0xE383

    @staticmethod
    def opcode(b):
        if len(b) == 4:
            return ((b[0] & 0x7C) >> 2 | (b[1] & 0x70) << 1) & 0xFF
        return b[0] if len(b) == 1 else b[1]

    @staticmethod
    def gather(w, form):
        d = 0
        for value, word, n in form[0]:
            d |= (w >> word & (1 << n) - 1) << value
        return sign(d, form[1])

    @staticmethod
    def scatter(s, d, form):
        if d & 1 or not fits(d, form[1]):
            return None
        w = le(s.old, 0, s.length) & form[2]
        for value, word, n in form[0]:
            w |= (d >> value & (1 << n) - 1) << word
        return tail(s, w)

    @staticmethod
    def low(w):
        op = w & 0x7F
        if op in (0x03, 0x07, 0x67) or op == 0x13 and w >> 12 & 7 == 0:
            return sign(w >> 20, 12)
        if op in (0x23, 0x27):
            return sign((w >> 25) << 5 | w >> 7 & 31, 12)
        return None

    @classmethod
    def find(cls, v, at, a, sweep):
        if a & 1:
            return Site(1)
        h = v.half(at)
        if h & 3 == 3:
            return cls.find_long(v, at, a, sweep)
        if h & 3 == 1 and h >> 13 in (1, 5):
            return Site(2, "JUMP", a + cls.gather(h, cls.C_JUMP))
        if h & 3 == 1 and h >> 13 >= 6:
            return Site(2, "LOCAL", a + cls.gather(h, cls.C_BRANCH))
        return Site(2)

    @classmethod
    def find_long(cls, v, at, a, sweep):
        w = v.word(at)
        op = w & 0x7F
        if op == 0x6F:
            return Site(4, "CALL", a + cls.gather(w, cls.JAL))
        if op == 0x63:
            return Site(4, "LOCAL", a + cls.gather(w, cls.BRANCH))
        if op in (0x17, 0x37):
            return cls.find_high(v, at, a, w, sweep)
        rs1, low = w >> 15 & 31, cls.low(w)
        if rs1 and low is not None:
            h = sweep.of(rs1)
            if h is not None and at - h.at <= 24:
                t = h.value + low & M
                if h.relative or cls.refers(v, t):
                    return Site(4, "LOW", t)
        return Site(4)

    @staticmethod
    def refers(v, t):
        return v.ram(t) or v.offset(t & ~1) is not None

    @classmethod
    def find_high(cls, v, at, a, w, sweep):
        rd = w >> 7 & 31
        if rd == 0:
            return Site(4)
        h = sweep.take(rd)
        h.at, h.relative, h.now = at, w & 0x7F == 0x17, 0
        h.value = (w & 0xFFFFF000) + (a if h.relative else 0) & M
        low = cls.low_behind(v, at + 4, rd)
        if low is not None:
            t = h.value + low & M
            if h.relative or cls.refers(v, t):
                return Site(4, "HIGH", t)
        return Site(4)

    @classmethod
    def low_behind(cls, v, at, rd):
        for _ in range(6):
            if at > len(v.data) - 4:
                return None
            w = v.word(at)
            if w & 3 != 3:
                at += 2
                continue
            if w >> 15 & 31 == rd and cls.low(w) is not None:
                return cls.low(w)
            if w & 0x7F in (0x17, 0x37) and w >> 7 & 31 == rd:
                return None
            at += 4
        return None

    @classmethod
    def write(cls, s, kind, t, sweep):
        w, d = le(s.old, 0, 4), t - s.now & M
        if kind == "HIGH":
            base = s.now if w & 0x7F == 0x17 else 0
            return tail(s, w & 0xFFF | (t - base + 0x800) & 0xFFFFF000)
        if kind == "LOW":
            h = sweep.of(w >> 15 & 31)
            low = t - (h.now if h is not None else 0) & 0xFFF
            if w & 0x7F in (0x23, 0x27):
                return tail(s, w & 0x01FFF07F | (low >> 5) << 25
                            | (low & 31) << 7)
            return tail(s, w & 0xFFFFF | low << 20)
        if kind == "CALL":
            return cls.scatter(s, d, cls.JAL)
        if kind == "JUMP":
            return cls.scatter(s, d, cls.C_JUMP)
        return cls.scatter(s, d, cls.C_BRANCH if s.length == 2
                           else cls.BRANCH)

    @staticmethod
    def after(sweep, at, s, data):
        w = le(data, 0, 4)
        if s.old[0] & 0x7F not in (0x17, 0x37) or \
                w & 0x7F not in (0x17, 0x37):
            return
        for h in sweep.high:
            if h.reg and h.at == at:
                h.now = (w & 0xFFFFF000) + (s.now if w & 0x7F == 0x17
                                            else 0) & M


# --- Xtensa ---


class Xtensa(Plain):
    literal, shift = 1, 2

    @staticmethod
    def branch_bits(w):
        if w & 15 == 7:
            return 8
        n, m, r = w >> 4 & 3, w >> 6 & 3, w >> 12 & 15
        if n == 1:
            return 12
        if n == 2 or n == 3 and m >= 2:
            return 8
        if n == 3 and m == 1:
            return 8 if r <= 1 else 9 if 8 <= r <= 10 else 0
        return 0

    @classmethod
    def find(cls, v, at, a, sweep):
        w = v.half(at)
        op = w & 15
        if 8 <= op <= 13:
            if op == 12 and w & 0x80:
                return Site(2, "LOCAL", a + 4 + ((w >> 4 & 3) << 4 | w >> 12))
            return Site(2)
        w = le(v.read(at, 3), 0, 3)
        if op == 1:
            return Site(3, "L32R", (a + 3 & ~3)
                        + ((0xFFFF0000 | w >> 8) << 2))
        if op == 5:
            return Site(3, "CALL", (a & ~3) + sign(w >> 6, 18) * 4 + 4)
        if op == 6 and w >> 4 & 3 == 0:
            return Site(3, "JUMP", a + 4 + sign(w >> 6, 18))
        bits = cls.branch_bits(w) if op in (6, 7) else 0
        if bits:
            d = {12: sign(w >> 12, 12), 8: sign(w >> 16, 8), 9: w >> 16}
            return Site(3, "LOCAL", a + 4 + d[bits])
        return Site(3)

    @classmethod
    def write(cls, s, kind, t, sweep):
        w, a = le(s.old, 0, 3), s.now
        if kind == "L32R":
            d = t - (a + 3 & ~3) & M
            if d & 3 or d >> 18 != 0x3FFF:
                return None
            return tail(s, w & 0xFF | (d >> 2 & 0xFFFF) << 8)
        if kind == "CALL":
            d = t - 4 - (a & ~3) & M
            if d & 3 or not fits(d, 20):
                return None
            return tail(s, w & 0x3F | (d >> 2 & 0x3FFFF) << 6)
        d = t - a - 4 & M
        if kind == "JUMP":
            return tail(s, w & 0x3F | (d & 0x3FFFF) << 6) if fits(d, 18) \
                else None
        if s.length == 2:
            return tail(s, w & 0x0FCF | (d >> 4 & 3) << 4 | (d & 15) << 12) \
                if d <= 63 else None
        bits = cls.branch_bits(w)
        if d > 255 if bits == 9 else not fits(d, bits):
            return None
        if bits == 12:
            return tail(s, w & 0xFFF | (d & 0xFFF) << 12)
        return tail(s, w & 0xFFFF | (d & 0xFF) << 16)


# --- AArch64 ---


class AArch64(Plain):
    literal, shift, order, dense = 4, 2, 3, True

    @staticmethod
    def opcode(b):
        return b[3] if len(b) == 4 else b[0]

    @staticmethod
    def kind(w):
        for mask, value, name in (
                (0x7C000000, 0x14000000, "CALL"),
                (0xFF000010, 0x54000000, "NEAR"),
                (0x7E000000, 0x34000000, "NEAR"),
                (0x7E000000, 0x36000000, "TEST"),
                (0x3B000000, 0x18000000, "LDR"),
                (0x9F000000, 0x10000000, "ADR"),
                (0x9F000000, 0x90000000, "ADRP")):
            if w & mask == value:
                return name
        return None

    @staticmethod
    def scale(w):
        """Of ADD 0; None: there is no low part."""
        if w & 0xFFC00000 == 0x91000000:
            return 0
        if w & 0x3B000000 != 0x39000000:
            return None
        scale = w >> 30
        return 4 if scale == 0 and w & 0x04800000 == 0x04800000 else scale

    @classmethod
    def low(cls, w):
        scale = cls.scale(w)
        if scale is None:
            return None
        low = (w >> 10 & 0xFFF) << scale
        return low if low <= 0xFFF else None

    @staticmethod
    def adr(w):
        return sign((w >> 5 & 0x7FFFF) << 2 | w >> 29 & 3, 21)

    @classmethod
    def find(cls, v, at, a, sweep):
        if a & 3:
            return Site(1)
        w = v.word(at)
        kind = cls.kind(w)
        if kind == "CALL":
            if w >> 31:
                for h in sweep.high:
                    if h.reg <= 19:
                        h.reg = 0
            return Site(4, "CALL", a + sign(w, 26) * 4)
        if kind in ("NEAR", "TEST", "LDR"):
            d = sign(w >> 5, 14 if kind == "TEST" else 19) * 4
            return Site(4, "LOAD" if kind == "LDR" else "LOCAL", a + d)
        if kind == "ADR":
            return Site(4, "LOAD", a + cls.adr(w))
        if kind == "ADRP":
            return cls.find_high(v, at, a, w, sweep)
        return cls.find_low(at, w, sweep)

    @classmethod
    def find_high(cls, v, at, a, w, sweep):
        rd = w & 31
        h = sweep.take(rd + 1)
        h.at, h.value = at, (a & ~0xFFF) + (cls.adr(w) << 12) & M
        for k in range(at + 4, at + 52, 4):
            if k > len(v.data) - 4:
                break
            x = v.word(k)
            if cls.low(x) is not None and x >> 5 & 31 == rd:
                return Site(4, "HIGH", h.value + cls.low(x))
            if cls.kind(x) == "ADRP" and x & 31 == rd:
                break
        return Site(4)

    @classmethod
    def find_low(cls, at, w, sweep):
        low, s = cls.low(w), Site(4)
        if low is None:
            return s
        h = sweep.of((w >> 5 & 31) + 1)
        if h is not None and at - h.at <= 256:
            s = Site(4, "LOW", h.value + low)
        if w & 0xFFC00000 == 0x91000000 or w & 0x04C00000 == 0x00400000:
            h = sweep.of((w & 31) + 1)
            if h is not None:
                h.reg = 0
        return s

    @classmethod
    def write(cls, s, kind, t, sweep):
        w, d = le(s.old, 0, 4), t - s.now & M
        if kind == "LOW":
            scale, low = cls.scale(w), t & 0xFFF
            if low & (1 << scale) - 1:
                return None
            return tail(s, w & ~0x003FFC00 | (low >> scale) << 10)
        name = cls.kind(w)
        if name in ("ADR", "ADRP"):
            if name == "ADRP":
                d = signed((t & ~0xFFF) - (s.now & ~0xFFF)) >> 12 & M
            if not fits(d, 21):
                return None
            return tail(s, w & ~0x60FFFFE0 | (d & 3) << 29
                        | (d >> 2 & 0x7FFFF) << 5)
        bits, at = {"CALL": (26, 0), "TEST": (14, 5)}.get(name, (19, 5))
        if d & 3 or not fits(d, bits + 2):
            return None
        field = ((1 << bits) - 1) << at
        return tail(s, w & ~field | (d >> 2) << at & field)


# --- x86-64 ---


class X86(Plain):
    dense = True
    ONE = bytes.fromhex(
        "1111540011115400111154001111540011115400111154001111540011115400"
        "0000000000000000000000000000000000100000352400007777777777777777"
        "3222111111111111000000000000000000000000540000004444444455555555"
        "2206003200064000111100001111111177774444887000000000009900000011")
    TWO = bytes.fromhex(
        "1111011000011110111111111111111111111111111111110000000011111111"
        "1111111111111111111111111111111111111111111111112222110111111111"
        "8888888888888888111111111111111100101211001012111111111111121111"
        "1112221200000000111111111111111111111111111111111111111111111111")

    @staticmethod
    def opcode(b):
        return b[1] if len(b) > 1 and b[0] & 0xF0 == 0x40 else b[0]

    @staticmethod
    def row(table, opcode):
        return table[opcode >> 1] >> (4 if opcode & 1 else 0) & 15

    @classmethod
    def find(cls, v, at, a, sweep):
        if sweep.left == 0 or sweep.piece != at:
            h = v.half(at)
            if cls.row(cls.ONE, h & 0xFF) == 7:
                return Site(2, "LOCAL", a + 2 + sign(h >> 8, 8))
            reader = Reader(v.read(at, 64))
            reader.instruction()
            sweep.piece = at
            sweep.left, sweep.field = reader.n, reader.field
        n = sweep.left
        if 0 < sweep.field < n:
            n = sweep.field
        s = Site(min(n, 4))
        if sweep.field == 0:
            s = Site(4, "CALL", a + 4 + v.word(at))
        sweep.piece += s.length
        sweep.left -= s.length
        sweep.field = 255 if sweep.field in (0, 255) \
            else sweep.field - s.length
        return s

    @staticmethod
    def write(s, kind, t, sweep):
        d = t - s.now & M
        if kind == "CALL":
            return tail(s, d - 4)
        if not fits(d - 2, 8):
            return None
        return s.old[:1] + bytes([d - 2 & 0xFF])


class Reader:
    def __init__(self, data):
        self.data, self.n, self.full = data, 0, 4
        self.wide, self.field = False, 255

    def take(self):
        self.n += 1
        return self.data[self.n - 1]

    def instruction(self):
        b = self.take()
        while (b in (0x66, 0x67, 0xF0, 0xF2, 0xF3) or b & 0xE7 == 0x26
               or b & 0xFE == 0x64) and self.n < 15:
            if b == 0x66:
                self.full = 2
            b = self.take()
        if b & 0xF0 == 0x40:
            self.wide = bool(b & 8)
            b = self.take()
        if b == 0x0F:
            self.more(1)
        elif b == 0xC5:
            self.n += 1
            self.more(1)
        elif b == 0xC4:
            m = self.take() & 31
            self.n += 1
            self.more(m)
        elif b == 0x62:
            m = self.take() & 7
            self.n += 2
            self.more(m)
        elif b & 0xFC == 0xA0:
            self.n += 8
        else:
            self.arguments(X86.row(X86.ONE, b), b)

    def more(self, m):
        opcode = self.take()
        if m == 1 and opcode in (0x38, 0x3A):
            m = 2 if opcode == 0x38 else 3
            opcode = self.take()
        kind = X86.row(X86.TWO, opcode) if m == 1 else 2 if m == 3 else 1
        self.arguments(kind, opcode)

    def operand(self):
        b = self.take()
        mod, rm = b >> 6, b & 7
        if mod != 3:
            if rm == 4:
                if self.take() & 7 == 5 and mod == 0:
                    self.n += 4
            elif mod == 0 and rm == 5:
                self.field = self.n
                self.n += 4
            self.n += {1: 1, 2: 4}.get(mod, 0)
        return b >> 3 & 7

    def arguments(self, kind, opcode):
        reg = self.operand() if kind in (1, 2, 3, 9) else 0
        if kind in (2, 4, 7):
            self.n += 1
        elif kind == 3:
            self.n += self.full
        elif kind == 5:
            self.n += 8 if self.wide and opcode & 0xF8 == 0xB8 else self.full
        elif kind == 6:
            self.n += 2
        elif kind == 8:
            self.field = self.n
            self.n += 4
        elif kind == 9 and reg <= 1:
            self.n += self.full if opcode & 1 else 1


ISAS = [Plain, Thumb, RiscV, Xtensa, AArch64, X86]
