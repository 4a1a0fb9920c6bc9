package attack

import _ "embed"

// Copyright is MITRE's copyright line. Every program that shows ATT&CK's texts must show it.
const Copyright = "© 2025 The MITRE Corporation. This work is reproduced and distributed with the permission of The MITRE Corporation."

// License holds MITRE's terms of use of ATT&CK, with the copyright line. Every copy of ATT&CK's texts must include it.
//
//go:embed builtin/ATTACK-LICENSE.txt
var License string
