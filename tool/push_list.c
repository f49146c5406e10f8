/* SPDX-License-Identifier: Apache-2.0 */
/* bowline push --list */
#include "push.h"

#include "host/mdns.h"
#include "print.h"

static void add(void *ctx, const struct mdns_device *device)
{
    json_t *row = json_object();

    put_text(row, "name", device->name);
    put_text(row, "address", device->address);
    put_number(row, "port", device->port);
    put_text(row, "board", device->board[0] == '\0' ? NULL : device->board);
    put_text(row, "password", device->password ? "yes" : "no");
    put_text(row, "host", device->host);
    (void)json_array_append_new(ctx, row);
}

int push_list(struct call *c)
{
    static const char *const columns[] = {"name",  "address",  "port",
                                          "board", "password", "host"};
    json_t *items = json_array();
    uint64_t seconds = 3;
    int code = cli_number(c, "timeout", 1, 600, &seconds);

    if (code == 0 &&
        mdns_browse((uint32_t)seconds * 1000, add, items, &c->err) != 0) {
        code = EXIT_LOCAL;
    }
    if (code != 0) {
        json_decref(items);
        return code;
    }
    put(c->result, "items", items);
    if (json_array_size(items) == 0) {
        note(c,
             "No device announced itself in %u s. Those that do not can "
             "be pushed to by their address.",
             (unsigned)seconds);
    } else {
        print_table(c, items, columns, 6);
    }
    return 0;
}
