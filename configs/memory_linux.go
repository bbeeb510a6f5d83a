package configs

import "golang.org/x/sys/unix"

// totalMemory gives the machine's RAM in bytes, 0: unknown.
func totalMemory() uint64 {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return 0
	}
	return uint64(info.Totalram) * uint64(info.Unit)
}
