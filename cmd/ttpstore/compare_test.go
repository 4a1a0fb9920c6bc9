package main

import "testing"

func TestCompare(t *testing.T) {
	c := twoAttackers(t)
	args := []string{"compare", "identity", identityID, "session", "s2", "-o=table"}
	shared := `
shared: 1 technique
TECHNIQUE                           COUNT A  COUNT B  FIRST SEEN  LAST SEEN
T1082 System Information Discovery        1        1  2026-03-16  2026-03-17
`
	c.want(result{exitSuccess, `A is identity ` + identityID + `
B is session s2
` + shared + `
only A: 1 technique
TECHNIQUE                    COUNT A  FIRST SEEN  LAST SEEN
T1110.001 Password Guessing        3  2026-03-15  2026-03-15

only B: 1 technique
TECHNIQUE          COUNT B  FIRST SEEN  LAST SEEN
T1110 Brute Force        1  2026-03-16  2026-03-16
`, ""}, "", args...)
	c.want(result{exitSuccess, `A is identity ` + identityID + `
B is session s2
` + shared + `
only A: 0 techniques

only B: 0 techniques
`, ""}, "", append(args, "--technique=T1082")...)
	var found string
	for _, row := range c.rows("compare", args[1:5]...) {
		found += row["in"] + " " + row["a_count"] + " " + row["b_count"] + "\n"
	}
	if want := "shared 1 1\nonly_a 3 0\nonly_b 0 1\n"; found != want {
		t.Errorf("%q, want %q", found, want)
	}
	c.want(result{exitSuccess, "", "no tag has session none\nno tag has session nobody\n"}, "", "compare", "session", "none", "session", "nobody")
}
