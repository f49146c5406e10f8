/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fills a server's database with devices that have all reported, through the
 * server's own code and schema; the server is not running. For measurements:
 *
 *   bench_fill DATABASE PRODUCT COUNT MANIFEST SEQUENCE VERSION
 *
 * Device n has the id SHA-256("device n")[0..16] and the secret
 * SHA-256("secret n"), so that a load generator can speak for it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bowline/sha256.h"
#include "host/file.h"
#include "store.h"

enum { AT_ONCE = 20000, POLL_S = 1800 };

struct fill {
    struct store store;
    struct device_state state; /* of every device */
    uint32_t product;
    uint32_t count;
    struct error err;
};

static void digest_of(const char *what, uint32_t n, uint8_t out[32])
{
    char text[32];
    int length = snprintf(text, sizeof text, "%s %" PRIu32, what, n);

    bl_sha256(text, (size_t)length, out);
}

static void describe(struct fill *f, uint32_t n, struct device_state *out)
{
    static const char *const hardware[] = {"rev-a", "rev-b", "rev-c"};
    uint32_t now = (uint32_t)time(NULL);

    *out = f->state;
    snprintf(out->hardware, sizeof out->hardware, "%s", hardware[n % 3]);
    out->first_seen = now - 86400 * (1 + n % 300);
    out->last_seen = now - n % POLL_S;
    out->battery = (uint8_t)(n % 101);
    out->link = DEVICE_LINK_KNOWN | (n % 10 == 0 ? DEVICE_METERED : 0);
    out->utc_offset = (int16_t)((int)(n % 24) * 60 - 720);
}

static int add(struct fill *f, uint32_t n)
{
    struct device d;
    struct device_state state;
    uint8_t digest[32];
    char name[32];
    char tags[] = "[\"bench\"]";
    char channel[] = "";
    char attributes[64];
    uint32_t number;

    memset(&d, 0, sizeof d);
    digest_of("device", n, digest);
    memcpy(d.id, digest, sizeof d.id);
    digest_of("secret", n, digest);
    bl_sha256(digest, sizeof digest, d.token);
    snprintf(name, sizeof name, "device-%07" PRIu32, n);
    snprintf(attributes, sizeof attributes,
             "{\"os\":\"zephyr 3.7\",\"site\":\"hall-%" PRIu32 "\"}", n % 50);
    d.product = f->product;
    d.name = name;
    d.tags = tags;
    d.channel = channel;
    describe(f, n, &state);
    return store_device_add(&f->store, &d, &number, &f->err) != 0 ||
                   store_state_put(&f->store, number, &state, &f->err) != 0 ||
                   store_attributes_put(&f->store, number, attributes,
                                        &f->err) != 0
               ? -1
               : 0;
}

static int fill(struct fill *f)
{
    for (uint32_t n = 0; n < f->count;) {
        uint32_t end = f->count - n > AT_ONCE ? n + AT_ONCE : f->count;

        if (store_begin(&f->store, &f->err) != 0) {
            return -1;
        }
        for (; n < end; n++) {
            if (add(f, n) != 0) {
                return store_abort(&f->store);
            }
        }
        if (store_commit(&f->store, &f->err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int read_number(void *ctx, sqlite3_stmt *row)
{
    *(uint32_t *)ctx = (uint32_t)sqlite3_column_int64(row, 0);
    return 1;
}

static int find_product(struct fill *f, const char *name)
{
    if (db_each(&f->store.db, &f->err, read_number, &f->product,
                "SELECT number FROM products WHERE name = ?", "t",
                name) != 0) {
        return -1;
    }
    return f->product == 0 ? error_set(&f->err, "no product %s", name) : 0;
}

static int take_release(struct fill *f, char **argv)
{
    struct device_state *s = &f->state;

    device_state_init(s);
    s->sequence = strtoull(argv[1], NULL, 10);
    s->floor = s->sequence;
    s->root_version = 1;
    s->confirmed = 1;
    snprintf(s->version, sizeof s->version, "%s", argv[2]);
    return hex_decode(argv[0], strlen(argv[0]), s->manifest, 32) == 0
               ? 0
               : error_set(&f->err, "MANIFEST is not 64 hex digits");
}

int main(int argc, char **argv)
{
    static struct fill f;
    int failed;

    if (argc != 7) {
        fprintf(stderr, "usage: bench_fill DATABASE PRODUCT COUNT MANIFEST"
                        " SEQUENCE VERSION\n");
        return 2;
    }
    f.count = (uint32_t)strtoul(argv[3], NULL, 10);
    failed = store_open(&f.store, argv[1], &f.err);
    if (failed == 0) {
        failed = find_product(&f, argv[2]) != 0 ||
                 take_release(&f, argv + 4) != 0 || fill(&f) != 0;
        store_close(&f.store);
    }
    if (failed != 0) {
        fprintf(stderr, "bench_fill: %s\n", f.err.text);
    }
    return failed != 0;
}
