/* SPDX-License-Identifier: Apache-2.0 */
/* What the program says: a line while it runs, a summary at its end. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fleet.h"
#include "host/file.h"

enum { LINE = 200, VERSIONS = 4, PLAIN_MS = 10 * 1000 };

static const char *const names[FLEET_COUNTS] = {
    [COUNT_POLLS] = "polls",
    [COUNT_UNREACHABLE] = "unreachable",
    [COUNT_BROKEN] = "broken",
    [COUNT_TRANSFERS] = "transfers",
    [COUNT_BOOTS] = "boots",
    [COUNT_POWER_CUTS] = "power_cuts",
    [COUNT_CRASHES] = "crashes",
    [COUNT_WATCHDOG] = "watchdog",
    [COUNT_CONFIRMED] = "confirmed",
    [COUNT_RETURNED] = "returned",
    [COUNT_FAILED] = "failed",
    [COUNT_REFUSED] = "refused",
    [COUNT_PATCHED] = "patched",
    [COUNT_PATCH_FAILED] = "patches_failed",
    [COUNT_BREACHES] = "flash_breaches",
    [NOW_SETTLED] = "settled",
    [NOW_TRIAL] = "on_trial",
    [NOW_SILENT] = "silent",
    [NOW_DEAD] = "dead",
    [NOW_WRECK] = "wrecked",
};

/* --- The line ------------------------------------------------------------ */

/* The versions that run, most devices first. */
static int add_versions(struct fleet *fleet, char *out, int size)
{
    const struct fleet_release *taken[VERSIONS];
    int n = 0;

    (void)pthread_mutex_lock(&fleet->lock);
    for (int v = 0; v < VERSIONS; v++) {
        struct fleet_release *best = NULL;

        for (struct fleet_release *r = fleet->release; r != NULL;
             r = r->next) {
            bool is_taken = false;

            for (int i = 0; i < v; i++) {
                is_taken = is_taken || taken[i] == r;
            }
            if (!is_taken && (best == NULL || r->running > best->running)) {
                best = r;
            }
        }
        if (best == NULL || best->running == 0) {
            break;
        }
        taken[v] = best;
        n +=
            snprintf(out + n, (size_t)(size - n), "%s%s %u", v > 0 ? ", " : "",
                     best->version, (unsigned)best->running);
        if (n >= size - 48) {
            break;
        }
    }
    (void)pthread_mutex_unlock(&fleet->lock);
    return n;
}

static void make_line(struct fleet *fleet, double polls_s, char *out, int size)
{
    uint64_t s = (fleet_wall_ms() - fleet->started_ms) / 1000;
    int n = snprintf(out, (size_t)size, "%us  ", (unsigned)s);

    n += add_versions(fleet, out + n, size - n - 80);
    (void)snprintf(
        out + n, (size_t)(size - n),
        "  %.0f polls/s  on trial %lld  returned %lld  at rest %lld%s",
        polls_s, (long long)fleet_count(fleet, NOW_TRIAL),
        (long long)fleet_count(fleet, COUNT_RETURNED),
        (long long)fleet_count(fleet, NOW_SETTLED),
        atomic_load(&fleet->phase) == FLEET_SETTLE ? "  (ending)" : "");
}

/* A line that is wider than the terminal could not be drawn over. */
static void fit(char *line)
{
    struct winsize size;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 &&
        strlen(line) >= size.ws_col) {
        line[size.ws_col - 1] = '\0';
    }
}

void fleet_show_progress(struct fleet *fleet, struct fleet_show *show)
{
    char line[LINE];
    uint64_t now = fleet_wall_ms();
    int64_t polls = fleet_count(fleet, COUNT_POLLS);
    bool terminal = isatty(STDERR_FILENO) != 0;
    uint64_t gap = terminal ? 1000 : PLAIN_MS;

    if (fleet->options.quiet || now - show->shown_ms < gap) {
        return;
    }
    make_line(fleet,
              (double)(polls - show->polls) * 1000 /
                  (double)(now - show->shown_ms),
              line, sizeof line);
    fit(line);
    show->shown_ms = now;
    show->polls = polls;
    (void)fprintf(stderr, terminal ? "\r\033[K%s" : "%s\n", line);
    (void)fflush(stderr);
}

void fleet_show_end(const struct fleet *fleet)
{
    if (!fleet->options.quiet && isatty(STDERR_FILENO) != 0) {
        (void)fputs("\r\033[K", stderr);
    }
}

/* --- The summary --------------------------------------------------------- */

/* Resident memory of this process in kB; 0 when it cannot be told. */
static long memory_kb(void)
{
    FILE *file = fopen("/proc/self/status", "re");
    char line[128];
    long kb = 0;

    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "VmRSS:", 6) == 0) {
            kb = strtol(line + 6, NULL, 10);
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return kb;
}

static json_t *releases_json(struct fleet *fleet)
{
    json_t *out = json_array();

    (void)pthread_mutex_lock(&fleet->lock);
    for (struct fleet_release *r = fleet->release; r != NULL; r = r->next) {
        char hex[65];

        hex_encode(r->manifest, 32, hex);
        json_array_append_new(
            out,
            json_pack("{s:s, s:s, s:I, s:I, s:b, s:b}", "version", r->version,
                      "manifest", hex, "sequence", (json_int_t)r->sequence,
                      "devices", (json_int_t)r->running, "factory",
                      (int)r->factory, "bad", (int)r->bad));
    }
    (void)pthread_mutex_unlock(&fleet->lock);
    return out;
}

static json_t *summary_json(struct fleet *fleet)
{
    json_t *out = json_pack(
        "{s:I, s:I, s:f, s:I, s:I, s:o}", "devices",
        (json_int_t)fleet->options.devices, "seed",
        (json_int_t)fleet->options.rules.seed, "seconds",
        (double)(fleet_wall_ms() - fleet->started_ms) / 1000.0, "memory_kb",
        (json_int_t)memory_kb(), "flash_pages",
        (json_int_t)fleet_flash_pages(), "releases", releases_json(fleet));
    uint64_t connects = 0;
    uint64_t resumed = 0;
    uint64_t exchanges = 0;
    uint64_t bytes = 0;

    for (int i = 0; i < FLEET_COUNTS; i++) {
        json_object_set_new(
            out, names[i],
            json_integer(fleet_count(fleet, (enum fleet_count)i)));
    }
    for (uint32_t i = 0; i < fleet->options.threads; i++) {
        exchanges += atomic_load(&fleet->shard[i].exchanges);
        connects += atomic_load(&fleet->shard[i].connects);
        resumed += atomic_load(&fleet->shard[i].resumed);
        bytes += atomic_load(&fleet->shard[i].bytes);
    }
    json_object_set_new(out, "exchanges", json_integer((json_int_t)exchanges));
    json_object_set_new(out, "connections",
                        json_integer((json_int_t)connects));
    json_object_set_new(out, "resumed", json_integer((json_int_t)resumed));
    json_object_set_new(out, "bytes", json_integer((json_int_t)bytes));
    return out;
}

static void print_plain(const json_t *summary)
{
    const char *key;
    json_t *value;
    size_t i;
    const json_t *r;

    json_object_foreach((json_t *)(uintptr_t)summary, key, value)
    {
        if (json_is_integer(value)) {
            (void)printf("%-16s %lld\n", key,
                         (long long)json_integer_value(value));
        }
    }
    json_array_foreach(json_object_get(summary, "releases"), i, r)
    {
        (void)printf(
            "runs %-11s %lld devices%s\n",
            json_string_value(json_object_get(r, "version")),
            (long long)json_integer_value(json_object_get(r, "devices")),
            json_is_true(json_object_get(r, "bad")) ? " (a bad one)" : "");
    }
}

/* `agreed`: of --compare; -1: not asked. */
void fleet_show_summary(struct fleet *fleet, int agreed)
{
    json_t *summary = summary_json(fleet);

    if (agreed >= 0) {
        json_object_set_new(summary, "agrees", json_boolean(agreed));
    }
    if (fleet->options.json) {
        (void)json_dumpf(summary, stdout, JSON_COMPACT);
        (void)putchar('\n');
    } else {
        print_plain(summary);
        if (agreed >= 0) {
            (void)puts(agreed ? "the server knows what each device runs"
                              : "the server is wrong about some devices");
        }
    }
    json_decref(summary);
    (void)fflush(stdout);
}
