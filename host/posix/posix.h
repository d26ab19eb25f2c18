/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LKL_POSIX_H
#define LKL_POSIX_H

/* Put the kernel before whoever handles SIGSEGV and SIGBUS; 0 or -errno. */
int posix_faults_install(void);

/* Give the handlers back. */
void posix_faults_remove(void);

#endif /* LKL_POSIX_H */
