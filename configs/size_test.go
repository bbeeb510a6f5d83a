package configs

import "testing"

func TestSizes(t *testing.T) {
	tests := []struct {
		text string
		want Size
		back string
	}{
		{"auto", 0, "auto"},
		{"16MB", 16_000_000, "16MB"},
		{"512MB", 512_000_000, "512MB"},
		{"512 MB", 512_000_000, "512MB"},
		{"64MiB", 64 << 20, "64MiB"},
		{"1GiB", 1 << 30, "1GiB"},
		{"2GB", 2_000_000_000, "2GB"},
		{"20000kB", 20_000_000, "20MB"},
		{"1000GB", maxSize, "1000GB"},
	}
	for _, test := range tests {
		var s Size
		if err := s.UnmarshalText([]byte(test.text)); err != nil || s != test.want || s.String() != test.back {
			t.Errorf("%q gives %d (%s), %v; want %d (%s)", test.text, s, s, err, test.want, test.back)
		}
	}
	for _, bad := range []string{"", "1", "512", "MB", "-1GB", "+1GB", "1.5GB", "15MB", "1001GB", "1TB", "99999999999999999999GB", "0GB", "0x10MB", "Auto", "512mb"} {
		var s Size
		if err := s.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q gives %d, want an error", bad, s)
		}
	}
}
