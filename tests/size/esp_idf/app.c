/* SPDX-License-Identifier: Apache-2.0 */
/* The least application: it calls all that bowline_esp.h offers. */
#include "agent.h"

extern const uint8_t size_of_agent[sizeof(struct bowline_agent)];
/* Their sizes are read from the linked program. */
const uint8_t size_of_agent[sizeof(struct bowline_agent)] = {0};

void app_main(void);

static bowline_health_t check(void *ctx)
{
    (void)ctx;
    return BOWLINE_HEALTH_PASS;
}

void app_main(void)
{
    static const char text[] = "x";
    bowline_config_t config = BOWLINE_CONFIG_DEFAULT();
    bowline_status_t status;

    config.server = text;
    (void)bowline_health_check(text, check, NULL);
    (void)bowline_health_check(text, bowline_check_server, NULL);
    (void)bowline_start(&config);
    (void)bowline_get_status(&status);
    (void)bowline_poll();
    (void)bowline_consent(status.trial);
    (void)bowline_reject();
}
