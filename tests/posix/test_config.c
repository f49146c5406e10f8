/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/file.h"
#include "posix/config.h"
#include "posix/describe.h"

#define IDS                                                                   \
    "name = \"t1\"; id = \"000102030405060708090a0b0c0d0e0f\";\n"             \
    "vendor_id = \"11111111111111111111111111111111\";\n"                     \
    "class_id = \"22222222222222222222222222222222\";\n"
#define REST                                                                  \
    "server = \"https://localhost:8443/\"; ca_file = \"ca.pem\";\n"           \
    "flash = { erase_size = 4096; write_size = 8;\n"                          \
    "  components = ( { id = \"app\"; size = 10000; },\n"                     \
    "                 { id = \"cfg/net\"; size = 4096; } ); };\n"

#define STAGE_OF(bytes)                                                       \
    IDS "server = \"https://localhost\";\n"                                   \
        "flash = { components = ( { id = \"app\"; size = 10000; } );\n"       \
        "  stage = " #bytes "; };\n"

static char dir[FILE_TEMP];
static struct device_config config;
static struct error err;

static int setup(void **state)
{
    (void)state;
    memset(&err, 0, sizeof err);
    return file_temp_folder("config", dir, &err);
}

static int teardown(void **state)
{
    char path[FILE_TEMP + 16];

    (void)state;
    device_config_free(&config);
    (void)snprintf(path, sizeof path, "%s/device.conf", dir);
    (void)unlink(path);
    return rmdir(dir);
}

static int load(const char *text)
{
    char path[FILE_TEMP + 16];

    (void)snprintf(path, sizeof path, "%s/device.conf", dir);
    assert_int_equal(
        file_write(path, bl_span_of(text, strlen(text)), 0600, NULL), 0);
    return device_config_load(&config, dir, &err);
}

static void a_device_is_read(void **state)
{
    (void)state;
    assert_int_equal(load(IDS REST "timing = { poll = 5; };\n"
                                   "attributes = { sensor = \"broken\"; "
                                   "temperature = 19.5; target = 20; };\n"),
                     0);
    assert_int_equal(config.id[15], 0x0f);
    assert_string_equal(config.server, "https://localhost:8443");
    assert_int_equal(strncmp(config.ca_file, dir, strlen(dir)), 0);
    assert_int_equal(config.timing.poll, 5);
    assert_int_equal(config.timing.confirm_deadline, 600);
    assert_int_equal(config.boot_tries, 3);
    assert_string_equal(device_config_text(&config, "sensor", "ok"), "broken");
    assert_string_equal(device_config_text(&config, "none", "ok"), "ok");
    assert_true(device_config_number(&config, "temperature", 0) > 19.4);
    assert_true(device_config_number(&config, "target", 0) > 19.9);
}

static void deltas_get_what_memory_there_is(void **state)
{
    (void)state;
    assert_int_equal(load(IDS REST), 0);
    assert_int_equal(config.delta_memory, 32768);
    device_config_free(&config);
    assert_int_equal(load(IDS REST "holder = true;"), 0);
    assert_int_equal(config.delta_memory, 12288);
    device_config_free(&config);
    assert_int_equal(load(IDS REST "delta_memory = 0;"), 0);
    assert_int_equal(config.delta_memory, 0);
}

/* With two components more, one that shows the running image. */
static void stage_is_there_when_it_is_asked_for(void **state)
{
    static const char active[] = "\x82\x43"
                                 "app\x46"
                                 "active";

    (void)state;
    assert_int_equal(load(STAGE_OF(5000)), 0);
    assert_int_equal(config.layout.n_components, 3);
    assert_true(bl_span_equal(config.component[1].id,
                              bl_span_of(active, sizeof active - 1)));
    assert_int_equal(config.component[1].kind, BL_COMPONENT_ACTIVE);
    assert_int_equal(config.component[2].kind, BL_COMPONENT_STAGE);
    assert_int_equal(config.component[2].area[0].size, 8192);
    assert_int_equal(config.geometry.size,
                     config.component[2].area[0].offset + 8192);
    device_config_free(&config);
    assert_int_equal(load(STAGE_OF(0)), 0);
    assert_int_equal(config.layout.n_components, 1);
}

static void areas_are_whole_blocks_that_do_not_overlap(void **state)
{
    (void)state;
    assert_int_equal(load(IDS REST), 0);
    assert_int_equal(config.layout.n_components, 2);
    assert_int_equal(config.component[0].area[0].size, 12288);
    assert_int_equal(config.component[0].area[1].offset,
                     config.component[0].area[0].offset + 12288);
    assert_int_equal(config.geometry.size,
                     config.component[1].area[1].offset + 4096);
}

static void component_ids_are_encoded(void **state)
{
    static const uint8_t app[] = {0x81, 0x43, 'a', 'p', 'p'};
    static const uint8_t net[] = {0x82, 0x43, 'c', 'f', 'g',
                                  0x43, 'n',  'e', 't'};
    uint8_t out[DEVICE_NAME];

    (void)state;
    assert_int_equal(device_component_id("app", out, sizeof out), sizeof app);
    assert_memory_equal(out, app, sizeof app);
    assert_int_equal(device_component_id("cfg/net", out, sizeof out),
                     sizeof net);
    assert_memory_equal(out, net, sizeof net);
    assert_int_equal(device_component_id("", out, sizeof out), 0);
    assert_int_equal(device_component_id("a/b/c/d/e/f", out, sizeof out), 0);
    assert_int_equal(device_component_id("application", out, 8), 0);
}

/* Off; on with what is usual; and each thing said. */
static void pushes_are_taken_when_it_is_said(void **state)
{
    char path[FLASH_PATH];

    (void)state;
    assert_int_equal(load(IDS REST), 0);
    assert_false(config.push.on);
    assert_false(config.push.developer);
    device_config_free(&config);
    assert_int_equal(load(IDS "push = { password_file = \"p\"; };" REST), 0);
    (void)snprintf(path, sizeof path, "%s/p", dir);
    assert_true(config.push.on && config.push.announce);
    assert_false(config.push.developer);
    assert_int_equal(config.push.port, 3232);
    assert_int_equal(config.push.scheme, 2);
    assert_string_equal(config.push.password_file, path);
    device_config_free(&config);
    assert_int_equal(load(IDS "push = { scheme = \"none\"; port = 8266;\n"
                              "announce = false; developer = true; };" REST),
                     0);
    assert_true(config.push.on && config.push.developer);
    assert_false(config.push.announce);
    assert_int_equal(config.push.port, 8266);
    assert_int_equal(config.push.scheme, 0);
}

static void each_wrong_setting_is_named(void **state)
{
    static const struct {
        const char *text;
        const char *named;
    } wrong[] = {
        {"", "\"id\""},
        {"name = \"x\"; id = \"12\";", "\"id\""},
        {"id = \"000102030405060708090a0b0c0d0eXX\";", "\"id\""},
        {IDS "server = \"ftp://x\";", "\"server\""},
        {IDS REST "watchdog = 0;", "\"watchdog\""},
        {IDS REST "watchdog = \"soon\";", "\"watchdog\""},
        {IDS REST "boot_tries = 300;", "\"boot_tries\""},
        {IDS REST "delta_memory = 4096;", "\"delta_memory\""},
        {IDS REST "holder = 1;", "\"holder\""},
        {IDS REST "timing = { poll = -1; };", "\"timing.poll\""},
        {IDS "server = \"https://x\";", "\"flash.components\""},
        {IDS "push = { scheme = \"sha1\"; };" REST, "push.scheme"},
        {IDS "push = { };" REST, "push.password_file"},
        {IDS "push = { scheme = \"none\"; password_file = \"p\"; };" REST,
         "push.password_file"},
        {IDS "push = { scheme = \"none\"; port = 65536; };" REST, "push.port"},
        {IDS "push = { scheme = \"none\"; developer = 1; };" REST,
         "push.developer"},
        {"name = = ;", "line 1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(load(wrong[i].text), -1);
        if (strstr(err.text, wrong[i].named) == NULL) {
            fail_msg("\"%s\" does not name %s", err.text, wrong[i].named);
        }
        device_config_free(&config);
    }
    assert_int_equal(load(IDS REST), 0);
}

static void events_are_told_in_words(void **state)
{
    struct bl_event event = {.sequence = 3,
                             .state = BL_STATE_RETURNED,
                             .code = BL_RESET,
                             .reset = BL_RESET_WATCHDOG};
    char text[DESCRIPTION];

    (void)state;
    describe_event(&event, text);
    assert_non_null(strstr(text, "returned from release 3"));
    assert_non_null(strstr(text, "boot-tries, watchdog"));
    event = (struct bl_event){.sequence = 4, .state = BL_STATE_CONFIRMED};
    describe_event(&event, text);
    assert_string_equal(text, "confirmed release 4");
    event.state = 200;
    event.code = 60000;
    describe_event(&event, text);
    assert_non_null(strstr(text, "unknown"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_device_is_read),
        TEST(areas_are_whole_blocks_that_do_not_overlap),
        TEST(deltas_get_what_memory_there_is),
        TEST(stage_is_there_when_it_is_asked_for),
        cmocka_unit_test(component_ids_are_encoded),
        TEST(pushes_are_taken_when_it_is_said),
        TEST(each_wrong_setting_is_named),
        cmocka_unit_test(events_are_told_in_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
