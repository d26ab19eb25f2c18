// SPDX-License-Identifier: GPL-2.0-only
/*
 * The console is the host's print operation; /dev/console writes there too.
 */
#include <linux/console.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/major.h>
#include <linux/uaccess.h>
#include <asm/host_ops.h>
#include <asm/setup.h>

static void lkl_console_write(struct console *con, const char *s,
			      unsigned int n)
{
	if (lkl_ops->print)
		lkl_ops->print(s, n);
}

static struct console lkl_console = {
	.name = "lkl",
	.write = lkl_console_write,
	.flags = CON_PRINTBUFFER | CON_ENABLED,
	.index = -1,
};

static ssize_t lkl_dev_console_write(struct file *file, const char __user *ubuf,
				     size_t count, loff_t *ppos)
{
	char buf[256];
	size_t n = min(count, sizeof(buf));

	if (copy_from_user(buf, ubuf, n))
		return -EFAULT;
	if (lkl_ops->print)
		lkl_ops->print(buf, n);
	return n;
}

static const struct file_operations lkl_dev_console_fops = {
	.write = lkl_dev_console_write,
	.llseek = noop_llseek,
};

static int __init lkl_console_init(void)
{
	/* TTYAUX minor 1 is /dev/console; without TTY nobody else provides it. */
	return __register_chrdev(TTYAUX_MAJOR, 1, 1, "console",
				 &lkl_dev_console_fops);
}
fs_initcall(lkl_console_init);

void __init lkl_console_early(void)
{
	register_console(&lkl_console);
}
