// SPDX-License-Identifier: GPL-2.0-only
/*
 * libcryptsetup finds the key of the disk, the library's dm-crypt uses it.
 *
 * The former reads files, so it gets one in memory that has the header and the
 * key slots.  It is loaded when it is needed, as it brings a dozen libraries
 * with it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <libcryptsetup.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "luks.h"
#include "tool.h"

#define SECTOR 512
/* Where all versions have what tells how long the header is. */
#define HEADER_START (8ULL << 20)
#define HEADER_MAX (1ULL << 30)
#define KEY_MAX 512

#define FUNCTION(name) __typeof__(crypt_##name) *name

static struct {
	FUNCTION(init);
	FUNCTION(free);
	FUNCTION(load);
	FUNCTION(metadata_locking);
	FUNCTION(set_log_callback);
	FUNCTION(get_type);
	FUNCTION(get_cipher);
	FUNCTION(get_cipher_mode);
	FUNCTION(get_data_offset);
	FUNCTION(get_iv_offset);
	FUNCTION(get_sector_size);
	FUNCTION(get_integrity_info);
	FUNCTION(get_volume_key_size);
	FUNCTION(reencrypt_status);
	FUNCTION(volume_key_get);
} lib;

/* In the same order. */
static const char *const names[] = {
	"crypt_init",
	"crypt_free",
	"crypt_load",
	"crypt_metadata_locking",
	"crypt_set_log_callback",
	"crypt_get_type",
	"crypt_get_cipher",
	"crypt_get_cipher_mode",
	"crypt_get_data_offset",
	"crypt_get_iv_offset",
	"crypt_get_sector_size",
	"crypt_get_integrity_info",
	"crypt_get_volume_key_size",
	"crypt_reencrypt_status",
	"crypt_volume_key_get",
};

/* What libcryptsetup has to say is in its error numbers, too. */
static void no_log(int level, const char *text, void *arg)
{
	(void)level;
	(void)text;
	(void)arg;
}

static struct crypt_device *open_header(int fd)
{
	struct crypt_device *cd = NULL;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return fd < 0 || lib.init(&cd, path) ? NULL : cd;
}

/* Have it open the host's random numbers while files can be opened. */
static void prepare(void)
{
	int fd = memfd_create("none", MFD_CLOEXEC);
	struct crypt_device *cd = open_header(fd);

	if (cd) {
		lib.load(cd, CRYPT_LUKS, NULL);
		lib.free(cd);
	}
	if (fd >= 0)
		close(fd);
}

int luks_load(void)
{
	void *handle =
		lib.init ? NULL
			 : dlopen("libcryptsetup.so.12", RTLD_NOW | RTLD_LOCAL);
	void **function = (void **)&lib;

	if (lib.init)
		return 0;
	for (size_t i = 0; handle && i < sizeof(names) / sizeof(*names); i++) {
		function[i] = dlsym(handle, names[i]);
		if (!function[i])
			handle = NULL;
	}
	if (handle) {
		/* There is one user of a file in memory. */
		lib.metadata_locking(NULL, 0);
		lib.set_log_callback(NULL, no_log, NULL);
		prepare();
		return 0;
	}
	lib.init = NULL;
	tool_error("encrypted disks need the library of Debian's package "
		   "libcryptsetup12");
	return -1;
}

static bool copy(struct device *d, int fd, uint64_t pos, uint64_t end)
{
	const size_t size = 1 << 20;
	char *buf = tool_alloc(NULL, size);
	bool ok = true;

	if (end > d->size)
		end = d->size;
	while (ok && pos < end) {
		size_t n = end - pos < size ? end - pos : size;

		ok = device_read(d, buf, n, pos) &&
		     pwrite(fd, buf, n, pos) == (ssize_t)n;
		pos += n;
	}
	free(buf);
	return ok;
}

/* A reason not to try, or NULL. */
static const char *obstacle(struct crypt_device *cd, uint64_t offset,
			    uint64_t size)
{
	struct crypt_params_integrity integrity = { 0 };

	if (offset >= size || offset > HEADER_MAX)
		return "its header is damaged";
	if (lib.get_integrity_info(cd, &integrity) >= 0 && integrity.integrity)
		return "it has authenticated encryption, which is not "
		       "supported";
	if (!strcmp(lib.get_type(cd), CRYPT_LUKS2) &&
	    lib.reencrypt_status(cd, NULL) != CRYPT_REENCRYPT_NONE)
		return "it is being encrypted anew; let cryptsetup finish "
		       "that";
	if (lib.get_volume_key_size(cd) > KEY_MAX)
		return "its key is too long";
	return NULL;
}

static void add_target(struct crypt_device *cd, const struct device *d,
		       const char *key, size_t len, struct table *t)
{
	uint64_t offset = lib.get_data_offset(cd);
	unsigned int sector = lib.get_sector_size(cd);
	const char *mode = lib.get_cipher_mode(cd);
	char hex[2 * KEY_MAX + 1] = "-";

	for (size_t i = 0; i < len; i++)
		sprintf(hex + 2 * i, "%02x", (unsigned char)key[i]);
	/* the library has one CPU: queues are no gain */
	table_add(t, "crypt",
		  (d->size / SECTOR - offset) & ~(sector / SECTOR - 1ULL),
		  "%s%s%s %s %llu %u:%u %llu 3 no_read_workqueue "
		  "no_write_workqueue sector_size:%u",
		  lib.get_cipher(cd), mode && *mode ? "-" : "",
		  mode ? mode : "", hex,
		  (unsigned long long)lib.get_iv_offset(cd), DEV_MAJOR(d->dev),
		  DEV_MINOR(d->dev), (unsigned long long)offset, sector);
	explicit_bzero(hex, sizeof(hex));
}

static const char *unlock(const struct key *k, struct crypt_device *cd, int fd,
			  struct device *d, struct table *t)
{
	char key[KEY_MAX];
	size_t len = sizeof(key);
	const char *reason;
	uint64_t offset;
	int err;

	err = lib.load(cd, CRYPT_LUKS, NULL);
	if (err)
		return "its header is damaged";
	offset = lib.get_data_offset(cd) * SECTOR;
	reason = obstacle(cd, offset, d->size);
	if (reason)
		return reason;
	if (!copy(d, fd, HEADER_START, offset))
		return strerror(EIO);
	err = lib.volume_key_get(cd, CRYPT_ANY_SLOT, key, &len, k->text,
				 k->len);
	if (err >= 0)
		add_target(cd, d, key, len, t);
	explicit_bzero(key, sizeof(key));
	return err >= 0	       ? NULL
	       : err == -EPERM ? "the passphrase is wrong"
			       : strerror(-err);
}

int luks_unlock(const char *image, const struct key *k, struct device *d,
		struct table *t)
{
	int fd = memfd_create("header", MFD_CLOEXEC);
	struct crypt_device *cd = NULL;
	const char *reason;
	int ret = -1;

	if (luks_load())
		goto failed;
	if (fd < 0 || ftruncate(fd, d->size) || !copy(d, fd, 0, HEADER_START) ||
	    !(cd = open_header(fd)))
		reason = strerror(EIO);
	else
		reason = unlock(k, cd, fd, d, t);
	if (cd)
		lib.free(cd);
	if (reason)
		tool_error("cannot unlock '%s': %s", image, reason);
	else
		ret = 0;
failed:
	if (fd >= 0)
		close(fd);
	return ret;
}
