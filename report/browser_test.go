package report_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/decnet/ttpstore/internal/matrixtest"
)

// harness loads the report in frames of two widths, unfolds all details, and writes its findings into the document.
const harness = `<!doctype html><link rel="icon" href="data:,"><pre id="out"></pre>
<script>
const found = [];
function look(d, width, i) {
  const tip = d.querySelector(".tip"), hidden = getComputedStyle(tip).visibility;
  d.querySelector(".cell > summary").focus();
  const focused = getComputedStyle(tip).visibility;
  for (const e of d.querySelectorAll("details")) e.open = true;
  found[i] = {
    Overflow: Math.max(0, d.documentElement.scrollWidth - width),
    Scripts: d.scripts.length,
    Handlers: [...d.querySelectorAll("*")].filter(e => [...e.attributes].some(a => a.name.startsWith("on"))).length,
    Tip: [hidden, focused],
    Back: getComputedStyle(d.body).backgroundColor,
  };
  out.textContent = JSON.stringify(found);
}
for (const [i, width] of [1280, 390].entries()) {
  const f = document.createElement("iframe");
  f.width = width;
  f.height = 900;
  f.src = "/report";
  f.onload = () => look(f.contentDocument, width, i);
  document.body.append(f);
}
</script>`

// look holds the findings of the harness in one frame.
type look struct {
	Overflow, Scripts, Handlers int
	Tip                         [2]string // without and with the focus
	Back                        string
}

func TestReportInBrowser(t *testing.T) {
	if _, err := exec.LookPath("chromium"); err != nil {
		t.Skip("chromium is missing: install it, such as by apt-get install chromium, to run this test")
	}
	text := `</style></title><script>alert('1')</script>" onfocus="alert(1)" autofocus="` + strings.Repeat("long", 60)
	html := write(t, page(t, matrixtest.Hostile(text), text))
	for scheme, back := range []string{"rgb(13, 17, 23)", "rgb(255, 255, 255)"} { // dark, light
		want := look{Tip: [2]string{"hidden", "visible"}, Back: back}
		got := browse(t, html, fmt.Sprintf("--blink-settings=preferredColorScheme=%d", scheme))
		if diff := cmp.Diff([]look{want, want}, got); diff != "" {
			t.Error(diff)
		}
	}
}

var outPattern = regexp.MustCompile(`<pre id="out">(.*)</pre>`)

// browse opens the page in the harness. The browser must write nothing to its console and request nothing else.
func browse(t *testing.T, page, flag string) []look {
	t.Helper()
	var mu sync.Mutex
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked = append(asked, r.URL.Path)
		mu.Unlock()
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store") // both frames request the page
		switch r.URL.Path {
		case "/":
			_, _ = w.Write([]byte(harness))
		case "/report":
			_, _ = w.Write([]byte(page))
		}
	}))
	defer server.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute) // on a busy machine
	defer cancel()
	command := exec.CommandContext(ctx, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
		"--user-data-dir="+t.TempDir(), "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", flag,
		"--virtual-time-budget=5000", "--dump-dom", server.URL)
	var console strings.Builder
	command.Stderr = &console
	dom, err := command.Output()
	server.Close() // waits for its handlers
	if err != nil {
		t.Fatalf("%v\n%s", err, console.String())
	}
	for line := range strings.Lines(console.String()) {
		if strings.Contains(line, "CONSOLE") {
			t.Errorf("console: %s", line)
		}
	}
	if diff := cmp.Diff([]string{"/", "/report", "/report"}, asked); diff != "" {
		t.Errorf("requests: %s", diff)
	}
	found := outPattern.FindSubmatch(dom)
	var got []look
	if found == nil || json.Unmarshal(found[1], &got) != nil {
		t.Fatalf("the harness found nothing:\n%s\n%s", dom, console.String())
	}
	return got
}
