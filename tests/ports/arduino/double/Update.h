/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOUBLE_UPDATE_H
#define DOUBLE_UPDATE_H

#include <vector>

#include "Arduino.h"
#include "esp_partition.h"

#define UPDATE_ERROR_OK 0
#define UPDATE_ERROR_WRITE 1
#define UPDATE_ERROR_ERASE 2
#define UPDATE_ERROR_READ 3
#define UPDATE_ERROR_SPACE 4
#define UPDATE_ERROR_SIZE 5
#define UPDATE_ERROR_STREAM 6
#define UPDATE_ERROR_MD5 7
#define UPDATE_ERROR_MAGIC_BYTE 8
#define UPDATE_ERROR_ACTIVATE 9
#define UPDATE_ERROR_NO_PARTITION 10
#define UPDATE_ERROR_BAD_ARGUMENT 11
#define UPDATE_ERROR_ABORT 12
#define U_FLASH 0
#define U_SPIFFS 100
#define U_AUTH 200

/* Writes the partition as the core's class does: the first 16 bytes last, the
 * MD5 over all, then the partition is made the one to boot. */
class UpdateClass
{
  public:
    bool begin(size_t size, int command = U_FLASH, int led = -1,
               uint8_t on = LOW, const char *label = nullptr);
    size_t write(uint8_t *data, size_t n);
    bool end(bool even_if_remaining = false);
    void abort();
    bool setMD5(const char *hex);
    const char *errorString();
    uint8_t getError()
    {
        return error;
    }
    bool hasError()
    {
        return error != UPDATE_ERROR_OK;
    }
    bool isRunning()
    {
        return total > 0;
    }
    bool isFinished()
    {
        return done == total;
    }
    size_t size()
    {
        return total;
    }
    size_t progress()
    {
        return done;
    }
    size_t remaining()
    {
        return total - done;
    }

  private:
    bool give_up(uint8_t why);
    bool flush();

    uint8_t error = UPDATE_ERROR_OK;
    size_t total = 0, done = 0;
    int command = U_FLASH;
    const esp_partition_t *partition = nullptr;
    std::vector<uint8_t> buffer, first, all;
    std::string md5;
};
extern UpdateClass Update;

#endif
