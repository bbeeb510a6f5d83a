package configs

import (
	"bufio"
	"bytes"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
)

// The most that "memory: auto" takes.
const (
	clientMemoryCap Size = 512_000_000
	serverMemoryCap Size = 2_000_000_000
)

// AutoMemory is the meaning of "memory: auto": a quarter of the smaller of the machine's RAM and the limits of this
// process's control groups (v1 and v2, its own and all above it), at most most and at least 16MB, in bytes. Where
// neither can be found out, it is most.
func AutoMemory(most Size) Size {
	total := totalMemory()
	if limit := cgroupLimit(os.DirFS("/")); limit > 0 && (total == 0 || limit < total) {
		total = limit
	}
	return quarter(total, most)
}

// quarter applies the rule to an amount of bytes; 0: unknown.
func quarter(total uint64, most Size) Size {
	if total == 0 || total/4 > uint64(most) {
		return most
	}
	return max(Size(total/4), minSize)
}

// cgroupLimit gives the smallest memory limit of this process's control groups, 0: none. A container often sees its
// own group mounted at the top while /proc names it by the host's path, so each path is tried up to the root.
func cgroupLimit(root fs.FS) uint64 {
	groups, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return 0
	}
	var limit uint64
	lines := bufio.NewScanner(bytes.NewReader(groups))
	for lines.Scan() { // "0::/path" (v2) or "4:cpu,memory:/path" (v1): cgroups(7)
		_, rest, _ := strings.Cut(lines.Text(), ":")
		controllers, group, ok := strings.Cut(rest, ":")
		switch {
		case !ok:
		case controllers == "":
			limit = smaller(limit, groupLimit(root, "sys/fs/cgroup", group, "memory.max"))
		case strings.Contains(","+controllers+",", ",memory,"):
			limit = smaller(limit, groupLimit(root, "sys/fs/cgroup/memory", group, "memory.limit_in_bytes"))
		}
	}
	return limit
}

// groupLimit gives the smallest limit from the group given up to the root, 0: none.
func groupLimit(root fs.FS, mount, group, file string) uint64 {
	var limit uint64
	for dir := path.Clean("/" + group); ; dir = path.Dir(dir) {
		if b, err := fs.ReadFile(root, path.Join(mount, dir, file)); err == nil {
			if n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64); err == nil { // "max" is not a number
				limit = smaller(limit, n)
			}
		}
		if dir == "/" {
			return limit
		}
	}
}

// smaller gives the smaller of two limits of which 0 is none.
func smaller(a, b uint64) uint64 {
	if a == 0 || b == 0 {
		return a + b
	}
	return min(a, b)
}
