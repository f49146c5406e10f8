/* SPDX-License-Identifier: Apache-2.0 */
/* The little of GnuTLS that the HTTP library leaves to us. */
#ifndef SERVER_TLS_H
#define SERVER_TLS_H

#include "host/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3"
/* For clients as ESP-IDF builds them by default: of 1.2 what has forward
 * secrecy and authenticated encryption, and nothing else. */
#define TLS_PRIORITIES_12                                                     \
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:"        \
    "+ECDHE-RSA:-CIPHER-ALL:+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-GCM:"    \
    "-MAC-ALL:+AEAD"

/* Are certificate and key (PEM texts) such, a pair, and valid now? -1 with
 * err->code 1 when the only fault is the date. */
int tls_check(const char *certificate, const char *key, struct error *err);

/* When the certificate (PEM) expires, in seconds since 1970; 0: unreadable. */
int64_t tls_expires(const char *certificate);

/* Session tickets: who comes back needs no new handshake with signatures. */
struct tls_tickets;
struct tls_tickets *tls_tickets_new(void);
void tls_tickets_free(struct tls_tickets *t);
void tls_tickets_offer(struct tls_tickets *t, void *session);

/* What is sent is gathered until tls_let_go sends it as few records. -1 when
 * not all of it went: then the connection is of no use. */
void tls_gather(void *session);
int tls_let_go(void *session);

/* Common name of the peer's certificate when it has one that the client CA
 * vouches for; else "". */
void tls_client_name(void *session, char *out, size_t size);

/* Older than TLS 1.3? */
bool tls_is_old(void *session);

/* An address as text; "?" when NULL. */
void peer_text(const struct sockaddr *address, char out[64]);
/* A text in the place of the library's void *. */
void *string_option(const char *text);

#endif
