// Package client asks a running program how it is: the commands status and healthcheck of both programs.
//
// It talks to the admin port as a stranger's script would, through the documented API, so that what the commands show
// is what anybody can get. The answer is shown as it came with --json: a program that is newer than the command may
// say more than the command knows.
package client
