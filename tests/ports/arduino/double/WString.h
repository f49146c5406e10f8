/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOUBLE_WSTRING_H
#define DOUBLE_WSTRING_H

#include <string>

/* The few things that a sketch does with Arduino's String. */
class String
{
  public:
    String(const char *text = "") : s(text == nullptr ? "" : text)
    {
    }
    String(const std::string &text) : s(text)
    {
    }
    explicit String(int n) : s(std::to_string(n))
    {
    }
    explicit String(unsigned long n) : s(std::to_string(n))
    {
    }
    const char *c_str() const
    {
        return s.c_str();
    }
    unsigned int length() const
    {
        return (unsigned int)s.size();
    }
    bool equals(const String &other) const
    {
        return s == other.s;
    }
    bool operator==(const char *other) const
    {
        return s == other;
    }
    String &operator=(const char *text)
    {
        s = text;
        return *this;
    }
    String operator+(const String &other) const
    {
        return s + other.s;
    }
    friend String operator+(const char *a, const String &b)
    {
        return String(a + b.s);
    }

  private:
    std::string s;
};

#endif
