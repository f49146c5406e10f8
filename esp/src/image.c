/* SPDX-License-Identifier: Apache-2.0 */
/* Header, segments, checksum, hash; and which of the two families it is. */
#include "bowline/sha256.h"
#include "image_private.h"

enum {
    MAGIC = 0xE9,
    ESP8266_V2_MAGIC = 0xEA,
    ESP8266_V2_COUNT = 4,
    ESP8266_HEADER = 8,
    SEGMENT_MAX = 16 << 20,
    CHECKSUM_INIT = 0xEF,
    BLOCK = 1216, /* of a Secure Boot V2 signature */
    BLOCK_MAGIC = 0xE7,
    BLOCKS = 3,
    HASH = 32,
    HASH_FLAG = 23, /* its place in the header */
    SECTOR = 4096,
    SKETCH_SIZE = SECTOR + 16, /* where Arduino keeps size and CRC */
    PIECE = 256
};

/* --- Bytes ----------------------------------------------------------------
 */

struct reader {
    const struct bl_esp_source *source;
    bool failed; /* the source could not */
};

/* False when there are not so many, or they cannot be read. */
static bool fetch(struct reader *r, uint32_t at, void *to, uint32_t n)
{
    if (r->failed || at > r->source->size || n > r->source->size - at) {
        return false;
    }
    r->failed = !r->source->read(r->source->context, at, to, n);
    return !r->failed;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* XOR of n bytes that are there. */
static uint8_t sum(struct reader *r, uint32_t at, uint32_t n, uint8_t start)
{
    uint8_t piece[PIECE];

    while (n > 0) {
        uint32_t m = least(n, PIECE);
        uint32_t i;

        if (!fetch(r, at, piece, m)) {
            return start;
        }
        for (i = 0; i < m; i++) {
            start ^= piece[i];
        }
        at += m;
        n -= m;
    }
    return start;
}

/* SHA-256 of the first n bytes, with `flag` for the byte that says whether
 * there is a hash. */
static bool hash(struct reader *r, uint32_t n, uint8_t flag,
                 uint8_t digest[HASH])
{
    uint8_t piece[PIECE];
    struct bl_sha256 c;
    uint32_t at = 0;

    bl_sha256_init(&c);
    while (at < n) {
        uint32_t m = least(n - at, PIECE);

        if (!fetch(r, at, piece, m)) {
            return false;
        }
        if (at == 0 && m > HASH_FLAG) {
            piece[HASH_FLAG] = flag;
        }
        bl_sha256_update(&c, piece, m);
        at += m;
    }
    bl_sha256_final(&c, digest);
    return true;
}

/* Do the 32 bytes behind the first n hold their hash? */
static bool hash_holds(struct reader *r, uint32_t n, uint8_t flag)
{
    uint8_t stored[HASH];
    uint8_t digest[HASH];

    return fetch(r, n, stored, HASH) && hash(r, n, flag, digest) &&
           memcmp(stored, digest, HASH) == 0;
}

static bool all_ff(struct reader *r, uint32_t at, uint32_t to)
{
    uint8_t piece[PIECE];

    while (at < to) {
        uint32_t m = least(to - at, PIECE);
        uint32_t i;

        if (!fetch(r, at, piece, m)) {
            return false;
        }
        for (i = 0; i < m; i++) {
            if (piece[i] != 0xFF) {
                return false;
            }
        }
        at += m;
    }
    return true;
}

/* --- Segments --------------------------------------------------------------
 */

/* What a walk over the segments found. */
struct walk {
    struct bl_esp_segment segment[BL_ESP_SEGMENTS];
    uint8_t walked;
    uint8_t checksum; /* of the segments */
    uint8_t stored;
    bool whole;                /* every segment and the checksum are there */
    uint32_t end;              /* behind the checksum, when whole */
    struct bl_esp_fault fault; /* when not */
};

static bool stop(struct walk *w, enum bl_esp_problem problem, uint32_t offset,
                 uint32_t found, uint32_t wanted)
{
    w->fault.problem = problem;
    w->fault.segment = w->walked;
    w->fault.offset = offset;
    w->fault.found = found;
    w->fault.wanted = wanted;
    return false;
}

/* One segment at *at; false with a fault. */
static bool walk_segment(struct reader *r, uint32_t *at, struct walk *w)
{
    struct bl_esp_segment *s = &w->segment[w->walked];
    uint8_t head[ESP_SEGMENT_HEADER];
    uint32_t left;

    if (!fetch(r, *at, head, sizeof head)) {
        return stop(w, BL_ESP_SEGMENT_HEAD_CUT, *at, r->source->size - *at,
                    sizeof head);
    }
    left = r->source->size - *at - ESP_SEGMENT_HEADER;
    s->address = esp_u32(head);
    s->length = esp_u32(head + 4);
    s->offset = *at + ESP_SEGMENT_HEADER;
    if (s->length % 4 != 0 || s->length >= SEGMENT_MAX) {
        return stop(w, BL_ESP_SEGMENT_LENGTH, *at + 4, s->length, SEGMENT_MAX);
    }
    if (s->length > left) {
        return stop(w, BL_ESP_SEGMENT_CUT, s->offset, left, s->length);
    }
    w->checksum = sum(r, s->offset, s->length, w->checksum);
    *at = s->offset + s->length;
    w->walked++;
    return true;
}

/* n segments from `at` on, where there is at least a byte. */
static void walk(struct reader *r, uint32_t at, uint8_t n, struct walk *w)
{
    uint32_t place;

    memset(w, 0, sizeof *w);
    w->checksum = CHECKSUM_INIT;
    if (n < 1 || n > BL_ESP_SEGMENTS) {
        (void)stop(w, BL_ESP_SEGMENT_COUNT, 1, n, BL_ESP_SEGMENTS);
        w->fault.segment = ESP_NO_SEGMENT;
        return;
    }
    while (w->walked < n) {
        if (!walk_segment(r, &at, w)) {
            return;
        }
    }
    place = at | 15; /* the last byte of its block of 16 */
    if (!fetch(r, place, &w->stored, 1)) {
        (void)stop(w, BL_ESP_CHECKSUM_CUT, place, r->source->size, place + 1);
        w->fault.segment = ESP_NO_SEGMENT;
        return;
    }
    w->whole = true;
    w->end = place + 1;
}

static bool sound(const struct walk *w)
{
    return w->whole && w->stored == w->checksum;
}

/* --- What both families have in common -------------------------------------
 */

/* Segments and checksum; false when it ends before the checksum. */
static bool take_walk(const struct walk *w, struct bl_esp_image *out)
{
    memcpy(out->segment, w->segment, sizeof out->segment);
    out->walked = w->walked;
    memset(out->segment + w->walked, 0,
           (size_t)(BL_ESP_SEGMENTS - w->walked) * sizeof out->segment[0]);
    if (!w->whole) {
        esp_fault_add(out, &w->fault);
        return false;
    }
    out->checksum = w->stored;
    out->checksum_ok = sound(w);
    if (!out->checksum_ok) {
        esp_fault(out, BL_ESP_CHECKSUM, w->end - 1, w->stored, w->checksum);
    }
    return true;
}

/* The appended hash, and with it the length. */
static void judge_hash(struct reader *r, uint32_t end, uint8_t flag,
                       struct bl_esp_image *out)
{
    uint32_t left = r->source->size - end;

    if (!out->hash_appended) {
        out->length = end;
        return;
    }
    if (left < HASH) {
        esp_fault(out, BL_ESP_HASH_CUT, end, left, HASH);
        return;
    }
    out->hash_ok = hash_holds(r, end, flag);
    if (!out->hash_ok) {
        esp_fault(out, BL_ESP_HASH, end, 0, 0);
    }
    out->length = end + HASH;
}

/* --- ESP32 family -----------------------------------------------------------
 */

static void read_header(const uint8_t *p, struct bl_esp_image *out)
{
    out->n_segments = p[1];
    out->spi_mode = p[2];
    out->spi_speed = p[3] & 15;
    out->flash_bytes = (p[3] >> 4) <= 7 ? 1U << (20 + (p[3] >> 4)) : 0;
    out->entry = esp_u32(p + 4);
    out->chip_id = esp_u16(p + 12);
    out->chip = bl_esp_chip(out->chip_id);
    out->min_revision = esp_u16(p + 15);
    out->max_revision = esp_u16(p + 17);
    out->hash_appended = p[HASH_FLAG] != 0;
    if (p[0] != MAGIC) {
        esp_fault(out, BL_ESP_MAGIC, 0, p[0], MAGIC);
    }
}

/* The flag is one byte: 0 is believed only when no hash is there. */
static void judge_flag(struct reader *r, uint32_t end, uint8_t flag,
                       struct bl_esp_image *out)
{
    if (flag > 1 || (flag == 0 && hash_holds(r, end, 1))) {
        esp_fault(out, BL_ESP_HASH_FLAG, HASH_FLAG, flag, 1);
    }
}

static void judge_header(struct bl_esp_image *out)
{
    if (out->max_revision != 0 && out->max_revision != 0xFFFF &&
        out->min_revision > out->max_revision) {
        esp_fault(out, BL_ESP_REVISIONS, 15, out->min_revision,
                  out->max_revision);
    }
}

/* ESP-IDF's boot code does not look; the jump would go nowhere. */
static void judge_entry(struct bl_esp_image *out)
{
    uint8_t i;

    for (i = 0; i < out->walked; i++) {
        if (out->entry - out->segment[i].address < out->segment[i].length) {
            return;
        }
    }
    if (out->walked == out->n_segments) {
        esp_fault(out, BL_ESP_ENTRY, 4, out->entry, 0);
    }
}

/* What stands behind the image: FF, a sector of signatures, or who knows. */
static void look_behind(struct reader *r, struct bl_esp_image *out)
{
    uint32_t size = r->source->size;
    uint32_t at = out->length;
    uint32_t sector = (at + SECTOR - 1) / SECTOR * SECTOR;
    uint8_t first = 0;

    if (at == 0) {
        return;
    }
    if (sector >= at && size > sector && size - sector >= SECTOR) {
        while (
            out->signatures < BLOCKS &&
            fetch(r, sector + out->signatures * (uint32_t)BLOCK, &first, 1) &&
            first == BLOCK_MAGIC) {
            out->signatures++;
        }
    }
    if (out->signatures > 0 && all_ff(r, at, sector)) {
        at = sector + SECTOR;
    }
    if (!all_ff(r, at, size)) {
        esp_fault(out, BL_ESP_TRAILING, at, size - at, 0);
    }
}

static void note_what_is_odd(struct bl_esp_image *out)
{
    if (out->chip == NULL) {
        esp_fault(out, BL_ESP_CHIP_UNKNOWN, 12, out->chip_id, 0);
    }
    if (out->spi_mode > 5) {
        esp_fault(out, BL_ESP_SPI_MODE, 2, out->spi_mode, 5);
    }
    if (!out->hash_appended) {
        esp_fault(out, BL_ESP_NO_HASH, HASH_FLAG, 0, 1);
    }
}

static void read_esp32(struct reader *r, bl_span head, const struct walk *w,
                       struct bl_esp_image *out)
{
    out->family = BL_ESP_ESP32;
    read_header(head.p, out);
    if (take_walk(w, out)) {
        judge_flag(r, w->end, head.p[HASH_FLAG], out);
        judge_hash(r, w->end, head.p[HASH_FLAG], out);
    }
    judge_header(out);
    esp_descriptor_read(head, out);
    esp_descriptor_judge(out);
    judge_entry(out);
    note_what_is_odd(out);
    look_behind(r, out);
}

/* --- ESP8266
 * ----------------------------------------------------------------- */

/* It has no flag for the hash: 32 bytes behind the checksum are one, or it is
 * right. */
static void read_esp8266(struct reader *r, const uint8_t *header,
                         enum bl_esp_family family, const struct walk *w,
                         struct bl_esp_image *out)
{
    uint8_t flag = 0;

    out->family = family;
    out->chip_id = BL_ESP_CHIP_ESP8266;
    out->chip = bl_esp_chip(BL_ESP_CHIP_ESP8266);
    out->n_segments = header[1];
    out->spi_mode = header[2];
    out->spi_speed = header[3] & 15;
    out->entry = esp_u32(header + 4);
    if (!take_walk(w, out) || !fetch(r, HASH_FLAG, &flag, 1)) {
        return;
    }
    out->hash_appended =
        r->source->size - w->end == HASH || hash_holds(r, w->end, flag);
    judge_hash(r, w->end, flag, out);
}

/* CRC-32, the highest bit first, of the n bytes in front; those that hold it
 * and the size count as zero. */
static bool sketch_crc(struct reader *r, uint32_t n, uint32_t *crc)
{
    uint8_t piece[PIECE];
    uint32_t at;

    *crc = 0xFFFFFFFF;
    for (at = 0; at < n; at++) {
        int bit;

        if (at % PIECE == 0 && !fetch(r, at, piece, least(PIECE, n - at))) {
            return false;
        }
        if (at < SKETCH_SIZE || at >= SKETCH_SIZE + 8) {
            *crc ^= (uint32_t)piece[at % PIECE] << 24;
        }
        for (bit = 0; bit < 8; bit++) {
            *crc = (*crc << 1) ^ ((*crc >> 31) != 0 ? 0x04C11DB7U : 0U);
        }
    }
    return true;
}

/* Arduino's: boot code, 0xAA up to 4096, and there the sketch, which begins
 * with its size and the CRC of it all. Builds before 2.6 have code there: a
 * size that is not the file's is no proof of damage. */
static void read_sketch(struct reader *r, struct bl_esp_image *out)
{
    uint8_t first;
    uint8_t fill;
    uint8_t head[8];
    uint32_t size;
    uint32_t crc;

    if (out->length == 0 || out->length >= SECTOR ||
        !fetch(r, SECTOR - 1, &fill, 1) || fill != 0xAA ||
        !fetch(r, SECTOR, &first, 1) || first != MAGIC ||
        !fetch(r, SKETCH_SIZE, head, sizeof head)) {
        return;
    }
    out->sketch = true;
    size = esp_u32(head);
    if (size > r->source->size || size < SKETCH_SIZE + sizeof head) {
        esp_fault(out, BL_ESP_SKETCH_SIZE, SKETCH_SIZE, r->source->size, size);
    } else if (sketch_crc(r, size, &crc) && crc == esp_u32(head + 4)) {
        out->length = size;
        return;
    } else if (size == r->source->size && !r->failed) {
        esp_fault(out, BL_ESP_SKETCH, SKETCH_SIZE + 4, esp_u32(head + 4), crc);
    }
    out->length = r->source->size;
}

/* Version 2: a flash segment first, then an image as version 1 has it. Its
 * checksum leaves the flash segment out. */
static void read_esp8266_v2(struct reader *r, bl_span head,
                            struct bl_esp_image *out)
{
    uint32_t at = ESP8266_HEADER + ESP_SEGMENT_HEADER;
    uint32_t length = esp_u32(head.p + ESP8266_HEADER + 4);
    uint8_t header[ESP8266_HEADER];
    struct walk w;

    if (head.p[1] != ESP8266_V2_COUNT || length % 4 != 0 ||
        length >= SEGMENT_MAX || !fetch(r, at + length, header, 8) ||
        header[0] != MAGIC) {
        return;
    }
    walk(r, at + length + ESP8266_HEADER, header[1], &w);
    read_esp8266(r, header, BL_ESP_ESP8266_V2, &w, out);
}

/* --- Which of them
 * ------------------------------------------------------------ */

/* A header that says nothing impossible, of a chip that there is. */
static bool plausible(const uint8_t *p)
{
    return bl_esp_chip(esp_u16(p + 12)) != NULL && p[2] <= 5 &&
           p[HASH_FLAG] <= 1 && esp_u32(p + 19) == 0;
}

/* Does the first segment, read as the ESP8266's, go where that one has data,
 * code, or flash? */
static bool loads_on_esp8266(const uint8_t *p)
{
    uint32_t address = esp_u32(p + ESP8266_HEADER);

    return (address >= 0x3FFE8000 && address < 0x40000000) ||
           (address >= 0x40100000 && address < 0x40110000) ||
           (address >= 0x40200000 && address < 0x40400000);
}

/*
 * Both families begin with 0xE9. An image that is whole as one of them is
 * that one; for a damaged one, a known chip or a descriptor speaks for ESP32.
 * One byte of magic alone is no evidence, nor is one wrong byte against it.
 */
static void tell(struct reader *r, bl_span head, struct bl_esp_image *out)
{
    const uint8_t *p = head.p;
    bool described = esp_is_app(head);
    struct walk w;
    struct walk w8266;

    if (p[0] == ESP8266_V2_MAGIC && !described) {
        read_esp8266_v2(r, head, out);
        return;
    }
    walk(r, ESP_HEADER, p[1], &w);
    if (described || (sound(&w) && (p[0] == MAGIC || plausible(p)))) {
        read_esp32(r, head, &w, out);
        return;
    }
    if (p[0] != MAGIC) {
        return;
    }
    walk(r, ESP8266_HEADER, p[1], &w8266);
    if (sound(&w8266) || loads_on_esp8266(p)) {
        read_esp8266(r, p, BL_ESP_ESP8266, &w8266, out);
        read_sketch(r, out);
    } else if (w.whole || plausible(p) || esp_is_bootloader(head)) {
        read_esp32(r, head, &w, out);
    }
}

void bl_esp_image_read(const struct bl_esp_source *source,
                       struct bl_esp_image *out)
{
    uint8_t first[BL_ESP_HEAD];
    struct reader r = {source, false};
    bl_span head = bl_span_of(first, least(source->size, sizeof first));

    memset(out, 0, sizeof *out);
    if (head.n < ESP_DESCRIPTOR) {
        return;
    }
    if (fetch(&r, 0, first, (uint32_t)head.n)) {
        tell(&r, head, out);
    }
    if (r.failed) { /* whatever else it seemed to be */
        out->n_faults = 0;
        esp_fault(out, BL_ESP_READ_FAILED, 0, 0, 0);
    }
}

static bool read_memory(void *context, uint32_t at, void *to, uint32_t n)
{
    const bl_span *file = (const bl_span *)context;

    memcpy(to, file->p + at, n);
    return true;
}

void bl_esp_image_read_span(bl_span file, struct bl_esp_image *out)
{
    struct bl_esp_source source;

    source.context = &file;
    source.size = file.n > UINT32_MAX - 1 ? UINT32_MAX - 1 : (uint32_t)file.n;
    source.read = read_memory;
    bl_esp_image_read(&source, out);
}
