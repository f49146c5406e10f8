/* SPDX-License-Identifier: Apache-2.0 */
/* The online key, opened several times: a key signs on one thread at a time.
 */
#ifndef SERVER_TICKETS_H
#define SERVER_TICKETS_H

#include "author/author.h"

#include <pthread.h>
#include <stdatomic.h>

enum { TICKETS_MAX = 64 };

struct tickets {
    uint32_t n;
    _Atomic uint32_t next;
    struct {
        pthread_mutex_t lock;
        struct author_key *key;
    } signer[TICKETS_MAX];
};

/* `n` at most TICKETS_MAX. */
int tickets_open(struct tickets *t, const char *path, uint32_t n,
                 struct error *err);
void tickets_close(struct tickets *t);
int tickets_sign(struct tickets *t, const struct author_ticket *ticket,
                 struct buffer *out, struct error *err);
/* Does this root document trust the key for tickets? */
bool tickets_trusted(const struct tickets *t, const struct bl_root *root);

#endif
