//go:build unix

package cli

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// typed is a command of a page, and the lines that it shows under it.
type typed struct {
	command string
	shows   []string
}

// firstQuarter are the commands of a page's first quarter of an hour: the lines with "$ " in its console blocks.
func firstQuarter(page string) (all []typed) {
	_, rest, _ := strings.Cut(page, "\n## First quarter of an hour\n")
	section, _, _ := strings.Cut(rest, "\n## ")
	for i, block := range strings.Split(section, "```") {
		if i%2 == 0 || !strings.HasPrefix(block, "console\n") {
			continue
		}
		for _, line := range strings.Split(strings.TrimSpace(strings.TrimPrefix(block, "console\n")), "\n") {
			if c, ok := strings.CutPrefix(line, "$ "); ok {
				all = append(all, typed{command: c})
			} else if len(all) > 0 {
				all[len(all)-1].shows = append(all[len(all)-1].shows, line)
			}
		}
	}
	return all
}

// shown is whether out has a line as a page shows it, in which … is anything.
func shown(out, line string) bool {
	pattern := "(?m)^" + strings.ReplaceAll(regexp.QuoteMeta(line), "…", ".*") + "$"
	return regexp.MustCompile(pattern).MatchString(out)
}

// The first quarter of an hour of each door of the documents works as typed. The command is installed as the pages say,
// but into a folder of the test's; what commands write stays out of the checkout.
func TestDoors(t *testing.T) {
	if testing.Short() {
		t.Skip("NOT RUN: -short")
	}
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("NOT RUN: there is no %s", tool)
		}
	}
	root, err := filepath.Abs("../../../..")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob(filepath.Join(root, "docs", "start", "*.md"))
	if err != nil || len(pages) != 5 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	bin := t.TempDir()
	for _, path := range pages {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".md"), func(t *testing.T) {
			page, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			commands := firstQuarter(string(page))
			if len(commands) < 3 {
				t.Fatalf("%d commands", len(commands))
			}
			typeAll(t, root, bin, commands)
		})
	}
}

// typeAll types the commands into one shell, in a folder that looks like the checkout, and compares what they show.
func typeAll(t *testing.T, root, bin string, commands []typed) {
	t.Helper()
	dir, out := root, t.TempDir()
	onlyTheCommand := true
	for _, c := range commands {
		if strings.HasPrefix(c.command, "go run") || strings.HasPrefix(c.command, "go test") || strings.HasPrefix(c.command, "go vet") {
			onlyTheCommand = false // the go command follows no links to folders; what these do writes nothing
		}
	}
	if onlyTheCommand {
		dir = t.TempDir()
		entries, err := os.ReadDir(root)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if err := os.Symlink(filepath.Join(root, e.Name()), filepath.Join(dir, e.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
	ports := strings.NewReplacer("8545", freePort(t), "8555", freePort(t)) // others may have those of the pages
	var script strings.Builder
	script.WriteString("set -e\n")
	for i, c := range commands {
		c.command = ports.Replace(c.command)
		if strings.HasPrefix(c.command, "go install ") && dir != root {
			c.command = "(cd " + root + " && " + c.command + ")"
		}
		fmt.Fprintf(&script, "{ %s\n} >%s 2>&1\n", c.command, filepath.Join(out, fmt.Sprint(i)))
		if strings.HasSuffix(c.command, " &") {
			script.WriteString("sleep 3\n") // a reader's time between two commands
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	sh := exec.CommandContext(ctx, "bash", "-c", script.String())
	sh.Dir = dir
	sh.Env = append(os.Environ(), "GOBIN="+bin, "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	sh.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that what runs behind ends with it
	var said bytes.Buffer
	sh.Stdout, sh.Stderr = &said, &said
	sh.Cancel = func() error { return syscall.Kill(-sh.Process.Pid, syscall.SIGKILL) }
	err := sh.Run()
	if sh.Process != nil {
		_ = syscall.Kill(-sh.Process.Pid, syscall.SIGTERM)
	}
	for i, c := range commands {
		text, readErr := os.ReadFile(filepath.Join(out, fmt.Sprint(i)))
		if readErr != nil {
			t.Errorf("not reached: $ %s", c.command)
			continue
		}
		for _, line := range c.shows {
			if !shown(string(text), line) {
				t.Errorf("$ %s\ndoes not show the line\n%s\nbut\n%s", c.command, line, text)
			}
		}
		if err != nil && i+1 < len(commands) && !exists(filepath.Join(out, fmt.Sprint(i+1))) {
			t.Errorf("$ %s\n%v\n%s", c.command, err, text)
		}
	}
	if err != nil {
		t.Errorf("%v %s", err, &said)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
