//go:build unix

package aot

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// group gives a child a process group of its own, so that what it starts ends
// with it.
func group(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error {
		err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		if errors.Is(err, syscall.ESRCH) {
			return os.ErrProcessDone
		}
		return err
	}
}

// yield makes room for the program whose child this is: less of the processors,
// and the first to go when memory is short. All of it is best effort.
func yield() {
	syscall.Setpriority(syscall.PRIO_PROCESS, 0, 10)
	os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0)
}
