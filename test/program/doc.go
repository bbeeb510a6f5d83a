// Package program builds the two programs of this tree once per test process and runs them as a user would: real
// processes, real files, real ports. It is for tests and benchmarks of the whole.
//
//	func TestMain(m *testing.M) { os.Exit(program.Main(m)) }
//
//	site := program.NewSite(t, "127.0.0.1")                   // hawser-server init
//	server := site.StartServer(program.Options{})             // on free ports
//	client := site.StartClient("home", server.PlainAddr(), program.Options{}) // invite, join, run
//	conn, err := net.Dial("tcp", client.ProxyAddr().String())
//	client.AwaitStatus("both uplinks are up", func(s admin.Status) bool { … })
//	status := client.Stop()
//
// # Choices
//
// The programs are built without the race detector, also when the tests have it: what is measured is what users run.
//
// Configuration comes from the real init, invite and join; what a test wants otherwise it says by environment
// variables, which override files. Variables of the tester's own (HAWSER_…) do not get through. Every port is 0 and the
// one in force is read from the log, so that tests never compete for ports; the log is JSON for that reason.
//
// Nothing sleeps: waiting is for a line of the log, a status or the end of the process, and each wait has a deadline
// (Patience) after which the test fails with the log. A process that still runs when its test ends is killed, and its
// log is shown if the test has failed.
//
// A process runs on this machine or on a Host, such as a network namespace of package netlab.
package program
