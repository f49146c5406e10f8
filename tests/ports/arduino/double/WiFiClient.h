/* SPDX-License-Identifier: Apache-2.0 */
#include "NetworkClient.h"
typedef NetworkClient WiFiClient;
