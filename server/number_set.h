/* SPDX-License-Identifier: Apache-2.0 */
/* A set of row numbers; any thread may ask, add and take out. */
#ifndef SERVER_NUMBER_SET_H
#define SERVER_NUMBER_SET_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct number_set {
    pthread_mutex_t lock;
    uint32_t *slot; /* open addressing; 0 is empty */
    uint32_t size;  /* a power of two, or 0 */
    _Atomic uint32_t n;
};

int number_set_init(struct number_set *s);
void number_set_free(struct number_set *s);
/* `number` is not 0. -1 without memory. */
int number_set_add(struct number_set *s, uint32_t number);
/* Adds it unless the set holds `most` others: false then, or without
 * memory. */
bool number_set_add_below(struct number_set *s, uint32_t number,
                          uint32_t most);
void number_set_remove(struct number_set *s, uint32_t number);
void number_set_clear(struct number_set *s);
bool number_set_has(struct number_set *s, uint32_t number);

#endif
