// Package plaintest is the plain carrier's network in memory: whole sessions run over emulated uplinks in virtual time
// (testing/synctest), where file descriptors cannot be used, or in real time.
//
// A Network has Links, each with rate, one-way delay, jitter, queue and loss for either direction, all changeable while
// traffic runs, and connections that behave as kernel TCP shows itself to a program: bytes in order, with a congestion
// window (BBR, CUBIC or Reno), a bounded send buffer and the unsent bytes that late scheduling looks at; selective
// acknowledgements, loss detection by time and order (RACK-TLP, RFC 8985), the retransmission time-out behind it, and
// delayed acknowledgements. Connections of all sessions share a link's queue. Everything random comes from the seed.
//
// A bubble stops its clock when its test function returns, while connections that were ended still linger for a second:
// a test should end its sessions, close its Acceptor and then sleep a virtual minute, so that all goroutines end.
//
// # Calibration
//
// What a single connection gets on the links of test/netlab/profile: goodput in Mbit/s over 5 s after the first 2 s, and the
// median of the sender's smoothed round trip in ms. The kernel's columns come from Linux 6.18 in a lab (test/netlab) on a
// machine of two cores, one run each; BenchmarkCalibration makes them, and a test keeps the twin's beside them. A link
// reads rate/one-way delay/loss, then jitter or an unusual queue.
//
//	link              bbr: kernel      twin          cubic: kernel    twin
//	50/10             47.79   23     47.77   21     47.82   42     47.82   46
//	50/10/1%          47.28   23     46.87   21      5.79   21      5.95   21
//	100/8             95.62   21     95.64   17     95.64   33     95.64   35
//	30/30/0.1%        28.83   63     28.47   61      7.75   61      4.61   62
//	200/5            191.28   20    191.28   20    191.28   21    191.28   22
//	20/100 q200ms     19.86  204     19.75  202     19.13  343     20.19  387
//	100/10            95.64   25     95.60   20     95.64   41     95.65   47
//	100/10/1%         93.98   22     94.05   20      5.97   20      5.94   21
//	100/50            95.37  101     93.08  118     95.64  209     95.58  174
//	30/30             28.67   63     28.50   61     28.69  130     28.69  124
//	30/30/0.5%        28.48   62     27.99   61      2.98   62      2.46   64
//	20/100            19.12  242     19.03  212     19.13  414     19.26  419
//	10/150/2%          6.99  344      7.43  384      0.51  307      0.46  316
//	50/25 j20         46.56   65     47.97   99     47.50   82     26.03   48
//	5/40 q1s           4.78   96      4.74   85      4.78  401      4.78  280
//
// Two things had to be learned from the kernel. Packets are handled in steps of a quarter of a millisecond, as
// interrupts and a busy machine make them come: without that grain BBR measures too exactly, and paces 1 % below the
// link for ever, where the kernel's builds a queue. And HyStart's trains of acknowledgements never end CUBIC's slow start
// there; the growth of the round trip does.
//
// CUBIC on a link with loss is a matter of which packets are lost: seeds spread by a factor of two, and so do runs of the
// kernel; BBR with 2 % loss spreads by a sixth. CUBIC under jitter leaves slow start early in the twin and did not in the
// one run of the kernel; BBR keeps more in the queue there than the kernel's does.
//
// What is left out, because the carrier cannot see it or never meets it: the receive window (the carrier always reads),
// path MTU, undoing of what was no loss, giving up after many retransmissions.
package plaintest
