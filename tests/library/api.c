// SPDX-License-Identifier: GPL-2.0-only
/*
 * The interface that programs rely on, used as they use it: names, arguments
 * and results of the functions for life cycle, messages, interrupts and disks.
 *
 * Plain C11 and C++17, both of which api.sh asks for; no other headers of ours.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lkl_host.h>
#include <lkl.h>
#include <lkl_config.h>

#define CHECK(cond)                                                            \
	do {                                                                   \
		if (!(cond)) {                                                 \
			printf("line %d: not %s, %ld\n", __LINE__, #cond,      \
			       last);                                          \
			exit(1);                                               \
		}                                                              \
	} while (0)
#define IS(expr, want) CHECK((last = (long)(expr)) == (long)(want))

static long last;

static char text[1 << 16];
static int text_len, panics;

static void print(const char *str, int len)
{
	if (len > (int)sizeof(text) - 1 - text_len)
		len = (int)sizeof(text) - 1 - text_len;
	memcpy(text + text_len, str, (size_t)len);
	text_len += len;
}

static void panic(void)
{
	panics++;
}

static void messages(void)
{
	/* Operations of one's own, most of them the host's. */
	static struct lkl_host_operations ops;
	int fds[2], saved = dup(2);
	char seen[256] = "";

	ops = lkl_host_ops;
	ops.print = print;
	ops.panic = panic;
	IS(lkl_init(&ops), 0);
	IS(lkl_printf("%s %d", "number", 42), 9);
	CHECK(!strcmp(text, "number 42"));
	IS(lkl_start_kernel("mem=%dM loglevel=%d", 64, 8), 0);
	CHECK(strstr(text, "mem=64M loglevel=8"));

	IS(pipe(fds), 0);
	dup2(fds[1], 2);
	lkl_perror((char *)"open", -LKL_ENOENT);
	lkl_bug("bug %s", "here\n");
	dup2(saved, 2);
	CHECK(read(fds[0], seen, sizeof(seen) - 1) > 0);
	CHECK(!strcmp(seen, "open: No such file or directory\nbug here\n"));
	IS(panics, 1);
	CHECK(!strcmp(lkl_strerror(-LKL_EINVAL), "Invalid argument"));
	lkl_register_dbg_handler();
	IS(lkl_sys_halt(), 0);
	lkl_cleanup();
}

static void interrupts(void)
{
	int irq[3];

	for (int boot = 0; boot < 3; boot++) {
		if (!boot)
			irq[0] = lkl_get_free_irq("before");
		CHECK(irq[0] > 0);
		IS(lkl_init(&lkl_host_ops), 0);
		IS(lkl_start_kernel("mem=64M"), 0);
		irq[1] = lkl_get_free_irq("first");
		irq[2] = lkl_get_free_irq("second");
		CHECK(irq[1] > 0 && irq[2] > 0 && irq[1] != irq[2]);
		CHECK(irq[1] != irq[0] && irq[2] != irq[0]);
		IS(lkl_trigger_irq(irq[1]), 0);
		IS(lkl_trigger_irq(0), -LKL_EINVAL);
		IS(lkl_trigger_irq(100000), -LKL_EINVAL);
		/* Only the owner of a line can give it back. */
		lkl_put_irq(irq[1], "second");
		last = lkl_get_free_irq("third");
		CHECK(last != irq[1]);
		lkl_put_irq((int)last, "third");
		lkl_put_irq(irq[1], "first");
		IS(lkl_get_free_irq("third"), irq[1]);
		lkl_put_irq(irq[1], "third");
		lkl_put_irq(irq[2], "second");
		IS(lkl_sys_halt(), 0);
		lkl_cleanup();
	}
	/* Reserved before the first boot, still so after the last. */
	CHECK(lkl_get_free_irq("after") != irq[0]);
	for (last = 0; lkl_get_free_irq("all") > 0; last++)
		;
	CHECK(last > 100);
	IS(lkl_get_free_irq("all"), -LKL_EBUSY);
}

static int capacity(struct lkl_disk disk, unsigned long long *bytes)
{
	*bytes = *(unsigned long long *)disk.handle;
	return 0;
}

static int request(struct lkl_disk disk, struct lkl_blk_req *req)
{
	(void)disk;
	switch (req->type) {
	case LKL_DEV_BLK_TYPE_READ:
		for (int i = 0; i < req->count; i++)
			memset(req->buf[i].iov_base, (int)req->sector,
			       req->buf[i].iov_len);
		return LKL_DEV_BLK_STATUS_OK;
	case LKL_DEV_BLK_TYPE_WRITE:
	case LKL_DEV_BLK_TYPE_FLUSH:
	case LKL_DEV_BLK_TYPE_FLUSH_OUT:
		return LKL_DEV_BLK_STATUS_IOERR;
	}
	return LKL_DEV_BLK_STATUS_UNSUP;
}

static void disks(void)
{
	static struct lkl_dev_blk_ops ops;
	static unsigned long long size = 1 << 20;
	struct lkl_disk disk, file;
	struct lkl_timespec ts = { 0, 0 };
	struct lkl_stat st;
	struct lkl_dir *dir;
	char mnt[64];
	uint32_t dev, again;
	int id, err = 0, entries = 0;
	long fd;

	ops.get_capacity = capacity;
	ops.request = request;
	memset(&disk, 0, sizeof(disk));
	disk.handle = &size;
	disk.ops = &ops;
	lkl_host_ops.print = NULL;
	IS(lkl_init(&lkl_host_ops), 0);
	id = lkl_disk_add(&disk);
	CHECK(id >= 0);
	IS(lkl_start_kernel("mem=64M"), 0);
	IS(lkl_is_running(), 1);
	IS(lkl_sys_getpid(), 1);

	IS(lkl_get_virtio_blkdev(id, 0, &dev), 0);
	IS(lkl_encode_dev_from_sysfs("/sysfs/block/vda/dev", &again), 0);
	IS(dev, again);
	IS(lkl_sys_mknod("/vda", LKL_S_IFBLK | 0600, dev), 0);
	fd = lkl_sys_open("/vda", LKL_O_RDONLY, 0);
	IS(fd, 0);
	/* A read fills a page of the cache, of 64 KiB at most, from its
	 * beginning. */
	IS(lkl_sys_pread64((int)fd, mnt, 64, 1 << 16), 64);
	IS((unsigned char)mnt[0], (1 << 16) / 512);
	IS(lkl_sys_fstat((int)fd, &st), 0);
	CHECK(st.lkl_st_atime && st.lkl_st_mtime && st.lkl_st_ctime);
	CHECK(st.st_atime_nsec < 1000000000);
	IS(lkl_sys_close((int)fd), 0);
	IS(lkl_mount_dev((unsigned int)id, 0, "ext4", 0, NULL, mnt,
			 sizeof(mnt)),
	   -LKL_EINVAL);
	IS(lkl_umount_dev((unsigned int)id, 0, 0, 10), -LKL_ENOENT);
	IS(lkl_disk_remove(disk), 0);
	IS(lkl_get_virtio_blkdev(id, 0, &dev), -LKL_ENODEV);

	memset(&file, 0, sizeof(file));
	file.fd = fileno(tmpfile());
	IS(ftruncate(file.fd, 1 << 20), 0);
	CHECK(lkl_disk_add(&file) >= 0);
	IS(lkl_disk_remove(file), 0);

	IS(lkl_mount_fs("proc"), 0);
	IS(lkl_mount_fs("proc"), 1);
	dir = lkl_opendir("/proc", &err);
	CHECK(dir && lkl_dirfd(dir) >= 0);
	while (lkl_readdir(dir))
		entries++;
	IS(lkl_errdir(dir), 0);
	CHECK(entries > 20);
	lkl_rewinddir(dir);
	CHECK(!strcmp(lkl_readdir(dir)->d_name, "."));
	IS(lkl_closedir(dir), 0);
	IS(lkl_umount_timeout("/proc", 0, 10000), 0);
	IS(lkl_set_fd_limit(10), 0);
	IS(lkl_sys_dup2(0, 50), -LKL_EBADF);
	IS(ts.tv_sec + LKL_EINVAL, 22);
	IS(__LKL__BITS_PER_LONG, 64);
	IS(lkl_sys_halt(), 0);
	IS(lkl_is_running(), 0);
	lkl_cleanup();
}

/* Members and functions that programs know by these names. */
static void names(void)
{
	struct lkl_sockaddr_in to;
	struct lkl_config cfg;

	memset(&to, 0, sizeof(to));
	to.sin_addr.lkl_s_addr = 1;
	IS(to.sin_addr.s_addr, 1);
	IS(sizeof(to.sin_addr), 4);
	CHECK(!lkl_netdev_wintap_create("tap0"));
	lkl_change_tls_mode();

	memset(&cfg, 0, sizeof(cfg));
	IS(lkl_load_config_json(
		   &cfg, "{ \"sysctl\": \"a=b\", \"interfaces\": [{"
			 "\"type\": \"tap\", \"param\": \"t\", "
			 "\"ip\": \"10.0.0.1\", \"masklen\": \"8\" }] }"),
	   0);
	IS(cfg.ifnum, 1);
	CHECK(!strcmp(cfg.sysctls, "a=b"));
	CHECK(!strcmp(cfg.ifaces->iftype, "tap"));
	CHECK(!strcmp(cfg.ifaces->ifparams, "t"));
	CHECK(!strcmp(cfg.ifaces->ifip, "10.0.0.1"));
	CHECK(!strcmp(cfg.ifaces->ifnetmask_len, "8"));
	CHECK(!cfg.ifaces->ifmac_str && !cfg.ifaces->next);
	IS(lkl_unload_config(&cfg), 0);
}

int main(void)
{
	names();
	messages();
	lkl_host_ops.print = NULL;
	disks();
	interrupts();
	return 0;
}
