/* SPDX-License-Identifier: Apache-2.0 */
#include "tls.h"

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static gnutls_datum_t datum(const char *text)
{
    gnutls_datum_t d;

    d.data = string_option(text);
    d.size = (unsigned)strlen(text);
    return d;
}

void *string_option(const char *text)
{
    union {
        const char *in;
        void *out;
    } p = {text};

    return p.out;
}

static int check_dates(gnutls_x509_crt_t crt, struct error *err)
{
    time_t now = time(NULL);
    time_t from = gnutls_x509_crt_get_activation_time(crt);
    time_t until = gnutls_x509_crt_get_expiration_time(crt);
    const char *what = now > until ? "has expired" : "is not valid before";
    time_t when = now > until ? until : from;
    struct tm utc;
    char text[64];

    if (now >= from && now <= until) {
        return 0;
    }
    gmtime_r(&when, &utc);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &utc);
    error_set(err,
              "the certificate %s%s (%s): clients will not accept it; "
              "replace it or set the clock right",
              what, now > until ? "" : " its time", text);
    err->code = 1;
    return -1;
}

int64_t tls_expires(const char *certificate)
{
    gnutls_datum_t c = datum(certificate);
    gnutls_x509_crt_t crt;
    int64_t until = 0;

    if (gnutls_x509_crt_init(&crt) < 0) {
        return 0;
    }
    if (gnutls_x509_crt_import(crt, &c, GNUTLS_X509_FMT_PEM) >= 0) {
        until = (int64_t)gnutls_x509_crt_get_expiration_time(crt);
    }
    gnutls_x509_crt_deinit(crt);
    return until < 0 ? 0 : until;
}

int tls_check(const char *certificate, const char *key, struct error *err)
{
    gnutls_certificate_credentials_t pair;
    gnutls_datum_t c = datum(certificate);
    gnutls_datum_t k = datum(key);
    gnutls_x509_crt_t crt;
    int result;

    if (gnutls_certificate_allocate_credentials(&pair) < 0) {
        return error_set(err, "no memory");
    }
    result =
        gnutls_certificate_set_x509_key_mem(pair, &c, &k, GNUTLS_X509_FMT_PEM);
    gnutls_certificate_free_credentials(pair);
    if (result < 0) {
        return error_set(err, "certificate and key: %s",
                         gnutls_strerror(result));
    }
    if (gnutls_x509_crt_init(&crt) < 0) {
        return error_set(err, "no memory");
    }
    result = gnutls_x509_crt_import(crt, &c, GNUTLS_X509_FMT_PEM) < 0
                 ? error_set(err, "the certificate cannot be read")
                 : check_dates(crt, err);
    gnutls_x509_crt_deinit(crt);
    return result;
}

struct tls_tickets {
    gnutls_datum_t key;
};

struct tls_tickets *tls_tickets_new(void)
{
    struct tls_tickets *t = calloc(1, sizeof *t);

    if (t != NULL && gnutls_session_ticket_key_generate(&t->key) < 0) {
        free(t);
        return NULL;
    }
    return t;
}

void tls_tickets_free(struct tls_tickets *t)
{
    if (t != NULL) {
        gnutls_memset(t->key.data, 0, t->key.size);
        gnutls_free(t->key.data);
        free(t);
    }
}

void tls_tickets_offer(struct tls_tickets *t, void *session)
{
    gnutls_session_ticket_enable_server(session, &t->key);
}

void tls_gather(void *session)
{
    gnutls_record_cork(session);
}

int tls_let_go(void *session)
{
    return gnutls_record_uncork(session, 0) < 0 ? -1 : 0;
}

static int name_of(const gnutls_datum_t *der, char *out, size_t *size)
{
    gnutls_x509_crt_t crt;
    int result;

    if (gnutls_x509_crt_init(&crt) < 0) {
        return -1;
    }
    result = gnutls_x509_crt_import(crt, der, GNUTLS_X509_FMT_DER);
    if (result >= 0) {
        result = gnutls_x509_crt_get_dn_by_oid(
            crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, out, size);
    }
    gnutls_x509_crt_deinit(crt);
    return result < 0 ? -1 : 0;
}

void tls_client_name(void *session, char *out, size_t size)
{
    const unsigned dates = GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED;
    unsigned status = 0;
    unsigned n = 0;
    const gnutls_datum_t *list = gnutls_certificate_get_peers(session, &n);

    if (list == NULL || n == 0 ||
        gnutls_certificate_verify_peers2(session, &status) < 0) {
        out[0] = '\0';
        return;
    }
    /* A device whose certificate has run out must still be reachable for a
     * fix; its key is proven all the same. */
    if ((status & dates) != 0) {
        status &= ~(dates | (unsigned)GNUTLS_CERT_INVALID);
    }
    if (status != 0 || name_of(&list[0], out, &size) != 0) {
        out[0] = '\0';
    }
}

bool tls_is_old(void *session)
{
    return gnutls_protocol_get_version(session) != GNUTLS_TLS1_3;
}

void peer_text(const struct sockaddr *address, char out[64])
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    const void *bytes = NULL;

    snprintf(out, 64, "?");
    if (address != NULL && address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof v4);
        bytes = &v4.sin_addr;
    } else if (address != NULL && address->sa_family == AF_INET6) {
        memcpy(&v6, address, sizeof v6);
        bytes = &v6.sin6_addr;
    }
    if (bytes != NULL) {
        inet_ntop(address->sa_family, bytes, out, 64);
    }
}
