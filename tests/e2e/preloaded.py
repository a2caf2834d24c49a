"""A system that lies to one process: a few lines of C between it and its C library, steered through a small file.

The test machine stays as it is, and nothing has to be installed but a C compiler.
"""

import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCE = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* What the test says: by how many seconds the wall clock is off, and whether files can be written. */
struct told { int64_t offset; int64_t read_only; };
static volatile struct told *told;

__attribute__((constructor)) static void begin(void) {
    int file = open(getenv("TOLD"), O_RDONLY | O_CLOEXEC);
    void *found = mmap(0, sizeof *told, PROT_READ, MAP_SHARED, file, 0);
    if (found == MAP_FAILED) abort();
    told = found;
    close(file);
}

int clock_gettime(clockid_t clock, struct timespec *at) {
    int code = syscall(SYS_clock_gettime, clock, at);
    if (code == 0 && told && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) at->tv_sec += told->offset;
    return code;
}

int gettimeofday(struct timeval *at, void *zone) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}

static ssize_t refuse(void) { errno = EROFS; return -1; }

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at) {
    return told && told->read_only ? refuse() : syscall(SYS_pwrite64, file, bytes, count, at);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) { return pwrite64(file, bytes, count, at); }
int ftruncate64(int file, off64_t size) { return told && told->read_only ? refuse() : syscall(SYS_ftruncate, file, size); }
int ftruncate(int file, off_t size) { return ftruncate64(file, size); }
"""


@dataclass
class Preloaded:
    """What a process that is started within `for_children` believes of its system; it can be told otherwise at any time."""

    library: Path
    told: Path

    def tell(self, *, offset: int = 0, read_only: bool = False) -> None:
        """By how many seconds the wall clock is off from now on (no other clock is), and whether files can be written at an offset."""
        with self.told.open("r+b") as file:
            file.write(struct.pack("=qq", offset, read_only))

    @contextmanager
    def for_children(self) -> Iterator[None]:
        """Processes that are started here believe it."""
        names = {"LD_PRELOAD": str(self.library), "TOLD": str(self.told)}
        before = {name: os.environ.get(name) for name in names}
        os.environ |= names
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def preloaded(folder: Path) -> Preloaded:
    """Compile it; a machine without a C compiler, or where no library is put before others, leaves the test out."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None or os.uname().sysname != "Linux":
        pytest.skip("needs Linux and a C compiler")
    source, made = folder / "preloaded.c", Preloaded(folder / "preloaded.so", folder / "told")
    source.write_text(SOURCE)
    made.told.write_bytes(struct.pack("=qq", 0, 0))
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(made.library), str(source)], check=True)
    return made
