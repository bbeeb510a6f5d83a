package arch

// Parser is one function that turns bytes from outside into values, and what feeds it with garbage.
type Parser struct {
	Func    string // "folder.Func" or "folder.Type.Method"
	Target  string // "folder.FuzzName": the fuzz target that reaches it
	Trusted string // in place of Target: why its input is not a stranger's
}

// Parsers lists every function that parses network input. A function that looks like one and is missing here, and a
// fuzz target that is named here and does not reach its parser, fail the test Unfuzzed.
var Parsers = []Parser{}
