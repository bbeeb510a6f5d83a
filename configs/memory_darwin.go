package configs

import "golang.org/x/sys/unix"

// totalMemory gives the machine's RAM in bytes, 0: unknown.
func totalMemory() uint64 {
	total, err := unix.SysctlUint64("hw.memsize")
	if err != nil {
		return 0
	}
	return total
}
