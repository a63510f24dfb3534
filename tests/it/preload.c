/* Loaded into the real binary (LD_PRELOAD): lets the ledger's file operations fail, and sets the clock.

   RESCIND_FAULT=N:HOW   what the N-th write, sync or truncation of the ledger meets:
                         eio      it fails once
                         full     it and all later writes fail: no space left on the device
                         torn     half of it is written, and the process is killed
                         short    half of it is written, and everything later fails
   RESCIND_FAULT_COUNT=FILE   how many there were is written there at the end
   RESCIND_CLOCK_AHEAD=SECONDS   the time of day is so much later, or earlier when it is negative; or the path of a file
                         that has the seconds, and is read each time
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static atomic_int operations;

static int is_ledger(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    const char *name = strrchr(path, '/');
    name = name ? name + 1 : path;
    return !strcmp(name, "ledger.db") || !strcmp(name, "ledger.db-wal") || !strcmp(name, "ledger.db-journal");
}

/* 0: go on. 1: fail with errno. 2: only half of it. */
static int fault(int fd, int writes) {
    static int at = -1;
    static char how[16];
    if (!is_ledger(fd)) return 0;
    if (at < 0) {
        const char *text = getenv("RESCIND_FAULT");
        at = 0;
        if (text && sscanf(text, "%d:%15s", &at, how) != 2) abort();
    }
    int number = atomic_fetch_add(&operations, 1) + 1;
    if (at == 0 || number < at) return 0;
    if (!strcmp(how, "eio")) {
        errno = EIO;
        return number == at;
    }
    if (!strcmp(how, "full")) {
        errno = ENOSPC;
        return writes;
    }
    if (number == at && writes) return 2;
    if (!strcmp(how, "torn")) kill(getpid(), SIGKILL);
    errno = EIO;
    return 1;
}

static void torn(void) {
    const char *text = getenv("RESCIND_FAULT");
    if (text && strstr(text, ":torn")) kill(getpid(), SIGKILL);
}

#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    REAL(pwrite64);
    int what = fault(fd, 1);
    if (what == 1) return -1;
    ssize_t written = real(fd, data, what == 2 ? size / 2 : size, at);
    if (what == 2) torn();
    return written;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    REAL(pwrite);
    int what = fault(fd, 1);
    if (what == 1) return -1;
    ssize_t written = real(fd, data, what == 2 ? size / 2 : size, at);
    if (what == 2) torn();
    return written;
}

ssize_t write(int fd, const void *data, size_t size) {
    REAL(write);
    int what = fault(fd, 1);
    if (what == 1) return -1;
    ssize_t written = real(fd, data, what == 2 ? size / 2 : size);
    if (what == 2) torn();
    return written;
}

int fsync(int fd) {
    REAL(fsync);
    return fault(fd, 0) ? -1 : real(fd);
}

int fdatasync(int fd) {
    REAL(fdatasync);
    return fault(fd, 0) ? -1 : real(fd);
}

int ftruncate(int fd, off_t size) {
    REAL(ftruncate);
    return fault(fd, 0) ? -1 : real(fd, size);
}

int ftruncate64(int fd, off64_t size) {
    REAL(ftruncate64);
    return fault(fd, 0) ? -1 : real(fd, size);
}

static long seconds(const char *ahead) {
    char text[32] = "";
    if (ahead[0] != '/') return atol(ahead);
    int file = open(ahead, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    return length > 0 ? atol(text) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    REAL(clock_gettime);
    int done = real(clock, time);
    const char *ahead = getenv("RESCIND_CLOCK_AHEAD");
    if (done == 0 && clock == CLOCK_REALTIME && ahead) time->tv_sec += seconds(ahead);
    return done;
}

__attribute__((destructor)) static void count(void) {
    const char *name = getenv("RESCIND_FAULT_COUNT");
    FILE *file = name ? fopen(name, "w") : NULL;
    if (!file) return;
    fprintf(file, "%d", atomic_load(&operations));
    fclose(file);
}
