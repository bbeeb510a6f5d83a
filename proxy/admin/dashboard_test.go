package admin

import (
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"
)

func TestDashboardRunsOnlyItsOwnScript(t *testing.T) {
	r := get(t, Config{}, fixed{}, "/", nil)
	page := r.Body.String()
	if got := r.Header().Get("Content-Type"); got != "text/html; charset=utf-8" {
		t.Errorf("content type is %q", got)
	}
	csp := r.Header().Get("Content-Security-Policy")
	for _, element := range []string{"script", "style"} {
		parts := regexp.MustCompile(`(?s)<`+element+`>(.*?)</`+element+`>`).FindAllStringSubmatch(page, -1)
		if len(parts) != 1 {
			t.Fatalf("%d %s elements", len(parts), element)
		}
		sum := sha256.Sum256([]byte(parts[0][1]))
		if want := element + "-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(csp, want) {
			t.Errorf("policy %q lacks %q", csp, want)
		}
	}
	if strings.Contains(csp, "unsafe") {
		t.Errorf("policy %q allows what is unsafe", csp)
	}
}

func TestDashboardIsSelfContained(t *testing.T) {
	page := string(dashboardHTML)
	for name, pattern := range map[string]string{
		"a resource of its own file": `\b(src|href|action)\s*=\s*"(?:[^d]|d[^a])`,
		"an import":                  `@import|import\s*\(|url\(`,
		"an absolute address":        `https?://[a-z]`,
		"markup from data":           `innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(`,
		"an inline handler":          `\son[a-z]+\s*=\s*"`,
		"an inline style":            `\sstyle\s*=`,
	} {
		for _, m := range regexp.MustCompile(pattern).FindAllString(page, -1) {
			if !strings.HasPrefix(m, "http://w") || !strings.Contains(page, `"http://www.w3.org/2000/svg"`) {
				t.Errorf("the dashboard has %s: %q", name, m)
			}
		}
	}
}
