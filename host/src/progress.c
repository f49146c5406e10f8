/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE
#include "host/progress.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum {
    REDRAW_MS = 100,
    PLAIN_MS = 10000,
    RATE_AFTER_MS = 500, /* earlier, a rate is noise */
    WIDTH_DEFAULT = 80,
    WIDTH_MAX = 120,
    TAIL_MAX = 64
};

static uint64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int terminal_width(int fd)
{
    struct winsize size;

    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col < 20) {
        return WIDTH_DEFAULT;
    }
    return size.ws_col < WIDTH_MAX ? size.ws_col : WIDTH_MAX;
}

void progress_begin(struct progress *p, const char *name, bool bytes,
                    bool quiet)
{
    const char *no_colour = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    int fd = fileno(stderr);

    memset(p, 0, sizeof *p);
    p->out = stderr;
    (void)snprintf(p->name, sizeof p->name, "%s", name);
    p->bytes = bytes;
    p->quiet = quiet;
    p->terminal = isatty(fd) && !(term != NULL && strcmp(term, "dumb") == 0);
    p->colour = p->terminal && (no_colour == NULL || no_colour[0] == 0);
    p->width = p->terminal ? terminal_width(fd) : WIDTH_DEFAULT;
    p->started_ms = now_ms();
    p->drawn_ms = p->started_ms;
}

/* --- Text ---------------------------------------------------------------- */

static void format_amount(char *out, size_t size, uint64_t v, bool bytes)
{
    static const char *const unit[] = {"B", "kB", "MB", "GB", "TB"};
    double x = (double)v;
    size_t i = 0;

    if (!bytes) {
        (void)snprintf(out, size, "%llu", (unsigned long long)v);
        return;
    }
    while (x >= 999.5 && i < 4) {
        x /= 1000;
        i++;
    }
    (void)snprintf(out, size, i == 0 || x >= 99.95 ? "%.0f %s" : "%.1f %s", x,
                   unit[i]);
}

static void format_time(char *out, size_t size, uint64_t seconds)
{
    if (seconds >= 3600) {
        (void)snprintf(out, size, "%lluh%02llum",
                       (unsigned long long)(seconds / 3600),
                       (unsigned long long)(seconds / 60 % 60));
    } else if (seconds >= 60) {
        (void)snprintf(out, size, "%llum%02llus",
                       (unsigned long long)(seconds / 60),
                       (unsigned long long)(seconds % 60));
    } else {
        (void)snprintf(out, size, "%llus", (unsigned long long)seconds);
    }
}

/* " 42%  1.2 MB  310 kB/s  3s left" */
static void format_tail(const struct progress *p, uint64_t elapsed_ms,
                        uint64_t done, uint64_t total, char *out, size_t size)
{
    char amount[24];
    char rate[24] = "";
    char left[24] = "";
    double per_s = 0;

    format_amount(amount, sizeof amount, done, p->bytes);
    if (elapsed_ms >= RATE_AFTER_MS && done > 0) {
        per_s = (double)done * 1000 / (double)elapsed_ms;
        format_amount(rate, sizeof rate, (uint64_t)per_s, p->bytes);
    }
    if (per_s > 0 && total > done) {
        format_time(left, sizeof left,
                    (uint64_t)((double)(total - done) / per_s + 0.5));
    }
    if (total > 0) {
        (void)snprintf(out, size, " %3u%%  %s",
                       (unsigned)(100.0 * ((double)done / (double)total)),
                       amount);
    } else {
        (void)snprintf(out, size, "  %s", amount);
    }
    if (rate[0] != 0) {
        size_t n = strlen(out);

        (void)snprintf(out + n, size - n, "  %s/s%s%s%s", rate,
                       left[0] != 0 ? "  " : "", left,
                       left[0] != 0 ? " left" : "");
    }
}

static void put_bar(char *out, size_t room, uint64_t done, uint64_t total)
{
    size_t full =
        total == 0 ? 0
                   : (size_t)((double)room * ((double)done / (double)total));
    size_t i;

    for (i = 0; i < room; i++) {
        out[i] = i < full ? '#' : '.';
    }
    out[room] = 0;
}

void progress_format(const struct progress *p, uint64_t elapsed_ms,
                     uint64_t done, uint64_t total, char *out, size_t size)
{
    char tail[TAIL_MAX];
    char bar[WIDTH_MAX + 1] = "";
    size_t fixed;
    size_t width = p->width > 0 ? (size_t)p->width : WIDTH_DEFAULT;

    done = total > 0 && done > total ? total : done;
    width = width > WIDTH_MAX ? WIDTH_MAX : width;
    format_tail(p, elapsed_ms, done, total, tail, sizeof tail);
    fixed = strlen(p->name) + 4 + strlen(tail) + 1;
    if (p->terminal && total > 0 && width >= fixed + 10) {
        put_bar(bar, width - fixed, done, total);
        (void)snprintf(out, size, "%s  [%s]%s", p->name, bar, tail);
    } else {
        (void)snprintf(out, size, "%s %s", p->name, tail);
    }
}

/* --- Drawing ------------------------------------------------------------- */

void progress_update(struct progress *p, uint64_t done, uint64_t total)
{
    char text[256];
    uint64_t now = now_ms();
    bool due = now - p->drawn_ms >= (p->terminal ? REDRAW_MS : PLAIN_MS);

    if (p->quiet || !due) {
        return;
    }
    p->drawn_ms = now;
    progress_format(p, now - p->started_ms, done, total, text, sizeof text);
    if (p->terminal) {
        (void)fprintf(p->out, "\r\033[K%s%.*s%s", p->colour ? "\033[36m" : "",
                      p->width - 1, text, p->colour ? "\033[0m" : "");
        p->drawn = true;
    } else {
        (void)fprintf(p->out, "%s\n", text);
    }
    (void)fflush(p->out);
}

void progress_end(struct progress *p, const char *done)
{
    if (p->drawn) {
        (void)fprintf(p->out, "\r\033[K");
        p->drawn = false;
    }
    if (!p->quiet && done != NULL) {
        (void)fprintf(p->out, "%s\n", done);
    }
    (void)fflush(p->out);
}
