/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bowlined --make-delta PARENT RAM ISAS EFFORT SECONDS MEMORY_MB PROGRAM: the
 * process that delta_child.c starts. It gives away what it does not need
 * before it looks at an image. Exit status 0: the patch went to descriptor 1;
 * 2: why there is none did.
 */
#include "delta_child.h"

#include "diff/diff.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PARENT,
    RAM,
    ISAS,
    EFFORT,
    SECONDS,
    MEMORY_MB,
    NUMBERS,
    OLD = 0, /* descriptors */
    OUT = 1,
    NEW = 3,
    FAILED = 2
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true /* its shadow needs any amount of addresses */
#else
#define SANITIZED false
#endif

static int limit(int what, rlim_t most)
{
    const struct rlimit l = {most, most};

    return setrlimit((__rlimit_resource_t)what, &l);
}

/* SIGXCPU says why it ends; at the hard limit it would be killed, as by
 * somebody else. */
static int limit_time(rlim_t seconds)
{
    const struct rlimit l = {seconds, seconds + 5};

    return setrlimit(RLIMIT_CPU, &l);
}

/* When memory is short it goes first, and the server stays. */
static void be_first_to_go(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    if (fd >= 0) {
        (void)!write(fd, "1000", 4);
        close(fd);
    }
}

/* For whatever program makes it. */
static int bound(const long *n, bool own)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ||
        getppid() != (pid_t)n[PARENT]) {
        return -1; /* the server has ended since */
    }
    (void)setpriority(PRIO_PROCESS, 0, 19);
    be_first_to_go();
    alarm((unsigned)n[SECONDS] + 1);
    if (limit_time((rlim_t)n[SECONDS]) != 0 || limit(RLIMIT_CORE, 0) != 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return -1;
    }
    return n[MEMORY_MB] == 0 || (own && SANITIZED)
               ? 0
               : limit(RLIMIT_AS, (rlim_t)n[MEMORY_MB] << 20);
}

/* It opens no file and no connection any more, starts nothing and makes no
 * file longer. */
static int confine(void)
{
    return limit(RLIMIT_NOFILE, 0) != 0 || limit(RLIMIT_FSIZE, 0) != 0 ||
                   limit(RLIMIT_NPROC, 0) != 0
               ? -1
               : 0;
}

static const uint8_t *map(int fd, size_t *size)
{
    struct stat st;
    void *p;

    if (fstat(fd, &st) != 0 || st.st_size <= 0) {
        return NULL;
    }
    *size = (size_t)st.st_size;
    p = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
    return p == MAP_FAILED ? NULL : p;
}

static int put_all(const void *data, size_t n)
{
    const uint8_t *p = data;

    while (n > 0) {
        ssize_t written = write(OUT, p, n);

        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return -1;
        }
        p += written;
        n -= (size_t)written;
    }
    return 0;
}

static int fail(const char *why)
{
    (void)put_all(why, strlen(why));
    return FAILED;
}

static int make(const long *n)
{
    struct buffer patch = BUFFER((size_t)UINT32_MAX);
    struct error error = {BL_OK, 0, ""};
    struct diff_options options;
    size_t old_size = 0;
    size_t new_size = 0;
    const uint8_t *old = map(OLD, &old_size);
    const uint8_t *new = map(NEW, &new_size);

    if (old == NULL || new == NULL) {
        return fail("an image cannot be read");
    }
    if (confine() != 0) {
        return fail("the limits of its process could not be set");
    }
    diff_defaults(&options);
    options.ram = (uint32_t)n[RAM];
    options.isas = (uint32_t)n[ISAS];
    options.effort = (uint8_t)n[EFFORT];
    if (diff_make(old, old_size, new, new_size, &options, &patch, NULL,
                  &error) != 0) {
        return fail(error.text);
    }
    return put_all(patch.p, patch.n) == 0 ? 0 : 1;
}

int delta_make_main(int argc, char **argv)
{
    long n[NUMBERS];
    const char *program = argc == NUMBERS + 1 ? argv[NUMBERS] : "";

    if (argc != NUMBERS + 1) {
        fputs("bowlined: --make-delta is not for people\n", stderr);
        return 1;
    }
    for (int i = 0; i < NUMBERS; i++) {
        n[i] = strtol(argv[i], NULL, 10);
    }
    if (bound(n, program[0] == '\0') != 0) {
        return 1;
    }
    if (program[0] != '\0') {
        execl(program, program, argv[RAM], argv[ISAS], (char *)NULL);
        return fail("delta_program cannot be started");
    }
    /* Without the usual tidying: nothing can be opened for it. */
    _exit(make(n));
}
