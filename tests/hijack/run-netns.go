// SPDX-License-Identifier: GPL-2.0-only
//
// What Go programs do with network namespaces: a thread that is locked goes to a
// new one, and no other does; interfaces are moved by a descriptor; a program is
// executed in a namespace of its own.

package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

func check(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// Those that all kernels have, and ours.
func names() (all []string) {
	list, err := net.Interfaces()
	check(err)
	for _, i := range list {
		if i.Name == "lo" || i.Name[0] == 'v' {
			all = append(all, i.Name)
		}
	}
	return all
}

func run(flags uintptr, args ...string) {
	c := exec.Command(args[0], args[1:]...)
	c.Stdout = os.Stdout
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags}
	fmt.Println(args[0], c.Run())
}

func main() {
	runtime.LockOSThread()
	first, err := netns.Get()
	check(err)
	other, err := netns.New()
	check(err)
	fmt.Println(first.Equal(other), names())
	check(netlink.LinkAdd(&netlink.Veth{
		LinkAttrs: netlink.LinkAttrs{Name: "va"}, PeerName: "vb"}))
	link, err := netlink.LinkByName("vb")
	check(err)
	check(netlink.LinkSetNsFd(link, int(first)))
	fmt.Println(names())

	var all sync.WaitGroup
	for i := 0; i < 4; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			runtime.LockOSThread()
			here, err := netns.Get()
			fmt.Println(here.Equal(first), err)
		}()
	}
	all.Wait()

	check(netns.Set(first))
	fmt.Println(names())
	handle, err := netlink.NewHandleAt(other)
	check(err)
	_, err = handle.LinkByName("va")
	fmt.Println(err)
	_, err = handle.LinkByName("vb")
	fmt.Println(err)
	run(syscall.CLONE_NEWNET, "sh", "-c", "ip link show lo | grep -o LOOPBACK.*,UP")
	run(0, "sh", "-c", "ip link show vb | grep -o vb")

	named, err := netns.NewNamed("gonet")
	fmt.Println(named.IsOpen(), err, names())
	check(netns.Set(first))
	fmt.Println(netns.DeleteNamed("gonet"))
}
