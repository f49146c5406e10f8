/* SPDX-License-Identifier: Apache-2.0 */
/* In place of libdivsufsort: there is but one right order of suffixes. */
#ifndef DIVSUFSORT_H
#define DIVSUFSORT_H

#include <stdint.h>

int32_t divsufsort(const uint8_t *text, int32_t *order, int32_t n);

#endif
