#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An example decoder of docs/DELTA.md, written from that page alone: plain
Python, slow, everything in memory. It is the proof that the page suffices;
devices have core/delta. Deflate streams are left out (Unsupported).

    decode.py OLD PATCH NEW
"""
import hashlib
import sys

import sites
from coder import (Broken, Bytes, Coder, Counter, Gate, Number, Unsupported,
                   counters)
from instructions import ISAS
from sites import M

SAME, SMALL, ONE, RAM_MAP, IN_PLACE, DEFLATE, PIC, ESP, ESP_SHORT, SUM, HASH \
    = (1 << i for i in range(11))


SAID = "CALL", "L32R"  # kinds whose target may be told, and excepted


# --- the head ---


class Head:
    def __init__(self, patch):
        self.patch, self.at = patch, 0
        magic = self.byte()
        if not 0xB1 <= magic < 0xC0:
            raise Broken("not a patch")
        self.isa = magic - 0xB1
        self.flags = self.varint()
        if self.isa > 5 or self.flags >= 2048:
            raise Unsupported("a patch for a later decoder")
        if self.flags & DEFLATE:
            raise Unsupported("with deflate streams")
        if self.flags & IN_PLACE:
            b, self.slots = self.byte(), self.byte()
            self.block, self.stash = 8 + (b & 15), b >> 4
        self.t = 0
        self.regions, self.map = [0, 0], [0, 0]
        if not self.flags & SMALL:
            self.settings()
        old = self.varint()
        z = 0 if self.flags & SAME else self.varint()
        self.size = [old, old + (z >> 1 ^ -(z & 1)) & M]
        if not all(0 < n <= 1 << 30 for n in self.size) \
                or max(self.map) > 65535 or self.t > 15:
            raise Broken("sizes that cannot be")
        self.check = [bytes(self.byte() for _ in range(3)) for _ in range(2)]

    def settings(self):
        self.t = self.byte()
        b = 0x11 if self.flags & ONE else self.byte()
        self.regions = [b & 15, b >> 4]
        self.map[0] = self.varint()
        if self.flags & RAM_MAP:
            self.map[1] = self.varint()

    def byte(self):
        if self.at == len(self.patch):
            raise Broken("a head that is not whole")
        self.at += 1
        return self.patch[self.at - 1]

    def varint(self):
        value = shift = 0
        while True:
            b = self.byte()
            value |= (b & 0x7F) << shift
            shift += 7
            if b < 0x80 or shift == 35:
                return value & M


# --- the stream ---


class Map(list):
    """(at, shift)"""

    def found(self, x):
        n = 0
        for at, _ in self:
            if at > x:
                break
            n += 1
        return n

    def place(self, start):
        best = (M, 0)
        for at, shift in self:
            place = at + shift & M
            if start <= place < best[0]:
                best = (place, at)
        return best


def front(row, i, value):
    del row[i]
    row.insert(0, value)


class Decoder:
    def __init__(self, old, patch):
        self.head = h = Head(patch)
        if len(old) != h.size[0] or digest(old)[:3] != h.check[0]:
            raise Broken("another old image")
        self.isa = ISAS[h.isa]
        self.old = sites.Image(old, self.isa, bool(h.flags & PIC))
        self.now_size, self.position = h.size[1], 0
        data = bytearray(self.now_size)
        if h.flags & IN_PLACE:
            self.old.pages = sites.Pages(h.block, h.slots)
            n = min(len(old), self.now_size)
            data[:n] = old[:n]
        self.now = sites.Image(data, self.isa, False)
        self.rc = Coder(patch[h.at:])
        self.bytes = Bytes(h.t)
        self.candidate, self.check_unit, self.quiet_window = \
            (Gate(h.t) for _ in range(3))
        self.flag_of = counters(16)
        self.map, self.ram_map = Map(), Map()
        self.models()
        self.history()

    def models(self):
        self.literals, self.copies, self.seeks = Number(), Number(), Number()
        self.agains = Number()
        self.targets = {"L32R": Number(), "CALL": Number()}
        self.target_flags = {"L32R": Counter(), "CALL": Counter()}
        self.difference_flags = [counters(12) for _ in range(3)]

    def history(self):
        self.last = self.op = 0
        self.misses = self.windows = 0
        self.change = [0] * 5
        self.candidates = [[0] * 8 for _ in range(3)]
        self.differences = [[0] * 8 for _ in range(3)]
        self.hits = [0] * 3

    def flag(self, which):
        return self.rc.flag(self.flag_of[which])

    def image(self):
        self.regions()
        self.rams()
        low = self.old.rams[0][0] if self.old.rams else 0
        self.take_map(self.map, self.head.map[0], 0)
        self.take_map(self.ram_map, self.head.map[1], low)
        self.operations()
        if self.rc.at < len(self.rc.data):
            raise Broken("bytes behind the end")
        if self.rc.data[-1:] == b"\0":
            raise Broken("a zero at the end")
        if digest(self.now.data)[:3] != self.head.check[1]:
            raise Broken("another new image than the patch is for")
        return bytes(self.now.data)

    # regions, ranges, maps

    def regions(self):
        model, h = Number(), self.head
        olds, news = self.old.regions, self.now.regions
        if h.flags & ESP:
            self.esp_regions(h.regions[0])
        for i in range(0 if h.flags & ESP else h.regions[0]):
            olds.append(sites.Region())
            self.region(olds[i], self.predict_new(olds, i, len(self.old.data)),
                        None)
        for i in range(h.regions[1]):
            news.append(sites.Region())
            if i < len(olds):
                self.region(news[i], self.predict_as_old(i), model)
            else:
                self.region(news[i], self.predict_new(news, i, self.now_size),
                            None)

    def esp_regions(self, n):
        data = self.old.data
        at = 8 if self.head.flags & ESP_SHORT else 24
        count = data[1] if len(data) > 1 and data[0] == 0xE9 else 0
        for _ in range(min(count, n)):
            if len(data) - at <= 8:
                break
            address, length = self.old.word(at), self.old.word(at + 4)
            if length > len(data) - at - 8:
                break
            kind = 1 if 0x40000000 <= address < 0x50000000 else 0
            self.old.regions.append(sites.Region(at + 8, address, length,
                                                 kind))
            at += 8 + length
        if len(self.old.regions) != n:
            raise Broken("the old image has other segments")

    def region(self, r, predict, model):
        for field in ("offset", "address", "length", "kind"):
            predicted = predict[field]() & M
            if self.flag(6):
                value = predicted
            elif model is not None:
                value = predicted + self.rc.signed(model)
            else:
                value = self.rc.round()
            setattr(r, field, value & M)

    @staticmethod
    def predict_new(rows, i, size):
        r, before = rows[i], rows[i - 1]
        return {
            "offset": lambda: before.end() if i else 0,
            "address": lambda: before.address + r.offset - before.offset
            if i else 0,
            "length": lambda: size - r.offset,
            "kind": lambda: 0 if i else 1}

    def predict_as_old(self, i):
        old, r = self.old.regions[i], self.now.regions[i]
        was, before = self.old.regions[i - 1], self.now.regions[i - 1]

        def offset():
            return before.end() + old.offset - was.end() if i else old.offset

        def address():
            if i and (old.address - was.address) & M == \
                    (old.offset - was.offset) & M:
                return before.address + offset() - before.offset
            return old.address

        return {
            "offset": offset,
            "address": address,
            "length": lambda: self.now_size - r.offset
            if old.end() == len(self.old.data) else old.length,
            "kind": lambda: old.kind}

    def rams(self):
        if self.head.flags & SMALL:
            return
        while len(self.old.rams) < 2 and self.flag(7):
            low = self.rc.round()
            self.old.rams.append((low, low + self.rc.round() & M))

    def take_map(self, rows, n, at):
        ats, shifts, shift = Number(), Number(), 0
        for _ in range(n):
            at = at + self.rc.number(ats) & M
            shift = shift + self.rc.signed(shifts) & M
            rows.append((at, shift))

    # operations

    def operations(self):
        tail = self.tail() if self.head.flags & SUM else None
        self.stop = self.now_size if tail is None else tail
        self.at, self.apart = 0, [0] * 4
        self.known = self.map.place(0)
        self.again, self.literal = 0, 0
        if self.head.flags & IN_PLACE:
            self.in_place()
            return
        while True:
            while self.position < self.stop:
                self.operation()
            if self.position == self.now_size:
                return
            self.put_tail()
            self.stop = self.now_size

    # pages in place

    def in_place(self):
        self.page, self.backwards, self.straight = -1, 0, 0
        self.saved, self.joined, self.first, self.carry = 0, False, None, 0
        self.next_flags, self.end_flag, self.turn = counters(2), Counter(), \
            Counter()
        self.save_flags, self.go_flags = counters(2), counters(4)
        self.slot_flags = counters(8)
        self.anew, self.anew_flags, self.drop_flags = 0, counters(2), \
            counters(2)
        self.more_flag, self.other_flag = Counter(), Counter()
        while self.next_page():
            self.begin_page()
            self.fresh = True
            while self.position < self.stop:
                self.operation()

    def possible(self, page):
        return 0 <= page <= (self.now_size - 1) >> self.head.block \
            and page not in self.old.pages.begun

    def next_page(self):
        likely = self.page + (-1 if self.backwards else 1)
        y = self.possible(likely) and \
            self.rc.flag(self.next_flags[self.straight])
        self.straight = int(y)
        if not y:
            if self.rc.flag(self.end_flag):
                return False
            d = self.rc.signed(self.seeks)
            if self.rc.flag(self.turn):
                self.backwards ^= 1
                d = -d
            likely += -d if self.backwards else d
        if not self.possible(likely):
            raise Broken("a page that cannot be")
        self.page = likely
        return True

    def begin_page(self):
        at, pages = self.page << self.head.block, self.old.pages
        self.joined = at == self.position and at > 0
        if not self.joined and self.first is not None:
            i = self.apart.index(self.first) if self.first in self.apart \
                else 3
            front(self.apart, i, self.first)
        self.first = None
        self.at = self.at + at - self.position & M
        self.position = at
        self.stop = min(at + (1 << self.head.block), self.now_size)
        self.known = self.map.place(at)
        pages.begun.add(self.page)
        self.saved = self.rc.flag(self.save_flags[self.saved])
        if self.saved and self.page <= (len(self.old.data) - 1) \
                >> self.head.block:
            was = self.save()
        else:
            self.saved, was = 0, None
        if self.head.stash:
            self.anew = self.rc.flag(self.anew_flags[self.anew])
        if self.anew:
            self.stash(was)

    def stash(self, was):
        pages, dropped, kept = self.old.pages, 0, []
        for piece in pages.pieces:
            dropped = self.rc.flag(self.drop_flags[dropped])
            if not dropped:
                kept.append(piece)
        while len(kept) < 16 and self.rc.flag(self.more_flag):
            other = was is not None and self.rc.flag(self.other_flag)
            start, n = self.rc.even(6), self.rc.even(6) + 1
            kept.append((was if other else self.page, start, n))
            if start + n > 64:
                raise Broken("a piece that reaches out of its page")
        if sum(n for _, _, n in kept) > 4 * self.head.stash:
            raise Broken("more than the stash holds")
        pages.pieces = kept

    def save(self):
        """What was in the slot before."""
        pages, i = self.old.pages, 0
        if not pages.held:
            raise Broken("no slots")
        while i + 1 < len(pages.held) and \
                self.rc.flag(self.slot_flags[min(i, 7)]):
            i += 1
        pages.order.append(pages.order.pop(i))
        was = pages.held[pages.order[-1]]
        pages.held[pages.order[-1]] = self.page
        return was

    def goes_on(self):
        """True: the page begins with a copy from the last distance."""
        if not (self.head.flags & IN_PLACE and self.fresh):
            return False
        self.fresh = False
        which = 2 * self.joined + bool(self.literal)
        if not self.rc.flag(self.go_flags[which]):
            self.joined = False
            return False
        at = self.position + self.apart[0] & M
        self.joined = self.joined and self.at == at
        self.at, self.literal = at, 0
        return True

    def operation(self):
        goes_on = self.goes_on()
        if not goes_on:
            self.joined = False
            self.literal = self.flag(1 if self.literal else 0)
        if goes_on:
            self.bring(self.position + 1)
        elif self.literal:
            again = self.position > 0 \
                and not self.head.flags & IN_PLACE \
                and self.flag(15 if self.again else 14)
            self.again = self.rc.number(self.agains) + 1 if again else 0
            if self.again > self.position:
                raise Broken("before the new image")
        else:
            self.again = 0
            self.bring(self.position)
            self.origin()
            self.bring(self.position + 1)
        n = self.length()
        if self.literal:
            self.literal_units(self.position + n)
        elif self.at > len(self.old.data) - n:
            raise Broken("a copy that reaches out of the old image")
        else:
            self.copy_units(n)

    def bring(self, start):
        if self.known[0] < start:
            self.known = self.map.place(start)

    def origin(self):
        i = 3
        if self.known[0] == self.position and self.flag(2):
            self.at = self.known[1]
        else:
            for k in range(4):
                if self.flag(8 + k):
                    i = k
                    self.at = self.position + self.apart[k] & M
                    break
            else:
                self.at = self.at + self.rc.signed(self.seeks) & M
        front(self.apart, i, self.at - self.position & M)

    def length(self):
        rest = self.stop - self.position
        n = self.known[0] - self.position
        if self.literal or self.known[0] == M or n & M > rest:
            n = rest
        if not self.flag(5 if self.literal else 4):
            n = self.rc.number(self.literals if self.literal
                               else self.copies) + 1
        if not 0 < n <= rest:
            raise Broken("a length that cannot be")
        return n

    def put(self, data, told=True):
        """told: not a unit that a quiet window passes over."""
        self.last = data[-1]
        if told and len(data) > 1:
            self.op = self.isa.opcode(data)
        self.now.data[self.position:self.position + len(data)] = data
        self.position += len(data)

    def literal_units(self, end):
        while self.position < end:
            n = self.isa.literal
            if self.position % n or end - self.position < n:
                n = 1
            if self.again:
                data = bytearray()
                for i in range(n):
                    at = self.position - self.again + i
                    data.append(self.now.data[at] if at < self.position
                                else data[i - self.again])
            else:
                data = self.unit_bytes(n, None, None, False)
            self.put(data)

    def tail(self):
        size = 33 if self.head.flags & HASH else 1
        last = self.now.regions[-1] if self.now.regions else None
        at = 0 if last is None else last.end() | 15
        if last is None or at + size > self.now_size:
            raise Broken("no room for the tail")
        return at

    def put_tail(self):
        total, before = 0xEF, self.position
        for r in self.now.regions:
            for b in self.now.data[r.offset:r.offset + r.length]:
                total ^= b
        self.put(bytes([total]))
        if self.head.flags & HASH:
            d = digest(self.now.data[:self.position])
            for i in range(0, 32, 4):
                self.put(d[i:i + 4])
        self.at = self.at + self.position - before & M

    # targets through the maps

    def map_offset(self, offset):
        if not self.map:
            return offset
        return offset + self.map[max(self.map.found(offset), 1) - 1][1] & M

    def map_ram(self, a):
        self.entry = n = self.ram_map.found(a)
        return a + self.ram_map[n - 1][1] & M if n else a

    def map_address(self, a, state):
        bits = a & state
        offset = self.old.offset(a - bits)
        if offset is None:
            return self.map_ram(a)
        self.entry = self.map.found(offset)
        offset = self.map_offset(offset)
        if offset < self.now_size:
            return self.now.address(offset) + bits & M
        if offset == self.now_size:
            return self.now.address(offset - 1) + 1 + bits & M
        return a

    def map_target(self, target, kind):
        if kind == "RAM":
            return self.map_ram(target)
        return self.map_address(target, self.isa.thumb if kind == "POINTER"
                                else 0)

    # units of a copy

    def copy_units(self, n):
        self.left, self.raw, self.skip = n, 0, 0
        self.window = 0
        if self.head.flags & IN_PLACE and self.first is None:
            self.first = self.apart[0]
        if self.head.flags & IN_PLACE and self.joined:
            self.joined = False
            self.skip, self.carry = self.carry, 0
        else:
            self.walk(n)
        while self.left:
            self.unit()

    def walk(self, n):
        if self.isa.find is not None:
            back = min(n & ~3, 64)
            at = last = (self.at - back) & ~3 if self.at > back else 0
            sweep = sites.Sweep()
            while at < self.at:
                last = at
                at += sites.find(self.old, at, sweep).length
            if at > self.at and self.head.flags & IN_PLACE and \
                    self.position == self.page << self.head.block and \
                    self.position > 4:
                self.skip = self.at - last
            else:
                self.raw = min(at - self.at, n)
        self.sweep = sites.Sweep()

    def may_reach(self, s, skip):
        return self.head.flags & IN_PLACE \
            and self.left == self.stop - self.position \
            and s.length <= self.now_size - (self.position - skip)

    def find_unit(self):
        """The unit, bytes that are not put out before and that are."""
        skip, self.skip = self.skip, 0
        if not self.raw:
            s = sites.find(self.old, self.at - skip, self.sweep)
            take = s.length - skip
            if take <= 0:
                self.raw = 1
            elif take > self.left:
                take = self.left
                if self.may_reach(s, skip):
                    self.carry = skip + take
                else:
                    self.raw = self.left
            if not self.raw:
                return s, skip, take
        self.raw -= 1
        return sites.Site(1), 0, 1

    def begin_window(self):
        self.window = (self.at | 127) + 1
        if self.left < 128:
            c = self.left.bit_length()
        else:
            c = 16 + (self.windows & 7) + 8 * self.old.kind(self.at)
        self.quiet = self.quiet_window.code(
            self.rc, (self.map.found(self.at), c))
        self.windows = (self.windows << 1 | (1 - self.quiet)) & M

    def unit(self):
        if self.at >= self.window:
            self.begin_window()
        s, skip, take = self.find_unit()
        at, place = self.at - skip, self.position - skip
        s.was, s.now = self.old.address(at), self.now.address(place)
        if s.kind in ("TABLE", "SYMBOL"):
            s.was = self.old.role(at)[1]
            role = self.now.role(place)
            s.now = role[1] if role else s.now
        s.old = self.old.read(at, 4)
        found = self.find_candidates(s)
        types = list(found.items())
        if len(types) > 1:
            right = self.choose(s, types)
        else:
            right = 0 if self.quiet else self.check(s, at)
        if right is not None:
            data = types[right][0]
            if not self.quiet:
                self.misses = self.misses << 1 & M
        else:
            self.misses = (self.misses << 1 | 1) & M
            data = self.missed(s, types[0][0])
        self.put(data[skip:skip + take], s.kind is not None or not self.quiet)
        if s.length == 4 and self.isa.after is not None:
            self.isa.after(self.sweep, at, s, data)
        self.at += take
        self.left -= take

    def find_candidates(self, s):
        """bytes: type, in their order"""
        found = {}

        def add(kind, target, kind_of):
            data = sites.write(s, kind, target, self.sweep, self.isa)
            if data is not None:
                found.setdefault(bytes(data[:s.length]), kind_of)

        if s.kind is not None:
            s.predicted = self.map_target(s.target, s.kind)
            s.entry = self.entry
            if s.kind == "L32R" and not self.head.flags & IN_PLACE:
                t = self.content(s)
                if t is not None:
                    add(s.kind, t, 2)
            add(s.kind, s.predicted, 0)
        found.setdefault(bytes(s.old[:s.length]), 1)
        return found

    def content(self, s):
        o, p = self.old.offset(s.target), self.now.offset(s.predicted)
        if o is None or p is None or o + 4 > len(self.old.data):
            return None
        v = self.old.word(o)
        if self.old.offset(v) is not None or self.old.ram(v):
            v = self.map_address(v, 0)
        for k in range(0, 64, 4):
            for d in (-k, k):
                if 0 <= p + d <= self.position - 4 \
                        and self.now.word(p + d) == v:
                    return s.predicted + d & M
        return None

    def check(self, s, at):
        n, group = s.length, s.group()
        if n == 1:
            op = 0x60 | (at & 3) | (4 if s.old[0] == 0 else 0)
        else:
            op = self.isa.opcode(s.old[:n])
        y = self.check_unit.code(
            self.rc, ((self.misses & 15) * 8 + group, op))
        return None if y else 0

    def choose(self, s, types):
        cls = s.cls()
        for i, (_, t) in enumerate(types):
            h = self.candidates[t][cls]
            y = self.candidate.code(
                self.rc, ((cls * 3 + t) * 4 + (h & 3),
                          t * 32 + (s.entry & 31)))
            self.candidates[t][cls] = (h << 1 | (1 - y)) & 0xFF
            if y:
                return i
        return None

    def missed(self, s, predicted):
        n = s.length
        if s.kind in SAID and self.rc.flag(self.target_flags[s.kind]):
            d = self.rc.signed(self.targets[s.kind])
            t = s.predicted + (d << self.isa.shift) & M
            data = sites.write(s, s.kind, t, self.sweep, self.isa)
            return bytes((s.old if data is None else data)[:n])
        value = int.from_bytes(predicted, "little")
        if n > 1:
            d = self.difference(n)
            if d is not None:
                self.change[n] = d
                return (value + d & (1 << 8 * n) - 1).to_bytes(n, "little")
        again = (value + self.change[n] & (1 << 8 * n) - 1).to_bytes(
            n, "little")
        data = self.unit_bytes(n, predicted, again, s.kind is not None)
        d = int.from_bytes(data, "little") - value & (1 << 8 * n) - 1
        self.change[n] = d
        if d and n > 1:
            row = self.differences[n - 2]
            front(row, row.index(d) if d in row else 7, d)
        return data

    def difference(self, n):
        row, flags = self.differences[n - 2], self.difference_flags[n - 2]
        hit = self.rc.flag(flags[self.hits[n - 2] & 3])
        self.hits[n - 2] = self.hits[n - 2] << 1 | hit
        if not hit:
            return None
        i = 0
        while i < 7 and not self.rc.flag(flags[4 + i]):
            i += 1
        d = row[i]
        front(row, row.index(d), d)
        return d

    def unit_bytes(self, n, predicted, again, is_site):
        order = self.isa.order if n in (2, 4) else 0
        out, head = bytearray(n), 0
        for j in range(n):
            i = j ^ order
            g = [None if x is None else x[i] for x in (predicted, again)]
            if n == 1:
                place = 0 if g[0] is not None else 10
                c = [10 + (self.position & 3), 0x10000 | self.last]
            else:
                place = (0, 0, 1, 3, 6)[n] + j
                before = head & 0xFF if j else self.op
                c = [0x20000 | place + 16 * is_site,
                     0x30000 | place | before << 8]
            out[i] = self.bytes.code(self.rc, place, c, g)
            head = (head << 8 | out[i]) & M
        return bytes(out)


def digest(data):
    return hashlib.sha256(data).digest()


def decode(old, patch):
    return Decoder(old, patch).image()


def main():
    with open(sys.argv[1], "rb") as old, open(sys.argv[2], "rb") as patch:
        image = decode(old.read(), patch.read())
    with open(sys.argv[3], "wb") as new:
        new.write(image)


if __name__ == "__main__":
    main()
