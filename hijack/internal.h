/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the core share. */
#ifndef HIJACK_INTERNAL_H
#define HIJACK_INTERNAL_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>

#include <lkl.h>
#include <lkl/asm/watch.h>

#include "../host/linux/linux.h"
#include "../lib/thread.h"
#include "core.h"
#include "user.h"

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define array_size(a) (sizeof(a) / sizeof(*(a)))

/* A system call, as the program made it. */
typedef long hijack_call(long nr, const long *a);

/*
 * Descriptors (table.c, fd.c, fd-call.c).  A descriptor's word says which
 * kernel has it; 0 is the host's.
 */
#define FD_MAX (1 << 20)

#define FD_LKL                                                                 \
	0x80000000 /* the library's; the low bits are its number there         \
		    */
#define FD_EPOLL                                                               \
	0x40000000 /* an epoll of the host, with a shadow: its index           \
		    */
#define FD_OWN 0x20000000 /* ours; the program does not know that it exists */
#define FD_OPEN                                                                \
	0x10000000 /* FD_LKL: the number is also a socket of the host          \
		    */
#define FD_ROUTE 0x08000000 /* FD_LKL: a socket of NETLINK_ROUTE */
/* One that a call has taken and will fill: no other call knows it yet. */
#define FD_RESERVED (FD_OWN | FD_OPEN)
#define FD_NUMBER 0x07ffffff

extern uint32_t hijack_fds[FD_MAX];

/* The word of a descriptor that a program gave us. */
static inline uint32_t fd_word(long fd)
{
	unsigned int n = fd;

	return likely(n < FD_MAX)
		       ? __atomic_load_n(&hijack_fds[n], __ATOMIC_ACQUIRE)
		       : 0;
}

static inline bool fd_is_lkl(long fd)
{
	return fd_word(fd) & FD_LKL;
}

static inline long fd_number(uint32_t word)
{
	return word & FD_NUMBER;
}

int table_init(void);
int fd_init(void);
int fd_reserve(void);
void fd_own_opened(void);
void fd_disown(void);
int fd_last(void);
void fd_close_own(bool (*is_mine)(long fd));
long fd_install(long kfd, bool cloexec);
long fd_reserve_number(bool cloexec);
void fd_hold(long fd);
long fd_fill(long fd, long kfd);
void fd_set_word(long fd, uint32_t word);
void fd_decide(long fd, bool host);
int fd_next_open(int fd);
void fd_forked(void);
long fd_own(long fd);
void fd_forget(long fd);
uint32_t fd_take_word(long fd);
int fd_next(int fd);
int fd_owner_pid(void);
void fd_expect_socket(void);
void fd_close_all(void);
bool fd_has_mapped(void);
void fd_change_epolls(uint32_t (*change)(uint32_t word));

hijack_call fd_call, fd_close, fd_close_range, fd_dup, fd_dup2, fd_dup3,
	fd_fcntl, fd_mmap, fd_memory;

/* Descriptors of our own (numbers.c), and signals about descriptors (async.c)
 */
void numbers_forked(void);
int numbers_first(void);
int numbers_shared(void);
bool numbers_is_sandboxed(void);
void numbers_sandboxed(void);
long numbers_placeholder(bool cloexec);
hijack_call numbers_limit;
long async_owner(long kfd, long cmd, long arg);
long async_ioctl(long kfd, unsigned int cmd, long arg);
void async_arm(long kfd, long fd);

/* Sockets (socket.c) */
int socket_init(void);
long socket_adopt(long kfd);
hijack_call socket_socket, socket_accept, socket_bind, socket_connect,
	socket_listen, socket_sendto, socket_sendmsg, socket_sendmmsg,
	socket_setsockopt, socket_ioctl;

/* Messages to rtnetlink (netlink.c) */
long netlink_send(long nr, const long *a);

/* Sockets that are passed on (parcel.c) */
hijack_call parcel_recvmsg, parcel_recvmmsg;

/* Which stack a socket belongs to (policy.c) */
enum policy_way { POLICY_LISTEN, POLICY_CONNECT };
int policy_parse(const char *rules);
bool policy_exists(void);
bool policy_is_host(enum policy_way way, int type, const void *addr,
		    unsigned long len);

/* Sockets of both sides (decide.c) */
void decide_side(long fd, bool host);
long decide_call(long nr, const long *a, enum policy_way way, long user,
		 unsigned long len);

/* The program's filters for system calls (filter.c) */
hijack_call filter_call;
long filter_give(char *text);
bool filter_is_variable(const char *string);
int filter_adopt(void);
#define FILTER_TEXT 64

/* Whose a call is, by calls.tbl (core.c) */
enum call_whose {
	WHOSE_host,
	WHOSE_library,
	WHOSE_descriptor,
	WHOSE_path,
	WHOSE_either,
	WHOSE_here,
	WHOSE_refused,
};

enum call_whose hijack_whose(long nr);

/* Requests to files (aio.c, aio-request.c) */
hijack_call aio_submit, aio_getevents, aio_destroy;
void aio_leave(void);
void aio_forked(void);

/* Copying between descriptors (copy.c) */
hijack_call copy_sendfile, copy_splice, copy_tee, copy_range;
void copy_forget(void);

struct share;
struct filter;

/* Waiting (wait.c, poll.c, select.c, epoll*.c) */
hijack_call wait_poll, wait_ppoll, wait_select, wait_pselect, wait_epoll_create,
	wait_epoll_ctl, wait_epoll_wait, wait_epoll_pwait, wait_epoll_pwait2;
void wait_epoll_get(uint32_t word);
void wait_epoll_put(uint32_t word);
void wait_thread_exit(void);
void wait_epoll_exit(void);
/* A socket in an epoll's set, on its way from one side to the other. */
struct epoll_entry {
	struct epoll *epoll;
	int fd;
	uint32_t events;
	uint64_t data;
};

unsigned int wait_epoll_withdraw(long fd, struct epoll_entry *entries,
				 unsigned int room);
void wait_epoll_enter(const struct epoll_entry *entry);
void wait_fork(void);
void wait_forked(struct share *old);
bool wait_uses(long fd);
bool wait_has_shadows(void);
bool wait_is_forked(uint32_t word);

/* The library's own threads, and their credentials (own.c) */
void own_threads_init(void);
void own_follow(void);
bool own_is_thread(long tid);
bool own_is_single(void);
hijack_call own_tgkill;

/* Files (path.c), and the directory that the program is in (cwd.c, chdir.c) */
void path_init(bool resolv_conf);
int path_mount(void);
hijack_call path_open, path_call, cwd_chdir, cwd_fchdir, cwd_getcwd;
hijack_call mounts_names, mounts_host, mounts_mount, mounts_umount;

/* Forked processes (child.c), and the process that serves them (owner.c) */
long share_call(long nr, const long *a);
long share_any(long nr, const long *a);
bool share_is_alone(void);
void share_bye(void);
long share_control(void);
void share_linger(void);
long share_watch(long (*fn)(void *), struct lkl_watch *watch);
int share_process(void);
long share_give_bell(int index);
void share_name_socket(long kfd, long fd);
long share_async(long kfd, long cmd, long arg);
bool share_reach(void);
void share_thread_exit(void);
void share_prepare(void);
bool heir_undecided(long nr, const long *a);
void heir_end(void);
void share_leave(void);
long share_adopt(void);
void share_tell_cred(void);
void exec_init(const char *family);

/* Processes of one launcher (family.c), and the one that has their kernel
 * (admit.c) */
struct lkl_config;
const char *family_init(const struct lkl_config *settings, bool *relative);
bool family_take(long *listener);
void family_need(bool wires);
hijack_call family_chroot, family_wait;
void admit_begin(long fd);
bool admit_end(bool forked);
void admit_close(void);
bool vfork_is_child(void);
uint32_t vfork_word(unsigned int fd);

/* Network namespaces (netns.c) */
hijack_call netns_unshare, netns_setns;
void netns_set_away(void);
long netns_begin(void);
long netns_open(long pid);
void netns_thread_exit(void);

/* The program's credentials (cred.c) */
struct lkl_cred;
void cred_init(void);
void cred_tell(void);
bool cred_read(int pid, struct lkl_cred *cred);
bool cred_is_ancestor(int pid);
bool cred_same_pids(int pid);
bool cred_is_of_user(int pid, unsigned int uid);
bool cred_lets_signal(int pid, unsigned int uid);
long cred_user(int pid);
bool cred_had_rights(void);
hijack_call cred_call;

/* Descriptors from @first to @last stand for @word (vfork.c). */
struct vfork_note {
	unsigned int first, last;
	uint32_t word;
};

#define VFORK_NOTES 64

/**
 * struct hijack_thread - what the core knows of a thread of the program
 *
 * @other: one of the next three
 * @own: it runs the library's own code, whose calls are the host's
 * @vforks: it has made a process that has its memory, and sleeps until that
 *	executes a program; or is that process
 * @begins: it has yet to go to @netns
 * @elsewhere: it is not in the network namespace in which new threads of the
 *	process begin
 * @fork_new: the process that it makes next gets a new network namespace,
 * @netns: a namespace of the kernel's
 * @fork_netns: that, if the kernel is here
 * @watch: what poll() waits for; starting another one ends it, as the sleeper
 *	is a function that a signal handler has interrupted, or left for good
 * @watching: @watch is in use
 * @eventfd: what wakes poll(), + 1
 * @sleep: the epoll_wait() that sleeps, by an address on the stack; as with
 *	@watch, another one ends it
 * @sleeps_in: where it does
 * @buffer: COPY_SIZE bytes, or NULL
 * @peek: an empty pipe, or 0
 * @link: in a forked process, what carries its calls
 * @busy: such a call is being made, or the thread listens for the library
 * @fork_process: number that the process will have that it forks
 * @fork_control: its end of the socket
 * @fork_area: descriptor of its area
 * @fork_kernel: the kernel is here
 * @filter: the newest of its filters for system calls, or NULL
 * @filter_fd: a program is being executed: file of its filters, or -1
 * @notes: number of
 * @note: what a process that has the thread's memory did to its descriptors
 */
struct hijack_thread {
	union {
		uint32_t other;
		struct {
			bool own, vforks, begins, undecided;
		};
	};
	bool elsewhere, fork_new;
	void *netns, *fork_netns;
	struct lkl_watch watch;
	int watching;
	int eventfd;
	void *sleep;
	struct epoll *sleeps_in;
	void *buffer;
	int peek[2];
	struct share_link *link;
	bool busy;
	int fork_process;
	long fork_control, fork_area;
	unsigned int fork_kernel;
	const struct filter *filter;
	int filter_fd;
	int notes;
	struct vfork_note note[VFORK_NOTES];
};

#define COPY_SIZE (128 * 1024)

extern __thread struct hijack_thread hijack_this_thread
	__attribute__((tls_model("initial-exec")));

struct hijack_thread *hijack_thread(void);
void *hijack_thread_buffer(void);

/* The command that runs. */
extern const char *hijack_name;

/* A line on standard error; formats are those of the caller's. */
void hijack_say(const char *what, const char *why);

#define host0(nr) host_syscall(nr, 0, 0, 0, 0, 0, 0)
#define host1(nr, a) host_syscall(nr, (long)(a), 0, 0, 0, 0, 0)
#define host2(nr, a, b) host_syscall(nr, (long)(a), (long)(b), 0, 0, 0, 0)
#define host3(nr, a, b, c)                                                     \
	host_syscall(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define host4(nr, a, b, c, d)                                                  \
	host_syscall(nr, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define host6(nr, a, b, c, d, e, f)                                            \
	host_syscall(nr, (long)(a), (long)(b), (long)(c), (long)(d),           \
		     (long)(e), (long)(f))

/*
 * A call of our own.  host_syscall() may leave a call to be made again by the
 * program, when a signal is pending; this one is made.
 */
#define own_call3(nr, a, b, c)                                                 \
	raw_syscall(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)

#define own_call6(nr, a, b, c, d, e, f)                                        \
	raw_syscall(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), \
		    (long)(f))

#define own_call4(nr, a, b, c, d)                                              \
	raw_syscall(nr, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)

static inline long host_call(long nr, const long *a)
{
	return host_syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* The begin and the end of the kernel (state.c, boot.c, exit.c) */
bool hijack_change_state(int from);
void hijack_set_state(int state);
/* End a process that has a kernel and runs no program (boot.c). */
extern void (*hijack_end)(void);
void exit_linger(void);
hijack_call exit_thread, boot_exit_group;

extern int hijack_state;
/*
 * The program may be in another network namespace than the kernel's first: then
 * no other kernel can take the place of this one.
 */
extern bool hijack_away;
enum { HIJACK_DOWN, HIJACK_CHANGING, HIJACK_UP };

static inline int hijack_need(void)
{
	return likely(__atomic_load_n(&hijack_state, __ATOMIC_ACQUIRE) ==
		      HIJACK_UP)
		       ? 0
		       : hijack_boot();
}

/* A call of the library's kernel. */
static inline long lkl6(long nr, long a, long b, long c, long d, long e, long f)
{
	long p[6] = { a, b, c, d, e, f };
	long ret = lkl_syscall(nr, p);

	return unlikely(ret == -ENOSYS) && !lkl_kernel_boots()
		       ? share_call(nr, p)
		       : ret;
}

/*
 * A call that names no descriptor of the library's kernel and so needs any
 * kernel: it is booted if it is down, also if that happens meanwhile.
 */
static inline long lkl_any(long nr, long a, long b, long c, long d, long e)
{
	long p[6] = { a, b, c, d, e };
	long ret;

	do {
		ret = hijack_need();
		if (unlikely(ret))
			return ret;
		ret = lkl_syscall(nr, p);
		if (unlikely(ret == -ENOSYS) && !lkl_kernel_boots() &&
		    __atomic_load_n(&hijack_state, __ATOMIC_ACQUIRE) ==
			    HIJACK_UP)
			ret = share_any(nr, p);
	} while (unlikely(ret == -ENOSYS || ret == -ESHUTDOWN) &&
		 __atomic_load_n(&hijack_state, __ATOMIC_ACQUIRE) != HIJACK_UP);
	return ret;
}

#define lkl1(nr, a) lkl6(nr, (long)(a), 0, 0, 0, 0, 0)
#define lkl2(nr, a, b) lkl6(nr, (long)(a), (long)(b), 0, 0, 0, 0)
#define lkl3(nr, a, b, c) lkl6(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define lkl4(nr, a, b, c, d)                                                   \
	lkl6(nr, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)

#endif /* HIJACK_INTERNAL_H */
