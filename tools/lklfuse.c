// SPDX-License-Identifier: GPL-2.0-only
/*
 * lklfuse - mount a file system image with FUSE
 *
 * This is the command line and the supervisor; lklfuse/lklfuse.h tells who does
 * what.  The supervisor
 *
 *	opens the image, starts the server and, when that has mounted the image
 *	in the library's kernel, mounts it for everybody and hands /dev/fuse
 *over;
 *
 *	prints what the server has to say, or once it is a daemon sends it to
 *the system's log;
 *
 *	on SIGTERM, SIGINT or SIGHUP unmounts, whereupon the server finishes;
 *
 *	unmounts when the server has ended on its own, and says so if the image
 *	was not unmounted cleanly.
 *
 * The other way around, the server unmounts the image when the supervisor dies.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "common/luks.h"
#include "common/tool.h"
#include "lklfuse/lklfuse.h"

/* Longest wait for a server that is to be stopped, while others write. */
#define DRAIN_MS 5000

/*
 * What the command line says, as fuse_opt_parse() stores it.
 *
 * @img: takes the other disks
 * @shared: others than the mounting user have access
 * @permissions: default_permissions
 */
struct options {
	struct image *img;
	char *image;
	char *type;
	char *part;
	char *lv;
	char *keyfile;
	char *mb;
	char *opts;
	char *log;
	char *lock;
	char *uid;
	char *gid;
	char *uidmap;
	char *gidmap;
	char *attach;
	int readonly;
	int shared;
	int permissions;
	int sandbox;
	int passphrase;
};

enum { KEY_DISK, KEY_READONLY, KEY_SHARED, KEY_PERMISSIONS };

#define OPTION(text, member)                                                   \
	{                                                                      \
		text, offsetof(struct options, member), 1                      \
	}
#define NO_OPTION(text, member)                                                \
	{                                                                      \
		text, offsetof(struct options, member), 0                      \
	}

static const struct fuse_opt specs[] = {
	OPTION("type=%s", type),
	OPTION("part=%s", part),
	OPTION("lv=%s", lv),
	OPTION("keyfile=%s", keyfile),
	OPTION("passphrase", passphrase),
	OPTION("mb=%s", mb),
	OPTION("opts=%s", opts),
	OPTION("log=%s", log),
	OPTION("lock=%s", lock),
	OPTION("uid=%s", uid),
	OPTION("gid=%s", gid),
	OPTION("uidmap=%s", uidmap),
	OPTION("gidmap=%s", gidmap),
	OPTION("--attach=%s", attach),
	FUSE_OPT_KEY("disk=", KEY_DISK),
	OPTION("sandbox", sandbox),
	OPTION("--sandbox", sandbox),
	NO_OPTION("nosandbox", sandbox),
	NO_OPTION("--no-sandbox", sandbox),
	/* libfuse's own, of which we want to know */
	FUSE_OPT_KEY("ro", KEY_READONLY),
	FUSE_OPT_KEY("allow_other", KEY_SHARED),
	FUSE_OPT_KEY("allow_root", KEY_SHARED),
	FUSE_OPT_KEY("default_permissions", KEY_PERMISSIONS),
	FUSE_OPT_END,
};

/*
 * @control: socket to the server, or -1 when it has nothing more to ask for
 * @messages: what the server prints
 * @signals: signals to this process
 * @front: pipe to the process on the terminal when this one is a daemon
 * @daemon: messages go to the system's log
 * @mounted: the mount point is ours
 * @stopping: a signal has asked for the end
 */
struct supervisor {
	struct lklfuse *lf;
	const struct fuse_cmdline_opts *fuse;
	struct fuse_args args;
	pid_t server;
	int control;
	int messages;
	int signals;
	int front;
	bool daemon;
	bool mounted;
	bool stopping;
	char line[1024];
	size_t len;
};

static int on_option(void *data, const char *arg, int key,
		     struct fuse_args *args)
{
	struct options *o = data;

	(void)args;
	switch (key) {
	case KEY_DISK:
		/* libfuse frees it */
		optarg = tool_alloc(NULL, strlen(arg) + 1);
		strcpy(optarg, arg + strlen("disk="));
		image_option(o->img, 'D');
		return 0;
	case FUSE_OPT_KEY_NONOPT:
		if (o->image)
			return 1;
		o->image = tool_alloc(NULL, strlen(arg) + 1);
		strcpy(o->image, arg);
		return 0;
	case KEY_READONLY:
		o->readonly = 1;
		return 1;
	case KEY_SHARED:
		o->shared = 1;
		return 1;
	case KEY_PERMISSIONS:
		o->permissions = 1;
		return 1;
	default:
		return 1;
	}
}

/* libfuse's messages, which may come in pieces, look like ours. */
static void on_fuse_log(enum fuse_log_level level, const char *fmt,
			va_list args)
{
	static __thread char text[1024];
	size_t len = strlen(text);
	char *p = text;

	if (level > FUSE_LOG_ERR) {
		vfprintf(stderr, fmt, args);
		return;
	}
	vsnprintf(text + len, sizeof(text) - len, fmt, args);
	len = strlen(text);
	if (len < sizeof(text) - 1 && (!len || text[len - 1] != '\n'))
		return;
	text[len - 1] = 0;
	if (!strncmp(p, "fuse: ", 6))
		p += 6;
	tool_error("%s", p);
	*text = 0;
}

static void help(void)
{
	printf("Usage: %s IMAGE MOUNTPOINT [OPTION]...\n"
	       "Mount the file system in an image, or on a block device.\n"
	       "\n"
	       "    -o type=TYPE           type of the file system (default: "
	       "auto)\n"
	       "    -o part=N              partition to mount (default: the "
	       "whole disk)\n"
	       "    -o disk=IMAGE          another disk of the same file "
	       "system\n"
	       "    -o lv=VG/LV            logical volume of LVM to mount\n"
	       "    -o passphrase          ask for the passphrase of LUKS\n"
	       "    -o keyfile=FILE        file with the passphrase of LUKS\n"
	       "    -o ro                  do not change the image\n"
	       "    -o opts=OPTIONS        options of the file system, with "
	       "\\, between them\n"
	       "    -o uid=UID, gid=GID    show all files as owned by UID or "
	       "GID\n"
	       "    -o uidmap=IMAGE:HERE[:IMAGE:HERE]...\n"
	       "                           owners in the image, and who they "
	       "are here\n"
	       "    -o gidmap=...          the same for groups\n"
	       "    -o mb=MB               memory for the kernel (default: "
	       "256)\n"
	       "    -o log=FILE            append the kernel's messages to "
	       "FILE\n"
	       "    -o lock=FILE           mount only if FILE can be locked, "
	       "and keep it so\n"
	       "    --attach=PID           only mount, for another lklfuse "
	       "(see the manual)\n"
	       "    --no-sandbox           do not confine the process that "
	       "reads the image\n"
	       "\n",
	       tool_name);
	fuse_cmdline_help();
	fuse_lowlevel_help();
	printf("\nExit status: %d when mounted (or, with -f, unmounted), %d "
	       "when not; with -f\n"
	       "%d if the image was not unmounted cleanly.\n",
	       TOOL_OK, TOOL_FAILED, TOOL_PARTIAL);
}

static void take_id(struct owner_map *map, const char *all, const char *pairs,
		    const char *what)
{
	if (pairs)
		owner_parse(map, pairs, what);
	if (all) {
		map->all = true;
		map->to = tool_number(all, UINT32_MAX - 1, what);
	}
}

static void take_options(struct lklfuse *lf, const struct options *o)
{
	struct image *img = &lf->img;

	img->file = o->image;
	img->type = o->type && strcmp(o->type, "auto") ? o->type : NULL;
	img->options = o->opts;
	img->part = o->part ? tool_number(o->part, 255, "partition") : 0;
	img->lv = o->lv;
	img->key_file = o->keyfile;
	img->dash_o = true;
	img->mem = o->mb ? tool_number(o->mb, 1 << 20, "memory size") : 0;
	img->readonly = o->readonly;
	img->fall_back = true;
	/* fsync() means what it says */
	img->sync = true;
	img->console = true;
	img->verbose = o->log;
	img->umask = umask(0);
	umask(img->umask);
	take_id(&lf->uids, o->uid, o->uidmap, "user");
	take_id(&lf->gids, o->gid, o->gidmap, "group");
	lf->user = getuid();
	lf->group = getgid();
	lf->sandbox = o->sandbox;
	/* who mounts for himself alone may do everything in his image */
	lf->permissions = o->permissions || o->shared || !geteuid();
}

/* A session for the mount; libfuse checks its options here. */
static struct fuse_session *new_session(struct supervisor *s)
{
	/* libfuse takes out what it knows, but not from the original */
	struct fuse_args args = FUSE_ARGS_INIT(s->args.argc, s->args.argv);
	struct fuse_session *se = fuse_session_new(&args, &lklfuse_ops,
						   sizeof(lklfuse_ops), NULL);

	fuse_opt_free_args(&args);
	return se;
}

static void add_option(struct supervisor *s, const char *name,
		       const char *value)
{
	char *text = NULL;

	if (asprintf(&text, "-o%s%s", name, value ? value : "") < 0 ||
	    fuse_opt_add_arg(&s->args, text))
		tool_no_memory();
	free(text);
}

/* What "mount" and "df" show as the device. */
static void name_mount(struct supervisor *s)
{
	char *path = realpath(s->lf->img.file, NULL);
	char *escaped = NULL;

	for (int n = 1; n < s->args.argc; n++) {
		if (strstr(s->args.argv[n], "fsname="))
			goto out;
	}
	if (path && !fuse_opt_add_opt_escaped(&escaped, path))
		add_option(s, "fsname=", escaped);
out:
	free(escaped);
	free(path);
}

__attribute__((format(printf, 2, 3))) static void
say(const struct supervisor *s, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	if (s->daemon) {
		vsyslog(LOG_WARNING, fmt, args);
	} else {
		fprintf(stderr, "%s: ", tool_name);
		vfprintf(stderr, fmt, args);
		putc('\n', stderr);
	}
	va_end(args);
}

/*
 * One line of the server's.  It reads what nobody trusts, so no control
 * characters of its are passed on.
 */
static void relay_line(struct supervisor *s)
{
	size_t skip = strlen(tool_name);
	char *line = s->line;

	line[s->len] = 0;
	s->len = 0;
	for (char *p = line; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 127)
			*p = '?';
	}
	if (!strncmp(line, tool_name, skip) && !strncmp(line + skip, ": ", 2))
		line += skip + 2;
	say(s, "%s", line);
}

static bool relay(struct supervisor *s)
{
	char buf[4096];
	ssize_t n = read(s->messages, buf, sizeof(buf));

	for (ssize_t i = 0; i < n; i++) {
		if (buf[i] != '\n' && s->len < sizeof(s->line) - 1)
			s->line[s->len++] = buf[i];
		else if (s->len)
			relay_line(s);
	}
	return n > 0;
}

/* Tell systemd that the mount is there; it may or may not be waiting. */
static void notify_systemd(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	int fd;

	if (!path || strlen(path) >= sizeof(to.sun_path))
		return;
	strcpy(to.sun_path, path);
	if (*path == '@')
		*to.sun_path = 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, "READY=1", 7, MSG_NOSIGNAL, (struct sockaddr *)&to,
	       offsetof(struct sockaddr_un, sun_path) + strlen(path));
	close(fd);
}

/* Leave the terminal, and let the process that waits there end well. */
static void become_daemon(struct supervisor *s)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	openlog(tool_name, LOG_PID | LOG_NDELAY, LOG_DAEMON);
	s->daemon = true;
	if (chdir("/") || write(s->front, "", 1) != 1)
		say(s, "cannot leave the terminal: %s", strerror(errno));
	close(s->front);
	for (int fd = 0; fd <= 2; fd++)
		dup2(null, fd);
	close(null);
}

/*
 * Mount on behalf of a lklfuse that may not: process @pid, whose standard input
 * is /dev/fuse.
 */
static int attach(const char *process, const char *image,
		  const char *mountpoint)
{
	pid_t pid = tool_number(process, INT_MAX, "process");
	int pidfd = syscall(SYS_pidfd_open, pid, 0);
	int fd = pidfd < 0 ? -1
			   : syscall(SYS_pidfd_getfd, pidfd, STDIN_FILENO, 0);
	char data[128];

	snprintf(data, sizeof(data),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other,"
		 "default_permissions",
		 fd);
	if (fd >= 0 && !mount(image, mountpoint, "fuse.lklfuse",
			      MS_NOSUID | MS_NODEV, data))
		return TOOL_OK;
	tool_file_error("cannot mount on", NULL, mountpoint, -errno);
	return TOOL_FAILED;
}

/*
 * Is the mount there?  A descriptor that we were given may be mounted only
 * after we have told that we are ready.
 */
static bool wait_for_mount(int fd, int signals)
{
	for (;;) {
		struct pollfd fds[] = { { .fd = fd },
					{ .fd = signals, .events = POLLIN } };

		if (poll(fds, 2, 0) >= 0 && !(fds[0].revents & POLLERR))
			return true;
		if (fds[1].revents)
			return false;
		poll(NULL, 0, 10);
	}
}

static bool send_fd(int control, int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} buf = { 0 };
	struct iovec iov = { "", 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &buf,
		.msg_controllen = sizeof(buf),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(control, &msg, MSG_NOSIGNAL) == 1;
}

/* The server has mounted the image, or failed to.  Now it is our turn. */
static void on_server_ready(struct supervisor *s)
{
	struct fuse_session *se = s->lf->session;
	char ready;

	if (read(s->control, &ready, 1) == 1 && !s->stopping) {
		if (ready == SERVER_READY_READONLY && !s->lf->img.readonly) {
			say(s, "warning: '%s' can only be read",
			    s->lf->img.file);
			add_option(s, "ro", NULL);
			fuse_session_destroy(se);
			se = s->lf->session = new_session(s);
		}
		s->mounted = se && !fuse_session_mount(se, s->fuse->mountpoint);
		if (s->mounted)
			notify_systemd();
		if (s->mounted &&
		    wait_for_mount(fuse_session_fd(se), s->signals) &&
		    send_fd(s->control, fuse_session_fd(se)) && s->front >= 0)
			become_daemon(s);
	}
	/* if the server waits in vain, it ends */
	close(s->control);
	s->control = -1;
}

/* Unmount unless somebody uses it. */
static bool unmount(const char *mountpoint)
{
	char *argv[] = { "fusermount3",	     "-u", "-q", "--",
			 (char *)mountpoint, NULL };
	extern char **environ;
	int status;
	pid_t pid;

	if (!geteuid())
		return !umount2(mountpoint, UMOUNT_NOFOLLOW);
	return !posix_spawnp(&pid, *argv, NULL, NULL, argv, environ) &&
	       waitpid(pid, &status, 0) == pid && !status;
}

/*
 * Have the host's kernel write what programs have changed in mapped files.  It
 * does not wait for that with FUSE, so wait until the server, which takes
 * requests from the same descriptor, has had no more of them for a while.
 */
static void drain(struct supervisor *s)
{
	struct pollfd fuse = { .fd = fuse_session_fd(s->lf->session),
			       .events = POLLIN };
	int fd = open(s->fuse->mountpoint, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int idle = 0;

	if (fd < 0)
		return;
	syncfs(fd);
	close(fd);
	for (int n = 0; idle < 3 && n < DRAIN_MS / 10; n++) {
		idle = poll(&fuse, 1, 0) > 0 ? 0 : idle + 1;
		poll(NULL, 0, 10);
	}
}

/* Somebody has asked for the end. */
static void stop(struct supervisor *s)
{
	const char *mountpoint = s->fuse->mountpoint;

	if (!s->mounted) {
		/* it waits for an answer, or will */
		if (s->control >= 0)
			close(s->control);
		s->control = -1;
	} else if (!strncmp(mountpoint, "/dev/fd/", 8)) {
		/* whoever mounted it unmounts it */
		kill(s->server, SIGTERM);
	} else if (s->stopping || !unmount(mountpoint)) {
		if (!s->stopping)
			say(s, "'%s' is in use; it is taken away all the same",
			    mountpoint);
		drain(s);
		kill(s->server, SIGTERM);
	}
	s->stopping = true;
}

/* Returns the exit status when the server has ended. */
static int on_signal(struct supervisor *s)
{
	struct signalfd_siginfo info;
	int status;

	if (read(s->signals, &info, sizeof(info)) != sizeof(info))
		return -1;
	if (info.ssi_signo != SIGCHLD) {
		stop(s);
		return -1;
	}
	if (waitpid(s->server, &status, WNOHANG) != s->server)
		return -1;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	say(s, "the server was killed by signal %d (%s)%s%s%s",
	    WTERMSIG(status), strsignal(WTERMSIG(status)),
	    s->lf->img.readonly ? "" : "; '",
	    s->lf->img.readonly ? "" : s->lf->img.file,
	    s->lf->img.readonly ? "" : "' was not unmounted cleanly");
	return s->mounted ? TOOL_PARTIAL : TOOL_FAILED;
}

static int supervise(struct supervisor *s)
{
	int status = -1;

	while (status < 0) {
		struct pollfd fds[] = {
			{ .fd = s->messages, .events = POLLIN },
			{ .fd = s->control, .events = POLLIN },
			{ .fd = s->signals, .events = POLLIN },
		};

		if (poll(fds, 3, -1) < 0)
			continue;
		if (fds[0].revents & POLLIN)
			relay(s);
		else if (fds[1].revents)
			on_server_ready(s);
		else if (fds[2].revents)
			status = on_signal(s);
	}
	while (poll(&(struct pollfd){ .fd = s->messages, .events = POLLIN }, 1,
		    0) > 0 &&
	       relay(s))
		;
	if (s->len)
		relay_line(s);
	if (s->mounted)
		fuse_session_unmount(s->lf->session);
	else if (!status)
		status = TOOL_FAILED;
	return status;
}

/* The rest of the program is a daemon; this process waits for its success. */
static int detach(void)
{
	int ends[2], status;
	pid_t pid;
	char byte;

	if (pipe2(ends, O_CLOEXEC) || (pid = fork()) < 0) {
		tool_error("cannot start a process: %s", strerror(errno));
		exit(TOOL_FAILED);
	}
	if (!pid) {
		close(ends[0]);
		setsid();
		return ends[1];
	}
	close(ends[1]);
	if (read(ends[0], &byte, 1) == 1)
		_exit(TOOL_OK);
	if (waitpid(pid, &status, 0) == pid && WIFEXITED(status))
		_exit(WEXITSTATUS(status));
	_exit(TOOL_FAILED);
}

static int open_for_writing(const char *what, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

	if (fd < 0) {
		tool_file_error(what, NULL, path, -errno);
		exit(TOOL_FAILED);
	}
	return fd;
}

static void take_lock(const char *path)
{
	int fd = open_for_writing("cannot open lock file", path);

	/* stays open as long as one of the processes lives */
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		tool_error("'%s' is locked by another program", path);
		exit(TOOL_FAILED);
	}
}

static int start(struct supervisor *s, int log)
{
	int control[2], messages[2];
	pid_t parent = getpid();

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) ||
	    pipe2(messages, O_CLOEXEC) || (s->server = fork()) < 0) {
		tool_error("cannot start a process: %s", strerror(errno));
		return -1;
	}
	if (!s->server) {
		/* away from the terminal's signals */
		setsid();
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != parent)
			_exit(TOOL_FAILED);
		close(control[0]);
		close(messages[0]);
		if (s->front >= 0)
			close(s->front);
		dup2(messages[1], STDERR_FILENO);
		dup2(log >= 0 ? log : messages[1], STDOUT_FILENO);
		close(messages[1]);
		exit(server_run(s->lf, control[1]));
	}
	close(control[1]);
	close(messages[1]);
	/* the locks on the disks are the server's */
	for (unsigned int n = 0; n < s->lf->img.count; n++)
		close(s->lf->img.disks[n].fd);
	luks_forget(&s->lf->img);
	s->control = control[0];
	s->messages = messages[0];
	return 0;
}

/* A descriptor that tells of signals, but of none that is ignored on purpose.
 */
static int block_signals(void)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };
	struct sigaction old;
	sigset_t set;

	sigemptyset(&set);
	for (size_t n = 0; n < sizeof(signals) / sizeof(*signals); n++) {
		if (!sigaction(signals[n], NULL, &old) &&
		    old.sa_handler != SIG_IGN)
			sigaddset(&set, signals[n]);
	}
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

int main(int argc, char **argv)
{
	struct lklfuse lf = { 0 };
	struct options o = { .img = &lf.img, .sandbox = 1 };
	struct fuse_cmdline_opts fuse;
	struct supervisor s = {
		.lf = &lf,
		.fuse = &fuse,
		.args = FUSE_ARGS_INIT(argc, argv),
		.control = -1,
		.front = -1,
	};
	int log = -1, status = TOOL_FAILED;

	tool_init(argv[0]);
	argv[0] = (char *)tool_name;
	fuse_set_log_func(on_fuse_log);
	if (fuse_opt_parse(&s.args, &o, specs, on_option) ||
	    fuse_parse_cmdline(&s.args, &fuse))
		tool_usage_error(NULL);
	if (fuse.show_help) {
		help();
		return TOOL_OK;
	}
	if (fuse.show_version) {
		printf("%s (lkl) %s\n", tool_name, LKL_VERSION);
		return TOOL_OK;
	}
	if (!o.image)
		tool_usage_error("no image given");
	if (!fuse.mountpoint)
		tool_usage_error("no mount point given");
	if (o.attach)
		return attach(o.attach, o.image, fuse.mountpoint);
	take_options(&lf, &o);
	if (lf.permissions && !o.permissions)
		add_option(&s, "default_permissions", NULL);
	name_mount(&s);
	lf.session = new_session(&s);
	if (!lf.session)
		tool_usage_error(NULL);

	if ((o.passphrase || o.keyfile) && luks_ask(&lf.img)) {
		luks_forget(&lf.img);
		tool_exit(TOOL_FAILED);
	}
	if (!fuse.foreground)
		s.front = detach();
	s.signals = block_signals();
	if (o.lock)
		take_lock(o.lock);
	if (o.log)
		log = open_for_writing("cannot open log file", o.log);
	lf.single = fuse.singlethread;
	lf.loop = fuse_loop_cfg_create();
	fuse_loop_cfg_set_clone_fd(lf.loop, fuse.clone_fd);
	if (fuse.max_idle_threads != UINT_MAX)
		fuse_loop_cfg_set_idle_threads(lf.loop, fuse.max_idle_threads);
	if (fuse.max_threads != UINT_MAX)
		fuse_loop_cfg_set_max_threads(lf.loop, fuse.max_threads);
	if (!image_open(&lf.img) && !start(&s, log))
		status = supervise(&s);
	return status;
}
