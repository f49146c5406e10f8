/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOUBLE_PREFERENCES_H
#define DOUBLE_PREFERENCES_H

#include <stdio.h>
#include <stdlib.h>

#include <string>

#include "Arduino.h"

/* NVS: a file for each key, beside the flash. */
class Preferences
{
  public:
    bool begin(const char *name, bool read_only = false)
    {
        (void)read_only;
        space = std::string(getenv("DOUBLE_FLASH")) + "." + name;
        return true;
    }
    void end()
    {
    }
    uint64_t getULong64(const char *key, uint64_t otherwise = 0)
    {
        FILE *file = fopen(path(key).c_str(), "r");
        unsigned long long value = otherwise;

        if (file != nullptr && fscanf(file, "%llu", &value) != 1) {
            value = otherwise;
        }
        if (file != nullptr) {
            (void)fclose(file);
        }
        return value;
    }
    size_t putULong64(const char *key, uint64_t value)
    {
        FILE *file = fopen(path(key).c_str(), "w");

        if (file == nullptr) {
            return 0;
        }
        (void)fprintf(file, "%llu\n", (unsigned long long)value);
        return fclose(file) == 0 ? sizeof value : 0;
    }

  private:
    std::string path(const char *key)
    {
        return space + "." + key;
    }
    std::string space;
};

#endif
