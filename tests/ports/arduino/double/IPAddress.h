/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOUBLE_IPADDRESS_H
#define DOUBLE_IPADDRESS_H

#include <stdint.h>

#include "WString.h"

class IPAddress
{
  public:
    IPAddress() : bytes{0, 0, 0, 0}
    {
    }
    IPAddress(uint8_t a, uint8_t b, uint8_t c, uint8_t d) : bytes{a, b, c, d}
    {
    }
    uint8_t operator[](int i) const
    {
        return bytes[i];
    }
    bool operator==(const IPAddress &other) const
    {
        return bytes[0] == other[0] && bytes[1] == other[1] &&
               bytes[2] == other[2] && bytes[3] == other[3];
    }
    bool operator!=(const IPAddress &other) const
    {
        return !(*this == other);
    }
    String toString() const
    {
        return String((int)bytes[0]) + "." + String((int)bytes[1]) + "." +
               String((int)bytes[2]) + "." + String((int)bytes[3]);
    }

  private:
    uint8_t bytes[4];
};

#endif
