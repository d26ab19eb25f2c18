// SPDX-License-Identifier: GPL-2.0-only
/*
 * The program that hands the frames of a queue to an AF_XDP socket.
 *
 * It is attached by a link, a descriptor, so that the host removes it when the
 * process ends, whatever ends it; libxdp's own program would stay.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/if_link.h>

#include "../load.h"
#include "../message.h"
#include "xdp.h"

static struct {
	int (*map_create)(enum bpf_map_type type, const char *name,
			  __u32 key_size, __u32 value_size, __u32 max_entries,
			  const struct bpf_map_create_opts *opts);
	int (*map_update)(int fd, const void *key, const void *value,
			  __u64 flags);
	int (*prog_load)(enum bpf_prog_type type, const char *name,
			 const char *license, const struct bpf_insn *insns,
			 size_t count, const struct bpf_prog_load_opts *opts);
	int (*link_create)(int prog, int target, enum bpf_attach_type type,
			   const struct bpf_link_create_opts *opts);
} lib;

static const char *const names[] = { "bpf_map_create", "bpf_map_update_elem",
				     "bpf_prog_load", "bpf_link_create", NULL };

const char *xdp_error(int err, const char *rights)
{
	static char text[80];

	switch (err) {
	case EPERM:
		snprintf(text, sizeof(text), "no permission (needs %s)",
			 rights);
		return text;
	case EBUSY:
		return "another program has the interface or its queue";
	case EINVAL:
		return "it has no such queue, or knows no XDP";
	case ENOBUFS:
	case ENOMEM:
		return "not enough memory may be locked (see ulimit -l)";
	}
	return strerror(err);
}

/* Redirect what comes by a queue that is in the map, pass everything else. */
static int load(int map)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_LDX | BPF_MEM | BPF_W,
		  .dst_reg = BPF_REG_2,
		  .src_reg = BPF_REG_1,
		  .off = offsetof(struct xdp_md, rx_queue_index) },
		{ .code = BPF_LD | BPF_DW | BPF_IMM,
		  .dst_reg = BPF_REG_1,
		  .src_reg = BPF_PSEUDO_MAP_FD,
		  .imm = map },
		{ 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K,
		  .dst_reg = BPF_REG_3,
		  .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect_map },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return lib.prog_load(BPF_PROG_TYPE_XDP, "lkl", "GPL", insns,
			     sizeof(insns) / sizeof(*insns), NULL);
}

/* In the driver if that can do it, else behind it. */
static int attach(int program, int ifindex)
{
	struct bpf_link_create_opts opts = { .sz = sizeof(opts) };
	int link = lib.link_create(program, ifindex, BPF_XDP, &opts);

	if (link < 0 && errno != EPERM && errno != EBUSY) {
		opts.flags = XDP_FLAGS_SKB_MODE;
		link = lib.link_create(program, ifindex, BPF_XDP, &opts);
	}
	return link;
}

int xdp_attach(const char *wire, int ifindex, unsigned int queue, int socket)
{
	int map, program = -1, link = -1;

	if (!lkl_load(wire, "libbpf.so.1", "libbpf1", names, (void **)&lib))
		return -1;
	map = lib.map_create(BPF_MAP_TYPE_XSKMAP, "lkl", sizeof(queue),
			     sizeof(socket), queue + 1, NULL);
	if (map >= 0 && !lib.map_update(map, &queue, &socket, 0))
		program = load(map);
	if (program >= 0)
		link = attach(program, ifindex);
	if (link < 0)
		lkl_message(wire, "no program for its frames: %s",
			    xdp_error(errno, "CAP_BPF and CAP_NET_ADMIN"));
	/* The link holds the program, that the map. */
	if (program >= 0)
		close(program);
	if (map >= 0)
		close(map);
	return link;
}
