/* SPDX-License-Identifier: Apache-2.0 */
/* Why a push failed: first the words that ArduinoOTA has for it, then what
 * to do. */
#include "push.h"

#include <string.h>

/* What devices say, as far as there is something to do about it. The first
 * ones are the ESP32 core's Update, then the ESP8266's, then our own. */
static const struct {
    const char *said;
    const char *todo;
} advice[] = {
    {"Flash Write Failed", "its flash does not take it"},
    {"Flash Erase Failed", "its flash does not take it"},
    {"Flash Read Failed", "its flash cannot be read back"},
    {"Not Enough Space", "the file is larger than the device's free "
                         "partition; a partition table with larger ones, or "
                         "a smaller build"},
    {"Bad Size Given", "the device has another size in mind: is it a whole "
                       "firmware, for its flash?"},
    {"Stream Read Timeout", "the network stalled for some seconds; again, "
                            "nearer to the access point"},
    {"MD5 Check Failed", "the file was damaged on the way, or changed while "
                         "it was sent; again"},
    {"Wrong Magic Byte", "this is no image for this chip: firmware.bin of "
                         "the build, not .elf or a merged flash image"},
    {"Could Not Activate The Firmware",
     "the bootloader will not have it: an image for another chip, one that "
     "is damaged, or one that lacks a signature"},
    {"Partition Could Not be Found",
     "its partition table has no second slot for an update"},
    {"Decryption error", "the device wants its image encrypted"},
    {"Not A Signed Release", "the device takes signed releases only: make "
                             "one with bowline release, and push the .suit "
                             "file"},
    {"Too Many Wrong Passwords", "somebody has tried wrong ones"},
    {"Already Runs", "the device runs this very release"},
    {"Missing Or Damaged", "push the .suit file that bowline release made, "
                           "with its payloads beside it"},
    {"sequence-low", "the device has had a newer release; make a new one "
                     "with bowline release"},
    {"signature", "the release is signed by a key that this device does not "
                  "trust"},
};

static const char *advise(const char *said)
{
    for (size_t i = 0; i < sizeof advice / sizeof advice[0]; i++) {
        if (strstr(said, advice[i].said) != NULL) {
            return advice[i].todo;
        }
    }
    return "the device keeps the firmware that it runs";
}

static int no_answer(struct call *c, const struct push_job *job,
                     const struct push_result *result)
{
    if (result->sender.scheme != BL_ARDUINO_OPEN) {
        return refuse(c, EXIT_TIMEOUT,
                      "No response from device: %s asked for a password and "
                      "then was silent; again, it may have restarted",
                      result->address);
    }
    return refuse(
        c, EXIT_UNREACHABLE,
        "No response from device: %s did not answer at UDP port %u%s. Is it "
        "on, on this network, and does its loop call ArduinoOTA.handle()? "
        "ESP32 listens at 3232, ESP8266 at 8266: --port",
        result->address, (unsigned)job->port,
        result->unreachable ? ", and says that nothing listens there" : "");
}

static int wrong_password(struct call *c, const struct push_job *job,
                          const struct push_result *result)
{
    return refuse(c, EXIT_SERVER,
                  "Authentication Failed: the password in %s is not the one "
                  "of %s",
                  job->password_file, result->address);
}

static int no_connection(struct call *c, const struct push_result *result)
{
    return refuse(
        c, EXIT_UNREACHABLE,
        "Connect Failed: %s said OK, and did not connect to TCP port %u "
        "here. Does a firewall keep it out (--listen-port names a port that "
        "it lets in)? A device without room for the file also ends so",
        result->address, (unsigned)result->listened);
}

static int lost(struct call *c, const struct push_job *job,
                const struct push_result *result)
{
    const struct bl_arduino_sender *s = &result->sender;

    return refuse(c, EXIT_UNREACHABLE,
                  "Error Uploading: the connection to %s broke after %s of "
                  "%s. The device keeps the firmware that it runs; again",
                  result->address, keep_size(c, s->done),
                  keep_size(c, job->file.n));
}

/* "ERR: " is in front of what was refused before the connection. */
static int said(struct call *c, const struct push_result *result,
                const char *words)
{
    const char *text = result->sender.said;

    if (strncmp(text, "ERR: ", 5) == 0) {
        text += 5;
    }
    return refuse(c, EXIT_SERVER, "%s: %s says \"%s\": %s", words,
                  result->address, text, advise(text));
}

int push_explain(struct call *c, const struct push_job *job,
                 const struct push_result *result)
{
    const char *address = result->address;

    switch (result->sender.failure) {
    case BL_ARDUINO_NO_FAILURE:
        return 0;
    case BL_ARDUINO_NO_ANSWER:
        return no_answer(c, job, result);
    case BL_ARDUINO_PASSWORD_NEEDED:
        return refuse(c, EXIT_SERVER,
                      "Auth Failed: %s asks for a password: "
                      "--password-file FILE",
                      address);
    case BL_ARDUINO_PASSWORD_WRONG:
        return wrong_password(c, job, result);
    case BL_ARDUINO_REFUSED:
        return said(c, result, "Begin Failed");
    case BL_ARDUINO_NO_CONNECTION:
        return no_connection(c, result);
    case BL_ARDUINO_LOST:
        return lost(c, job, result);
    case BL_ARDUINO_NO_ACK:
        return refuse(c, EXIT_TIMEOUT,
                      "Error Uploading: %s stopped taking the file after %s. "
                      "It keeps the firmware that it runs; again",
                      address, keep_size(c, result->sender.done));
    case BL_ARDUINO_NO_RESULT:
        return refuse(c, EXIT_TIMEOUT,
                      "Timeout: %s has the whole file, and did not say how "
                      "it ended. Look which version it runs before another "
                      "try",
                      address);
    case BL_ARDUINO_DEVICE_ERROR:
        return said(c, result, "End Failed");
    case BL_ARDUINO_RANDOM:
        break;
    }
    return refuse(c, EXIT_LOCAL, "this machine gives no random numbers");
}
