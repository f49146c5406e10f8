/* SPDX-License-Identifier: Apache-2.0 */
/* The certificates of a new server: an authority of its own, and one leaf. */
#ifndef X509_H
#define X509_H

#include "host/buffer.h"

struct authority;

struct authority *authority_new(const char *common_name, long days,
                                struct error *err);
void authority_free(struct authority *a);
int authority_certificate(const struct authority *a, struct buffer *out,
                          struct error *err);
int authority_key(const struct authority *a, struct buffer *out,
                  struct error *err);
/* A server's certificate for DNS names and addresses, and its new key. */
int authority_issue(const struct authority *a, const char *const *names, int n,
                    long days, struct buffer *certificate, struct buffer *key,
                    struct error *err);

#endif
