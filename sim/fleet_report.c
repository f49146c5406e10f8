/* SPDX-License-Identifier: Apache-2.0 */
/* What devices truly run: read from their flash, not from their words. */
#include "fleet_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto_cache.h"
#include "host/file.h"

static struct bl_suit_platform identity_of(const struct fleet_device *d)
{
    const struct fleet_factory *f = &d->shard->fleet->factory;

    return (struct bl_suit_platform){
        .vendor_id = f->vendor_id,
        .class_id = f->class_id,
        .n_class_ids = 1,
        .device_id = d->id,
    };
}

void fleet_truth_read(struct fleet_device *d, struct fleet_truth *t)
{
    const struct bl_suit_platform identity = identity_of(d);
    struct bl_slot_facts facts;
    struct bl_root root;
    bl_span document;

    memset(t, 0, sizeof *t);
    fleet_flash_power_on(&d->flash);
    t->has_state = bl_state_load(&d->layout, &t->state) == BL_OK;
    if (!t->has_state || d->started == 0 ||
        bl_root_load(&d->layout, d->root, sizeof d->root, &document, &root) !=
            BL_OK) {
        return;
    }
    t->slot = (uint8_t)(d->started - 1);
    t->whole = bl_slot_check(&d->layout, t->slot, &root, &identity,
                             &sim_crypto, d->envelope, sizeof d->envelope,
                             d->io, sizeof d->io, &facts) == BL_OK &&
               facts.whole == BL_GOOD;
    t->confirmed = t->state.trial != t->slot &&
                   t->state.slot[t->slot].status == BL_SLOT_CONFIRMED;
    memcpy(t->manifest, facts.manifest, 32);
    memcpy(t->image, facts.image_digest, 32);
    t->version = d->release != NULL ? d->release->version : "";
}

static json_t *hex(const uint8_t *bytes, size_t n)
{
    char text[65];

    hex_encode(bytes, n, text);
    return json_string(text);
}

static json_t *offers_of(const struct fleet_device *d)
{
    json_t *out = json_array();

    for (uint32_t i = 0; i < d->n_offers; i++) {
        json_array_append_new(
            out, json_pack("{s:I, s:o}", "time", (json_int_t)d->offer[i].time,
                           "manifest", hex(d->offer[i].manifest, 32)));
    }
    return out;
}

static json_t *counts_of(const struct fleet_device *d)
{
    return json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
        "boots", (json_int_t)d->boots, "crashes", (json_int_t)d->crashes,
        "confirmations", (json_int_t)d->confirmations, "returned",
        (json_int_t)d->returned, "failed", (json_int_t)d->failed, "refused",
        (json_int_t)d->refused, "power_cuts", (json_int_t)d->power_cuts,
        "polls", (json_int_t)d->polls, "bytes", (json_int_t)d->bytes, "acked",
        (json_int_t)d->acked, "patched", (json_int_t)d->patch.installed,
        "patches_failed", (json_int_t)d->patch.failed, "patch_saved",
        (json_int_t)d->patch.saved);
}

json_t *fleet_truth_json(const struct fleet_device *d,
                         const struct fleet_truth *t)
{
    json_t *out = json_pack(
        "{s:o, s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:o, s:o, s:b, s:s, s:I,"
        " s:s, s:o}",
        "id", hex(d->id, BL_ID_SIZE), "name", d->name, "hardware", d->hardware,
        "profile", fleet_profile_name(d->profile), "power",
        fleet_power_name(d->power), "settled", (int)d->settled, "slot",
        t->slot == BL_SLOT_A ? "A" : "B", "version",
        t->version != NULL ? t->version : "", "manifest", hex(t->manifest, 32),
        "image", hex(t->image, 32), "confirmed", (int)t->confirmed, "state",
        bl_device_state_name(d->client.device_state), "floor",
        (json_int_t)t->state.floor, "behaviour",
        fleet_behaviour_name(d->behaviour), "offers", offers_of(d));
    json_t *counts = counts_of(d);

    json_object_update(out, counts);
    json_decref(counts);
    return out;
}

int fleet_report_write(struct fleet *fleet, struct error *err)
{
    struct buffer text = BUFFER((size_t)1 << 32);
    int result = 0;

    for (uint32_t i = 0; result == 0 && i < fleet->options.devices; i++) {
        struct fleet_truth truth;
        json_t *line;
        char *dump;

        fleet_truth_read(&fleet->device[i], &truth);
        line = fleet_truth_json(&fleet->device[i], &truth);
        dump = json_dumps(line, JSON_COMPACT);
        result = dump == NULL ? error_set(err, "out of memory")
                              : buffer_printf(&text, err, "%s\n", dump);
        free(dump);
        json_decref(line);
    }
    if (result == 0) {
        result =
            file_write(fleet->options.report, buffer_span(&text), 0644, err);
    }
    buffer_free(&text);
    return result;
}
