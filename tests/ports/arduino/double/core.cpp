/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "Arduino.h"
#include "ESPmDNS.h"
#include "WiFi.h"
#include "esp_system.h"

HardwareSerial Serial;
EspClass ESP;
WiFiClass WiFi;
MDNSResponder MDNS;

static uint64_t now_us()
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Counts from the start, as a board's does. */
static const uint64_t started_us = now_us();

unsigned long micros(void)
{
    return (unsigned long)(uint32_t)(now_us() - started_us);
}

unsigned long millis(void)
{
    return (unsigned long)(uint32_t)((now_us() - started_us) / 1000);
}

void delay(uint32_t ms)
{
    (void)usleep(ms * 1000);
}

void yield(void)
{
}

void double_log(char level, const char *format, ...)
{
    va_list args;

    printf("[%c] ", level);
    va_start(args, format);
    (void)vprintf(format, args);
    va_end(args);
    printf("\n");
    (void)fflush(stdout);
}

void HardwareSerial::begin(unsigned long)
{
}

size_t HardwareSerial::write(uint8_t byte)
{
    (void)putchar(byte);
    if (byte == '\n') {
        (void)fflush(stdout);
    }
    return 1;
}

void EspClass::restart()
{
    esp_restart();
}

/* Down while the file that DOUBLE_WIFI_DOWN names is there. */
wl_status_t WiFiClass::status()
{
    const char *file = getenv("DOUBLE_WIFI_DOWN");

    return file != nullptr && access(file, F_OK) == 0 ? WL_IDLE_STATUS
                                                      : WL_CONNECTED;
}

uint8_t *WiFiClass::macAddress(uint8_t *mac)
{
    static const uint8_t ours[6] = {0x24, 0x6f, 0x28, 0xaa, 0xbb, 0xcc};

    return (uint8_t *)memcpy(mac, ours, sizeof ours);
}

bool MDNSResponder::begin(const char *hostname)
{
    printf("[double] mdns host=%s\n", hostname);
    return true;
}

void MDNSResponder::end()
{
    printf("[double] mdns ended\n");
}

void MDNSResponder::enableArduino(uint16_t port, bool auth)
{
    printf("[double] mdns _arduino._tcp port=%u auth=%s\n", (unsigned)port,
           auth ? "yes" : "no");
    (void)fflush(stdout);
}
