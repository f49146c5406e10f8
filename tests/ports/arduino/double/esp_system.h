/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOUBLE_ESP_SYSTEM_H
#define DOUBLE_ESP_SYSTEM_H

#ifdef __cplusplus
extern "C"
#endif
    void
    esp_restart(void) __attribute__((noreturn));

#endif
