// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel that starts from a snapshot is as one that has booted: what it says
 * of itself, its network, disks, memory and time; but what must differ in each
 * does. What is wrong with the file, or the folder it is in, makes the kernel
 * boot, with a line.
 *
 * The program executes itself, with the library that is always at one address.
 */
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <netinet/in.h>

#include <lkl/linux/net.h>
#include <lkl_host.h>

#include "check.h"

#define CMDLINE                                                                \
	(KERNEL_PAGE > 4096 ? "mem=160M loglevel=0" : "mem=64M loglevel=0")
#define PAGE 4096

/*
 * In the other process
 */

static void cat(const char *name)
{
	char text[1 << 14];
	long fd = OK(lkl_sys_open(name, LKL_O_RDONLY, 0)), n, size = 0;

	while ((n = OK(lkl_sys_read(fd, text + size, sizeof(text) - 1 - size))))
		size += n;
	text[size] = 0;
	OK(lkl_sys_close(fd));
	printf("%s: %s\n", name, text);
}

/* Names of the lines only, where what they say changes all the time. */
static void names(const char *name)
{
	char text[1 << 14], *line, *save;
	long fd = OK(lkl_sys_open(name, LKL_O_RDONLY, 0));

	text[OK(lkl_sys_read(fd, text, sizeof(text) - 1))] = 0;
	OK(lkl_sys_close(fd));
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		printf("%s: %.*s\n", name, (int)strcspn(line, ": "), line);
}

static void list(const char *name)
{
	struct lkl_dir *dir;
	struct lkl_linux_dirent64 *de;
	int err, n = 0;

	dir = lkl_opendir(name, &err);
	CHECK(dir);
	while ((de = lkl_readdir(dir)))
		n++;
	lkl_closedir(dir);
	printf("%s: %d\n", name, n);
}

static bool is_from_snapshot(void)
{
	char line[PATH_MAX + 100];
	FILE *maps = fopen("/proc/self/maps", "r");
	bool found = false;

	CHECK(maps);
	while (fgets(line, sizeof(line), maps))
		found |= strstr(line, ".snapshot") != NULL;
	fclose(maps);
	return found;
}

static void mount_all(void)
{
	OK(lkl_mount_fs("proc"));
	OK(lkl_mount_fs("sysfs"));
}

static void start_kernel(void)
{
	OK(lkl_init(&lkl_host_ops));
	OK(lkl_start_kernel(CMDLINE));
}

/* What the kernel says of itself; lines with a ! must differ. */
static void tell(void)
{
	static const char *const files[] = { "/proc/cmdline",
					     "/proc/filesystems",
					     "/proc/mounts",
					     "/proc/cpuinfo",
					     "/proc/partitions",
					     "/proc/net/protocols",
					     "/proc/self/limits",
					     "/proc/crypto",
					     "/proc/sys/kernel/pid_max",
					     "/proc/sys/net/ipv4/tcp_mem",
					     "/proc/sys/vm/min_free_kbytes" };
	struct lkl_new_utsname name;
	unsigned long random[2];
	char id[40] = "";
	long fd, i;

	start_kernel();
	fprintf(stderr, "%s\n", is_from_snapshot() ? "snapshot" : "boot");
	OK(lkl_sys_uname(&name));
	printf("%s %s %s %s\n", name.sysname, name.nodename, name.release,
	       name.machine);
	printf("process %ld\n", lkl_sys_getpid());
	fd = OK(lkl_sys_open("/f", LKL_O_CREAT | LKL_O_RDWR, 0600));
	printf("descriptor %ld\n", fd);
	mount_all();
	for (i = 0; i < (long)ARRAY_SIZE(files); i++)
		cat(files[i]);
	names("/proc/meminfo");
	names("/proc/vmstat");
	list("/sysfs/class/net");
	list("/sysfs/class/block");
	list("/sysfs/bus");
	list("/proc/sys/net/ipv4");
	fd = OK(lkl_sys_open("/proc/sys/kernel/random/boot_id", LKL_O_RDONLY,
			     0));
	OK(lkl_sys_read(fd, id, 36));
	printf("!%s\n", id);
	EQ(lkl_sys_getrandom((void *)random, sizeof(random), 0),
	   sizeof(random));
	printf("!%016lx%016lx\n", random[0], random[1]);
	halt();
}

static long long lkl_now(int clock)
{
	struct __lkl__kernel_timespec ts;

	OK(lkl_sys_clock_gettime(clock, &ts));
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static void clocks(void)
{
	struct __lkl__kernel_timespec pause = { .tv_nsec = 50000000 };
	long long before, after, there, slept;
	char text[1 << 14], *line;
	long fd;

	start_kernel();
	before = now(CLOCK_REALTIME);
	there = lkl_now(LKL_CLOCK_REALTIME);
	after = now(CLOCK_REALTIME);
	/* A program of the host's may set its clock a little meanwhile. */
	if (there < before - 2000000 || there > after + 2000000)
		FAIL("the clock is %lld us off", (there - before) / 1000);
	slept = lkl_now(LKL_CLOCK_MONOTONIC);
	/* It goes on from when the snapshot was made. */
	CHECK(slept <= now(CLOCK_MONOTONIC));
	before = now(CLOCK_MONOTONIC);
	OK(lkl_sys_nanosleep(&pause, NULL));
	after = now(CLOCK_MONOTONIC) - before;
	slept = lkl_now(LKL_CLOCK_MONOTONIC) - slept;
	CHECK(slept >= 50000000 && after >= 50000000);
	CHECK(slept < after + 20000000);
	mount_all();
	fd = OK(lkl_sys_open("/proc/stat", LKL_O_RDONLY, 0));
	text[OK(lkl_sys_read(fd, text, sizeof(text) - 1))] = 0;
	line = strstr(text, "btime ");
	CHECK(line);
	there = atoll(line + 6) - now(CLOCK_REALTIME) / 1000000000LL;
	CHECK(there <= 1);
	halt();
}

static void loopback(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	int size = sizeof(address);
	char data[100000], got[100000];
	long server, client, peer, n, sent, i;

	start_kernel();
	OK(lkl_if_up(1));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server = OK(lkl_sys_socket(AF_INET, SOCK_STREAM, 0));
	OK(lkl_sys_bind(server, (void *)&address, sizeof(address)));
	OK(lkl_sys_listen(server, 1));
	OK(lkl_sys_getsockname(server, (void *)&address, &size));
	client = OK(lkl_sys_socket(AF_INET, SOCK_STREAM, 0));
	OK(lkl_sys_connect(client, (void *)&address, sizeof(address)));
	peer = OK(lkl_sys_accept(server, NULL, NULL));
	for (i = 0; i < (long)sizeof(data); i++)
		data[i] = i * 7 + i / 251;
	sent = OK(lkl_sys_sendto(client, data, sizeof(data), LKL_MSG_DONTWAIT,
				 NULL, 0));
	for (n = 0; n < sent;)
		n += OK(lkl_sys_read(peer, got + n, sent - n));
	CHECK(!memcmp(data, got, sent));
	halt();
}

/* RAM under second addresses, and all of it used. */
static void memory(void)
{
	static char data[PAGE], got[PAGE];
	char *p, *q;
	long fd, i, pages = 4000;

	start_kernel();
	fd = OK(lkl_sys_open("/f", LKL_O_CREAT | LKL_O_RDWR, 0600));
	for (i = 0; i < pages; i++) {
		memset(data, i % 255 + 1, PAGE);
		EQ(lkl_sys_pwrite64(fd, data, PAGE, i * PAGE), PAGE);
	}
	p = (char *)OK(lkl_sys_mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
				    MAP_SHARED, fd, 0));
	q = (char *)OK(lkl_sys_mmap(NULL, 100 * PAGE, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	for (i = 0; i < pages; i++) {
		EQ((unsigned char)p[i * PAGE], i % 255 + 1);
		p[i * PAGE + 1] = 0x55;
		q[i % 100 * PAGE] = 1;
	}
	for (i = 0; i < pages; i++) {
		EQ(lkl_sys_pread64(fd, got, PAGE, i * PAGE), PAGE);
		EQ(got[1], 0x55);
		EQ((unsigned char)got[2], i % 255 + 1);
	}
	OK(lkl_sys_munmap((unsigned long)p, pages * PAGE));
	halt();
}

static void check_disk(int id, const char *name, char byte)
{
	unsigned int dev;
	char data[PAGE];
	long fd;

	OK(lkl_get_virtio_blkdev(id, 0, &dev));
	OK(lkl_sys_mknod(name, LKL_S_IFBLK | 0600, dev));
	fd = OK(lkl_sys_open(name, LKL_O_RDWR, 0));
	EQ(lkl_sys_read(fd, data, PAGE), PAGE);
	EQ(data[0], byte);
	EQ(data[PAGE - 1], byte);
	memset(data, byte + 1, PAGE);
	EQ(lkl_sys_pwrite64(fd, data, PAGE, PAGE), PAGE);
	OK(lkl_sys_fsync(fd));
	OK(lkl_sys_close(fd));
}

static int image(const char *name, char byte)
{
	static char data[1 << 20];
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);

	memset(data, byte, sizeof(data));
	EQ(write(fd, data, sizeof(data)), sizeof(data));
	return fd;
}

/* Disks that were there before the kernel, and one that comes later; each
 * twice. */
static void disks(void)
{
	struct lkl_disk disk[3] = { 0 };
	int id[3], i, round;
	char name[10], got;

	OK(lkl_init(&lkl_host_ops));
	for (i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "image%d", i);
		disk[i].fd = image(name, 'a' + 3 * i);
		if (i < 2)
			id[i] = OK(lkl_disk_add(&disk[i]));
	}
	for (round = 0; round < 2; round++) {
		OK(lkl_start_kernel(CMDLINE));
		if (!round)
			id[2] = OK(lkl_disk_add(&disk[2]));
		for (i = 0; i < 3; i++) {
			snprintf(name, sizeof(name), "/disk%d", i);
			check_disk(id[i], name, 'a' + 3 * i);
			EQ(pread(disk[i].fd, &got, 1, PAGE), 1);
			EQ(got, 'a' + 3 * i + 1);
		}
		EQ(lkl_sys_halt(), 0);
	}
	lkl_cleanup();
}

/* States of such a kernel, forked children, and boots with other options. */
static void life(void)
{
	char data[PAGE] = "a";
	long fd;
	int status;
	pid_t pid;

	start_kernel();
	fd = OK(lkl_sys_open("/f", LKL_O_CREAT | LKL_O_RDWR, 0600));
	OK(lkl_sys_write(fd, data, PAGE));
	EQ(lkl_freeze(), 0);
	OK(lkl_sys_pwrite64(fd, "b", 1, 0));
	EQ(lkl_reset(), 0);
	OK(lkl_sys_pread64(fd, data, 1, 0));
	EQ(data[0], 'a');
	OK(lkl_sys_pwrite64(fd, "c", 1, 0));
	EQ(lkl_thaw(), 0);
	OK(lkl_sys_pread64(fd, data, 1, 0));
	EQ(data[0], 'c');
	pid = fork();
	if (!pid) {
		EQ(lkl_sys_getpid(), -LKL_ENOSYS);
		OK(lkl_start_kernel(CMDLINE));
		EQ(lkl_sys_getpid(), 1);
		EQ(lkl_sys_open("/f", LKL_O_RDONLY, 0), -LKL_ENOENT);
		EQ(lkl_sys_halt(), 0);
		_exit(0);
	}
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && !status);
	OK(lkl_sys_pread64(fd, data, 1, 0));
	EQ(data[0], 'c');
	EQ(lkl_sys_halt(), 0);
	EQ(is_from_snapshot(), 1);
	OK(lkl_start_kernel("mem=%dM loglevel=0 quiet",
			    KERNEL_PAGE > 4096 ? 112 : 32));
	EQ(lkl_sys_open("/f", LKL_O_RDONLY, 0), -LKL_ENOENT);
	EQ(lkl_sys_halt(), 0);
	OK(lkl_start_kernel(CMDLINE));
	EQ(lkl_sys_open("/f", LKL_O_RDONLY, 0), -LKL_ENOENT);
	halt();
}

static void *call(void *arg)
{
	long i;

	(void)arg;
	for (i = 0; i < 20000; i++)
		CHECK(lkl_sys_getppid() >= 0);
	return NULL;
}

static void threads(void)
{
	pthread_t id[4];
	int i;

	start_kernel();
	for (i = 0; i < 4; i++)
		id[i] = start(call, NULL);
	for (i = 0; i < 4; i++)
		pthread_join(id[i], NULL);
	halt();
}

static const struct check others[] = {
	{ "tell", tell },	{ "clocks", clocks }, { "loopback", loopback },
	{ "memory", memory },	{ "disks", disks },   { "life", life },
	{ "threads", threads },
};

/*
 * In this one
 */

/* What another process wrote, and how it ended. */
struct output {
	char text[2][1 << 16];
	int status;
};

static struct output first, second;
static char library[PATH_MAX];

static pid_t spawn(const char *name, const char *want, int out, int err)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	setenv("LKL_SNAPSHOT", want, 1);
	setenv("LD_LIBRARY_PATH", library, 1);
	dup2(out, 1);
	dup2(err, 2);
	execl("/proc/self/exe", "snapshot", "--other", name, NULL);
	_exit(127);
}

static void run(struct output *o, const char *name, const char *want)
{
	FILE *out = tmpfile(), *err = tmpfile();
	pid_t pid;

	CHECK(out && err);
	memset(o, 0, sizeof(*o));
	pid = spawn(name, want, fileno(out), fileno(err));
	CHECK(pid > 0 && waitpid(pid, &o->status, 0) == pid);
	CHECK(pread(fileno(out), o->text[0], sizeof(o->text[0]) - 1, 0) >= 0);
	CHECK(pread(fileno(err), o->text[1], sizeof(o->text[1]) - 1, 0) >= 0);
	fclose(out);
	fclose(err);
}

/* It ends well, and prints nothing but that on stderr. */
static void expect(const char *name, const char *want, const char *text)
{
	run(&second, name, want);
	if (second.status || strcmp(second.text[1], text))
		FAIL("%s: status %x: %s, not %s", name, second.status,
		     second.text[1], text);
}

/* Of which there is some line, and a boot. */
static void expect_line(const char *line)
{
	run(&second, "tell", "yes");
	if (second.status || !strstr(second.text[1], line) ||
	    !strstr(second.text[1], "boot\n"))
		FAIL("status %x: %s, not %s", second.status, second.text[1],
		     line);
}

/* A folder for caches, which is the only one. */
static void begin(void)
{
	char cwd[PATH_MAX], *dir;
	ssize_t n = readlink("/proc/self/exe", library, sizeof(library) - 30);

	CHECK(n > 0);
	library[n] = 0;
	*strrchr(library, '/') = 0;
	strcat(library, "/../lib/lkl-fixed");
	dir = strdup("snapshot.XXXXXX");
	CHECK(mkdtemp(dir) && !chdir(dir) && getcwd(cwd, sizeof(cwd)));
	setenv("XDG_CACHE_HOME", cwd, 1);
}

static char *only_file(void)
{
	static char name[PATH_MAX];
	DIR *dir = opendir("lkl");
	struct dirent *de;
	int n = 0;

	CHECK(dir);
	while ((de = readdir(dir))) {
		if (*de->d_name == '.')
			continue;
		snprintf(name, sizeof(name), "lkl/%s", de->d_name);
		n++;
	}
	closedir(dir);
	EQ(n, 1);
	return name;
}

static void same(void)
{
	char *a, *b, *save_a, *save_b;
	struct stat st;
	int differ = 0;

	begin();
	run(&first, "tell", "no");
	EQ(first.status, 0);
	CHECK(!strcmp(first.text[1], "boot\n") && access("lkl", F_OK));
	CHECK(!mkdir("lkl", 0700) && !close(creat("lkl/old", 0600)));
	CHECK(!utimensat(AT_FDCWD, "lkl/old", (struct timespec[2]){}, 0));
	expect("tell", "yes", "boot\n");
	CHECK(!stat(only_file(), &st) && (st.st_mode & 07777) == 0600);
	CHECK(!stat("lkl", &st) && (st.st_mode & 07777) == 0700);
	for (int i = 0; i < 2; i++) {
		expect("tell", "yes", "snapshot\n");
		a = strtok_r(first.text[0], "\n", &save_a);
		b = strtok_r(second.text[0], "\n", &save_b);
		for (; a && b; a = strtok_r(NULL, "\n", &save_a),
			       b = strtok_r(NULL, "\n", &save_b)) {
			if (!strcmp(a, b) == (*a == '!'))
				FAIL("'%s' and '%s'", a, b);
			differ += *a == '!';
		}
		CHECK(!a && !b);
		EQ(differ, 2);
		differ = 0;
		/* The next one is compared with this one. */
		run(&first, "tell", "yes");
	}
}

static void works(void)
{
	begin();
	expect("tell", "yes", "boot\n");
	for (size_t i = 1; i < ARRAY_SIZE(others); i++)
		expect(others[i].name, "yes", "");
}

/* Each of them has a kernel, and one file comes of it. */
static void at_once(void)
{
	enum { N = 8 };
	FILE *err = tmpfile();
	pid_t pid[N];
	int i, status;
	char text[1000] = "";

	begin();
	CHECK(err);
	for (i = 0; i < N; i++)
		pid[i] = spawn("threads", "yes", 1, fileno(err));
	for (i = 0; i < N; i++)
		CHECK(waitpid(pid[i], &status, 0) == pid[i] && !status);
	CHECK(pread(fileno(err), text, sizeof(text) - 1, 0) >= 0);
	if (*text)
		FAIL("%s", text);
	only_file();
	expect("tell", "yes", "snapshot\n");
}

static void damage(const char *name, long at, bool cut)
{
	int fd = open(name, O_RDWR);

	CHECK(fd >= 0);
	if (cut)
		EQ(ftruncate(fd, at), 0);
	else
		EQ(pwrite(fd, "x", 1, at), 1);
	close(fd);
}

static void damaged(void)
{
	static const long at[] = { 0, 100, 5000, 1 << 20 };
	struct stat st;

	begin();
	expect("tell", "yes", "boot\n");
	for (int cut = 0; cut < 2; cut++) {
		for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
			damage(only_file(), at[i], cut);
			expect_line("is damaged");
			/* It was replaced. */
			expect("tell", "yes", "snapshot\n");
		}
	}
	/* The head does not say so, and is not believed either. */
	CHECK(!stat(only_file(), &st));
	damage(only_file(), 40, false);
	CHECK(!utimensat(AT_FDCWD, only_file(),
			 (struct timespec[2]){ st.st_atim, st.st_mtim }, 0));
	expect_line("is damaged");
}

static void foreign(void)
{
	char name[PATH_MAX];

	begin();
	expect("tell", "yes", "boot\n");
	strcpy(name, only_file());
	CHECK(!chmod(name, 0620));
	expect_line("others can change it");
	CHECK(!chmod(name, 0600) && !rename(name, "elsewhere"));
	CHECK(!symlink("../elsewhere", name));
	expect_line("others can change it");
	CHECK(!unlink(name) && !mkfifo(name, 0600));
	expect_line("others can change it");
	CHECK(!unlink(name) && !rename("elsewhere", name));
	expect("tell", "yes", "snapshot\n");

	CHECK(!chmod("lkl", 0770));
	expect_line("none, as others can change");
	CHECK(!chmod("lkl", 0700) && !chmod(".", 0720));
	expect_line("none, as others can change");
	CHECK(!chmod(".", 0700));
	expect("tell", "yes", "snapshot\n");
	if (geteuid())
		return;
	CHECK(!chown(name, 65534, 65534));
	expect_line("others can change it");
	CHECK(!chown(name, 0, 0) && !chown("lkl", 65534, 65534));
	expect_line("none, as others can change");
}

/* Nothing can be written, or not enough. */
static void no_room(void)
{
	struct rlimit limit = { 1 << 20, RLIM_INFINITY };
	char path[PATH_MAX];

	begin();
	CHECK(!setrlimit(RLIMIT_FSIZE, &limit));
	expect_line("none is kept");
	limit.rlim_cur = RLIM_INFINITY;
	CHECK(!setrlimit(RLIMIT_FSIZE, &limit));
	CHECK(!rmdir("lkl"));
	setenv("XDG_CACHE_HOME", "/proc", 1);
	expect_line("none, ");
	CHECK(getcwd(path, sizeof(path) - 20));
	setenv("XDG_CACHE_HOME", strcat(path, "/none/of/these"), 1);
	expect_line("none, ");
	if (geteuid() || unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return;
	CHECK(getcwd(path, sizeof(path) - 20));
	setenv("XDG_CACHE_HOME", strcat(path, "/small"), 1);
	CHECK(!mkdir("small", 0700));
	CHECK(!mount("none", "small", "tmpfs", 0, "size=1m,mode=700"));
	expect_line("No space left on device");
	EQ(entries("small/lkl"), 2);
	CHECK(!mount(NULL, "small", NULL, MS_REMOUNT | MS_RDONLY, NULL));
	expect_line("Read-only file system");
	CHECK(!umount("small"));
}

/* What asks for something else. */
static void not_wanted(void)
{
	begin();
	run(&second, "tell", "perhaps");
	CHECK(second.status && strstr(second.text[1], "neither yes nor no"));
	expect("tell", "", "boot\n");
	*strrchr(library, '/') = 0;
	expect_line("none, as the library is not at a fixed address");
	CHECK(access("lkl", F_OK));
}

/* A kernel with KASAN leaves none, as the shadow is not in it. */
static void refused(void)
{
	begin();
	expect("tell", "yes", "boot\n");
	expect("tell", "yes", "boot\n");
	CHECK(access("lkl", F_OK) || entries("lkl") == 2);
}

static const struct check under_kasan[] = {
	{ "refused", refused },
};

static const struct check tests[] = {
	{ "same", same },
	{ "works", works },
	{ "at_once", at_once },
	{ "damaged", damaged },
	{ "foreign", foreign },
	{ "no_room", no_room },
	{ "not_wanted", not_wanted },
};

int main(int argc, char **argv)
{
	bool other = argc >= 3 && !strcmp(argv[1], "--other");

	if (!other && has_flavour("kasan"))
		return check_main(under_kasan, ARRAY_SIZE(under_kasan), argc,
				  argv);
	if (!other)
		return check_main(tests, ARRAY_SIZE(tests), argc, argv);
	lkl_host_ops.print = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (strcmp(others[i].name, argv[2]))
			continue;
		others[i].fn();
		return 0;
	}
	return 2;
}
