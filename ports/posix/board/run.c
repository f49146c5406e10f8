/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The board: power, watchdog, reset. At each reset a new process becomes the
 * boot code, and then the firmware; this one only watches it.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "board.h"
#include "posix/device.h"
#include "posix/platform.h"

enum { RESET_TAKES_MS = 100 };

enum outcome { RESET_AGAIN, POWER_OFF, NO_IMAGE };

struct board {
    struct device_config config;
    const char *dir;
    int signals; /* signalfd: child, end */
    sigset_t mask;
    pid_t child;
    int pipe;      /* read end of the watchdog's pipe */
    bool starting; /* the boot code still runs */
    bool no_image;
};

static const char help[] =
    "bowline-device run --dir DIR [--log FILE]\n"
    "\n"
    "Switches the device on. SIGTERM or Ctrl-C is its power switch, SIGKILL\n"
    "a power cut: boot code and firmware end with it. Lines of the log go to\n"
    "stderr, or are appended to FILE.\n";

/* --- One life of the processor --------------------------------------------
 */

static _Noreturn void be_the_processor(const struct board *board, int pipe,
                                       pid_t parent, bl_reset_cause cause)
{
    /* No power, no processor. */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(1);
    }
    (void)sigprocmask(SIG_UNBLOCK, &board->mask, NULL);
    board_boot(board->dir, cause, pipe);
}

static int power_processor(struct board *board, bl_reset_cause cause,
                           struct error *err)
{
    pid_t parent = getpid();
    int ends[2];

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        return error_errno(err, "cannot make the watchdog's pipe");
    }
    board->child = fork();
    if (board->child < 0) {
        return error_errno(err, "cannot start a process");
    }
    if (board->child == 0) {
        (void)close(ends[0]);
        be_the_processor(board, ends[1], parent, cause);
    }
    (void)close(ends[1]);
    board->pipe = ends[0];
    board->starting = true;
    board->no_image = false;
    return 0;
}

static int stop_processor(struct board *board)
{
    int status = 0;

    (void)kill(board->child, SIGKILL);
    while (waitpid(board->child, &status, 0) < 0 && errno == EINTR) {
    }
    (void)close(board->pipe);
    return status;
}

/* True when the processor gave a sign of life. */
static bool heard(struct board *board)
{
    char news[64];
    ssize_t n = read(board->pipe, news, sizeof news);

    for (ssize_t i = 0; i < n && board->starting; i++) {
        board->no_image = news[i] == BOARD_NEWS_NO_IMAGE;
        board->starting = news[i] != BOARD_NEWS_STARTS && !board->no_image;
    }
    return n > 0;
}

/* --- Why it ended ----------------------------------------------------------
 */

static bl_reset_cause judge(const struct board *board, int status)
{
    const char *who = board->config.name;

    if (WIFEXITED(status) && WEXITSTATUS(status) == DEVICE_EXIT_RESET) {
        return BL_RESET_SOFTWARE;
    }
    if (WIFSIGNALED(status)) {
        platform_say(who, "board: the firmware crashed (%s)",
                     strsignal(WTERMSIG(status)));
    } else {
        platform_say(who, "board: the firmware ended by itself (%d)",
                     WEXITSTATUS(status));
    }
    return BL_RESET_CRASH;
}

static bool has_ended(pid_t child)
{
    siginfo_t info = {0};

    return waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) ==
               0 &&
           info.si_pid == child;
}

/* Reads one signal: has the child ended, or is the power switched off? */
static bool switched_off(struct board *board, bool *ended)
{
    struct signalfd_siginfo info;

    if (read(board->signals, &info, sizeof info) != (ssize_t)sizeof info) {
        return false;
    }
    if (info.ssi_signo == SIGCHLD) {
        *ended = has_ended(board->child); /* or an earlier one did */
        return false;
    }
    return true;
}

/* Waits until the processor has to start anew, or no more. */
static enum outcome watch(struct board *board, bl_reset_cause *cause)
{
    uint64_t patience = (uint64_t)board->config.watchdog_s * 1000U;
    uint64_t bites_ms = platform_ms() + patience;
    struct pollfd fds[2] = {{board->signals, POLLIN, 0},
                            {board->pipe, POLLIN, 0}};
    bool ended = false;

    while (!ended) {
        uint64_t now = platform_ms();

        if (now >= bites_ms) {
            (void)stop_processor(board);
            platform_say(board->config.name,
                         "board: the watchdog bit: no sign of life for %u s",
                         board->config.watchdog_s);
            *cause = BL_RESET_WATCHDOG;
            return RESET_AGAIN;
        }
        (void)poll(fds, 2, (int)(bites_ms - now));
        if ((fds[1].revents & POLLIN) != 0 && heard(board)) {
            bites_ms = platform_ms() + patience;
        } else if ((fds[1].revents & (POLLHUP | POLLERR)) != 0) {
            fds[1].fd = -1; /* it let go; its end or the watchdog follows */
        }
        if ((fds[0].revents & POLLIN) != 0 && switched_off(board, &ended)) {
            (void)stop_processor(board);
            return POWER_OFF;
        }
    }
    (void)heard(board);
    *cause = BL_RESET_CRASH;
    if (board->no_image) {
        (void)stop_processor(board);
        return NO_IMAGE;
    }
    *cause = judge(board, stop_processor(board));
    return RESET_AGAIN;
}

/* --- Power -----------------------------------------------------------------
 */

/* One power supply for a board. */
static int lock_board(const char *dir, struct error *err)
{
    char path[FLASH_PATH];
    int fd;

    (void)snprintf(path, sizeof path, "%s/power", dir);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return error_errno(err, "cannot open %s", path);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        (void)close(fd);
        return error_set(err, "%s is switched on already", dir);
    }
    return fd; /* held until this process ends */
}

static int open_board(struct board *board, struct error *err)
{
    if (device_config_load(&board->config, board->dir, err) != 0 ||
        lock_board(board->dir, err) < 0) {
        return -1;
    }
    (void)sigemptyset(&board->mask);
    (void)sigaddset(&board->mask, SIGCHLD);
    (void)sigaddset(&board->mask, SIGTERM);
    (void)sigaddset(&board->mask, SIGINT);
    (void)sigaddset(&board->mask, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &board->mask, NULL) != 0) {
        return error_errno(err, "cannot block signals");
    }
    board->signals = signalfd(-1, &board->mask, SFD_CLOEXEC | SFD_NONBLOCK);
    return board->signals < 0 ? error_errno(err, "cannot make a signalfd") : 0;
}

static int keep_running(struct board *board, struct error *err)
{
    bl_reset_cause cause = BL_RESET_POWER;
    enum outcome outcome = RESET_AGAIN;

    platform_say(board->config.name, "board: power on");
    while (outcome == RESET_AGAIN) {
        if (power_processor(board, cause, err) != 0) {
            return board_fail("run", err);
        }
        outcome = watch(board, &cause);
        if (outcome == RESET_AGAIN) {
            platform_say(board->config.name, "board: reset (%s)",
                         bl_reset_cause_name(cause));
            platform_sleep_ms(RESET_TAKES_MS);
        }
    }
    if (outcome == NO_IMAGE) {
        platform_say(board->config.name,
                     "board: no slot holds an image that may boot; "
                     "provision the device anew");
        return BOARD_EXIT_NO_IMAGE;
    }
    platform_say(board->config.name, "board: power off");
    return 0;
}

static int log_to(const char *path, struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

    if (fd < 0 || dup2(fd, STDERR_FILENO) < 0) {
        return error_errno(err, "cannot write the log %s", path);
    }
    (void)close(fd);
    return 0;
}

int board_run(int argc, char **argv)
{
    static const struct option options[] = {
        {"dir", required_argument, NULL, 'd'},
        {"log", required_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    static struct board board;
    const char *log = NULL;
    struct error err = {0};
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'd':
            board.dir = optarg;
            break;
        case 'l':
            log = optarg;
            break;
        case 'h':
            (void)fputs(help, stdout);
            return 0;
        default:
            return BOARD_EXIT_USAGE;
        }
    }
    if (board.dir == NULL || optind != argc) {
        (void)fputs(help, stderr);
        return BOARD_EXIT_USAGE;
    }
    if ((log != NULL && log_to(log, &err) != 0) ||
        open_board(&board, &err) != 0) {
        return board_fail("run", &err);
    }
    return keep_running(&board, &err);
}
