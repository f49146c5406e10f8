/* SPDX-License-Identifier: Apache-2.0 */
#include "throttle.h"

#include "bowline/sha256.h"

#include <string.h>
#include <sys/random.h>

void throttle_init(struct throttle *t)
{
    memset(t, 0, sizeof *t);
    pthread_mutex_init(&t->lock, NULL);
    /* Without it keys may be made to collide: no more than that. */
    (void)!getrandom(t->salt, sizeof t->salt, 0);
}

static uint64_t key_of(const struct throttle *t, char kind, const char *text)
{
    struct bl_sha256 c;
    uint8_t digest[32];
    uint64_t key;

    bl_sha256_init(&c);
    bl_sha256_update(&c, t->salt, sizeof t->salt);
    bl_sha256_update(&c, &kind, 1);
    bl_sha256_update(&c, text, strlen(text));
    bl_sha256_final(&c, digest);
    memcpy(&key, digest, sizeof key);
    return key | 1;
}

static void refill(struct throttle_slot *slot, uint32_t each_s,
                   uint64_t now_us)
{
    uint64_t each = (uint64_t)each_s * 1000000;
    uint64_t back = (now_us - slot->from_us) / each;

    if (back >= slot->used) {
        slot->used = 0;
        slot->from_us = now_us;
    } else {
        slot->used -= (uint32_t)back;
        slot->from_us += back * each;
    }
}

/* The key's slot, or the one that is given to it. */
static struct throttle_slot *find(struct throttle *t, uint64_t key,
                                  uint64_t now_us)
{
    struct throttle_slot *set = t->slot[(key >> 1) % THROTTLE_SETS];
    struct throttle_slot *least = &set[0];

    for (int i = 0; i < THROTTLE_WAYS; i++) {
        if (set[i].key == key) {
            return &set[i];
        }
        if (set[i].key == 0 ||
            (least->key != 0 && set[i].used < least->used)) {
            least = &set[i];
        }
    }
    least->key = key;
    least->used = 0;
    least->from_us = now_us;
    return least;
}

static uint32_t wait_s(const struct throttle_slot *slot, uint32_t each_s,
                       uint64_t now_us)
{
    uint64_t due = slot->from_us + (uint64_t)each_s * 1000000;

    return due <= now_us ? 1 : (uint32_t)((due - now_us + 999999) / 1000000);
}

uint32_t throttle_take(struct throttle *t, const struct throttle_rule *rule,
                       const char *key, uint64_t now_us)
{
    struct throttle_slot *slot;
    uint32_t wait = 0;

    pthread_mutex_lock(&t->lock);
    slot = find(t, key_of(t, rule->kind, key), now_us);
    refill(slot, rule->each_s, now_us);
    if (slot->used < rule->at_once) {
        slot->used++;
    } else {
        wait = wait_s(slot, rule->each_s, now_us);
    }
    pthread_mutex_unlock(&t->lock);
    return wait;
}

void throttle_give_back(struct throttle *t, const struct throttle_rule *rule,
                        const char *key, uint64_t now_us)
{
    struct throttle_slot *slot;

    pthread_mutex_lock(&t->lock);
    slot = find(t, key_of(t, rule->kind, key), now_us);
    if (slot->used > 0) {
        slot->used--;
    }
    pthread_mutex_unlock(&t->lock);
}
