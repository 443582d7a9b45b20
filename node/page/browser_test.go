package page_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/eth"
)

// browser is a page in a real browser.
type browser struct {
	t   testing.TB
	ctx context.Context
	url string
	mu  sync.Mutex
	bad []string // what the console had to complain about
}

// chromium is the program, or the test is skipped.
func chromium(t testing.TB) string {
	t.Helper()
	for _, name := range []string{os.Getenv("EDGEFVM_CHROMIUM"), "chromium", "chromium-browser", "google-chrome", "headless-shell"} {
		if name == "" {
			continue
		}
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("SKIPPED: THE PAGE IS NOT LOOKED AT: no Chromium is installed (Debian's package chromium, or EDGEFVM_CHROMIUM)")
	return ""
}

func open(t testing.TB, url string) *browser {
	t.Helper()
	o := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.WindowSize(1280, 900))
	alloc, endAlloc := chromedp.NewExecAllocator(t.Context(), o...)
	t.Cleanup(endAlloc)
	ctx, end := chromedp.NewContext(alloc)
	t.Cleanup(end)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil { // a context with an end of its own would be the browser's
		t.Fatal(err)
	}
	b := &browser{t: t, url: url}
	err := chromedp.Listen(ctx, func(ev any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch e := ev.(type) {
		case *runtime.EventExceptionThrown:
			b.bad = append(b.bad, fmt.Sprintf("exception: %s %v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception))
		case *runtime.EventConsoleAPICalled:
			if e.Type == "error" || e.Type == "warning" || e.Type == "assert" {
				b.bad = append(b.bad, fmt.Sprintf("console: %v", e.Args))
			}
		case *log.EventEntryAdded:
			if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
				b.bad = append(b.bad, fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL))
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	var endTime context.CancelFunc
	b.ctx, endTime = context.WithTimeout(ctx, 8*time.Minute)
	t.Cleanup(endTime)
	call(b, log.Enable, cdp.Empty{})
	call(b, runtime.Enable, cdp.Empty{})
	return b
}

func call[P, R any](b *browser, c cdp.Command[P, R], params P) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, c, params); err != nil {
		b.t.Fatal(err)
	}
}

func (b *browser) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// show opens a part of the page and waits until it is there.
func (b *browser) show(part string) {
	b.t.Helper()
	b.do(chromedp.Navigate("about:blank"), chromedp.Navigate(b.url+"/"+part))
	b.until(fmt.Sprintf(`document.getElementById("main")?.dataset.ready === %q`, part))
	b.until(`!document.querySelector("[aria-busy]")`)
}

// value is what an expression of the page is.
func value[T any](b *browser, js string, o ...chromedp.EvaluateOption) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](js, o...))
	if err != nil {
		b.t.Fatalf("%s: %v", js, err)
	}
	return v
}

// run runs an expression.
func (b *browser) run(js string) {
	b.t.Helper()
	value[int](b, "("+js+", 0)")
}

func (b *browser) text(js string) string {
	b.t.Helper()
	return value[string](b, js)
}

// until waits for a condition.
func (b *browser) until(js string) {
	b.t.Helper()
	for end := time.Now().Add(40 * time.Second); !value[bool](b, "!!("+js+")"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatalf("waited for %s in vain:\n%s", js, b.text(`document.body.innerText`))
		}
	}
}

// quiet fails if the console complained.
func (b *browser) quiet() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.bad {
		b.t.Errorf("the console: %s", s)
	}
	b.bad = nil
}

// shot writes a picture where EDGEFVM_SHOTS says.
func (b *browser) shot(name string) {
	b.t.Helper()
	dir := os.Getenv("EDGEFVM_SHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/"+name+".png", png, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// faults are what a reader with a screen reader, a keyboard or weak eyes would stumble over, in words.
const faults = `(() => {
  const out = [];
  const visible = (e) => e.getClientRects().length && getComputedStyle(e).visibility !== "hidden";
  const name = (e) => (e.getAttribute("aria-label") || (e.labels && [...e.labels].map((l) => l.textContent).join(" ")) || e.textContent || e.title || "").trim();
  if (document.querySelectorAll("h1").length !== 1) out.push("not one h1");
  for (const l of ["header", "main", "footer", "nav[aria-label]", "[role=search]", "[role=status]"]) if (!document.querySelector(l)) out.push("no " + l);
  for (const e of document.querySelectorAll("a[href], button, input, select, textarea")) if (visible(e) && !name(e)) out.push("no name: " + e.outerHTML.slice(0, 120));
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) out.push("id twice: " + id);
  for (const e of document.querySelectorAll("[aria-labelledby]")) if (!document.getElementById(e.getAttribute("aria-labelledby"))) out.push("labelled by nothing: " + e.tagName);
  for (const e of document.querySelectorAll("th")) if (!e.hasAttribute("scope")) out.push("th without scope");
  for (const e of document.querySelectorAll("table")) if (!e.caption) out.push("table without caption");
  const rgb = (s) => { const c = document.createElement("canvas").getContext("2d", {willReadFrequently: true}); c.fillStyle = s; c.fillRect(0, 0, 1, 1); return [...c.getImageData(0, 0, 1, 1).data]; };
  const memo = new Map();
  const colour = (s) => { if (!memo.has(s)) memo.set(s, rgb(s)); return memo.get(s); };
  const light = ([r, g, b]) => [r, g, b].map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }).reduce((n, v, i) => n + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => { for (; e; e = e.parentElement) { const c = colour(getComputedStyle(e).backgroundColor); if (c[3] === 255) return c; } return [255, 255, 255]; };
  const seen = new Set();
  for (const e of document.querySelectorAll("body *")) {
    if (!visible(e) || ![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()) || e.closest(":disabled, .hidden, .skip")) continue;
    const a = light(colour(getComputedStyle(e).color)), b = light(behind(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const k = e.className + e.tagName;
    if (ratio < 4.5 && !seen.has(k)) { seen.add(k); out.push("contrast " + ratio.toFixed(2) + ": " + e.tagName + "." + e.className + " " + e.textContent.slice(0, 30)); }
  }
  return out;
})()`

// parts are what a development node's page has.
func parts(epoch, contract string) map[string]string {
	return map[string]string{
		"blocks": "#/", "block": "#/block/" + epoch, "message": "#/message/" + epoch + "/0", "actors": "#/actors", "miner": "#/actor/f01000", "contract": "#/actor/" + contract,
		"state": "#/state?path=actors%2Ff01000%2Fstate%2FSectors", "call": "#/call?to=f01000", "abis": "#/contracts",
	}
}

func TestInABrowser(t *testing.T) {
	s := serve(t, dev.Options{})
	chromium(t)
	at := s.Deploy(t, 0, emitter)
	gas := eth.Quantity(30_000_000)
	sent := s.Send(t, 1, eth.Call{To: &at, Input: eth.Data{1, 2, 3, 4}, Gas: &gas})
	epoch := fmt.Sprint(sent.Block.Epoch())
	b := open(t, s.url)

	t.Run("colours, names and width", func(t *testing.T) {
		b.t = t
		for _, scheme := range []string{"light", "dark"} {
			for _, width := range []int64{1280, 375} {
				call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
				call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 800, DeviceScaleFactor: 1, Mobile: width < 500})
				for name, part := range parts(epoch, at.String()) {
					b.show(part)
					wide := value[int64](b, `document.documentElement.scrollWidth`)
					if wide > width {
						t.Errorf("%s is %d wide on %d: %s", name, wide, width, b.text(`[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".hidden")).slice(0, 3).map((e) => e.outerHTML.slice(0, 150)).join("\n")`))
					}
					for _, f := range value[[]string](b, faults) {
						t.Errorf("%s, %s, %d: %s", name, scheme, width, f)
					}
					dark := b.text(`getComputedStyle(document.body).backgroundColor`) == "rgb(16, 21, 28)"
					if dark != (scheme == "dark") {
						t.Errorf("%s: the background is not that of %s", name, scheme)
					}
					b.shot(fmt.Sprintf("%s-%s-%d", name, scheme, width))
				}
			}
		}
		call(b, emulation.ClearDeviceMetricsOverride, cdp.Empty{})
		call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{})
		b.quiet()
	})

	t.Run("live", func(t *testing.T) {
		b.t = t
		b.show("#/")
		b.until(`document.getElementById("live").classList.contains("on")`)
		to := eth.Address(s.Account(2).Eth)
		value := eth.NewAmount(7)
		next := s.Send(t, 1, eth.Call{To: &to, Value: value})
		b.until(fmt.Sprintf(`document.querySelector("tbody a")?.getAttribute("href") === "#/block/%d"`, next.Block.Epoch()))
		b.until(fmt.Sprintf(`document.getElementById("live-text").textContent === "epoch %d"`, next.Block.Epoch()))
		b.quiet()
	})

	t.Run("keyboard", func(t *testing.T) {
		b.t = t
		b.show("#/")
		b.do(chromedp.KeyEvent(kb.Tab))
		if got := b.text(`document.activeElement.className`); got != "skip" {
			t.Errorf("the first stop of the keyboard is %q", got)
		}
		b.do(chromedp.KeyEvent("/"))
		if got := b.text(`document.activeElement.id`); got != "find" {
			t.Errorf("/ goes to %q", got)
		}
		b.do(chromedp.KeyEvent(sent.Hash.String()), chromedp.KeyEvent(kb.Enter))
		b.until(`document.activeElement?.tagName === "H1" && location.hash === "#/message/` + epoch + `/0"`)
		// Each stop of the walk is seen: it has a mark that is not of the mouse.
		var marks []string
		for range 25 {
			b.do(chromedp.KeyEvent(kb.Tab))
			marks = append(marks, b.text(`(() => { const e = document.activeElement; return e === document.body ? "" : e.tagName + " " + getComputedStyle(e).outlineStyle; })()`))
		}
		for _, m := range marks {
			if strings.HasSuffix(m, " none") {
				t.Errorf("a stop without a mark: %v", marks)
				break
			}
		}
		b.quiet()
	})

	t.Run("flame graph", func(t *testing.T) {
		b.t = t
		b.show("#/message/" + epoch + "/0")
		b.run(`document.querySelector(".flame button").focus()`)
		b.do(chromedp.KeyEvent(kb.ArrowDown))
		if got := b.text(`document.activeElement.getAttribute("aria-label")`); !strings.Contains(got, "InvokeContract") || !strings.Contains(got, "gas") {
			t.Errorf("below all gas is %q", got)
		}
		b.do(chromedp.KeyEvent(kb.Enter))
		if got := b.text(`document.activeElement.style.width`); got != "100%" {
			t.Errorf("a chosen call is %s wide", got)
		}
		b.do(chromedp.KeyEvent(kb.Escape))
		if got := b.text(`document.activeElement.getAttribute("aria-label")`); !strings.HasPrefix(got, "all gas") {
			t.Errorf("Escape goes to %q", got)
		}
		b.quiet()
	})

	t.Run("changes and storage", func(t *testing.T) {
		b.t = t
		b.show("#/message/" + epoch + "/0")
		b.run(`[...document.querySelectorAll("button")].find((x) => x.textContent === "Compare the states").click()`)
		b.until(`document.body.innerText.includes("ContractState/0x0")`)
		b.show("#/actor/" + at.String())
		b.run(`(document.querySelector("#slot").value = "0x0", document.querySelector("#slot").form.requestSubmit())`)
		b.until(`document.querySelector("#slot").form.querySelector(".hash")?.textContent.endsWith("1")`)
		b.quiet()
	})

	t.Run("forms", func(t *testing.T) {
		b.t = t
		b.show("#/call?to=f04")
		b.until(`document.querySelectorAll("form select option").length > 5`)
		b.run(`(() => {
			const form = document.querySelector("main form"), method = form.querySelector("select");
			method.value = "CurrentTotalPower"; method.dispatchEvent(new Event("change"));
			[...form.querySelectorAll("button")].find((x) => x.textContent === "Try").click();
		})()`)
		b.until(`document.querySelector("main form pre")?.textContent.includes("QualityAdjPower")`)
		// Parameters by fields, sent and executed.
		b.show("#/call?to=f01000")
		b.until(`document.querySelectorAll("form select option").length > 5`)
		b.run(`(() => {
			const form = document.querySelector("main form"), method = form.querySelector("select");
			method.value = "IsControllingAddressExported"; method.dispatchEvent(new Event("change"));
			[...form.querySelectorAll("button")].find((x) => x.textContent === "Send").click();
		})()`)
		b.until(`document.querySelector("main form a[href^='#/message/']")`)
		b.quiet()
	})

	t.Run("what stands on a chain is text", func(t *testing.T) {
		b.t = t
		b.show("#/contracts")
		evil := `<img src=x onerror=document.title='owned'>`
		abi, err := json.Marshal(map[string]any{evil: []any{map[string]any{"type": "function", "name": "f", "inputs": []any{map[string]any{"name": evil, "type": "uint256"}}}}})
		if err != nil {
			t.Fatal(err)
		}
		b.run(fmt.Sprintf(`localStorage.setItem("edgefvm.abis", %q)`, abi))
		for _, part := range []string{"#/contracts", "#/call"} {
			b.show(part)
			b.until(`document.querySelector("main").innerText.includes("onerror") || document.querySelector("main option")?.textContent.includes("onerror")`)
			if n := value[int](b, `document.querySelectorAll("main img, main script").length`); n != 0 || strings.Contains(b.text(`document.title`), "owned") {
				t.Errorf("%s made elements of text", part)
			}
		}
		// The policy holds even against a script that was put in.
		b.run(`(() => { const s = document.createElement("script"); s.textContent = "document.title = 'owned'"; document.body.append(s); localStorage.clear(); })()`)
		if strings.Contains(b.text(`document.title`), "owned") {
			t.Error("the policy lets a script run")
		}
		b.mu.Lock()
		b.bad = nil // it says that it refused
		b.mu.Unlock()
	})
}

// thousand opens a block of 1,000 messages and tells how long that took, from the click to what is painted.
func thousand(t testing.TB, b *browser, epoch int64) float64 {
	t.Helper()
	b.show("#/")
	return value[float64](b, fmt.Sprintf(`(async () => {
		const main = document.getElementById("main"), want = "#/block/%d", start = performance.now();
		location.hash = want;
		while (main.dataset.ready !== want) await new Promise(requestAnimationFrame);
		await new Promise(requestAnimationFrame);
		await new Promise(requestAnimationFrame);
		return performance.now() - start;
	})()`, epoch), func(p *runtime.EvaluateParams) { wait := true; p.AwaitPromise = &wait })
}

// crowded makes a block of 1,000 messages.
func crowded(t testing.TB) (*served, int64) {
	t.Helper()
	s := serve(t, dev.Options{Manual: true})
	gas, value := eth.Quantity(3_000_000), eth.NewAmount(1)
	for i := range 1000 {
		from := i % 10
		to := eth.Address(s.Account((from + 1) % 10).Eth)
		if _, err := s.SubmitTransaction(t.Context(), s.Transaction(t, from, eth.Call{To: &to, Value: value, Gas: &gas})); err != nil {
			t.Fatal(err)
		}
	}
	block, err := s.Mine(t.Context(), dev.MineOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(block.Messages) != 1000 {
		t.Fatalf("the block has %d messages", len(block.Messages))
	}
	return s, int64(block.Epoch())
}

func TestThousandMessages(t *testing.T) {
	chromium(t)
	s, epoch := crowded(t)
	b := open(t, s.url)
	start := time.Now()
	ask[json.RawMessage](t, s.rpc, "fvm_block", epoch)
	own := time.Since(start).Milliseconds()
	t.Logf("a block of 1,000 messages is there after %.0f ms, of which the node takes about %d ms", thousand(t, b, epoch), own)
	if got := b.text(`document.querySelector("main").innerText`); !strings.Contains(got, "1 to 100 of 1,000") {
		t.Errorf("%.300s", got)
	}
	// All of them are found: by pages, and by the filter.
	b.run(`[...document.querySelectorAll("main .pager button")].find((x) => x.textContent.startsWith("Next")).click()`)
	b.until(`document.querySelector("main").innerText.includes("101 to 200 of 1,000")`)
	last := ask[block](t, s.rpc, "fvm_block", epoch).Messages[999].Hash
	b.run(`document.querySelector("main input[type=search]").focus()`)
	b.do(chromedp.KeyEvent(last))
	b.until(`document.querySelector("main").innerText.includes("1 of 1,000 messages")`)
	b.shot("thousand")
	b.quiet()
}

func BenchmarkThousandMessages(b *testing.B) {
	chromium(b)
	s, epoch := crowded(b)
	x := open(b, s.url)
	var sum float64
	n := 0
	for b.Loop() {
		sum += thousand(b, x, epoch)
		n++
	}
	b.ReportMetric(sum/float64(n), "ms/page")
}
