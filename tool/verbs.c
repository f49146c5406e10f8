/* SPDX-License-Identifier: Apache-2.0 */
/* The table. A verb is added here and in one file of its own. */
#include "options.h"

#define KINDS "esp256 ed25519 hss hss-m24-h10 hss-h5 hss-h15"

static const struct option options_init[] = {
    VALUE("product", "NAME", "name of the product; else the folder's name"),
    VALUE("vendor", "DOMAIN", "a domain of yours, as example.com"),
    VALUE("chip", "CHIP", "of an ESP32 product, as ESP32-C3"),
    VALUE("component", "ID", "what a release replaces; else app"),
    VALUE("server", "URL", "the update server; else https://localhost:8443"),
    {"from", "FOLDER", "take server, keys and root from bowline server init",
     A_FOLDER, NULL, false, 0},
    FLAG("force", "replace a bowline.conf that is there"),
    END};

static const struct option options_key_new[] = {
    CHOICE("kind", "KIND", "kind of the key; else esp256", KINDS), END};

static const struct option options_key_show[] = {
    FLAG("pem", "print the public key as PEM"), END};

static const struct option options_root_new[] = {
    FILE_("from", "the document that this one follows"),
    FILES("root-key", "public key of the root role"),
    FILES("release-key", "public key of the release role"),
    FILES("ticket-key", "public key of the ticket role"),
    VALUE("root-threshold", "N", "root keys that must sign; else 1"),
    VALUE("release-threshold", "N", "release keys that must sign; else 1"),
    VALUE("ticket-threshold", "N", "ticket keys that must sign; else 1"),
    VALUE("root-kinds", "KINDS", "kinds that must be among the signers"),
    VALUE("release-kinds", "KINDS",
          "kinds that must be among the signers, as esp256,hss"),
    {"release-component", "ID", "the release role may write only this", ANY,
     NULL, true, 0},
    VALUE("floor", "N", "security floor: no release below this sequence"),
    VALUE("ceiling", "N", "no release above this sequence"),
    OUTPUT("where the document goes; needed"),
    FLAG("force", "replace the file when it is there"),
    END};

static const struct option options_root_sign[] = {
    FILES("key", "private key to sign with; needed"),
    FILE_("previous", "the document before, when its keys sign as well"),
    OUTPUT("where the signed document goes; else in place"), END};

static const struct option options_release[] = {
    VALUE("version", "V", "version; else the one the image carries"),
    VALUE("sequence", "N", "sequence number; else the seconds since 1970"),
    VALUE("min-version", "V", "devices below this version refuse it"),
    FILE_("notes", "text for the operators, kept beside the release"),
    VALUE("chip", "CHIP",
          "the chip that it must be for, as ESP32-C3; none: any"),
    FLAG("raise-secure-version",
         "the image's secure_version is higher, and eFuses may be burned"),
    VALUE("component", "ID", "what it replaces on the device"),
    PRODUCT,
    VALUE("vendor", "DOMAIN", "the vendor, instead of the project's"),
    {"releases", "FOLDER", "where releases are put; else releases", A_FOLDER,
     NULL, false, 0},
    FILES("delta-from",
          "an image or release that devices run: those fetch a patch"),
    VALUE("delta-ram", "SIZE",
          "memory that the device gives the decoder, as 6K, 8K, 12K, 16K, "
          "32K; else 12K"),
    OUTPUT("the envelope, instead of <product>-<version>.suit"),
    FLAG("force", "replace a release of the same name"),
    END};

static const struct option options_inspect[] = {
    FILE_("previous", "of a root document: the one that it follows"),
    VALUE("device", "ID", "of a permit or ticket: the device it is for"),
    FILE_("base", "of a patch: the old image that it is for"),
    FLAG("commands", "print a manifest's command sequences"), END};

static const struct option options_publish[] = {
    {"releases", "FOLDER", "where releases are; else releases", A_FOLDER, NULL,
     false, 0},
    PRODUCT,
    END};

static const struct option options_product_add[] = {
    VALUE("vendor", "DOMAIN", "the vendor, instead of the project's"), END};

static const struct option options_product[] = {PRODUCT, END};

static const struct option options_unmanaged[] = {
    PRODUCT, VALUE("forget", "NUMBER", "forget this one, until it asks again"),
    END};

static const struct option options_product_set[] = {
    CHOICE("unmanaged", "ON",
           "serve clients that are not ours: esp_https_ota, httpUpdate",
           "on off"),
    END};

static const struct option options_device_add[] = {
    VALUE("name", "TEXT", "a name for people"),
    {"tag", "TEXT", "a tag", ANY, NULL, true, 0},
    VALUE("channel", "NAME", "its channel; else stable"),
    OUTPUT("file for the device's token; else <id>.token"),
    PRODUCT,
    FLAG("force", "replace the token's file when it is there"),
    END};

static const struct option options_device_list[] = {
    CHOICE("state", "STATE", "only devices in this state",
           "idle offered waiting downloading verifying installing rebooting "
           "testing confirmed returned failed refused"),
    VALUE("version", "V", "only devices that run this"),
    VALUE("search", "TEXT", "only devices whose id or name has this"),
    VALUE("query", "QUERY", "only these; see docs/ROLLOUTS.md"),
    VALUE("limit", "N", "at most so many; else all"),
    FLAG("long", "whole ids and times, and more columns"),
    PRODUCT,
    END};

static const struct option options_events[] = {
    VALUE("limit", "N", "at most so many; else 100"), END};

static const struct option options_rollback[] = {
    VALUE("to", "VERSION", "the release to go back to; needed"),
    VALUE("days", "N", "the permit is good for so long; else 7"),
    OUTPUT("keep a copy of the permit"),
    FLAG("force", "replace the permit's file when it is there"), END};

static const struct option options_permit[] = {
    VALUE("device", "ID", "for this device only; else for the product"),
    VALUE("days", "N", "it is good for so long; else 7"),
    OUTPUT("where to write it; else VERSION.permit"),
    FLAG("force", "replace the file when it is there"),
    PRODUCT,
    END};

static const struct option options_release_set[] = {
    {"channel", "NAME", "for this channel; any: for all", ANY, NULL, true, 0},
    CHOICE("stepping", "YESNO", "is it a stepping stone?", "yes no"),
    CHOICE("security", "YESNO", "does it mend a hole?", "yes no"),
    VALUE("notes", "TEXT", "for people"),
    PRODUCT,
    END};

static const struct option options_release_delta[] = {
    VALUE("make", "VERSION", "have one made from this release"),
    VALUE("ram", "KB",
          "for decoders with so much memory: 6, 8, 12, 16, 32; "
          "else 12"),
    VALUE("remake", "NUMBER", "make this one anew"),
    VALUE("withdraw", "NUMBER", "offer this one to nobody any more"),
    PRODUCT,
    END};

static const struct option options_promote[] = {
    VALUE("to", "CHANNEL", "the channel; needed"), PRODUCT, END};

static const struct option options_device_set[] = {
    VALUE("name", "TEXT", "a name for people"),
    VALUE("channel", "NAME", "which releases it gets; stable, or your own"),
    {"tag", "TEXT", "a tag; instead of all that it has", ANY, NULL, true, 0},
    END};

static const struct option options_why[] = {
    FLAG("facts", "and each question that was asked, with its answer"), END};

static const struct option options_server_init[] = {
    {"name", "NAME", "DNS name or address of the server", ANY, NULL, true, 0},
    VALUE("port", "N", "TCP port; else 8443"),
    {"root-kind", "KIND", "kind of a root key to make; else esp256", WORDS,
     KINDS, true, 0},
    VALUE("root-threshold", "N", "root keys that must sign; else all"),
    FILES("release-key", "public key that signs releases; else one is made"),
    VALUE("release-threshold", "N", "release keys that must sign; else all"),
    CHOICE("ticket-kind", "KIND", "kind of the ticket key; else esp256",
           "esp256 ed25519"),
    VALUE("days", "N", "the certificates are good for so long; else 3650"),
    END};

static const struct option options_help[] = {
    FLAG("man", "print the man page's source"),
    {"man-folder", "FOLDER", "write all man pages", A_FOLDER, NULL, false, 0},
    FLAG("markdown", "print the whole reference as Markdown"),
    END};

/* --- People, tokens, audit (tool/people.c, tool/audit.c) --- */

#define ROLE_WORDS "viewer operator approver admin"

static const struct option options_user_add[] = {
    CHOICE("role", "ROLE", "what the user may do; else viewer", ROLE_WORDS),
    FILE_("password-file", "its first line is the password; mode 0600"), END};

static const struct option options_user_set[] = {
    CHOICE("role", "ROLE", "what the user may do", ROLE_WORDS),
    FILE_("password-file", "its first line is the new password; mode 0600"),
    FLAG("disable", "lets the user in no more"),
    FLAG("enable", "lets the user in again"), END};

static const struct option options_token_new[] = {
    CHOICE("role", "ROLE", "what the token may do; else viewer", ROLE_WORDS),
    {"scope", "SCOPE", "narrows it to this; several add up", WORDS,
     "read publish rollout device admin", true, 0},
    VALUE("days", "N", "it expires then; 0: never; else 90"),
    OUTPUT("where the token goes, - for the terminal; else NAME.token"),
    FLAG("force", "replace the file when it is there"),
    END};

#define EVENTS                                                                \
    VALUE("events", "TYPES",                                                  \
          "what is told, as rollout.*,release.add; * is all")

static const struct option options_webhook_add[] = {
    EVENTS, FILE_("secret-file", "its first line is the secret; mode 0600"),
    OUTPUT("where a secret that the server makes goes, - for the terminal"),
    FLAG("force", "replace the file when it is there"), END};

static const struct option options_webhook_set[] = {
    FLAG("enable", "send again, from what comes now on"),
    FLAG("disable", "send nothing"),
    VALUE("url", "URL", "where it goes"),
    EVENTS,
    FILE_("secret-file", "its first line is the new secret; mode 0600"),
    END};

static const struct option options_webhook_deliveries[] = {
    VALUE("limit", "N", "at most so many; else 20"), END};

static const struct option options_status_codes[] = {
    FLAG("markdown", "as docs/CODES.md, with what to do about each"), END};

static const struct option options_settings[] = {
    CHOICE("four-eyes", "ON", "a rollout waits for somebody else's approval",
           "on off"),
    VALUE("approvals", "N", "so many must approve, 1 to 4"),
    CHOICE("deltas", "ON", "patches are made and offered", "on off"), END};

static const struct option options_audit_list[] = {
    VALUE("actor", "NAME", "only what this one did"),
    VALUE("action", "ACTION", "only this, as login-refused"),
    VALUE("limit", "N", "at most so many; else 100"), END};

static const struct option options_audit_export[] = {
    CHOICE("format", "FORMAT", "jsonl, which can be verified; or csv",
           "jsonl csv"),
    OUTPUT("the file, - for the terminal; else audit.jsonl"),
    FLAG("force", "replace the file when it is there"), END};

static const struct option options_audit_verify[] = {
    VALUE("head", "HASH", "a head that you noted: it must be in the file"),
    END};

/* clang-format off */
const struct verb verbs[] = {
    {"init", NO_ARGUMENTS, verb_init,
     "begin a project in this folder",
     "Writes bowline.conf, the project file, with a comment on each setting. "
     "Every verb looks for it in the current folder and those above. Options "
     "come first, then the environment (BOWLINE_SERVER, BOWLINE_CA_FILE, "
     "BOWLINE_TOKEN_FILE), then this file. Paths in it are relative to it.",
     options_init, 0, DOES_LOCAL,
     "file           the file that was written\n"
     "product, vendor_domain\n"
     "vendor_id, class_id  the UUIDs that devices check, in hex\n"
     "release_key     where the release key is looked for, or null",
     "bowline init --product thermostat --vendor example.com"},
    {"key new", "FILE", 1, 1, A_FILE, NULL, verb_key_new,
     "make a signing key",
     "Writes the private key to FILE, mode 0600, and the public one beside "
     "it with .pub behind the name. A file that is there is never "
     "replaced.\n\n"
     "An hss key is safe from quantum computers and signs a limited number "
     "of times; the file counts them, so it must never be copied or restored "
     "from a backup.",
     options_key_new, 0, DOES_LOCAL,
     "file, public_file\nkind\nkid             the key's id, 16 hex digits\n"
     "signatures_left  null: without limit",
     "bowline key new keys/release.pem"},
    {"key show", "FILE...", 1, -1, A_FILE, NULL, verb_key_show,
     "say what a key file holds",
     "Shows kind, key id and what is left to sign. Nothing secret is printed.",
     options_key_show, 0, DOES_LOCAL,
     "keys            list of {file, kind, kid, private, "
     "signatures_left, pem}",
     "bowline key show keys/release.pem"},
    {"root new", NO_ARGUMENTS, verb_root_new,
     "write a root document, not signed yet",
     "A root document says which keys hold which role: root, release, ticket. "
     "Devices trust the newest one that follows what they have. With --from "
     "it is the successor: what is not said anew is carried over.\n\n"
     "Sign it with bowline root sign: by enough root keys of its own, and by "
     "enough of the document before.",
     options_root_new, 0, DOES_LOCAL,
     "file\nversion\n"
     "roles           {root, release, ticket}: {threshold, keys}",
     "bowline root new --root-key root.pem.pub --release-key "
     "release.pem.pub \\\n    --ticket-key ticket.pem.pub -o root-1.cbor"},
    {"root sign", "FILE", 1, 1, A_FILE, NULL, verb_root_sign,
     "sign a root document",
     "Adds one signature for each --key. Says whether enough have signed.",
     options_root_sign, 0, DOES_LOCAL,
     "file\nversion\nsigned_by       list of key ids\n"
     "complete        do enough keys of its own root role sign?\n"
     "missing         why not, or null",
     "bowline root sign root-2.cbor --previous root-1.cbor --key old.pem "
     "--key new.pem"},
    {"root show", "FILE...", 1, -1, A_FILE, NULL, verb_root_show,
     "show a root document",
     "As bowline inspect, but refuses anything that is not a root document.",
     options_inspect, TAKES_PROJECT, DOES_LOCAL | DOES(NO),
     "files           as of bowline inspect", NULL},
    {"release", "FIRMWARE", 1, 1, A_FILE, NULL, verb_release,
     "make a signed release of a firmware image",
     "Reads the image (ESP32 application, ELF, or any binary), packs a "
     "manifest, signs it with the release keys and puts it into the releases "
     "folder, with the payload under its SHA-256 and a record in JSON.\n\n"
     "The version comes from the image: the Bowline firmware record, or the "
     "ESP32 application descriptor. An image that carries another version "
     "than --version is refused, and so is a damaged one. An image without a "
     "version, or one built with Arduino, whose descriptor is the SDK's, "
     "takes --version.\n\n"
     "An ESP32 image must be an application, and for the chip of --chip, of "
     "the project, or else of the release before. Its secure_version never "
     "falls, and rises only with --raise-secure-version: devices burn it into "
     "eFuses, and never start an older release again.\n\n"
     "The sequence number must be higher than that of every release before.\n\n"
     "With --delta-from, for devices with a stage area (docs/SPEC.md), the "
     "signed manifest has those that run that image fetch a patch, and the "
     "others the whole image. A device that has no decoder, or no components "
     "\"stage\" and \"app/active\", refuses such a release. For all other "
     "devices the server makes and offers patches by itself, without this.",
     options_release, TAKES_PROJECT | TAKES_KEYS | TAKES_ROOT, DOES_LOCAL,
     "file            the envelope\npayload         the payload's file\n"
     "record          the record's file\n"
     "product, version, sequence\nmanifest        digest that names it\n"
     "sha256, size    of the payload\nsigners         list of key ids\n"
     "verified        true; null when there is no root document to check "
     "with\n"
     "version_from    image or command\nimage           as of bowline inspect\n"
     "patches         list of {from, base, sha256, size, percent, payload}",
     "bowline release firmware.bin --version 1.4.2"},
    {"release list", NO_ARGUMENTS, verb_release_list,
     "list the releases on the server", "Newest first.",
     options_product, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "items           list of releases", NULL},
    {"release show", "VERSION", 1, 1, ANY, NULL, verb_release_show,
     "show a release on the server, and the patches that lead to it",
     "A patch is made by the server for each image that devices run, where a "
     "rollout leads to the release. Share is of the whole payload; saved is "
     "what devices did not fetch.",
     options_product, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "the release, as the server's API describes it, and\n"
     "deltas          list of patches\n"
     "delta_saved     bytes that they saved",
     "bowline release show 1.4.2"},
    {"release delta", "VERSION", 1, 1, ANY, NULL, verb_release_delta,
     "list the patches to a release, make or withdraw one",
     "The server makes those that it needs by itself. A patch that failed on "
     "devices is withdrawn by itself; who has no patch fetches the whole "
     "payload.",
     options_release_delta, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "items           list of patches; or the one that was made or changed",
     "bowline release delta 1.4.2\n"
     "bowline release delta 1.4.2 --make 1.3.0 --ram 16\n"
     "bowline release delta 1.4.2 --withdraw 7"},
    {"release set", "VERSION", 1, 1, ANY, NULL, verb_release_set,
     "say which channels a release is for, and what it is",
     "Without channels it goes to devices of any. Devices below a stepping "
     "release get it before any newer one. Rollouts of a security release "
     "go before all others.",
     options_release_set, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "the release, as the server's API describes it",
     "bowline release set 1.4.2 --channel dev --channel beta"},
    {"release promote", "VERSION", 1, 1, ANY, NULL, verb_release_promote,
     "let devices of one more channel have a release",
     "For a release that is for some channels only; bowline release set says "
     "for which it begins.",
     options_promote, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "the release, as the server's API describes it",
     "bowline release promote 1.4.2 --to beta"},
    {"inspect", "FILE...", 1, -1, A_FILE, NULL, verb_inspect,
     "say what a file is, what is in it, and whether it verifies",
     "Knows envelopes, root documents, tickets, permits, key files, ESP32 "
     "images, ELF files, binaries with a firmware record, patches, and what "
     "lies in an ESP32's flash: partition table, otadata, a dump of it all. "
     "Signatures are checked with the root document of --root or of the "
     "project. A patch is applied to the image of --base, and each of its "
     "parts weighed. Exit 1 when one of the files is damaged or does not "
     "verify.",
     options_inspect, TAKES_PROJECT | TAKES_ROOT, DOES_LOCAL | DOES(NO),
     "files           list of:\n  file, type, size, sha256\n"
     "  verifies      true, false, or null: there was nothing to check with\n"
     "  problem       why it does not verify, or null\n"
     "  signatures    of a signed ESP32 image: as blocks of bowline esp "
     "verify\n"
     "  faults        of an ESP32 image: list of {what, offset, advice, odd}\n"
     "  and the fields of its type; a patch's as of bowline diff, and with "
     "--base,\n  unless it is for one slot:\n"
     "  copies, members  how many\n"
     "  copied, literal  bytes of the new image\n"
     "  map, ram_map  entries\n"
     "  parts         list of {part, bytes, percent}",
     "bowline inspect releases/thermostat-1.4.2.suit"},
    {"check sdkconfig", "FILE", 1, 1, A_FILE, NULL, verb_check_sdkconfig,
     "say what an ESP-IDF build promises, and what would brick a device",
     "FILE is the sdkconfig of a project of ESP-IDF, or a part of one, as "
     "sdkconfig.defaults. Rollback, image checks, watchdogs, TLS, signatures, "
     "anti-rollback and the partition table (a table of the project's own is "
     "read from its CSV) are each told, with the line to write where a promise "
     "does not hold. Exit 1 when a device could be bricked, or could never be "
     "updated.",
     NULL, 0, DOES_LOCAL | DOES(NO),
     "file, target, idf\ncomplete        false: a part, defaults are assumed\n"
     "bricks          true: exit 1\nchecks          list of:\n"
     "  promise\n  verdict       holds, broken, bricks, told\n"
     "  said          why, or null\n  setting, line where it stands, or null\n"
     "  change        list of lines to write",
     "bowline check sdkconfig sdkconfig"},
    {"diff", "OLD NEW", 2, 2, A_FILE, NULL, verb_diff,
     "make a patch that turns one image into another",
     "A device that runs OLD makes NEW of it with the patch, which is a small "
     "part of the image. Any images: raw, ESP32, ELF, data. The same images "
     "and options give the same patch, always. Each patch is applied with the "
     "device's own decoder before it is written.\n\n"
     "--ram is all the memory that the decoder gets: more of it makes patches "
     "a little smaller. SIZE is in KB, with or without the K, or in bytes. "
     "What code the images hold is found by itself, else say --isa; where a "
     "raw image is loaded is guessed, else say --base.\n\n"
     "A server makes and offers patches by itself; this verb is for a look, "
     "and for who wants only deltas (docs/DELTA-LIBRARY.md). One of OLD and "
     "NEW may be -, standard input.",
     options_diff, 0, DOES_LOCAL,
     "file            the patch\nsize            its bytes\n"
     "percent         of the new image\nformat\n"
     "isa             plain, thumb, riscv, xtensa, aarch64, x86-64\n"
     "in_place        for a device with one slot\n"
     "deflate         takes compressed members apart\n"
     "old_size, new_size\nram             bytes that the decoder needs\n"
     "block           with --in-place: bytes of an erase block\n"
     "work            with --in-place: bytes beside the image that are needed\n"
     "old_check, new_check  first bytes of the images' SHA-256\n"
     "found           how the code was found\n"
     "seconds, peak_memory  what making it took, memory in bytes",
     "bowline diff thermostat-1.4.1.bin thermostat-1.4.2.bin -o 1.4.2.patch"},
    {"patch", "OLD PATCH [NEW]", 2, 3, A_FILE, NULL, verb_patch,
     "apply a patch of bowline diff",
     "Makes NEW of OLD and the patch, as a device does, in the memory that a "
     "device needs. A patch for another image than OLD is refused, and so is "
     "one that does not give the image that it was made for: then NEW is not "
     "written. OLD or PATCH may be -, standard input; NEW may be -, standard "
     "output.\n\n"
     "With --in-place: bowline patch --in-place IMAGE PATCH writes the new "
     "image over the old one, block by block, as a device with one slot does. "
     "A patch that is damaged or for another image is refused before. A "
     "journal beside it (IMAGE.journal) has what is needed to go on: whatever "
     "ends the work, also the power, the same command takes it up and ends in "
     "the new image. Until then IMAGE is neither the old nor the new one.",
     options_patch, 0, DOES_LOCAL,
     "file            the new image\nsize, sha256    of it\n"
     "patch_size\nram             bytes that the decoder needed\nseconds\n"
     "work            with --in-place: bytes of the work area\n"
     "resumed         with --in-place: was it half way?\n"
     "already         with --in-place: it was the new image before",
     "bowline patch thermostat-1.4.1.bin 1.4.2.patch thermostat-1.4.2.bin"},
    {"esp sign", "IMAGE", 1, 1, A_FILE, NULL, verb_esp_sign,
     "sign an ESP32 image for Secure Boot V2",
     "Puts a signature sector behind the image: 4096 bytes at the next "
     "multiple of 4096, with one signature for each --key, up to three. The "
     "image must be whole; what follows it must be FF or nothing. What was "
     "signed is verified before it is written.\n\n"
     "An image that is signed already is refused: signing it once more would "
     "put a sector where no chip looks. With --append the new signatures "
     "follow those that are there, and no byte before them changes. All are "
     "of one scheme: RSA-3072 (openssl genrsa -out FILE 3072) or ECDSA P-256 "
     "(bowline key new makes such keys); P-192 and P-384 for chips that have "
     "them.\n\n"
     "A key file is a PEM of mode 0600 without a pass phrase.",
     options_esp_sign, 0, DOES_LOCAL,
     "file, size      the signed image\n"
     "sector          where its signature sector begins\n"
     "blocks          list of {block, scheme, key, good, problem}; "
     "key\n                is its digest",
     "bowline esp sign build/app.bin --key secure-boot.pem -o app-signed.bin"},
    {"esp verify", "IMAGE", 1, 1, A_FILE, NULL, verb_esp_verify,
     "check the Secure Boot V2 signatures of an ESP32 image",
     "Every byte is looked at: the image by its checksum and hash, all before "
     "the sector by the signatures, the sector by its form. All signatures "
     "must hold, and one must be by a key of --key or --digest, or else of "
     "esp_key_digests in bowline.conf. Without any, the signatures are "
     "checked with the keys that they carry, which anybody can make.\n\n"
     "Devices without hardware secure boot look at the first signature only: "
     "say --secure-boot off, or esp_secure_boot in bowline.conf.",
     options_esp_verify, TAKES_PROJECT, DOES_LOCAL | DOES(NO),
     "file            the image\nsigned          is there a signature "
     "sector?\n"
     "sector          where it begins, or would\n"
     "blocks          list of {block, scheme, key, good, problem}; "
     "key\n                is its digest\n"
     "verifies        true or false\n"
     "known_key       true, false, or null: no key was said\n"
     "problem         why it does not verify, or null",
     "bowline esp verify app-signed.bin --key secure-boot.pem"},
    {"esp digest", "FILE...", 1, -1, A_FILE, NULL, verb_esp_digest,
     "print the digest that names a Secure Boot V2 key",
     "Of key files, public or private, and of the keys that signed an image. "
     "It is what eFuses hold, and what esp_key_digests in bowline.conf lists.",
     options_esp_digest, 0, DOES_LOCAL,
     "keys            list of {file, block, scheme, digest}; block is null of "
     "a key file",
     "bowline esp digest secure-boot.pem app-signed.bin"},
    {"publish", "[FILE...]", 0, -1, A_FILE, NULL, verb_publish,
     "upload releases and root documents",
     "Uploads the payloads of each envelope, as far as the server has not got "
     "them, then the envelope; a root document as it is. Without FILE: the "
     "newest release of the project. Publishing twice does no harm: it says "
     "so.",
     options_publish, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "published       list of {file, type, uploaded, already, answer}\n"
     "  already       was on the server before",
     "bowline publish"},
    {"push", "[HOST FILE]", 0, 2, A_FILE, NULL, verb_push,
     "send a firmware straight to a device on this network",
     "Sends FILE to a device that runs ArduinoOTA, or a Bowline agent that "
     "takes pushes, and waits until it says that it has it. HOST is a name or "
     "an address; --list shows the devices that announce themselves by mDNS "
     "(this takes the avahi daemon). No server and no rollout has a part in "
     "it: it is for the bench.\n\n"
     "FILE is the firmware.bin of a build, or a release, the .suit file that "
     "bowline release made: then its payloads are sent behind it. Bowline's "
     "devices take signed releases only. For espota.py and other tools that "
     "send one file, bowline push --output FILE RELEASE writes it.\n\n"
     "The device connects back to this machine by TCP: a firewall must let "
     "that in. The password is never sent, but whoever listens can try "
     "passwords on what he has heard: make it long. The file goes in clear. "
     "Exit 4: the device refused; 5: it could not be reached, or the "
     "connection broke; 6: it was silent. In each case it keeps the firmware "
     "that it runs.",
     options_push, TAKES_PROJECT, DOES_REMOTE | DOES(TIMEOUT),
     "release, host, address, port, file, size, sent, md5, seconds\n"
     "authentication  none, md5 or pbkdf2: what the device asked for\n"
     "said            the device's own words, or null\n"
     "items           with --list: list of {name, address, port, board, "
     "password,\n                host}",
     "bowline push --list\n"
     "bowline push 192.168.1.7 --password-file ota.password firmware.bin"},
    {"product add", "[NAME]", 0, 1, ANY, NULL, verb_product_add,
     "register a product with the server",
     "NAME is the project's product when it is not given. Doing it twice does "
     "no harm.",
     options_product_add, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "name, vendor_domain, vendor_id, class_id", "bowline product add"},
    {"product list", NO_ARGUMENTS, verb_product_list,
     "list the server's products", "One line for each product.",
     NULL, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "items           list of {name, vendor_domain, vendor_id, class_id}",
     NULL},
    {"product show", "[NAME]", 0, 1, ANY, NULL, verb_product_show,
     "show one product, and its addresses for other clients",
     "NAME is the project's product when it is not given. The addresses are "
     "for clients that are not ours (esp_https_ota, httpUpdate), when the "
     "product is open to them.",
     NULL, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "the product, as the server's API describes it\n"
     "addresses       one for each channel, when it is open",
     "bowline product show"},
    {"product set", "[NAME]", 0, 1, ANY, NULL, verb_product_set,
     "open a product to clients that are not ours, or close it",
     "An admin may. Such clients check no signature of ours, prove neither "
     "freshness nor identity, and the firmware is then public "
     "(docs/THREATS.md). Staged rollouts hold for them.",
     options_product_set, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "the product, as the server's API describes it\n"
     "addresses       one for each channel, when it is open",
     "bowline product set thermostat --unmanaged on"},
    {"rollout start", "VERSION", 1, 1, ANY, NULL, verb_rollout_start,
     "begin to roll a release out",
     "Offers the release to the devices of the first stage. A stage that goes "
     "well opens the next one by itself; when too many devices fail, the "
     "rollout pauses. docs/ROLLOUTS.md says how it judges, and how to choose "
     "devices with --query.\n\n"
     "--stages 1,10,100 are percents; when one of them has a %, those "
     "without count devices. Devices are spread over the stages by chance, "
     "so their share is near the percent, not exactly that. A last stage "
     "below 100% never reaches the other devices.\n\n"
     "With --on-failure return, permits are signed with the release keys "
     "now, so that devices can go back without anyone there.",
     options_rollout_start, TAKES_PROJECT | TAKES_SERVER | TAKES_KEYS,
     DOES_REMOTE, "the rollout, as the server's API describes it",
     "bowline rollout start 1.4.2 --stages 10,1%,100% \\\n"
     "    --query 'hardware = \"rev-b\"' --window 'mon-fri 02:00-05:00'"},
    {"rollout preview", "VERSION", 1, 1, ANY, NULL, verb_rollout_preview,
     "say what rollout start would do, and change nothing",
     "Who would get it, in which stages, how many bytes, how long at that "
     "rate; which devices would be refused it or wait, and why. Takes the "
     "options of rollout start.",
     options_rollout_start, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "the preview, as the server's API describes it",
     "bowline rollout preview 1.4.2 --query 'tag = lab'"},
    {"rollout set", "[ID]", 0, 1, ANY, NULL, verb_rollout_set,
     "change a rollout while it runs",
     "What was not begun yet may change: gates and stages to come, windows, "
     "deadline, rates, priority, what devices must allow, retries. Without "
     "ID: the product's active rollout.",
     options_rollout_set, TAKES_PROJECT | TAKES_SERVER | TAKES_KEYS, DOES_REMOTE,
     "the rollout", "bowline rollout set --rate 500 --soak 30min"},
    {"rollout plan", "FILE", 1, 1, A_FILE, NULL, verb_rollout_plan,
     "show how a rollout's file differs from the server",
     "FILE is a rollout in the syntax of bowline.conf, or JSON when its name "
     "ends in .json; docs/ROLLOUTS.md describes its members. Exit 0 when "
     "there is nothing to do, 1 when there is a difference. Changes "
     "nothing.",
     NULL, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE | DOES(NO),
     "action          create, change or none\n"
     "rollout         id of the one that is there, or null\n"
     "changes         list of {member, is, should}\n"
     "preview         what the file would do, as rollout preview",
     "bowline rollout plan autumn.rollout"},
    {"rollout apply", "FILE", 1, 1, A_FILE, NULL, verb_rollout_apply,
     "make the server's rollout what the file says",
     "Shows the difference as rollout plan does, asks, and carries it out: "
     "begins the rollout, or changes what may change while it runs. With "
     "on_failure \"return\" the permits are signed as rollout start does. Exit "
     "1 when you say no.",
     options_rollout_apply, TAKES_PROJECT | TAKES_SERVER | TAKES_KEYS,
     DOES_REMOTE | DOES(NO),
     "as of rollout plan; rollout is the id afterwards",
     "bowline rollout apply autumn.rollout --yes"},
    {"rollout status", "[ID]", 0, 1, ANY, NULL, verb_rollout_status,
     "show how a rollout goes",
     "Stages with their gates, counts, the devices that it waits for, and "
     "those that need a look, with the reason. Without ID: the product's "
     "newest rollout.\n\n"
     "--wait ends with 0 when the state is reached, 1 when it cannot be "
     "reached any more, 6 after --timeout. settled: nothing is under way in "
     "the open stage. confirmed: every device of the open stage runs the "
     "release, confirmed.",
     options_rollout_status, TAKES_PROJECT | TAKES_SERVER,
     DOES_REMOTE | DOES(NO) | DOES(TIMEOUT),
     "rollout         as the server's API describes it\n"
     "devices         those that returned, failed or refused, newest first, "
     "at most\n                100: list of {id, name, outcome, code, meaning, "
     "reset, version, when}",
     "bowline rollout status --wait confirmed --timeout 60"},
    {"rollout list", NO_ARGUMENTS, verb_rollout_list,
     "list rollouts", "Newest first.",
     options_rollout_list, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "items           list of rollouts", NULL},
    {"rollout pause", "[ID]", 0, 1, ANY, NULL, verb_rollout_pause,
     "offer the release to no more devices",
     "Devices that have begun finish. Without ID: the product's active "
     "rollout.",
     options_rollout_pause, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "the rollout", NULL},
    {"rollout resume", "[ID]", 0, 1, ANY, NULL, verb_rollout_resume,
     "go on with a paused rollout",
     "What had failed until now does not pause it again; one failure more "
     "does. Without ID: the product's active rollout.",
     options_product, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "the rollout", NULL},
    {"rollout abort", "[ID]", 0, 1, ANY, NULL, verb_rollout_abort,
     "end a rollout for good",
     "Devices that run the release keep it; bowline rollout return brings "
     "them back. Those that have not installed it yet are called back, but "
     "for --keep. Without ID: the product's active rollout.",
     options_rollout_abort, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "the rollout", NULL},
    {"rollout advance", "[ID]", 0, 1, ANY, NULL, verb_rollout_advance,
     "open the next stage by hand",
     "Without ID: the product's active rollout. When devices returned, failed "
     "or refused the release, it is refused unless --force is said.",
     options_rollout_advance, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "the rollout", NULL},
    {"rollout approve", "[ID]", 0, 1, ANY, NULL, verb_rollout_approve,
     "agree to a rollout that somebody else began",
     "Where the server asks for four eyes, no rollout begins without. Without "
     "ID: the product's active rollout.",
     options_rollout_approve, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "the rollout", NULL},
    {"rollout deny", "[ID]", 0, 1, ANY, NULL, verb_rollout_deny,
     "refuse a rollout that waits for approval",
     "It ends there. Without ID: the product's active rollout.",
     options_rollout_approve, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "the rollout", NULL},
    {"rollout retry", "[ID]", 0, 1, ANY, NULL, verb_rollout_retry,
     "let devices that did not keep the release try it again",
     "Those that returned, failed, refused it or are in quarantine. Without "
     "ID: the product's active rollout.",
     options_product, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "the rollout", NULL},
    {"rollout return", "[ID]", 0, 1, ANY, NULL, verb_rollout_return,
     "bring the updated devices back to what they ran before",
     "Begins rollouts of kind return over the devices that this one updated, "
     "one for each release that they ran before. Where a device needs a permit to go back, it is signed with "
     "the release keys. Without ID: the product's newest rollout.",
     options_rollout_return, TAKES_PROJECT | TAKES_SERVER | TAKES_KEYS,
     DOES_REMOTE,
     "preview         who goes back to what, and who cannot\n"
     "rollout         its \"returns\" are the ids of those that bring devices "
     "back;\n                not with --preview",
     "bowline rollout return 12 --preview"},
    {"rollout bucket", "DEVICE", 1, 1, ANY, NULL, verb_rollout_bucket,
     "say in which stage of a rollout a device is",
     "DEVICE is its name, its id or the beginning of it. The bucket is a "
     "hash of rollout and device: docs/PROTOCOL.md, \"Cohorts\".",
     options_rollout_bucket, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "rollout\nbucket          0 to 9999\n"
     "stage           from 0, or null when no stage holds it",
     "bowline rollout bucket kitchen --rollout 12"},
    {"device add", "[ID]", 0, 1, ANY, NULL, verb_device_add,
     "register a device",
     "ID is 32 hex digits; random when it is not given. The device's token "
     "is shown by the server this once, and goes into a file of mode 0600.",
     options_device_add, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "id, product, name\ntoken_file      where the token was written",
     "bowline device add --name kitchen -o kitchen.token"},
    {"device list", NO_ARGUMENTS, verb_device_list,
     "list devices",
     "One line for each device: the beginning of its id, which other verbs "
     "take as well, and what happened last.",
     options_device_list, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "items           list of devices", NULL},
    {"device show", "ID", 1, 1, ANY, NULL, verb_device_show,
     "show one device", "ID may be shortened, or be the device's name.",
     NULL, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "the device, as the server's API describes it", NULL},
    {"device unmanaged", NO_ARGUMENTS, verb_device_unmanaged,
     "list devices that update with a client of their own",
     "What each said of itself, what it was sent, and why it was not.",
     options_unmanaged, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "items           list of unmanaged devices\n"
     "forgotten       with --forget: its number",
     "bowline device unmanaged --product thermostat"},
    {"device set", "DEVICE", 1, 1, ANY, NULL, verb_device_set,
     "change a device's name, channel or tags",
     "What is not said stays. --tag \"\" takes all tags away.",
     options_device_set, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "the device, as the server's API describes it",
     "bowline device set kitchen --channel beta --tag lab --tag first"},
    {"device why", "DEVICE", 1, 1, ANY, NULL, verb_device_why,
     "say in one sentence why a device is not updating",
     "From the very function that decides what devices are offered. DEVICE "
     "is its name, its id or the beginning of it.",
     options_why, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "why, why_code\nsentence\nfacts           what was asked, in order, and "
     "the answers",
     "bowline device why kitchen"},
    {"device events", "ID", 1, 1, ANY, NULL, verb_device_events,
     "show what a device reported", "Newest first.",
     options_events, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "items           list of events", NULL},
    {"device remove", "ID", 1, 1, ANY, NULL, verb_device_remove,
     "forget a device", "Its token is no longer accepted. Say the whole id.",
     NULL, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "id              the device that was removed", NULL},
    {"device rollback", "ID", 1, 1, ANY, NULL, verb_device_rollback,
     "bring one device back to an earlier release",
     "Makes a permit for this device and that release, signs it with the "
     "release keys and hands it to the server. Without it a device refuses "
     "what is older than the release it confirmed.",
     options_rollback, TAKES_PROJECT | TAKES_SERVER | TAKES_KEYS, DOES_REMOTE,
     "device, target  as the server answers\nexpires         of the permit",
     "bowline device rollback kitchen --to 1.4.1"},
    {"fleet status", NO_ARGUMENTS, verb_fleet_status,
     "say how the fleet is",
     "Whether all is well, which versions run, which rollouts are under way, "
     "and which devices need a person.",
     NULL, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "the fleet, as the server's API describes it", NULL},
    {"rollback", "[PRODUCT]", 0, 1, ANY, NULL, verb_rollback,
     "bring all devices of a product back to an earlier release",
     "As bowline device rollback, with a permit for the whole product. The "
     "product's active rollout is aborted, and one of kind rollback begun.",
     options_rollback, TAKES_PROJECT | TAKES_SERVER | TAKES_KEYS, DOES_REMOTE,
     "rollout         as the server answers\nexpires         of the permit",
     "bowline rollback --to 1.4.1"},
    {"permit", "VERSION", 1, 1, ANY, NULL, verb_permit,
     "sign a permit to go back to a release, and only write it",
     "For who returns devices with the page: there it asks for this file. "
     "bowline rollout return and bowline rollback make what they need "
     "themselves. The server is asked only for the ids of product and "
     "release (and of the device); nothing is changed there.",
     options_permit, TAKES_PROJECT | TAKES_SERVER | TAKES_KEYS, DOES_REMOTE,
     "file, version, manifest\ndevice          with --device\n"
     "expires         seconds since 1970",
     "bowline permit 1.4.1 -o 1.4.1.permit"},
    {"server init", "FOLDER", 1, 1, A_FOLDER, NULL, verb_server_init,
     "make what a new update server needs",
     "Makes in FOLDER: a certificate authority, the server's certificate for "
     "each --name, the ticket key, root keys, a release key unless "
     "--release-key names one, root document number 1 signed by the root "
     "keys, an operator's token, and bowlined.conf. Nothing that is there is "
     "replaced.\n\n"
     "What must not stay on the server is put into FOLDER/offline: move it "
     "away before you start.",
     options_server_init, 0, DOES_LOCAL,
     "folder, config, url\nmade            list of {file, what, offline}\n"
     "root_version",
     "bowline server init update-server --name updates.example.com"},
    {"server status", NO_ARGUMENTS, verb_server_status,
     "ask the server how it is",
     "Version, root document, devices, and whether devices will take its "
     "tickets: an update needs one of a key that the root document names.",
     NULL, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "version, root_version, devices, time, started\n"
     "tickets         does the root document name the ticket key?", NULL},
    /* --- People, tokens, audit --- */
    {"user add", "NAME", 1, 1, ANY, NULL, verb_user_add,
     "let somebody into the dashboard",
     "Adds a user. Without --password-file it prints an address that logs in "
     "once, within ten minutes; a password is set there.\n\n"
     "viewer reads. operator publishes and rolls out. approver approves what "
     "others roll out, and may pause it. admin does all of it, and manages "
     "users, tokens and settings.",
     options_user_add, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "name, role, disabled, created\n"
     "password        has the user one?\n"
     "url, expires    when there is none: where to log in",
     "bowline user add kim --role admin"},
    {"user list", NO_ARGUMENTS, verb_user_list,
     "list the users", "With the number of their open sessions.",
     NULL, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "items           list of {name, role, disabled, password, created, "
     "last_login,\n                sessions}", NULL},
    {"user set", "NAME", 1, 1, ANY, NULL, verb_user_set,
     "change a user's role or password, or disable the user",
     "Every session of that user ends.",
     options_user_set, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "the user", "bowline user set kim --role operator"},
    {"user remove", "NAME", 1, 1, ANY, NULL, verb_user_remove,
     "remove a user", "Every session of that user ends. The audit log keeps "
     "the name.",
     NULL, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE, "name, removed", NULL},
    {"login-code", "[NAME]", 0, 1, ANY, NULL, verb_login_code,
     "print an address that logs in once",
     "Holds for ten minutes. Also for who forgot the password, or is slowed "
     "down by somebody's guessing. Without NAME: the only user.\n\n"
     "The code stands behind the # of the address: a browser does not send "
     "that part, and no log has it.",
     NULL, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "name, url, expires", "bowline login-code kim"},
    {"token new", "NAME", 1, 1, ANY, NULL, verb_token_new,
     "make an API token, for a build service or a script",
     "The token is written into a file, mode 0600, and kept nowhere else: the "
     "server has its hash. A scope narrows what its role may do; each of them "
     "includes reading, but for users, tokens, settings and the audit log, "
     "which take read or admin.",
     options_token_new, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "file, id, name, role, scopes, created, created_by, expires, last_use\n"
     "token           with -o - only",
     "bowline token new ci --role operator --scope publish"},
    {"token list", NO_ARGUMENTS, verb_token_list,
     "list the API tokens", "Those of the file operator_tokens are not among "
     "them.",
     NULL, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "items           list of {id, name, role, scopes, created, created_by, "
     "expires,\n                last_use}", NULL},
    {"token revoke", "NAME", 1, 1, ANY, NULL, verb_token_revoke,
     "end an API token", "It is refused from now on.",
     NULL, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE, "name, revoked", NULL},
    {"settings", NO_ARGUMENTS, verb_settings,
     "show or change the server's settings",
     "Without options it shows them. To change them takes the role admin.",
     options_settings, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "four_eyes, approvals, deltas", "bowline settings --four-eyes on"},
    {"webhook add", "URL", 1, 1, ANY, NULL, verb_webhook_add,
     "have changes told to a URL",
     "What the audit log says is POSTed there as JSON, signed with a secret. "
     "Without --events: all of it. The server makes the secret and gives it "
     "this one time, into a file of mode 0600; or it is yours, from a file. "
     "The URL may hold a secret, too: only an admin sees it.",
     options_webhook_add, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "id, url, events, enabled, created, created_by, file\n"
     "secret          with -o - only",
     "bowline webhook add https://ci.example.com/hook --events 'rollout.*' "
     "-o hook.secret"},
    {"webhook list", NO_ARGUMENTS, verb_webhook_list,
     "list the webhooks", "Without their secrets.",
     NULL, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "items           list of {id, url, events, enabled, created, "
     "created_by}", NULL},
    {"webhook set", "ID", 1, 1, ANY, NULL, verb_webhook_set,
     "change a webhook, or switch it off or on",
     "One that was off and is enabled begins with what comes then. Events "
     "that are given replace those it had.",
     options_webhook_set, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "the webhook", "bowline webhook set 3 --disable"},
    {"webhook remove", "ID", 1, 1, ANY, NULL, verb_webhook_remove,
     "remove a webhook", "What waits to be sent there is dropped.",
     NULL, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE, "id, removed", NULL},
    {"webhook test", "ID", 1, 1, ANY, NULL, verb_webhook_test,
     "send a webhook an event of type test",
     "Waits for the first try and says what the receiver answered. Exit 1 "
     "when it was not delivered; the server tries again.",
     NULL, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE | DOES(NO),
     "id, event, type, state, created, tries, next, last, status, error, ms",
     NULL},
    {"webhook deliveries", "ID", 1, 1, ANY, NULL, verb_webhook_deliveries,
     "list what was sent to a webhook", "Newest first, of seven days.",
     options_webhook_deliveries, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "items           list of {id, event, type, state, created, tries, next, "
     "last,\n                status, error, ms}", NULL},
    {"audit list", NO_ARGUMENTS, verb_audit_list,
     "list who did what", "Newest first.",
     options_audit_list, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "items           list of {number, time, actor, action, object, detail, "
     "hash}", "bowline audit list --action login-refused"},
    {"audit export", NO_ARGUMENTS, verb_audit_export,
     "write the whole audit log into a file",
     "A file in jsonl can be verified without the server. In csv a text that "
     "a spreadsheet would take for a formula has a ' in front.",
     options_audit_export, TAKES_PROJECT | TAKES_SERVER, DOES_REMOTE,
     "file, format", "bowline audit export -o audit.jsonl"},
    {"audit verify", "[FILE]", 0, 1, A_FILE, NULL, verb_audit_verify,
     "check that no line of the audit log was altered",
     "Each line's hash covers the line and the hash before it: what was "
     "altered, taken out or put in is found, and named. FILE is an export in "
     "jsonl, checked here. Without FILE the server checks its own. Exit 1 "
     "when the chain is broken.\n\n"
     "Who can write the server's database can make the whole chain anew. So "
     "note the head from time to time, elsewhere, and say it with --head.",
     options_audit_verify, TAKES_PROJECT | TAKES_SERVER,
     DOES_REMOTE | DOES(NO),
     "ok, lines, head\n"
     "first_bad       number of the first line that does not fit, or null\n"
     "file, problem   of a file", "bowline audit verify audit.jsonl"},
    {"conformance", "FILE...", 1, -1, A_FILE, NULL, verb_conformance,
     "run test vectors through the device's code",
     "Each FILE is a vector file in one of the formats of tests/vectors. "
     "Prints each verdict; exit 1 when one differs from what the file says. "
     "What the device has no code for (encryption, ES384, ES512) is named "
     "and counted apart.",
     NULL, 0, DOES_LOCAL | DOES(NO), "vectors         list of verdicts\n"
     "same, differs, unsupported  how many",
     "bowline conformance tests/vectors/*/*.json"},
    {"status-codes", NO_ARGUMENTS, verb_status_codes,
     "list the status codes that devices report",
     "Number, name, meaning, and the reason of a SUIT report. What to do about "
     "each, and the codes of why a device has no update: --json, --markdown.",
     options_status_codes, 0, DOES(YES) | DOES(USAGE),
     "codes           list of {number, name, meaning, advice, suit_reason}\n"
     "whys, waits     lists of {name, meaning, advice}", NULL},
    {"completion", "SHELL", 1, 1, WORDS, "bash zsh", verb_completion,
     "print completion for a shell", "SHELL is bash or zsh.",
     NULL, 0, DOES(YES) | DOES(USAGE), NULL,
     "source <(bowline completion bash)"},
    {"help", "[VERB]", 0, 2, ANY, NULL, verb_help,
     "explain a verb", "The same as bowline VERB --help.",
     options_help, 0, DOES(YES) | DOES(USAGE) | DOES(LOCAL),
     "of one verb:    verb, arguments, summary, about, options, exits, json, "
     "example\nelse:           verbs: list of {verb, arguments, summary}",
     "bowline help rollout start"},
    {"version", NO_ARGUMENTS, verb_version,
     "print the program's version", "Nothing else.",
     NULL, 0, DOES(YES) | DOES(USAGE), "version", NULL}};
/* clang-format on */
const size_t n_verbs = sizeof verbs / sizeof verbs[0];
