/* SPDX-License-Identifier: Apache-2.0 */
#include "tickets.h"

int tickets_open(struct tickets *t, const char *path, uint32_t n,
                 struct error *err)
{
    memset(t, 0, sizeof *t);
    for (uint32_t i = 0; i < n; i++) {
        t->signer[i].key = author_key_open(path, err);
        if (t->signer[i].key == NULL) {
            tickets_close(t);
            return error_prefix(err, "ticket_key");
        }
        pthread_mutex_init(&t->signer[i].lock, NULL);
        t->n++;
    }
    return 0;
}

void tickets_close(struct tickets *t)
{
    for (uint32_t i = 0; i < t->n; i++) {
        author_key_free(t->signer[i].key);
        pthread_mutex_destroy(&t->signer[i].lock);
    }
    t->n = 0;
}

int tickets_sign(struct tickets *t, const struct author_ticket *ticket,
                 struct buffer *out, struct error *err)
{
    uint32_t i = atomic_fetch_add(&t->next, 1) % t->n;
    int result;

    pthread_mutex_lock(&t->signer[i].lock);
    result = author_ticket(ticket, t->signer[i].key, out, err);
    pthread_mutex_unlock(&t->signer[i].lock);
    return result;
}

bool tickets_trusted(const struct tickets *t, const struct bl_root *root)
{
    const struct bl_root_role *role = &root->role[BL_ROLE_TICKET];

    if (t->n == 0) {
        return false;
    }
    for (uint32_t i = 0; i < root->n_keys; i++) {
        if ((role->keys & 1U << i) != 0 &&
            memcmp(root->key[i].kid, author_key_kid(t->signer[0].key),
                   BL_KID_SIZE) == 0) {
            return true;
        }
    }
    return false;
}
