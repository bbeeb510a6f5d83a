// Command hawser-server is the far end of Hawser: it ends the sessions of its clients and connects their streams to
// where they want to go.
package main

import (
	"os"

	"hawser/configs"
	"hawser/proxy/cli"
)

func main() {
	os.Exit(cli.Run(newRootCommand(configs.Machine())))
}
