/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOUBLE_WIFI_H
#define DOUBLE_WIFI_H

#include "Arduino.h"
#include "WiFiClient.h"
#include "WiFiUdp.h"

typedef enum { WL_IDLE_STATUS = 0, WL_CONNECTED = 3 } wl_status_t;
typedef enum { WIFI_OFF = 0, WIFI_STA = 1 } wifi_mode_t;

class WiFiClass
{
  public:
    bool mode(wifi_mode_t)
    {
        return true;
    }
    wl_status_t begin(const char *, const char *)
    {
        return status();
    }
    uint8_t waitForConnectResult()
    {
        return (uint8_t)status();
    }
    wl_status_t status();
    IPAddress localIP()
    {
        return IPAddress(127, 0, 0, 1);
    }
    uint8_t *macAddress(uint8_t *mac);
};
extern WiFiClass WiFi;

#endif
