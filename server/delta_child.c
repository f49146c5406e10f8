/* SPDX-License-Identifier: Apache-2.0 */
#include "delta_child.h"

#include "metrics.h"

#include "host/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    ABOVE = 16, /* descriptors that do not get into each other's way */
    LOOK_MS = 100,
    GRACE_S = 10, /* the process ends itself before */
    ERROR_EXIT = 2
};

struct child {
    const struct delta_job *job;
    pid_t pid;
    int out;
    uint64_t until_us;
    bool late;
    bool stopped;
    bool large;
};

/* --- Its start ------------------------------------------------------------
 */

static int put_high(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, ABOVE);
}

static int set_files(posix_spawn_file_actions_t *a, const int fd[3])
{
    const char *errors = log_enabled(LOG_DEBUG) ? NULL : "/dev/null";

    return posix_spawn_file_actions_adddup2(a, fd[0], 0) != 0 ||
                   posix_spawn_file_actions_adddup2(a, fd[2], 1) != 0 ||
                   posix_spawn_file_actions_adddup2(a, fd[1], 3) != 0 ||
                   (errors != NULL && posix_spawn_file_actions_addopen(
                                          a, 2, errors, O_WRONLY, 0) != 0) ||
                   posix_spawn_file_actions_addclosefrom_np(a, 4) != 0
               ? -1
               : 0;
}

/* What the server ignores or blocks is not the child's. A group of its own:
 * all of it is killed. */
static int set_attributes(posix_spawnattr_t *a)
{
    sigset_t none;
    sigset_t all;

    sigemptyset(&none);
    sigfillset(&all);
    return posix_spawnattr_setsigmask(a, &none) != 0 ||
                   posix_spawnattr_setsigdefault(a, &all) != 0 ||
                   posix_spawnattr_setpgroup(a, 0) != 0 ||
                   posix_spawnattr_setflags(a, POSIX_SPAWN_SETSIGMASK |
                                                   POSIX_SPAWN_SETSIGDEF |
                                                   POSIX_SPAWN_SETPGROUP) != 0
               ? -1
               : 0;
}

static int spawn_with(const struct delta_job *job, const int fd[3],
                      posix_spawn_file_actions_t *files,
                      posix_spawnattr_t *attributes, pid_t *pid)
{
    static char name[] = "bowlined";
    static char option[] = "--make-delta";
    static char empty[] = "";
    static char path[] = "PATH=/usr/local/bin:/usr/bin:/bin";
    char number[6][16];
    char *argv[] = {name,      option,    number[0], number[1], number[2],
                    number[3], number[4], number[5], empty,     NULL};
    char *envp[] = {path, NULL};
    char program[512];

    snprintf(number[0], sizeof number[0], "%d", (int)getpid());
    snprintf(number[1], sizeof number[1], "%u", job->ram);
    snprintf(number[2], sizeof number[2], "%u", job->isas);
    snprintf(number[3], sizeof number[3], "%d", job->effort);
    snprintf(number[4], sizeof number[4], "%d", job->seconds);
    snprintf(number[5], sizeof number[5], "%d", job->memory_mb);
    if (job->program[0] != '\0') {
        snprintf(program, sizeof program, "%s", job->program);
        argv[8] = program;
    }
    if (set_files(files, fd) != 0 || set_attributes(attributes) != 0) {
        return ENOMEM;
    }
    return posix_spawn(pid, "/proc/self/exe", files, attributes, argv, envp);
}

static int spawn_child(const struct delta_job *job, int out, pid_t *pid)
{
    int fd[3] = {put_high(job->base), put_high(job->target), put_high(out)};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    int result = EMFILE;

    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    if (fd[0] >= 0 && fd[1] >= 0 && fd[2] >= 0) {
        result = spawn_with(job, fd, &files, &attributes, pid);
    }
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    for (int i = 0; i < 3; i++) {
        if (fd[i] >= 0) {
            close(fd[i]);
        }
    }
    return result;
}

/* --- While it works -------------------------------------------------------
 */

/* False: it is to be ended. */
static bool goes_on(struct child *c)
{
    c->late = monotonic_us() >= c->until_us;
    c->stopped = c->job->stopped(c->job->ctx);
    return !c->late && !c->stopped;
}

/* Until it has said all; false: it is to be ended. */
static bool read_all(struct child *c, struct buffer *patch)
{
    struct pollfd p = {c->out, POLLIN, 0};
    uint8_t piece[65536];

    while (goes_on(c)) {
        ssize_t n;

        if (poll(&p, 1, LOOK_MS) <= 0) {
            continue;
        }
        n = read(c->out, piece, sizeof piece);
        if (n == 0) {
            return true;
        }
        if (n > 0 && buffer_append(patch, piece, (size_t)n, NULL) != 0) {
            c->large = true;
            return false;
        }
    }
    return false;
}

/* Its pid is ours until it is reaped: nobody else waits for it. */
static int reap(struct child *c, bool kill_it)
{
    const struct timespec pause = {0, LOOK_MS * 1000000L};
    int status = 0;

    for (;;) {
        pid_t got;

        if (kill_it) {
            kill(-c->pid, SIGKILL);
        }
        got = waitpid(c->pid, &status, kill_it ? 0 : WNOHANG);
        if (got == c->pid) {
            return status;
        }
        if (got < 0 && errno != EINTR) {
            return -1;
        }
        if (!kill_it) {
            kill_it = !goes_on(c);
            nanosleep(&pause, NULL);
        }
    }
}

/* --- What became of it ----------------------------------------------------
 */

/* One line, whatever it said. */
static void take_text(const struct buffer *said, char *why, size_t size)
{
    size_t n = said->n < size - 1 ? said->n : size - 1;

    for (size_t i = 0; i < n; i++) {
        uint8_t c = said->p[i];

        why[i] = c >= 0x20 && c < 0x7F ? (char)c : ' ';
    }
    why[n] = '\0';
    if (n == 0) {
        snprintf(why, size, "it could not be made");
    }
}

/* What a process does to itself, or a limit of ours does, it would do again;
 * any other signal came from outside. */
static bool is_own_fault(int signal)
{
    static const int own[] = {SIGSEGV, SIGBUS,  SIGILL,  SIGFPE, SIGABRT,
                              SIGSYS,  SIGTRAP, SIGPIPE, SIGXFSZ};

    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (own[i] == signal) {
            return true;
        }
    }
    return false;
}

static enum delta_made judge(const struct child *c, int status,
                             const struct buffer *said, char *why, size_t size)
{
    if (c->stopped) {
        snprintf(why, size, "it was stopped");
        return DELTA_CHILD_STOPPED;
    }
    if (c->large) {
        snprintf(why, size, "it is larger than the payload");
    } else if (c->late ||
               (WIFSIGNALED(status) && (WTERMSIG(status) == SIGALRM ||
                                        WTERMSIG(status) == SIGXCPU))) {
        snprintf(why, size, "making it took longer than delta_seconds = %d",
                 c->job->seconds);
    } else if (WIFSIGNALED(status)) {
        snprintf(why, size, "making it ended with signal %d (%s)",
                 WTERMSIG(status), strsignal(WTERMSIG(status)));
        return is_own_fault(WTERMSIG(status)) ? DELTA_CHILD_FAILED
                                              : DELTA_CHILD_KILLED;
    } else if (WEXITSTATUS(status) == ERROR_EXIT) {
        take_text(said, why, size);
    } else if (WEXITSTATUS(status) != 0 || said->n == 0) {
        snprintf(why, size, "making it ended with status %d",
                 WEXITSTATUS(status));
    } else {
        return DELTA_CHILD_OK;
    }
    return DELTA_CHILD_FAILED;
}

enum delta_made delta_child(const struct delta_job *job, struct buffer *patch,
                            char *why, size_t why_size)
{
    struct child c = {.job = job};
    int pipes[2];
    int result;
    int status;
    bool whole;

    if (pipe2(pipes, O_CLOEXEC) != 0) {
        snprintf(why, why_size, "no pipe: %s", strerror(errno));
        return DELTA_CHILD_FAILED;
    }
    result = spawn_child(job, pipes[1], &c.pid);
    close(pipes[1]);
    if (result != 0) {
        close(pipes[0]);
        snprintf(why, why_size, "no process: %s", strerror(result));
        return DELTA_CHILD_FAILED;
    }
    c.out = pipes[0];
    c.until_us = monotonic_us() + (uint64_t)(job->seconds + GRACE_S) * 1000000;
    whole = read_all(&c, patch);
    status = reap(&c, !whole);
    close(pipes[0]);
    return judge(&c, status, patch, why, why_size);
}
