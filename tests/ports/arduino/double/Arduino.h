/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thin double of the Arduino core for ESP32: what the library uses of it,
 * over sockets and files of this host. Written by us from the core's public
 * interface; what it does not know does not compile.
 */
#ifndef DOUBLE_ARDUINO_H
#define DOUBLE_ARDUINO_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#ifndef ESP_ARDUINO_VERSION
#define ESP_ARDUINO_VERSION_VAL(a, b, c) (((a) << 16) | ((b) << 8) | (c))
#define ESP_ARDUINO_VERSION ESP_ARDUINO_VERSION_VAL(3, 0, 0)
#endif
#define ARDUINO_ARCH_ESP32 1
#include "sdkconfig.h"

#define LOW 0
#define HIGH 1

#ifdef __cplusplus
extern "C" {
#endif
unsigned long millis(void);
unsigned long micros(void);
void delay(uint32_t ms);
void yield(void);
void initArduino(void);
void double_log(char level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
#ifdef __cplusplus
}

#define log_e(...) double_log('E', __VA_ARGS__)
#define log_w(...) double_log('W', __VA_ARGS__)
#define log_i(...) double_log('I', __VA_ARGS__)
#define log_d(...) double_log('D', __VA_ARGS__)

#include "Stream.h"
#include "WString.h"

#include "IPAddress.h"

class HardwareSerial : public Stream
{
  public:
    void begin(unsigned long baud);
    size_t write(uint8_t byte) override;
    using Print::write;
    int available() override
    {
        return 0;
    }
    int read() override
    {
        return -1;
    }
    int peek() override
    {
        return -1;
    }
};
extern HardwareSerial Serial;

class EspClass
{
  public:
    void restart();
    uint64_t getEfuseMac()
    {
        return 0x665544332211ULL;
    }
};
extern EspClass ESP;

void setup();
void loop();
#endif

#endif
