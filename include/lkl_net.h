/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Configuration of the network, a part of <lkl.h>.  Addresses are in network
 * byte order, @af is LKL_AF_INET or LKL_AF_INET6, and all happens in the
 * network namespace of the calling thread.  The devices themselves are in
 * lkl_host.h.
 */
#ifndef LKL_NET_H
#define LKL_NET_H

#include <stdint.h>

#include <lkl/asm/syscalls.h>

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

/**
 * lkl_ifname_to_ifindex - index of an interface
 * @name: its name, like "eth0"
 *
 * Return: the index, -LKL_ENODEV, or another negative error number
 */
int lkl_ifname_to_ifindex(const char *name);

/**
 * lkl_if_up - activate an interface
 * @ifindex: the interface; 1 is the loopback interface
 *
 * Return: 0 or a negative error number
 */
int lkl_if_up(int ifindex);

/**
 * lkl_if_down - deactivate an interface
 * @ifindex: the interface
 *
 * Return: 0 or a negative error number
 */
int lkl_if_down(int ifindex);

/**
 * lkl_if_set_mtu - set the size of the largest packet
 * @ifindex: the interface
 * @mtu: the size in bytes
 *
 * Return: 0, -LKL_EINVAL for a size that the device cannot do, or another
 * negative error number
 */
int lkl_if_set_mtu(int ifindex, int mtu);

/**
 * lkl_if_set_ipv4 - give an interface an IPv4 address
 * @ifindex: the interface
 * @addr: the address
 * @masklen: bits of it that make the network
 *
 * Other addresses stay, and having this one already is no error.
 *
 * Return: 0 or a negative error number
 */
int lkl_if_set_ipv4(int ifindex, unsigned int addr, unsigned int masklen);

/**
 * lkl_set_ipv4_gateway - set the IPv4 default route
 * @gw: the gateway, which must be in reach of an active interface
 *
 * Return: 0, -LKL_ENETUNREACH, or another negative error number
 */
int lkl_set_ipv4_gateway(unsigned int gw);

/**
 * lkl_if_set_ipv4_gateway - set a gateway for traffic from an address
 * @ifindex: the interface that has the address
 * @addr: the address
 * @masklen: bits of it that make the network, which is in direct reach
 * @gw: the gateway for all else
 *
 * The routes are in table 2 * ifindex, which a rule selects for packets from
 * @addr.
 *
 * Return: 0, or a negative error number and nothing has changed
 */
int lkl_if_set_ipv4_gateway(int ifindex, unsigned int addr,
			    unsigned int masklen, unsigned int gw);

/**
 * lkl_if_set_ipv6 - give an interface an IPv6 address
 * @ifindex: the interface
 * @addr: the address, 16 bytes
 * @plen: bits of it that make the network
 *
 * If the interface is up and has a link, waits as lkl_if_wait_ipv6_dad() does.
 *
 * Return: 0 or a negative error number
 */
int lkl_if_set_ipv6(int ifindex, const void *addr, unsigned int plen);

/**
 * lkl_set_ipv6_gateway - set the IPv6 default route
 * @gw: the gateway, 16 bytes
 *
 * Return: 0 or a negative error number
 */
int lkl_set_ipv6_gateway(const void *gw);

/**
 * lkl_if_set_ipv6_gateway - set a gateway for traffic from an address
 * @ifindex: the interface that has the address
 * @addr: the address, 16 bytes
 * @plen: bits of it that make the network, which is in direct reach
 * @gw: the gateway for all else, 16 bytes
 *
 * As lkl_if_set_ipv4_gateway(), with table 2 * ifindex + 1.
 *
 * Return: 0, or a negative error number and nothing has changed
 */
int lkl_if_set_ipv6_gateway(int ifindex, const void *addr, unsigned int plen,
			    const void *gw);

/**
 * lkl_if_add_ip - add an address to an interface
 * @ifindex: the interface
 * @af: family of the address
 * @addr: the address
 * @plen: bits of it that make the network
 *
 * Return: 0, -LKL_EEXIST, or another negative error number
 */
int lkl_if_add_ip(int ifindex, int af, const void *addr, unsigned int plen);

/**
 * lkl_if_del_ip - remove an address from an interface
 * @ifindex: the interface
 * @af: family of the address
 * @addr: the address
 * @plen: bits of it that make the network
 *
 * Return: 0, -LKL_EADDRNOTAVAIL, or another negative error number
 */
int lkl_if_del_ip(int ifindex, int af, const void *addr, unsigned int plen);

/**
 * lkl_add_gateway - add a default route
 * @af: family of the address
 * @gw: the gateway
 *
 * Return: 0, -LKL_EEXIST if there is a default route, or another negative error
 * number
 */
int lkl_add_gateway(int af, const void *gw);

/**
 * lkl_if_add_rule_from_saddr - have an interface's routing table used
 * @ifindex: the interface; its table is 2 * ifindex, for IPv6 one more
 * @af: family of the address
 * @saddr: packets from this address will be routed by the table
 *
 * Return: 0, -LKL_EEXIST, or another negative error number
 */
int lkl_if_add_rule_from_saddr(int ifindex, int af, const void *saddr);

/**
 * lkl_if_add_gateway - add a default route to an interface's routing table
 * @ifindex: the interface
 * @af: family of the address
 * @gw: the gateway
 *
 * Return: 0, -LKL_EEXIST, or another negative error number
 */
int lkl_if_add_gateway(int ifindex, int af, const void *gw);

/**
 * lkl_if_add_linklocal - add a network in direct reach to an interface's
 *	routing table
 * @ifindex: the interface
 * @af: family of the address
 * @addr: an address in the network
 * @plen: bits of it that make the network
 *
 * Return: 0, -LKL_EEXIST, or another negative error number
 */
int lkl_if_add_linklocal(int ifindex, int af, const void *addr, int plen);

/**
 * lkl_add_neighbor - add a permanent neighbour, with its link-layer address
 * @ifindex: the interface
 * @af: family of the address
 * @ip: the neighbour's address
 * @mac: its link-layer address, 6 bytes
 *
 * Return: 0 or a negative error number
 */
int lkl_add_neighbor(int ifindex, int af, const void *ip, const void *mac);

/**
 * lkl_if_wait_ipv6_dad - wait until an IPv6 address can be used
 * @ifindex: the interface
 * @addr: the address, 16 bytes
 *
 * Sleeps until the kernel knows that no other node on the link has it.
 *
 * Return: 0, -LKL_EADDRNOTAVAIL if the interface does not have it or another
 * node does, -LKL_ENETDOWN if the interface is down or has no link and so
 * cannot ask, -LKL_ETIMEDOUT after 10 s, or another negative error number
 */
int lkl_if_wait_ipv6_dad(int ifindex, const void *addr);

/**
 * lkl_qdisc_add - set a queueing discipline, or a class of one
 * @ifindex: the interface
 * @root: where, usually "root".  More is said in the words of tc(8): "ingress",
 *	"root handle 1:", "parent 1: classid 1:10"
 * @type: what: any kind that the kernel knows, like "fq".  fq, fq_codel, netem,
 *	tbf, and htb with its classes, may have tc's options behind, like
 *	"netem delay 10ms loss 1%"
 *
 * Replaces what is there.
 *
 * Return: 0, -LKL_EINVAL for words or values that are not understood,
 * -LKL_ENOENT for an unknown kind, or another negative error number
 */
int lkl_qdisc_add(int ifindex, const char *root, const char *type);

/**
 * lkl_qdisc_parse_add - set several queueing disciplines and classes
 * @ifindex: the interface
 * @entries: "root|fq" or "root handle 1:|htb default 10; parent 1: classid
 *	1:10|htb rate 10mbit"; see lkl_qdisc_add()
 *
 * Stops at the first failure, and says on standard error what was wrong.
 */
void lkl_qdisc_parse_add(int ifindex, const char *entries);

/**
 * lkl_sysctl - change a setting of the kernel
 * @path: its name, "net.ipv4.tcp_wmem", as of sysctl(8)
 * @value: its value
 *
 * Needs no mounted proc.
 *
 * Return: 0, -LKL_ENOENT without such a setting, -LKL_EINVAL for a bad value,
 * or another negative error number
 */
int lkl_sysctl(const char *path, const char *value);

/**
 * lkl_sysctl_parse_write - change several settings
 * @sysctls: "net.ipv4.tcp_sack=1;net.core.somaxconn=100"
 *
 * Stops at the first failure, and says on standard error what was wrong.
 */
void lkl_sysctl_parse_write(const char *sysctls);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif /* LKL_NET_H */
