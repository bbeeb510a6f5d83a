// Package container tests the image, the Compose files and docs/docker.md with a real engine.
//
// The commands come out of docs/docker.md, block by block: what the document tells users is what runs here. They run in a
// copy of the checkout, under project names that belong to this process, and a janitor (a shell that waits for the end
// of this process on a pipe) removes what they have made, also when the test crashes or is killed.
//
// Without an engine or without Compose the tests are skipped with the reason; with CI=true that is a failure. The static
// checks of the files need neither.
package container
