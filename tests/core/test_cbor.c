/* SPDX-License-Identifier: Apache-2.0 */
#include "bowline/cbor.h"
#include "cmocka_all.h"
#include "vectors.h"

static struct vectors pool;

static struct bl_cbor reader(const char *hex)
{
    struct bl_cbor r;

    bl_cbor_init(&r, vectors_bytes(&pool, hex));
    return r;
}

/* bl_cbor_item over the whole of `hex`: all read, or refused unmoved. */
static bl_status whole(const char *hex)
{
    struct bl_cbor r = reader(hex);
    struct bl_cbor before = r;
    bl_span item = {NULL, 0};
    bl_status s = bl_cbor_item(&r, &item);

    if (s != BL_OK) {
        assert_ptr_equal(r.p, before.p);
        assert_null(item.p);
        return s;
    }
    assert_ptr_equal(item.p, before.p);
    assert_int_equal(item.n, r.p - before.p);
    return bl_cbor_finish(&r);
}

/* RFC 8949 appendix A, the rows that core deterministic encoding without
 * floats allows. */
static void item_accepts_the_examples_of_the_rfc(void **state)
{
    static const char *const good[] = {
        "00",
        "01",
        "0a",
        "17",
        "1818",
        "1819",
        "1864",
        "1903e8",
        "1a000f4240",
        "1b000000e8d4a51000",
        "1bffffffffffffffff",
        "3bffffffffffffffff",
        "20",
        "29",
        "3863",
        "3903e7",
        "f4",
        "f5",
        "f6",
        "c074323031332d30332d32315432303a30343a30305a",
        "d74401020304",
        "d818456449455446",
        "40",
        "4401020304",
        "60",
        "6161",
        "6449455446",
        "62225c",
        "62c3bc",
        "63e6b0b4",
        "64f0908591",
        "80",
        "83010203",
        "8301820203820405",
        "98190102030405060708090a0b0c0d0e0f101112131415161718181819",
        "a0",
        "a201020304",
        "a26161016162820203",
        "826161a161626163",
        "a56161614161626142616361436164614461656145"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(whole(good[i]), BL_OK);
    }
}

static void item_refuses_what_is_not_deterministic(void **state)
{
    static const char *const bad[] = {
        /* heads longer than needed, in every type */
        "1800", "1817", "190000", "1900ff", "1a00000000", "1a0000ffff",
        "1b0000000000000000", "1b00000000ffffffff", "3817", "390017", "5800",
        "590001ff", "780161", "9800", "990000", "b800", "b900010102", "d817f6",
        /* indefinite lengths, breaks and reserved heads */
        "5f41ff4100ff", "7f6161ff", "9fff", "bfff", "ff", "1c", "1d", "1e",
        "1f", "3c", "3f", "5c", "7d", "9e", "bc", "dc", "fc", "df",
        /* floats and simple values but false, true, null */
        "f97e00", "f90000", "fa47c35000", "fb3ff199999999999a", "f7", "e0",
        "f0", "f3", "f800", "f814", "f818", "f8ff", "f90014", "fa00000014",
        /* keys twice, or not in bytewise order of their encodings */
        "a201020103", "a203040102", "a220010a02", "a2616101010a",
        "a2616201616102", "a2626161016162f6", "a2810100810000", "a2f50120f5",
        /* text that is not UTF-8 */
        "6180", "61ff", "62c080", "62c1bf", "62c328", "63e08080", "63eda080",
        "63edbfbf", "64f0808080", "64f4908080", "64f5808080", "61c3", "62e6b0",
        "63f09085", "6461e6b061",
        /* lengths that lie */
        "5bffffffffffffffff00", "5b7fffffffffffffff", "5affffffff",
        "7bffffffffffffffff", "9bffffffffffffffff", "9affffffff00",
        "9b0000000100000000", "bbffffffffffffffff", "bb8000000000000000",
        "ba8000000000", "ba7fffffff", "bb0000000080000000", "8201", "a101",
        "a20102", "a1", "81", "c1", "4201", ""};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (whole(bad[i]) != BL_CBOR) {
            fail_msg("accepted: %s", bad[i]);
        }
    }
}

static void item_refuses_every_truncation(void **state)
{
    static const char hex[] =
        "d86ba30258265824822f5820"
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
        "03a2018262c3bc1903e821f5616181a1f4d74401020304";
    bl_span all = vectors_bytes(&pool, hex);
    size_t n;

    (void)state;
    assert_int_equal(whole(hex), BL_OK);
    for (n = 0; n < all.n; n++) {
        struct bl_cbor r;
        const uint8_t *before;
        bl_span part =
            bl_span_of(vectors_copy(&pool, bl_span_of(all.p, n)), n);

        bl_cbor_init(&r, part);
        before = r.p;
        assert_int_equal(bl_cbor_item(&r, NULL), BL_CBOR);
        assert_ptr_equal(r.p, before);
    }
}

static void nested(char *hex, const char *open, unsigned depth)
{
    unsigned i;

    hex[0] = '\0';
    for (i = 0; i < depth; i++) {
        strcat(hex, open);
    }
    strcat(hex, "00");
}

static void item_nests_eight_deep_and_no_deeper(void **state)
{
    static const char *const opens[] = {"81", "a100", "c1"};
    char hex[4 * 64 + 3];
    size_t i;

    (void)state;
    for (i = 0; i < 3; i++) {
        nested(hex, opens[i], BL_CBOR_DEPTH);
        assert_int_equal(whole(hex), BL_OK);
        nested(hex, opens[i], BL_CBOR_DEPTH + 1);
        assert_int_equal(whole(hex), BL_CBOR);
        nested(hex, opens[i], 64);
        assert_int_equal(whole(hex), BL_CBOR);
    }
    /* depth is given back: eight deep, twice */
    assert_int_equal(whole("82"
                           "8181818181818100"
                           "8181818181818100"),
                     BL_OK);
    assert_int_equal(whole("82"
                           "8181818181818100"
                           "818181818181818100"),
                     BL_CBOR);
    /* an empty container needs its level too */
    assert_int_equal(whole("8181818181818180"), BL_OK);
    assert_int_equal(whole("818181818181818180"), BL_CBOR);
}

static void item_orders_keys_of_outer_maps_after_nested_ones(void **state)
{
    (void)state;
    assert_int_equal(whole("a201a1050602a10304"), BL_OK);
    assert_int_equal(whole("a202a1050601a10304"), BL_CBOR);
    /* containers as keys */
    assert_int_equal(whole("a281000081010080"), BL_CBOR);
    assert_int_equal(whole("a28100008101a0"), BL_OK);
    assert_int_equal(whole("a28101008100a0"), BL_CBOR);
    assert_int_equal(whole("a2a10102f5a10103f5"), BL_OK);
    assert_int_equal(whole("a2a10103f5a10102f5"), BL_CBOR);
    /* byte strings: the shorter encoding comes first, whatever it holds */
    assert_int_equal(whole("a241ff00420000f5"), BL_OK);
    assert_int_equal(whole("a242000000"
                           "41fff5"),
                     BL_CBOR);
}

static void key_order_takes_ascending_keys_only(void **state)
{
    struct bl_cbor r = reader("0001181820"
                              "6161");
    bl_span last = {NULL, 0};
    bl_span item;
    const uint8_t *at;
    int i;

    (void)state;
    for (i = 0; i < 5; i++) {
        at = r.p;
        assert_int_equal(bl_cbor_key_order(&r, &last), BL_OK);
        assert_ptr_equal(r.p, at);
        assert_int_equal(bl_cbor_item(&r, &item), BL_OK);
        assert_true(bl_span_equal(item, last));
    }
    assert_int_equal(bl_cbor_key_order(&r, &last), BL_CBOR);
    r = reader("6161");
    assert_int_equal(bl_cbor_key_order(&r, &last), BL_CBOR); /* again */
    r = reader("20");
    assert_int_equal(bl_cbor_key_order(&r, &last), BL_CBOR); /* before */
}

static void next_key_takes_ascending_numbers_only(void **state)
{
    static const uint64_t wanted[] = {0, 1, 24, 1ULL << 32};
    static const char *const bad[] = {
        "05", "00", "20", "6161", "1806", "", "1bffffffffffffffff"};
    struct bl_cbor r = reader("0001"
                              "1818"
                              "1b0000000100000000");
    uint64_t next = 0;
    uint64_t key = 99;

    (void)state;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        assert_int_equal(bl_cbor_next_key(&r, &next, &key), BL_OK);
        assert_true(key == wanted[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const uint8_t *at;

        r = reader(bad[i]);
        at = r.p;
        next = 6; /* 5 came before */
        key = 99;
        assert_int_equal(bl_cbor_next_key(&r, &next, &key), BL_CBOR);
        assert_true(next == 6 && key == 99);
        assert_ptr_equal(r.p, at);
    }
}

static void integers_keep_their_whole_range(void **state)
{
    struct bl_cbor r;
    uint64_t u = 7;
    int64_t i = 7;

    (void)state;
    r = reader("1bffffffffffffffff");
    assert_int_equal(bl_cbor_int(&r, &i), BL_CBOR);
    assert_int_equal(i, 7);
    assert_int_equal(bl_cbor_uint(&r, &u), BL_OK);
    assert_true(u == UINT64_MAX);
    r = reader("1b7fffffffffffffff");
    assert_int_equal(bl_cbor_int(&r, &i), BL_OK);
    assert_true(i == INT64_MAX);
    r = reader("3b7fffffffffffffff");
    assert_int_equal(bl_cbor_int(&r, &i), BL_OK);
    assert_true(i == INT64_MIN);
    r = reader("3b8000000000000000");
    assert_int_equal(bl_cbor_int(&r, &i), BL_CBOR);
    r = reader("29");
    assert_int_equal(bl_cbor_uint(&r, &u), BL_CBOR);
    assert_int_equal(bl_cbor_int(&r, &i), BL_OK);
    assert_int_equal(i, -10);
}

/* Every reader against one item of every type: only its own is taken. */
static void readers_take_their_own_type_only(void **state)
{
    static const char *const items[] = {
        "05", "25", "4101", "6161", "8101", "a10102", "c101", "f5", "f6", ""};
    uint64_t u;
    int64_t i;
    uint32_t n;
    bl_span s;
    bool b;
    size_t k;

    (void)state;
    for (k = 0; k < 10; k++) {
        struct bl_cbor r[9];
        size_t j;

        for (j = 0; j < 9; j++) {
            r[j] = reader(items[k]);
        }
        assert_int_equal(bl_cbor_peek(&r[0]), k < 8 ? k : k - 1);
        assert_int_equal(bl_cbor_uint(&r[0], &u) == BL_OK, k == 0);
        assert_int_equal(bl_cbor_int(&r[1], &i) == BL_OK, k <= 1);
        assert_int_equal(bl_cbor_bstr(&r[2], &s) == BL_OK, k == 2);
        assert_int_equal(bl_cbor_tstr(&r[3], &s) == BL_OK, k == 3);
        assert_int_equal(bl_cbor_array(&r[4], &n) == BL_OK, k == 4);
        assert_int_equal(bl_cbor_map(&r[5], &n) == BL_OK, k == 5);
        assert_int_equal(bl_cbor_tag(&r[6], &u) == BL_OK, k == 6);
        assert_int_equal(bl_cbor_bool(&r[7], &b) == BL_OK, k == 7);
        assert_int_equal(bl_cbor_nil(&r[8]) == BL_OK, k == 8);
    }
}

static void counts_never_exceed_the_bytes_left(void **state)
{
    struct bl_cbor r;
    uint32_t n = 99;

    (void)state;
    r = reader("830000");
    assert_int_equal(bl_cbor_array(&r, &n), BL_CBOR);
    r = reader("a20000"
               "00");
    assert_int_equal(bl_cbor_map(&r, &n), BL_CBOR);
    assert_int_equal(n, 99);
    r = reader("83000000");
    assert_int_equal(bl_cbor_array(&r, &n), BL_OK);
    assert_int_equal(n, 3);
}

static void an_empty_span_without_address_is_an_empty_input(void **state)
{
    struct bl_cbor r;

    (void)state;
    bl_cbor_init(&r, bl_span_of(NULL, 0));
    assert_int_equal(bl_cbor_peek(&r), BL_CBOR_END);
    assert_int_equal(bl_cbor_finish(&r), BL_OK);
    assert_int_equal(bl_cbor_item(&r, NULL), BL_CBOR);
}

static void write_all(struct bl_cbor_writer *w)
{
    bl_cbor_put_array(w, 12);
    bl_cbor_put_uint(w, UINT64_MAX);
    bl_cbor_put_int(w, INT64_MIN);
    bl_cbor_put_int(w, 24);
    bl_cbor_put_int(w, -256);
    bl_cbor_put_int(w, -257);
    bl_cbor_put_uint(w, 65536);
    bl_cbor_put_bstr(w, bl_span_of("\x01\x02", 2));
    bl_cbor_put_map(w, 1);
    bl_cbor_put_tstr(w, "a");
    bl_cbor_put_bool(w, true);
    bl_cbor_put_bool(w, false);
    bl_cbor_put_nil(w);
    bl_cbor_put_tag(w, 107);
    bl_cbor_put_text(w, bl_span_of("IETF", 4));
    bl_cbor_put_raw(w, bl_span_of("\x80", 1));
}

static void writer_writes_what_the_reader_takes(void **state)
{
    static const char hex[] =
        "8c1bffffffffffffffff3b7fffffffffffffff181838ff3901001a00010000"
        "420102a16161f5f4f6d86b644945544680";
    struct bl_cbor_writer w;
    uint8_t buffer[64];
    bl_span out;

    (void)state;
    bl_cbor_writer_init(&w, buffer, sizeof buffer);
    write_all(&w);
    assert_int_equal(bl_cbor_writer_finish(&w, &out), BL_OK);
    assert_true(bl_span_equal(out, vectors_bytes(&pool, hex)));
    assert_int_equal(whole(hex), BL_OK);
}

static void writer_latches_the_first_overflow(void **state)
{
    size_t size;
    bl_span out = {NULL, 0};

    (void)state;
    for (size = 0; size < 48; size++) {
        struct bl_cbor_writer w;
        uint8_t *buffer = malloc(size + 1);

        buffer[size] = 0x5A;
        bl_cbor_writer_init(&w, buffer, size);
        write_all(&w);
        bl_cbor_put_bstr(&w, bl_span_of(NULL, 0)); /* would often fit again */
        assert_int_equal(bl_cbor_writer_finish(&w, &out), BL_BUFFER);
        assert_null(out.p);
        assert_true(w.n <= size);
        assert_int_equal(buffer[size], 0x5A);
        free(buffer);
    }
}

static void bstr_head_is_the_shortest(void **state)
{
    static const struct {
        uint64_t n;
        const char *hex;
    } heads[] = {{0, "40"},
                 {23, "57"},
                 {24, "5818"},
                 {255, "58ff"},
                 {256, "590100"},
                 {65535, "59ffff"},
                 {65536, "5a00010000"},
                 {UINT32_MAX, "5affffffff"},
                 {(uint64_t)UINT32_MAX + 1, "5b0000000100000000"}};
    uint8_t head[9];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        size_t n = bl_cbor_bstr_head(head, heads[i].n);

        assert_true(bl_span_equal(bl_span_of(head, n),
                                  vectors_bytes(&pool, heads[i].hex)));
    }
}

static int open_pool(void **state)
{
    (void)state;
    vectors_open(&pool, "cose/sign-flat.json");
    return 0;
}

static int close_pool(void **state)
{
    (void)state;
    vectors_close(&pool);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(item_accepts_the_examples_of_the_rfc),
        cmocka_unit_test(item_refuses_what_is_not_deterministic),
        cmocka_unit_test(item_refuses_every_truncation),
        cmocka_unit_test(item_nests_eight_deep_and_no_deeper),
        cmocka_unit_test(item_orders_keys_of_outer_maps_after_nested_ones),
        cmocka_unit_test(key_order_takes_ascending_keys_only),
        cmocka_unit_test(next_key_takes_ascending_numbers_only),
        cmocka_unit_test(integers_keep_their_whole_range),
        cmocka_unit_test(readers_take_their_own_type_only),
        cmocka_unit_test(counts_never_exceed_the_bytes_left),
        cmocka_unit_test(an_empty_span_without_address_is_an_empty_input),
        cmocka_unit_test(writer_writes_what_the_reader_takes),
        cmocka_unit_test(writer_latches_the_first_overflow),
        cmocka_unit_test(bstr_head_is_the_shortest),
    };

    return cmocka_run_group_tests(tests, open_pool, close_pool);
}
