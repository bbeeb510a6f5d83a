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
	{Func: "transport/wire.Segment.Consume", Target: "transport/wire.FuzzSegment"},
	{Func: "transport/wire.Segment.consumeIP", Target: "transport/wire.FuzzSegment"},
	{Func: "transport/wire.Segment.consumeIPv4", Target: "transport/wire.FuzzSegment"},
	{Func: "transport/wire.Segment.consumeIPv6", Target: "transport/wire.FuzzSegment"},
	{Func: "transport/wire.Segment.ConsumeHeader", Target: "transport/wire.FuzzHeader"},
	{Func: "transport/wire.Segment.consumeHeader", Target: "transport/wire.FuzzHeader"},
	{Func: "transport/wire.TCPOptions.Consume", Target: "transport/wire.FuzzSegment"},
	{Func: "transport/wire.ICMPError.Consume", Target: "transport/wire.FuzzICMPError"},
	{Func: "transport/wire.ICMPError.consumeQuoted4", Target: "transport/wire.FuzzICMPError"},
	{Func: "transport/wire.ICMPError.consumeQuoted6", Target: "transport/wire.FuzzICMPError"},

	{Func: "transport/packet.parseIP", Target: "transport/packet.FuzzParseIP"},
	{Func: "transport/packet.parseIPv4", Target: "transport/packet.FuzzParseIP"},
	{Func: "transport/packet.parseIPv6", Target: "transport/packet.FuzzParseIP"},
	{Func: "transport/packet.parseICMPv4", Target: "transport/packet.FuzzParseICMP"},
	{Func: "transport/packet.parseICMPv6", Target: "transport/packet.FuzzParseICMP"},

	{Func: "transport/rawtcp.Conn.ReadFrom", Trusted: "what the application sends; nobody looks at the bytes"},
	{Func: "transport/plain.consumeAck", Target: "transport/plain.FuzzAck"},
	{Func: "transport/plain.consumePreface", Target: "transport/plain.FuzzPreface"},
	{Func: "transport/plain.consumeHeader", Target: "transport/plain.FuzzRecords"},
	{Func: "transport/plain.framer.parse", Target: "transport/plain.FuzzRecords"},
	{Func: "transport/plain.framer.parseData", Target: "transport/plain.FuzzRecords"},
	{Func: "transport/plain.record.parseOptions", Target: "transport/plain.FuzzRecords"},
	{Func: "transport/plain.reader.parse", Trusted: "cuts what was read into batches; framer.parse looks at the bytes"},
	{Func: "transport/plain.parseFirst", Target: "transport/plain.FuzzFirst"},

	{Func: "proxy/inbound.readMethods", Target: "proxy/inbound.FuzzReadMethods"},
	{Func: "proxy/inbound.readRequest5", Target: "proxy/inbound.FuzzReadRequest5"},
	{Func: "proxy/inbound.readRequest4", Target: "proxy/inbound.FuzzReadRequest4"},
	{Func: "proxy/inbound.readText4", Target: "proxy/inbound.FuzzReadRequest4"},
	{Func: "proxy/inbound.parseTarget", Target: "proxy/inbound.FuzzParseTarget"},
	{Func: "proxy/tunnel/mux.parseHeader", Target: "proxy/tunnel/mux.FuzzParseHeader"},
	{Func: "proxy/tunnel.ReadHello", Target: "proxy/tunnel.FuzzReadHello"},
	{Func: "proxy/tunnel.parseHello", Target: "proxy/tunnel.FuzzReadHello"},
	{Func: "proxy/tunnel.ReadWelcome", Target: "proxy/tunnel.FuzzReadWelcome"},
	{Func: "proxy/tunnel.parseWelcome", Target: "proxy/tunnel.FuzzReadWelcome"},
	{Func: "proxy/tunnel.readMessage", Target: "proxy/tunnel.FuzzReadHello"},
	{Func: "proxy/tunnel.ReadRequest", Target: "proxy/tunnel.FuzzReadRequest"},
	{Func: "proxy/tunnel.ReadReply", Target: "proxy/tunnel.FuzzReadReply"},
	{Func: "proxy/tunnel.readClient", Trusted: "has ReadHello read the bytes"},
	{Func: "proxy/relay.readPooled", Trusted: "passes bytes on and looks at none"},
}
