// SPDX-License-Identifier: GPL-2.0-only
/*
 * The program's credentials: user, groups and capabilities.
 *
 * The library's kernel takes it for root, as it has a network of its own.  But
 * a program that begins with rights on the host and gives them up has given
 * them up here, too: what it is on the host is told to the library's kernel
 * after each call that changes it.  Another process's owner looks for itself.
 */
#include <linux/capability.h>

#include <lkl/asm/cred.h>

#include "share.h"

/* It began with rights. */
static bool had_rights;
/* Capabilities that root has not got there, as in a container. */
static unsigned long long missing;

static unsigned long long all_caps(const struct __user_cap_data_struct *data,
				   size_t at)
{
	const uint32_t *low = (void *)((char *)&data[0] + at);
	const uint32_t *high = (void *)((char *)&data[1] + at);

	return *low | (unsigned long long)*high << 32;
}

#define CAPS(data, set)                                                        \
	all_caps(data, offsetof(struct __user_cap_data_struct, set))

static void read_caps(struct __user_cap_data_struct *data)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};

	own_call3(SYS_capget, &head, data, 0);
}

/**
 * cred_init - at the start: does the program have rights?
 */
void cred_init(void)
{
	struct __user_cap_data_struct data[2] = { 0 };

	read_caps(data);
	missing = ~CAPS(data, permitted);
	had_rights = CAPS(data, effective) || !own_call3(SYS_geteuid, 0, 0, 0);
}

bool cred_had_rights(void)
{
	return had_rights;
}

/* Root keeps what it has here only. */
static void add_missing(struct lkl_cred *cred)
{
	if (cred->uid[1])
		return;
	cred->effective |= missing;
	cred->permitted |= missing;
}

static void read_own(struct lkl_cred *cred)
{
	struct __user_cap_data_struct data[2] = { 0 };
	long n;

	*cred = (struct lkl_cred){ 0 };
	own_call3(SYS_getresuid, &cred->uid[0], &cred->uid[1], &cred->uid[2]);
	own_call3(SYS_getresgid, &cred->gid[0], &cred->gid[1], &cred->gid[2]);
	/* They tell, and change nothing. */
	cred->uid[3] = own_call3(SYS_setfsuid, -1, 0, 0);
	cred->gid[3] = own_call3(SYS_setfsgid, -1, 0, 0);
	read_caps(data);
	cred->effective = CAPS(data, effective);
	cred->permitted = CAPS(data, permitted);
	cred->inheritable = CAPS(data, inheritable);
	n = own_call3(SYS_getgroups, LKL_CRED_GROUPS, cred->groups, 0);
	cred->n_groups = n > 0 ? n : 0;
	add_missing(cred);
}

/**
 * cred_tell - tell the library's kernel the thread's credentials
 */
void cred_tell(void)
{
	struct lkl_cred *cred;

	if (!had_rights)
		return;
	if (!lkl_kernel_boots()) {
		share_tell_cred();
		return;
	}
	cred = hijack_thread_buffer();
	if (!cred)
		return;
	read_own(cred);
	lkl_kernel_call(lkl_cred_set, cred);
}

/* setuid(), setgroups(), capset() and so on. */
long cred_call(long nr, const long *a)
{
	long ret;

	family_need(true);
	ret = host_call(nr, a);
	if (ret >= 0) {
		own_follow();
		cred_tell();
	}
	return ret;
}

/*
 * Another process
 */

static const char *find(const char *text, const char *name)
{
	size_t n = strlen(name);

	for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
		if (!strncmp(text, name, n))
			return text + n;
	return NULL;
}

/* Numbers of a line; returns how many. */
static unsigned int numbers(const char *text, const char *name,
			    unsigned int base, unsigned long long *to,
			    unsigned int n)
{
	const char *at = find(text, name);
	unsigned int i = 0, digit;

	while (at && i < n) {
		while (*at == ' ' || *at == '\t')
			at++;
		if (*at == '\n' || !*at)
			break;
		for (to[i] = 0; *at > ' '; at++) {
			digit = *at <= '9' ? *at - '0' : *at - 'a' + 10;
			to[i] = to[i] * base + digit;
		}
		i++;
	}
	return i;
}

#define PROC_PATH 40

/* "/proc/PID" and @name, of @len bytes, without libc; @room has PROC_PATH. */
static char *proc_path(char *room, int pid, const char *name, size_t len)
{
	char *at = room + PROC_PATH - 1 - len;

	memcpy(at, name, len + 1);
	do {
		*--at = '0' + pid % 10;
		pid /= 10;
	} while (pid);
	return memcpy(at - 6, "/proc/", 6);
}

/**
 * cred_same_pids - does another process know processes by the same numbers?
 * @pid: the process
 */
bool cred_same_pids(int pid)
{
	char path[PROC_PATH], theirs[32] = "", ours[32] = "";

	if (pid <= 0)
		return false;
	own_call3(SYS_readlink, proc_path(path, pid, "/ns/pid", 7), theirs,
		  sizeof(theirs) - 1);
	own_call3(SYS_readlink, "/proc/self/ns/pid", ours, sizeof(ours) - 1);
	return *ours && !strcmp(theirs, ours);
}

/* Read /proc/PID/status; false if it is not there to be read. */
static bool read_into(char *to, long size, int pid)
{
	char path[PROC_PATH];
	const char *at = proc_path(path, pid, "/status", 7);
	long fd, len, done = 0;

	fd = own_call3(SYS_open, at, LKL_O_RDONLY | LKL_O_CLOEXEC, 0);
	if (fd < 0)
		return false;
	do {
		len = own_call3(SYS_read, fd, to + done, size - 1 - done);
		done += len > 0 ? len : 0;
	} while (len > 0);
	own_call3(SYS_close, fd, 0, 0);
	to[done] = 0;
	return true;
}

static char status[16384];
static bool read_status(int pid)
{
	return read_into(status, sizeof(status), pid);
}

/**
 * cred_user - whose is another process now?
 * @pid: the process
 *
 * On any thread.
 *
 * Return: the user, by the real number; -1 if that could not be found out
 */
long cred_user(int pid)
{
	unsigned long long n = 0;
	char text[1024];

	return read_into(text, sizeof(text), pid) &&
			       numbers(text, "Uid:", 10, &n, 1) == 1
		       ? (long)n
		       : -1;
}

/**
 * cred_is_of_user - is another process a certain user's?
 * @pid: the process
 * @uid: the user, by the real number
 *
 * On any thread.
 */
bool cred_is_of_user(int pid, unsigned int uid)
{
	return cred_user(pid) == uid;
}

/**
 * cred_lets_signal - may a user send another process signals?
 * @pid: the process
 * @uid: the user, who is not root
 *
 * On any thread.
 */
bool cred_lets_signal(int pid, unsigned int uid)
{
	unsigned long long n[3];
	char text[1024];

	return read_into(text, sizeof(text), pid) &&
	       numbers(text, "Uid:", 10, n, 3) == 3 &&
	       (n[0] == uid || n[2] == uid);
}

/**
 * cred_is_ancestor - is another process an ancestor of this one?
 * @pid: the process
 */
bool cred_is_ancestor(int pid)
{
	unsigned long long parent = own_call3(SYS_getppid, 0, 0, 0);

	while (parent && parent != (unsigned int)pid)
		if (!read_status(parent) ||
		    numbers(status, "PPid:", 10, &parent, 1) != 1)
			return false;
	return parent;
}

/**
 * cred_read - the credentials of another process
 * @pid: the process
 * @cred: is filled in
 *
 * Return: whether that could be found out
 */
bool cred_read(int pid, struct lkl_cred *cred)
{
	static unsigned long long n[LKL_CRED_GROUPS];
	unsigned int i, count;

	if (!read_status(pid))
		return false;
	*cred = (struct lkl_cred){ 0 };
	if (numbers(status, "Uid:", 10, n, 4) != 4)
		return false;
	for (i = 0; i < 4; i++)
		cred->uid[i] = n[i];
	if (numbers(status, "Gid:", 10, n, 4) != 4)
		return false;
	for (i = 0; i < 4; i++)
		cred->gid[i] = n[i];
	count = numbers(status, "Groups:", 10, n, LKL_CRED_GROUPS);
	for (i = 0; i < count; i++)
		cred->groups[i] = n[i];
	cred->n_groups = count;
	if (numbers(status, "CapInh:", 16, &cred->inheritable, 1) != 1 ||
	    numbers(status, "CapPrm:", 16, &cred->permitted, 1) != 1 ||
	    numbers(status, "CapEff:", 16, &cred->effective, 1) != 1)
		return false;
	add_missing(cred);
	return true;
}
