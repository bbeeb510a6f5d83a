// Command hawser-client is the near end of Hawser: a local SOCKS5 and HTTP proxy whose connections travel over every
// uplink of this machine at once.
package main

import (
	"os"

	"hawser/configs"
	"hawser/proxy/cli"
)

func main() {
	os.Exit(cli.Run(newRootCommand(configs.Machine())))
}
