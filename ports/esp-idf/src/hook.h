/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BOWLINE_ESP_HOOK_H
#define BOWLINE_ESP_HOOK_H

#include "store.h"

#include "bowline/state.h"

/* What the early hook leaves for the log. */
struct bowline_hook {
    bool done;
    bool spent;
    bool no_rollback;
    esp_err_t err;
};

extern struct bowline_hook bowline_hook;

/* Does nothing; named by the linker, CMakeLists.txt. */
void bowline_hook_include(void);
/* Makes record and otadata agree with what runs. *restart: a switch was
 * finished, the caller restarts. */
esp_err_t bowline_settle(const struct bowline_store *store, uint8_t *running,
                         bool *restart);
/* Has the slot on trial boot next; when ESP-IDF refuses its image the trial
 * is given up in `state` and in flash, and ESP_OK returned. */
esp_err_t bowline_forward(const struct bowline_store *store,
                          struct bl_state *state);

#endif
