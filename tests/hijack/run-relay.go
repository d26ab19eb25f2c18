// SPDX-License-Identifier: GPL-2.0-only

// A plain TCP relay under load, with its load: prints megabytes per second
// and its resident memory in KiB: its own, and shared (the library's RAM).
// Run with the number of connections; with 0 it does nothing.
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const amount = 4 << 20

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(handle func(net.Conn)) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	go func() {
		for {
			c, err := l.Accept()
			check(err)
			go handle(c)
		}
	}()
	return l.Addr().String()
}

func status(key string) (kib int) {
	f, err := os.Open("/proc/self/status")
	check(err)
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if strings.HasPrefix(s.Text(), key+":") {
			kib, err = strconv.Atoi(strings.Fields(s.Text())[1])
			check(err)
		}
	}
	return
}

func main() {
	n, err := strconv.Atoi(os.Args[1])
	check(err)
	sink := serve(func(c net.Conn) {
		got, err := io.Copy(io.Discard, c)
		check(err)
		fmt.Fprintln(c, got)
		c.Close()
	})
	relay := serve(func(c net.Conn) {
		to, err := net.Dial("tcp", sink)
		check(err)
		// Hidden from the splice() that net has: a plain relay.
		go func() {
			io.Copy(struct{ io.Writer }{to}, struct{ io.Reader }{c})
			to.(*net.TCPConn).CloseWrite()
		}()
		io.Copy(struct{ io.Writer }{c}, struct{ io.Reader }{to})
		c.Close()
		to.Close()
	})
	start := time.Now()
	var wg sync.WaitGroup
	for i := 0; i < n; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			c, err := net.Dial("tcp", relay)
			check(err)
			_, err = c.Write(make([]byte, amount))
			check(err)
			check(c.(*net.TCPConn).CloseWrite())
			answer, err := io.ReadAll(c)
			check(err)
			if string(answer) != fmt.Sprintln(amount) {
				check(fmt.Errorf("%q arrived of %d", answer, amount))
			}
		}()
	}
	wg.Wait()
	rate := float64(n) * amount / time.Since(start).Seconds() / 1e6
	fmt.Printf("%.0f %d %d\n", rate, status("RssAnon")+status("RssFile"),
		status("RssShmem"))
}
