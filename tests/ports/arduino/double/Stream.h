/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOUBLE_STREAM_H
#define DOUBLE_STREAM_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "WString.h"

class Print
{
  public:
    virtual ~Print()
    {
    }
    virtual size_t write(uint8_t byte) = 0;
    virtual size_t write(const uint8_t *data, size_t n)
    {
        size_t done = 0;
        while (done < n && write(data[done]) == 1) {
            done++;
        }
        return done;
    }
    size_t write(const char *data, size_t n)
    {
        return write(reinterpret_cast<const uint8_t *>(data), n);
    }
    size_t print(const char *text)
    {
        return write(text, strlen(text));
    }
    size_t print(const String &text)
    {
        return print(text.c_str());
    }
    size_t println(const char *text = "")
    {
        return print(text) + print("\r\n");
    }
    size_t println(const String &text)
    {
        return println(text.c_str());
    }
    size_t printf(const char *format, ...)
        __attribute__((format(printf, 2, 3)))
    {
        char text[512];
        va_list args;
        va_start(args, format);
        int n = vsnprintf(text, sizeof text, format, args);
        va_end(args);
        return n > 0 ? print(text) : 0;
    }
};

class Stream : public Print
{
  public:
    virtual int available() = 0;
    virtual int read() = 0;
    virtual int peek() = 0;
};

#endif
