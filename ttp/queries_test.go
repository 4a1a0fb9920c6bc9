package ttp

import "testing"

func TestParametersThatArgsLackPanic(t *testing.T) {
	for want, declare := range map[string]func(){
		"ttp: args has no Nothing of type string for struct { Nothing string }": func() { bind[struct{ Nothing string }]() },
		"ttp: args has no UUID of type string for struct { UUID string }":       func() { bind[struct{ UUID string }]() },
	} {
		func() {
			defer func() {
				if got := recover(); got != want {
					t.Errorf("got %v, want %q", got, want)
				}
			}()
			declare()
		}()
	}
}
