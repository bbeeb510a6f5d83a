// Package arch holds the tests that guard the house itself: which package may import which, which code must stay
// pure, how long files and functions may get, that every parser of network input is fuzzed, that every package
// explains itself, and that nothing half-finished or bound to one machine stays in the tree.
//
// Each rule is a function from a Tree to the list of its violations, so that the same function judges this repository
// and, in its own test, a bad sample that it has to find. Files are parsed, not type-checked: that takes a second, sees
// the files of every operating system at once, and works while a package does not compile. The linter's depguard holds
// the same import walls (.golangci.yml) for those who read its output in an editor; this package does not depend on it.
package arch
