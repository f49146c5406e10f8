/* SPDX-License-Identifier: Apache-2.0 */
#include "password.h"

#include "bowline/crypto.h"

#include <crypt.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BESIDE_NAME = 8, DISTINCT_LEAST = 5 };

/* Of a password nobody has: what is compared when there is no hash. Made by
 * crypt with the same method and cost as every other. */
static const char nobody[] = "$y$j9T$uYqNzB1TqJrFv1n4qJ5vE/$"
                             "5H9y1vWmC5QF6g8Jf8uX3vYk0m0n6Pq2s4t6u8w0y2A";

/* What most guesses begin with, written plainly: see plain(). */
static const char *const common[] = {
    "password",   "passwort",        "passphrase", "letmein",  "welcome",
    "admin",      "administrator",   "iloveyou",   "qwerty",   "qwertz",
    "azerty",     "qwertyuiop",      "asdfghjkl",  "changeme", "default",
    "secret",     "monkey",          "dragon",     "football", "baseball",
    "princess",   "sunshine",        "master",     "superman", "trustno",
    "bowline",    "bowlineadmin",    "firmware",   "update",   "operator",
    "adminadmin", "passwordpassword"};

static const char *const rows[] = {
    "abcdefghijklmnopqrstuvwxyz", "zyxwvutsrqponmlkjihgfedcba",
    "01234567890123456789",       "98765432109876543210",
    "qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn",   "q1w2e3r4t5y6u7i8o9p0",
    "1q2w3e4r5t6y7u8i9o0p"};

static size_t characters(const char *text)
{
    size_t n = 0;

    for (; *text != '\0'; text++) {
        n += ((unsigned char)*text & 0xC0) != 0x80;
    }
    return n;
}

static char letter(char c)
{
    static const char from[] = "0134578@$!";
    static const char to[] = "oleastbasi";
    const char *p = strchr(from, c);

    return p != NULL && c != '\0' ? to[p - from]
                                  : (char)tolower((unsigned char)c);
}

/* As a guesser would: lower case, 4 for a is a, and without the digits and
 * signs that stand at the ends. */
static void plain(const char *text, char out[PASSWORD_MOST + 1])
{
    size_t n = strlen(text);
    size_t first = 0;

    while (n > 0 && !isalpha((unsigned char)text[n - 1]) &&
           (unsigned char)text[n - 1] < 0x80) {
        n--;
    }
    while (first < n && !isalpha((unsigned char)text[first]) &&
           (unsigned char)text[first] < 0x80) {
        first++;
    }
    n -= first;
    for (size_t i = 0; i < n; i++) {
        out[i] = letter(text[first + i]);
    }
    out[n] = '\0';
}

static bool is_common(const char *password)
{
    char text[PASSWORD_MOST + 1];

    plain(password, text);
    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++) {
        if (strcmp(text, common[i]) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcasestr(rows[i], password) != NULL) {
            return true;
        }
    }
    return text[0] == '\0'; /* digits and signs alone */
}

static bool has_few_letters(const char *password)
{
    bool seen[256] = {false};
    int n = 0;

    for (; *password != '\0'; password++) {
        n += !seen[(unsigned char)*password];
        seen[(unsigned char)*password] = true;
    }
    return n < DISTINCT_LEAST;
}

static bool is_the_name(const char *password, const char *name)
{
    return name[0] != '\0' && strcasestr(password, name) != NULL &&
           strlen(password) - strlen(name) < BESIDE_NAME;
}

const char *password_fault(const char *password, const char *name)
{
    if (characters(password) < PASSWORD_LEAST) {
        return "the password is shorter than 12 characters";
    }
    if (strlen(password) > PASSWORD_MOST) {
        return "the password is longer than 256 bytes";
    }
    if (is_the_name(password, name)) {
        return "the password is little more than the name";
    }
    if (has_few_letters(password)) {
        return "the password has fewer than 5 different characters";
    }
    if (is_common(password)) {
        return "the password is among the first that anybody would guess";
    }
    return NULL;
}

int password_hash(const char *password, char out[PASSWORD_HASH],
                  struct error *err)
{
    struct crypt_data *data = calloc(1, sizeof *data);
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    const char *hash = NULL;
    int result = -1;

    if (data == NULL) {
        return error_set(err, "no memory");
    }
    if (crypt_gensalt_rn("$y$", 0, NULL, 0, setting, sizeof setting) != NULL) {
        hash = crypt_rn(password, setting, data, sizeof *data);
    }
    if (hash == NULL || strlen(hash) >= PASSWORD_HASH) {
        error_set(err, "the password could not be hashed");
    } else {
        memcpy(out, hash, strlen(hash) + 1);
        result = 0;
    }
    explicit_bzero(data, sizeof *data);
    free(data);
    return result;
}

bool password_matches(const char *password, const char *hash)
{
    struct crypt_data *data = calloc(1, sizeof *data);
    const char *wanted = hash[0] == '\0' ? nobody : hash;
    const char *got;
    bool same;

    if (data == NULL) {
        return false;
    }
    got = crypt_rn(password, wanted, data, sizeof *data);
    same = got != NULL && strlen(got) == strlen(wanted) &&
           bl_equal((const uint8_t *)got, (const uint8_t *)wanted,
                    strlen(wanted)) == BL_GOOD;
    explicit_bzero(data, sizeof *data);
    free(data);
    return same && hash[0] != '\0';
}
