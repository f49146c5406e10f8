/* SPDX-License-Identifier: Apache-2.0 */
#include "partition_csv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FIELDS = 6, FIELD = 64, SECTOR = 4096 };

/* name, type, subtype, offset, size, flags */
struct row {
    char field[FIELDS][FIELD];
    int n;
};

struct reader {
    struct call *c;
    const char *path;
    unsigned line;
    uint32_t next; /* where a partition without an offset goes */
    uint32_t n;    /* rows so far */
    uint8_t *rows;
};

static int wrong(struct reader *r, const char *what, const char *value)
{
    return refuse(r->c, EXIT_INPUT, "%s:%u: %s \"%s\"", r->path, r->line, what,
                  keep_text(r->c, bl_span_of(value, strlen(value))));
}

/* Divides a line at its commas, without the blanks around; -1: too long. */
static int divide(bl_span line, struct row *row)
{
    size_t i = 0;

    memset(row, 0, sizeof *row);
    while (row->n < FIELDS) {
        const uint8_t *comma = memchr(line.p + i, ',', line.n - i);
        size_t end = comma == NULL ? line.n : (size_t)(comma - line.p);
        size_t from = i;
        size_t to = end;

        while (from < to && strchr(" \t\r", line.p[from]) != NULL) {
            from++;
        }
        while (to > from && strchr(" \t\r", line.p[to - 1]) != NULL) {
            to--;
        }
        if (to - from >= FIELD) {
            return -1;
        }
        memcpy(row->field[row->n++], line.p + from, to - from);
        if (comma == NULL) {
            return 0;
        }
        i = end + 1;
    }
    return 0;
}

/* "0x1000", "24K", "1M". */
static bool number(const char *text, uint32_t *out)
{
    uint64_t scale = 1;
    char *end;
    uint64_t value;

    if (text[0] < '0' || text[0] > '9') {
        return false;
    }
    errno = 0;
    value = strtoull(text, &end, 0);
    if (*end == 'K' || *end == 'k') {
        scale = 1024;
        end++;
    } else if (*end == 'M' || *end == 'm') {
        scale = 1 << 20;
        end++;
    }
    if (*end != '\0' || errno != 0 || value > UINT32_MAX / scale) {
        return false;
    }
    *out = (uint32_t)(value * scale);
    return true;
}

/* A number below 256, or the name that esp/ has for one. */
static bool named(const char *text, int type, uint8_t *out)
{
    uint32_t value;

    if (number(text, &value) && value < 256) {
        *out = (uint8_t)value;
        return true;
    }
    for (value = 0; value < 256; value++) {
        const char *name =
            type < 0 ? bl_esp_type_name((uint8_t)value)
                     : bl_esp_subtype_name((uint8_t)type, (uint8_t)value);

        if (name[0] != '\0' && strcasecmp(name, text) == 0) {
            *out = (uint8_t)value;
            return true;
        }
    }
    return false;
}

static void put_u32(uint8_t *p, uint32_t value)
{
    int i;

    for (i = 0; i < 4; i++) {
        p[i] = (uint8_t)(value >> 8 * i);
    }
}

static uint32_t flags_of(const char *text)
{
    return (strstr(text, "encrypted") != NULL ? (uint32_t)BL_ESP_FLAG_ENCRYPTED
                                              : 0U) |
           (strstr(text, "readonly") != NULL ? (uint32_t)BL_ESP_FLAG_READONLY
                                             : 0U);
}

static int place(struct reader *r, const struct row *row, uint8_t type,
                 uint32_t *offset, uint32_t *size)
{
    uint32_t align = type == BL_ESP_TYPE_APP ? (uint32_t)BL_ESP_APP_ALIGN
                                             : (uint32_t)SECTOR;

    if (row->field[3][0] == '\0') {
        if (r->next > UINT32_MAX - align) {
            return wrong(r, "no room for", row->field[0]);
        }
        *offset = (r->next + align - 1) / align * align;
    } else if (!number(row->field[3], offset)) {
        return wrong(r, "no offset:", row->field[3]);
    }
    if (!number(row->field[4], size)) {
        return wrong(r, "no size:", row->field[4]);
    }
    r->next = *size > UINT32_MAX - *offset ? UINT32_MAX : *offset + *size;
    return 0;
}

static int read_row(struct reader *r, const struct row *row)
{
    uint8_t *out = r->rows + (size_t)r->n * BL_ESP_ROW;
    size_t label = strlen(row->field[0]);
    uint8_t type;
    uint8_t subtype;
    uint32_t offset = 0;
    uint32_t size = 0;
    int code;

    if (r->n + 2 > BL_ESP_ROWS) {
        return wrong(r, "one partition too many:", row->field[0]);
    }
    if (label > BL_ESP_LABEL) {
        return wrong(r, "a name of more than 16 bytes:", row->field[0]);
    }
    if (!named(row->field[1], -1, &type)) {
        return wrong(r, "no type that is known:", row->field[1]);
    }
    if (!named(row->field[2], type, &subtype)) {
        return wrong(r, "no subtype that is known:", row->field[2]);
    }
    code = place(r, row, type, &offset, &size);
    if (code != 0) {
        return code;
    }
    memset(out, 0, BL_ESP_ROW);
    out[0] = 0xAA;
    out[1] = 0x50;
    out[2] = type;
    out[3] = subtype;
    put_u32(out + 4, offset);
    put_u32(out + 8, size);
    memcpy(out + 12, row->field[0], label);
    put_u32(out + 28, flags_of(row->field[5]));
    r->n++;
    return 0;
}

static int read_line(struct reader *r, bl_span line)
{
    struct row row;
    size_t blank = 0;

    while (blank < line.n && (line.p[blank] == ' ' || line.p[blank] == '\t')) {
        blank++;
    }
    if (blank < line.n && line.p[blank] == '#') {
        return 0;
    }
    if (divide(line, &row) != 0) {
        return wrong(r, "a field is longer than any can be:", "...");
    }
    if (row.n == 1 && row.field[0][0] == '\0') {
        return 0;
    }
    if (row.n < 5) {
        return wrong(r, "a partition is name, type, subtype, offset, size:",
                     row.field[0]);
    }
    return read_row(r, &row);
}

int partition_csv(struct call *c, const char *path, bl_span text,
                  uint32_t table_offset, uint8_t rows[BL_ESP_TABLE_SIZE])
{
    struct reader r = {c, path, 0, table_offset + SECTOR, 0, rows};
    int code = 0;

    memset(rows, 0xFF, BL_ESP_TABLE_SIZE);
    if (text.n >= 3 && memcmp(text.p, "\xEF\xBB\xBF", 3) == 0) {
        text = bl_span_of(text.p + 3, text.n - 3);
    }
    while (code == 0 && text.n > 0) {
        const uint8_t *end = memchr(text.p, '\n', text.n);
        size_t n = end == NULL ? text.n : (size_t)(end - text.p);
        size_t step = n + (end != NULL);

        r.line++;
        code = read_line(&r, bl_span_of(text.p, n));
        text = bl_span_of(text.p + step, text.n - step);
    }
    return code;
}
