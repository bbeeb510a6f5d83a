package netlab

import (
	"bufio"
	"encoding/binary"
	"errors"
	"os"
	"time"
)

// Capture writes the frames that both sides of the link receive to a pcap file, until the lab closes. For all links of
// a lab see Lab.Capture.
func (k *Link) Capture(path string) {
	k.control("capture", func() error { return k.capture(path) })
}

// Capture has every link that is made from now on captured to a file in a directory, which is made if it is missing.
// The files are named after the lab, the hosts and side A's interface. Links that would be plain are emulated for it.
// The environment variable NETLAB_PCAP does the same from the start, for all labs of the process.
func (l *Lab) Capture(dir string) { l.pcap = dir }

// capture starts a capture of an emulated link.
func (k *Link) capture(path string) error {
	c, err := newCapture(path)
	if err != nil {
		return err
	}
	k.wire.change(func() {
		k.wire.atEnd = append(k.wire.atEnd, c.close)
		for side := range k.wire.ends {
			k.wire.ends[side].taps = append(k.wire.ends[side].taps, c.write)
		}
	})
	return nil
}

// A capture writes a pcap file with nanoseconds. The link's thread owns it.
type capture struct {
	file *os.File
	out  *bufio.Writer
	err  error // of the first write that failed
}

// The head of a pcap file (draft-ietf-opsawg-pcap §4).
const (
	pcapMagicNano = 0xa1b23c4d
	pcapSnap      = 1 << 16
	pcapEthernet  = 1
)

func newCapture(path string) (*capture, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	c := &capture{file: f, out: bufio.NewWriterSize(f, 1<<18)}
	head := binary.LittleEndian.AppendUint32(nil, pcapMagicNano)
	head = binary.LittleEndian.AppendUint16(head, 2)
	head = binary.LittleEndian.AppendUint16(head, 4)
	head = append(head, make([]byte, 8)...)
	head = binary.LittleEndian.AppendUint32(head, pcapSnap)
	head = binary.LittleEndian.AppendUint32(head, pcapEthernet)
	c.put(head)
	return c, nil
}

// write appends a frame.
func (c *capture) write(at time.Time, b []byte) {
	var record [16]byte
	binary.LittleEndian.PutUint32(record[0:], uint32(at.Unix()))
	binary.LittleEndian.PutUint32(record[4:], uint32(at.Nanosecond()))
	binary.LittleEndian.PutUint32(record[8:], uint32(len(b)))
	binary.LittleEndian.PutUint32(record[12:], uint32(len(b)))
	c.put(record[:])
	c.put(b)
}

func (c *capture) put(b []byte) {
	if _, err := c.out.Write(b); c.err == nil {
		c.err = err
	}
}

// close writes what is buffered and returns the first error.
func (c *capture) close() error { return errors.Join(c.err, c.out.Flush(), c.file.Close()) }
