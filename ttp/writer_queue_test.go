package ttp

import (
	"slices"
	"testing"
	"testing/synctest"
)

func TestWritersWriteInTheOrderOfArrival(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Store{writerQueue: make(chan struct{}, 1)}
		var order []int
		enter := func(writer int) func() {
			leave, err := s.enqueueWriter(t.Context())
			if err != nil {
				t.Error(err)
			}
			order = append(order, writer)
			return leave
		}
		leave := enter(0)
		for writer := 1; writer < 6; writer++ {
			go func() { enter(writer)() }()
			synctest.Wait() // until it waits in the queue
		}
		leave()
		synctest.Wait()
		if !slices.Equal(order, []int{0, 1, 2, 3, 4, 5}) {
			t.Errorf("writers wrote in the order %v", order)
		}
	})
}
