/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOUBLE_NETWORKCLIENT_H
#define DOUBLE_NETWORKCLIENT_H

#include "Arduino.h"

class NetworkClient : public Stream
{
  public:
    ~NetworkClient()
    {
        stop();
    }
    int connect(IPAddress ip, uint16_t port, int32_t timeout_ms = 3000);
    uint8_t connected();
    void stop();
    int setNoDelay(bool on);
    size_t write(uint8_t byte) override;
    size_t write(const uint8_t *data, size_t n) override;
    using Print::write;
    int available() override;
    int read() override;
    int read(uint8_t *data, size_t n);
    int peek() override
    {
        return -1;
    }

  private:
    int fd = -1;
};

#endif
