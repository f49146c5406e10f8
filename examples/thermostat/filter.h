/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New in 1.1.0: one odd reading shall not switch the heating. What is decided
 * upon is the median of the last few readings.
 */
#ifndef FILTER_H
#define FILTER_H

enum { FILTER_READINGS = 5 };

struct filter {
    double reading[FILTER_READINGS];
    unsigned n; /* readings so far */
};

/* Takes a reading; what to go by. */
double filter_take(struct filter *filter, double celsius);

#endif
