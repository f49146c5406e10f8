/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/evp.h>

#include "Update.h"
#include "esp_ota_ops.h"

UpdateClass Update;

enum { SECTOR = 4096, FIRST = 16, MAGIC = 0xE9 };

bool UpdateClass::begin(size_t size, int what, int, uint8_t, const char *label)
{
    if (total > 0) {
        return false;
    }
    error = UPDATE_ERROR_OK;
    done = 0;
    command = what;
    md5.clear();
    buffer.clear();
    first.clear();
    all.clear();
    if (what != U_FLASH && what != U_SPIFFS) {
        return give_up(UPDATE_ERROR_BAD_ARGUMENT);
    }
    partition = what == U_FLASH
                    ? esp_ota_get_next_update_partition(nullptr)
                    : esp_partition_find_first(
                          ESP_PARTITION_TYPE_DATA,
                          ESP_PARTITION_SUBTYPE_DATA_SPIFFS, label);
    if (partition == nullptr) {
        return give_up(UPDATE_ERROR_NO_PARTITION);
    }
    if (size == 0 || size > partition->size) {
        return give_up(UPDATE_ERROR_SIZE);
    }
    total = size;
    return true;
}

bool UpdateClass::give_up(uint8_t why)
{
    error = why;
    total = 0;
    done = 0;
    return false;
}

void UpdateClass::abort()
{
    (void)give_up(UPDATE_ERROR_ABORT);
}

bool UpdateClass::setMD5(const char *hex)
{
    if (strlen(hex) != 32) {
        return false;
    }
    md5 = hex;
    return true;
}

bool UpdateClass::flush()
{
    size_t skip = 0;

    all.insert(all.end(), buffer.begin(), buffer.end());
    if (done == 0 && command == U_FLASH) {
        if (buffer[0] != MAGIC) {
            return give_up(UPDATE_ERROR_MAGIC_BYTE);
        }
        skip = buffer.size() < FIRST ? buffer.size() : (size_t)FIRST;
        first.assign(buffer.begin(), buffer.begin() + (long)skip);
    }
    if (esp_partition_erase_range(partition, done, SECTOR) != ESP_OK) {
        return give_up(UPDATE_ERROR_ERASE);
    }
    if (esp_partition_write(partition, done + skip, buffer.data() + skip,
                            buffer.size() - skip) != ESP_OK) {
        return give_up(UPDATE_ERROR_WRITE);
    }
    done += buffer.size();
    buffer.clear();
    return true;
}

size_t UpdateClass::write(uint8_t *data, size_t n)
{
    if (hasError() || !isRunning()) {
        return 0;
    }
    if (n > remaining()) {
        (void)give_up(UPDATE_ERROR_SPACE);
        return 0;
    }
    for (size_t i = 0; i < n; i++) {
        buffer.push_back(data[i]);
        if ((buffer.size() == SECTOR || buffer.size() == remaining()) &&
            !flush()) {
            return 0;
        }
    }
    return n;
}

static std::string md5_of(const std::vector<uint8_t> &bytes)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    char hex[33] = "";
    unsigned n = 0;

    (void)EVP_Digest(bytes.data(), bytes.size(), digest, &n, EVP_md5(),
                     nullptr);
    for (unsigned i = 0; i < 16 && i < n; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", (unsigned)digest[i]);
    }
    return hex;
}

bool UpdateClass::end(bool)
{
    if (hasError() || total == 0) {
        return false;
    }
    if (!isFinished()) {
        return give_up(UPDATE_ERROR_ABORT);
    }
    if (!md5.empty() && md5 != md5_of(all)) {
        return give_up(UPDATE_ERROR_MD5);
    }
    if (command == U_FLASH) {
        if (esp_partition_write(partition, 0, first.data(), first.size()) !=
            ESP_OK) {
            return give_up(UPDATE_ERROR_READ);
        }
        if (esp_ota_set_boot_partition(partition) != ESP_OK) {
            return give_up(UPDATE_ERROR_ACTIVATE);
        }
    }
    total = 0;
    done = 0;
    return true;
}

const char *UpdateClass::errorString()
{
    static const char *const text[] = {"No Error",
                                       "Flash Write Failed",
                                       "Flash Erase Failed",
                                       "Flash Read Failed",
                                       "Not Enough Space",
                                       "Bad Size Given",
                                       "Stream Read Timeout",
                                       "MD5 Check Failed",
                                       "Wrong Magic Byte",
                                       "Could Not Activate The Firmware",
                                       "Partition Could Not be Found",
                                       "Bad Argument",
                                       "Aborted"};

    return error < sizeof text / sizeof text[0] ? text[error] : "UNKNOWN";
}
