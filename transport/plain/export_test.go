package plain

import "hawser/transport/wire"

// AppendOptionsRecord is an OPTIONS record for tests of what is on the wire.
func AppendOptionsRecord(b []byte, options ...wire.Option) []byte {
	return unsealed.appendRecord(b, typeOptions, wire.AppendOptions(nil, options...))
}
