/* SPDX-License-Identifier: Apache-2.0 */
/*
 * author: what makes and signs Bowline's documents. Used by the tool, the
 * server (tickets), the simulator and the tests; never by a device. Host code:
 * allocates, uses OpenSSL. Not thread-safe per object; distinct objects may be
 * used from distinct threads.
 */
#ifndef AUTHOR_H
#define AUTHOR_H

#include "bowline/root.h"
#include "bowline/ticket.h"
#include "host/buffer.h"
#include "host/error.h"

/* --- Keys ---------------------------------------------------------------- */

/*
 * A signing key from a file. ESP256 and Ed25519: PEM, PKCS#8. HSS-LMS: PEM
 * "BOWLINE HSS PRIVATE KEY"; its signatures are counted in the file itself,
 * the next index is reserved and fsynced before a signature leaves, under a
 * lock; a key that is used up says so. Key files are created with mode 0600
 * and never overwritten.
 */
struct author_key;

/* "esp256", "ed25519", "hss"; "unknown" for what signs nothing here. */
const char *author_key_kind(int32_t alg);
/* `kind`: "esp256", "ed25519", "hss" (M32 H10/W8), "hss-m24-h10", "hss-h5",
 * "hss-h15". */
int author_key_create(const char *path, const char *kind, struct error *err);
/* The same, telling how far it is: an HSS tree takes a second ("hss"), or
 * half a minute ("hss-h15"). NULL: nothing is told. */
typedef void (*author_progress)(void *ctx, uint32_t done, uint32_t total);
int author_key_create_watched(const char *path, const char *kind,
                              author_progress progress, void *ctx,
                              struct error *err);
/* A private key that group or others may touch is refused. */
struct author_key *author_key_open(const char *path, struct error *err);
void author_key_free(struct author_key *key);
const struct bl_key *author_key_public(const struct author_key *key);
const uint8_t *author_key_kid(const struct author_key *key); /* 8 bytes */
/* Signatures left; UINT64_MAX for keys without such a limit. */
uint64_t author_key_left(const struct author_key *key);
/* Appends the raw COSE signature over `message` to `out`. */
int author_key_sign(struct author_key *key, bl_span message,
                    struct buffer *out, struct error *err);
/* A public key from a file: PEM SubjectPublicKeyInfo, or a private key file.
 * The returned object cannot sign. */
struct author_key *author_key_open_public(const char *path, struct error *err);
/* Writes the public key: PEM, or "BOWLINE HSS PUBLIC KEY". */
int author_key_write_public(const struct author_key *key, struct buffer *out,
                            struct error *err);

/* --- Manifests ----------------------------------------------------------- */

struct author_image {      /* one payload of a release */
    const char *component; /* "app", "cfg/net": parts divided by '/' */
    bl_span integrated;    /* the bytes, to be carried in the envelope; or
                              empty: by uri */
    const char *uri;       /* NULL: "payloads/<sha256>", and "#<component>"
                              when carried */
    uint8_t sha256[32];
    uint32_t size;
};

/*
 * A patch (bowline/delta.h) to the image, for devices that run its base and
 * have a component "stage" and their running image as "<component>/active".
 * Others fetch the image. All must have a decoder: one without refuses the
 * whole manifest, as SUIT demands.
 */
struct author_patch {
    uint8_t base_sha256[32];
    uint32_t base_size;
    uint8_t sha256[32]; /* of the patch */
    uint32_t size;
    const char *uri; /* NULL: "payloads/<sha256>" */
};

enum { AUTHOR_PATCHES = 7 }; /* and the whole image: 8 alternatives */
#define AUTHOR_STAGE "stage"

struct author_manifest {
    uint64_t sequence;
    uint8_t vendor_id[16];
    uint8_t class_id[16];
    const char *version;      /* "1.1.0": set-version and text; may be NULL */
    const char *version_text; /* NULL: version. What people call it, when the
                                 build gave it a name that is no number:
                                 "v1.4.1-2-g0296947-dirty" */
    const char *vendor_name;  /* text; may be NULL */
    const char *model_name;
    const char *minimum_version; /* NULL: none */
    const struct author_image *image;
    uint32_t n_images;
    const struct author_patch *patch; /* to the only image */
    uint32_t n_patches;
};

/* The whole envelope, signed by each of `keys` in order. */
int author_envelope(const struct author_manifest *manifest,
                    struct author_key *const *keys, uint32_t n_keys,
                    struct buffer *out, struct error *err);
/* Adds one more authentication block to an envelope, after recomputing the
 * manifest's digest. */
int author_envelope_cosign(bl_span envelope, struct author_key *key,
                           struct buffer *out, struct error *err);

/* UUIDv5: vendor = (DNS, domain), class = (vendor id, product name). */
void author_vendor_id(const char *domain, uint8_t out[16]);
void author_class_id(const uint8_t vendor_id[16], const char *product,
                     uint8_t out[16]);

/* --- Root document, ticket, permit --------------------------------------- */

struct author_role {
    uint32_t threshold;
    uint32_t n_keys;
    const struct author_key *key[BL_ROOT_KEYS];
    uint32_t n_kinds;
    int32_t kind[BL_ROOT_KINDS];
    uint32_t n_prefixes;
    const char *prefix[BL_ROOT_PREFIXES]; /* "app" */
};

struct author_root {
    uint64_t version;
    uint64_t issued;
    uint64_t floor;             /* 0: absent */
    uint64_t ceiling;           /* 0: absent */
    struct author_role role[4]; /* by role number */
};

/* An unsigned document: COSE_Sign with no signatures. */
int author_root_new(const struct author_root *root, struct buffer *out,
                    struct error *err);
/* Adds one signature. Refuses a key that has signed already, or that is in
 * the root role of neither this document nor `previous` (may be empty). */
int author_root_sign(bl_span document, bl_span previous,
                     struct author_key *key, struct buffer *out,
                     struct error *err);

struct author_ticket {
    uint64_t expiry;
    uint64_t issued;
    bl_span nonce;
    uint8_t device_id[16];
    uint8_t manifest[32];
    uint64_t root_version;
};

/* Fast: for each poll of a device. At most 256 bytes. */
int author_ticket(const struct author_ticket *ticket, struct author_key *key,
                  struct buffer *out, struct error *err);

struct author_permit {
    uint64_t expiry;
    uint64_t issued;
    const uint8_t *device_id; /* NULL: every device of the class */
    uint8_t class_id[16];
    uint8_t manifest[32];
};

/* Signed by each of the release role's keys. */
int author_permit(const struct author_permit *permit,
                  struct author_key *const *keys, uint32_t n_keys,
                  struct buffer *out, struct error *err);

#endif
