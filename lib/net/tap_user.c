// SPDX-License-Identifier: GPL-2.0-only
/*
 * The program that has a tap.
 *
 * The name of a tap is in /proc, for each descriptor of one, but the same name
 * can be there in every network namespace.  The descriptor itself tells which
 * one it is, to those who may copy it.  For others, a process that is in this
 * namespace itself may be the one.
 */
#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>

#include "../net.h"

enum answer { NO, MAYBE, YES };

static bool is_here(const struct stat *net)
{
	struct stat here;

	return !stat("/proc/thread-self/ns/net", &here) &&
	       here.st_dev == net->st_dev && here.st_ino == net->st_ino;
}

/* The network namespace of the tap that a process has, or -1. */
static int namespace_of(int process, int fd, const char *ifname)
{
	int tap = syscall(SYS_pidfd_getfd, process, fd, 0), net = -1;
	struct ifreq ifr = { 0 };

	/* the numbers may have become others', or /proc be another one's */
	if (!ioctl(tap, TUNGETIFF, &ifr) && !strcmp(ifr.ifr_name, ifname))
		net = ioctl(tap, SIOCGSKNS);
	if (tap >= 0)
		close(tap);
	return net;
}

/* Is the tap of a process's descriptor one of this network namespace? */
static enum answer tap_is_here(const char *pid, const char *fd,
			       const char *ifname)
{
	int process = syscall(SYS_pidfd_open, atoi(pid), 0);
	int net = namespace_of(process, atoi(fd), ifname);
	enum answer answer = NO;
	char path[300];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%.20s/ns/net", pid);
	if (net >= 0)
		answer = !fstat(net, &st) && is_here(&st) ? YES : NO;
	else if (!stat(path, &st) && is_here(&st))
		answer = MAYBE;
	if (net >= 0)
		close(net);
	if (process >= 0)
		close(process);
	return answer;
}

/* Does a process have the interface?  Each of its descriptors tells. */
static enum answer has_tap(const char *pid, const char *ifname)
{
	char path[300], line[64], iff[IFNAMSIZ];
	enum answer answer = NO;
	struct dirent *entry;
	FILE *info;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%.20s/fdinfo", pid);
	dir = opendir(path);
	while (dir && answer == NO && (entry = readdir(dir))) {
		bool named = false;

		snprintf(path, sizeof(path), "/proc/%.20s/fdinfo/%.20s", pid,
			 entry->d_name);
		info = fopen(path, "re");
		while (info && !named && fgets(line, sizeof(line), info))
			named = sscanf(line, "iff: %15s", iff) == 1 &&
				!strcmp(iff, ifname);
		if (info)
			fclose(info);
		if (named)
			answer = tap_is_here(pid, entry->d_name, ifname);
	}
	if (dir)
		closedir(dir);
	return answer;
}

static void name_process(char *text, size_t size, const char *how,
			 const char *pid)
{
	char path[300], name[32] = "";
	FILE *comm;

	snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
	comm = fopen(path, "re");
	if (comm && fgets(name, sizeof(name), comm))
		name[strcspn(name, "\n")] = 0;
	if (comm)
		fclose(comm);
	snprintf(text, size, "in use%s by process %.20s (%s)", how, pid, name);
}

const char *lkl_tap_user(const char *ifname)
{
	static char text[80];
	enum answer answer, best = NO;
	struct dirent *entry;
	DIR *dir = opendir("/proc");

	strcpy(text, "in use by another program");
	while (dir && best != YES && (entry = readdir(dir))) {
		if (!isdigit(*entry->d_name))
			continue;
		answer = has_tap(entry->d_name, ifname);
		if (answer <= best)
			continue;
		best = answer;
		name_process(text, sizeof(text), best == YES ? "" : ", perhaps",
			     entry->d_name);
	}
	if (dir)
		closedir(dir);
	return text;
}
