/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The component's settings, where there is no menuconfig: found first by what
 * stands in this folder, it adds them to the core's own. Defaults are those of
 * ports/esp-idf/Kconfig; a sketch sets others by a build_opt.h
 * (-DCONFIG_BOWLINE_POLL_INTERVAL=600).
 */
#pragma once

#include <sdkconfig.h>

#ifndef CONFIG_BOWLINE_BOOT_TRIES
#define CONFIG_BOWLINE_BOOT_TRIES 3
#endif
#ifndef CONFIG_BOWLINE_CONFIRM_DEADLINE
#define CONFIG_BOWLINE_CONFIRM_DEADLINE 600
#endif
#ifndef CONFIG_BOWLINE_HEALTH_CHECKS
#define CONFIG_BOWLINE_HEALTH_CHECKS 8
#endif
#ifndef CONFIG_BOWLINE_POLL_INTERVAL
#define CONFIG_BOWLINE_POLL_INTERVAL 1800
#endif
#ifndef CONFIG_BOWLINE_TASK_STACK
#define CONFIG_BOWLINE_TASK_STACK 10240
#endif
#ifndef CONFIG_BOWLINE_TASK_PRIORITY
#define CONFIG_BOWLINE_TASK_PRIORITY 3
#endif
#ifndef CONFIG_BOWLINE_ENVELOPE_SIZE
#define CONFIG_BOWLINE_ENVELOPE_SIZE 4096
#endif
#ifndef CONFIG_BOWLINE_IO_SIZE
#define CONFIG_BOWLINE_IO_SIZE 4096
#endif
#ifndef CONFIG_BOWLINE_BUFFER_SIZE
#define CONFIG_BOWLINE_BUFFER_SIZE 6144
#endif
#ifndef CONFIG_BOWLINE_DELTA_MEMORY
#define CONFIG_BOWLINE_DELTA_MEMORY 8192
#endif
