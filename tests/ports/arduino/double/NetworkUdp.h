/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOUBLE_NETWORKUDP_H
#define DOUBLE_NETWORKUDP_H

#include <vector>

#include "Arduino.h"

class NetworkUDP : public Stream
{
  public:
    ~NetworkUDP()
    {
        stop();
    }
    uint8_t begin(uint16_t port);
    void stop();
    int beginPacket(IPAddress ip, uint16_t port);
    int endPacket();
    size_t write(uint8_t byte) override;
    size_t write(const uint8_t *data, size_t n) override;
    using Print::write;
    /* As the core's: 0 for as long as bytes of the last one are unread. */
    int parsePacket();
    int available() override;
    int read() override;
    int read(unsigned char *data, size_t n);
    int read(char *data, size_t n)
    {
        return read((unsigned char *)data, n);
    }
    int peek() override;
    IPAddress remoteIP()
    {
        return remote_ip;
    }
    uint16_t remotePort()
    {
        return remote_port;
    }

  private:
    int fd = -1;
    std::vector<uint8_t> in, out;
    size_t at = 0;
    IPAddress remote_ip, to_ip;
    uint16_t remote_port = 0, to_port = 0;
};

#endif
