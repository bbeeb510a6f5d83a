package copies

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
)

// Reader reads the counters of processes that run one program made by Build.
type Reader struct{ address int64 }

// Open finds the counter in a program.
func Open(program string) (Reader, error) {
	f, err := elf.Open(program)
	if err != nil {
		return Reader{}, fmt.Errorf("copies: %w", err)
	}
	defer f.Close()
	if f.Type != elf.ET_EXEC {
		return Reader{}, fmt.Errorf("copies: %s is of type %v: its addresses are not fixed", program, f.Type)
	}
	symbols, err := f.Symbols()
	if err != nil {
		return Reader{}, fmt.Errorf("copies: symbols of %s: %w", program, err)
	}
	for _, s := range symbols {
		if s.Name == "runtime."+counter {
			return Reader{int64(s.Value)}, nil
		}
	}
	return Reader{}, fmt.Errorf("copies: %s does not count: build it with Build", program)
}

// Read gives the bytes that a process has copied so far. It needs the right to trace the process.
func (r Reader) Read(pid int) (uint64, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		return 0, fmt.Errorf("copies: %w", err)
	}
	defer f.Close()
	var b [8]byte
	if _, err := f.ReadAt(b[:], r.address); err != nil {
		return 0, fmt.Errorf("copies: counter of process %d: %w", pid, err)
	}
	return binary.LittleEndian.Uint64(b[:]), nil
}
