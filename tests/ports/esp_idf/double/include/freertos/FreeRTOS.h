/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FREERTOS_H
#define FREERTOS_H

#include <stdint.h>

typedef uint32_t TickType_t;
typedef int BaseType_t;
typedef unsigned UBaseType_t;
typedef struct {
    void *place;
} StaticSemaphore_t;

#define pdTRUE 1
#define pdPASS 1
#define portMAX_DELAY UINT32_MAX
#define configTICK_RATE_HZ 100U
#define pdMS_TO_TICKS(ms)                                                     \
    ((TickType_t)((TickType_t)(ms)*configTICK_RATE_HZ / 1000U))

#endif
