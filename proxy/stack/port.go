package stack

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// portError says which key of the configuration names a port that cannot be opened, and what to do. err names the
// address.
func portError(key string, err error) error {
	advice := "end the program that uses it, or choose another port"
	switch {
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		advice = "no interface of this machine has the address: correct it, or leave it out for every address"
	case errors.Is(err, fs.ErrPermission):
		advice = "this user may not open the port: choose one above 1023"
	}
	return fmt.Errorf("%s: %w: %s", key, err, advice)
}
