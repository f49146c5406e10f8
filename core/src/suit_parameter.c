/* SPDX-License-Identifier: Apache-2.0 */
/* Single items of a command sequence. */
#include "suit_private.h"

enum { UUID_SIZE = 16 };

const bl_span *bl_suit_section(const struct bl_suit_manifest *manifest,
                               uint32_t section)
{
    switch (section) {
    case SECTION_FETCH:
        return &manifest->fetch;
    case SECTION_INSTALL:
        return &manifest->install;
    case SECTION_VALIDATE:
        return &manifest->validate;
    case SECTION_LOAD:
        return &manifest->load;
    default:
        return &manifest->invoke;
    }
}

bool bl_suit_condition(int32_t code, uint8_t *parameter, bl_status *failure)
{
    static const struct {
        uint8_t code;
        uint8_t parameter;
        uint8_t failure;
    } conditions[] = {
        {SUIT_VENDOR, PARAM_VENDOR, BL_VENDOR},
        {SUIT_CLASS, PARAM_CLASS, BL_CLASS},
        {SUIT_IMAGE_MATCH, PARAM_DIGEST, BL_IMAGE_MISMATCH},
        {SUIT_USE_BEFORE, PARAM_USE_BEFORE, BL_EXPIRED},
        {SUIT_COMPONENT_SLOT, PARAM_SLOT, BL_SLOT},
        {SUIT_CHECK_CONTENT, PARAM_CONTENT, BL_CONTENT},
        {SUIT_ABORT, 0, BL_ABORTED},
        {SUIT_DEVICE_ID, PARAM_DEVICE_ID, BL_DEVICE_ID},
        {SUIT_BATTERY, PARAM_BATTERY, BL_BATTERY},
        {SUIT_AUTHORIZED, PARAM_PRIORITY, BL_NOT_AUTHORIZED},
        {SUIT_VERSION, PARAM_VERSION, BL_VERSION},
    };
    uint32_t i;

    for (i = 0; i < sizeof conditions / sizeof conditions[0]; i++) {
        if (conditions[i].code == code) {
            *parameter = conditions[i].parameter;
            *failure = (bl_status)conditions[i].failure;
            return true;
        }
    }
    return false;
}

uint32_t bl_suit_write_needs(int32_t code)
{
    uint32_t own;

    switch (code) {
    case SUIT_FETCH:
        own = SUIT_BIT(PARAM_URI);
        break;
    case SUIT_WRITE:
        own = SUIT_BIT(PARAM_CONTENT);
        break;
    case SUIT_COPY:
        own = SUIT_BIT(PARAM_SOURCE);
        break;
    case SUIT_APPLY_DELTA:
        own = SUIT_BIT(PARAM_SOURCE) | SUIT_BIT_DELTA;
        break;
    default:
        return 0;
    }
    return own | SUIT_BIT(PARAM_DIGEST) | SUIT_BIT(PARAM_SIZE);
}

bl_status bl_suit_commands(const bl_span *content, struct bl_cbor *commands,
                           uint32_t *items)
{
    bl_cbor_init(commands, *content);
    return bl_cbor_array(commands, items) == BL_OK ? BL_OK : BL_MANIFEST;
}

bl_status bl_suit_sequence(struct bl_cbor *r, struct bl_cbor *commands,
                           uint32_t *items)
{
    bl_span content;

    if (bl_cbor_bstr(r, &content) != BL_OK) {
        return BL_MANIFEST;
    }
    return bl_suit_commands(&content, commands, items);
}

bl_status bl_suit_key(struct bl_cbor *r, bl_span *last, int32_t *key)
{
    int64_t value;

    if (bl_cbor_key_order(r, last) != BL_OK ||
        bl_cbor_int(r, &value) != BL_OK) {
        return BL_MANIFEST;
    }
    *key = value == (int32_t)value ? (int32_t)value : INT32_MIN;
    return BL_OK;
}

bl_status bl_suit_command(struct bl_cbor *r, int32_t *code,
                          struct bl_cbor *argument)
{
    int64_t value;
    bl_span item;

    if (bl_cbor_int(r, &value) != BL_OK || bl_cbor_item(r, &item) != BL_OK) {
        return BL_MANIFEST;
    }
    if (value != (int32_t)value) {
        return BL_COMMAND;
    }
    *code = (int32_t)value;
    bl_cbor_init(argument, item);
    return BL_OK;
}

static bl_status select_one(struct bl_cbor *r, uint32_t n_components,
                            uint32_t place, uint16_t *selection)
{
    uint64_t i;

    if (bl_cbor_uint(r, &i) != BL_OK) {
        return BL_MANIFEST;
    }
    if (i >= n_components) {
        return BL_COMPONENT;
    }
    *selection = (uint16_t)(*selection | (i + 1) << (4 * place));
    return BL_OK;
}

bl_status bl_suit_select(struct bl_cbor *argument, uint32_t n_components,
                         uint16_t *selection)
{
    static const uint16_t all[] = {0, 0x1, 0x21, 0x321, 0x4321};
    uint16_t chosen = 0;
    uint32_t n = 1;
    uint32_t i;
    bool everything;
    bl_status status = BL_OK;

    if (bl_cbor_bool(argument, &everything) == BL_OK) {
        *selection = all[n_components];
        return everything ? BL_OK : BL_MANIFEST;
    }
    if (bl_cbor_peek(argument) == BL_CBOR_ARRAY &&
        (bl_cbor_array(argument, &n) != BL_OK || n == 0)) {
        return BL_MANIFEST;
    }
    if (n > n_components) {
        return BL_TOO_LARGE;
    }
    for (i = 0; status == BL_OK && i < n; i++) {
        status = select_one(argument, n_components, i, &chosen);
    }
    if (status == BL_OK) {
        *selection = chosen;
    }
    return status;
}

static bl_status read_uuid(struct bl_cbor *r, const uint8_t **out)
{
    bl_span bytes;

    if (bl_cbor_bstr(r, &bytes) != BL_OK || bytes.n != UUID_SIZE) {
        return BL_MANIFEST;
    }
    *out = bytes.p;
    return BL_OK;
}

static bl_status read_u32(struct bl_cbor *r, uint32_t *out)
{
    uint64_t value;

    if (bl_cbor_uint(r, &value) != BL_OK) {
        return BL_MANIFEST;
    }
    if (value > UINT32_MAX) {
        return BL_TOO_LARGE;
    }
    *out = (uint32_t)value;
    return BL_OK;
}

static bl_status read_digest(struct bl_cbor *r, const uint8_t **out)
{
    bl_span item;

    if (bl_cbor_bstr(r, &item) != BL_OK) {
        return BL_MANIFEST;
    }
    return bl_suit_digest(item, out);
}

/* Only what RFC 3986 lets stand in a URI: it will be part of a request. */
static bl_status read_uri(struct bl_cbor *r, bl_span *out)
{
    size_t i;

    if (bl_cbor_tstr(r, out) != BL_OK || out->n == 0) {
        return BL_MANIFEST;
    }
    for (i = 0; i < out->n; i++) {
        if (out->p[i] <= 0x20 || out->p[i] >= 0x7F) {
            return BL_MANIFEST;
        }
    }
    return out->n <= BL_SUIT_URI ? BL_OK : BL_TOO_LARGE;
}

static bl_status read_source(struct bl_cbor *r, uint32_t n_components,
                             uint32_t *out)
{
    bl_status status = read_u32(r, out);

    if (status == BL_OK && *out >= n_components) {
        status = BL_COMPONENT;
    }
    return status;
}

bl_status bl_suit_ints(struct bl_cbor *r)
{
    uint32_t items;
    int64_t element;

    if (bl_cbor_array(r, &items) != BL_OK || items == 0) {
        return BL_MANIFEST;
    }
    for (; items > 0; items--) {
        if (bl_cbor_int(r, &element) != BL_OK || element != (int32_t)element) {
            return BL_MANIFEST;
        }
    }
    return bl_cbor_finish(r);
}

/* bstr .cbor [comparison, [+int]] */
static bl_status read_version(struct bl_cbor *r, bl_span *out)
{
    struct bl_cbor in;
    uint32_t items;
    uint64_t comparison;

    if (bl_cbor_bstr(r, out) != BL_OK) {
        return BL_MANIFEST;
    }
    bl_cbor_init(&in, *out);
    if (bl_cbor_array(&in, &items) != BL_OK || items != 2 ||
        bl_cbor_uint(&in, &comparison) != BL_OK || comparison < 1 ||
        comparison > 5) {
        return BL_MANIFEST;
    }
    return bl_suit_ints(&in);
}

/*
 * bstr .cbor {1: transform, 2: index of the base component}, which has one
 * encoding. Any other is a delta that this device does not know: another
 * transform, or with more in it (3 block size, 4 digests of blocks), which it
 * would seem to check when it took them.
 */
static bl_status read_delta(struct bl_cbor *r, uint32_t n_components,
                            uint32_t *base)
{
    static const uint8_t known[] = {0xA2, 1, 1, 2};
    bl_span delta;

    if (bl_cbor_bstr(r, &delta) != BL_OK) {
        return BL_MANIFEST;
    }
    if (delta.n != sizeof known + 1 ||
        memcmp(delta.p, known, sizeof known) != 0) {
        return BL_DELTA;
    }
    *base = delta.p[sizeof known];
    return *base < n_components ? BL_OK : BL_COMPONENT;
}

static bl_status read_parameter(struct bl_cbor *r, int32_t label,
                                uint32_t n_components,
                                struct bl_suit_parameters *p, bool *soft)
{
    bool ignored;
    bl_span args;

    switch (label) {
    case PARAM_VENDOR:
        return read_uuid(r, &p->vendor_id);
    case PARAM_CLASS:
        return read_uuid(r, &p->class_id);
    case PARAM_DEVICE_ID:
        return read_uuid(r, &p->device_id);
    case PARAM_DIGEST:
        return read_digest(r, &p->digest);
    case PARAM_USE_BEFORE:
        return bl_cbor_uint(r, &p->use_before);
    case PARAM_SLOT:
        return read_u32(r, &p->slot);
    case PARAM_SIZE:
        return read_u32(r, &p->size);
    case PARAM_CONTENT:
        return bl_cbor_bstr(r, &p->content);
    case PARAM_URI:
        return read_uri(r, &p->uri);
    case PARAM_SOURCE:
        return read_source(r, n_components, &p->source);
    case PARAM_INVOKE_ARGS:
        return bl_cbor_bstr(r, &args);
    case PARAM_BATTERY:
        return bl_cbor_uint(r, &p->battery);
    case PARAM_PRIORITY:
        return bl_cbor_int(r, &p->priority);
    case PARAM_VERSION:
        return read_version(r, &p->version);
    case PARAM_STRICT_ORDER: /* a device always runs in order */
        return bl_cbor_bool(r, &ignored);
    case PARAM_SOFT_FAILURE:
        return soft == NULL ? BL_PARAMETER : bl_cbor_bool(r, soft);
    case PARAM_ENCRYPTION:
        return BL_ENCRYPTION;
    case PARAM_DELTA:
        return read_delta(r, n_components, &p->base);
    default:
        return BL_PARAMETER;
    }
}

bl_status bl_suit_override(struct bl_cbor *argument, uint32_t n_components,
                           struct bl_suit_parameters *p, bool *soft)
{
    uint32_t pairs;
    int32_t label;
    bl_span last = {NULL, 0};
    bl_status status = BL_OK;

    if (bl_cbor_map(argument, &pairs) != BL_OK || pairs == 0) {
        return BL_MANIFEST;
    }
    if (pairs > BL_SUIT_PARAMETERS) {
        return BL_TOO_LARGE;
    }
    for (; status == BL_OK && pairs > 0; pairs--) {
        status = bl_suit_key(argument, &last, &label);
        if (status == BL_OK && label == PARAM_DELTA) {
            p->set |= SUIT_BIT_DELTA; /* also one that cannot be read */
        }
        if (status == BL_OK) {
            status = read_parameter(argument, label, n_components, p, soft);
        }
        if (status == BL_OK && label != PARAM_DELTA) {
            p->set |= SUIT_BIT(label);
        }
    }
    return status == BL_CBOR ? BL_MANIFEST : status;
}
