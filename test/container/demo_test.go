//go:build linux

package container

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"hawser/configs"
	"hawser/proxy/admin"
)

const (
	demoBytes = 512 << 20 // of the target's file: a transfer at full speed takes some seconds
	pace      = 64 << 20  // bytes/s of a transfer that something happens to
)

// walkThrough goes on in the guide where the server and the target run.
func walkThrough(t *testing.T, w *workspace, g guide, project string) {
	w.run(t, g.take(t, "hawser-server invite demo"))
	client := w.run(t, "docker compose ps -q client")
	server := w.run(t, "docker compose ps -q server")
	w.show(t, "docker compose ps; docker compose logs -t --tail=150 server client 2>&1; docker compose exec -T client hawser-client status || true")
	for _, c := range []string{server, client, w.run(t, "docker compose ps -q target")} {
		awaitHealthy(t, w, c)
	}
	awaitUplinks(t, client, "dsl", "lte")
	proxy := w.run(t, "docker compose port client 1080")
	there := w.edits.Replace("10.213")
	w = w.with()
	w.edits = strings.NewReplacer("127.0.0.1:1080", proxy, "10.213", there)

	bothNetworksCarry(t, w, &g, client)
	losesANetwork(t, w, &g, client, proxy)
	outlivesItsServer(t, w, &g, client, proxy)

	w.run(t, g.take(t, "docker compose down -v"))
	if left := leftovers(t, w, project); left != "" {
		t.Errorf("after down -v there are still: %s", left)
	}
}

// bothNetworksCarry transfers a file as a user does, and looks at what each uplink has carried.
func bothNetworksCarry(t *testing.T, w *workspace, g *guide, client string) {
	before := uplinks(t, client)
	out := w.run(t, g.take(t, "sha256sum -c"))
	if !strings.Contains(out, "file: OK") {
		t.Errorf("the checksum was not compared: %q", out)
	}
	after := uplinks(t, client)
	for _, name := range []string{"dsl", "lte"} {
		carried := after[name].BytesDown - before[name].BytesDown
		t.Logf("%s carried %d %% of %d MB", name, 100*carried/demoBytes, demoBytes>>20)
		if carried < demoBytes/10 {
			t.Errorf("%s carried %d bytes of %d: under a tenth", name, carried, demoBytes)
		}
	}
	if table := w.run(t, g.take(t, "hawser-client status")); !strings.Contains(table, "dsl") {
		t.Errorf("status does not show the uplink dsl:\n%s", table)
	}
	w.run(t, "rm file")
}

// losesANetwork takes a network away in mid-transfer and gives it back.
func losesANetwork(t *testing.T, w *workspace, g *guide, client, proxy string) {
	tr := startTransfer(t, proxy, "http://target/file", pace)
	eventually(t, "the transfer gets going", 20*time.Second, func() error {
		if n := tr.got.Load(); n < pace/2 {
			return errors.Join(fmt.Errorf("%d bytes", n), tr.running())
		}
		return nil
	})
	w.run(t, g.take(t, "docker network disconnect"))
	cut := uplinks(t, client)
	eventually(t, "the transfer goes on over lte alone", 20*time.Second, func() error {
		if err := tr.running(); err != nil {
			return err
		}
		now := uplinks(t, client)
		if now["dsl"].State == admin.UplinkUp {
			return fmt.Errorf("dsl is up without its network")
		}
		if n := now["lte"].BytesDown - cut["lte"].BytesDown; n < pace/2 {
			return fmt.Errorf("lte has carried %d bytes since", n)
		}
		return nil
	})
	if err := tr.running(); err != nil {
		t.Fatal(err)
	}
	w.run(t, g.take(t, "docker network connect"))
	awaitUplinks(t, client, "dsl", "lte")
	if err := tr.running(); err != nil {
		t.Fatal(err)
	}
	back := uplinks(t, client)
	t.Logf("dsl is back after %d MB of the transfer, by %s", tr.got.Load()>>20, back["dsl"].Interface)
	tr.rate.Store(0)
	<-tr.done
	if tr.err != nil {
		t.Fatal(tr.err)
	}
	want, err := fetch(t.Context(), proxy, "http://target/file.sha256")
	if err != nil {
		t.Fatal(err)
	}
	if sum, _, _ := strings.Cut(want, " "); tr.sum != sum {
		t.Errorf("the transfer arrived with the hash %s, the file has %s", tr.sum, want)
	}
	if n := uplinks(t, client)["dsl"].BytesDown - back["dsl"].BytesDown; n < 1<<20 {
		t.Errorf("dsl has carried %d bytes since its return: it is not used", n)
	}
}

// outlivesItsServer replaces the server's container and waits for the client to come back by itself.
func outlivesItsServer(t *testing.T, w *workspace, g *guide, client, proxy string) {
	const began = "docker inspect -f '{{.Id}} {{.State.StartedAt}}' "
	server := w.run(t, "docker compose ps -q server")
	key, started := serverKey(t, w, "before"), w.run(t, began+client)
	w.run(t, g.take(t, "--force-recreate server"))
	eventually(t, "the client comes back", 30*time.Second, func() error {
		_, err := fetch(t.Context(), proxy, "http://target/file.sha256")
		return err
	})
	awaitUplinks(t, client, "dsl", "lte")
	if now := w.run(t, "docker compose ps -q server"); now == server {
		t.Error("the server's container is still the old one")
	} else {
		awaitHealthy(t, w, now)
	}
	awaitHealthy(t, w, client)
	if now := w.run(t, began+client); now != started {
		t.Errorf("the client's container was %s and is %s", started, now)
	}
	if now := serverKey(t, w, "after"); now != key {
		t.Errorf("the server's key was %s and is %s", key, now)
	}
}

// serverKey reads the server's public key from an invite for a new client.
func serverKey(t *testing.T, w *workspace, name string) configs.PublicKey {
	t.Helper()
	invite, err := configs.ParseInvite(w.run(t, "docker compose exec -T server hawser-server invite "+name))
	if err != nil {
		t.Fatal(err)
	}
	return invite.Server
}
