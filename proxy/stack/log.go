package stack

import (
	"io"
	"os"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/rs/zerolog"

	"hawser/configs"
	"hawser/mptcp"
	"hawser/transport/plain"
)

// NewLogger makes the program's log as the configuration wants it.
func NewLogger(c configs.Log, out io.Writer) zerolog.Logger {
	if c.Format != "json" {
		file, ok := out.(*os.File)
		out = zerolog.ConsoleWriter{
			Out: out, TimeFormat: time.TimeOnly, NoColor: !ok || !isatty.IsTerminal(file.Fd()) || os.Getenv("NO_COLOR") != "",
		}
	}
	level, err := zerolog.ParseLevel(c.Level)
	if err != nil || c.Level == "" {
		level = zerolog.InfoLevel
	}
	return zerolog.New(out).Level(level).With().Timestamp().Logger()
}

// observe logs what happens to subflows. Of those whose peer may be anybody a server says nothing unless it is asked for
// details, so that strangers cannot fill its log.
func observe(log zerolog.Logger, server bool) func(mptcp.Notice) {
	return func(n mptcp.Notice) {
		level := zerolog.DebugLevel
		switch {
		case server && !n.Known:
		case n.State == mptcp.StateSuspect || n.State == mptcp.StateDead && n.Reason != "the session has ended":
			level = zerolog.InfoLevel
		}
		log.WithLevel(level).Str("session", n.Conn).Str("subflow", n.Subflow).Str("uplink", n.Path.Uplink).
			Stringer("remote", n.Path.Remote).Str("state", string(n.State)).Str("reason", n.Reason).Msg("subflow")
	}
}

// LogStart says which program this is and what it goes by.
func LogStart(log zerolog.Logger, version, file string, warnings []string) {
	if file == "" {
		file = "none"
	}
	log.Info().Str("version", version).Str("configuration", file).Msg("hawser")
	for _, w := range warnings {
		log.Warn().Msg(w)
	}
}

// sayCongestion says once which congestion control runs, where it is not the configured one.
func sayCongestion(log zerolog.Logger, wanted string) {
	if got := plain.CongestionInForce(wanted); got != "" && got != wanted {
		log.Info().Str("configured", wanted).Str("in force", got).
			Msg("the kernel does not offer the configured congestion control to this user")
	}
}
