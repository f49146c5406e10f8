/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client: one device's side of docs/PROTOCOL.md, as a machine that does
 * no I/O but flash. The port's pump asks bl_client_next what is to be done,
 * does it, and hands the result back; time comes in as a parameter. Not
 * re-entrant: one client, one thread.
 *
 *   poll -> offer (ticket) -> manifest -> payloads -> verify -> activate ->
 *   reset -> boot code -> health checks -> confirmed, or returned
 *
 * Power cut anywhere: at the next start bl_client_init reads where it was.
 */
#ifndef BOWLINE_CLIENT_H
#define BOWLINE_CLIENT_H

#include "bowline/delta.h"
#include "bowline/journal.h"
#include "bowline/policy.h"
#include "bowline/slot.h"
#include "bowline/ticket.h"

/* --- Health checks ------------------------------------------------------ */

typedef enum bl_health {
    BL_HEALTH_PENDING = 0, /* cannot say yet */
    BL_HEALTH_PASS = 1,
    BL_HEALTH_FAIL = 2
} bl_health;

/*
 * While a new image is on trial all checks are called every health_interval;
 * when all pass in one round it is confirmed. With no check registered it is
 * confirmed as soon as the server has answered with a valid ticket.
 */
struct bl_health_check {
    const char *name; /* for the log */
    bl_health (*check)(void *ctx);
    void *ctx;
};

/* --- What the device tells of itself ------------------------------------- */

enum {
    BL_ATTRIBUTES = 16,
    BL_ATTRIBUTE_NAME = 24,
    BL_ATTRIBUTE_VALUE = 64,
    BL_CLIENT_MESSAGE = 1920
};

/* The name 1..24 of a-z 0-9 _ . -, the value UTF-8 of at most 64 bytes
 * without control characters. */
struct bl_attribute {
    const char *name;
    const char *value;
};

/* --- Deltas ------------------------------------------------------------- */

/*
 * A payload may come as a patch to the running image (docs/PROTOCOL.md, answer
 * key 9). Nothing is trusted because of it: before the first write the running
 * image is read and compared with its own manifest and with the offer, and
 * what the patch gives is judged by the digest of the wanted manifest, as a
 * payload is that came whole. Whatever goes wrong (an event of state
 * downloading and code BL_DELTA_FAILED), the whole payload is fetched in the
 * same installation, and no patch to this release is tried any more for as
 * long as the journal knows of that event.
 *
 * Power cut: what the patch gave is in the idle slot, written and found again
 * as any payload's bytes are. The decoder's memory is kept in the free end of
 * that slot's area, behind the image's last erase block, each `delta_keep`
 * bytes of output, in as many places in turn as there is room for (at most
 * BL_DELTA_PLACES). After the cut the newest of them that is no further than
 * the image in flash goes on, and the patch is asked for from there. Without
 * room, or of a patch up to BL_DELTA_SMALL bytes, the patch is fetched once
 * more from its start; in either case what flash has is not written again. A
 * place that a cut left half written does not count: it has a checksum.
 * Nobody but this reads the places; the next claim on the slot erases them.
 *
 * A firmware that takes deltas names `bl_delta_engine` in its configuration
 * and links libbowline-client-delta and libbowline-delta; one that does not
 * carries neither.
 */
enum {
    BL_DELTA_PLACES = 16,
    BL_DELTA_SMALL = 1024,
    BL_DELTA_KEEP = 48 * 1024
};

/* As `delta_keep`: no checkpoints are made, and none that lie in flash are
 * read. For devices whose slots others can write, but not the boot code, the
 * root document and the state: what is kept is believed (docs/THREATS.md). */
#define BL_DELTA_KEEP_NONE UINT32_MAX

struct bl_delta_engine; /* private */
extern const struct bl_delta_engine bl_delta_engine;

/* The delta on offer, and how far it is: private but for `why`. */
struct bl_client_delta {
    uint8_t payload[32]; /* what it gives */
    uint8_t patch[32];   /* its own digest */
    uint32_t size;       /* of the patch, 0: none is on offer */
    bool on;             /* it is being fetched */
    bl_status why;       /* the last one failed because of this; BL_OK: none */
    uint32_t received;   /* bytes of the patch that were taken */
    uint32_t again;      /* ... and are coming a second time */
    uint32_t drop;       /* bytes of output to come that flash has */
    uint32_t ram;        /* bytes that the decoder uses */
    uint32_t kept;       /* output at the last checkpoint */
    struct bl_delta *decoder; /* NULL: the patch's head is not whole */
    struct bl_delta_io io;
};

/* --- Pushed releases ----------------------------------------------------- */

/*
 * Takes what nobody has signed, when it is pushed (bl_client_push): for the
 * bench. Whoever can push to such a device owns it. The boot code starts what
 * was so installed because the state record vouches for it. A firmware that
 * does not name `bl_client_developer` in its configuration does not carry it.
 */
struct bl_client_developer; /* private */
extern const struct bl_client_developer bl_client_developer;

/* --- Configuration ------------------------------------------------------ */

/* Seconds; bl_timing_default gives the defaults. */
struct bl_timing {
    uint32_t poll;             /* 1800, +-10% by device id */
    uint32_t first_poll;       /* 60: first poll after boot, random in 0..n */
    uint32_t backoff;          /* 60: doubling, full jitter */
    uint32_t backoff_max;      /* 3600 */
    uint32_t ticket_interval;  /* 86400: at least so often a signed answer */
    uint32_t confirm_deadline; /* 600 */
    uint32_t health_interval;  /* 10 */
};

extern const struct bl_timing bl_timing_default;

struct bl_client_config {
    const struct bl_layout *layout;
    const struct bl_crypto *crypto;
    struct bl_timing timing;
    uint8_t device_id[BL_ID_SIZE];
    uint8_t vendor_id[BL_ID_SIZE];
    uint8_t class_id[BL_ID_SIZE];
    const char *hardware;      /* hardware revision, at most 31 bytes */
    const char *version;       /* of the running firmware, at most 31 bytes */
    uint8_t boot_tries;        /* 3 */
    uint8_t download_attempts; /* 10 per offer */
    uint8_t health_failures;   /* 3: so many rounds in a row with a failed
                                  check return the device */
    bl_reset_cause reset_cause;
    /* 1 + the slot that the boot code started (bl_boot_result.slot): what it
     * could not write down is made good then. 0: as the state record says,
     * which is wrong when the boot code's write failed. */
    uint8_t started;
    /* Fills `n` bytes from a cryptographic random source. */
    bl_status (*random)(void *ctx, void *out, size_t n);
    /* May the offered update go on now? NULL: always. Asked when the policy
     * of the offer lets it, before the work, before each transfer and before
     * the reset; has the last word, forced or not. */
    bl_wait (*ready)(void *ctx);
    /* Battery, link, local time; *out comes with all of it unknown. Asked for
     * each poll and each look at a waiting offer. NULL: nothing is known. */
    void (*conditions)(void *ctx, struct bl_conditions *out);
    /* Read when a poll is made; they may change between. One without a name
     * is a free place. At most BL_ATTRIBUTES are sent; a malformed one, or a
     * second of the same name, is left out, and all of them when they do not
     * fit into `message` (bl_client.attributes_cut). NULL: none are sent, the
     * server keeps what it has. */
    const struct bl_attribute *attributes;
    uint32_t n_attributes;
    /* Seconds since 1970, 0 when not known. NULL: no clock. Used for permits
     * and use-before only, together with signed times (never before the latest
     * ticket's, or the root document's); a wrong
     * clock never keeps a device from taking a ticket. */
    uint64_t (*now)(void *ctx);
    void *ctx;
    const struct bl_health_check *health;
    uint32_t n_health;
    /* Buffers of the caller, used for the client's whole life. */
    uint8_t *envelope;      /* the manifest being installed, and messages */
    uint32_t envelope_size; /* 4096 recommended at least, HSS: 8192 */
    uint8_t *root;
    uint32_t root_size; /* as large as layout.root areas */
    uint8_t *io;        /* multiple of write_size, two at least */
    uint32_t io_size;
    uint8_t *message; /* request being sent: 512 at least; BL_CLIENT_MESSAGE
                         holds all attributes at their longest */
    uint32_t message_size;
    /* &bl_delta_engine, and memory for the decoder, aligned for uint64_t: the
     * server makes patches for 6, 8, 12, 16 or 32 KB of it. NULL, 0: the
     * device takes no deltas. */
    const struct bl_delta_engine *delta;
    uint8_t *delta_memory;
    uint32_t delta_memory_size;
    /* Bytes of output between two checkpoints, 0: BL_DELTA_KEEP; never less
     * than two erase blocks. Or BL_DELTA_KEEP_NONE. */
    uint32_t delta_keep;
    /* NULL: only what the release role has signed is installed. */
    const struct bl_client_developer *developer;
    /* Called about each BL_DELTA_QUANTUM bytes that a patch gives, also when
     * few of its bytes give very many: to feed a watchdog. NULL: nothing. */
    void (*busy)(void *ctx);
};

/* --- The machine --------------------------------------------------------- */

enum { BL_CLIENT_EVENTS = 8, BL_CLIENT_URI = 80, BL_CLIENT_VERSION = 5 };

typedef enum bl_todo {
    BL_TODO_SLEEP, /* until `until_ms`, or until there is other news */
    BL_TODO_POLL,  /* POST `body` to <server>/d/v1/poll, answer with
                      bl_client_answer */
    BL_TODO_GET,   /* GET `uri` (relative to the server's /d/v1/), from
                      `offset` with Range when not 0; the body goes to
                      bl_client_body / bl_client_data, then bl_client_done */
    BL_TODO_RESET  /* restart the device now */
} bl_todo;

struct bl_action {
    bl_todo todo;
    uint64_t until_ms;
    bl_span body;
    bl_span uri;
    uint32_t offset;
    uint32_t size;    /* expected in total, 0 when not known */
    uint8_t etag[32]; /* SHA-256 of the whole payload: for If-Range */
};

/* Members are for reading only: state, device_state, reached, running and the
 * like are what a display or a health check may want to know. */
struct bl_client {
    bl_device_state device_state;
    bl_wait wait;
    uint8_t slot;          /* that runs */
    uint8_t phase;         /* what the client is at: private */
    uint8_t expect;        /* whose result is outstanding: private */
    uint8_t attempt;       /* of the download under way */
    uint8_t backoffs;      /* polls that failed in a row */
    uint8_t health_failed; /* rounds in a row with a failed check */
    bool reached;          /* a ticket was accepted since this boot */
    bool ask;              /* the next poll carries a nonce */
    bool fresh;            /* the outstanding nonce waits for its ticket */
    bool stitched;         /* the payload comes from more than one transfer */
    bool restarted;        /* ... and was begun anew once because of that */
    bool claimed;          /* the other slot is this installation's */
    bool claims;           /* it asks to be: private */
    bool attributes_cut;   /* not all were sent */
    bool attributes_off;   /* the server would not have them */
    bool pushed;           /* the installation is bl_client_push's */
    uint8_t consent;       /* bl_consent, of the wanted release */
    bl_status broken;      /* first error of the transfer under way */
    bl_status permit;      /* BL_OK: may go below the floor; else why not */
    bl_status refusal;     /* why the last answer was refused */
    bl_status refused_why;
    uint8_t nonce[16];
    uint32_t acked; /* events the server has */
    uint32_t told;  /* events that were sent once */
    uint64_t started_ms;
    uint64_t now_ms;
    uint64_t due_ms;        /* next poll */
    uint64_t ticket_due_ms; /* next time a ticket is asked for */
    uint64_t health_due_ms;
    uint64_t work_due_ms;    /* next transfer, or next look at `ready` */
    uint64_t retry_ms;       /* `refused` is not tried before */
    uint64_t window_ms;      /* when the offer's window closes, 0: never */
    uint64_t consent_ms;     /* until when it was postponed */
    struct bl_policy policy; /* of the offer */
    struct bl_conditions conditions;
    uint32_t attributes_sent; /* sums; 0: none */
    uint32_t attributes_told;
    uint32_t poll_s;     /* the server's wish, 0: own */
    uint8_t wanted[32];  /* manifest digest that the ticket names */
    uint8_t refused[32]; /* the last one that could not be had */
    uint8_t running[32];
    uint8_t image_digest[32]; /* of the running image, component 0 */
    uint32_t image_size;
    struct bl_client_delta delta;
    uint64_t sequence;    /* of the release being worked on */
    uint64_t issued_kept; /* state.issued as it was last saved for itself */
    uint32_t envelope_n;  /* its size as the server says, 0: not known */
    uint32_t received;    /* bytes of the envelope so far */
    int32_t version[BL_CLIENT_VERSION];
    struct bl_journal journal;
    struct bl_state state;
    struct bl_client_config config;
    struct bl_suit_envelope suit;
    struct bl_suit_manifest manifest;
    struct bl_suit_platform platform;
    struct bl_suit_run run;
    struct bl_install install;
    char uri[BL_CLIENT_URI];
    struct bl_root root;
};

/*
 * Reads root document, state and journal from flash and finds out whether this
 * boot is a trial. BL_STATE_NONE, BL_ROOT: the device was not provisioned.
 */
bl_status bl_client_init(struct bl_client *client,
                         const struct bl_client_config *config,
                         uint64_t now_ms) BL_MUST_CHECK;

/*
 * What to do now. Runs due health checks and the confirm deadline. Call it
 * again after each result, and when `until_ms` has come. An action that has no
 * result yet is forgotten: its result will be ignored.
 *
 * A poll is handed out for a ticket or a hint when due, and once more before a
 * download and before the reset to tell how far the device is; the latter may
 * fail without harm.
 */
void bl_client_next(struct bl_client *client, uint64_t now_ms,
                    struct bl_action *action);

/* The answer to BL_TODO_POLL: HTTP status, body, and Retry-After in seconds
 * (0 when absent). */
void bl_client_answer(struct bl_client *client, uint64_t now_ms, int status,
                      bl_span body, uint32_t retry_after_s);

/* The answer to BL_TODO_GET has begun: its HTTP status and the offset that it
 * starts at (of Content-Range; 0 for a 200). A sender that ignored Range is
 * taken from the beginning. Anything but BL_OK: stop the transfer. */
bl_status bl_client_body(struct bl_client *client, int status,
                         uint32_t offset) BL_MUST_CHECK;
/* Bytes of it, in order. Anything but BL_OK: stop the transfer. */
bl_status bl_client_data(struct bl_client *client, const void *data,
                         size_t n) BL_MUST_CHECK;
/* The transfer has ended, whole or not; `ok` false when it broke. */
void bl_client_done(struct bl_client *client, uint64_t now_ms, bool ok,
                    uint32_t retry_after_s);

/* A transfer or poll could not be made at all. */
void bl_client_unreachable(struct bl_client *client, uint64_t now_ms);

/* Poll soon, for instance because a person asked. */
void bl_client_poke(struct bl_client *client);

/*
 * What the person at the device said of the update on offer, for a display
 * that asks while `wait` is BL_WAIT_CONSENT. A "no" holds until another
 * release is offered, or the policy forces it; "later" for so many seconds,
 * then it is open again. Said while it is being downloaded, both hold the next
 * transfer and the reset. Call bl_client_next afterwards. BL_BUSY when nothing
 * is on offer, or it is too late. Not remembered over a reset.
 */
bl_status bl_client_consent(struct bl_client *client, bool yes) BL_MUST_CHECK;
bl_status bl_client_postpone(struct bl_client *client, uint64_t now_ms,
                             uint32_t seconds) BL_MUST_CHECK;

/*
 * Installs a release that came by another way than a poll: pushed over the
 * local network, from a card. No ticket is asked for; all else is: signatures,
 * vendor, class, floor, ceiling, conditions, digests. It goes to the slot that
 * does not run, and is on trial after the reset, like any other. BL_OK: what
 * remains comes from bl_client_next, as after an offer: BL_TODO_GET for each
 * payload that is not in the envelope (a caller that has it gives the bytes as
 * an answer of status 200 or 206), then BL_TODO_RESET. BL_TODO_POLL between is
 * a report, which may be answered by bl_client_unreachable. A transfer that
 * fails is not tried again. When it comes to BL_TODO_SLEEP, it has ended:
 * `device_state` and `refused_why` say how.
 *
 * BL_BUSY: on trial, another installation is under way, the application is
 * not ready, or the device runs this very release (`wanted` is `running`).
 * Else why it was refused. A server that wants another release to run takes
 * the device back to that one when it next polls.
 */
bl_status bl_client_push(struct bl_client *client, uint64_t now_ms,
                         bl_span envelope) BL_MUST_CHECK;

/* The URI of a payload is what the manifest says, at most BL_SUIT_URI bytes
 * and not a zero-terminated text; a port that takes absolute ones decides
 * which servers it will talk to, and sends its token to its own only. A port
 * that takes none asks this: is it a path below the server's own, of letters,
 * digits, '-', '_', single '/' and '.' within a name? No scheme, no host, no
 * query, no way up. Any thread. */
bool bl_client_uri_below(bl_span uri);

/* Gives the trial up by the application's own judgement (a failed start-up
 * test): the next action is BL_TODO_RESET. BL_BUSY when not on trial. */
bl_status bl_client_return(struct bl_client *client,
                           bl_status why) BL_MUST_CHECK;

#endif
