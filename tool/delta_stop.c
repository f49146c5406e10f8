/* SPDX-License-Identifier: Apache-2.0 */
/* How far a long work is, and Ctrl-C during it: remembered, and looked at
 * where stopping is clean. */
#include <signal.h>
#include <string.h>

#include "delta.h"

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
enum { SIGNALS = sizeof signals / sizeof signals[0] };

static volatile sig_atomic_t came;

static void remember(int number)
{
    came = number;
}

void delta_stop_begin(void)
{
    struct sigaction action;
    struct sigaction before;
    size_t i;

    memset(&action, 0, sizeof action);
    action.sa_handler = remember;
    action.sa_flags = (int)SA_RESETHAND;
    (void)sigemptyset(&action.sa_mask);
    for (i = 0; i < SIGNALS; i++) {
        /* Of nohup, or of a job in the background: stays ignored. */
        if (sigaction(signals[i], NULL, &before) == 0 &&
            before.sa_handler != SIG_IGN) {
            (void)sigaction(signals[i], &action, NULL);
        }
    }
}

bool delta_stop_wanted(void)
{
    return came != 0;
}

void delta_stop_hold(bool hold)
{
    sigset_t set;
    size_t i;

    (void)sigemptyset(&set);
    for (i = 0; i < SIGNALS; i++) {
        (void)sigaddset(&set, signals[i]);
    }
    (void)sigprocmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

void delta_stop_end(void)
{
    if (came != 0) {
        (void)signal(came, SIG_DFL);
        (void)raise(came);
    }
}

void delta_bar_begin(struct call *c, struct delta_bar *bar, const char *name,
                     uint64_t size)
{
    bar->size = size;
    progress_begin(&bar->bar, name, true, c->quiet || c->json);
}

bool delta_bar_update(void *ctx, uint32_t permille)
{
    struct delta_bar *bar = ctx;

    progress_update(&bar->bar, bar->size * permille / 1000, bar->size);
    return !delta_stop_wanted();
}

void delta_bar_end(struct delta_bar *bar)
{
    progress_end(&bar->bar, NULL);
}
