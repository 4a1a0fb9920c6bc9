package attack

import _ "embed"

// Copyright is MITRE's copyright line. Whatever shows texts of ATT&CK must have it.
const Copyright = "© 2025 The MITRE Corporation. This work is reproduced and distributed with the permission of The MITRE Corporation."

// License holds MITRE's terms of use of ATT&CK, with the copyright line. It goes with every copy of ATT&CK's texts.
//
//go:embed builtin/ATTACK-LICENSE.txt
var License string
