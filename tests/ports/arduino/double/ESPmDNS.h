/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOUBLE_ESPMDNS_H
#define DOUBLE_ESPMDNS_H

#include "Arduino.h"

class MDNSResponder
{
  public:
    bool begin(const char *hostname);
    void end();
    void enableArduino(uint16_t port = 3232, bool auth = false);
};
extern MDNSResponder MDNS;

#endif
