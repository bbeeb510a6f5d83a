package configs

import (
	"context"
	"io/fs"
	"os"
	"time"
)

// watchEvery is how often a watched file is looked at. A change is acted on when the file looked the same twice, so
// after at most three looks: within one second.
const watchEvery = 250 * time.Millisecond

// Watch calls changed each time the file at path has changed and has come to rest, until ctx ends; once at the start
// too, so that nothing is missed between a caller's own reading and the first look. It looks at the file's identity, size and time: notifications of the system do not cross every mount. A
// file that has gone is no change; one that comes back is. When Watch returns, changed is not running.
func Watch(ctx context.Context, path string, changed func()) {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	last := stat(path)
	var acted fs.FileInfo
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := stat(path)
		if now != nil && same(now, last) && !same(now, acted) {
			acted = now
			changed()
		}
		last = now
	}
}

// stat gives what is known of a file, nil: it is not there.
func stat(path string) fs.FileInfo {
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	return info
}

// same says whether two looks saw the same file unchanged.
func same(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// WatchServer loads the server's configuration at the start and each time its file changes, until ctx ends: apply gets it when
// it is whole and valid, report the error when not, in which case what was applied last stays in force. Only what a
// running server can follow, its list of clients, is for apply to use.
func WatchServer(ctx context.Context, p Place, o Options, file string, apply func(*Server), report func(error)) {
	o.File = file
	Watch(ctx, file, func() {
		s, err := LoadServer(p, o)
		if err != nil {
			report(err)
			return
		}
		apply(s)
	})
}
