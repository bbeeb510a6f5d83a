// Command target sends back what it receives on a TCP address, the only argument. It is the benchmarks' target in a
// process of its own where both ends of all connections are more than the files that one process may open.
package main

import (
	"fmt"
	"net"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: target ADDRESS:PORT")
		os.Exit(2)
	}
	fmt.Fprintln(os.Stderr, "target:", serve(os.Args[1]))
	os.Exit(1)
}

// serve returns only when it fails.
func serve(addr string) error {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	for {
		c, err := ln.Accept()
		if err != nil {
			return err
		}
		go echo(c)
	}
}

// echo ends with the connection: who uses the target sees what is missing. io.Copy would splice, and hold a pipe for
// each idle connection.
func echo(c net.Conn) {
	defer c.Close()
	var b [4096]byte
	for {
		n, err := c.Read(b[:])
		if err != nil {
			return
		}
		if _, err := c.Write(b[:n]); err != nil {
			return
		}
	}
}
