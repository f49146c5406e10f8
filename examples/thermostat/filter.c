/* SPDX-License-Identifier: Apache-2.0 */
#include "filter.h"

double filter_take(struct filter *filter, double celsius)
{
    double sorted[FILTER_READINGS];
    unsigned n;

    filter->reading[filter->n++ % FILTER_READINGS] = celsius;
    n = filter->n < FILTER_READINGS ? filter->n : FILTER_READINGS;
    for (unsigned i = 0; i < n; i++) {
        unsigned at = i;

        for (; at > 0 && sorted[at - 1] > filter->reading[i]; at--) {
            sorted[at] = sorted[at - 1];
        }
        sorted[at] = filter->reading[i];
    }
    return sorted[n / 2];
}
