// SPDX-License-Identifier: GPL-2.0-only

// An HTTP server and its clients: many goroutines, garbage collection under
// load, and a goroutine that only a signal can preempt.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const (
	clients  = 60
	requests = 30
	size     = 20000
)

var spins int64

func spin() {
	for {
		for x := 0; x < 1e9; x++ {
			atomic.AddInt64(&spins, int64(x&1))
		}
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	want := make([]byte, size)
	for i := range want {
		want[i] = byte(i * 7)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	go http.Serve(listener, http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			w.Write(append([]byte(nil), want...))
		}))

	runtime.GOMAXPROCS(4)
	go spin()
	var wg sync.WaitGroup
	for c := 0; c < clients; c++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := 0; i < requests; i++ {
				r, err := http.Get("http://" + listener.Addr().String())
				check(err)
				got, err := io.ReadAll(r.Body)
				check(err)
				r.Body.Close()
				if !bytes.Equal(got, want) {
					check(fmt.Errorf("wrong answer"))
				}
				if i%10 == 0 {
					runtime.GC()
				}
			}
		}()
	}
	wg.Wait()

	// Time-outs, and a program that is none of the library's.
	conn, err := net.Dial("tcp", listener.Addr().String())
	check(err)
	check(conn.SetReadDeadline(time.Now().Add(30 * time.Millisecond)))
	_, err = conn.Read(make([]byte, 1))
	if e, ok := err.(net.Error); !ok || !e.Timeout() {
		check(fmt.Errorf("no time-out: %v", err))
	}
	out, err := exec.Command("/bin/echo", "a helper").Output()
	check(err)
	exe, err := os.Executable()
	check(err)
	fmt.Printf("%d answers, %s%s\n", clients*requests, out, exe)
}
