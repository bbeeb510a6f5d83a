//go:build linux

package rig

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// credential looks up a user by name or number; nil for an empty name. A process that root starts with the credential
// of another user has no capability left (capabilities(7), effect of user ID changes).
func credential(name string) (*syscall.Credential, error) {
	if name == "" {
		return nil, nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		if u, err = user.LookupId(name); err != nil {
			return nil, fmt.Errorf("user %s: %w: give the name or number of a user of this machine", name, err)
		}
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// handOver gives the configuration to the programs' user.
func (r *Rig) handOver() error {
	if r.user == nil {
		return nil
	}
	return filepath.WalkDir(r.Dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, int(r.user.Uid), int(r.user.Gid))
	})
}
