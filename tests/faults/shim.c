// Loaded before a program (LD_PRELOAD), it makes the program's N-th allocation or call of the system fail, or
// something happen at it: a signal, an input cut short. Of a program it makes a server that forks, so that
// every run begins behind the loading of libraries: what these allocate before main() is not the program's.
//
// FAULTS_SERVER=IN,OUT: numbers of two pipes. A line of IN is one run:
//
//     AT NTH ACTION ARGUMENT SECONDS
//
// AT       alloc, open, read, write, sync, close, rename, map or truncate: the calls that are counted; of
//          those on files, only those on regular files of the file system of the working folder
// NTH      of them, from 1; 0: none
// ACTION   fail: it fails with the errno ARGUMENT; fail_on: it does, and all after it; short: from it on all
//          transfer at most ARGUMENT bytes; again: every other one fails with EINTR; signal: the process gets
//          the signal ARGUMENT before it; cut: the file FAULTS_FILE is cut to ARGUMENT bytes before it
// SECONDS  after which the run is killed by SIGALRM
//
// With FAULTS_NAMED set the program finds a file system that knows no files without a name.
//
// The answer is a line: the status as of wait(), how many such calls there were, and the milliseconds from the
// N-th to the end, -1 where it was not reached.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum at { at_alloc, at_open, at_read, at_write, at_sync, at_close, at_rename, at_map, at_truncate, at_count };
static const char *const at_names[at_count] = {"alloc", "open",   "read", "write",   "sync",
                                               "close", "rename", "map",  "truncate"};

enum action { fail, fail_on, shorten, again, send_signal, cut, action_count };
static const char *const action_names[action_count] = {"fail", "fail_on", "short", "again", "signal", "cut"};

struct shared {
    atomic_long calls;
    atomic_llong reached;  ///< nanoseconds; 0: not yet
};

static struct {
    atomic_bool armed;
    enum at at;
    long nth;
    enum action action;
    long argument;
    dev_t device;
    const char *file;
    bool named;
    struct shared *shared;
} fault;

static long long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/// Counts a call; whether it is to fail, with errno set. `limit`, where given, is lowered to what may be
/// transferred.
static bool struck(enum at at, size_t *limit) {
    if (!atomic_load_explicit(&fault.armed, memory_order_acquire) || at != fault.at) return false;
    const long call = atomic_fetch_add(&fault.shared->calls, 1) + 1;
    if (fault.nth == 0 || call < fault.nth) return false;
    long long unset = 0;
    atomic_compare_exchange_strong(&fault.shared->reached, &unset, now());
    const int before = errno;
    switch (fault.action) {
        case fail:
            if (call > fault.nth) return false;
            errno = (int)fault.argument;
            return true;
        case fail_on: errno = (int)fault.argument; return true;
        case shorten:
            if (limit && *limit > (size_t)fault.argument) *limit = (size_t)fault.argument;
            return false;
        case again:
            if ((call - fault.nth) % 2 == 1) return false;
            errno = EINTR;
            return true;
        case send_signal:
            if (call == fault.nth) kill(getpid(), (int)fault.argument);
            break;
        case cut:
            if (call == fault.nth && truncate(fault.file, fault.argument) != 0) _exit(99);
            break;
        default: break;
    }
    errno = before;
    return false;
}

static bool counted(int descriptor) {
    if (descriptor <= STDERR_FILENO) return false;
    if (!atomic_load_explicit(&fault.armed, memory_order_acquire) || fault.at == at_alloc) return false;
    const int before = errno;
    struct stat info;
    const bool is = fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode) && info.st_dev == fault.device;
    errno = before;
    return is;
}

// ---- allocations

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

void *malloc(size_t size) {
    if (!struck(at_alloc, NULL)) return __libc_malloc(size);
    errno = ENOMEM;
    return NULL;
}
void *calloc(size_t count, size_t size) {
    if (!struck(at_alloc, NULL)) return __libc_calloc(count, size);
    errno = ENOMEM;
    return NULL;
}
void *realloc(void *block, size_t size) {
    if (!struck(at_alloc, NULL)) return __libc_realloc(block, size);
    errno = ENOMEM;
    return NULL;
}
void *memalign(size_t alignment, size_t size) {
    if (!struck(at_alloc, NULL)) return __libc_memalign(alignment, size);
    errno = ENOMEM;
    return NULL;
}
void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void **block, size_t alignment, size_t size) {
    void *const got = memalign(alignment, size);
    if (!got) return ENOMEM;
    *block = got;
    return 0;
}

// ---- files

/// The function that this one stands before.
#define NEXT(name) ((__typeof__(&name))next(#name))

static void *next(const char *name) {
    void *const found = dlsym(RTLD_NEXT, name);
    if (!found) abort();
    return found;
}

static bool opens_of_ours(const char *path, int folder) {
    struct stat info;
    const int before = errno;
    char parent[4096];
    const char *const slash = strrchr(path, '/');
    if (slash) {
        snprintf(parent, sizeof parent, "%.*s", (int)(slash - path), path);
        path = parent;
    } else {
        path = ".";
    }
    const bool is = atomic_load(&fault.armed) && fstatat(folder, *path ? path : "/", &info, 0) == 0 &&
                    info.st_dev == fault.device;
    errno = before;
    return is;
}

#define OPEN(name)                                                                        \
    int name(const char *path, int flags, ...) {                                          \
        va_list more;                                                                     \
        va_start(more, flags);                                                            \
        const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;     \
        va_end(more);                                                                     \
        if (fault.at == at_open && opens_of_ours(path, AT_FDCWD) && struck(at_open, NULL)) \
            return -1;                                                                    \
        return NEXT(name)(path, flags, mode);                                             \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                    \
    int name(int folder, const char *path, int flags, ...) {                            \
        if (fault.named && (flags & O_TMPFILE) == O_TMPFILE) {                          \
            errno = EOPNOTSUPP;                                                         \
            return -1;                                                                  \
        }                                                                               \
        va_list more;                                                                   \
        va_start(more, flags);                                                          \
        const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;   \
        va_end(more);                                                                   \
        if (fault.at == at_open && opens_of_ours(path, folder) && struck(at_open, NULL)) \
            return -1;                                                                  \
        return NEXT(name)(folder, path, flags, mode);                                   \
    }
OPENAT(openat)
OPENAT(openat64)

ssize_t read(int file, void *bytes, size_t size) {
    if (counted(file) && struck(at_read, &size)) return -1;
    return NEXT(read)(file, bytes, size);
}
ssize_t pread(int file, void *bytes, size_t size, off_t place) {
    if (counted(file) && struck(at_read, &size)) return -1;
    return NEXT(pread)(file, bytes, size, place);
}
ssize_t pread64(int file, void *bytes, size_t size, off64_t place) {
    if (counted(file) && struck(at_read, &size)) return -1;
    return NEXT(pread64)(file, bytes, size, place);
}
ssize_t write(int file, const void *bytes, size_t size) {
    if (counted(file) && struck(at_write, &size)) return -1;
    return NEXT(write)(file, bytes, size);
}
ssize_t pwrite(int file, const void *bytes, size_t size, off_t place) {
    if (counted(file) && struck(at_write, &size)) return -1;
    return NEXT(pwrite)(file, bytes, size, place);
}
ssize_t pwrite64(int file, const void *bytes, size_t size, off64_t place) {
    if (counted(file) && struck(at_write, &size)) return -1;
    return NEXT(pwrite64)(file, bytes, size, place);
}
int fsync(int file) {
    if (counted(file) && struck(at_sync, NULL)) return -1;
    return NEXT(fsync)(file);
}
int fdatasync(int file) {
    if (counted(file) && struck(at_sync, NULL)) return -1;
    return NEXT(fdatasync)(file);
}
int close(int file) {
    const bool fails = counted(file) && struck(at_close, NULL);
    const int reason = errno;
    const int code = NEXT(close)(file);  // it is closed whatever is said of it
    if (!fails) return code;
    errno = reason;
    return -1;
}
int rename(const char *from, const char *to) {
    if (opens_of_ours(from, AT_FDCWD) && struck(at_rename, NULL)) return -1;
    return NEXT(rename)(from, to);
}
int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    if (opens_of_ours(from, from_folder) && struck(at_rename, NULL)) return -1;
    return NEXT(renameat)(from_folder, from, to_folder, to);
}
int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned int flags) {
    if (opens_of_ours(from, from_folder) && struck(at_rename, NULL)) return -1;
    return NEXT(renameat2)(from_folder, from, to_folder, to, flags);
}
int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    if (opens_of_ours(from, from_folder) && struck(at_rename, NULL)) return -1;
    return NEXT(linkat)(from_folder, from, to_folder, to, flags);
}
void *mmap(void *address, size_t size, int protection, int flags, int file, off_t place) {
    if (file >= 0 && counted(file) && struck(at_map, NULL)) return MAP_FAILED;
    return NEXT(mmap)(address, size, protection, flags, file, place);
}
int ftruncate(int file, off_t size) {
    if (counted(file) && struck(at_truncate, NULL)) return -1;
    return NEXT(ftruncate)(file, size);
}
int ftruncate64(int file, off64_t size) {
    if (counted(file) && struck(at_truncate, NULL)) return -1;
    return NEXT(ftruncate64)(file, size);
}

// ---- the server

static int (*program_main)(int, char **, char **);

static int index_of(const char *name, const char *const *names, int count) {
    for (int i = 0; i < count; ++i) {
        if (strcmp(names[i], name) == 0) return i;
    }
    dprintf(STDERR_FILENO, "faults: no such thing: %s\n", name);
    _exit(98);
}

static int run_once(int argc, char **argv, char **environment) {
    atomic_store_explicit(&fault.armed, fault.nth >= 0, memory_order_release);
    const int code = program_main(argc, argv, environment);
    // What libraries free or write at the exit is not looked at.
    atomic_store_explicit(&fault.armed, false, memory_order_release);
    return code;
}

static int serve(int argc, char **argv, char **environment) {
    int in = -1;
    int out = -1;
    const char *const pipes = getenv("FAULTS_SERVER");
    if (!pipes || sscanf(pipes, "%d,%d", &in, &out) != 2) return program_main(argc, argv, environment);
    struct stat info;
    stat(".", &info);
    fault.device = info.st_dev;
    fault.file = getenv("FAULTS_FILE");
    fault.named = getenv("FAULTS_NAMED") != NULL;
    fault.shared = NEXT(mmap)(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                              -1, 0);
    // Looked up before anything may fail.
    (void)NEXT(read), (void)NEXT(write), (void)NEXT(close);
    FILE *const requests = fdopen(in, "r");
    char at[16];
    char action[16];
    unsigned seconds = 0;
    while (fscanf(requests, "%15s %ld %15s %ld %u", at, &fault.nth, action, &fault.argument, &seconds) == 5) {
        fault.at = (enum at)index_of(at, at_names, at_count);
        fault.action = (enum action)index_of(action, action_names, action_count);
        atomic_store(&fault.shared->calls, 0);
        atomic_store(&fault.shared->reached, 0);
        const pid_t child = fork();
        if (child == 0) {
            NEXT(close)(in);
            NEXT(close)(out);
            // Each run begins at the begin of the files that take its output.
            for (int stream = STDOUT_FILENO; stream <= STDERR_FILENO; ++stream) {
                if (NEXT(ftruncate)(stream, 0) == 0) lseek(stream, 0, SEEK_SET);
            }
            alarm(seconds);
            return run_once(argc, argv, environment);
        }
        int status = 0;
        while (waitpid(child, &status, 0) == -1 && errno == EINTR) {
        }
        const long long reached = atomic_load(&fault.shared->reached);
        dprintf(out, "%d %ld %lld\n", status, atomic_load(&fault.shared->calls),
                reached == 0 ? -1 : (now() - reached) / 1000000);
    }
    return 0;
}

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*loader_fini)(void), void *stack_end) {
    program_main = main;
    return NEXT(__libc_start_main)(serve, argc, argv, init, fini, loader_fini, stack_end);
}
