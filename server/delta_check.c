/* SPDX-License-Identifier: Apache-2.0 */
/* A disk forgets: the file of a patch is read before its first offer, and
 * again when it has changed. A device would find out, too, but only after a
 * download. */
#include "delta_keeper.h"

#include "host/file.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { EACH_TIME = 64 };

/* Once for each damage. delta_upkeep says which patch it was. */
static void say_damaged(struct server *s, const uint8_t patch[32],
                        const char *why)
{
    char hex[65];
    char file[96];

    if (!deltas_checked(&s->deltas, patch, NULL)) {
        return;
    }
    hex_encode(patch, 32, hex);
    snprintf(file, sizeof file, "deltas/%.2s/%s", hex, hex);
    log_error("delta-damaged", LOG_TEXT("file", file), LOG_TEXT("why", why),
              LOG_TEXT("advice", "devices get the whole payload until it is "
                                 "made anew; look after the disk"));
    delta_keeper_wake(s->delta_keeper);
}

static bool is_sound(struct server *s, const uint8_t patch[32], int fd)
{
    struct error err = {BL_OK, 0, ""};
    struct blob_stamp known;
    struct blob_stamp before;

    if (!deltas_stamp(&s->deltas, patch, &known)) {
        return false; /* withdrawn meanwhile, or found damaged */
    }
    before = known;
    if (blob_check(fd, patch, &known, &err) != 0) {
        say_damaged(s, patch, err.text);
        return false;
    }
    if (memcmp(&before, &known, sizeof known) != 0) {
        deltas_checked(&s->deltas, patch, &known);
    }
    return true;
}

bool delta_sound(struct server *s, const uint8_t patch[32], int fd)
{
    struct error err = {BL_OK, 0, ""};
    uint64_t size;
    bool sound;
    int own;

    if (fd >= 0) {
        return is_sound(s, patch, fd);
    }
    own = blob_open(&s->patches, patch, &size, &err);
    if (own < 0) {
        if (err.code == ENOENT) {
            say_damaged(s, patch, "the file is gone");
        }
        return false; /* too many files are open: no damage */
    }
    sound = is_sound(s, patch, own);
    close(own);
    return sound;
}

/* The digest of the next one; false: there are no more in this round. */
static bool next_file(struct deltas *d, uint8_t patch[32])
{
    bool found = false;

    pthread_rwlock_rdlock(&d->lock);
    while (!found && d->look < d->n_rows) {
        const struct delta *one = d->row[d->look++];

        if (one != NULL && atomic_load(&one->state) == DELTA_READY) {
            memcpy(patch, one->patch, 32);
            found = true;
        }
    }
    pthread_rwlock_unlock(&d->lock);
    return found;
}

void delta_check_some(struct server *s)
{
    uint8_t patch[32];
    int n = 0;

    while (n < EACH_TIME && next_file(&s->deltas, patch)) {
        delta_sound(s, patch, -1);
        n++;
    }
    if (n < EACH_TIME) {
        s->deltas.look = 0;
    }
}
