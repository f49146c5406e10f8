/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SUIT manifests, draft-ietf-suit-manifest-37, in the Bowline profile
 * (docs/SPEC.md, "Manifest"). Four steps, each of which must succeed before
 * the next:
 *
 *   bl_suit_read          the envelope: spans into the caller's bytes
 *   bl_suit_authenticate  signatures, then the manifest's digest (section 6.2)
 *   bl_suit_scan          the whole manifest and every command sequence:
 *                         nothing unknown, nothing forbidden, no limit passed
 *   bl_suit_start / bl_suit_step
 *                         run a procedure; side effects only through the
 *                         platform's functions, downloads by yielding
 *
 * The envelope must not change while it is in use. No allocation, no
 * recursion, bounded time; all state is in the caller's structs.
 */
#ifndef BOWLINE_SUIT_H
#define BOWLINE_SUIT_H

#include "bowline/cbor.h"
#include "bowline/root.h"

enum {
    BL_SUIT_COMPONENTS = 4,
    BL_SUIT_ID_PARTS = 5,
    BL_SUIT_BLOCKS = 2,
    BL_SUIT_PARAMETERS = 8, /* per override */
    BL_SUIT_ALTERNATIVES = 8,
    BL_SUIT_NESTING = 4,
    BL_SUIT_INTEGRATED = 4,
    BL_SUIT_URI = 127
};

struct bl_suit_envelope {
    bl_span digest_item; /* the encoded SUIT_Digest, what is signed */
    uint8_t digest[32];
    struct bl_cose_sign1 block[BL_SUIT_BLOCKS];
    uint32_t n_blocks;
    bl_span manifest; /* content of envelope key 3 */
    bl_span fetch;    /* severed elements, content; empty when absent */
    bl_span install;
    bl_span text;
    uint32_t n_integrated;
    struct {
        bl_span key;
        bl_span content;
    } integrated[BL_SUIT_INTEGRATED];
};

/* On error `*out` is all zero. */
bl_status bl_suit_read(bl_span envelope,
                       struct bl_suit_envelope *out) BL_MUST_CHECK;

/* Signatures by the release role of `root` over the digest, then the digest
 * over the manifest with its byte-string head. */
bl_status bl_suit_authenticate(const struct bl_suit_envelope *envelope,
                               const struct bl_root *root,
                               const struct bl_crypto *crypto,
                               uint8_t *signers) BL_MUST_CHECK;

struct bl_suit_manifest {
    uint64_t sequence;
    uint32_t n_components;
    bl_span component[BL_SUIT_COMPONENTS]; /* encoded ids */
    bl_span shared; /* command sequences; empty when absent */
    bl_span fetch;  /* payload-fetch, severed or not */
    bl_span install;
    bl_span validate;
    bl_span load;
    bl_span invoke;
    bl_span text;
    bl_span reference_uri;
    bl_span set_version; /* encoded array of int (update-management) */
};

/* What a device, or whoever speaks for one, brings to a manifest. */
struct bl_suit_component {
    uint8_t slot; /* slot that this procedure writes or boots */
    bool writable;
    bool fleeting; /* its content may change while the slot stays: a scratch
                      area, the running image. What is needed to start the
                      slot must not depend on it. All zero before the call */
    uint32_t capacity; /* bytes */
};

/* What x-apply has to do (docs/SPEC.md, "Deltas in a manifest"). The manifest
 * has matched base and patch with their digests before. */
struct bl_suit_apply {
    bl_span component; /* encoded id of what is built, as the next */
    uint32_t size;
    const uint8_t *digest; /* 32 bytes, as the other */
    bl_span patch;
    uint32_t patch_size;
    bl_span base;
    uint32_t base_size;
    const uint8_t *base_digest;
};

struct bl_suit_platform {
    void *ctx;
    const uint8_t *vendor_id; /* 16 bytes */
    const uint8_t *class_id;  /* `n_class_ids` x 16 bytes */
    uint32_t n_class_ids;
    const uint8_t *device_id; /* 16 bytes, or NULL */
    const int32_t *version;   /* of the running image, docs/SPEC.md */
    uint32_t n_version;
    uint64_t now; /* seconds since 1970; 0: no clock */
    /* BL_COMPONENT when the device has none with this encoded id. */
    bl_status (*component)(void *ctx, bl_span id,
                           struct bl_suit_component *out);
    /* Does the component's image (in the slot above) have this digest, over
     * exactly `size` bytes? Reads what is stored, not what was sent. */
    bl_status (*image_match)(void *ctx, bl_span id, const uint8_t digest[32],
                             uint32_t size, bl_verdict *verdict);
    bl_status (*write)(void *ctx, bl_span id, bl_span content);
    /* NULL: copy is not supported and refused by the scan. */
    bl_status (*copy)(void *ctx, bl_span to, bl_span from, uint32_t size);
    /* NULL: no decoder; a manifest with x-apply is refused by the scan,
     * wherever in it that stands, but for one that is installed. */
    bl_status (*apply)(void *ctx, const struct bl_suit_apply *apply);
    bl_status (*content_match)(void *ctx, bl_span id, bl_span content,
                               bl_verdict *verdict);
    /* NULL: the application always agrees. */
    bool (*authorized)(void *ctx, int64_t priority);
    /* Remaining energy in mWh; NULL: mains. */
    uint64_t (*battery)(void *ctx);
    /* The images are installed: version, use-before, battery and
     * update-authorized, which judge an update, hold without being asked. */
    bool installed;
};

/*
 * Reads the manifest and checks it wholly, before any of it runs: structure,
 * severed elements present and with the right digest, components known (when
 * `platform` is not NULL), commands and parameters of the profile only, in
 * places where SUIT allows them, limits, vendor and class both checked in the
 * shared sequence, digest and size for all that is written, and only where the
 * platform says that it may be; nothing of a fleeting component in validate,
 * load and invoke, nor a look at its content in shared. Call only after
 * bl_suit_authenticate. On error
 * `*out` is all zero: it has no components, and no run takes it.
 */
bl_status bl_suit_scan(const struct bl_suit_envelope *envelope,
                       const struct bl_suit_platform *platform,
                       struct bl_suit_manifest *out) BL_MUST_CHECK;

typedef enum bl_suit_procedure {
    BL_SUIT_UPDATE, /* payload-fetch, install, validate */
    BL_SUIT_INVOKE  /* validate, load, invoke */
} bl_suit_procedure;

typedef enum bl_suit_event {
    BL_SUIT_DONE,  /* the procedure has succeeded */
    BL_SUIT_FETCH, /* bring `fetch` into its component, then step again */
    BL_SUIT_JUMP   /* invoke `fetch.component`, then (or never) step again */
} bl_suit_event;

struct bl_suit_fetch {
    bl_span component; /* encoded id */
    bl_span uri;
    bl_span integrated; /* the payload when the envelope carries it */
    uint32_t size;
    const uint8_t *digest; /* 32 bytes */
};

/* Parameters of one component (section 8.4.8); views of the manifest. */
struct bl_suit_parameters {
    const uint8_t *vendor_id;
    const uint8_t *class_id;
    const uint8_t *device_id;
    const uint8_t *digest;
    bl_span uri;
    bl_span content;
    bl_span version;
    uint64_t use_before;
    uint64_t battery;
    int64_t priority;
    uint32_t size;
    uint32_t slot;
    uint32_t source;
    uint32_t base; /* of a delta, as `source` a component's index */
    uint32_t set;  /* bit n: parameter number n has been set */
};

/* One level of nesting. A selection lists component indexes in the order in
 * which they are taken: index + 1 in each nibble, lowest first, 0 ends it. */
struct bl_suit_frame {
    struct bl_cbor next;         /* commands still to run */
    struct bl_cbor alternatives; /* of a try-each: those still to try */
    struct bl_cbor argument;     /* to run it again for the next component */
    uint16_t selected;           /* what the next command acts on */
    uint16_t component;          /* the one this sequence was entered for */
    uint16_t pending;            /* those it still has to be run for */
    bool try_each;
    bool soft;  /* soft-failure */
    bool taken; /* bl_suit_every_payload: an alternative went through */
};

/* Private, but of known size: about 600 bytes on a 32-bit processor. */
struct bl_suit_run {
    const struct bl_suit_envelope *envelope;
    const struct bl_suit_manifest *manifest;
    const struct bl_suit_platform *platform;
    bl_status status; /* latched: what ended the procedure */
    uint16_t todo;    /* components the current command still has to run for */
    uint8_t section;  /* the next one */
    uint8_t end;      /* the one at which the procedure ends */
    uint8_t depth;
    uint8_t checked; /* vendor, class: shown by this run of shared */
    uint8_t written; /* mask of components written so far */
    uint8_t matched; /* those whose image is known to be as they say now */
    bool in_shared;
    bool stop; /* the step ends here, with this event */
    bl_suit_event event;
    bool assume; /* bl_suit_payload: no device is there to be asked */
    bool every;  /* ... and each alternative is gone through */
    struct bl_suit_frame frame[BL_SUIT_NESTING + 1];
    struct bl_suit_parameters parameter[BL_SUIT_COMPONENTS];
    struct bl_suit_fetch fetch;
};

/* Begins a procedure; the three structs must outlive the run. */
bl_status bl_suit_start(struct bl_suit_run *run,
                        const struct bl_suit_envelope *envelope,
                        const struct bl_suit_manifest *manifest,
                        const struct bl_suit_platform *platform,
                        bl_suit_procedure procedure) BL_MUST_CHECK;
/*
 * Runs to the next event. Any status but BL_OK ends the procedure. After a
 * power cut: start again; every command may run twice.
 *
 * A condition that does not hold ends its sequence; the nearest sequence
 * around it whose soft-failure is true goes on with its next alternative
 * (try-each) or after itself (run-sequence). A try-each without one left
 * fails as its last alternative did. A directive that fails, and an error of
 * the platform's own, end the procedure.
 */
bl_status bl_suit_step(struct bl_suit_run *run,
                       bl_suit_event *event) BL_MUST_CHECK;

/*
 * What the manifest says of its images without running it on a device: walks
 * the sequences as a device with `slot` as target would, and gives the fetch
 * of payload number `i`. BL_ARGUMENT when there is no such payload. For
 * servers and tools.
 */
bl_status bl_suit_payload(const struct bl_suit_envelope *envelope,
                          const struct bl_suit_manifest *manifest,
                          uint8_t slot, uint32_t i,
                          struct bl_suit_fetch *out) BL_MUST_CHECK;

/*
 * The same of every alternative, one after the other, whatever image a device
 * runs: what has to be at hand. One payload may come more than once.
 */
bl_status bl_suit_every_payload(const struct bl_suit_envelope *envelope,
                                const struct bl_suit_manifest *manifest,
                                uint8_t slot, uint32_t i,
                                struct bl_suit_fetch *out) BL_MUST_CHECK;

/* What such a device runs in the end: digest (32 bytes) and size of component
 * 0's image. BL_MANIFEST when the manifest does not say. */
bl_status bl_suit_image(const struct bl_suit_envelope *envelope,
                        const struct bl_suit_manifest *manifest, uint8_t slot,
                        const uint8_t **digest, uint32_t *size) BL_MUST_CHECK;

/* The vendor and class id the shared sequence sets for component 0. */
bl_status bl_suit_identity(const struct bl_suit_manifest *manifest,
                           const uint8_t **vendor_id,
                           const uint8_t **class_id) BL_MUST_CHECK;

#endif
