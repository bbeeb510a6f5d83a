package configs

import (
	"testing"
	"testing/fstest"
)

func TestCgroupLimits(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	tests := []struct {
		name string
		fs   fstest.MapFS
		want uint64
	}{
		{"no control groups", fstest.MapFS{}, 0},
		{"v2, own limit", fstest.MapFS{"proc/self/cgroup": file("0::/a/b\n"), "sys/fs/cgroup/a/b/memory.max": file("1000\n")}, 1000},
		{"v2, no limit", fstest.MapFS{"proc/self/cgroup": file("0::/a/b\n"), "sys/fs/cgroup/a/b/memory.max": file("max\n")}, 0},
		{"v2, the parent's is smaller", fstest.MapFS{"proc/self/cgroup": file("0::/a/b\n"), "sys/fs/cgroup/a/b/memory.max": file("1000\n"), "sys/fs/cgroup/a/memory.max": file("500\n")}, 500},
		{"v2, container that sees its group at the top", fstest.MapFS{"proc/self/cgroup": file("0::/\n"), "sys/fs/cgroup/memory.max": file("700\n")}, 700},
		{"v2, path of the host", fstest.MapFS{"proc/self/cgroup": file("0::/docker/abc\n"), "sys/fs/cgroup/memory.max": file("700\n")}, 700},
		{"v2, path above the root of the namespace", fstest.MapFS{"proc/self/cgroup": file("0::/../x\n"), "sys/fs/cgroup/memory.max": file("700\n")}, 700},
		{"v1", fstest.MapFS{"proc/self/cgroup": file("5:cpu:/x\n4:hugetlb,memory:/d/c\n"), "sys/fs/cgroup/memory/d/c/memory.limit_in_bytes": file("300\n"), "sys/fs/cgroup/memory/memory.limit_in_bytes": file("9223372036854771712\n")}, 300},
		{"v1, not memory", fstest.MapFS{"proc/self/cgroup": file("4:memory2:/d\n"), "sys/fs/cgroup/memory/d/memory.limit_in_bytes": file("300\n")}, 0},
		{"garbage", fstest.MapFS{"proc/self/cgroup": file("\n:\nx\n0::\n")}, 0},
	}
	for _, test := range tests {
		if got := cgroupLimit(test.fs); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
}

func TestQuarterOfMemory(t *testing.T) {
	tests := []struct {
		total uint64
		want  Size
	}{
		{0, clientMemoryCap}, // unknown
		{1 << 20, minSize},
		{400_000_000, 100_000_000},
		{64 << 30, clientMemoryCap},
		{1<<64 - 1, clientMemoryCap},
	}
	for _, test := range tests {
		if got := quarter(test.total, clientMemoryCap); got != test.want {
			t.Errorf("of %d: %d, want %d", test.total, got, test.want)
		}
	}
}

func TestAutomaticMemoryOfThisMachine(t *testing.T) {
	if totalMemory() == 0 {
		t.Error("the machine's memory is not known")
	}
	client, server := DefaultClient(), DefaultServer()
	if got := client.MemoryLimit(); got < minSize || got > clientMemoryCap {
		t.Errorf("client: %d", got)
	}
	if got := server.MemoryLimit(); got < client.MemoryLimit() || got > serverMemoryCap {
		t.Errorf("server: %d", got)
	}
}
