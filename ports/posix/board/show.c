/* SPDX-License-Identifier: Apache-2.0 */
/* What is on the chip: for people, or as JSON for programs. */
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "board.h"
#include "host/file.h"
#include "posix/crypto.h"
#include "posix/describe.h"

enum { ENVELOPE = 16384, IO = 8192, EVENTS = 512 };

static const char help[] =
    "bowline-device show --dir DIR [--json]\n"
    "\n"
    "State record, slots and journal of a device, read from its chip. Reads\n"
    "only; the device may be switched on.\n";

struct slot_view {
    struct bl_slot_facts facts;
    bool checked;
    char version[VERSION_TEXT];
};

struct view {
    struct device_config config;
    struct flash_file flash;
    struct bl_root root;
    bool has_root;
    struct bl_state state;
    struct slot_view slot[2];
    struct bl_event event[EVENTS];
    uint32_t n_events;
    uint8_t *root_bytes;
    uint8_t envelope[ENVELOPE];
    uint8_t io[IO];
};

/* --- Reading ---------------------------------------------------------------
 */

static void read_slot(struct view *v, uint8_t slot)
{
    const struct device_config *c = &v->config;
    struct slot_view *out = &v->slot[slot];
    struct bl_suit_platform identity = {
        .vendor_id = c->vendor_id,
        .class_id = c->class_id,
        .n_class_ids = 1,
        .device_id = c->id,
    };
    bl_span envelope;

    if (v->state.slot[slot].status == BL_SLOT_EMPTY ||
        bl_slot_envelope(&c->layout, slot, v->envelope, sizeof v->envelope,
                         &envelope) != BL_OK) {
        return;
    }
    describe_version(envelope, out->version);
    out->checked =
        v->has_root &&
        bl_slot_check(&c->layout, slot, &v->root, &identity, &posix_crypto,
                      v->envelope, sizeof v->envelope, v->io, sizeof v->io,
                      &out->facts) == BL_OK;
}

static bl_status read_journal(struct view *v)
{
    struct bl_journal journal;
    uint32_t after = 0;
    uint32_t n = 1;
    bl_status status = bl_journal_open(&journal, &v->config.layout);

    while (status == BL_OK && n > 0 && v->n_events < EVENTS) {
        status = bl_journal_read(&journal, after, v->event + v->n_events,
                                 EVENTS - v->n_events, &n);
        if (status == BL_OK && n > 0) {
            v->n_events += n;
            after = v->event[v->n_events - 1].number;
        }
    }
    return status;
}

static int read_chip(struct view *v, struct error *err)
{
    const struct bl_layout *layout = &v->config.layout;
    bl_span document;
    bl_status status;

    v->root_bytes = malloc(layout->root[0].size);
    if (v->root_bytes == NULL) {
        return error_set(err, "out of memory");
    }
    v->has_root = bl_root_load(layout, v->root_bytes, layout->root[0].size,
                               &document, &v->root) == BL_OK;
    status = bl_state_load(layout, &v->state);
    if (status == BL_OK) {
        status = read_journal(v);
    }
    if (status != BL_OK) {
        return error_status(err, status, "%s", v->config.flash_path);
    }
    read_slot(v, BL_SLOT_A);
    read_slot(v, BL_SLOT_B);
    return 0;
}

/* --- For people ------------------------------------------------------------
 */

static const char *verdict(const struct slot_view *slot)
{
    if (!slot->checked || slot->facts.whole != BL_GOOD) {
        return "does not verify";
    }
    return slot->facts.signed_ok == BL_GOOD ? "verifies"
                                            : "whole, signed by older keys";
}

static void print_slot(const struct view *v, uint8_t slot)
{
    const struct bl_slot_record *record = &v->state.slot[slot];
    const char *role = v->state.active == slot  ? ", active"
                       : v->state.trial == slot ? ", on trial"
                                                : "";

    (void)printf("slot %c    %s%s", describe_slot(slot),
                 describe_slot_status(record->status), role);
    if (record->status != BL_SLOT_EMPTY) {
        (void)printf(", release %" PRIu64, record->sequence);
    }
    if (v->slot[slot].version[0] != '\0') {
        (void)printf(" (%s), %s", v->slot[slot].version,
                     verdict(&v->slot[slot]));
    }
    (void)printf("\n");
}

static void print_text(const struct view *v)
{
    char id[33];

    hex_encode(v->config.id, BL_ID_SIZE, id);
    (void)printf("device    %s, %s%s%s\n", v->config.name,
                 v->config.product[0] == '\0' ? "no product name"
                                              : v->config.product,
                 v->config.hardware[0] == '\0' ? "" : ", revision ",
                 v->config.hardware);
    (void)printf("id        %s\nserver    %s\n", id, v->config.server);
    (void)printf("floor     release %" PRIu64 ", root document %" PRIu64 "\n",
                 v->state.floor, v->has_root ? v->root.version : 0);
    (void)printf("boots     %" PRIu32 ", last reset: %s\n", v->state.boots,
                 bl_reset_cause_name((bl_reset_cause)v->state.last_reset));
    print_slot(v, BL_SLOT_A);
    print_slot(v, BL_SLOT_B);
    for (uint32_t i = 0; i < v->n_events; i++) {
        char text[DESCRIPTION];

        describe_event(&v->event[i], text);
        (void)printf(
            "%5" PRIu32 "  boot %-4" PRIu32 " %6" PRIu32 " s  slot %c  %s\n",
            v->event[i].number, v->event[i].boot, v->event[i].uptime_s,
            describe_slot(v->event[i].slot), text);
    }
}

/* --- For programs ----------------------------------------------------------
 */

static json_t *hex(const uint8_t *bytes, size_t n)
{
    char text[2 * 32 + 1];

    hex_encode(bytes, n, text);
    return json_string(text);
}

static json_t *slot_name(uint8_t slot)
{
    char name[2] = {describe_slot(slot), '\0'};

    return slot == BL_SLOT_NONE ? json_null() : json_string(name);
}

static json_t *slot_json(const struct view *v, uint8_t slot)
{
    const struct bl_slot_record *r = &v->state.slot[slot];
    const struct slot_view *s = &v->slot[slot];
    bool whole = s->checked && s->facts.whole == BL_GOOD;
    bool trusted = s->checked && s->facts.signed_ok == BL_GOOD;

    return json_pack("{s:o, s:s, s:b, s:I, s:o, s:s, s:b, s:b, s:I, s:o}",
                     "slot", slot_name(slot), "status",
                     describe_slot_status(r->status), "permitted",
                     r->permitted, "sequence", (json_int_t)r->sequence,
                     "manifest", hex(r->manifest, 32), "version", s->version,
                     "whole", whole, "trusted", trusted, "image_size",
                     (json_int_t)(whole ? s->facts.image_size : 0), "image",
                     whole ? hex(s->facts.image_digest, 32) : json_null());
}

static json_t *event_json(const struct bl_event *e)
{
    return json_pack("{s:I, s:I, s:I, s:s, s:s, s:i, s:I, s:o, s:i, s:s}",
                     "number", (json_int_t)e->number, "boot",
                     (json_int_t)e->boot, "uptime", (json_int_t)e->uptime_s,
                     "state", bl_device_state_name((bl_device_state)e->state),
                     "code", bl_status_name((bl_status)e->code), "code_number",
                     (int)e->code, "sequence", (json_int_t)e->sequence, "slot",
                     slot_name(e->slot), "attempt", (int)e->attempt, "reset",
                     bl_reset_cause_name((bl_reset_cause)e->reset));
}

static json_t *state_json(const struct bl_state *s)
{
    return json_pack(
        "{s:I, s:o, s:o, s:i, s:s, s:s, s:s, s:I, s:I, s:I}", "number",
        (json_int_t)s->number, "active", slot_name(s->active), "trial",
        slot_name(s->trial), "tries", (int)s->tries, "last_reset",
        bl_reset_cause_name((bl_reset_cause)s->last_reset), "trial_reset",
        bl_reset_cause_name((bl_reset_cause)s->trial_reset), "outcome",
        bl_status_name((bl_status)s->outcome), "outcome_sequence",
        (json_int_t)s->outcome_sequence, "floor", (json_int_t)s->floor,
        "boots", (json_int_t)s->boots);
}

static int print_json(const struct view *v, struct error *err)
{
    json_t *events = json_array();
    json_t *all;

    for (uint32_t i = 0; i < v->n_events; i++) {
        (void)json_array_append_new(events, event_json(&v->event[i]));
    }
    all = json_pack("{s:s, s:o, s:s, s:s, s:I, s:o, s:[o, o], s:o}", "name",
                    v->config.name, "id", hex(v->config.id, BL_ID_SIZE),
                    "product", v->config.product, "server", v->config.server,
                    "root_version",
                    (json_int_t)(v->has_root ? v->root.version : 0), "state",
                    state_json(&v->state), "slots", slot_json(v, BL_SLOT_A),
                    slot_json(v, BL_SLOT_B), "journal", events);
    if (all == NULL ||
        json_dumpf(all, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER) != 0) {
        json_decref(all);
        return error_set(err, "the JSON could not be written");
    }
    (void)printf("\n");
    json_decref(all);
    return 0;
}

static int show(const char *dir, bool json, struct error *err)
{
    static struct view v;
    int failed = device_config_load(&v.config, dir, err) != 0 ||
                 device_config_flash(&v.config, &v.flash, err) != 0;

    if (!failed) {
        failed = read_chip(&v, err);
        flash_file_close(&v.flash);
    }
    if (!failed && json) {
        failed = print_json(&v, err);
    } else if (!failed) {
        print_text(&v);
    }
    free(v.root_bytes);
    device_config_free(&v.config);
    return failed;
}

int board_show(int argc, char **argv)
{
    static const struct option options[] = {
        {"dir", required_argument, NULL, 'd'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const char *dir = NULL;
    bool json = false;
    struct error err = {0};
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'd') {
            dir = optarg;
        } else if (option == 'j') {
            json = true;
        } else {
            (void)fputs(option == 'h' ? help : "", stdout);
            return option == 'h' ? 0 : BOARD_EXIT_USAGE;
        }
    }
    if (dir == NULL || optind != argc) {
        (void)fputs(help, stderr);
        return BOARD_EXIT_USAGE;
    }
    return show(dir, json, &err) == 0 ? 0 : board_fail("show", &err);
}
