package attack

import _ "embed"

// Copyright is MITRE's copyright line. Whoever copies names from ATT&CK must reproduce it and [License].
const Copyright = "© 2025 The MITRE Corporation. " +
	"This work is reproduced and distributed with the permission of The MITRE Corporation."

// License is MITRE's licence of ATT&CK.
//
//go:embed LICENSE.txt
var License string
