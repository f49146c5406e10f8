/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine's clock: real time, unless clock_speed lets it run faster for a
 * test or a demo. What is stored and shown are real times; only what passes
 * between two of them, and the clock that windows, start times and deadlines
 * are held against, runs faster.
 */
#ifndef SERVER_CLOCK_H
#define SERVER_CLOCK_H

#include "server.h"

/* Seconds since 1970, as the engine sees them. */
uint64_t clock_now(const struct server *s);
/* The engine's time of a real one, and of one that is 0 (never): 0. */
uint64_t clock_of(const struct server *s, uint64_t real);
/* Of a number of the engine's seconds: in how many real ones? At least 1. */
uint32_t clock_real_s(const struct server *s, uint64_t seconds);
/* A clock that only rises, in microseconds, as fast as the engine's. */
uint64_t clock_us(const struct server *s);

#endif
