// SPDX-License-Identifier: GPL-2.0-only

// Configure the network with a netlink package, without privileges.
package main

import (
	"fmt"
	"os"

	"github.com/vishvananda/netlink"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	link := &netlink.Dummy{LinkAttrs: netlink.LinkAttrs{Name: "mine"}}
	check(netlink.LinkAdd(link))
	addr, err := netlink.ParseAddr("192.0.2.1/24")
	check(err)
	check(netlink.AddrAdd(link, addr))
	check(netlink.LinkSetUp(link))
	routes, err := netlink.RouteList(link, netlink.FAMILY_V4)
	check(err)
	fmt.Println(routes[0].Dst, routes[0].Src)
}
