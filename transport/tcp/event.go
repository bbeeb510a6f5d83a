package tcp

import "hawser/transport/wire"

// EventKind says what has happened.
type EventKind uint8

// The kinds of Event.
const (
	EventEstablished EventKind = iota + 1 // the handshake is complete
	EventData                             // Next has something
	EventAcked                            // bytes were acknowledged: there is room to append
	EventOptions                          // Options: a valid segment carried options of kind 30
	EventFin                              // the peer has closed its side; Next ends after what it has
	EventClosed                           // Err: the connection is over; the last event
)

// Event is what a machine tells its owner (Machine.Poll).
type Event struct {
	Kind EventKind
	Err  error // EventClosed: nil after an orderly close

	// EventOptions: the options of kind 30 and the place of the segment in the peer's stream, payload bytes from 0.
	Options wire.TCPOptions
	Flags   wire.Flags
	Offset  int64
	Len     int
}

// maxEvents bounds the events that wait for Poll. A peer can cause one a segment (EventOptions); an owner that polls
// after each batch never comes near. Options beyond it are lost like those of a segment that was.
const maxEvents = 256

// events is a queue that keeps its memory.
type events struct {
	queue []Event
	head  int
	room  bool // an EventAcked waits already
	data  bool // an EventData waits already
}

// event queues e. Data and acknowledgements are told once until they were polled.
func (m *Machine) event(e Event) {
	q := &m.events
	switch e.Kind {
	case EventData:
		if q.data {
			return
		}
		q.data = true
	case EventAcked:
		if q.room {
			return
		}
		q.room = true
	case EventOptions:
		if len(q.queue)-q.head >= maxEvents {
			return
		}
	}
	q.queue = append(q.queue, e)
}

// Poll takes the next event; false: none.
func (m *Machine) Poll() (Event, bool) {
	q := &m.events
	if q.head == len(q.queue) {
		q.queue, q.head = q.queue[:0], 0
		return Event{}, false
	}
	e := q.queue[q.head]
	q.head++
	switch e.Kind {
	case EventData:
		q.data = false
	case EventAcked:
		q.room = false
	}
	return e, true
}
