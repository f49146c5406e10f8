# SPDX-License-Identifier: Apache-2.0
"""The range coder of docs/DELTA.md, and what mixes opinions."""

from sites import M

RATES = [24576, 16384, 11000, 8500, 6800, 5700, 4900, 4300, 3800, 3400, 3100,
         2850, 2600, 2400, 2250, 2100]
ODDS = [2839, 2782, 2735, 2696, 2662, 2605, 2558, 2518, 2484, 2427, 2380,
        2341, 2307, 2250, 2203, 2163, 2129, 2072, 2025, 1986, 1952, 1895,
        1848, 1808, 1774, 1717, 1670, 1631, 1597, 1539, 1492, 1453, 1419,
        1361, 1314, 1275, 1240, 1182, 1135, 1095, 1061, 1002, 955, 914, 879,
        820, 771, 730, 693, 632, 581, 537, 498, 432, 375, 326, 281, 202, 131,
        64, 0, 0]
TAILS = [65535, 57386, 49485, 42051, 35251, 29190, 23911, 19405, 15624, 12498,
         9943, 7876, 6216, 4893, 3842, 3012, 2357, 1843, 1440, 1124, 877, 684,
         533, 416, 324, 253, 197, 153, 119, 93, 72, 56, 44, 34, 27, 21, 16,
         13, 10, 8, 6, 5, 4, 3, 2, 2]


class Broken(Exception):
    """Not a patch, or one that gives no image."""


class Unsupported(Exception):
    """A patch of a part or format that is not known here."""


def stretch(p):
    q = 65536 - p if p > 32768 else p
    e = 15
    while q < 32768:
        q <<= 1
        e -= 1
    i = e * 4 + (q >> 13 & 3)
    a = ODDS[i]
    a -= (a - ODDS[i + 1]) * (q & 0x1FFF) >> 13
    return a if p > 32768 else -a


def squash(d):
    x = min(abs(d), 2879)
    i = x >> 6
    t = TAILS[i]
    t = (t - ((t - TAILS[i + 1]) * (x & 63) >> 6)) >> 1
    return t if d < 0 else 65536 - t


def mix(a, b):
    x = a * 0x9E3779B1 + b * 0x7FEB352D + 0x01234567 & M
    x ^= x >> 15
    x = x * 0x846CA68B & M
    x ^= x >> 13
    return x | 1


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

    def stretched(self):
        return stretch(max(16 * self.p, 16))


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


# --- what mixes ---


def clamp(w, limit):
    return max(-limit, min(limit, w))


class Bytes:
    def __init__(self, t):
        self.n = (272 if t & 1 else 192) << (t >> 1)
        self.table = counters(self.n)
        self.guess = [counters(88), counters(88)]
        self.weight = [[1500] * 5 for _ in range(40)]

    def counter(self, context, node):
        x = (context + node * 0x9E3779B1) * 0x85EBCA6B & M
        x ^= x >> 15
        x = x * 0x2C1B3C6D & M
        return self.table[x * self.n >> 32]

    def code(self, rc, place, contexts, guesses):
        g = list(guesses)
        if g[0] == g[1]:
            g[1] = None
        node = 1
        for b in range(7, -1, -1):
            weight = self.weight[min(place, 9) * 4 + 2 * (g[0] is not None)
                                 + (g[1] is not None)]
            asked, inputs = [], []
            for c in contexts:
                asked.append(self.counter(c, node))
                inputs.append(asked[-1].stretched())
            for k in range(2):
                c = None if g[k] is None else self.guess[k][place * 8 + b]
                asked.append(c)
                s = 0 if c is None else c.stretched()
                inputs.append(s if c is None or g[k] >> b & 1 else -s)
            inputs.append(256)
            dot = sum(w * i for w, i in zip(weight, inputs))
            p = max(32, min(65504, squash(dot >> 12)))
            y = rc.bit(p)
            wrong = (y << 12) - (p >> 4)
            for k, i in enumerate(inputs):
                w = weight[k] + ((i * wrong + 16384) >> 15)
                weight[k] = max(-32768, min(32767, w))
            for k in range(2):
                asked[k].learn(y, 5)
            for k in range(2):
                if g[k] is not None:
                    right = (g[k] >> b & 1) == y
                    asked[2 + k].learn(right, 14)
                    if not right:
                        g[k] = None
            node = node << 1 | y
        return node & 0xFF


class Gate:
    """One decision that is made often, told by two contexts."""

    def __init__(self, t):
        n = 32 if t == 0 else 64 if t < 4 else 128
        self.table = [counters(n) for _ in range(2)]
        self.weight = [[36000] * 2 for _ in range(8)]

    def code(self, rc, contexts, chosen):
        weight = self.weight[chosen % 8]
        f = [t[c % len(t)] for t, c in zip(self.table, contexts)]
        inputs = [c.stretched() for c in f]
        dot = sum(w * i for w, i in zip(weight, inputs)) >> 16
        p = squash(dot)
        y = rc.bit(p)
        wrong = (y << 16) - p
        if -256 < wrong < 256:
            return y
        for k in range(2):
            weight[k] = clamp(weight[k] + (inputs[k] * wrong >> 16), 1 << 19)
            f[k].learn(y, 14)
        return y
