package relay

import "fmt"

// Code is a reply code of RFC 1928 §6: the result of opening a stream.
type Code byte

// The reply codes of RFC 1928 §6.
const (
	CodeSucceeded            Code = 0
	CodeGeneralFailure       Code = 1
	CodeNotAllowed           Code = 2 // by the egress rules
	CodeNetworkUnreachable   Code = 3
	CodeHostUnreachable      Code = 4 // or the name was not found
	CodeConnectionRefused    Code = 5
	CodeTimeout              Code = 6 // "TTL expired": the target did not answer in time
	CodeCommandNotSupported  Code = 7
	CodeAddressTypeUnknown   Code = 8
	firstUnassignedReplyCode Code = 9
)

var codeTexts = [firstUnassignedReplyCode]string{
	"succeeded",
	"general failure",
	"not allowed by the rules",
	"network unreachable",
	"host unreachable",
	"connection refused",
	"connect timed out",
	"command not supported",
	"address type not supported",
}

// String is the code in words.
func (c Code) String() string {
	if c < firstUnassignedReplyCode {
		return codeTexts[c]
	}
	return fmt.Sprintf("reply code %d", byte(c))
}
