// SPDX-License-Identifier: GPL-2.0-only
/*
 * lklfuse - mount a file system image with FUSE
 *
 * This is the command line; lklfuse/lklfuse.h says which processes there are
 * and what each does.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/key.h"
#include "common/tool.h"
#include "lklfuse/helper.h"
#include "lklfuse/supervisor.h"

/* Longest wait for a mount of the same image that has just ended. */
#define PREDECESSOR_MS 5000
/* Its process has the lock a little longer; tries each 20 ms. */
#define LOCK_TRIES 50

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
	char *sector;
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
	int trust;
	int passphrase;
	int inspect;
};

enum {
	KEY_DISK,
	KEY_DISK_LETTER,
	KEY_DISK_LONG,
	KEY_READONLY,
	KEY_SHARED,
	KEY_PERMISSIONS
};

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
	OPTION("inspect", inspect),
	OPTION("mb=%s", mb),
	OPTION("sector_size=%s", sector),
	OPTION("opts=%s", opts),
	OPTION("log=%s", log),
	OPTION("lock=%s", lock),
	OPTION("uid=%s", uid),
	OPTION("gid=%s", gid),
	OPTION("uidmap=%s", uidmap),
	OPTION("gidmap=%s", gidmap),
	OPTION("--attach=%s", attach),
	/* the same by the names that the other tools have */
	OPTION("-t %s", type),
	OPTION("--type=%s", type),
	OPTION("-P %s", part),
	OPTION("--partition=%s", part),
	OPTION("-L %s", lv),
	OPTION("--lv=%s", lv),
	OPTION("-K %s", keyfile),
	OPTION("--key-file=%s", keyfile),
	OPTION("-O %s", opts),
	OPTION("--options=%s", opts),
	OPTION("-m %s", mb),
	OPTION("--memory=%s", mb),
	OPTION("--sector-size=%s", sector),
	OPTION("-i", inspect),
	OPTION("--inspect", inspect),
	FUSE_OPT_KEY("-D ", KEY_DISK_LETTER),
	FUSE_OPT_KEY("--disk=", KEY_DISK_LONG),
	FUSE_OPT_KEY("disk=", KEY_DISK),
	OPTION("trust_image", trust),
	OPTION("--trust-image", trust),
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

static int on_option(void *data, const char *arg, int key,
		     struct fuse_args *args)
{
	struct options *o = data;

	(void)args;
	switch (key) {
	case KEY_DISK:
	case KEY_DISK_LETTER:
	case KEY_DISK_LONG:
		arg += strlen(key == KEY_DISK	     ? "disk="
			      : key == KEY_DISK_LONG ? "--disk="
						     : "-D");
		/* libfuse frees it */
		optarg = tool_alloc(NULL, strlen(arg) + 1);
		strcpy(optarg, arg);
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
	       "    -o part=N              partition to mount (default: "
	       "the only one with a file system)\n"
	       "    -o disk=IMAGE          another disk of the same file "
	       "system\n"
	       "    -o lv=VG/LV            logical volume of LVM to mount\n"
	       "    -o inspect             find the system in the image, and "
	       "mount what its fstab says\n"
	       "    -o passphrase          ask for the passphrase of LUKS\n"
	       "    -o keyfile=FILE        file with the passphrase of LUKS\n"
	       "    -o ro                  do not change the image\n"
	       "    -o opts=OPTIONS        options of the file system, with "
	       "\\, between them\n"
	       "    -o uid=UID             show all files as owned by UID\n"
	       "    -o gid=GID             the same for the group\n"
	       "    -o uidmap=IMAGE:HERE[:IMAGE:HERE]...\n"
	       "                           owners in the image, and the "
	       "owners here\n"
	       "    -o gidmap=IMAGE:HERE[:IMAGE:HERE]...\n"
	       "                           the same for groups\n"
	       "    -o mb=MB               memory for the kernel (default: "
	       "256)\n"
	       "    -o sector_size=N       size of the sectors of the disk "
	       "(default: find out)\n"
	       "    -o log=FILE            append the kernel's messages to "
	       "FILE\n"
	       "    -o lock=FILE           mount only if FILE can be locked, "
	       "and keep it so\n"
	       "    -o trust_image         let the image name other files and "
	       "servers\n"
	       "    -o nosandbox           do not confine the process that "
	       "reads the image\n"
	       "    --attach=PID           only mount, for another lklfuse "
	       "(see the manual)\n"
	       "    -t -P -D -L -K -O -m -i, --sector-size, --trust-image and "
	       "--no-sandbox are those\n"
	       "    that other tools have (see lkl-image(7)).\n"
	       "\n",
	       tool_name);
	fuse_cmdline_help();
	fuse_lowlevel_help();
	printf("\n"
	       "Examples:\n"
	       "  lklfuse disk.img mnt -o ro,part=2\n"
	       "  lklfuse root.ext4 mnt -o uidmap=0:1000,gidmap=0:1000\n"
	       "\n"
	       "Exit status: %d when mounted (or, with -f, unmounted), %d "
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

/*
 * Is the image mounted?  If it is not, and in use all the same, that may be by
 * the lklfuse of a mount that has just ended.
 */
static bool is_mounted(const char *image)
{
	char *path = realpath(image, NULL);
	FILE *f = setmntent("/proc/self/mounts", "r");
	bool found = false;
	struct mntent *m;

	while (path && f && !found && (m = getmntent(f)))
		found = !strcmp(m->mnt_fsname, path);
	if (f)
		endmntent(f);
	free(path);
	return found;
}

static void take_options(struct lklfuse *lf, const struct options *o)
{
	struct image *img = &lf->img;

	img->file = o->image;
	img->type = o->type && strcmp(o->type, "auto") ? o->type : NULL;
	img->options = o->opts;
	img->part = o->part && strcmp(o->part, "none")
			    ? tool_number(o->part, 255, "partition")
			    : 0;
	img->whole = o->part && !img->part;
	img->lv = o->lv;
	img->key.file = o->keyfile;
	img->trust = o->trust;
	img->inspect = o->inspect;
	img->dash_o = true;
	if (o->mb) {
		optarg = o->mb;
		image_option(img, 'm');
	}
	if (o->sector) {
		optarg = o->sector;
		image_option(img, 'Z');
	}
	img->readonly = o->readonly;
	img->fall_back = true;
	img->lock_ms = is_mounted(o->image) ? 0 : PREDECESSOR_MS;
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
	/* the owner of a private mount may do everything in it */
	lf->permissions = o->permissions || o->shared || !geteuid();
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
		supervisor_option(s, "fsname=", escaped);
out:
	free(escaped);
	free(path);
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

static int open_or_make(const char *what, const char *path, int flags)
{
	int fd = open(path, flags | O_CREAT | O_CLOEXEC, 0666);

	if (fd < 0) {
		tool_file_error(what, NULL, path, -errno);
		exit(TOOL_FAILED);
	}
	return fd;
}

static void take_lock(const char *path)
{
	int fd = open_or_make("cannot open lock file", path, O_RDONLY);
	int tries = 0;

	/* stays open as long as one of the processes lives */
	while (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno == EWOULDBLOCK && tries++ < LOCK_TRIES) {
			poll(NULL, 0, 20);
			continue;
		}
		tool_error("'%s' is locked by another program", path);
		exit(TOOL_FAILED);
	}
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
	int log = -1, status;
	struct stat st;

	tool_init(argv[0]);
	if (helper_is(argv[0])) {
		status = helper_run(&argc, &argv);
		if (status >= 0)
			return status;
		s.args = (struct fuse_args)FUSE_ARGS_INIT(argc, argv);
	}
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
	/* /dev/fd/N is no directory, but a program's that mounts by itself */
	if (strncmp(fuse.mountpoint, "/dev/fd/", 8) &&
	    !stat(fuse.mountpoint, &st) && !S_ISDIR(st.st_mode)) {
		tool_file_error("cannot mount at", NULL, fuse.mountpoint,
				-ENOTDIR);
		return TOOL_FAILED;
	}
	if (o.attach)
		return attach(o.attach, o.image, fuse.mountpoint, o.uid, o.gid);
	take_options(&lf, &o);
	if (lf.permissions && !o.permissions)
		supervisor_option(&s, "default_permissions", NULL);
	name_mount(&s);
	lf.session = supervisor_session(&s);
	if (!lf.session)
		tool_usage_error(NULL);

	if ((o.passphrase || o.keyfile) &&
	    key_get(&lf.img.key, lf.img.file, "keyfile=")) {
		key_forget(&lf.img.key);
		tool_exit(TOOL_FAILED);
	}
	if (!fuse.foreground)
		s.front = detach();
	s.signals = block_signals();
	if (o.log)
		log = open_or_make("cannot open log file", o.log,
				   O_WRONLY | O_APPEND);
	lf.single = fuse.singlethread;
	lf.loop = fuse_loop_cfg_create();
	fuse_loop_cfg_set_clone_fd(lf.loop, fuse.clone_fd);
	if (fuse.max_idle_threads != UINT_MAX)
		fuse_loop_cfg_set_idle_threads(lf.loop, fuse.max_idle_threads);
	if (fuse.max_threads != UINT_MAX)
		fuse_loop_cfg_set_max_threads(lf.loop, fuse.max_threads);
	if (o.lock)
		take_lock(o.lock);
	return supervisor_start(&s, log) ? TOOL_FAILED : supervisor_run(&s);
}
