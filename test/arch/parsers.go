package arch

// Parser is one function that turns bytes from outside into values, and what feeds it with garbage.
type Parser struct {
	Func    string // "folder.Func" or "folder.Type.Method"
	Target  string // "folder.FuzzName": the fuzz target that reaches it
	Trusted string // in place of Target: why its input is not a stranger's
}

// Parsers lists every function that parses network input. A function that looks like one and is missing here, and a
// fuzz target that is named here and does not reach its parser, fail the test Unfuzzed.
var Parsers = []Parser{
	{Func: "transport/wire.ConsumeOption", Target: "transport/wire.FuzzConsumeOption"},
	{Func: "transport/wire.ConsumeOptions", Target: "transport/wire.FuzzConsumeOptions"},
	{Func: "transport/wire.DSS.Consume", Target: "transport/wire.FuzzDSS"},
	{Func: "transport/wire.DSS.consumeMap", Target: "transport/wire.FuzzDSS"},
	{Func: "transport/wire.consumeDSS", Target: "transport/wire.FuzzConsumeOption"},
	{Func: "transport/wire.consumeAddAddr", Target: "transport/wire.FuzzConsumeOption"},
	{Func: "transport/wire.consumeRemoveAddr", Target: "transport/wire.FuzzConsumeOption"},
	{Func: "transport/wire.consumeCapable", Target: "transport/wire.FuzzConsumeOption"},
	{Func: "transport/wire.consumePrio", Target: "transport/wire.FuzzConsumeOption"},
	{Func: "transport/wire.consumeFail", Target: "transport/wire.FuzzConsumeOption"},
	{Func: "transport/wire.consumeFastclose", Target: "transport/wire.FuzzConsumeOption"},
	{Func: "transport/wire.consumeReset", Target: "transport/wire.FuzzConsumeOption"},
	{Func: "transport/wire.consumeJoin", Target: "transport/wire.FuzzConsumeOption"},

	{Func: "transport/plain.consumeAck", Target: "transport/plain.FuzzAck"},
	{Func: "transport/plain.consumePreface", Target: "transport/plain.FuzzPreface"},
	{Func: "transport/plain.consumeHeader", Target: "transport/plain.FuzzRecords"},
	{Func: "transport/plain.framer.parse", Target: "transport/plain.FuzzRecords"},
	{Func: "transport/plain.framer.parseData", Target: "transport/plain.FuzzRecords"},
	{Func: "transport/plain.record.parseOptions", Target: "transport/plain.FuzzRecords"},
	{Func: "transport/plain.reader.parse", Trusted: "cuts what was read into batches; framer.parse looks at the bytes"},
	{Func: "transport/plain.parseFirst", Target: "transport/plain.FuzzFirst"},

	{Func: "proxy/relay.readPooled", Trusted: "passes bytes on and looks at none"},
}
