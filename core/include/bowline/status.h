/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One error convention for all of Bowline: a function that can fail returns
 * bl_status, BL_OK (0) for success; results leave through pointers, which are
 * untouched on error. The numbers are stable: they travel in reports, stand
 * in journals and are listed in docs/PROTOCOL.md. Never renumber, only add.
 *
 * Whether a signature or a digest holds is not a bl_status but a bl_verdict:
 * two bit patterns far apart, neither of them 0, so that one skipped
 * instruction or one flipped bit does not turn "bad" into "good".
 */
#ifndef BOWLINE_STATUS_H
#define BOWLINE_STATUS_H

#include <stdint.h>

#if defined(__GNUC__) || defined(__clang__)
#define BL_MUST_CHECK __attribute__((warn_unused_result))
#else
#define BL_MUST_CHECK
#endif

/*
 * X(NAME, number, SUIT report reason, "kebab-name", "what it means").
 * SUIT report reasons: draft-ietf-suit-report, section "suit-report-reason".
 */
#define BL_STATUS_LIST(X)                                                     \
    X(OK, 0, 0, "ok", "success")                                              \
    X(ARGUMENT, 1, 11, "argument", "the caller passed something impossible")  \
    X(BUFFER, 2, 11, "buffer", "a caller's buffer is too small")              \
    X(BUSY, 3, 11, "busy", "not possible in the present state")               \
    X(CBOR, 10, 1, "cbor", "not well-formed deterministic CBOR")              \
    X(ENVELOPE, 11, 1, "envelope", "the envelope is not built as SUIT says")  \
    X(SEVERED, 12, 9, "severed",                                              \
      "an envelope element is unknown, missing or not referenced")            \
    X(TOO_LARGE, 13, 1, "too-large", "larger than the device's limits")       \
    X(COSE, 20, 2, "cose", "a COSE form or header that is not accepted")      \
    X(ALGORITHM, 21, 3, "algorithm", "an algorithm that is not accepted")     \
    X(SIGNATURE, 22, 4, "signature", "no trusted key verifies a signature")   \
    X(THRESHOLD, 23, 4, "threshold", "too few trusted keys have signed")      \
    X(MANIFEST_DIGEST, 24, 4, "manifest-digest",                              \
      "the manifest is not the one that was signed")                          \
    X(DIGEST, 25, 1, "digest", "a digest of a wrong form or length")          \
    X(MANIFEST, 30, 1, "manifest", "the manifest is not built as SUIT says")  \
    X(SEQUENCE_LOW, 31, 4, "sequence-low",                                    \
      "older than the device's anti-rollback floor")                          \
    X(SEQUENCE_HIGH, 32, 4, "sequence-high",                                  \
      "above the highest sequence number the root document allows")           \
    X(COMPONENT, 33, 6, "component", "a component the device does not have")  \
    X(COMPONENT_FORBIDDEN, 34, 7, "component-forbidden",                      \
      "a component that may not be written, or not by this signer")           \
    X(COMMAND, 35, 5, "command", "a SUIT command that is not supported here") \
    X(PARAMETER, 36, 8, "parameter",                                          \
      "a SUIT parameter that is not supported here")                          \
    X(ENCRYPTION, 37, 8, "encryption-unsupported",                            \
      "encrypted payloads are not supported")                                 \
    X(DELTA, 38, 5, "delta-unsupported", "delta payloads are not supported")  \
    X(VENDOR, 40, 10, "vendor", "made for another vendor")                    \
    X(CLASS, 41, 10, "class", "made for another product")                     \
    X(IMAGE_MISMATCH, 42, 10, "image-mismatch",                               \
      "an image has not the digest that the manifest names")                  \
    X(SLOT, 43, 10, "slot", "made for another slot")                          \
    X(VERSION, 44, 10, "version", "the running version is out of range")      \
    X(EXPIRED, 45, 10, "expired", "the manifest's use-before has passed")     \
    X(DEVICE_ID, 46, 10, "device-id", "made for another device")              \
    X(CONTENT, 47, 10, "content", "a component's content differs")            \
    X(NOT_AUTHORIZED, 48, 10, "not-authorized",                               \
      "the application did not agree to the update")                          \
    X(BATTERY, 49, 10, "battery", "not enough battery")                       \
    X(ABORTED, 50, 10, "aborted", "the manifest aborts here")                 \
    X(NO_COMPATIBILITY_CHECK, 51, 10, "no-compatibility-check",               \
      "the manifest does not check vendor and class")                         \
    X(CONDITION, 52, 10, "condition", "a condition's parameter is missing")   \
    X(DELTA_FORMAT, 53, 11, "delta-format", "not a patch, or a broken one")   \
    X(DELTA_BASE, 54, 10, "delta-base", "a patch for another base image")     \
    X(DELTA_RAM, 55, 11, "delta-ram",                                         \
      "a patch that needs more memory than the device gives it")              \
    X(DELTA_FAILED, 56, 11, "delta-failed",                                   \
      "a patch did not give the image; the full image is fetched")            \
    X(FLASH, 60, 11, "flash", "reading, writing or erasing flash failed")     \
    X(READ_BACK, 61, 11, "read-back", "flash did not keep what was written")  \
    X(PAYLOAD_LONG, 62, 11, "payload-long",                                   \
      "the payload is longer than the manifest says")                         \
    X(PAYLOAD_SHORT, 63, 11, "payload-short",                                 \
      "the payload is shorter than the manifest says")                        \
    X(PAYLOAD_DIGEST, 64, 11, "payload-digest",                               \
      "the payload has not the digest that the manifest names")               \
    X(NO_SPACE, 65, 11, "no-space", "larger than its slot")                   \
    X(TRANSPORT, 66, 11, "transport", "the server could not be reached")      \
    X(HTTP, 67, 11, "http", "the server answered with an error")              \
    X(ATTEMPTS, 68, 11, "attempts", "the download failed too often")          \
    X(ANSWER, 69, 11, "answer", "the server's answer could not be read")      \
    X(TICKET, 70, 4, "ticket", "the ticket is not built as it must be")       \
    X(TICKET_SIGNATURE, 71, 4, "ticket-signature",                            \
      "the ticket is not signed by a ticket key")                             \
    X(TICKET_DEVICE, 72, 4, "ticket-device", "a ticket for another device")   \
    X(TICKET_NONCE, 73, 4, "ticket-stale",                                    \
      "a ticket for another request: stale or replayed")                      \
    X(TICKET_DIGEST, 74, 4, "ticket-digest",                                  \
      "the ticket names another manifest")                                    \
    X(TICKET_EXPIRED, 75, 4, "ticket-expired", "the ticket has expired")      \
    X(TICKET_ROOT, 76, 4, "ticket-root",                                      \
      "the ticket asks for a newer root document")                            \
    X(TICKET_MISSING, 77, 4, "ticket-missing", "the answer has no ticket")    \
    X(ROOT, 80, 4, "root", "the root document is not built as it must be")    \
    X(ROOT_VERSION, 81, 4, "root-version",                                    \
      "not the root document that follows the trusted one")                   \
    X(ROOT_OLD_THRESHOLD, 82, 4, "root-old-threshold",                        \
      "too few keys of the trusted root document have signed the new one")    \
    X(ROOT_NEW_THRESHOLD, 83, 4, "root-new-threshold",                        \
      "too few of the root document's own root keys have signed it")          \
    X(PERMIT, 85, 4, "permit", "the permit is not built as it must be")       \
    X(PERMIT_SIGNATURE, 86, 4, "permit-signature",                            \
      "the permit is not signed by the release role")                         \
    X(PERMIT_EXPIRED, 87, 4, "permit-expired", "the permit has expired")      \
    X(PERMIT_TARGET, 88, 4, "permit-target",                                  \
      "a permit for another device, product or release")                      \
    X(SECURITY_FLOOR, 89, 4, "security-floor",                                \
      "below the root document's security floor: no permit lifts that")       \
    X(STATE_NONE, 90, 11, "state-none", "no valid state record")              \
    X(RESET, 100, 11, "boot-tries",                                           \
      "the new firmware did not start: all boot tries were used up")          \
    X(HEALTH, 101, 11, "health", "a health check failed")                     \
    X(DEADLINE, 102, 11, "confirm-deadline",                                  \
      "the new firmware was not confirmed in time")                           \
    X(OPERATOR, 103, 0, "operator", "an operator asked for it")               \
    X(SLOT_CORRUPT, 104, 11, "slot-corrupt",                                  \
      "an installed image no longer verifies")                                \
    X(INTERRUPTED, 105, 0, "interrupted",                                     \
      "an installation was interrupted and taken up again")                   \
    X(NO_IMAGE, 106, 11, "no-image", "no slot holds an image that may boot")

typedef enum bl_status {
#define BL_STATUS_ENUM(name, number, reason, text, meaning) BL_##name = number,
    BL_STATUS_LIST(BL_STATUS_ENUM)
#undef BL_STATUS_ENUM
} bl_status;

typedef enum bl_verdict {
    BL_GOOD = 0x3CA55AC3,
    BL_BAD = 0x435AA53C
} bl_verdict;

/* Why the processor (re)started, as the port found it. */
typedef enum bl_reset_cause {
    BL_RESET_UNKNOWN = 0,
    BL_RESET_POWER = 1,    /* power came on, brown-out */
    BL_RESET_SOFTWARE = 2, /* the firmware asked for it */
    BL_RESET_WATCHDOG = 3, /* the firmware hung */
    BL_RESET_CRASH = 4     /* the firmware faulted or ended */
} bl_reset_cause;

/*
 * The kebab-case name, the meaning and the SUIT report reason of a status.
 * Never NULL; an unknown number gives "unknown". In a file of their own
 * (status_text.c): a device that does not call them does not carry the text.
 */
const char *bl_status_name(bl_status status);
const char *bl_status_meaning(bl_status status);
int bl_status_suit_reason(bl_status status);
/* "power", "watchdog", ... */
const char *bl_reset_cause_name(bl_reset_cause cause);

#endif
