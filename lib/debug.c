// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is the kernel doing?  Ctrl-Z tells.
 */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include <lkl.h>

static void LKL_DOOR print(const char *str, int len)
{
	while (len > 0) {
		ssize_t n = write(STDERR_FILENO, str, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		str += n;
		len -= n;
	}
}

static void on_tstp(int sig, siginfo_t *info, void *ucontext)
{
	int saved = errno;

	(void)sig;
	(void)info;
	lkl_kernel_dump(ucontext, print);
	errno = saved;
}

void lkl_register_dbg_handler(void)
{
	/* The signal does not end calls that are blocked. */
	struct sigaction sa = { .sa_sigaction = on_tstp,
				.sa_flags = SA_SIGINFO | SA_RESTART };

	sigemptyset(&sa.sa_mask);
	sigaction(SIGTSTP, &sa, NULL);
}
