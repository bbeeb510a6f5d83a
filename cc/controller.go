package cc

import "time"

// A Controller decides how much of one subflow may be in flight and how fast it leaves. It is a pure machine: it is
// told what happened and when, reads no clock and is used by one goroutine. All sizes are payload bytes, and all calls
// carry times that never go back.
//
// The sender keeps scoreboard, loss detection (RFC 8985) and rate samples (draft-cheng-iccrg-delivery-rate-estimation);
// the controller keeps window and rate.
type Controller interface {
	// OnSend is told of bytes that leave now, retransmissions included. inFlight counts them already.
	OnSend(now time.Time, bytes, inFlight int)
	// OnAck is told of each acknowledgement that delivers bytes or carries an RTT sample, after the scoreboard was
	// updated and after OnLoss for what it has shown to be lost.
	OnAck(now time.Time, a Ack)
	// OnLoss is told of bytes newly deemed lost, or of an ECN echo, by anything but a retransmission time-out.
	OnLoss(now time.Time, l Loss)
	// OnTimeout is told that the retransmission timer has expired (RFC 6298, section 5). The first segment is deemed lost,
	// and what RACK would call lost by now; the rest may still be on its way (RFC 8985, section 6.3). inFlight is what was
	// in flight before.
	OnTimeout(now time.Time, inFlight int)
	// OnUndo takes back the last OnLoss episode or OnTimeout, which has turned out to be spurious (RFC 3522, RFC 5682).
	OnUndo(now time.Time)
	// OnRecovered is told that everything outstanding when recovery began has been acknowledged; a mark and a time-out
	// begin one as a loss does.
	OnRecovered(now time.Time)
	// OnIdle is told, before the first bytes after at least one RTO without anything in flight, how long that was
	// (RFC 7661: the window is validated and what follows is paced, not thrown away).
	OnIdle(now time.Time, idle time.Duration)
	// Window is how many bytes may be in flight, at least one MSS.
	Window() int
	// Rate is the pacing rate in bytes/s; 0: unpaced.
	Rate() int
	// OwnsRecovery says whether the controller limits sending during recovery itself. Otherwise the sender applies
	// proportional rate reduction (RFC 6937) towards Window.
	OwnsRecovery() bool
	// Name is the name under which New gives it.
	Name() string
}

// An Ack is what one acknowledgement has done.
type Ack struct {
	Bytes    int           // newly delivered, cumulatively or selectively; 0 for a mere RTT sample
	RTT      time.Duration // sample; 0: none
	InFlight int           // bytes in flight after the acknowledgement

	// The rate sample of the newest delivered segment, and what was known when it was sent.
	Rate           int   // delivery rate, bytes/s; 0: no valid sample
	AppLimited     bool  // the sample was taken while the application had too little to send
	Delivered      int64 // total bytes delivered on this subflow
	PriorDelivered int64 // Delivered when that segment was sent: a round trip has passed when it reaches the end of the last
	SentInFlight   int   // bytes in flight when that segment was sent, itself included; 0: unknown
	LostSince      int   // bytes deemed lost since that segment was sent, those of this acknowledgement included

	WindowLimited bool // the window, not the application or the peer, has limited sending since the last Ack (RFC 7661)
	InRecovery    bool // between the first loss of an episode and OnRecovered
}

// A Loss is bytes newly deemed lost, or a congestion mark.
type Loss struct {
	Bytes        int  // newly deemed lost; 0 for a mark
	InFlight     int  // bytes in flight after the loss was taken out
	SentInFlight int  // bytes that were in flight when the newest lost segment was sent, itself included; 0: unknown
	LostSince    int  // bytes deemed lost since that segment was sent, itself included; 0: unknown
	AppLimited   bool // that segment was sent while the application had too little to send
	First        bool // it begins an episode: the window may be reduced once for each (RFC 5681, section 3.2)
	ECN          bool // the peer has echoed a congestion mark (RFC 3168, section 6.1.2)
}

// Config is what a controller has to know of its subflow.
type Config struct {
	MSS  int    // bytes of payload in a full segment; at least 1
	Rate int    // bytes/s, for "paced" alone, which needs it; others ignore it
	Seed uint64 // what makes random waits differ between flows; any value will do
}
