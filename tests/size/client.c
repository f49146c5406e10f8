/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The least firmware that takes updates: it calls all that a port's loop
 * calls, so that the linker keeps what a product would carry. It is linked
 * to be measured, never run; the functions of the port do nothing.
 */
#include "bowline/client.h"
#include "port.h"

static struct bl_client client;
static struct bl_client_config config;
/* Its size is read from the linked program. */
const uint8_t size_of_bl_client[sizeof client] = {0};

void entry(void)
{
    struct bl_action action;
    bl_status status;

    config.layout = &port_layout;
    config.crypto = &port_crypto;
    status = bl_client_init(&client, &config, port_time());
    while (status == BL_OK) {
        bl_client_next(&client, port_time(), &action);
        switch (action.todo) {
        case BL_TODO_POLL:
            bl_client_answer(&client, port_time(), 200, action.body, 0);
            break;
        case BL_TODO_GET:
            status = bl_client_body(&client, 200, action.offset);
            status |= bl_client_data(&client, action.etag, 32);
            bl_client_done(&client, port_time(), status == BL_OK, 0);
            break;
        case BL_TODO_SLEEP:
            bl_client_unreachable(&client, port_time());
            break;
        case BL_TODO_RESET:
            return;
        }
    }
}
