// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel of FLAVOUR=kasan finds the faults that Linux's lkdtm makes on
 * purpose, and what it says is kept where tests/run looks for it.
 */
#include <fcntl.h>
#include <sys/wait.h>

#include "check.h"

#define SAID (64 << 10)

/* What lkdtm calls a fault, and what the kernel says of it. */
static const struct {
	const char *name, *says;
} faults[] = {
	{ "WRITE_AFTER_FREE", "BUG: KASAN: slab-use-after-free" },
	{ "SLAB_LINEAR_OVERFLOW", "BUG: KASAN: slab-out-of-bounds" },
	{ "WRITE_BUDDY_AFTER_FREE", "BUG: KASAN: use-after-free" },
	{ "ARRAY_BOUNDS", "UBSAN: array-index-out-of-bounds" },
};

/* In a program of its own. */
static int provoke(const char *fault)
{
	long fd;

	lkl_host_ops.print = NULL;
	OK(lkl_init(&lkl_host_ops));
	OK(lkl_start_kernel("mem=128M"));
	OK(lkl_sys_mkdir("/debug", 0700));
	if (lkl_sys_mount("none", "/debug", "debugfs", 0, NULL))
		return 77;
	fd = lkl_sys_open("/debug/provoke-crash/DIRECT", LKL_O_WRONLY, 0);
	if (fd < 0)
		return 77;
	EQ(lkl_sys_write(fd, fault, strlen(fault)), (long)strlen(fault));
	EQ(lkl_sys_close(fd), 0);
	halt();
	return 0;
}

/* Returns its exit status, and in @said what its kernel has said. */
static int run(const char *fault, char *said)
{
	char self[4096], preload[4200];
	int status, fd = open("said", O_RDWR | O_CREAT | O_TRUNC, 0600);
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	pid_t pid;

	CHECK(fd >= 0 && n > 0);
	self[n] = 0;
	EQ(ftruncate(fd, SAID), 0);
	snprintf(preload, sizeof(preload), "%s", self);
	strcpy(strrchr(preload, '/'), "/kernel.so");
	setenv("LD_PRELOAD", preload, 1);
	setenv("KERNEL_SAYS", "said", 1);
	pid = fork();
	if (!pid) {
		execl(self, self, "provoke", fault, NULL);
		_exit(127);
	}
	CHECK(pid > 0);
	EQ(waitpid(pid, &status, 0), pid);
	EQ(pread(fd, said, SAID, 0), SAID);
	close(fd);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	static char said[SAID + 1];

	if (argc == 3 && !strcmp(argv[1], "provoke"))
		return provoke(argv[2]);
	for (unsigned int i = 0; i < ARRAY_SIZE(faults); i++) {
		int status = run(faults[i].name, said);

		if (status == 77) {
			puts("skip: this kernel makes no faults on purpose "
			     "(FLAVOUR=kasan)");
			return 77;
		}
		EQ(status, 0);
		if (!strstr(said, faults[i].says))
			FAIL("%s: the kernel says: %s", faults[i].name, said);
		printf("ok %s\n", faults[i].name);
	}
	return 0;
}
