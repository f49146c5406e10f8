/* SPDX-License-Identifier: Apache-2.0 */
/* A text that is drawn over itself, below what the terminal showed before. */
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "rollout.h"

/* Rows that a line takes; its escape sequences take no room. */
static size_t rows_of(const uint8_t *line, size_t n, size_t columns)
{
    size_t seen = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        if (line[i] == '\033') {
            while (i + 1 < n && line[i] != 'm') {
                i++;
            }
        } else {
            seen++;
        }
    }
    return seen <= columns ? 1 : (seen + columns - 1) / columns;
}

/* How many bytes fit into `rows`, by whole lines; *used says into how many. */
static size_t fit(bl_span text, size_t columns, size_t rows, size_t *used)
{
    size_t at = 0;

    *used = 0;
    while (at < text.n) {
        size_t n = 0;
        size_t more;

        while (at + n < text.n && text.p[at + n] != '\n') {
            n++;
        }
        more = rows_of(text.p + at, n, columns);
        if (*used + more > rows) {
            break;
        }
        *used += more;
        at += n + 1;
    }
    return at < text.n ? at : text.n;
}

void watch_draw(struct watch *w, bl_span text)
{
    struct winsize size = {0};
    size_t n = text.n;
    size_t rows = 0;

    if (isatty(STDOUT_FILENO) != 0) {
        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 ||
            size.ws_row < 2) {
            size.ws_col = 80;
            size.ws_row = 24;
        }
        if (w->rows > 0) {
            (void)printf("\033[%zuA\033[J", w->rows);
        }
        /* What scrolled out of sight could not be drawn over. */
        n = fit(text, size.ws_col, size.ws_row - 1U, &rows);
    }
    w->rows = rows;
    (void)fwrite(text.p, 1, n, stdout);
    (void)fflush(stdout);
}
