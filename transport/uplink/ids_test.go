package uplink

import (
	"errors"
	"fmt"
	"testing"
)

func TestIDsStayWithTheirUplinks(t *testing.T) {
	var t1 ids
	want := func(name string, id uint8) {
		t.Helper()
		if got, err := t1.of(name); err != nil || got != id {
			t.Errorf("id of %s is %d, %v; want %d", name, got, err, id)
		}
	}
	want("dsl", 1)
	want("lte", 2)
	want("dsl", 1)
	t.Logf("# a renamed link keeps its id")
	t1.rename("lte", "wwan0")
	want("wwan0", 2)
	t.Logf("# the old name may come back as another link")
	want("lte", 3)
	t.Logf("# a name that has an id keeps it")
	t1.rename("lte", "dsl")
	want("dsl", 1)
	want("lte", 3)
}

func TestIDsRunOut(t *testing.T) {
	var t1 ids
	for i := range 255 {
		if id, err := t1.of(fmt.Sprint(i)); err != nil || int(id) != i+1 {
			t.Fatalf("id %d, %v of uplink %d", id, err, i)
		}
	}
	if id, err := t1.of("one more"); !errors.Is(err, errNoID) {
		t.Errorf("the 256th uplink has id %d, %v", id, err)
	}
	if id, err := t1.of("17"); err != nil || id != 18 {
		t.Errorf("an old uplink has id %d, %v afterwards", id, err)
	}
}
