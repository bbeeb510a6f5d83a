package netlab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// NeedNFTables skips the test where NeedRoot does or where the program nft (package nftables) is missing: Masquerade,
// Firewall and SplitTCP work by it. With CI=true it fails instead. The kernel needs nf_tables with conntrack
// (CONFIG_NFT_CT), NAT (CONFIG_NFT_MASQ), reject (CONFIG_NFT_REJECT_INET) and, for SplitTCP, CONFIG_NFT_TPROXY and
// CONFIG_NFT_SOCKET, built in or as modules that can be loaded.
func NeedNFTables(tb testing.TB) {
	tb.Helper()
	NeedRoot(tb)
	_, err := exec.LookPath("nft")
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		tb.Fatal(errNoNFT)
	default:
		tb.Skip(errNoNFT)
	}
}

var errNoNFT = errors.New("nft is missing: install the package nftables")

// nft runs an nftables script on the host.
func (h *Host) nft(script string) error {
	cmd := h.Command(context.Background(), "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return errNoNFT
	}
	if err != nil {
		return fmt.Errorf("nft: %w: %s: in\n%s", err, strings.TrimSpace(string(out)), script)
	}
	return nil
}

// putTable replaces a table of family inet.
func (h *Host) putTable(name, chains string) error {
	return h.nft(fmt.Sprintf("table inet %s\ndelete table inet %[1]s\ntable inet %[1]s {\n%s}\n", name, chains))
}

// dropTable removes a table that may not exist.
func (h *Host) dropTable(name string) error {
	return h.nft(fmt.Sprintf("table inet %s\ndelete table inet %[1]s\n", name))
}

// portSet is ports as nftables wants them; they must not be empty.
func portSet(ports []uint16) string {
	return "{ " + strings.Trim(strings.Join(strings.Fields(fmt.Sprint(ports)), ", "), "[]") + " }"
}
