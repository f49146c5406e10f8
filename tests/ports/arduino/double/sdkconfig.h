/* SPDX-License-Identifier: Apache-2.0 */
/* The core's, which knows nothing of Bowline. */
#ifndef DOUBLE_SDKCONFIG_H
#define DOUBLE_SDKCONFIG_H

#define CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE 1
#define CONFIG_APP_ROLLBACK_ENABLE 1
#define CONFIG_MBEDTLS_SSL_PROTO_TLS1_3 1

#endif
