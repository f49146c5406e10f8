/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ArduinoOTA: firmware pushed to a device on the local network, as the Arduino
 * cores and their tool espota.py do it. Both sides, as machines without
 * sockets, clock or memory of their own: the port moves datagrams and bytes,
 * time comes in as a parameter. Not re-entrant.
 *
 *   sender --UDP--> "0 <tcp port> <size> <md5>\n"             invitation
 *   device --UDP--> "AUTH <nonce>"  |  "OK"
 *   sender --UDP--> "200 <cnonce> <response>\n"               with a password
 *   device --UDP--> "OK"  |  "Authentication Failed"
 *   device --TCP--> connects to the sender's port
 *   sender ==file=> in pieces; device acknowledges each read: "1024"
 *   device --TCP--> "OK", after the MD5 and what `end` says; or its error
 *
 * The protocol protects nothing but the password: neither who the device is,
 * nor the file, which is in clear and bound to nothing but an MD5. Whether a
 * file may be installed is for `end` to judge, by its signature.
 */
#ifndef BOWLINE_ARDUINO_OTA_H
#define BOWLINE_ARDUINO_OTA_H

#include "bowline/esp_md5.h"
#include "bowline/span.h"
#include "bowline/status.h"

enum {
    BL_ARDUINO_PORT_ESP32 = 3232,
    BL_ARDUINO_PORT_ESP8266 = 8266,
    BL_ARDUINO_FLASH = 0,        /* commands: the firmware, */
    BL_ARDUINO_FILESYSTEM = 100, /* a file system's image */
    BL_ARDUINO_READ_MOST = 1460, /* bytes of one read, at most */
    BL_ARDUINO_PIECE = 1024,     /* bytes the sender sends at once */
    BL_ARDUINO_TEXT = 160,       /* any datagram or text of either side */
    BL_ARDUINO_PEER = 16         /* bytes of an address, at most */
};

/* As setPassword, setPasswordHash and the sketch's OTA_..._ERROR have it. */
typedef enum bl_arduino_error {
    BL_ARDUINO_AUTH_ERROR = 0,
    BL_ARDUINO_BEGIN_ERROR = 1,
    BL_ARDUINO_CONNECT_ERROR = 2,
    BL_ARDUINO_RECEIVE_ERROR = 3,
    BL_ARDUINO_END_ERROR = 4
} bl_arduino_error;

/* "Auth Failed", "Begin Failed", ...: the words of ArduinoOTA's examples. */
const char *bl_arduino_error_text(bl_arduino_error error);

/* --- Passwords -------------------------------------------------------------
 */

/* A password as both sides use it: hex, zero-terminated. Empty: not known. As
 * good as the password itself to who has it. */
struct bl_arduino_secret {
    char sha256[65];
    char md5[33];
    char md5_bom[33]; /* some tools of 2020 hash a byte order mark with it */
};

void bl_arduino_secret_password(struct bl_arduino_secret *secret,
                                const char *password, size_t n);
/* setPasswordHash: 32 hex digits of MD5 or 64 of SHA-256; else BL_ARGUMENT. */
bl_status bl_arduino_secret_hash(struct bl_arduino_secret *secret,
                                 const char *hex) BL_MUST_CHECK;

/* --- What the port has to do next ------------------------------------------
 */

typedef enum bl_arduino_todo {
    BL_ARDUINO_WAIT,      /* for datagrams (and, as sender, for the device's
                             connection), until `until_ms` at most */
    BL_ARDUINO_DATAGRAM,  /* sender: send `text` by UDP to the device */
    BL_ARDUINO_CONNECT,   /* device: connect to the peer's TCP `port` within
                             until_ms, then bl_arduino_device_connected */
    BL_ARDUINO_SEND,      /* send `text` over TCP */
    BL_ARDUINO_SEND_FILE, /* sender: send `size` bytes of it from `offset` */
    BL_ARDUINO_READ,      /* read TCP, until `until_ms` at most */
    BL_ARDUINO_CLOSE,     /* device: close TCP */
    BL_ARDUINO_RESTART,   /* device: it is installed, restart. Handed out once;
                             then it listens again */
    BL_ARDUINO_DONE,      /* sender: the device has it */
    BL_ARDUINO_FAILED     /* sender: see `failure` and `said` */
} bl_arduino_todo;

struct bl_arduino_action {
    bl_arduino_todo todo;
    uint64_t until_ms;
    bl_span text; /* valid until the next call */
    uint32_t offset;
    uint32_t size;
    uint16_t port;
};

/* --- The device ------------------------------------------------------------
 */

typedef enum bl_arduino_scheme {
    BL_ARDUINO_OPEN = 0,  /* no password */
    BL_ARDUINO_MD5 = 1,   /* every tool knows it; weak: a listener can try
                             millions of passwords a second on what he heard */
    BL_ARDUINO_PBKDF2 = 2 /* SHA-256, 10000 rounds; tools of 2025 and later */
} bl_arduino_scheme;

struct bl_arduino_device_config {
    bl_arduino_scheme scheme;
    struct bl_arduino_secret secret; /* at least one that the scheme uses */
    /* Fills `n` bytes from a cryptographic random source. */
    bl_status (*random)(void *ctx, void *out, size_t n);
    /*
     * What becomes of the file. Each returns NULL, or why not, in a few words
     * for the sender ("Not Enough Space"), at most 100 bytes.
     * begin: after the authentication, before "OK" and the connection; for
     * every command but flash it should say no, if it does not know it.
     * end: all bytes are here and the MD5 is right. May take 30 seconds.
     */
    const char *(*begin)(void *ctx, uint16_t command, uint32_t size);
    const char *(*data)(void *ctx, const uint8_t *data, size_t n);
    const char *(*end)(void *ctx);
    /* Anything went wrong, `why` in words; what `begin` opened is to be let
     * go. May be NULL. */
    void (*error)(void *ctx, bl_arduino_error error, const char *why);
    void *ctx;
};

/* Members are for reading only: `busy` and `done` of `size`, for a display. */
struct bl_arduino_device {
    struct bl_arduino_device_config config;
    bool busy;     /* from an accepted invitation to its end */
    uint32_t size; /* of the file that is pushed */
    uint32_t done; /* bytes of it that came */
    uint16_t command;
    uint16_t port; /* the sender's */
    uint8_t phase; /* private from here on */
    uint8_t stalls;
    uint8_t peer_n;
    uint8_t failures; /* wrong passwords, lately */
    uint8_t peer[BL_ARDUINO_PEER];
    uint8_t md5[BL_ESP_MD5_SIZE];
    char nonce[65]; /* empty: none is open */
    bool restart;
    bool close;
    uint64_t since_ms;  /* of this phase, or the last byte */
    uint64_t begun_ms;  /* the invitation was accepted */
    uint64_t locked_ms; /* no authentication before */
    uint32_t last;      /* bytes of the last read, for the repeated ack */
    struct bl_esp_md5 sum;
    size_t text_n;
    char text[BL_ARDUINO_TEXT];
    char out[BL_ARDUINO_TEXT];
};

/* BL_ARGUMENT: a callback is missing, or a secret that the scheme needs. */
bl_status bl_arduino_device_init(struct bl_arduino_device *d,
                                 const struct bl_arduino_device_config *config)
    BL_MUST_CHECK;

/*
 * A datagram came from `peer` (the bytes of its address, without the port).
 * Returns how many bytes of `reply` go back to where it came from, 0: none. A
 * nonce is good for one answer, right or wrong. After three wrong passwords
 * each further one costs 2, 4, 8, ... at most 60 seconds, in which nobody can
 * authenticate. BL_ARDUINO_PBKDF2: some 40000 SHA-256 blocks for an answer.
 */
size_t bl_arduino_device_datagram(struct bl_arduino_device *d, uint64_t now_ms,
                                  bl_span peer, bl_span datagram,
                                  char reply[BL_ARDUINO_TEXT]);

/* The answer to BL_ARDUINO_CONNECT. */
void bl_arduino_device_connected(struct bl_arduino_device *d, uint64_t now_ms,
                                 bool ok);
/* At most BL_ARDUINO_READ_MOST bytes came; call bl_arduino_device_next after
 * each: it has the acknowledgement. */
void bl_arduino_device_data(struct bl_arduino_device *d, uint64_t now_ms,
                            const uint8_t *data, size_t n);
/* The sender closed the connection, or it broke. */
void bl_arduino_device_closed(struct bl_arduino_device *d, uint64_t now_ms);
/* The application takes its word back: ends what is under way. */
void bl_arduino_device_abort(struct bl_arduino_device *d, uint64_t now_ms);

/* What to do now; again after each result, and when `until_ms` has come. */
void bl_arduino_device_next(struct bl_arduino_device *d, uint64_t now_ms,
                            struct bl_arduino_action *action);

/* --- The sender ------------------------------------------------------------
 */

typedef enum bl_arduino_failure {
    BL_ARDUINO_NO_FAILURE = 0,
    BL_ARDUINO_NO_ANSWER,       /* to any invitation */
    BL_ARDUINO_PASSWORD_NEEDED, /* and none was given */
    BL_ARDUINO_PASSWORD_WRONG,
    BL_ARDUINO_REFUSED,       /* the invitation; `said` is why */
    BL_ARDUINO_NO_CONNECTION, /* it said OK, and did not connect */
    BL_ARDUINO_LOST,          /* the connection ended too early */
    BL_ARDUINO_NO_ACK,        /* it stopped acknowledging */
    BL_ARDUINO_NO_RESULT,     /* it has all, and said neither OK nor why */
    BL_ARDUINO_DEVICE_ERROR,  /* `said` is its error */
    BL_ARDUINO_RANDOM         /* no random bytes for the answer */
} bl_arduino_failure;

struct bl_arduino_sender_config {
    uint16_t command;
    uint16_t port; /* where the caller listens for the device's connection */
    uint32_t size;
    uint8_t md5[BL_ESP_MD5_SIZE]; /* of the whole file */
    bool has_secret;
    struct bl_arduino_secret secret;
    bl_status (*random)(void *ctx, void *out, size_t n);
    void *ctx;
    uint32_t answer_s; /* how long to invite, once a second; 0: 10 */
    uint32_t ack_s;    /* 0: 10 */
    uint32_t result_s; /* 0: 60 */
};

/* Members are for reading only: failure, said, done, scheme. */
struct bl_arduino_sender {
    struct bl_arduino_sender_config config;
    bl_arduino_failure failure;
    bl_arduino_scheme scheme;   /* that the device asked for */
    uint32_t done;              /* bytes sent */
    char said[BL_ARDUINO_TEXT]; /* what the device said last, printable */
    uint8_t phase;              /* private from here on */
    bool weak;  /* second try, with the password's MD5 (PBKDF2) */
    bool acked; /* the last piece was */
    bool send;  /* `text` waits to be sent */
    size_t said_n;
    size_t text_n;
    uint64_t begun_ms;
    uint64_t since_ms;
    char text[BL_ARDUINO_TEXT];
};

void bl_arduino_sender_init(struct bl_arduino_sender *s,
                            const struct bl_arduino_sender_config *config,
                            uint64_t now_ms);
void bl_arduino_sender_next(struct bl_arduino_sender *s, uint64_t now_ms,
                            struct bl_arduino_action *action);
/* A datagram came from the device (the caller compares the address). */
void bl_arduino_sender_datagram(struct bl_arduino_sender *s, uint64_t now_ms,
                                bl_span datagram);
/* The device connected; from here on datagrams count no more. */
void bl_arduino_sender_connected(struct bl_arduino_sender *s, uint64_t now_ms);
/* Bytes came over TCP; n 0: the device closed it, or it broke. */
void bl_arduino_sender_data(struct bl_arduino_sender *s, uint64_t now_ms,
                            const void *data, size_t n);

#endif
