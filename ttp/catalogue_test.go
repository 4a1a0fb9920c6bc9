package ttp

import "testing"

// A read of the releases that began before a change must not be kept after it.
func TestChangedReleasesAreReadAgain(t *testing.T) {
	c, old := &catalogues{}, &catalogue{}
	_, changes := c.get()
	c.forget()
	c.set(old, changes)
	if kept, _ := c.get(); kept != nil {
		t.Error("the old releases were kept")
	}
	_, changes = c.get()
	c.set(old, changes)
	if kept, _ := c.get(); kept != old {
		t.Error("the new releases were not kept")
	}
}
