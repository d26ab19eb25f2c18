// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tools ask of Windows beside files: memory, sleep, Ctrl-C, and some
 * functions of POSIX.
 */
#include <errno.h>
#include <io.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <windows.h>

#include "../common/stream_host.h"
#include "../common/tool.h"

#define STEP 0x10000

/* Memory that is provided as it is used: by a handler of access violations. */
static struct lazy {
	char *start;
	size_t size;
} lazy[64];

static LONG WINAPI on_exception(EXCEPTION_POINTERS *info)
{
	const EXCEPTION_RECORD *record = info->ExceptionRecord;
	char *addr;

	if (record->ExceptionCode != EXCEPTION_ACCESS_VIOLATION ||
	    record->NumberParameters < 2)
		return EXCEPTION_CONTINUE_SEARCH;
	addr = (char *)record->ExceptionInformation[1];
	for (size_t i = 0; i < sizeof(lazy) / sizeof(*lazy); i++) {
		size_t off = addr - lazy[i].start;

		if (off >= lazy[i].size)
			continue;
		off = off / STEP * STEP;
		if (VirtualAlloc(lazy[i].start + off,
				 lazy[i].size - off < STEP ? lazy[i].size - off
							   : STEP,
				 MEM_COMMIT, PAGE_READWRITE))
			return EXCEPTION_CONTINUE_EXECUTION;
	}
	return EXCEPTION_CONTINUE_SEARCH;
}

static void *reserve(size_t size)
{
	static bool handled;

	for (size_t i = 0; i < sizeof(lazy) / sizeof(*lazy); i++) {
		if (lazy[i].start)
			continue;
		lazy[i].start =
			VirtualAlloc(NULL, size, MEM_RESERVE, PAGE_READWRITE);
		lazy[i].size = lazy[i].start ? size : 0;
		if (!handled)
			AddVectoredExceptionHandler(1, on_exception);
		handled = true;
		return lazy[i].start;
	}
	return NULL;
}

void *mmap(void *addr, size_t size, int prot, int flags, int fd, long long pos)
{
	void *p;

	(void)addr;
	(void)prot;
	(void)fd;
	(void)pos;
	p = flags & MAP_NORESERVE
		    ? reserve(size)
		    : VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT,
				   PAGE_READWRITE);
	return p ? p : MAP_FAILED;
}

int munmap(void *addr, size_t size)
{
	(void)size;
	for (size_t i = 0; i < sizeof(lazy) / sizeof(*lazy); i++)
		if (lazy[i].start == addr)
			lazy[i] = (struct lazy){ 0 };
	return VirtualFree(addr, 0, MEM_RELEASE) ? 0 : -1;
}

void *stream_memory(size_t size, bool shared)
{
	(void)shared;
	return VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT,
			    PAGE_READWRITE);
}

void stream_free_memory(void *memory, size_t size)
{
	(void)size;
	if (memory)
		VirtualFree(memory, 0, MEM_RELEASE);
}

void stream_sleep(_Atomic uint32_t *word, unsigned int ms)
{
	uint32_t one = 1;

	WaitOnAddress((void *)word, &one, sizeof(one), ms ? ms : INFINITE);
}

void stream_wake(_Atomic uint32_t *word)
{
	WakeByAddressSingle((void *)word);
}

ssize_t pread(int fd, void *buf, size_t size, off_t pos)
{
	OVERLAPPED at = { .Offset = (DWORD)pos, .OffsetHigh = pos >> 32 };
	DWORD n = 0;

	if (GetFileType((HANDLE)_get_osfhandle(fd)) == FILE_TYPE_PIPE) {
		errno = ESPIPE;
		return -1;
	}
	if (!ReadFile((HANDLE)_get_osfhandle(fd), buf, size, &n, &at) &&
	    GetLastError() != ERROR_HANDLE_EOF) {
		errno = EIO;
		return -1;
	}
	return n;
}

char *strndup(const char *text, size_t max)
{
	size_t len = strnlen(text, max);
	char *copy = malloc(len + 1);

	if (!copy)
		return NULL;
	memcpy(copy, text, len);
	copy[len] = 0;
	return copy;
}

char *stpcpy(char *to, const char *text)
{
	size_t len = strlen(text);

	memcpy(to, text, len + 1);
	return to + len;
}

volatile sig_atomic_t tool_signal;

/* In a thread of its own; the copy loops look at it. */
static BOOL WINAPI on_event(DWORD event)
{
	tool_signal = event == CTRL_C_EVENT ? SIGINT : SIGTERM;
	return TRUE;
}

void tool_init(const char *argv0)
{
	tool_name = argv0;
	SetConsoleCtrlHandler(on_event, TRUE);
}

void tool_mortal(void)
{
	SetConsoleCtrlHandler(on_event, FALSE);
	if (tool_signal)
		exit(128 + tool_signal);
}

/* Nothing is prepared for that. */
void tool_wait_begin(void)
{
}

/* Ctrl-C is seen when there is something. */
bool tool_wait_input(int fd)
{
	(void)fd;
	return !tool_signal;
}

/* As a shell tells it of a program that a signal has ended. */
void tool_exit(int code)
{
	exit(tool_signal ? 128 + tool_signal : code);
}
