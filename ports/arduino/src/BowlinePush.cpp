/* SPDX-License-Identifier: Apache-2.0 */
#include "BowlinePush.h"

#include <ESPmDNS.h>
#include <esp_ota_ops.h>
#include <esp_random.h>

#include <new>

#include "BowlineFloor.h"

enum {
    DATAGRAMS_AT_ONCE = 8,
    PACKAGE_MORE = 16 * 1024, /* that a release is larger than its image */
    PACKAGE_BEGINS = 0xD8
};

/* millis() wraps after 49 days, the machine's clock must not. */
static uint64_t now_ms()
{
    static uint32_t last;
    static uint64_t wraps;
    uint32_t now = (uint32_t)millis();

    if (now < last) {
        wraps += UINT64_C(1) << 32;
    }
    last = now;
    return wraps + now;
}

/* --- Beginning ----------------------------------------------------------- */

bl_status BowlinePush::random(void *, void *out, size_t n)
{
    esp_fill_random(out, n);
    return BL_OK;
}

bool BowlinePush::configure(bl_arduino_device_config *config)
{
    memset(config, 0, sizeof *config);
    config->random = random;
    config->begin = begin_;
    config->data = data_;
    config->end = end_;
    config->error = error_;
    config->ctx = this;
    config->scheme = BL_ARDUINO_OPEN;
    if (ota.password_.length() > 0) {
        bl_arduino_secret_password(&config->secret, ota.password_.c_str(),
                                   ota.password_.length());
    } else if (ota.password_hash_.length() > 0) {
        if (bl_arduino_secret_hash(&config->secret,
                                   ota.password_hash_.c_str()) != BL_OK) {
            log_e("setPasswordHash: not an MD5 or SHA-256 in hex");
            return false;
        }
    } else {
        return true;
    }
    config->scheme = ota.strong_ || config->secret.md5[0] == '\0'
                         ? BL_ARDUINO_PBKDF2
                         : BL_ARDUINO_MD5;
    return true;
}

bool BowlinePush::begin()
{
    bl_arduino_device_config config;

    if (!configure(&config) ||
        bl_arduino_device_init(&device, &config) != BL_OK) {
        log_e("pushes cannot be taken with this password");
        return false;
    }
    if (!udp.begin(ota.port_)) {
        log_e("UDP port %u cannot be had", (unsigned)ota.port_);
        return false;
    }
    if (ota.mdns_) {
        MDNS.begin(ota.hostname_.c_str());
        MDNS.enableArduino(ota.port_, config.scheme != BL_ARDUINO_OPEN);
    }
    return true;
}

void BowlinePush::end()
{
    bl_arduino_device_abort(&device, now_ms());
    client.stop();
    udp.stop();
    if (ota.mdns_) {
        MDNS.end();
    }
}

/* --- What becomes of the file -------------------------------------------- */

const char *BowlinePush::begin_(void *ctx, uint16_t command, uint32_t size)
{
    return static_cast<BowlinePush *>(ctx)->onBegin(command, size);
}

const char *BowlinePush::data_(void *ctx, const uint8_t *data, size_t n)
{
    return static_cast<BowlinePush *>(ctx)->onData(data, n);
}

const char *BowlinePush::end_(void *ctx)
{
    return static_cast<BowlinePush *>(ctx)->onEnd();
}

void BowlinePush::error_(void *ctx, bl_arduino_error error, const char *why)
{
    static_cast<BowlinePush *>(ctx)->onError(error, why);
}

static uint32_t slot_size()
{
    const esp_partition_t *slot = esp_ota_get_next_update_partition(nullptr);

    return slot != nullptr ? slot->size : 0;
}

/* The other slot holds what an image on trial goes back to: nothing is
 * written there before the trial is over. */
const char *BowlinePush::onBegin(uint16_t command, uint32_t size)
{
    const char *label = ota.label_.length() > 0 ? ota.label_.c_str() : nullptr;

    if (ota.onTrial()) {
        return "On Trial, Not Confirmed Yet";
    }
    if (command != U_FLASH && command != U_SPIFFS) {
        return "Bad Argument";
    }
    if (command == U_SPIFFS && !ota.developer_) {
        return "File Systems Only In Developer Mode";
    }
    if (command == U_SPIFFS && !Update.begin(size, command, -1, LOW, label)) {
        return Update.errorString();
    }
    if (command == U_FLASH && size > slot_size() + PACKAGE_MORE) {
        return "Not Enough Space";
    }
    opened = command == U_SPIFFS;
    ota.command_ = command;
    if (ota.start_) {
        ota.start_();
    }
    if (ota.progress_) {
        ota.progress_(0, size);
    }
    return nullptr;
}

const char *BowlinePush::openSigned()
{
    BowlineTrust trust = {ota.root_, ota.root_n_, ota.vendor_, ota.product_,
                          bowline_floor()};

    release = new (std::nothrow) BowlineSigned();
    return release != nullptr ? release->begin(trust, slot_size())
                              : "Not Enough Memory";
}

/* A release begins with a CBOR tag, an image with its magic byte. */
const char *BowlinePush::open(const uint8_t *data)
{
    opened = true;
    if (data[0] == PACKAGE_BEGINS) {
        return openSigned();
    }
    if (!ota.developer_) {
        return "Not A Signed Release";
    }
    log_w("developer mode: an unsigned push is taken");
    return Update.begin(device.size) ? nullptr : Update.errorString();
}

const char *BowlinePush::onData(const uint8_t *data, size_t n)
{
    const char *no = opened || n == 0 ? nullptr : open(data);

    if (no != nullptr) {
        return no;
    }
    if (release != nullptr) {
        return release->take(data, n);
    }
    /* Update wants it writable, and does not write. */
    return Update.write(const_cast<uint8_t *>(data), n) == n
               ? nullptr
               : Update.errorString();
}

/* What goes on trial is noted before it does: a release whose number is not
 * known would not raise the floor. */
const char *BowlinePush::onEnd()
{
    const char *no = nullptr;

    if (ota.command_ == U_FLASH &&
        !bowline_floor_try(release != nullptr ? release->sequence() : 0)) {
        return "NVS Is Not Writable";
    }
    if (release != nullptr) {
        no = release->end();
    } else if (!Update.end()) {
        no = Update.errorString();
    }
    if (no == nullptr) {
        letGo();
    } else if (ota.command_ == U_FLASH) {
        (void)bowline_floor_try(0);
    }
    return no;
}

void BowlinePush::letGo()
{
    delete release;
    release = nullptr;
}

void BowlinePush::onError(bl_arduino_error error, const char *why)
{
    log_e("push: %s: %s", bl_arduino_error_text(error), why);
    if (Update.isRunning()) {
        Update.abort();
    }
    letGo();
    ota.sayError((ota_error_t)error);
}

/* --- Moving bytes -------------------------------------------------------- */

void BowlinePush::receive(uint8_t *data, size_t n)
{
    char reply[BL_ARDUINO_TEXT];
    IPAddress from = udp.remoteIP();
    uint16_t port = udp.remotePort();
    uint8_t address[4] = {from[0], from[1], from[2], from[3]};
    bool busy = device.busy;
    size_t length = bl_arduino_device_datagram(
        &device, now_ms(), bl_span_of(address, sizeof address),
        bl_span_of(data, n), reply);

    if (!busy && device.busy) {
        peer = from;
    }
    if (length > 0) {
        udp.beginPacket(from, port);
        udp.write(reinterpret_cast<const uint8_t *>(reply), length);
        udp.endPacket();
    }
}

/* A few at once, so that a flood does not keep loop() from its turn. A
 * datagram is read to its end: the core gives no other before. */
void BowlinePush::listen()
{
    for (int i = 0; i < DATAGRAMS_AT_ONCE && udp.parsePacket() > 0; i++) {
        int n = udp.read(buffer, sizeof buffer);

        while (udp.available() > 0) {
            (void)udp.read();
        }
        if (n > 0) {
            receive(buffer, (size_t)n);
        }
    }
}

void BowlinePush::connect(uint16_t port, uint64_t until_ms)
{
    uint64_t now = now_ms();
    int32_t wait = until_ms > now ? (int32_t)(until_ms - now) : 1;
    bool ok = client.connect(peer, port, wait) != 0;

    if (ok) {
        client.setNoDelay(true);
    }
    bl_arduino_device_connected(&device, now_ms(), ok);
}

void BowlinePush::send(bl_span text)
{
    if (client.write(text.p, text.n) != text.n) {
        bl_arduino_device_closed(&device, now_ms());
    }
}

void BowlinePush::read(uint64_t until_ms)
{
    int n = 0;

    while (client.available() <= 0) {
        if (!client.connected()) {
            bl_arduino_device_closed(&device, now_ms());
            return;
        }
        if (now_ms() >= until_ms) {
            return;
        }
        delay(1);
    }
    n = client.read(buffer, sizeof buffer);
    if (n <= 0) {
        bl_arduino_device_closed(&device, now_ms());
        return;
    }
    bl_arduino_device_data(&device, now_ms(), buffer, (size_t)n);
    if (ota.progress_ && device.busy) {
        ota.progress_(device.done, device.size);
    }
}

void BowlinePush::restart()
{
    if (ota.end_) {
        ota.end_();
    }
    if (ota.reboot_) {
        delay(100); /* for what the sketch has still to say */
        ESP.restart();
    }
}

/* One push, until the machine has nothing to do but listen. */
void BowlinePush::run()
{
    bl_arduino_action action;

    for (;;) {
        bl_arduino_device_next(&device, now_ms(), &action);
        switch (action.todo) {
        case BL_ARDUINO_CONNECT:
            connect(action.port, action.until_ms);
            break;
        case BL_ARDUINO_SEND:
            send(action.text);
            break;
        case BL_ARDUINO_READ:
            read(action.until_ms);
            break;
        case BL_ARDUINO_CLOSE:
            delay(10); /* the last word gets out before the end does */
            client.stop();
            break;
        case BL_ARDUINO_RESTART:
            restart();
            break;
        default:
            return;
        }
    }
}

void BowlinePush::handle()
{
    listen();
    run();
}
