/* SPDX-License-Identifier: Apache-2.0 */
#include "NetworkUdp.h"
typedef NetworkUDP WiFiUDP;
