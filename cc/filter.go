package cc

// filterSlots is the longest memory of a maxFilter.
const filterSlots = 10

// A maxFilter remembers the largest value of each of the last slots; a slot is a round trip, a cycle or a span of
// time, as its user counts them.
type maxFilter struct {
	slots [filterSlots]int
	slot  int // the current one
}

// advance begins n new slots.
func (f *maxFilter) advance(n int) {
	for range min(n, filterSlots) {
		f.slot = (f.slot + 1) % filterSlots
		f.slots[f.slot] = 0
	}
}

// put offers v to the current slot.
func (f *maxFilter) put(v int) { f.slots[f.slot] = max(f.slots[f.slot], v) }

// max gives the largest value of the newest n slots, the current one included.
func (f *maxFilter) max(n int) int {
	m := 0
	for i := range min(n, filterSlots) {
		m = max(m, f.slots[(f.slot-i+filterSlots)%filterSlots])
	}
	return m
}
