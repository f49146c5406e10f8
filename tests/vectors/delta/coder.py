# SPDX-License-Identifier: Apache-2.0
"""The range coder of docs/DELTA.md, and its models."""

from sites import M

RATES = [24576, 16384, 11000, 8500, 6800, 5700, 4900, 4300, 3800, 3400, 3100,
         2850, 2600, 2400, 2250, 2100]


class Broken(Exception):
    """Not a patch, or one that gives no image."""


class Unsupported(Exception):
    """A patch of a part or format that is not known here."""


class Counter:
    __slots__ = ("p", "n")

    def __init__(self, p=2048):
        self.p, self.n = p, 0

    def learn(self, y, limit):
        r = RATES[self.n]
        if y:
            self.p += ((4095 - self.p) * r + 32768) >> 16
        else:
            self.p -= (self.p * r + 32768) >> 16
        if self.n < limit:
            self.n += 1

    def doubt(self):
        return min(self.p, 4095 - self.p)


def counters(n):
    return [Counter() for _ in range(n)]


class Number:
    def __init__(self):
        self.length = [Counter(3072) for _ in range(22)]
        self.bits = [counters(3) for _ in range(14)]


# --- the range coder ---


class Coder:
    def __init__(self, data):
        self.data, self.at = data, 0
        self.range, self.code = M, 0
        for _ in range(4):
            self.shift()

    def shift(self):
        byte = self.data[self.at] if self.at < len(self.data) else 0
        self.at += 1
        self.code = (self.code << 8 | byte) & M
        if self.at > len(self.data) + 8:
            raise Broken("the patch is too short")

    def bit(self, p):
        bound = self.range * p >> 16
        if self.code < bound:
            y, self.range = 1, bound
        else:
            y, self.range = 0, self.range - bound
            self.code -= bound
        while self.range < 1 << 24:
            self.shift()
            self.range <<= 8
        return y

    def even(self, n):
        value = 0
        for _ in range(n):
            value = value << 1 | self.bit(32768)
        return value

    def flag(self, counter):
        y = self.bit(max(counter.p, 1) * 16 + 8)
        counter.learn(y, 12)
        return y

    def number(self, model):
        k = 0
        while k < 31 and self.flag(model.length[min(k, 21)]):
            k += 1
        value, row = 1, model.bits[min(k, 13)]
        for i in range(k, 0, -1):
            if i == k:
                y = self.flag(row[0])
            elif i == k - 1:
                y = self.flag(row[1 + (value & 1)])
            else:
                y = self.even(1)
            value = value << 1 | y
        return value - 1

    def signed(self, model):
        z = self.number(model)
        return z >> 1 ^ -(z & 1)

    def round(self):
        s, n = self.even(5), self.even(5)
        if s + n > 31:
            return 0
        m = self.even(max(n - 1, 0))
        return (1 << n | m << 1 | 1) << s & M


# --- models ---


def both(rc, a, b, limit, sure=True):
    """A bit of which two counters have an opinion."""
    more = min(a.n, 4) - min(b.n, 4)
    p = 16 * b.p + ((a.p - b.p) * (16 + 3 * more) >> 1)
    if sure:
        surer = a if a.doubt() < b.doubt() else b
        p = (p + 16 * surer.p) // 2
    y = rc.bit(within(p))
    a.learn(y, limit)
    b.learn(y, limit)
    return y


def within(p):
    return max(16, min(65520, p))


class Bytes:
    def __init__(self, t):
        self.n = (272 if t & 1 else 192) << (t >> 1)
        self.table = counters(self.n)
        self.guess = [[counters(4) for _ in range(8)] for _ in range(11)]

    def counter(self, context, node):
        x = context * 0x85EBCA6B + node * 0x9E3779B1 & M
        x ^= x >> 15
        x = x * 0x2C1B3C6D & M
        return self.table[x * self.n >> 32]

    def code(self, rc, place, contexts, guesses):
        first, second = guesses
        if first == second:
            second = None
        node = 1
        for b in range(7, -1, -1):
            guess = second if first is None else first
            if guess is None:
                y = both(rc, self.counter(contexts[0], node),
                         self.counter(contexts[1], node), 6, False)
            else:
                if first is None:
                    standing = 0
                elif second is None:
                    standing = 1
                else:
                    standing = 2 + ((first ^ second) >> b & 1)
                c = self.guess[place][b][standing]
                wrong = rc.bit(within(16 * c.p))
                c.learn(wrong, 8)
                y = (guess >> b & 1) ^ wrong
            if first is not None and first >> b & 1 != y:
                first = None
            if second is not None and second >> b & 1 != y:
                second = None
            node = node << 1 | y
        return node & 0xFF


class Gate:
    """One decision that is made often, told by two contexts."""

    def __init__(self, t):
        n = 32 if t == 0 else 64 if t < 4 else 128
        self.table = [counters(n) for _ in range(2)]

    def code(self, rc, contexts):
        a, b = (t[c % len(t)] for t, c in zip(self.table, contexts))
        return both(rc, a, b, 4)
