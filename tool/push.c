/* SPDX-License-Identifier: Apache-2.0 */
#include "push.h"

#include <string.h>
#include <time.h>

#include "options.h"
#include "secret.h"

const struct option options_push[] = {
    VALUE("port", "PORT", "its UDP port; else 3232, ESP32's. ESP8266: 8266"),
    FILE_("password-file", "the device's password, in a file of mode 0600"),
    VALUE("timeout", "SECONDS",
          "how long to wait for an answer, else 10; with --list for devices, "
          "else 3"),
    VALUE("listen-port", "PORT",
          "TCP port that the device connects to; else any free one"),
    FLAG("filesystem", "the file is the image of its file system"),
    FLAG("list", "show the devices that announce themselves"),
    OUTPUT("write a release as one file for other tools, and send nothing"),
    FLAG("force", "replace that file when it is there"),
    END};

static int read_password(struct call *c, struct push_job *job)
{
    struct buffer text = BUFFER(1024);
    int code;

    if (job->password_file == NULL) {
        return 0;
    }
    code = secret_read(c, job->password_file, &text);
    if (code == 0) {
        job->has_secret = true;
        bl_arduino_secret_password(&job->secret, (const char *)text.p,
                                   strlen((const char *)text.p));
    }
    buffer_wipe(&text);
    return code;
}

static int read_options(struct call *c, struct push_job *job)
{
    uint64_t port = BL_ARDUINO_PORT_ESP32;
    uint64_t listen_port = 0;
    uint64_t seconds = 10;
    int code = cli_number(c, "port", 1, 65535, &port);

    if (code == 0) {
        code = cli_number(c, "listen-port", 1, 65535, &listen_port);
    }
    if (code == 0) {
        code = cli_number(c, "timeout", 1, 600, &seconds);
    }
    job->port = (uint16_t)port;
    job->listen_port = (uint16_t)listen_port;
    job->answer_s = (uint32_t)seconds;
    job->command =
        cli_flag(c, "filesystem") ? BL_ARDUINO_FILESYSTEM : BL_ARDUINO_FLASH;
    job->password_file = cli_value(c, "password-file");
    return code != 0 ? code : read_password(c, job);
}

static const char *scheme_name(bl_arduino_scheme scheme)
{
    switch (scheme) {
    case BL_ARDUINO_MD5:
        return "md5";
    case BL_ARDUINO_PBKDF2:
        return "pbkdf2";
    case BL_ARDUINO_OPEN:
        break;
    }
    return "none";
}

static double seconds_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void report(struct call *c, const struct push_job *job,
                   const struct push_result *result, double seconds)
{
    const struct bl_arduino_sender *s = &result->sender;

    put_text(c->result, "host", job->host);
    put_text(c->result, "address", result->address);
    put_number(c->result, "port", job->port);
    put_text(c->result, "file", job->path);
    put_number(c->result, "size", job->file.n);
    put_number(c->result, "sent", s->done);
    put_text(c->result, "md5",
             keep_hex(c, s->config.md5, sizeof s->config.md5));
    put_text(c->result, "authentication", scheme_name(s->scheme));
    put_text(c->result, "said", s->said[0] == '\0' ? NULL : s->said);
    put(c->result, "seconds", json_real(seconds));
}

static int send_it(struct call *c, struct push_job *job)
{
    struct push_result result = {0};
    double begun = seconds_now();
    int code = push_wire(c, job, &result);

    if (code != 0) {
        return code;
    }
    report(c, job, &result, seconds_now() - begun);
    code = push_explain(c, job, &result);
    if (code == 0) {
        show(c, "%s has %s, %s in %.1f s, and restarts into it.", job->host,
             job->path, keep_size(c, job->file.n), seconds_now() - begun);
        if (result.sender.scheme == BL_ARDUINO_OPEN && !job->has_secret) {
            note(c, "It asked for no password: whoever is on this network "
                    "can do the same.");
        }
    }
    return code;
}

/* --output: for espota.py and other tools that send one file. */
static int write_package(struct call *c, const char *path)
{
    const char *to = cli_value(c, "output");
    struct buffer file = BUFFER(PUSH_LIMIT);
    bool release = false;
    int code = push_read(c, path, &file, &release);

    if (code == 0 && !release) {
        code = refuse(c, EXIT_INPUT,
                      "%s is no release: --output is for the .suit file that "
                      "bowline release makes",
                      path);
    }
    if (code == 0) {
        code = write_output(c, to, buffer_span(&file), 0644);
    }
    if (code == 0) {
        put_text(c->result, "file", to);
        put_number(c->result, "size", file.n);
        show(c, "%s: %s, for devices that take signed releases", to,
             keep_size(c, file.n));
    }
    buffer_free(&file);
    return code;
}

static int push_file(struct call *c)
{
    struct push_job job = {.host = c->argument[0], .path = c->argument[1]};
    struct buffer file = BUFFER(PUSH_LIMIT);
    bool release = false;
    int code = read_options(c, &job);

    if (code == 0) {
        code = push_read(c, job.path, &file, &release);
    }
    if (code == 0) {
        job.file = buffer_span(&file);
        put_bool(c->result, "release", release);
        code = send_it(c, &job);
    }
    explicit_bzero(&job.secret, sizeof job.secret);
    buffer_free(&file);
    return code;
}

int verb_push(struct call *c)
{
    bool list = cli_flag(c, "list");
    bool output = cli_value(c, "output") != NULL;
    int wanted = list ? 0 : output ? 1 : 2;

    if ((list && output) || c->n_arguments != wanted) {
        return refuse(c, EXIT_USAGE,
                      "bowline push HOST FILE, or bowline push --list, or "
                      "bowline push --output FILE RELEASE");
    }
    if (list) {
        return push_list(c);
    }
    return output ? write_package(c, c->argument[0]) : push_file(c);
}
