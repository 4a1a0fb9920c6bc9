package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/decnet/ttpstore/attack"
)

func TestAttackReleases(t *testing.T) {
	c := filled(t)
	got := c.runWith("", "attack", "releases", "-o=table")
	if lines := strings.Split(got.stdout, "\n"); got.status != exitSuccess || got.stderr != "" || len(lines) != 35 ||
		lines[0] != "RELEASE           TACTICS  TECHNIQUES  SUB-TECHNIQUES  SOURCE" ||
		lines[33] != "mobile-v18.1           12          77              47  built in" {
		t.Errorf("%+v", got)
	}
	var sizes []releaseSize
	got = c.runWith("", "attack", "releases", "--json")
	if err := json.Unmarshal([]byte(got.stdout), &sizes); err != nil || len(sizes) != 33 ||
		sizes[32] != (releaseSize{"mobile-v18.1", false, 12, 77, 47}) {
		t.Errorf("%v %+v", err, got)
	}
	c.wantWrong(`unexpected argument "x"`, "attack releases", "attack", "releases", "x")
}

// bundle is an official bundle of a release that replaces T1082 with T1110.
const bundle = `{"type": "bundle", "id": "bundle--1", "objects": [
  {"type": "x-mitre-collection", "id": "x-mitre-collection--1", "x_mitre_version": "19.0"},
  {"type": "x-mitre-matrix", "id": "x-mitre-matrix--1", "name": "m", "tactic_refs": ["x-mitre-tactic--1"]},
  {"type": "x-mitre-tactic", "id": "x-mitre-tactic--1", "name": "Stealth", "x_mitre_shortname": "stealth",
   "external_references": [{"source_name": "mitre-attack", "external_id": "TA0006", "url": "https://attack.example/TA0006"}]},
  {"type": "attack-pattern", "id": "attack-pattern--1", "name": "Guessing",
   "kill_chain_phases": [{"kill_chain_name": "mitre-attack", "phase_name": "stealth"}],
   "external_references": [{"source_name": "mitre-attack", "external_id": "T1110", "url": "https://attack.example/T1110"}]},
  {"type": "attack-pattern", "id": "attack-pattern--2", "name": "Looking around", "revoked": true,
   "external_references": [{"source_name": "mitre-attack", "external_id": "T1082", "url": "https://attack.example/T1082"}]},
  {"type": "relationship", "id": "relationship--1", "relationship_type": "revoked-by",
   "source_ref": "attack-pattern--2", "target_ref": "attack-pattern--1"}
]}`

func TestAttackLoad(t *testing.T) {
	c := filled(t)
	c.want(result{exitSuccess, "", "loaded enterprise-v19.0\n"}, "", "attack", "load", c.write("19.json", bundle))
	if got := c.runWith("", "attack", "releases", "-o=table"); !strings.Contains(got.stdout, "\nenterprise-v19.0        1           1               0  loaded\n") {
		t.Errorf("%+v", got)
	}
	if got := c.runWith("", "attack", "show", "guessing"); !strings.Contains(got.stdout, "enterprise-v19.0") {
		t.Errorf("%+v", got)
	}
	c.want(result{exitSuccess, "2\n", ""}, "", "tags", "fleet", "--tactic=stealth", "--count")
	got := c.runWith("", "rollup", "fleet", "--as-of=19.0", "--technique=T1082", "--json")
	for _, want := range []string{`"technique_name": "Guessing"`, `"technique": "T1082"`, `"verdict": "replaced"`, `"release": "enterprise-v18.1"`} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("no %s in %+v", want, got)
		}
	}
	c.want(result{exitSuccess, "", ""}, "", "attack", "remove", "19.0")
	if got := c.runWith("", "rollup", "fleet", "--as-of=19.0"); got.status != exitUsage ||
		!strings.HasPrefix(got.stderr, `ttpstore: unknown ATT&CK release: "enterprise-v19.0"; the catalogue has enterprise-v8`) {
		t.Errorf("%+v", got)
	}
	c.want(result{exitFailure, "", "ttpstore: remove ATT&CK release enterprise-v19.0: not found\n"}, "", "attack", "remove", "19.0")
	got = c.runWith(bundle[:200], "attack", "load", "-")
	if got.status != exitFailure || !strings.Contains(got.stderr, "invalid ATT&CK bundle") {
		t.Errorf("%+v", got)
	}
	unnamed := strings.Replace(bundle, "x-mitre-collection", "x-unknown", 1)
	c.want(result{exitFailure, "", "ttpstore: unnamed ATT&CK release: the bundle has no x-mitre-collection; its domain is enterprise: " +
		"set the release with --release\n"}, unnamed, "attack", "load", "-")
	if got := c.runWith("", "attack", "releases", "-o=table"); strings.Contains(got.stdout, "loaded") {
		t.Errorf("%+v", got)
	}
}

func TestAttackShow(t *testing.T) {
	c := filled(t)
	for _, name := range []string{"T1110.001", "brute force: password guessing"} {
		c.want(result{exitSuccess, `id          T1110.001
name        Brute Force: Password Guessing
release     enterprise-v15.1
tactics     TA0006 Credential Access
platforms   Windows, Azure AD, Office 365, SaaS, IaaS, Linux, macOS, Google
            Workspace, Containers, Network
state       active
link        https://attack.mitre.org/techniques/T1110/001
seen        3 tags
first seen  2026-03-15T17:06:27Z
last seen   2026-03-15T17:06:36Z
`, ""}, "", "attack", "show", name, "--release=15.1", "-o=table")
	}
	c.want(result{exitSuccess, `id         T1086
name       PowerShell
release    enterprise-v18.1
tactics    TA0002 Execution
platforms  Windows
state      revoked
successor  T1059.001 PowerShell
link       https://attack.mitre.org/techniques/T1086
seen       0 tags
`, ""}, "", "attack", "show", "T1086", "-o=table")
	var shown shownTechnique
	got := c.runWith("", "attack", "show", "T1082", "--json")
	if err := json.Unmarshal([]byte(got.stdout), &shown); err != nil || shown.Name != "System Information Discovery" ||
		shown.Release != "enterprise-v18.1" || shown.Seen == nil || shown.Seen.Count != 1 {
		t.Errorf("%v %+v", err, got)
	}
	c.wantWrong("missing argument TECHNIQUE", "attack show", "attack", "show")
	if got := c.runWith("", "attack", "show", "T1110", "--release=1.0"); got.status != exitUsage ||
		!strings.HasPrefix(got.stderr, `ttpstore: unknown ATT&CK release: "enterprise-v1.0"; the catalogue has enterprise-v8.2, enterprise-v9.0, `) {
		t.Errorf("%+v", got)
	}
}

// Without a database, only the count is missing.
func TestAttackShowWithoutDatabase(t *testing.T) {
	t.Setenv(dbEnvironment, "")
	t.Chdir(t.TempDir())
	var stdout, stderr strings.Builder
	if status := run(t.Context(), []string{"attack", "show", "T1086"}, nil, &stdout, &stderr); status != exitSuccess ||
		!strings.HasSuffix(stdout.String(), "/T1086\n") || stderr.String() != "" {
		t.Error(status, stdout.String(), stderr.String())
	}
	c := newCLI(t)
	if got := c.runWith("", "attack", "show", "T1086", "-o=table"); got.status != exitFailure || got.stdout != "" {
		t.Errorf("a database that was named and is missing: %+v", got)
	}
}

func TestAttackDiff(t *testing.T) {
	c := filled(t)
	// In no release does the technique of one of the tags have its tactic.
	c.want(result{exitSuccess, `TECHNIQUE                    TACTIC  COUNT  VERDICT  RELEASE
T1110.001 Password Guessing  TA0001      1  unknown  enterprise-v18.1
`, ""}, "", "attack", "diff", "15.1", "18.1", "-o=table")
	if got := c.runWith(tagLine("f", "TA0007", "T1046", "0.9", "2026-03-15T00:00:00Z"), "import", "-"); got.status != exitSuccess {
		t.Fatal(got)
	}
	c.want(result{exitSuccess, `TECHNIQUE                       TACTIC  COUNT  VERDICT  TO                               TO TACTIC  RELEASE
T1046 Network Service Scanning  TA0007      1  renamed  T1046 Network Service Discovery  TA0007     enterprise-v18.1
T1110.001 Password Guessing     TA0001      1  unknown                                              enterprise-v18.1
`, ""}, "", "attack", "diff", "enterprise-v8.2", "18.1", "-o=table", "--wide")
	c.want(result{exitSuccess, `[
  {
    "release": "enterprise-v18.1",
    "count": 1,
    "from": {
      "technique": "T1110.001",
      "tactic": "TA0001"
    },
    "to": {
      "technique": "",
      "tactic": ""
    },
    "verdict": "unknown",
    "via": null
  }
]
`, ""}, "", "attack", "diff", "17.1", "18.1", "--json")
	c.want(result{exitSuccess, "", "no stored tags are affected\n"}, "", "attack", "diff", "mobile-v15.1", "mobile-v18.1")
	c.wantWrong("unknown ATT&CK release: mobile-v18.1 is of another domain than enterprise-v15.1", "attack diff",
		"attack", "diff", "15.1", "mobile-v18.1")
	c.wantWrong("missing argument TO", "attack diff", "attack", "diff", "15.1")
}

func TestAttackLicense(t *testing.T) {
	c := newCLI(t)
	c.want(result{exitSuccess, attack.License, ""}, "", "attack", "license")
	got := c.runWith("", "attack", "license", "--json")
	if !strings.HasPrefix(got.stdout, `{
  "copyright": "`+attack.Copyright+`",
  "license": "`) {
		t.Errorf("%+v", got)
	}
	c.wantNoFile()
}
